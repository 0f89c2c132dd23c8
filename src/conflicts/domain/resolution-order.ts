import type { RecordedConflict } from './conflict.js';
import type { Verdict } from './verdict.js';

/** How a person may settle a conflict. SUGGESTION: as the heuristics would. */
export const ORDERS = ['WINNER', 'BOTH', 'NEITHER', 'SUGGESTION'] as const;
export type Order = (typeof ORDERS)[number];

/** What a person decides of a conflict. */
export interface ResolutionOrder {
  readonly order: Order;
  /** With WINNER: the id of the side that stands. */
  readonly winnerId: string | null;
  readonly feedback: string | null;
}

/** The verdict that the order comes to; undefined if it names what the conflict hasn't: such a side, or a suggestion. */
export function verdictOf(
  { a, b, suggestion }: Pick<RecordedConflict, 'a' | 'b' | 'suggestion'>,
  { order, winnerId }: ResolutionOrder,
): Verdict | undefined {
  switch (order) {
    case 'WINNER':
      return winnerId === a.id ? 'A' : winnerId === b.id ? 'B' : undefined;
    case 'BOTH':
    case 'NEITHER':
      return order;
    case 'SUGGESTION':
      return suggestion?.verdict;
  }
}
