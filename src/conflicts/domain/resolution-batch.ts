import type { FieldError, ProblemError } from '../../problems/problem.js';
import type { ResolutionOrder } from './resolution-order.js';

/** One of several decisions that come together, each on its own. */
export type ResolutionEntry =
  | {
      readonly readable: true;
      /** Where it stands in the request, such as `resolutions[3]`. */
      readonly path: string;
      readonly conflictId: string;
      readonly order: ResolutionOrder;
    }
  | {
      readonly readable: false;
      /** null if that can't be read either. */
      readonly conflictId: string | null;
      readonly errors: readonly FieldError[];
    };

/** What became of one. */
export type ResolutionOutcome<Settled> =
  | { readonly status: 'resolved'; readonly conflictId: string; readonly conflict: Settled }
  | { readonly status: 'refused'; readonly conflictId: string | null; readonly problem: ProblemError };
