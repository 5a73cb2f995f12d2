-- What a connection asks first.

-- The first call of a connection: registers the device and says how things stand. Where the protocol is too old to
-- read, nothing is written. CD002, CD003: see need_me; CD006: the device is another member's.
CREATE FUNCTION cd.hello(p_device uuid, p_name text, p_app_version text, p_proto integer) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_mode text := cd.mode(p_proto);
BEGIN
    IF v_mode <> 'blocked' THEN
        PERFORM FROM cd.device d WHERE d.id = p_device;
        IF NOT FOUND AND (SELECT count(*) FROM cd.device d WHERE d.member_id = v_me AND d.removed_at IS NULL) >= 200 THEN
            RAISE EXCEPTION 'too many devices' USING ERRCODE = 'CD009';
        END IF;
        INSERT INTO cd.device AS d (id, member_id, name, app_version)
        VALUES (p_device, v_me, cd.clean_name(left(p_name, 200)), left(coalesce(p_app_version, ''), 50))
        ON CONFLICT (id) DO UPDATE
        SET name = excluded.name, app_version = excluded.app_version, last_seen = now(), removed_at = NULL
        WHERE d.member_id = v_me;
        PERFORM cd.need_device(p_device, v_me);
        IF cd.is_workspace_owner() THEN
            PERFORM cd.clear_removed(v_me, NULL);
        END IF;
    END IF;
    RETURN (
        SELECT jsonb_build_object(
            'workspace_id', t.workspace_id, 'workspace_name', t.name, 'schema', t.schema_version, 'mode', v_mode,
            'member_id', m.id, 'member_name', m.display_name, 'is_owner', m.is_owner, 'channel', m.channel,
            'server_time_ms', cd.now_ms()
        )
        FROM cd.meta t, cd.member m WHERE m.id = v_me
    );
END
$$;

-- For whoever has a login, invited or not yet: which workspace this is, and what it speaks.
CREATE FUNCTION cd.workspace() RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM cd.need_fresh();
    RETURN (
        SELECT jsonb_build_object('workspace_id', t.workspace_id, 'workspace_name', t.name, 'schema', t.schema_version,
            'min_read', t.min_read, 'min_write', t.min_write, 'group', t.grp)
        FROM cd.meta t
        WHERE EXISTS (SELECT FROM cd.member m WHERE m.role_name = session_user AND m.status <> 'removed')
    );
END
$$;
