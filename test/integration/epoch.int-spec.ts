import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../../src/database/data-source.js';
import { DatabaseRefusedError } from '../../src/database/restricted-role.js';
import { TenantDatabase } from '../../src/database/tenant-database.js';
import type { TenantClock } from '../../src/tenancy/domain/lamport-clock.js';
import { findIdentitySources } from '../../src/tenancy/persistence/identity-sources.js';
import { TenantClockRepository } from '../../src/tenancy/persistence/tenant-clock.repository.js';
import { TenantRepository } from '../../src/tenancy/persistence/tenant.repository.js';
import { newFolder, TestCluster } from '../support/cluster.js';
import { createTestDatabase, queryOnce, type TestDatabase, withClient } from '../support/database.js';
import { eventually } from '../support/eventually.js';

const FUNCTIONS = ['pg_control_system()', 'pg_walfile_name(pg_lsn)', 'pg_current_wal_insert_lsn()'];

const OIDS = `ARRAY[(SELECT oid FROM pg_database WHERE datname = current_database()), 'tenant_clocks'::regclass]`;

/** A pool of its own, as a process of the service that has just started. */
async function withSource<T>(url: string, work: (source: DataSource) => Promise<T>): Promise<T> {
  const source = await createDataSource(url, 2).initialize();
  try {
    return await work(source);
  } finally {
    await source.destroy();
  }
}

function clockOf(url: string, tenantId: string): Promise<TenantClock> {
  return withSource(url, async (source) => {
    const clocks = new TenantClockRepository(await findIdentitySources(source));
    return new TenantDatabase(source).transaction(tenantId, (tx) => clocks.read(tx));
  });
}

async function epochAt(url: string, tenantId: string): Promise<string> {
  return (await clockOf(url, tenantId)).epoch;
}

async function addTenant(url: string): Promise<string> {
  const id = randomUUID();
  await withSource(url, (source) =>
    new TenantDatabase(source).transaction(id, (tx) =>
      new TenantRepository().create(tx, { name: 'Test tenant', createdAt: new Date() }),
    ),
  );
  return id;
}

describe('the epoch of a tenant', () => {
  let database: TestDatabase;
  let tenantId: string;
  let source: DataSource;
  let tenants: TenantDatabase;
  const clocks = new TenantClockRepository();

  beforeAll(async () => {
    database = await createTestDatabase();
    tenantId = await addTenant(database.appUrl);
    source = await createDataSource(database.appUrl, 2).initialize();
    tenants = new TenantDatabase(source);
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  const epoch = (id = tenantId): Promise<string> => epochAt(database.appUrl, id);

  it('is the same to whoever reads the clock and whoever holds it, and after it has advanced', async () => {
    const before = await epoch();
    const recordedAt = Date.parse('2026-03-01T09:30:00.123Z');
    const held = await tenants.transaction(tenantId, async (tx) => {
      const clock = await clocks.lock(tx);
      await clocks.advance(tx, { ...clock, lamport: clock.lamport + 1 }); // before the first entry: at no time
      await clocks.advance(tx, { ...clock, lamport: clock.lamport + 2, recordedAt });
      return clock.epoch;
    });
    expect(held).toBe(before);
    expect(await clockOf(database.appUrl, tenantId)).toMatchObject({ epoch: before, lamport: 2, recordedAt });
  });

  it('is not what is stored: that alone would come back with a backup', async () => {
    const [row] = await queryOnce<{ epoch: string }>(
      database.superuserUrl,
      'SELECT epoch FROM tenant_clocks WHERE tenant_id = $1',
      [tenantId],
    );
    expect(row?.epoch).toMatch(/^[0-9a-f-]{36}$/);
    expect(await epoch()).not.toBe(row?.epoch);
  });

  it('is another once it was renewed, for that tenant alone', async () => {
    const other = await addTenant(database.appUrl);
    const before = [await epoch(), await epoch(other)];
    await tenants.transaction(tenantId, (tx) => clocks.renewEpoch(tx, randomUUID()));
    const after = [await epoch(), await epoch(other)];
    expect(after[0]).not.toBe(before[0]);
    expect(after[1]).toBe(before[1]);
  });

  it('stays when the database is renamed, and when its tables are rewritten', async () => {
    const before = await epoch();
    await queryOnce(database.superuserUrl, 'VACUUM FULL tenant_clocks');
    await source.destroy();
    const name = new URL(database.appUrl).pathname.slice(1);
    const maintenance = new URL(database.superuserUrl);
    maintenance.pathname = '/postgres';
    await queryOnce(maintenance.href, `ALTER DATABASE ${name} RENAME TO ${name}_renamed`);
    const renamed = new URL(database.appUrl);
    renamed.pathname = `/${name}_renamed`;
    expect(await epochAt(renamed.href, tenantId)).toBe(before);
    await queryOnce(maintenance.href, `ALTER DATABASE ${name}_renamed RENAME TO ${name}`);
    await source.initialize();
  });

  it('is another in a database that was made from a copy, in the same server', async () => {
    await source.destroy();
    const before = await epoch();
    const maintenance = new URL(database.superuserUrl);
    maintenance.pathname = '/postgres';
    const name = new URL(database.appUrl).pathname.slice(1);
    await queryOnce(maintenance.href, `CREATE DATABASE ${name}_copy TEMPLATE ${name}`);
    try {
      const copy = new URL(database.superuserUrl);
      copy.pathname = `/${name}_copy`;
      expect(await epochAt(copy.href, tenantId)).not.toBe(before);
      expect(await epoch()).toBe(before);
    } finally {
      await queryOnce(maintenance.href, `DROP DATABASE ${name}_copy WITH (FORCE)`);
      await source.initialize();
    }
  });

  it('is another when the table was dropped and restored in place, as pg_restore --clean does', async () => {
    const restored = await createTestDatabase();
    try {
      const id = await addTenant(restored.appUrl);
      const before = await epochAt(restored.superuserUrl, id);
      await withClient(restored.superuserUrl, async (client) => {
        await client.query(`
          CREATE TABLE dumped AS SELECT * FROM tenant_clocks;
          CREATE TABLE again (LIKE tenant_clocks INCLUDING ALL);
          DROP TABLE tenant_clocks;
          ALTER TABLE again RENAME TO tenant_clocks;
          INSERT INTO tenant_clocks SELECT * FROM dumped`);
      });
      expect(await epochAt(restored.superuserUrl, id)).not.toBe(before);
    } finally {
      await restored.drop();
    }
  });
});

describe('what the service’s role is told of the database', () => {
  let database: TestDatabase;
  let tenantId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    tenantId = await addTenant(database.appUrl);
  });
  afterAll(() => database.drop());

  /** With these functions out of its reach; rights on functions are the database's own. */
  async function without<T>(functions: readonly string[], work: () => Promise<T>): Promise<T> {
    const list = functions.join(', ');
    await queryOnce(database.superuserUrl, `REVOKE EXECUTE ON FUNCTION ${list} FROM PUBLIC`);
    try {
      return await work();
    } finally {
      await queryOnce(database.superuserUrl, `GRANT EXECUTE ON FUNCTION ${list} TO PUBLIC`);
    }
  }

  const sources = (): ReturnType<typeof findIdentitySources> => withSource(database.appUrl, findIdentitySources);

  it('is all, as PostgreSQL is made', async () => {
    expect(await sources()).toEqual({ systemIdentifier: true, timeline: true });
  });

  it.each([
    ['pg_control_system()', { systemIdentifier: false, timeline: true }],
    ['pg_walfile_name(pg_lsn)', { systemIdentifier: true, timeline: false }],
    ['pg_current_wal_insert_lsn()', { systemIdentifier: true, timeline: false }],
  ])('is what it may ask for, where %s is withheld', async (withheld, expected) => {
    await without([withheld], async () => {
      expect(await sources()).toEqual(expected);
    });
  });

  it('makes an epoch that stays, however little it is', async () => {
    await without(FUNCTIONS, async () => {
      expect(await sources()).toEqual({ systemIdentifier: false, timeline: false });
      const epoch = await epochAt(database.appUrl, tenantId);
      expect(epoch).toMatch(/^[0-9a-f-]{36}$/);
      expect(await epochAt(database.appUrl, tenantId)).toBe(epoch);
    });
  });
});

describe('the epoch of a server', () => {
  const clusters: TestCluster[] = [];
  let server: TestCluster;
  let tenantId: string;

  beforeAll(async () => {
    server = await TestCluster.create();
    clusters.push(server);
    tenantId = await addTenant(server.appUrl);
  });
  afterAll(async () => {
    for (const cluster of clusters) await cluster.remove();
  });

  const keep = (cluster: TestCluster): TestCluster => {
    clusters.push(cluster);
    return cluster;
  };

  it('outlives a restart, a crash and a checkpoint', async () => {
    const before = await epochAt(server.appUrl, tenantId);
    await server.stop();
    await server.start();
    expect(await epochAt(server.appUrl, tenantId)).toBe(before);
    await server.crash();
    await server.start();
    expect(await epochAt(server.appUrl, tenantId)).toBe(before);
    await queryOnce(server.superuserUrl, 'CHECKPOINT');
    await queryOnce(server.superuserUrl, 'SELECT pg_switch_wal()');
    expect(await epochAt(server.appUrl, tenantId)).toBe(before);
  });

  it('is another on a new server that took over the data, though it was made just like the old one', async () => {
    const other = keep(await TestCluster.create());
    const rows = await withClient(server.superuserUrl, async (client) => {
      const { rows: found } = await client.query<{ tenant: unknown; clock: unknown; oids: unknown }>(
        `SELECT to_jsonb(t) AS tenant, to_jsonb(c) AS clock, ${OIDS} AS oids
         FROM tenants t JOIN tenant_clocks c ON c.tenant_id = t.id`,
      );
      return found;
    });
    for (const { tenant, clock, oids } of rows) {
      await queryOnce(
        other.superuserUrl,
        'INSERT INTO tenants SELECT * FROM jsonb_populate_record(NULL::tenants, $1)',
        [tenant],
      );
      const [restored] = await queryOnce<{ oids: unknown }>(
        other.superuserUrl,
        `INSERT INTO tenant_clocks SELECT * FROM jsonb_populate_record(NULL::tenant_clocks, $1) RETURNING ${OIDS} AS oids`,
        [clock],
      );
      expect(restored?.oids).toEqual(oids);
    }
    expect(await clockOf(other.appUrl, tenantId)).toMatchObject({ lamport: 0 });
    expect(await epochAt(other.appUrl, tenantId)).not.toBe(await epochAt(server.appUrl, tenantId));
    await other.stop();
  });

  it('is that of the copy too if its files were copied and started: for this there is new-epoch', async () => {
    const before = await epochAt(server.appUrl, tenantId);
    await server.stop();
    const copy = keep(await server.copy());
    await copy.start();
    expect(await epochAt(copy.appUrl, tenantId)).toBe(before);
    await copy.stop();
    await server.start();
  });

  it('is another on a server that was restored from its files and archive, at once and from then on', async () => {
    const archive = newFolder('archive');
    try {
      await server.stop();
      await server.start({ archive_mode: 'on', archive_command: `cp %p ${archive}/%f` });
      const before = await epochAt(server.appUrl, tenantId);
      const backup = keep(await server.baseBackup());
      await queryOnce(server.superuserUrl, `SELECT pg_create_restore_point('before the mistake')`);
      await addTenant(server.appUrl); // the mistake
      await queryOnce(server.superuserUrl, 'SELECT pg_switch_wal()');
      await server.stop();
      backup.write('recovery.signal', '');
      await backup.start({
        restore_command: `cp ${archive}/%f %p`,
        recovery_target_name: 'before the mistake',
        recovery_target_action: 'promote',
        hot_standby: 'off',
      });
      const after = await epochAt(backup.appUrl, tenantId);
      expect(after).not.toBe(before);
      await queryOnce(backup.superuserUrl, 'CHECKPOINT');
      expect(await epochAt(backup.appUrl, tenantId)).toBe(after);
      await backup.stop();
      await backup.start();
      expect(await epochAt(backup.appUrl, tenantId)).toBe(after);
      const [tenants] = await queryOnce<{ count: string }>(backup.superuserUrl, 'SELECT count(*) FROM tenants');
      expect(tenants?.count).toBe('1');
      await backup.stop();
    } finally {
      await server.stop();
      await server.start();
      rmSync(archive, { recursive: true, force: true });
    }
  });

  it('is another once a standby has taken over, which it has to before it is served from', async () => {
    await server.stop();
    const standby = keep(await server.copy());
    await server.start();
    const before = await epochAt(server.appUrl, tenantId);
    standby.write('standby.signal', '');
    await standby.start({ primary_conninfo: server.superuserUrl });
    // The replication is real: what the primary commits arrives.
    const late = await addTenant(server.appUrl);
    await eventually('the standby has what the primary has', async () => {
      const rows = await queryOnce(standby.superuserUrl, 'SELECT FROM tenants WHERE id = $1', [late]);
      return rows.length > 0;
    });
    await expect(epochAt(standby.appUrl, tenantId)).rejects.toThrow(DatabaseRefusedError);
    await withSource(standby.appUrl, async (source) => {
      // A process that was connected all the while: told nothing before, rather than something that is about to change.
      const clocks = new TenantClockRepository();
      const ask = (): Promise<TenantClock> => new TenantDatabase(source).transaction(tenantId, (tx) => clocks.read(tx));
      await expect(ask()).rejects.toMatchObject({ driverError: { code: '55000' } });
      await server.crash();
      await queryOnce(standby.superuserUrl, 'SELECT pg_promote()');
      const { epoch } = await ask();
      expect(epoch).not.toBe(before);
      expect(await epochAt(standby.appUrl, tenantId)).toBe(epoch);
    });
  });
});
