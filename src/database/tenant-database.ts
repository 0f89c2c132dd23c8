import { Injectable } from '@nestjs/common';
import { type PoolClient, Query, type QueryConfig, type QueryResult, type QueryResultRow } from 'pg';
import { DataSource, type EntityManager, QueryFailedError, type QueryRunner } from 'typeorm';

/** Proof that a tenant is set on the connection: whoever has one can see that tenant's rows, and no others. */
export interface TenantTransaction {
  readonly tenantId: string;
  readonly manager: EntityManager;
  /** Sends a statement past TypeORM (prepared.ts), as long as the transaction is open. */
  readonly send: <Row extends QueryResultRow>(query: QueryConfig) => Promise<QueryResult<Row>>;
  /** As `send`, of rows that are handed over one by one as they arrive, and kept nowhere else: lists of texts. */
  readonly receive: (query: QueryConfig, onRow: (row: readonly (string | null)[]) => void) => Promise<void>;
}

/** A transaction of the platform's operator: sees the list of tenants, and no row of any tenant. */
export interface PlatformTransaction {
  readonly manager: EntityManager;
}

export interface TransactionOptions {
  /**
   * That its statements look rows up by key, so that one plan is good for all values: each is planned once a connection
   * (prepared.ts). To plan them for each push takes PostgreSQL longer than to carry them out.
   *
   * A plan that is kept must not depend on how small a table is when it is made, so tables are never read in sequence.
   *
   * Before PostgreSQL 18 it is left to the server whether it plans again: a plan made while a table is empty reads all of
   * it as long as nobody has analysed it, which from 18 on the migrations see to (PlannerStatistics).
   */
  readonly keepPlans?: boolean;
  /** Whether what it writes may be lost if the server crashes within the second: its commit doesn't wait for the disk. */
  readonly mayBeLost?: boolean;
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

  /**
   * Runs `work` in one transaction of `tenantId`: commits when it resolves, rolls back when it throws. Its first
   * statements go out in one flight with those that begin the transaction.
   */
  async transaction<T>(
    tenantId: string,
    work: (tx: TenantTransaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    return this.run(beginningOf(options), { tenantId }, (on) => work({ tenantId, ...on }));
  }

  /**
   * As `transaction`, in one round trip: what `ask` sends before it waits for anything goes out together with what begins the
   * transaction and what ends it. After that it can't send anything.
   */
  async flight<T>(
    tenantId: string,
    ask: (tx: TenantTransaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    return this.run(beginningOf(options), { tenantId }, (on) => ask({ tenantId, ...on }), { endsAtOnce: true });
  }

  /**
   * Runs `work` on the tenant's rows as they are at one instant, however long it takes: read-only, and blocks no writer.
   * A statement may take as long as in any transaction, a pause between two up to half a minute; the whole is not limited.
   */
  async snapshot<T>(tenantId: string, work: (tx: TenantTransaction) => Promise<T>): Promise<T> {
    return this.run(SNAPSHOT, { tenantId }, (on) => work({ tenantId, ...on }));
  }

  /** As `transaction`, for the operator. */
  async platformTransaction<T>(work: (tx: PlatformTransaction) => Promise<T>): Promise<T> {
    return this.run(beginningOf({}), 'platform', work);
  }

  /**
   * As `DataSource.transaction`, which puts a connection back into the pool even if its ROLLBACK did not go through: once
   * a server that had hung answers again, the transaction is open still, and who comes next has its tenant and commits
   * what it wrote.
   */
  private async run<T>(
    beginning: Beginning,
    scope: Scope,
    work: (on: Omit<TenantTransaction, 'tenantId'>) => Promise<T>,
    { endsAtOnce = false } = {},
  ): Promise<T> {
    const runner = this.source.createQueryRunner();
    try {
      const client = (await runner.connect()) as PoolClient;
      Object.assign(runner, { isTransactionActive: true }); // so TypeORM lets entities be locked
      let open = true;
      let failure: unknown;
      const answerTo = async <R>(ask: () => Promise<R>): Promise<R> => {
        // Of statements sent side by side one may still go on when another has failed: not on a connection of somebody else.
        if (!open) throw new Error('The transaction has ended');
        try {
          return await ask();
        } catch (error) {
          // Those behind one that failed only say that: whichever of them is heard first, what went wrong is the first.
          if (!isConsequence(error)) failure = error;
          throw failure ?? error;
        }
      };
      const on: Omit<TenantTransaction, 'tenantId'> = {
        manager: runner.manager,
        send: (query) => answerTo(() => client.query(asPlanned(query, beginning))),
        receive: (query, onRow) => answerTo(() => receive(client, asPlanned(query, beginning), onRow)),
      };
      // In one flight: if the transaction doesn't begin, what follows sees no tenant, and so no row.
      const begun = begin(client, beginning, scope);
      try {
        const working = work(on);
        if (endsAtOnce) {
          open = false;
          // Of what failed the first: why the others did.
          await Promise.allSettled([begun, working, commit(client)]).then(firstFailure);
          return await working;
        }
        const [, result] = await Promise.all([begun, working]);
        open = false;
        await commit(client);
        return result;
      } catch (error) {
        open = false;
        // Of a statement behind it one may hear first, though it failed only because the beginning had.
        const notBegun = await begun.then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (isForgotten(notBegun) || isForgotten(error)) await hangUp(runner);
        else await client.query('ROLLBACK').catch(() => hangUp(runner));
        throw isConsequence(error) ? (notBegun ?? error) : error;
      }
    } finally {
      await runner.release();
    }
  }
}

const UNREAD = { getTypeParser: () => (text: unknown) => text };

/** Rows that live until all have come are what the garbage collector copies again and again: half of the time that reading them takes. */
function receive(
  client: PoolClient,
  query: QueryConfig,
  onRow: (row: readonly (string | null)[]) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    const config = { ...query, rowMode: 'array', types: UNREAD };
    const receiving = new Query<(string | null)[]>(config, undefined, (error: Error | null | undefined) => {
      const reason = failure ?? error;
      if (reason) reject(reason);
      else resolve();
    });
    receiving.on('row', (row) => {
      try {
        if (!failure) onRow(row);
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error)); // told when all has come: pg must not see it
      }
      row.length = 0; // pg keeps what is left of it
    });
    client.query(receiving);
  });
}

function firstFailure(settled: readonly PromiseSettledResult<unknown>[]): void {
  for (const result of settled) if (result.status === 'rejected') throw result.reason;
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

/** Whether PostgreSQL did not look at the statement, since one before it had failed. */
function isConsequence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '25P02';
}

/** Whether a prepared statement is gone, as after DISCARD, or behind a pooler that does not follow them. The driver never prepares it again. */
function isForgotten(error: unknown): boolean {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  return cause instanceof Error && 'code' in cause && cause.code === '26000';
}

/** A statement keeps the plan that it got first, whatever is set later: one that was made elsewhere would be kept here. */
function asPlanned({ name, ...query }: QueryConfig, { keepsPlans }: Beginning): QueryConfig {
  return keepsPlans && name !== undefined ? { name, ...query } : query;
}

/** Whose rows a transaction sees: those of a tenant, or the platform's list of them. */
type Scope = { readonly tenantId: string } | 'platform';

/** How a transaction begins. What it sets is parsed and planned once a connection. */
interface Beginning {
  readonly begin: string;
  readonly settings: { readonly name: string; readonly text: string };
  readonly keepsPlans: boolean;
}

/** As SQL. The formats are those of values that are read as text (prepared.ts), whatever the server's defaults are. */
const SETTINGS = {
  lock_timeout: `'${LOCK_TIMEOUT_MS}'`,
  statement_timeout: `'${STATEMENT_TIMEOUT_MS}'`,
  idle_in_transaction_session_timeout: `'${IDLE_IN_TRANSACTION_TIMEOUT_MS}'`,
  timezone: `'UTC'`,
  datestyle: `'ISO'`,
  bytea_output: `'hex'`,
  extra_float_digits: `'1'`,
};

const FROM_18 = `current_setting('server_version_num')::integer >= 180000`;
const KEEPING_PLANS = {
  plan_cache_mode: `CASE WHEN ${FROM_18} THEN 'force_generic_plan' ELSE 'auto' END`,
  enable_seqscan: `CASE WHEN ${FROM_18} THEN 'off' ELSE 'on' END`,
};

const SNAPSHOT = beginning('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', 'settings of a snapshot', {
  idle_in_transaction_session_timeout: `'${IDLE_IN_SNAPSHOT_TIMEOUT_MS}'`,
});

const beginnings = new Map<string, Beginning>();

function beginningOf({ keepPlans = false, mayBeLost = false }: TransactionOptions): Beginning {
  const name = `settings${keepPlans ? ', keeping plans' : ''}${mayBeLost ? ', of what may be lost' : ''}`;
  const known = beginnings.get(name);
  if (known) return known;
  const settings = { ...(keepPlans && KEEPING_PLANS), ...(mayBeLost && { synchronous_commit: `'off'` }) };
  const made = { ...beginning('BEGIN', name, settings), keepsPlans: keepPlans };
  beginnings.set(name, made);
  return made;
}

function beginning(begin: string, name: string, settings: Readonly<Record<string, string>>): Beginning {
  const all = { 'app.tenant_id': '$1', 'app.platform': '$2', ...SETTINGS, ...settings };
  const set = Object.entries(all).map(([setting, value]) => `set_config('${setting}', ${value}, true)`);
  return { begin, settings: { name, text: `SELECT ${set.join(', ')}` }, keepsPlans: false };
}

async function begin(client: PoolClient, { begin, settings }: Beginning, scope: Scope): Promise<void> {
  const values = scope === 'platform' ? ['', 'on'] : [scope.tenantId, ''];
  await Promise.all([query(client, { text: begin }), query(client, { ...settings, values })]);
}

/** @throws Error if the transaction had failed before, which PostgreSQL answers with a ROLLBACK and no error */
async function commit(client: PoolClient): Promise<void> {
  const { command } = await query(client, { text: 'COMMIT' });
  if (command !== 'COMMIT') throw new Error('The transaction had failed, and was rolled back');
}

/** @throws QueryFailedError */
async function query(client: PoolClient, config: QueryConfig): Promise<QueryResult> {
  try {
    return await client.query(config);
  } catch (error) {
    throw error instanceof Error ? new QueryFailedError(config.text, config.values ?? [], error) : error;
  }
}
