import type { Plan } from './plan.js';

/** Runs that are worth it. */
const RUNS_MAX = 150;

/**
 * Leaves out ever smaller parts of the steps, as long as it still breaks (after Zeller and Hildebrandt, "Simplifying and
 * Isolating Failure-Inducing Input", 2002).
 */
export async function shrink(plan: Plan, breaks: (plan: Plan) => Promise<boolean>): Promise<Plan> {
  let least = plan;
  let runs = 0;
  for (let size = Math.ceil(plan.steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < least.steps.length && runs < RUNS_MAX; runs += 1) {
      const without = { ...least, steps: least.steps.filter((_, index) => index < from || index >= from + size) };
      if (await breaks(without)) least = without;
      else from += size;
    }
  }
  return least;
}
