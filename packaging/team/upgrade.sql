-- Brings a workspace of ChatDesk up to date, as the app does. Made from migrations/team; do not edit.
--
-- Run by the login that set it up, with psql 15 or newer. What is there already is left out; running it twice is safe.
--
--   psql "host=db.example.org dbname=team user=team_owner sslmode=verify-full" -f upgrade.sql

\set ON_ERROR_STOP on
BEGIN;
SET LOCAL lock_timeout = '10s';
SELECT set_config('chatdesk.prefix', regexp_replace(r.rolname, '_owner$', ''), true)
FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = 'cd';

-- Before later migrations, in their transaction: the owner of the workspace becomes the owner of its schema for a moment.
-- Setting of the transaction: chatdesk.prefix, as the group of the members is called (cd.meta.grp).

DO $$
DECLARE
    v_owner text := current_setting('chatdesk.prefix') || '_owner';
BEGIN
    EXECUTE format('GRANT %I TO CURRENT_USER', v_owner);
    EXECUTE format('SET LOCAL ROLE %I', v_owner);
END
$$;

-- One upgrade at a time. Not by an advisory lock: any login of the database may hold those.
SELECT version_num FROM cd.alembic_version FOR UPDATE;

-- There is nothing newer than what setup.sql makes.

-- After later migrations, in their transaction.

DO $$
BEGIN
    RESET ROLE;
    EXECUTE format('REVOKE %I FROM CURRENT_USER', current_setting('chatdesk.prefix') || '_owner');
END
$$;

COMMIT;
