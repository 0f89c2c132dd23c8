import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { OperationDto } from '../src/sync/push/push.dto.js';
import { binaryArray, type BinaryTypeName } from './binary-array.js';
import type { TenantContents } from './tenant-contents.js';

/** What a row holds: the operation, and what becomes of it in the log. */
interface StoredRow {
  readonly operation: OperationDto;
  readonly lamport: number;
  readonly effect: number;
  readonly stockAfter: number;
  /** Random bytes: as long as hashes, and as little to compress. */
  readonly contentHash: Buffer;
  readonly chainHash: Buffer;
}

/** The columns of stock_events but tenant_id and synced_at, which are the same for a whole batch. */
const COLUMNS: readonly (readonly [name: string, type: BinaryTypeName, value: (row: StoredRow) => unknown])[] = [
  ['lamport_ts', 'bigint', (row) => row.lamport],
  ['operation_id', 'uuid', (row) => row.operation.operation_id],
  ['product_id', 'uuid', (row) => row.operation.product_id],
  ['device_id', 'uuid', (row) => row.operation.device_id],
  ['device_type', 'text', (row) => row.operation.device_type],
  ['operation', 'text', (row) => row.operation.operation],
  ['delta', 'integer', (row) => row.operation.delta],
  ['reason', 'text', (row) => row.operation.reason],
  ['payment_status', 'text', (row) => row.operation.payment_status ?? null],
  ['amount', 'numeric', (row) => row.operation.amount ?? null],
  ['location_lat', 'double precision', (row) => row.operation.location_lat ?? null],
  ['location_lng', 'double precision', (row) => row.operation.location_lng ?? null],
  ['client_lamport', 'bigint', (row) => row.operation.lamport_ts],
  ['base_lamport', 'bigint', (row) => row.operation.base_lamport ?? null],
  ['version', 'bigint', (row) => row.operation.version ?? null],
  ['group_id', 'uuid', (row) => row.operation.group_id ?? null],
  ['ref_operation_id', 'uuid', () => null],
  ['expires_at', 'timestamptz', () => null],
  ['created_at', 'timestamptz', (row) => row.operation.created_at ?? null],
  ['created_by', 'uuid', (row) => row.operation.created_by],
  ['updated_by', 'uuid', () => null],
  ['effect', 'bigint', (row) => row.effect],
  ['stock_after', 'integer', (row) => row.stockAfter],
  ['disposition', 'text', () => 'APPLIED'],
  ['content_hash', 'bytea', (row) => row.contentHash],
  ['chain_hash', 'bytea', (row) => row.chainHash],
];

/** Of the levels that a batch leaves. */
const LEVEL_TYPES = ['uuid', 'integer', 'boolean', 'bigint'] as const satisfies readonly BinaryTypeName[];

/** @param first number of the first parameter */
function unnest(types: readonly BinaryTypeName[], first: number): string {
  return `unnest(${types.map((type, index) => `$${first + index}::${type}[]`).join(', ')})`;
}

const EVENT_TYPES = COLUMNS.map(([, type]) => type);

/** $1 is the tenant, $2 the time. */
const INSERT_EVENTS = `
  INSERT INTO stock_events (tenant_id, synced_at, ${COLUMNS.map(([name]) => name).join(', ')})
  SELECT $1::uuid, $2::timestamptz, * FROM ${unnest(EVENT_TYPES, 3)}`;

function upsertLevels(first: number): string {
  return `
  INSERT INTO stock_levels (tenant_id, product_id, quantity, tracked, last_lamport)
  SELECT $1::uuid, * FROM ${unnest(LEVEL_TYPES, first)}
  ON CONFLICT (tenant_id, product_id) DO UPDATE
  SET quantity = excluded.quantity, tracked = excluded.tracked, last_lamport = excluded.last_lamport`;
}

function updateClock(first: number): string {
  return `UPDATE tenant_clocks SET lamport = $${first}, chain_hash = $${first + 1} WHERE tenant_id = $1::uuid`;
}

const UPSERT_LEVELS = upsertLevels(2);
const UPDATE_CLOCK = updateClock(2);

const FIRST_LEVEL = 3 + COLUMNS.length;
const ALL_AT_ONCE = `
  WITH events AS (${INSERT_EVENTS}),
       levels AS (${upsertLevels(FIRST_LEVEL)})
  ${updateClock(FIRST_LEVEL + LEVEL_TYPES.length)}`;

/** A batch laid out in columns. */
export interface PreparedTransaction {
  readonly at: Date;
  readonly events: readonly (readonly unknown[])[];
  readonly levels: readonly (readonly unknown[])[];
  readonly clock: readonly unknown[];
}

/**
 * How a transaction is written. `unnest`: BEGIN with the tenant, a statement for each table, COMMIT, parameters as text.
 * `cte`: one statement of data-modifying CTEs, which is its own transaction, parameters in binary.
 */
export type StoreForm = 'unnest' | 'cte';

/**
 * The limit that the service is measured against: the rows a push leaves, written to the service's own tables by as
 * little as can write them. One connection for a tenant, as the service's restricted role and under its policies; one
 * transaction a batch; statements prepared once. It checks nothing and reads nothing: what it writes is made up beforehand.
 *
 * It keeps its own copy of the statements: a limit that changed with the code it measures would be none.
 */
export class BareStore {
  private lamport = 0;
  private readonly stock = new Map<string, number>();
  private readonly begin: string;

  private constructor(
    private readonly client: pg.Client,
    readonly tenantId: string,
  ) {
    this.begin = `BEGIN; SELECT set_config('app.tenant_id', ${pg.escapeLiteral(tenantId)}, true)`;
  }

  /** @param tenantId a tenant of its own: nobody else writes to it */
  static async connect(url: string, tenantId: string): Promise<BareStore> {
    const client = new pg.Client({ connectionString: url, application_name: 'bench bare store' });
    await client.connect();
    client.on('error', () => undefined); // queries report their own; when all is stopped the server may end it first
    // For the session: what is one statement has no other to set its tenant.
    await client.query(`SELECT set_config('app.tenant_id', $1, false)`, [tenantId]);
    return new BareStore(client, tenantId);
  }

  /** What it has written. */
  get contents(): TenantContents {
    return { events: this.lamport, levels: this.stock };
  }

  /** Lays the values of a batch out in columns, which is not what is to be measured. In the order they are written. */
  prepare(operations: readonly OperationDto[]): PreparedTransaction {
    const rows = operations.map((operation) => this.rowOf(operation));
    const lastOfProduct = new Map(rows.map((row) => [row.operation.product_id, row]));
    const levels = [...lastOfProduct.values()];
    return {
      at: new Date(),
      events: COLUMNS.map(([, , value]) => rows.map(value)),
      levels: [
        [...lastOfProduct.keys()],
        levels.map((row) => row.stockAfter),
        levels.map(() => true),
        levels.map((row) => row.lamport),
      ],
      clock: [this.lamport, rows.at(-1)?.chainHash],
    };
  }

  private rowOf(operation: OperationDto): StoredRow {
    this.lamport += 1;
    const effect = operation.operation === 'DECREMENT' ? -operation.delta : operation.delta;
    const stockAfter = (this.stock.get(operation.product_id) ?? 0) + effect;
    this.stock.set(operation.product_id, stockAfter);
    const hashes = randomBytes(64);
    return {
      operation,
      lamport: this.lamport,
      effect,
      stockAfter,
      contentHash: hashes.subarray(0, 32),
      chainHash: hashes.subarray(32),
    };
  }

  /** One transaction: the events, the levels they leave, the tenant's clock. Laying them out in bytes is part of it. */
  async write(form: StoreForm, transaction: PreparedTransaction): Promise<void> {
    switch (form) {
      case 'unnest':
        return this.writeByTable(transaction);
      case 'cte':
        return this.writeAtOnce(transaction);
    }
  }

  private async writeByTable({ at, events, levels, clock }: PreparedTransaction): Promise<void> {
    await this.client.query(this.begin);
    await this.client.query({ name: 'events', text: INSERT_EVENTS, values: [this.tenantId, at, ...events] });
    await this.client.query({ name: 'levels', text: UPSERT_LEVELS, values: [this.tenantId, ...levels] });
    await this.client.query({ name: 'clock', text: UPDATE_CLOCK, values: [this.tenantId, ...clock] });
    await this.client.query('COMMIT');
  }

  private async writeAtOnce({ at, events, levels, clock }: PreparedTransaction): Promise<void> {
    const binary = (types: readonly BinaryTypeName[], columns: readonly (readonly unknown[])[]): Buffer[] =>
      types.map((type, index) => binaryArray(type, columns[index] ?? []));
    await this.client.query({
      name: 'all at once',
      text: ALL_AT_ONCE,
      values: [this.tenantId, at, ...binary(EVENT_TYPES, events), ...binary(LEVEL_TYPES, levels), ...clock],
    });
  }

  async disconnect(): Promise<void> {
    await this.client.end();
  }
}
