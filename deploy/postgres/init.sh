#!/bin/bash
# Runs once, when the official postgres image makes its data directory: a database and two roles per service.
# The owner role migrates; the service's own role reads and writes rows and cannot change the schema.
set -euo pipefail
secrets="${KEZHI_SECRETS:-/run/secrets}"
for service in customer complaint loyalty notify gateway; do
    owner_password="$(cat "$secrets/${service}_owner_password")"
    password="$(cat "$secrets/${service}_database_password")"
    psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
        -v role="kezhi_${service}" -v owner="kezhi_${service}_owner" -v owner_password="$owner_password" -v password="$password" <<'SQL'
CREATE ROLE :"owner" LOGIN PASSWORD :'owner_password';
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE DATABASE :"role" OWNER :"owner" TEMPLATE template0 ENCODING 'UTF8';
\connect :"role"
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO :"owner";
GRANT USAGE ON SCHEMA public TO :"role";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" GRANT USAGE ON SCHEMAS TO :"role";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"role";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" GRANT USAGE, SELECT ON SEQUENCES TO :"role";
SQL
done
