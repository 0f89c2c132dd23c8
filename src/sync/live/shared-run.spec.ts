import { describe, expect, it } from '@jest/globals';
import { SharedRun } from './shared-run.js';

/** Work whose runs end when the test says so. */
function controlled() {
  const runs: { resolve: () => void; reject: (error: Error) => void }[] = [];
  let atOnce = 0;
  const work = async (): Promise<void> => {
    atOnce += 1;
    expect(atOnce).toBe(1);
    try {
      await new Promise<void>((resolve, reject) => runs.push({ resolve, reject }));
    } finally {
      atOnce -= 1;
    }
  };
  return { run: new SharedRun(work), runs };
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('SharedRun', () => {
  it('begins at once when nothing runs', async () => {
    const { run, runs } = controlled();
    const asked = run.request();
    expect(runs).toHaveLength(1);
    runs[0]?.resolve();
    await asked;
    void run.request();
    expect(runs).toHaveLength(2);
  });

  it('runs once more for all who ask meanwhile, since what they ask about may be newer than what is being read', async () => {
    const { run, runs } = controlled();
    void run.request();
    const late = [run.request(), run.request(), run.request()];
    expect(runs).toHaveLength(1);
    runs[0]?.resolve();
    await settled();
    expect(runs).toHaveLength(2);
    runs[1]?.resolve();
    await Promise.all(late);
    await settled();
    expect(runs).toHaveLength(2);
  });

  it('tells a failure to those who asked for that run, and to no one else', async () => {
    const { run, runs } = controlled();
    const first = run.request();
    const second = run.request();
    runs[0]?.reject(new Error('no signal'));
    await expect(first).rejects.toThrow('no signal');
    await settled();
    runs[1]?.resolve();
    await expect(second).resolves.toBeUndefined();
  });

  it('never runs twice at once, whenever it is asked', async () => {
    const { run, runs } = controlled();
    const asked = [run.request(), run.request()];
    runs[0]?.resolve();
    // At every step on the way from one run to the next.
    for (let step = 0; step < 10; step += 1) {
      asked.push(run.request());
      await Promise.resolve();
    }
    for (let ended = 1; ended < 4; ended += 1) {
      await settled();
      runs[ended]?.resolve();
    }
    await Promise.all(asked);
    expect(runs.length).toBeLessThanOrEqual(3);
  });
});
