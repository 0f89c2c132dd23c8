import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The append-only log of stock events, and the projection of it that answers "how many are there now". */
export class StockLedger1764000001000 implements MigrationInterface {
  readonly name = 'StockLedger1764000001000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE stock_events (
        tenant_id uuid NOT NULL,
        lamport_ts bigint NOT NULL,
        operation_id uuid NOT NULL,
        product_id uuid NOT NULL,
        device_id uuid NOT NULL,
        device_type text NOT NULL,
        operation text NOT NULL,
        delta integer NOT NULL,
        reason text NOT NULL,
        payment_status text,
        amount numeric(14, 2),
        location_lat double precision,
        location_lng double precision,
        client_lamport bigint NOT NULL,
        base_lamport bigint,
        version bigint,
        group_id uuid,
        ref_operation_id uuid,
        expires_at timestamptz,
        created_at timestamptz,
        created_by uuid NOT NULL,
        updated_by uuid,
        effect bigint NOT NULL,
        stock_after integer NOT NULL,
        disposition text NOT NULL,
        synced_at timestamptz NOT NULL,
        content_hash bytea NOT NULL,
        chain_hash bytea NOT NULL,
        PRIMARY KEY (tenant_id, lamport_ts),
        UNIQUE (tenant_id, operation_id),
        CHECK (operation IN ('INCREMENT', 'DECREMENT', 'SET', 'RELEASE', 'VOID')),
        CHECK (disposition IN ('APPLIED', 'HELD', 'VOIDED')),
        CHECK (octet_length(content_hash) = 32 AND octet_length(chain_hash) = 32)
      );
      CREATE INDEX stock_events_by_product ON stock_events (tenant_id, product_id, lamport_ts);
      -- Whether a device has given this lamport to another operation before: a clone or a re-install.
      CREATE INDEX stock_events_by_device_clock ON stock_events (tenant_id, device_id, client_lamport);
      ALTER TABLE stock_events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY tenant_isolation ON stock_events
        USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
      GRANT SELECT, INSERT ON stock_events TO agrotour_app; -- append-only: no UPDATE, no DELETE (I5)

      -- The second wall of I5: not even the owner changes an event without first saying so in DDL.
      CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'rows of % are immutable', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
      END $$;
      CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON stock_events
        FOR EACH ROW EXECUTE FUNCTION refuse_change();
      CREATE TRIGGER immutable_as_a_whole BEFORE TRUNCATE ON stock_events
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

      CREATE TABLE stock_levels (
        tenant_id uuid NOT NULL,
        product_id uuid NOT NULL,
        quantity integer NOT NULL,
        tracked boolean NOT NULL,
        last_lamport bigint NOT NULL,
        PRIMARY KEY (tenant_id, product_id)
      ) WITH (fillfactor = 80);
      ALTER TABLE stock_levels ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY tenant_isolation ON stock_levels
        USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
      GRANT SELECT, INSERT, UPDATE ON stock_levels TO agrotour_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE stock_levels, stock_events; DROP FUNCTION refuse_change');
  }
}
