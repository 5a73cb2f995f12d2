#!/bin/sh
# Once, on an empty volume: the login with which a workspace is set up. It is no superuser.
set -eu
psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet --username postgres --dbname postgres <<'SQL'
\set login `echo "$CHATDESK_LOGIN"`
\set database `echo "$CHATDESK_DATABASE"`
\set password `cat "${CHATDESK_SETUP_PASSWORD_FILE:-/run/chatdesk/setup_password}"`
SET password_encryption = 'scram-sha-256';
CREATE ROLE :"login" LOGIN NOSUPERUSER NOCREATEDB CREATEROLE PASSWORD :'password';
CREATE DATABASE :"database" OWNER :"login" ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
SQL
psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet --username postgres --dbname "$CHATDESK_DATABASE" \
    --file "${CHATDESK_HARDEN_FILE:-/etc/chatdesk/harden.sql}"
