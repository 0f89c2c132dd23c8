import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { OperationDto } from '../src/sync/push/push.dto.js';

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
const COLUMNS: readonly (readonly [name: string, type: string, value: (row: StoredRow) => unknown])[] = [
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

const INSERT_EVENTS = `
  INSERT INTO stock_events (tenant_id, synced_at, ${COLUMNS.map(([name]) => name).join(', ')})
  SELECT $1, $2, * FROM unnest(${COLUMNS.map(([, type], index) => `$${index + 3}::${type}[]`).join(', ')})`;

const UPSERT_LEVELS = `
  INSERT INTO stock_levels (tenant_id, product_id, quantity, tracked, last_lamport)
  SELECT $1, * FROM unnest($2::uuid[], $3::integer[], $4::boolean[], $5::bigint[])
  ON CONFLICT (tenant_id, product_id) DO UPDATE
  SET quantity = excluded.quantity, tracked = excluded.tracked, last_lamport = excluded.last_lamport`;

/** A batch whose values are ready to be sent. */
interface PreparedTransaction {
  readonly events: readonly unknown[];
  readonly levels: readonly unknown[];
  readonly clock: readonly unknown[];
}

/**
 * The limit that the service is measured against: the rows a push leaves, written to the service's own tables by as
 * little as can write them. One connection, as the service's restricted role and under its policies; one transaction a
 * batch; multi-row statements prepared once. It checks nothing and reads nothing: what it writes is made up beforehand.
 *
 * It keeps its own copy of the statements: a limit that changed with the code it measures would be none.
 */
export class BareStore {
  private lamport = 0;
  private readonly stock = new Map<string, number>();
  private readonly begin: string;

  private constructor(
    private readonly client: pg.Client,
    private readonly tenantId: string,
  ) {
    this.begin = `BEGIN; SELECT set_config('app.tenant_id', ${pg.escapeLiteral(tenantId)}, true)`;
  }

  /** @param tenantId a tenant of its own: nobody else writes to it */
  static async connect(url: string, tenantId: string): Promise<BareStore> {
    const client = new pg.Client({ connectionString: url, application_name: 'bench bare store' });
    await client.connect();
    client.on('error', () => undefined); // queries report their own; when all is stopped the server may end it first
    return new BareStore(client, tenantId);
  }

  /** Lays the values of a batch out in columns, which is not what is to be measured. In the order they are written. */
  prepare(operations: readonly OperationDto[]): PreparedTransaction {
    const rows = operations.map((operation) => this.rowOf(operation));
    const lastOfProduct = new Map(rows.map((row) => [row.operation.product_id, row]));
    const levels = [...lastOfProduct.values()];
    return {
      events: [this.tenantId, new Date(), ...COLUMNS.map(([, , value]) => rows.map(value))],
      levels: [
        this.tenantId,
        [...lastOfProduct.keys()],
        levels.map((row) => row.stockAfter),
        levels.map(() => true),
        levels.map((row) => row.lamport),
      ],
      clock: [this.tenantId, this.lamport, rows.at(-1)?.chainHash],
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

  /** One transaction: the events, the levels they leave, the tenant's clock. */
  async write({ events, levels, clock }: PreparedTransaction): Promise<void> {
    await this.client.query(this.begin);
    await this.client.query({ name: 'events', text: INSERT_EVENTS, values: [...events] });
    await this.client.query({ name: 'levels', text: UPSERT_LEVELS, values: [...levels] });
    await this.client.query({
      name: 'clock',
      text: 'UPDATE tenant_clocks SET lamport = $2, chain_hash = $3 WHERE tenant_id = $1',
      values: [...clock],
    });
    await this.client.query('COMMIT');
  }

  /** What a tenant has: the number of its events, and of each product the stock. Products in order of their id. */
  async contentsOf(tenantId: string): Promise<StoreContents> {
    await this.client.query('BEGIN');
    try {
      await this.client.query(`SELECT set_config('app.tenant_id', $1, true)`, [tenantId]);
      const events = await this.client.query<{ count: string }>('SELECT count(*) FROM stock_events');
      const levels = await this.client.query<{ product_id: string; quantity: number }>(
        'SELECT product_id, quantity FROM stock_levels ORDER BY product_id',
      );
      return {
        eventCount: Number(events.rows[0]?.count),
        levels: levels.rows.map((row) => `${row.product_id} ${row.quantity}`),
      };
    } finally {
      await this.client.query('COMMIT');
    }
  }

  /** In the words of the server, such as "18.0". */
  async serverVersion(): Promise<string> {
    const { rows } = await this.client.query<{ server_version: string }>('SHOW server_version');
    return rows[0]?.server_version ?? 'unknown';
  }

  async disconnect(): Promise<void> {
    await this.client.end();
  }
}

export interface StoreContents {
  readonly eventCount: number;
  /** Product id and quantity, a text each. */
  readonly levels: readonly string[];
}
