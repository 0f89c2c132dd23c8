import type { LoggedOperation } from '../../inventory/domain/logged-operation.js';
import { notCancelled } from '../../inventory/domain/reference.js';
import type { RecordedConflict } from './conflict.js';
import type { StockView } from './stock-view.js';
import type { Decision, Judgement, Verdict } from './verdict.js';

/** A conflict about an operation that is held, with what it is about. */
export interface StockCase {
  readonly conflict: RecordedConflict;
  /** What is held. */
  readonly a: LoggedOperation;
  /** The last lamport that its device had applied. */
  readonly base: number;
  /** When the server recorded it, in milliseconds since 1970. */
  readonly recordedAt: number;
  /** What it met; undefined if that is no event of the log. */
  readonly b: LoggedOperation | undefined;
  /** The operation that `a` confirms or cancels. */
  readonly named: LoggedOperation | undefined;
  /** Whether the product is deleted now. */
  readonly isDeleted: boolean;
}

/** The same case after what was decided since it was read. */
export function asItStands(subject: StockCase, view: StockView): StockCase {
  const now = <T extends LoggedOperation | undefined>(operation: T): T | LoggedOperation =>
    (operation && view.operation(operation.content.operationId)) ?? operation;
  return { ...subject, a: now(subject.a), b: now(subject.b), named: now(subject.named) };
}

/** Whether nothing of it is left. Still, if a count has it, what was cancelled since has come back. */
export function isCancelled({ a: { content, state } }: StockCase): boolean {
  return content.kind === 'DECREMENT' && notCancelled(state) === 0;
}

/** What becomes of a held operation. */
export type Fate =
  /** It moves what it says, and these are taken back for it. */
  | { readonly is: 'MOVES'; readonly yielding: readonly LoggedOperation[] }
  /** It happened, and this count has it already: nothing moves but the units that came back since; these are taken back. */
  | {
      readonly is: 'COUNTED';
      readonly by: LoggedOperation;
      readonly returned: number;
      readonly yielding: readonly LoggedOperation[];
    }
  /** It is a count, and changes stock by these units, signed: what these operations did is on top of it. */
  | { readonly is: 'COUNTS'; readonly units: number; readonly onTop: readonly string[] }
  /** It doesn't take effect, and neither do these. */
  | { readonly is: 'FALLS'; readonly with: readonly LoggedOperation[] }
  /** It is a reservation that this count has, and these units of it were sold meanwhile as if it held none: they come back. */
  | { readonly is: 'SOLD_TWICE'; readonly by: LoggedOperation; readonly units: number };

/** What one heuristic says of a held operation. */
export interface Opinion {
  /** undefined: nothing can be said. */
  readonly fate: Fate | undefined;
  /** From 0 to 1. */
  readonly confidence: number;
  /** What made it think so, the strongest first. */
  readonly reasons: readonly string[];
  /** All that were asked. */
  readonly asked: readonly Decision[];
  /** Whether it is for people to decide, however sure this is. */
  readonly forPeople: boolean;
  /** By operation id: those that were asked about the claims that yield. */
  readonly trails?: ReadonlyMap<string, readonly Decision[]>;
}

/** What the heuristics come to. */
export interface Assessment extends Omit<Opinion, 'confidence'> {
  /** undefined: nothing can be said. */
  readonly judgement: Judgement | undefined;
}

export const MOVES: Fate = { is: 'MOVES', yielding: [] };
export const FALLS: Fate = { is: 'FALLS', with: [] };

/**
 * What becomes of a reservation that waited when it was sold, and that a count turns out to have: its units were off the
 * shelf already, and the sale has taken them once more.
 */
export function soldTwice({ a }: StockCase, { by, returned }: Extract<Fate, { is: 'COUNTED' }>): Fate {
  return { is: 'SOLD_TWICE', by, units: notCancelled(a.state) + returned };
}

/** What is certain, and asks nobody. */
export function certain(name: string, fate: Fate, verdict: Verdict, reason: string): Opinion {
  const answer: Judgement = { verdict, confidence: 1, reason };
  const asked: Decision[] = [{ tier: 'HARDCODED', name, answer }];
  return { fate, confidence: 1, reasons: [reason], asked, forPeople: false };
}

/** Where more happened to the product than is looked at. */
export function tooMuch(): Opinion {
  const reasons = ['More has happened to the product since than can be looked at.'];
  return { fate: undefined, confidence: 0, reasons, asked: [], forPeople: true };
}

/** What they say together: as sure as the least sure of them, and what the last says becomes of the operation. */
export function together(subject: StockCase, opinions: readonly Opinion[]): Assessment {
  const reasons = opinions.flatMap((opinion) => opinion.reasons);
  const fate = opinions.every((opinion) => opinion.fate) ? opinions.at(-1)?.fate : undefined;
  const trails = opinions.find((opinion) => opinion.trails)?.trails;
  return {
    ...{ fate, reasons },
    judgement: fate && {
      verdict: verdictOf(subject, fate),
      confidence: Math.min(...opinions.map(({ confidence }) => confidence)),
      reason: opinions.flatMap((opinion) => opinion.reasons.slice(0, 1)).join(' '),
    },
    asked: opinions.flatMap(({ asked }) => asked),
    forPeople: opinions.some(({ forPeople }) => forPeople),
    ...(trails && { trails }),
  };
}

/** Who stands by that fate: the operation that was held (A), what it met (B), or both. */
function verdictOf({ conflict, b, isDeleted }: StockCase, fate: Fate): Verdict {
  switch (fate.is) {
    case 'FALLS':
      return fate.with.length > 0 ? 'NEITHER' : 'B';
    case 'SOLD_TWICE':
    case 'COUNTED':
      return conflict.kind === 'STOCK_COUNT' ? 'B' : 'BOTH';
    case 'COUNTS':
      return conflict.kind === 'STOCK_COUNT' && !fate.onTop.includes(conflict.b.id) ? 'A' : 'BOTH';
    case 'MOVES': {
      const bYields = fate.yielding.some(({ content }) => content.operationId === conflict.b.id);
      const bIsGone =
        (conflict.kind === 'STOCK_COUNT' && b?.state.closedBy === 'VOID') ||
        (conflict.kind === 'DELETED_PRODUCT' && !isDeleted);
      return bYields || bIsGone ? 'A' : 'BOTH';
    }
  }
}
