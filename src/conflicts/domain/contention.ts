import type { LoggedOperation, Rivals } from '../../inventory/domain/logged-operation.js';
import type { Disposition } from '../../inventory/domain/ledger.js';
import type { ProductDeletion } from '../../inventory/domain/product.js';
import type { ConflictDetection } from '../../tenancy/domain/tenant-settings.js';
import { mostRecent } from './concurrency.js';
import type { ConflictKind } from './conflict.js';
import { decideOversell, type RuledClaim } from './oversell.js';
import { type Competitor, competitorOf } from './rule.js';
import { askRules } from './tier1.js';
import type { Decision, Judgement } from './verdict.js';

/** Something that an operation competes with, and what the rules said. */
export interface Finding {
  readonly kind: Extract<ConflictKind, 'OVERSELL' | 'STOCK_COUNT' | 'DELETED_PRODUCT' | 'CONCURRENT_UPDATE'>;
  readonly against: LoggedOperation | ProductDeletion;
  /** null: it waits for the heuristics. */
  readonly judgement: Judgement | null;
  /** The side that takes precedence, be it that both stand. */
  readonly precedence: 'A' | 'B' | null;
  readonly asked: readonly Decision[];
}

/** What becomes of an operation that competes with others. */
export interface Contention {
  readonly disposition: Disposition;
  /** What is taken back for it, in this order. */
  readonly takenBack: readonly LoggedOperation[];
  /** What the conflict log should say: that of the operation's own fate first. Empty: it competes with nothing. */
  readonly findings: readonly Finding[];
}

/** An operation that has just come, with what it would do by itself. */
export interface Newcomer extends Competitor {
  /** Signed units that it would move. */
  readonly effect: number;
  /** Units by which it exceeds what is available; 0 if it doesn't, or nobody counts them. */
  readonly missing: number;
}

/** What it met: of each only what it is concurrent with. */
export interface Circumstances {
  readonly rivals: Rivals;
  /** The product's deletion by another device. */
  readonly deletion: ProductDeletion | null;
  readonly detection: ConflictDetection;
}

const NOTHING: Contention = { disposition: 'APPLIED', takenBack: [], findings: [] };

/** Whether an operation can simply stand beside what it is concurrent with, and what becomes of it if not (tier 1). */
export function decideContention(newcomer: Newcomer, { rivals, deletion, detection }: Circumstances): Contention {
  if (deletion) return held({ kind: 'DELETED_PRODUCT', against: deletion, ...WAITS, asked: [] });
  if (newcomer.kind === 'SET') return decideCount(newcomer, rivals);
  // What moves nothing, such as the sale of what was reserved for it, is the same before a count and after it.
  if (rivals.count && newcomer.effect !== 0) return held(waiting('STOCK_COUNT', newcomer, rivals.count));
  if (newcomer.missing > 0) {
    const contention = decideMissing(newcomer, rivals);
    if (contention) return contention;
  }
  const other = detection === 'CONCURRENCY' ? mostRecent(rivals) : null;
  return other ? { ...NOTHING, findings: [commuting(newcomer, other)] } : NOTHING;
}

/** A count may have been made before what others did meanwhile, or after it. */
function decideCount(newcomer: Newcomer, rivals: Rivals): Contention {
  const { count, takenBack } = rivals;
  // What was taken back counts on nobody's side, but the shelf may have been counted before it came back.
  const movement = mostRecent({ count: rivals.movement, movement: takenBack });
  if (!count) return movement ? held(waiting('STOCK_COUNT', newcomer, movement)) : NOTHING;
  const { answer, asked } = askRules(newcomer, competitorOf(count));
  const finding: Finding = { ...waiting('STOCK_COUNT', newcomer, count), asked };
  if (!answer) return held(finding);
  const settled: Finding = { ...finding, judgement: answer, precedence: answer.verdict };
  if (answer.verdict === 'B') return { disposition: 'VOIDED', takenBack: [], findings: [settled] };
  // It is believed against the other count; there are movements that neither knew of.
  return movement
    ? held(waiting('STOCK_COUNT', newcomer, movement), settled)
    : { disposition: 'APPLIED', takenBack: [], findings: [settled] };
}

function decideMissing(newcomer: Newcomer, { claims }: Rivals): Contention | undefined {
  const decided = decideOversell(newcomer, newcomer.missing, claims);
  switch (decided.outcome) {
    case 'UNEXPLAINED':
      return undefined;
    case 'APPLY':
      return { disposition: 'APPLIED', ...yieldingTo(decided.yielding) };
    case 'YIELD':
      return { disposition: 'VOIDED', takenBack: [], findings: [ruled(decided.to)] };
    case 'HOLD': {
      const { takenBack, findings } = yieldingTo(decided.yielding);
      const { claim, ruling } = decided.against;
      const waits: Finding = { kind: 'OVERSELL', against: claim, ...WAITS, asked: ruling.asked };
      return { disposition: 'HELD', takenBack, findings: [waits, ...findings] };
    }
  }
}

function yieldingTo(claims: readonly RuledClaim[]): Pick<Contention, 'takenBack' | 'findings'> {
  return { takenBack: claims.map(({ claim }) => claim), findings: claims.map(ruled) };
}

function ruled({ claim, ruling: { answer, asked } }: RuledClaim): Finding {
  if (!answer) throw new Error('Only what a rule has answered is settled');
  return { kind: 'OVERSELL', against: claim, judgement: answer, precedence: answer.verdict, asked };
}

/** Both stand. Had they not, a rule would have said who takes precedence: the log keeps that. */
function commuting(newcomer: Newcomer, other: LoggedOperation): Finding {
  const { answer, asked } = askRules(newcomer, competitorOf(other));
  const reason = answer ? `Both stand. ${answer.reason}` : 'Both stand: neither takes anything from the other.';
  return {
    kind: 'CONCURRENT_UPDATE',
    against: other,
    judgement: { verdict: 'BOTH', confidence: answer?.confidence ?? 1, reason },
    precedence: answer?.verdict ?? null,
    asked,
  };
}

const WAITS = { judgement: null, precedence: null } as const;

function waiting(kind: Finding['kind'], newcomer: Newcomer, against: LoggedOperation): Finding {
  return { kind, against, ...WAITS, asked: askRules(newcomer, competitorOf(against)).asked };
}

function held(...findings: readonly Finding[]): Contention {
  return { disposition: 'HELD', takenBack: [], findings };
}
