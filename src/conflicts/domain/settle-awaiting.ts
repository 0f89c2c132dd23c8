import { sameCharge } from './scorers/same-charge.scorer.js';
import { asItStands, type Assessment, type StockCase } from './assessment.js';
import type { ClockSkews } from './contestants.js';
import { type Conflict, type ConflictChange, type RecordedConflict, type Suggestion, winnerOf } from './conflict.js';
import { assess, carryOut, type CarriedOut } from './settlement.js';
import { conflictIdOf, type NewConflict, scalars } from './state-conflicts.js';
import type { StockView } from './stock-view.js';
import type { Decision, Judgement, ResolutionMethod } from './verdict.js';
import type { LoggedOperation } from '../../inventory/domain/logged-operation.js';

/** What one conflict comes to. */
export interface Settling {
  readonly change: Omit<ConflictChange, 'id' | 'lamport'>;
  /** Of the claims that yielded beside the one the conflict is about: each has an entry of its own. */
  readonly others: readonly NewConflict[];
}

/**
 * Settles a conflict about stock if the heuristics are sure enough, and if it is theirs to settle; else leaves it to
 * people, with what the heuristics would do.
 */
export function settleStock(found: StockCase, view: StockView, skews: ClockSkews, threshold: number): Settling {
  const subject = asItStands(found, view);
  const assessment = assess(subject, view, skews);
  const { judgement, forPeople, asked, yielding } = assessment;
  if (!judgement || forPeople || judgement.confidence < threshold) return leaveToPeople(assessment);
  const done = carryOut(subject, judgement.verdict, yielding, view, skews);
  if (!done.ok) return leaveToPeople({ ...assessment, reasons: [done.reason, ...assessment.reasons] });
  return {
    change: settled(subject.conflict, 'HEURISTIC', judgement, asked),
    others: othersOf(subject, assessment, judgement, done),
  };
}

/** Money is for people: two payments with one POS transaction are only looked at. */
export function suggestForPayments({ a, b }: Pick<RecordedConflict, 'a' | 'b'>): Settling {
  const judgement = sameCharge(a.payload, b.payload);
  const asked: Decision[] = [{ tier: 'HEURISTIC', name: 'same-charge', answer: judgement }];
  return leaveToPeople({ judgement, reasons: [judgement.reason], asked, forPeople: true, yielding: [] });
}

/** What a judgement makes of a conflict. */
export function settled(
  conflict: Pick<Conflict, 'a' | 'b'> & { readonly suggestion?: Suggestion | null },
  method: ResolutionMethod,
  judgement: Judgement,
  asked: readonly Decision[],
  by: { readonly userId: string; readonly feedback: string | null } | null = null,
): Settling['change'] {
  const winnerId = winnerOf(conflict, judgement.verdict);
  return {
    awaits: null,
    resolution: { method, ...judgement, winnerId, resolvedBy: by?.userId ?? null, feedback: by?.feedback ?? null },
    suggestion: conflict.suggestion ?? null,
    asked,
  };
}

/** Claims that yielded beside the one that the conflict is about. */
function othersOf(
  { conflict, a }: StockCase,
  { trails }: Assessment,
  judgement: Judgement,
  { alsoYielded }: Extract<CarriedOut, { ok: true }>,
): NewConflict[] {
  return alsoYielded.map((claim) => {
    const sides = { a: conflict.a, b: sideOf(claim) };
    return {
      id: conflictIdOf('OPERATION', `${a.content.operationId} ${claim.content.operationId}`),
      ...{ kind: conflict.kind, entity: conflict.entity, entityId: conflict.entityId, fields: [] },
      ...{ ...sides, stockThen: conflict.stockThen, awaits: null, suggestion: null },
      decisions: trails?.get(claim.content.operationId) ?? [],
      resolution: { method: 'HEURISTIC', ...judgement, winnerId: conflict.a.id, resolvedBy: null, feedback: null },
    };
  });
}

function sideOf({ content, state }: LoggedOperation): Conflict['a'] {
  const { operationId: id, deviceId } = content;
  return { id, deviceId, payload: { ...scalars(content), lamport: state.lamport } };
}

function leaveToPeople({ judgement, reasons, asked }: Assessment): Settling {
  return {
    change: {
      awaits: 'PERSON',
      resolution: null,
      suggestion: judgement ? { ...judgement, reasons } : null,
      asked,
    },
    others: [],
  };
}
