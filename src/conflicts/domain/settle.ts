import type { LoggedOperation } from '../../inventory/domain/logged-operation.js';
import { remainingOf, useOf } from '../../inventory/domain/reference.js';
import { assess } from './assess.js';
import { asItStands, type Assessment, type Fate, type StockCase } from './assessment.js';
import { type Conflict, type ConflictChange, type RecordedConflict, type Suggestion, winnerOf } from './conflict.js';
import type { ClockSkews } from './contestants.js';
import { ordered } from './persons-verdict.js';
import { sameCharge } from './scorers/same-charge.scorer.js';
import { carryOut, type CarriedOut } from './settlement.js';
import { closedReservation, conflictIdOf, type NewConflict, scalars } from './state-conflicts.js';
import type { StockView } from './stock-view.js';
import type { Decision, Judgement, ResolutionMethod, Verdict } from './verdict.js';

/** What one conflict comes to. */
export interface Settling {
  readonly change: Omit<ConflictChange, 'id' | 'lamport'>;
  /** Of the claims that yielded beside the one the conflict is about: each has an entry of its own. */
  readonly others: readonly NewConflict[];
}

/** Who decided, and what they said about it. */
export interface DecidedBy {
  readonly userId: string;
  readonly feedback: string | null;
}

/**
 * Settles a conflict about stock if the heuristics are sure enough, and if it is theirs to settle; else leaves it to
 * people, with what the heuristics would do.
 */
export function settleStock(found: StockCase, view: StockView, skews: ClockSkews, threshold: number): Settling {
  const subject = asItStands(found, view);
  const assessment = assess(subject, view, skews);
  const { judgement, fate, forPeople, asked } = assessment;
  if (!judgement || !fate || forPeople || judgement.confidence < threshold) return leaveToPeople(assessment);
  const done = carryOut(subject, fate, view);
  if (!done.ok) return leaveToPeople({ ...assessment, reasons: [done.reason, ...assessment.reasons] });
  return {
    change: settled(subject.conflict, 'HEURISTIC', judgement, asked),
    others: [
      ...othersOf(subject, assessment, done, { method: 'HEURISTIC', by: null }),
      ...closedReservationOf(subject, fate),
    ],
  };
}

/** Whether it tells anybody more than the conflict says already. */
export function isNews({ awaits, suggestion }: RecordedConflict, { change }: Settling): boolean {
  if (change.resolution !== null || change.awaits !== awaits) return true;
  return JSON.stringify(told(change.suggestion)) !== JSON.stringify(told(suggestion));
}

function told(suggestion: Suggestion | null): readonly unknown[] | null {
  return suggestion && [suggestion.verdict, suggestion.reasons];
}

/**
 * Settles a conflict about stock as a person decides.
 * @param asSuggested whether the person only agreed to what the heuristics suggest
 * @returns why the ledger can't take it any more, if it can't
 */
export function settleByPerson(
  found: StockCase,
  verdict: Verdict,
  asSuggested: boolean,
  by: DecidedBy,
  view: StockView,
  skews: ClockSkews,
): Settling | { readonly overtaken: string } {
  const subject = asItStands(found, view);
  const assessment = asSuggested ? assess(subject, view, skews) : undefined;
  if (assessment && (assessment.judgement?.verdict !== verdict || !assessment.fate)) {
    return { overtaken: 'The heuristics would not suggest that any more.' };
  }
  const order = assessment?.fate
    ? ({ ok: true, fate: assessment.fate } as const)
    : ordered(subject, verdict, view, skews);
  const done = order.ok ? carryOut(subject, order.fate, view) : order;
  if (!done.ok) return { overtaken: done.reason };
  const judgement = byPerson(verdict);
  return {
    change: settled(subject.conflict, 'MANUAL', judgement, [askedPerson(judgement, by)], by),
    others: [
      ...othersOf(subject, assessment, done, { method: 'MANUAL', by }),
      ...(order.ok ? closedReservationOf(subject, order.fate) : []),
    ],
  };
}

/** As in the push: a sale that finds nothing held of what it confirms is an ordinary one, and the log says so. */
function closedReservationOf({ a, named }: StockCase, { is }: Fate): NewConflict[] {
  if (is === 'FALLS' || !named || useOf(a.content, named.state) !== 'CONFIRM') return [];
  return remainingOf(named.state) > 0 ? [] : [closedReservation(a.content, named.state, true)];
}

/** Settles two payments with one POS transaction as a person decides. */
export function settlePaymentsByPerson(conflict: RecordedConflict, verdict: Verdict, by: DecidedBy): Settling {
  const judgement = byPerson(verdict);
  return { change: settled(conflict, 'MANUAL', judgement, [askedPerson(judgement, by)], by), others: [] };
}

/** Money is for people: two payments with one POS transaction are only looked at. */
export function suggestForPayments({ a, b }: Pick<RecordedConflict, 'a' | 'b'>): Settling {
  const judgement = sameCharge(a.payload, b.payload);
  const asked: Decision[] = [{ tier: 'HEURISTIC', name: 'same-charge', answer: judgement }];
  return leaveToPeople({ judgement, reasons: [judgement.reason], asked });
}

function byPerson(verdict: Verdict): Judgement {
  return { verdict, confidence: 1, reason: 'A person decided.' };
}

function askedPerson(answer: Judgement, { userId }: DecidedBy): Decision {
  return { tier: 'MANUAL', name: userId, answer };
}

/** What a judgement makes of a conflict. */
function settled(
  conflict: Pick<RecordedConflict, 'a' | 'b' | 'suggestion'>,
  method: ResolutionMethod,
  judgement: Judgement,
  asked: readonly Decision[],
  by: DecidedBy | null = null,
): Settling['change'] {
  const winnerId = winnerOf(conflict, judgement.verdict);
  return {
    awaits: null,
    resolution: { method, ...judgement, winnerId, resolvedBy: by?.userId ?? null, feedback: by?.feedback ?? null },
    suggestion: conflict.suggestion,
    asked,
  };
}

/** Claims that yielded beside the one that the conflict is about. */
function othersOf(
  { conflict, a }: StockCase,
  assessment: Assessment | undefined,
  { alsoYielded }: Extract<CarriedOut, { ok: true }>,
  { method, by }: { readonly method: ResolutionMethod; readonly by: DecidedBy | null },
): NewConflict[] {
  const judgement = assessment?.judgement;
  if (!judgement) return [];
  return alsoYielded.map((claim) => ({
    id: conflictIdOf('OPERATION', `${a.content.operationId} ${claim.content.operationId}`),
    ...{ kind: 'OVERSELL', entity: conflict.entity, entityId: conflict.entityId, fields: [] },
    ...{ a: conflict.a, b: sideOf(claim), stockThen: conflict.stockThen, awaits: null, suggestion: null },
    decisions: assessment.trails?.get(claim.content.operationId) ?? [],
    resolution: {
      ...{ ...judgement, method, verdict: 'A', winnerId: conflict.a.id },
      ...{ resolvedBy: by?.userId ?? null, feedback: by?.feedback ?? null },
    },
  }));
}

function sideOf({ content, state }: LoggedOperation): Conflict['a'] {
  const { operationId: id, deviceId } = content;
  return { id, deviceId, payload: { ...scalars(content), lamport: state.lamport } };
}

function leaveToPeople({ judgement, reasons, asked }: Pick<Assessment, 'judgement' | 'reasons' | 'asked'>): Settling {
  const suggestion: Suggestion | null = judgement ? { ...judgement, reasons } : null;
  return { change: { awaits: 'PERSON', resolution: null, suggestion, asked }, others: [] };
}
