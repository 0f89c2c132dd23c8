import pg from 'pg';
import type { BenchmarkEnvironment } from './environment.js';

/** Where rows are made without the service, which would take far longer than what is to be measured. */
export class Filling {
  private constructor(
    private readonly client: pg.Client,
    private readonly tenantId: string,
  ) {}

  /**
   * Runs `work` as the service's restricted role, with its tenant set, in one transaction; then lets the planner see
   * what is there, as it would have on a database that is some minutes older.
   */
  static async of(
    environment: BenchmarkEnvironment,
    tenantId: string,
    work: (filling: Filling) => Promise<void>,
  ): Promise<void> {
    await withClient(environment.databaseUrl, async (client) => {
      await client.query('BEGIN');
      await client.query(`SELECT set_config('app.tenant_id', $1, true)`, [tenantId]);
      await work(new Filling(client, tenantId));
      await client.query('COMMIT');
    });
    await withClient(environment.ownerUrl, (client) => client.query('VACUUM (ANALYZE)'));
  }

  /**
   * Inserts `count` rows into `table`, all of the tenant.
   * @param columns by name, an SQL expression over `number`, which counts from 1
   */
  async insert(table: string, count: number, columns: Readonly<Record<string, string>>): Promise<void> {
    await this.client.query(
      `INSERT INTO ${table} (tenant_id, ${Object.keys(columns).join(', ')})
       SELECT $1, ${Object.values(columns).join(', ')} FROM generate_series(1, $2::integer) AS number`,
      [this.tenantId, count],
    );
  }

  /** Sets the tenant's clock as if `lamport` were that of the last row. */
  async setClock(lamport: number): Promise<void> {
    await this.client.query('UPDATE tenant_clocks SET lamport = $2, recorded_at = now() WHERE tenant_id = $1', [
      this.tenantId,
      lamport,
    ]);
  }
}

/** A connection for as long as `work` takes. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'bench' });
  client.on('error', () => undefined); // queries report their own; when all is stopped the server may end it first
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
