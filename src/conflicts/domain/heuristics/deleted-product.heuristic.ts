import { certain, FALLS, MOVES, type Opinion, type StockCase } from '../assessment.js';
import { type ClockSkews, contestantOf, deletionContestant } from '../contestants.js';
import { ORDER_SCORERS } from '../precedence.js';
import type { Decision, Judgement } from '../verdict.js';
import { ask } from '../weigh.js';

/** What was done before the product was deleted stands, and so does what was paid: the goods have left. */
export function assessDeletedProduct({ conflict, a, base, recordedAt }: StockCase, skews: ClockSkews): Opinion {
  const paid: Judgement | null =
    a.content.paymentStatus === 'PAID'
      ? { verdict: 'BOTH', confidence: 0.95, reason: 'The sale was paid, so the goods have left, deleted or not.' }
      : null;
  const asked: Decision[] = [{ tier: 'HEURISTIC', name: 'paid-outlives-deletion', answer: paid }];
  if (paid) return { fate: MOVES, confidence: paid.confidence, reasons: [paid.reason], asked, forPeople: false };
  const { combined, decisions } = ask(
    ORDER_SCORERS,
    contestantOf(a, recordedAt, skews, base),
    deletionContestant(conflict.b),
  );
  return {
    fate: combined && (combined.verdict === 'A' ? MOVES : FALLS),
    confidence: combined?.confidence ?? 0,
    reasons: combined ? [combined.reason] : [],
    asked: [...asked, ...decisions],
    forPeople: false,
  };
}

/** A deletion that was undone says nothing any more. */
export function deletionWithdrawn(): Opinion {
  return certain('deletion-withdrawn', MOVES, 'A', 'The product is not deleted any more.');
}
