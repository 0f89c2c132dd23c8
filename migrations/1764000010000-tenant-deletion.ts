import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A tenant can be deleted, with all its rows: the one way past the walls around the events, and it leads nowhere else.
 *
 * - The status of a tenant moves forward only: from SUSPENDED to DELETING to DELETED, and never back.
 * - Rows that are immutable may be deleted while their tenant is DELETING. The service's role has no right to delete
 *   them even then, but to call erase_tenant_rows, which deletes rows of the tenant that is set, some at a time.
 */
export class TenantDeletion1764000010000 implements MigrationInterface {
  readonly name = 'TenantDeletion1764000010000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE tenants DROP CONSTRAINT tenants_status_check,
        ADD CONSTRAINT tenants_status_check CHECK (status IN ('ACTIVE', 'SUSPENDED', 'DELETING', 'DELETED'));

      CREATE FUNCTION refuse_status_move() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'a tenant that is % does not become %', OLD.status, NEW.status
          USING ERRCODE = 'integrity_constraint_violation';
      END $$;
      CREATE TRIGGER forward_only BEFORE UPDATE ON tenants FOR EACH ROW
        WHEN (OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
          ('ACTIVE', 'SUSPENDED'), ('SUSPENDED', 'ACTIVE'), ('SUSPENDED', 'DELETING'), ('DELETING', 'DELETED')))
        EXECUTE FUNCTION refuse_status_move();

      -- Names with their schema: whoever deletes may have a search_path, or a temporary table, of his own.
      CREATE FUNCTION refuse_change_unless_deleting() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'DELETE' AND EXISTS (
          SELECT FROM public.tenants WHERE id = OLD.tenant_id AND status = 'DELETING') THEN
          RETURN OLD;
        END IF;
        RAISE EXCEPTION 'rows of % are immutable', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
      END $$;

      DROP TRIGGER immutable ON stock_events;
      CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON stock_events
        FOR EACH ROW EXECUTE FUNCTION refuse_change_unless_deleting();
      DROP TRIGGER immutable ON state_versions;
      CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON state_versions
        FOR EACH ROW EXECUTE FUNCTION refuse_change_unless_deleting();
      DROP TRIGGER immutable ON audit_log;
      CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON audit_log
        FOR EACH ROW EXECUTE FUNCTION refuse_change_unless_deleting();
      CREATE TRIGGER platform_entries_stay BEFORE DELETE ON audit_log
        FOR EACH ROW WHEN (OLD.by_platform) EXECUTE FUNCTION refuse_change();

      /*
       * Deletes at most rows_max rows of the tenant of app.tenant_id, of one table. Returns how many: 0 if none is left.
       * Finds the tables by their tenant_id, so that none is forgotten that is made later. The clock goes first: without it
       * nothing is pushed any more. Of tables that refer to each other, the one that is referred to goes later. Rows are
       * found by the key: a scan of the table would read, for the last rows of a tenant, all that others have.
       */
      CREATE FUNCTION erase_tenant_rows(rows_max integer) RETURNS bigint
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        SET enable_seqscan = off SET enable_bitmapscan = off AS $$
      DECLARE
        tenant CONSTANT uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
        place text;
        erased bigint;
      BEGIN
        PERFORM FROM public.tenants WHERE id = tenant AND status = 'DELETING';
        IF NOT FOUND THEN
          RAISE EXCEPTION 'the tenant is not being deleted' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        FOR place IN
          SELECT format('%s WHERE tenant_id = $1', oid::regclass)
                 || CASE WHEN oid = 'public.audit_log'::regclass THEN ' AND NOT by_platform' ELSE '' END
          FROM pg_class
          WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
            AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'tenant_id' AND NOT attisdropped)
          ORDER BY oid <> 'public.tenant_clocks'::regclass,
                   (SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND confrelid = pg_class.oid), relname
        LOOP
          EXECUTE format('DELETE FROM %s AND ctid = ANY (ARRAY(SELECT ctid FROM %s LIMIT $2))', place, place)
            USING tenant, rows_max;
          GET DIAGNOSTICS erased = ROW_COUNT;
          IF erased > 0 THEN
            RETURN erased;
          END IF;
        END LOOP;
        RETURN 0;
      END $$;
      REVOKE ALL ON FUNCTION erase_tenant_rows FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION erase_tenant_rows TO agrotour_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP FUNCTION erase_tenant_rows;
      DROP TRIGGER platform_entries_stay ON audit_log;
      DROP TRIGGER immutable ON audit_log;
      DROP TRIGGER immutable ON state_versions;
      DROP TRIGGER immutable ON stock_events;
      CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_change();
      CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON state_versions FOR EACH ROW EXECUTE FUNCTION refuse_change();
      CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON stock_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
      DROP FUNCTION refuse_change_unless_deleting;
      DROP TRIGGER forward_only ON tenants;
      DROP FUNCTION refuse_status_move;
      ALTER TABLE tenants DROP CONSTRAINT tenants_status_check,
        ADD CONSTRAINT tenants_status_check CHECK (status IN ('ACTIVE', 'SUSPENDED'));
    `);
  }
}
