-- Generated from the migrations by "npm run generate".

CREATE TABLE audit_log (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  recorded_at timestamp with time zone NOT NULL DEFAULT date_trunc('milliseconds'::text, clock_timestamp()),
  role text NOT NULL,
  user_id uuid,
  action text NOT NULL,
  entity_id uuid,
  changes jsonb NOT NULL,
  ip text,
  user_agent text,
  request_id uuid,
  by_platform boolean NOT NULL DEFAULT (role = ANY (ARRAY['operator'::text, 'service'::text])),
  CONSTRAINT audit_log_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT audit_log_role_check CHECK ((role = ANY (ARRAY['staff'::text, 'admin'::text, 'operator'::text, 'service'::text])))
);
CREATE INDEX audit_log_by_time ON public.audit_log USING btree (tenant_id, recorded_at, id);
CREATE INDEX audit_log_of_platform ON public.audit_log USING btree (recorded_at, id) WHERE by_platform;
CREATE TRIGGER immutable BEFORE DELETE OR UPDATE ON public.audit_log FOR EACH ROW EXECUTE FUNCTION refuse_change_unless_deleting();
CREATE TRIGGER immutable_as_a_whole BEFORE TRUNCATE ON public.audit_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER platform_entries_stay BEFORE DELETE ON public.audit_log FOR EACH ROW WHEN (old.by_platform) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER stamped BEFORE INSERT ON public.audit_log FOR EACH ROW EXECUTE FUNCTION stamp_entry();
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON audit_log USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid) OR (by_platform AND (current_setting('app.platform'::text, true) = 'on'::text)));
GRANT INSERT, SELECT ON audit_log TO agrotour_app;

CREATE TABLE devices (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  device_type text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  revoked_at timestamp with time zone,
  last_seen_at timestamp with time zone,
  last_pushed_lamport bigint,
  last_pulled_lamport bigint,
  clock_skew_ms bigint,
  clock_reused_at timestamp with time zone,
  tokens_valid_from timestamp with time zone,
  CONSTRAINT devices_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT devices_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  CONSTRAINT devices_device_type_check CHECK ((device_type = ANY (ARRAY['WEB'::text, 'MOBILE'::text, 'DESKTOP'::text])))
) WITH (fillfactor=70);
ALTER TABLE devices ENABLE ROW LEVEL SECURITY;
ALTER TABLE devices FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON devices USING (tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid);
GRANT INSERT, SELECT, UPDATE ON devices TO agrotour_app;

CREATE TABLE payments (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  sale_id uuid NOT NULL,
  amount numeric(14,2) NOT NULL,
  payment_method text NOT NULL,
  pos_transaction_id text,
  pos_device_id text,
  receipt_photo text,
  notes text,
  reconciliation_status text NOT NULL,
  reconciliation_notes text,
  reconciled_at timestamp with time zone,
  reconciled_by uuid,
  version bigint NOT NULL,
  lamport_ts bigint NOT NULL,
  created_lamport bigint NOT NULL,
  client_lamport bigint NOT NULL,
  device_id uuid NOT NULL,
  edit_id uuid NOT NULL,
  updated_by uuid,
  created_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  CONSTRAINT payments_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT payments_payment_method_check CHECK ((payment_method = ANY (ARRAY['CASH'::text, 'POS_OFFLINE'::text, 'TRANSFER'::text]))),
  CONSTRAINT payments_reconciliation_status_check CHECK ((reconciliation_status = ANY (ARRAY['PENDING'::text, 'CONFIRMED'::text, 'FAILED'::text])))
) WITH (fillfactor=80);
CREATE UNIQUE INDEX payments_by_creation ON public.payments USING btree (tenant_id, created_lamport);
CREATE UNIQUE INDEX payments_by_lamport ON public.payments USING btree (tenant_id, lamport_ts);
CREATE INDEX payments_by_pos_transaction ON public.payments USING btree (tenant_id, pos_transaction_id) WHERE (pos_transaction_id IS NOT NULL);
CREATE INDEX payments_by_sale ON public.payments USING btree (tenant_id, sale_id);
CREATE INDEX payments_open ON public.payments USING btree (tenant_id, id) WHERE (reconciliation_status = 'PENDING'::text);
ALTER TABLE payments ENABLE ROW LEVEL SECURITY;
ALTER TABLE payments FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON payments USING (tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid);
GRANT INSERT, SELECT, UPDATE ON payments TO agrotour_app;

CREATE TABLE products (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  description text,
  price numeric(14,2),
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
  created_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  name_key text NOT NULL DEFAULT lower(name),
  living_sku text DEFAULT 
CASE
    WHEN (deleted_lamport IS NULL) THEN sku
    ELSE NULL::text
END,
  CONSTRAINT products_living_sku UNIQUE (tenant_id, living_sku) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT products_pkey PRIMARY KEY (tenant_id, id)
) WITH (fillfactor=80);
CREATE UNIQUE INDEX products_by_lamport ON public.products USING btree (tenant_id, lamport_ts);
CREATE INDEX products_by_name ON public.products USING btree (tenant_id, name_key, id);
ALTER TABLE products ENABLE ROW LEVEL SECURITY;
ALTER TABLE products FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON products USING (tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid);
GRANT INSERT, SELECT, UPDATE ON products TO agrotour_app;

CREATE TABLE reservation_deadlines (
  tenant_id uuid NOT NULL,
  operation_id uuid NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  CONSTRAINT reservation_deadlines_pkey PRIMARY KEY (tenant_id, operation_id)
);
CREATE INDEX reservation_deadlines_by_time ON public.reservation_deadlines USING btree (tenant_id, expires_at);
ALTER TABLE reservation_deadlines ENABLE ROW LEVEL SECURITY;
ALTER TABLE reservation_deadlines FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON reservation_deadlines USING (tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid);
GRANT DELETE, INSERT, SELECT ON reservation_deadlines TO agrotour_app;

CREATE TABLE schema_migrations (
  id integer NOT NULL DEFAULT nextval('schema_migrations_id_seq'::regclass),
  "timestamp" bigint NOT NULL,
  name character varying NOT NULL,
  CONSTRAINT "PK_62441bec32630ced9e4cccae336" PRIMARY KEY (id)
);
GRANT SELECT ON schema_migrations TO agrotour_app;

CREATE TABLE state_versions (
  tenant_id uuid NOT NULL,
  entity text NOT NULL,
  entity_id uuid NOT NULL,
  version bigint NOT NULL,
  lamport_ts bigint NOT NULL,
  edit_id uuid NOT NULL,
  device_id uuid NOT NULL,
  client_lamport bigint NOT NULL,
  fields jsonb NOT NULL,
  changed text[] NOT NULL,
  recorded_at timestamp with time zone NOT NULL,
  CONSTRAINT state_versions_tenant_id_edit_id_key UNIQUE (tenant_id, edit_id),
  CONSTRAINT state_versions_pkey PRIMARY KEY (tenant_id, entity, entity_id, version),
  CONSTRAINT state_versions_entity_check CHECK ((entity = ANY (ARRAY['PRODUCT'::text, 'PAYMENT'::text])))
);
CREATE TRIGGER immutable BEFORE DELETE OR UPDATE ON public.state_versions FOR EACH ROW EXECUTE FUNCTION refuse_change_unless_deleting();
CREATE TRIGGER immutable_as_a_whole BEFORE TRUNCATE ON public.state_versions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE state_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE state_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON state_versions USING (tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid);
GRANT INSERT, SELECT ON state_versions TO agrotour_app;

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
  amount numeric(14,2),
  location_lat double precision,
  location_lng double precision,
  client_lamport bigint NOT NULL,
  base_lamport bigint,
  version bigint,
  group_id uuid,
  ref_operation_id uuid,
  expires_at timestamp with time zone,
  created_at timestamp with time zone,
  created_by uuid NOT NULL,
  updated_by uuid,
  effect bigint NOT NULL,
  stock_after integer NOT NULL,
  disposition text NOT NULL,
  synced_at timestamp with time zone NOT NULL,
  content_hash bytea NOT NULL,
  chain_hash bytea NOT NULL,
  CONSTRAINT stock_events_tenant_id_operation_id_key UNIQUE (tenant_id, operation_id),
  CONSTRAINT stock_events_pkey PRIMARY KEY (tenant_id, lamport_ts),
  CONSTRAINT stock_events_check CHECK (((octet_length(content_hash) = 32) AND (octet_length(chain_hash) = 32))),
  CONSTRAINT stock_events_disposition_check CHECK ((disposition = ANY (ARRAY['APPLIED'::text, 'HELD'::text, 'VOIDED'::text]))),
  CONSTRAINT stock_events_operation_check CHECK ((operation = ANY (ARRAY['INCREMENT'::text, 'DECREMENT'::text, 'SET'::text, 'RELEASE'::text, 'VOID'::text])))
);
CREATE INDEX stock_events_by_device_clock ON public.stock_events USING btree (tenant_id, device_id, client_lamport);
CREATE INDEX stock_events_by_product ON public.stock_events USING btree (tenant_id, product_id, lamport_ts);
CREATE INDEX stock_events_by_reference ON public.stock_events USING btree (tenant_id, ref_operation_id) WHERE (ref_operation_id IS NOT NULL);
CREATE INDEX stock_events_counts ON public.stock_events USING btree (tenant_id, product_id, lamport_ts) WHERE (operation = 'SET'::text);
CREATE TRIGGER immutable BEFORE DELETE OR UPDATE ON public.stock_events FOR EACH ROW EXECUTE FUNCTION refuse_change_unless_deleting();
CREATE TRIGGER immutable_as_a_whole BEFORE TRUNCATE ON public.stock_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE stock_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE stock_events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON stock_events USING (tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid);
GRANT INSERT, SELECT ON stock_events TO agrotour_app;

CREATE TABLE stock_levels (
  tenant_id uuid NOT NULL,
  product_id uuid NOT NULL,
  quantity integer NOT NULL,
  tracked boolean NOT NULL,
  last_lamport bigint NOT NULL,
  CONSTRAINT stock_levels_pkey PRIMARY KEY (tenant_id, product_id)
) WITH (fillfactor=80);
ALTER TABLE stock_levels ENABLE ROW LEVEL SECURITY;
ALTER TABLE stock_levels FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON stock_levels USING (tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid);
GRANT INSERT, SELECT, UPDATE ON stock_levels TO agrotour_app;

CREATE TABLE sync_conflicts (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL,
  status text NOT NULL,
  entity text NOT NULL,
  entity_id uuid NOT NULL,
  fields text[] NOT NULL,
  a_id uuid NOT NULL,
  a_device_id uuid NOT NULL,
  a_payload jsonb NOT NULL,
  b_id uuid NOT NULL,
  b_device_id uuid NOT NULL,
  b_payload jsonb NOT NULL,
  resolution_method text,
  resolution_reason text,
  confidence double precision,
  winner_id uuid,
  lamport_ts bigint NOT NULL,
  detected_lamport bigint NOT NULL,
  detected_at timestamp with time zone NOT NULL,
  resolved_at timestamp with time zone,
  stock_then integer,
  awaits text,
  verdict text,
  resolved_by uuid,
  user_feedback text,
  suggestion jsonb,
  decisions jsonb NOT NULL DEFAULT '[]'::jsonb,
  CONSTRAINT sync_conflicts_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT sync_conflicts_awaits_check CHECK ((awaits = ANY (ARRAY['HEURISTIC'::text, 'PERSON'::text]))),
  CONSTRAINT sync_conflicts_check CHECK (((status = 'PENDING'::text) = (awaits IS NOT NULL))),
  CONSTRAINT sync_conflicts_check1 CHECK (((status = 'PENDING'::text) = (verdict IS NULL))),
  CONSTRAINT sync_conflicts_confidence_check CHECK (((confidence >= (0)::double precision) AND (confidence <= (1)::double precision))),
  CONSTRAINT sync_conflicts_entity_check CHECK ((entity = ANY (ARRAY['PRODUCT'::text, 'PAYMENT'::text, 'STOCK'::text]))),
  CONSTRAINT sync_conflicts_resolution_method_check CHECK ((resolution_method = ANY (ARRAY['HARDCODED'::text, 'HEURISTIC'::text, 'MANUAL'::text]))),
  CONSTRAINT sync_conflicts_status_check CHECK ((status = ANY (ARRAY['PENDING'::text, 'RESOLVED_AUTO'::text, 'RESOLVED_MANUAL'::text]))),
  CONSTRAINT sync_conflicts_verdict_check CHECK ((verdict = ANY (ARRAY['A'::text, 'B'::text, 'BOTH'::text, 'NEITHER'::text])))
);
CREATE INDEX sync_conflicts_awaiting ON public.sync_conflicts USING btree (tenant_id, awaits, detected_lamport) WHERE (awaits IS NOT NULL);
CREATE UNIQUE INDEX sync_conflicts_by_detection ON public.sync_conflicts USING btree (tenant_id, detected_lamport) INCLUDE (kind, status, awaits, resolution_method, entity, entity_id, a_device_id, b_device_id);
CREATE INDEX sync_conflicts_by_entity ON public.sync_conflicts USING btree (tenant_id, entity_id, detected_lamport);
CREATE UNIQUE INDEX sync_conflicts_by_lamport ON public.sync_conflicts USING btree (tenant_id, lamport_ts);
ALTER TABLE sync_conflicts ENABLE ROW LEVEL SECURITY;
ALTER TABLE sync_conflicts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON sync_conflicts USING (tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid);
GRANT INSERT, SELECT, UPDATE ON sync_conflicts TO agrotour_app;

CREATE TABLE tenant_clocks (
  tenant_id uuid NOT NULL,
  lamport bigint NOT NULL DEFAULT 0,
  chain_hash bytea NOT NULL,
  epoch uuid NOT NULL,
  recorded_at timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone,
  CONSTRAINT tenant_clocks_pkey PRIMARY KEY (tenant_id),
  CONSTRAINT tenant_clocks_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  CONSTRAINT tenant_clocks_chain_hash_check CHECK ((octet_length(chain_hash) = 32))
) WITH (fillfactor=50);
ALTER TABLE tenant_clocks ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_clocks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON tenant_clocks USING (tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid);
GRANT INSERT, SELECT, UPDATE ON tenant_clocks TO agrotour_app;

CREATE TABLE tenants (
  id uuid NOT NULL,
  name text NOT NULL,
  status text NOT NULL DEFAULT 'ACTIVE'::text,
  settings jsonb NOT NULL DEFAULT '{}'::jsonb,
  created_at timestamp with time zone NOT NULL,
  CONSTRAINT tenants_pkey PRIMARY KEY (id),
  CONSTRAINT tenants_status_check CHECK ((status = ANY (ARRAY['ACTIVE'::text, 'SUSPENDED'::text, 'DELETING'::text, 'DELETED'::text])))
);
CREATE TRIGGER forward_only BEFORE UPDATE ON public.tenants FOR EACH ROW WHEN (((old.status <> new.status) AND (((((old.status <> 'ACTIVE'::text) OR (new.status <> 'SUSPENDED'::text)) AND ((old.status <> 'SUSPENDED'::text) OR (new.status <> 'ACTIVE'::text))) AND ((old.status <> 'SUSPENDED'::text) OR (new.status <> 'DELETING'::text))) AND ((old.status <> 'DELETING'::text) OR (new.status <> 'DELETED'::text))))) EXECUTE FUNCTION refuse_status_move();
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON tenants USING ((id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid) OR (current_setting('app.platform'::text, true) = 'on'::text));
GRANT INSERT, SELECT, UPDATE ON tenants TO agrotour_app;

CREATE OR REPLACE FUNCTION public.erase_tenant_rows(rows_max integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
AS $function$
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
      END $function$
;
GRANT EXECUTE ON FUNCTION erase_tenant_rows(integer) TO agrotour_app;

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      BEGIN
        RAISE EXCEPTION 'rows of % are immutable', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
      END $function$
;

CREATE OR REPLACE FUNCTION public.refuse_change_unless_deleting()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      BEGIN
        IF TG_OP = 'DELETE' AND EXISTS (
          SELECT FROM public.tenants WHERE id = OLD.tenant_id AND status = 'DELETING') THEN
          RETURN OLD;
        END IF;
        RAISE EXCEPTION 'rows of % are immutable', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
      END $function$
;

CREATE OR REPLACE FUNCTION public.refuse_status_move()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      BEGIN
        RAISE EXCEPTION 'a tenant that is % does not become %', OLD.status, NEW.status
          USING ERRCODE = 'integrity_constraint_violation';
      END $function$
;

CREATE OR REPLACE FUNCTION public.stamp_entry()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
      BEGIN
        IF NOT pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
          NEW.recorded_at := date_trunc('milliseconds', clock_timestamp());
        END IF;
        RETURN NEW;
      END $function$
;
