import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Products and payments: states that devices edit, with the history that a merge by field needs for its base. */
export class States1764000002000 implements MigrationInterface {
  readonly name = 'States1764000002000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE products (
        tenant_id uuid NOT NULL,
        id uuid NOT NULL,
        name text NOT NULL,
        description text,
        price numeric(14, 2),
        sku text,
        category text,
        reorder_point integer,
        deleted_lamport bigint,
        version bigint NOT NULL,
        lamport_ts bigint NOT NULL,
        client_lamport bigint NOT NULL,
        device_id uuid NOT NULL,
        edit_id uuid NOT NULL,
        updated_by uuid,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        -- Columns of their own: under row-level security PostgreSQL takes no comparison with lower(name) to the index.
        name_key text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
        living_sku text GENERATED ALWAYS AS (CASE WHEN deleted_lamport IS NULL THEN sku END) STORED,
        PRIMARY KEY (tenant_id, id),
        -- Deferred: two products may swap their SKUs within one push.
        CONSTRAINT products_living_sku UNIQUE (tenant_id, living_sku) DEFERRABLE INITIALLY DEFERRED
      ) WITH (fillfactor = 80);
      CREATE UNIQUE INDEX products_by_lamport ON products (tenant_id, lamport_ts);
      CREATE INDEX products_by_name ON products (tenant_id, name_key, id);
      ALTER TABLE products ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY tenant_isolation ON products
        USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
      GRANT SELECT, INSERT, UPDATE ON products TO agrotour_app;

      CREATE TABLE payments (
        tenant_id uuid NOT NULL,
        id uuid NOT NULL,
        sale_id uuid NOT NULL,
        amount numeric(14, 2) NOT NULL,
        payment_method text NOT NULL CHECK (payment_method IN ('CASH', 'POS_OFFLINE', 'TRANSFER')),
        pos_transaction_id text,
        pos_device_id text,
        receipt_photo text,
        notes text,
        reconciliation_status text NOT NULL CHECK (reconciliation_status IN ('PENDING', 'CONFIRMED', 'FAILED')),
        reconciliation_notes text,
        reconciled_at timestamptz,
        reconciled_by uuid,
        version bigint NOT NULL,
        lamport_ts bigint NOT NULL,
        created_lamport bigint NOT NULL,
        client_lamport bigint NOT NULL,
        device_id uuid NOT NULL,
        edit_id uuid NOT NULL,
        updated_by uuid,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, id)
      ) WITH (fillfactor = 80);
      CREATE UNIQUE INDEX payments_by_lamport ON payments (tenant_id, lamport_ts);
      CREATE UNIQUE INDEX payments_by_creation ON payments (tenant_id, created_lamport);
      CREATE INDEX payments_by_sale ON payments (tenant_id, sale_id);
      -- Not unique: a person may decide that both payments of one POS transaction stand.
      CREATE INDEX payments_by_pos_transaction ON payments (tenant_id, pos_transaction_id)
        WHERE pos_transaction_id IS NOT NULL;
      CREATE INDEX payments_open ON payments (tenant_id, id) WHERE reconciliation_status = 'PENDING';
      ALTER TABLE payments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY tenant_isolation ON payments
        USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
      GRANT SELECT, INSERT, UPDATE ON payments TO agrotour_app;

      -- Every version of every product and payment, as it was after the edit that made it.
      CREATE TABLE state_versions (
        tenant_id uuid NOT NULL,
        entity text NOT NULL CHECK (entity IN ('PRODUCT', 'PAYMENT')),
        entity_id uuid NOT NULL,
        version bigint NOT NULL,
        lamport_ts bigint NOT NULL,
        edit_id uuid NOT NULL,
        device_id uuid NOT NULL,
        client_lamport bigint NOT NULL,
        fields jsonb NOT NULL,
        changed text[] NOT NULL,
        recorded_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, entity, entity_id, version),
        UNIQUE (tenant_id, edit_id)
      );
      ALTER TABLE state_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY tenant_isolation ON state_versions
        USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
      GRANT SELECT, INSERT ON state_versions TO agrotour_app; -- what was is not edited
      CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON state_versions
        FOR EACH ROW EXECUTE FUNCTION refuse_change();
      CREATE TRIGGER immutable_as_a_whole BEFORE TRUNCATE ON state_versions
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE state_versions, payments, products');
  }
}
