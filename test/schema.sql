-- Generated from the migrations by "npm run generate".

CREATE TABLE devices (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  device_type text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  revoked_at timestamp with time zone,
  CONSTRAINT devices_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT devices_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  CONSTRAINT devices_device_type_check CHECK ((device_type = ANY (ARRAY['WEB'::text, 'MOBILE'::text, 'DESKTOP'::text])))
);
ALTER TABLE devices ENABLE ROW LEVEL SECURITY;
ALTER TABLE devices FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON devices USING (tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid);
GRANT INSERT, SELECT, UPDATE ON devices TO agrotour_app;

CREATE TABLE schema_migrations (
  id integer NOT NULL DEFAULT nextval('schema_migrations_id_seq'::regclass),
  "timestamp" bigint NOT NULL,
  name character varying NOT NULL,
  CONSTRAINT "PK_62441bec32630ced9e4cccae336" PRIMARY KEY (id)
);
GRANT SELECT ON schema_migrations TO agrotour_app;

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
CREATE TRIGGER immutable BEFORE DELETE OR UPDATE ON public.stock_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
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

CREATE TABLE tenant_clocks (
  tenant_id uuid NOT NULL,
  lamport bigint NOT NULL DEFAULT 0,
  chain_hash bytea NOT NULL,
  epoch uuid NOT NULL,
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
  CONSTRAINT tenants_status_check CHECK ((status = ANY (ARRAY['ACTIVE'::text, 'SUSPENDED'::text])))
);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON tenants USING ((id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid) OR (current_setting('app.platform'::text, true) = 'on'::text));
GRANT INSERT, SELECT, UPDATE ON tenants TO agrotour_app;
