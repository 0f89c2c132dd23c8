import { Injectable } from '@nestjs/common';
import { toSafeInteger } from '../../database/safe-integer.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { TenantClock } from '../domain/lamport-clock.js';

interface ClockRow {
  readonly lamport: string;
  readonly chain_hash: Buffer;
  readonly epoch: string;
}

@Injectable()
export class TenantClockRepository {
  /**
   * Takes the tenant's clock until the transaction ends. Whoever holds it is the only writer of the tenant's log, so
   * lamports become visible in the order they are given (I4).
   */
  async lock(tx: TenantTransaction): Promise<TenantClock> {
    return this.select(tx, 'FOR UPDATE');
  }

  /** The clock as committed: every entry up to its lamport is visible to whoever reads on in `tx`. */
  async read(tx: TenantTransaction): Promise<TenantClock> {
    return this.select(tx, '');
  }

  /** Writes the clock back; the caller holds its lock. */
  async advance(tx: TenantTransaction, clock: TenantClock): Promise<void> {
    await tx.manager.query(`UPDATE tenant_clocks SET lamport = $2, chain_hash = $3 WHERE tenant_id = $1`, [
      tx.tenantId,
      clock.lamport,
      clock.chainHash,
    ]);
  }

  private async select(tx: TenantTransaction, locking: '' | 'FOR UPDATE'): Promise<TenantClock> {
    const [row] = await tx.manager.query<ClockRow[]>(
      `SELECT lamport, chain_hash, epoch FROM tenant_clocks WHERE tenant_id = $1 ${locking}`,
      [tx.tenantId],
    );
    if (row === undefined) throw new Error(`Tenant ${tx.tenantId} has no clock`);
    return { lamport: toSafeInteger(row.lamport), chainHash: row.chain_hash, epoch: row.epoch };
  }
}
