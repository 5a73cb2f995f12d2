-- Who asks, and what of it they may see. A member is who logged in (session_user): roles that are set later, and
-- functions that run as their owner, do not change that. In plpgsql, which keeps its plans: before PostgreSQL 18 a function
-- in sql is planned at each call, and policies call these at each statement (1.2 ms instead of 0.1).

CREATE FUNCTION cd.me() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (SELECT m.id FROM cd.member m WHERE m.role_name = session_user AND m.status = 'active');
END
$$;

-- The projects that a policy lets through; asked once for each statement.
CREATE FUNCTION cd.my_projects() RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT coalesce(array_agg(p.project_id), '{}')
        FROM cd.project_member p
        JOIN cd.member m ON m.id = p.member_id
        JOIN cd.project j ON j.id = p.project_id
        WHERE m.role_name = session_user AND m.status = 'active' AND p.role IS NOT NULL AND j.deleted_at IS NULL
    );
END
$$;

-- The same and those that were deleted for all: their members learn that they are.
CREATE FUNCTION cd.my_projects_and_ended() RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT coalesce(array_agg(p.project_id), '{}')
        FROM cd.project_member p
        JOIN cd.member m ON m.id = p.member_id
        WHERE m.role_name = session_user AND m.status = 'active' AND p.role IS NOT NULL
    );
END
$$;

CREATE FUNCTION cd.my_writable() RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT coalesce(array_agg(p.project_id), '{}')
        FROM cd.project_member p
        JOIN cd.member m ON m.id = p.member_id
        JOIN cd.project j ON j.id = p.project_id
        WHERE m.role_name = session_user AND m.status = 'active' AND p.role <> 'viewer' AND j.deleted_at IS NULL
    );
END
$$;

-- Oneself, who is or was in a project that one is in, and for owners of the workspace everybody.
CREATE FUNCTION cd.my_peers() RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT coalesce(array_agg(m.id), '{}')
        FROM cd.member m
        JOIN cd.member i ON i.role_name = session_user AND i.status = 'active'
        WHERE i.is_owner OR m.id = i.id OR EXISTS (
            SELECT FROM cd.project_member theirs
            JOIN cd.project_member mine ON mine.project_id = theirs.project_id
            WHERE theirs.member_id = m.id AND mine.member_id = i.id AND mine.role IS NOT NULL
        )
    );
END
$$;

CREATE FUNCTION cd.is_workspace_owner() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT EXISTS (
            SELECT FROM cd.member m WHERE m.role_name = session_user AND m.status = 'active' AND m.is_owner
        )
    );
END
$$;

CREATE FUNCTION cd.now_ms() RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
END
$$;

-- viewer 1, editor 2, admin 3, owner 4; nothing 0; anything else NULL
CREATE FUNCTION cd.rank(p_role text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (SELECT CASE WHEN p_role IS NULL THEN 0 ELSE array_position('{viewer,editor,admin,owner}'::text[], p_role) END);
END
$$;

-- The caller as an active member. CD002: no member (any more); CD003: invited, and did not accept.
CREATE FUNCTION cd.need_me() RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_id uuid;
    v_status text;
BEGIN
    SELECT m.id, m.status INTO v_id, v_status FROM cd.member m WHERE m.role_name = session_user;
    IF v_status IS NOT DISTINCT FROM 'invited' THEN
        RAISE EXCEPTION 'the invitation was not accepted' USING ERRCODE = 'CD003';
    ELSIF v_status IS DISTINCT FROM 'active' THEN
        RAISE EXCEPTION 'no member of this workspace' USING ERRCODE = 'CD002';
    END IF;
    RETURN v_id;
END
$$;

-- The caller's role in a project. CD004: deleted by its owner; CD005: not in it, or there is none.
CREATE FUNCTION cd.need_role(p_project uuid, p_me uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_role text;
    v_deleted timestamptz;
BEGIN
    SELECT p.role, j.deleted_at INTO v_role, v_deleted
    FROM cd.project_member p
    JOIN cd.project j ON j.id = p.project_id
    JOIN cd.member m ON m.id = p.member_id
    WHERE p.project_id = p_project AND p.member_id = p_me AND m.status = 'active';
    IF v_role IS NULL THEN
        RAISE EXCEPTION 'not in this project' USING ERRCODE = 'CD005';
    ELSIF v_deleted IS NOT NULL THEN
        RAISE EXCEPTION 'the project was deleted' USING ERRCODE = 'CD004';
    END IF;
    RETURN v_role;
END
$$;

-- CD001: this protocol may not write any more. Returns what the protocol may do: rw, read_only, blocked.
CREATE FUNCTION cd.mode(p_proto integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT CASE
            WHEN p_proto IS NULL OR p_proto < t.min_read THEN 'blocked'
            WHEN p_proto < t.min_write THEN 'read_only'
            ELSE 'rw'
        END
        FROM cd.meta t
    );
END
$$;

CREATE FUNCTION cd.need_proto(p_proto integer) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    IF cd.mode(p_proto) IS DISTINCT FROM 'rw' THEN
        RAISE EXCEPTION 'protocol % may not write', p_proto USING ERRCODE = 'CD001';
    END IF;
END
$$;

-- CD006: the device is not known, somebody else's, or was removed.
CREATE FUNCTION cd.need_device(p_device uuid, p_me uuid) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM FROM cd.device d WHERE d.id = p_device AND d.member_id = p_me AND d.removed_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not a device of this member' USING ERRCODE = 'CD006';
    END IF;
END
$$;

-- A name as a person gave it, without what cannot be seen. CD009: nothing is left, or too much.
CREATE FUNCTION cd.clean_name(p_name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_name text := btrim(regexp_replace(coalesce(p_name, ''), '[[:cntrl:]]+', ' ', 'g'));
BEGIN
    IF length(v_name) NOT BETWEEN 1 AND 200 THEN
        RAISE EXCEPTION 'a name has 1 to 200 characters' USING ERRCODE = 'CD009';
    END IF;
    RETURN v_name;
END
$$;

CREATE FUNCTION cd.tell(p_project uuid, p_what text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM pg_notify(j.channel, p_what) FROM cd.project j WHERE j.id = p_project;
END
$$;

CREATE FUNCTION cd.tell_member(p_member uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM pg_notify(m.channel, 'c:0') FROM cd.member m WHERE m.id = p_member;
END
$$;
