#!/bin/sh
# Runs once, when the database's volume is new: the owner of the schema, and the restricted role that serves requests.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --set owner_password="$OWNER_PASSWORD" --set app_password="$APP_PASSWORD" <<'SQL'
CREATE ROLE agrotour_owner LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'owner_password';
CREATE ROLE agrotour_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'app_password';
CREATE DATABASE agrotour OWNER agrotour_owner;
REVOKE ALL ON DATABASE agrotour FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE agrotour TO agrotour_app;
SQL
