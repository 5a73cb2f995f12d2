-- Takes from everybody in this database what PostgreSQL gives to everybody and ChatDesk does not need: large objects, which
-- count in no limit, and advisory locks, of which one login can take so many that nobody connects any more.
--
-- Run once by a superuser, in the database of the team, before or after the workspace is set up; again after pg_upgrade, and
-- where the database is restored into a new one. Hosting companies let nobody do it: docs/team-administration.md says what
-- to do there instead.
--
--   psql "host=db.example.org dbname=team user=postgres" -f harden.sql

DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN
        SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f'
            AND (p.proname ~ '^(lo_|lowrite$|loread$)' OR p.proname ~ '^pg_(try_)?advisory_')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', v_function);
    END LOOP;
    -- Setting up takes one, of whoever owns the database.
    EXECUTE format('GRANT EXECUTE ON FUNCTION pg_advisory_xact_lock(bigint) TO %I',
        (SELECT pg_get_userbyid(d.datdba) FROM pg_database d WHERE d.datname = current_database()));
END
$$;
