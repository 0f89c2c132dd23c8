import { prepared } from '../../database/prepared.js';
import { toSafeInteger } from '../../database/safe-integer.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import { assertOpen } from '../admission.js';
import { epochOf } from '../domain/epoch.js';
import type { TenantClock } from '../domain/lamport-clock.js';
import type { TenantStatus } from '../domain/tenant.js';
import { ALL_SOURCES, identityColumns, type IdentitySources } from './identity-sources.js';

interface ClockRow {
  readonly lamport: string;
  readonly chain_hash: Buffer;
  /** pg makes numbers of the infinities. */
  readonly recorded_at: Date | number;
  readonly stored_epoch: string;
  readonly system_identifier: string | null;
  readonly timeline: string | null;
  readonly database_oid: string;
  readonly clock_table_oid: number;
}

/** Made by the module's factory, which finds out what its database tells of its identity. */
export class TenantClockRepository {
  private readonly identityColumns: string;

  constructor(sources: IdentitySources = ALL_SOURCES) {
    this.identityColumns = identityColumns(sources);
  }

  /**
   * Takes the tenant's clock until the transaction ends. Whoever holds it is the only writer of the tenant's log, so
   * lamports become visible in the order they are given (I4).
   */
  async lock(tx: TenantTransaction): Promise<TenantClock> {
    return this.select(tx, 'FOR UPDATE');
  }

  /**
   * As `lock`, for what a person does: the tenant may have been suspended while they waited for the clock.
   * @throws ProblemError TENANT_SUSPENDED
   */
  async lockWhileOpen(tx: TenantTransaction): Promise<TenantClock> {
    const clock = await this.lock(tx);
    assertOpen(await this.tenantStatus(tx)); // a statement of its own: it sees what was committed during the one that waited
    return clock;
  }

  /** The clock as committed: every entry up to its lamport is visible to whoever reads on in `tx`. */
  async read(tx: TenantTransaction): Promise<TenantClock> {
    return this.select(tx, '');
  }

  /** Writes the clock back, but for its epoch, which is read only; the caller holds its lock. */
  async advance(tx: TenantTransaction, clock: TenantClock): Promise<void> {
    await prepared(
      tx,
      'advance clock',
      `UPDATE tenant_clocks SET lamport = $2, chain_hash = $3, recorded_at = to_timestamp($4::float8 / 1000)
       WHERE tenant_id = $1`, // of a number: JavaScript has no Date at minus infinity
      [tx.tenantId, clock.lamport, clock.chainHash, clock.recordedAt],
    );
  }

  /** Gives the clock another stored epoch, and so another one to tell the devices. */
  async renewEpoch(tx: TenantTransaction, storedEpoch: string): Promise<void> {
    const [, changed] = await tx.manager.query<[unknown[], number]>(
      `UPDATE tenant_clocks SET epoch = $2 WHERE tenant_id = $1`,
      [tx.tenantId, storedEpoch],
    );
    if (changed === 0) throw clockMissing(tx);
  }

  /**
   * One query, whose answer is of one server and one instant: no pool, proxy or failover between two of them can pair
   * the clock of one database with the identity of another. The database's oid comes out of the path of a table's file,
   * base/<database>/<file>: to look it up in pg_database costs more than all the rest of the identity (ADR 0010).
   */
  private async select(tx: TenantTransaction, locking: '' | 'FOR UPDATE'): Promise<TenantClock> {
    const [row] = await prepared<ClockRow>(
      tx,
      locking === '' ? 'read clock' : 'lock clock',
      `SELECT c.lamport, c.chain_hash, c.recorded_at, c.epoch AS stored_epoch, ${this.identityColumns},
              split_part(pg_relation_filepath(c.tableoid), '/', -2) AS database_oid, c.tableoid AS clock_table_oid
       FROM tenant_clocks c WHERE c.tenant_id = $1 ${locking}`,
      [tx.tenantId],
    );
    if (row === undefined) {
      // The deletion of a tenant begins with its clock. Whoever was let in before that is told what the guards tell others.
      const status = await this.tenantStatus(tx);
      if (status === 'DELETING' || status === 'DELETED') assertOpen(status);
      throw clockMissing(tx);
    }
    return {
      lamport: toSafeInteger(row.lamport),
      chainHash: row.chain_hash,
      epoch: epochOf(row.stored_epoch, {
        systemIdentifier: row.system_identifier,
        timeline: row.timeline,
        databaseOid: Number(row.database_oid),
        clockTableOid: row.clock_table_oid,
      }),
      recordedAt: row.recorded_at.valueOf(),
    };
  }

  private async tenantStatus(tx: TenantTransaction): Promise<TenantStatus | undefined> {
    const [row] = await tx.manager.query<{ status: TenantStatus }[]>(`SELECT status FROM tenants WHERE id = $1`, [
      tx.tenantId,
    ]);
    return row?.status;
  }
}

function clockMissing({ tenantId }: TenantTransaction): Error {
  return new Error(`Tenant ${tenantId} has no clock`);
}
