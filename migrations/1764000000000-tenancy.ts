import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tenants, their clocks and their devices. Everything belongs to the owner; the service's role gets single rights. */
export class Tenancy1764000000000 implements MigrationInterface {
  readonly name = 'Tenancy1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    // On a server of one's own the role may have been made by hand, by whoever may make roles.
    const [role] = (await runner.query(`SELECT FROM pg_roles WHERE rolname = 'agrotour_app'`)) as unknown[];
    if (role === undefined) {
      throw new Error(
        "The role agrotour_app is missing. As a superuser: CREATE ROLE agrotour_app LOGIN PASSWORD '…' NOSUPERUSER NOBYPASSRLS;",
      );
    }
    await runner.query(`
      GRANT USAGE ON SCHEMA public TO agrotour_app;

      CREATE TABLE tenants (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        status text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'SUSPENDED')),
        settings jsonb NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL
      );
      ALTER TABLE tenants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      -- A tenant sees itself; the operator sees the list. nullif: once set, an unset setting reads as the empty text.
      CREATE POLICY tenant_isolation ON tenants
        USING (id = nullif(current_setting('app.tenant_id', true), '')::uuid
               OR current_setting('app.platform', true) = 'on');
      GRANT SELECT, INSERT, UPDATE ON tenants TO agrotour_app;

      -- One row a tenant: its lock orders all that the tenant's devices push (I4).
      CREATE TABLE tenant_clocks (
        tenant_id uuid PRIMARY KEY REFERENCES tenants (id),
        lamport bigint NOT NULL DEFAULT 0,
        chain_hash bytea NOT NULL CHECK (octet_length(chain_hash) = 32),
        epoch uuid NOT NULL
      ) WITH (fillfactor = 50); -- rewritten by every push: room for updates within the page
      ALTER TABLE tenant_clocks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY tenant_isolation ON tenant_clocks
        USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
      GRANT SELECT, INSERT, UPDATE ON tenant_clocks TO agrotour_app;

      CREATE TABLE devices (
        tenant_id uuid NOT NULL REFERENCES tenants (id),
        id uuid NOT NULL,
        name text NOT NULL,
        device_type text NOT NULL CHECK (device_type IN ('WEB', 'MOBILE', 'DESKTOP')),
        created_at timestamptz NOT NULL,
        revoked_at timestamptz,
        PRIMARY KEY (tenant_id, id)
      );
      ALTER TABLE devices ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY tenant_isolation ON devices
        USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
      GRANT SELECT, INSERT, UPDATE ON devices TO agrotour_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE devices, tenant_clocks, tenants');
  }
}
