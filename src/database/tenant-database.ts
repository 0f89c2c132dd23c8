import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import type { PoolClient } from 'pg';
import { Injectable } from '@nestjs/common';

/** Proof that a tenant is set on the connection: whoever has one can see that tenant's rows, and no others. */
export interface TenantTransaction {
  readonly tenantId: string;
  readonly manager: EntityManager;
}

/** A transaction of the platform's operator: sees the list of tenants, and no row of any tenant. */
export interface PlatformTransaction {
  readonly manager: EntityManager;
}

/*
 * One client that hangs must not hold a tenant's clock for the others. A push of 1,000 entries takes well under a
 * second, so whoever waits longer than this waits for something that is stuck.
 */
const LOCK_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 15_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;
/** Of reads that go at the pace of whoever receives them. They hold no lock. */
const IDLE_IN_SNAPSHOT_TIMEOUT_MS = 30_000;

/**
 * The one door to tenant rows. The policies of every tenant table compare `tenant_id` with `app.tenant_id`, which is set
 * here and nowhere else, local to the transaction: when it ends, however it ends, the connection belongs to no one.
 */
@Injectable()
export class TenantDatabase {
  constructor(private readonly source: DataSource) {}

  /** Runs `work` in one transaction of `tenantId`: commits when it resolves, rolls back when it throws. */
  async transaction<T>(tenantId: string, work: (tx: TenantTransaction) => Promise<T>): Promise<T> {
    return this.run(undefined, async (manager) => {
      await enter(manager, { tenantId, platform: false });
      return work({ tenantId, manager });
    });
  }

  /**
   * Runs `work` on the tenant's rows as they are at one instant, however long it takes: read-only, and blocks no writer.
   * A statement may take as long as in any transaction, a pause between two up to half a minute; the whole is not limited.
   */
  async snapshot<T>(tenantId: string, work: (tx: TenantTransaction) => Promise<T>): Promise<T> {
    return this.run('REPEATABLE READ', async (manager) => {
      await manager.query('SET TRANSACTION READ ONLY');
      await enter(manager, { tenantId, platform: false }, IDLE_IN_SNAPSHOT_TIMEOUT_MS);
      return work({ tenantId, manager });
    });
  }

  /** As `transaction`, for the operator. */
  async platformTransaction<T>(work: (tx: PlatformTransaction) => Promise<T>): Promise<T> {
    return this.run(undefined, async (manager) => {
      await enter(manager, { tenantId: '', platform: true });
      return work({ manager });
    });
  }

  /**
   * As `DataSource.transaction`, which puts a connection back into the pool even if its ROLLBACK did not go through: once
   * a server that had hung answers again, the transaction is open still, and who comes next has its tenant and commits
   * what it wrote.
   */
  private async run<T>(
    isolation: 'REPEATABLE READ' | undefined,
    work: (manager: EntityManager) => Promise<T>,
  ): Promise<T> {
    const runner = this.source.createQueryRunner();
    try {
      await runner.startTransaction(isolation);
      const result = await work(runner.manager);
      await runner.commitTransaction();
      return result;
    } catch (error) {
      await runner.rollbackTransaction().catch(() => hangUp(runner));
      throw error;
    } finally {
      await runner.release();
    }
  }
}

/** Ends the connection, which the pool then forgets. The server rolls back what was open on it. */
async function hangUp(runner: QueryRunner): Promise<void> {
  try {
    const client = (await runner.connect()) as PoolClient;
    // Not waited for: it ends when the server says goodbye, or the socket breaks.
    client.end().catch(() => undefined);
  } catch {
    // There never was a connection, or it is gone.
  }
}

async function enter(
  manager: EntityManager,
  scope: { tenantId: string; platform: boolean },
  idleTimeoutMs = IDLE_IN_TRANSACTION_TIMEOUT_MS,
): Promise<void> {
  await manager.query(
    `SELECT set_config('app.tenant_id', $1, true), set_config('app.platform', $2, true),
            set_config('lock_timeout', $3, true), set_config('statement_timeout', $4, true),
            set_config('idle_in_transaction_session_timeout', $5, true)`,
    [scope.tenantId, scope.platform ? 'on' : '', `${LOCK_TIMEOUT_MS}`, `${STATEMENT_TIMEOUT_MS}`, `${idleTimeoutMs}`],
  );
}
