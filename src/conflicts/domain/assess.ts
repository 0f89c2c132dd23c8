import { isReservation, isWithoutEffect } from '../../inventory/domain/reference.js';
import {
  type Assessment,
  certain,
  FALLS,
  isCancelled,
  MOVES,
  type Opinion,
  soldTwice,
  type StockCase,
  together,
} from './assessment.js';
import type { ClockSkews } from './contestants.js';
import { assessDeletedProduct, deletionWithdrawn } from './heuristics/deleted-product.heuristic.js';
import { assessOversell, enoughNow, lackingOf } from './heuristics/oversell.heuristic.js';
import { assessAgainstCounts, assessCount, countWithdrawn } from './heuristics/stock-count.heuristic.js';
import type { StockView } from './stock-view.js';

/**
 * What the heuristics make of a conflict about a held operation, as the ledger stands now. Whatever it was held for, all
 * that could keep it from taking effect is asked, one after the other, as long as it stands: whether its product lives,
 * whether a count has it already, and whether there is enough.
 */
export function assess(subject: StockCase, view: StockView, skews: ClockSkews): Assessment {
  const overtaken = overtakenBy(subject, view, skews);
  if (overtaken) return together(subject, [overtaken]);
  const opinions: Opinion[] = [];
  for (const question of QUESTIONS) {
    const opinion = question(subject, view, skews);
    if (opinion) opinions.push(opinion);
    if (opinion && opinion.fate?.is !== 'MOVES') break;
  }
  const assessment = together(subject, opinions);
  return { ...assessment, forPeople: assessment.forPeople || bothPaid(subject) };
}

type Question = (subject: StockCase, view: StockView, skews: ClockSkews) => Opinion | undefined;

const QUESTIONS: readonly Question[] = [
  (subject, _view, skews) =>
    subject.conflict.kind === 'DELETED_PRODUCT' && !isCancelled(subject)
      ? subject.isDeleted
        ? assessDeletedProduct(subject, skews)
        : deletionWithdrawn()
      : undefined,
  (subject, view, skews) => {
    if (subject.a.content.kind === 'SET') return assessCount(subject, view, skews);
    const placed = assessAgainstCounts(subject, view, skews);
    if (isCancelled(subject) && placed?.fate?.is !== 'COUNTED') return cancelled(placed);
    return placed ?? (subject.conflict.kind === 'STOCK_COUNT' ? countWithdrawn() : undefined);
  },
  (subject, view, skews) => {
    if (subject.a.content.kind !== 'DECREMENT') return undefined;
    const missing = lackingOf(subject, view);
    if (missing > 0) return assessOversell(subject, missing, view, skews);
    return subject.conflict.kind === 'OVERSELL' ? enoughNow() : undefined;
  },
];

/** Money decides by people (design, section 7). */
function bothPaid({ conflict, a, b }: StockCase): boolean {
  return conflict.kind === 'OVERSELL' && a.content.paymentStatus === 'PAID' && b?.content.paymentStatus === 'PAID';
}

/** @param placed where it lies among counts, if anybody counted since: on top of them, as far as that can be told */
function cancelled(placed: Opinion | undefined): Opinion {
  const over = certain('cancelled', FALLS, 'B', 'It was cancelled while it waited.');
  return placed ? { ...over, confidence: placed.confidence, asked: [...placed.asked, ...over.asked] } : over;
}

/** What has become of the held operation without anybody's decision. */
function overtakenBy(subject: StockCase, view: StockView, skews: ClockSkews): Opinion | undefined {
  const { content, state } = subject.a;
  const { named } = subject;
  if (isReservation(content) && state.confirmed) {
    const placed = assessAgainstCounts(subject, view, skews);
    const sold = certain('sold', FALLS, 'B', 'What was reserved was sold while it waited.');
    if (!placed) return sold;
    const asked = [...placed.asked, ...sold.asked];
    return { ...placed, asked, fate: placed.fate?.is === 'COUNTED' ? soldTwice(subject, placed.fate) : FALLS };
  }
  if (content.kind === 'INCREMENT' && content.reason === 'CANCEL' && named && isWithoutEffect(named.state)) {
    // It stands, so that what it cancels stays cancelled if that takes effect later.
    return certain('nothing-to-give-back', MOVES, 'BOTH', 'What it cancels has no effect, so nothing comes back.');
  }
  return undefined;
}
