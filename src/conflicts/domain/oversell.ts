import type { LoggedOperation } from '../../inventory/domain/logged-operation.js';
import { remainingOf } from '../../inventory/domain/reference.js';
import { type Competitor, competitorOf } from './rule.js';
import { askRules, type Ruling } from './tier1.js';

/** A concurrent claim, and what the rules say of it against the newcomer, which is A. */
export interface RuledClaim {
  readonly claim: LoggedOperation;
  readonly ruling: Ruling;
}

/** What becomes of a DECREMENT that exceeds what is available, where others took it meanwhile. */
export type OversellOutcome =
  /** The others don't explain it: the ledger's own rules hold. */
  | { readonly outcome: 'UNEXPLAINED' }
  /** It takes effect, for these yield to it. */
  | { readonly outcome: 'APPLY'; readonly yielding: readonly RuledClaim[] }
  /** It yields to this one. */
  | { readonly outcome: 'YIELD'; readonly to: RuledClaim }
  /** It waits: no rule tells it from this one. What yields to it does so now. */
  | { readonly outcome: 'HOLD'; readonly against: RuledClaim; readonly yielding: readonly RuledClaim[] };

/**
 * The steps of an OVERSELL (design, section 7). Claims that yield to the newcomer are taken back, newest first, until it
 * fits. If that is not enough, it yields itself if any of the others beats it, and else it waits for a decision.
 * @param missing units by which it exceeds what is available: at least 1
 * @param claims concurrent, that still hold something, the newest first
 */
export function decideOversell(
  newcomer: Competitor,
  missing: number,
  claims: readonly LoggedOperation[],
): OversellOutcome {
  const taken = claims.reduce((units, { state }) => units + remainingOf(state), 0);
  const isPaid = newcomer.paymentStatus === 'PAID';
  // A claim that would not have fitted without the others either was wrong by itself. A paid sale happened all the same.
  if (taken === 0 || (taken < missing && !isPaid)) return { outcome: 'UNEXPLAINED' };
  const ruled = claims.map((claim): RuledClaim => ({ claim, ruling: askRules(newcomer, competitorOf(claim)) }));
  const yielding: RuledClaim[] = [];
  let lacking = missing;
  for (const one of ruled) {
    if (lacking <= 0) break;
    if (one.ruling.answer?.verdict !== 'A') continue;
    yielding.push(one);
    lacking -= remainingOf(one.claim.state);
  }
  const stronger = ruled.find(({ ruling }) => ruling.answer?.verdict === 'B');
  const equal = ruled.find(({ ruling }) => ruling.answer === undefined);
  if (lacking <= 0) return { outcome: 'APPLY', yielding };
  if (stronger) return { outcome: 'YIELD', to: stronger };
  if (equal) return { outcome: 'HOLD', against: equal, yielding };
  return { outcome: 'APPLY', yielding }; // what is still missing, nobody else took
}
