import type { LoggedOperation } from '../../inventory/domain/logged-operation.js';
import type { RecordedConflict } from './conflict.js';
import type { StockView } from './stock-view.js';
import type { Decision, Judgement } from './verdict.js';

/** A conflict about an operation that is held, with what it is about. */
export interface StockCase {
  readonly conflict: RecordedConflict;
  /** What is held. */
  readonly a: LoggedOperation;
  /** The last lamport that its device had applied. */
  readonly base: number;
  /** When the server recorded it, in milliseconds since 1970. */
  readonly recordedAt: number;
  /** What it met; undefined if that is no operation. */
  readonly b: LoggedOperation | undefined;
  /** The operation that `a` confirms or cancels. */
  readonly named: LoggedOperation | undefined;
  /** Whether nothing can be appended to decide it, since a device has taken the id of the decision. */
  readonly isBlocked: boolean;
}

/** The same case after what was decided since it was read. */
export function asItStands(subject: StockCase, view: StockView): StockCase {
  const now = <T extends LoggedOperation | undefined>(operation: T): T | LoggedOperation =>
    (operation && view.operation(operation.content.operationId)) ?? operation;
  return { ...subject, a: now(subject.a), b: now(subject.b), named: now(subject.named) };
}

/** What the heuristics think of a conflict. */
export interface Assessment {
  /** undefined: nothing can be said. */
  readonly judgement: Judgement | undefined;
  /** What made them think so, the strongest first. */
  readonly reasons: readonly string[];
  /** All that were asked. */
  readonly asked: readonly Decision[];
  /** Whether it is for people to decide, however sure this is. */
  readonly forPeople: boolean;
  /** What yields if `a` stands. */
  readonly yielding: readonly LoggedOperation[];
  /** By operation id: those that were asked about the claims that yield. */
  readonly trails?: ReadonlyMap<string, readonly Decision[]>;
}

/** What is certain, and asks nobody. */
export function certain(name: string, judgement: Judgement): Assessment {
  return {
    judgement,
    reasons: [judgement.reason],
    asked: [{ tier: 'HARDCODED', name, answer: judgement }],
    ...{ forPeople: false, yielding: [] },
  };
}
