import { Injectable } from '@nestjs/common';
import { TenantDatabase, type TenantTransaction } from '../database/tenant-database.js';
import { isTransient } from '../database/transient-error.js';
import { isReservation } from '../inventory/domain/reference.js';
import type { ServerLog } from '../inventory/domain/server-log.js';
import type { ReservationDeadline } from '../inventory/persistence/reservation-deadline.repository.js';
import { ReservationScheduler } from '../inventory/reservation-scheduler.js';
import { ConflictMetrics } from '../metrics/conflict-metrics.js';
import { ProblemError } from '../problems/problem.js';
import { TenantSignals } from '../signals/tenant-signals.js';
import { recordingTime } from '../tenancy/domain/lamport-clock.js';
import { TenantClockRepository } from '../tenancy/persistence/tenant-clock.repository.js';
import { TenantRepository } from '../tenancy/persistence/tenant.repository.js';
import { DecisionWriter } from './decision.writer.js';
import type { Conflict, ConflictChange, RecordedConflict } from './domain/conflict.js';
import { type ResolutionOrder, verdictOf } from './domain/resolution-order.js';
import {
  type DecidedBy,
  isNews,
  settleByPerson,
  settlePaymentsByPerson,
  settleStock,
  type Settling,
  suggestForPayments,
} from './domain/settle.js';
import type { Verdict } from './domain/verdict.js';
import { PaymentDisputeService } from './payment-dispute.service.js';
import { ConflictRepository } from './persistence/conflict.repository.js';
import { type StockCases, StockCaseLoader } from './stock-case.loader.js';

/** So many in one transaction: pushes of the tenant wait for its clock meanwhile. */
const CONFLICTS_AT_ONCE = 100;
/** Of so many products: what happened to each meanwhile is read, which may be some thousand events. */
const PRODUCTS_AT_ONCE = 5;
/** Each conflict weighs all that happened to its product meanwhile: so many events, and then the clock is free again. */
const LOOKS_AT_ONCE = 20_000;
/** Among so many of those that wait are looked for such as are about the same products. */
const WAITING_READ_MAX = 500;

/** What the heuristics came to in one tenant. */
export interface Settled {
  /** How many conflicts they settled. */
  readonly settled: number;
  /** How many they left to people. */
  readonly suggested: number;
  /** Conflicts that could not be looked at, and why; the others were. */
  readonly failures: readonly { readonly conflictId: string; readonly error: unknown }[];
}

/** What one transaction did. */
interface Round {
  readonly looked: readonly RecordedConflict[];
  readonly changes: readonly (ConflictChange & Pick<Conflict, 'kind'>)[];
  /** Conflicts that were found and settled on the way. */
  readonly others: readonly Conflict[];
  readonly deadlines: readonly ReservationDeadline[];
  /** Of the last entry of the log. */
  readonly lamport: number;
}

/** Settles conflicts: what the heuristics are sure of, and what people decide (design, section 7). */
@Injectable()
export class ResolutionService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly clocks: TenantClockRepository,
    private readonly tenants: TenantRepository,
    private readonly conflicts: ConflictRepository,
    private readonly cases: StockCaseLoader,
    private readonly disputes: PaymentDisputeService,
    private readonly writer: DecisionWriter,
    private readonly signals: TenantSignals,
    private readonly reservations: ReservationScheduler,
    private readonly metrics: ConflictMetrics,
  ) {}

  /**
   * Lets the heuristics settle what waits for them in the tenant, or suggest what people should do. Doing it again, or
   * twice at once, changes nothing.
   */
  async settleAwaiting(tenantId: string): Promise<Settled> {
    const failures = new Map<string, unknown>();
    let [done, suggested] = [0, 0];
    for (;;) {
      const round = await this.settle(tenantId, (tx) => this.awaiting(tx, failures)).catch((error: unknown) => {
        if (isTransient(error)) throw error; // one by one they would fail all the same
        return this.settleOneByOne(tenantId, failures);
      });
      const settledNow = round.changes.filter(({ resolution }) => resolution).length;
      done += settledNow;
      suggested += round.changes.length - settledNow;
      if (round.looked.length === 0) break;
    }
    return {
      ...{ settled: done, suggested },
      failures: [...failures].map(([conflictId, error]) => ({ conflictId, error })),
    };
  }

  /**
   * Settles a conflict as a person decides, under the tenant's clock lock. The same decision again changes nothing.
   * @param userId who decides
   * @throws ProblemError NOT_FOUND, VALIDATION (the order names no side of this conflict, or there is no suggestion),
   *   ALREADY_RESOLVED (settled otherwise), RESOLUTION_OVERTAKEN (the ledger can't take it any more), TENANT_SUSPENDED
   */
  async resolve(
    tenantId: string,
    userId: string,
    conflictId: string,
    order: ResolutionOrder,
  ): Promise<RecordedConflict> {
    const { conflict, round } = await this.record(tenantId, userId, conflictId, order).catch(async (error: unknown) => {
      // What has become of it since may settle it, or tell people something else.
      if (error instanceof ProblemError && error.code === 'RESOLUTION_OVERTAKEN')
        await this.reconsider(tenantId, conflictId);
      throw error;
    });
    if (round) this.announce(tenantId, round);
    return conflict;
  }

  private record(
    tenantId: string,
    userId: string,
    conflictId: string,
    order: ResolutionOrder,
  ): Promise<{ readonly conflict: RecordedConflict; readonly round: Round | null }> {
    return this.database.transaction(tenantId, async (tx) => {
      const clock = await this.clocks.lockWhileOpen(tx);
      const found = (await this.conflicts.conflictsOf(tx, [conflictId])).get(conflictId);
      if (!found) throw new ProblemError('NOT_FOUND');
      const verdict = verdictOf(found, order);
      if (verdict === undefined) throw notOfThisConflict(order);
      if (found.resolution) {
        if (found.resolution.verdict === verdict) return { conflict: found, round: null };
        throw new ProblemError('ALREADY_RESOLVED', { extensions: { resolution: wireOf(found.resolution) } });
      }
      const at = recordingTime(clock, Date.now());
      const loaded = await this.cases.load(tx, { ...clock, recordedAt: at }, [found], at);
      const by = { userId, feedback: order.feedback };
      const settling = await this.decide(tx, found, verdict, order.order === 'SUGGESTION', by, loaded);
      const written = await this.write(tx, [found], new Map([[found.id, settling]]), loaded.log, new Date(at));
      const after = (await this.conflicts.conflictsOf(tx, [conflictId])).get(conflictId);
      return { conflict: after ?? found, round: written };
    });
  }

  /** Asks the heuristics about one conflict, again if they were asked before. */
  private reconsider(tenantId: string, conflictId: string): Promise<Round> {
    return this.settle(tenantId, async (tx) => {
      const found = (await this.conflicts.conflictsOf(tx, [conflictId])).get(conflictId);
      // Of two payments they look only at what the push found, and would say the same again.
      const isAnswered = found?.kind === 'DUPLICATE_PAYMENT' && found.awaits === 'PERSON';
      return found?.awaits && !isAnswered ? [found] : [];
    });
  }

  /** One conflict that can't be looked at must not keep the others waiting. */
  private async settleOneByOne(tenantId: string, failures: Map<string, unknown>): Promise<Round> {
    const looked = await this.database.transaction(tenantId, (tx) => this.awaiting(tx, failures));
    const changes: Round['changes'][number][] = [];
    for (const { id } of looked) {
      try {
        changes.push(...(await this.reconsider(tenantId, id)).changes);
      } catch (error) {
        if (isTransient(error)) throw error;
        failures.set(id, error);
      }
    }
    return { looked, changes, others: [], deadlines: [], lamport: 0 };
  }

  /** The next that wait, but for those that could not be looked at: of the products that have waited longest. */
  private async awaiting(
    tx: TenantTransaction,
    failures: ReadonlyMap<string, unknown>,
  ): Promise<readonly RecordedConflict[]> {
    const read = await this.conflicts.awaiting(tx, 'HEURISTIC', WAITING_READ_MAX + failures.size);
    const waiting = read.filter(({ id }) => !failures.has(id));
    const products = new Set([...new Set(waiting.map(({ entityId }) => entityId))].slice(0, PRODUCTS_AT_ONCE));
    return waiting.filter(({ entityId }) => products.has(entityId)).slice(0, CONFLICTS_AT_ONCE);
  }

  /** The clock lock first: what is read after it can't change until the commit. */
  private async settle(
    tenantId: string,
    find: (tx: TenantTransaction) => Promise<readonly RecordedConflict[]>,
  ): Promise<Round> {
    const round = await this.database.transaction(tenantId, async (tx) => {
      const clock = await this.clocks.lock(tx);
      const looked = await find(tx);
      if (looked.length === 0) return { looked, changes: [], others: [], deadlines: [], lamport: clock.lamport };
      const { heuristicThreshold } = await this.tenants.settingsOf(tx);
      const at = recordingTime(clock, Date.now());
      const { cases, view, skews, log } = await this.cases.load(tx, { ...clock, recordedAt: at }, looked, at);
      const settlings = new Map<string, Settling>();
      let looks = 0;
      for (const conflict of looked) {
        if (looks > LOOKS_AT_ONCE) break; // the rest is for the next round
        looks += 1 + view.depthOf(conflict.entityId);
        const settling = settleOne(conflict, cases, view, skews, heuristicThreshold);
        if (isNews(conflict, settling)) settlings.set(conflict.id, settling);
      }
      return this.write(tx, looked, settlings, log, new Date(at));
    });
    this.announce(tenantId, round);
    return round;
  }

  /** @throws ProblemError RESOLUTION_OVERTAKEN */
  private async decide(
    tx: TenantTransaction,
    conflict: RecordedConflict,
    verdict: Verdict,
    asSuggested: boolean,
    by: DecidedBy,
    { cases, view, skews, log }: StockCases & { readonly log: ServerLog },
  ): Promise<Settling> {
    if (conflict.kind === 'DUPLICATE_PAYMENT') {
      await this.disputes.carryOut(tx, conflict, verdict, by.userId, log);
      return settlePaymentsByPerson(conflict, verdict, by);
    }
    const found = cases.get(conflict.id);
    if (!found) throw new Error(`The operation of conflict ${conflict.id} is not in the log`);
    const settling = settleByPerson(found, verdict, asSuggested, by, view, skews);
    if ('overtaken' in settling) throw new ProblemError('RESOLUTION_OVERTAKEN', { detail: settling.overtaken });
    const restores = conflict.kind === 'DELETED_PRODUCT' && (verdict === 'A' || verdict === 'NEITHER');
    if (restores) await this.writer.restoreProduct(tx, conflict, by.userId, log);
    return settling;
  }

  private async write(
    tx: TenantTransaction,
    looked: readonly RecordedConflict[],
    settlings: ReadonlyMap<string, Settling>,
    log: ServerLog,
    at: Date,
  ): Promise<Round> {
    const changes = looked.flatMap(({ id, kind }) => {
      const settling = settlings.get(id);
      return settling ? [{ ...settling.change, id, kind, lamport: log.giveLamport() }] : [];
    });
    const others = [...settlings.values()]
      .flatMap((settling) => settling.others)
      .map((conflict): Conflict => ({ ...conflict, lamport: log.giveLamport() }));
    const writes = log.writes();
    const released = new Set(
      writes.events.flatMap(({ kind, refOperationId }) =>
        kind === 'RELEASE' && refOperationId ? [refOperationId] : [],
      ),
    );
    const deadlines = looked.flatMap(({ a: { id, payload } }) => deadlineOf(id, payload, released));
    await this.writer.write(tx, { ...writes, changes, others, deadlines }, at);
    return { looked, changes, others, deadlines, lamport: writes.clock.lamport };
  }

  /** After the commit, best effort: losing it delays other devices' pulls. */
  private announce(tenantId: string, { changes, others, deadlines, lamport }: Round): void {
    if (changes.length === 0) return;
    this.signals.announce(tenantId, lamport);
    this.reservations.schedule(tenantId, deadlines);
    for (const { kind } of others) this.metrics.detected(kind);
    for (const { kind, resolution } of [...changes, ...others]) {
      if (resolution) this.metrics.settled(kind, resolution.method, resolution.verdict);
      else this.metrics.suggested(kind);
    }
  }
}

function settleOne(
  conflict: RecordedConflict,
  cases: StockCases['cases'],
  view: StockCases['view'],
  skews: StockCases['skews'],
  threshold: number,
): Settling {
  if (conflict.kind === 'DUPLICATE_PAYMENT') return suggestForPayments(conflict);
  const subject = cases.get(conflict.id);
  if (!subject) throw new Error(`The operation of conflict ${conflict.id} is not in the log`);
  return settleStock(subject, view, skews, threshold);
}

/** A reservation that was held lapses from when it takes effect. */
function deadlineOf(
  operationId: string,
  { kind, reason, expiresAt }: Conflict['a']['payload'],
  released: ReadonlySet<string>,
): ReservationDeadline[] {
  const isOne = kind === 'DECREMENT' && reason === 'RESERVATION' && isReservation({ kind, reason });
  return isOne && typeof expiresAt === 'string' && released.has(operationId) ? [{ operationId, expiresAt }] : [];
}

function notOfThisConflict({ order }: ResolutionOrder): ProblemError {
  const error =
    order === 'WINNER'
      ? { path: 'winner_id', code: 'NOT_A_SIDE', message: 'must be the id of one of the two sides of this conflict' }
      : { path: 'resolution', code: 'NO_SUGGESTION', message: 'the heuristics have suggested nothing for it' };
  return new ProblemError('VALIDATION', { errors: [error] });
}

function wireOf({ method, verdict, winnerId, reason }: NonNullable<Conflict['resolution']>) {
  return { method, verdict, winner_id: winnerId, reason };
}
