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
