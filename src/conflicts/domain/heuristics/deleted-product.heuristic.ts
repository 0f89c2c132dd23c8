import type { Assessment, StockCase } from '../assessment.js';
import { type ClockSkews, contestantOf, deletionContestant } from '../contestants.js';
import { ORDER_SCORERS } from '../precedence.js';
import type { Decision, Judgement } from '../verdict.js';
import { ask } from '../weigh.js';

/** What was done before the product was deleted stands, and so does what was paid: the goods have left. */
export function assessDeletedProduct({ conflict, a, base, recordedAt }: StockCase, skews: ClockSkews): Assessment {
  const paid: Judgement | null =
    a.content.paymentStatus === 'PAID'
      ? { verdict: 'BOTH', confidence: 0.95, reason: 'The sale was paid, so the goods have left, deleted or not.' }
      : null;
  const asked: Decision[] = [{ tier: 'HEURISTIC', name: 'paid-outlives-deletion', answer: paid }];
  if (paid) return { judgement: paid, reasons: [paid.reason], asked, forPeople: false, yielding: [] };
  const { combined, decisions } = ask(
    ORDER_SCORERS,
    contestantOf(a, recordedAt, skews, base),
    deletionContestant(conflict.b),
  );
  const judgement = combined && {
    ...combined,
    verdict: combined.verdict === 'A' ? ('BOTH' as const) : ('B' as const),
  };
  return {
    judgement,
    reasons: judgement ? [judgement.reason] : [],
    asked: [...asked, ...decisions],
    ...{ forPeople: false, yielding: [] },
  };
}
