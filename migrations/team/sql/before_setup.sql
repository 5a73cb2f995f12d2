-- Before the first migration, in its transaction: the role that owns everything, and the schema.
-- Settings of the transaction: chatdesk.prefix (begins the names of all roles of this workspace, cd_ and six hex digits).

DO $$
DECLARE
    v_prefix text := current_setting('chatdesk.prefix');
    v_owner text := v_prefix || '_owner';
BEGIN
    IF v_prefix !~ '^cd_[0-9a-f]{6}$' THEN
        RAISE EXCEPTION 'chatdesk.prefix has to be cd_ and six hex digits' USING ERRCODE = 'CD009';
    END IF;
    EXECUTE format('CREATE ROLE %I NOLOGIN CREATEROLE', v_owner);
    EXECUTE format('GRANT %I TO CURRENT_USER', v_owner);
    -- Nobody but members connects, and nobody makes temporary tables, which could stand before ours.
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    EXECUTE format('CREATE SCHEMA cd AUTHORIZATION %I', v_owner);
    EXECUTE format('SET LOCAL ROLE %I', v_owner);
    EXECUTE format('CREATE ROLE %I NOLOGIN', v_prefix);
END
$$;
