-- Who asks, and what of it they may see. A member is who logged in (session_user): roles that are set later, and
-- functions that run as their owner, do not change that. In plpgsql, which keeps its plans: before PostgreSQL 18 a function
-- in sql is planned at each call, and policies call these at each statement (1.2 ms instead of 0.1).

-- What is asked in an older snapshot is answered as of then: who was demoted or removed since would keep their rights for as
-- long as they keep a transaction open. So each statement has to see what is there now. CD012: it does not.
CREATE FUNCTION cd.need_fresh() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'only in READ COMMITTED transactions' USING ERRCODE = 'CD012';
    END IF;
END
$$;

CREATE FUNCTION cd.me() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM cd.need_fresh();
    RETURN (SELECT m.id FROM cd.member m WHERE m.role_name = session_user AND m.status = 'active');
END
$$;

-- The projects that a policy lets through; asked once for each statement.
CREATE FUNCTION cd.my_projects() RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM cd.need_fresh();
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
    PERFORM cd.need_fresh();
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
    PERFORM cd.need_fresh();
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
    PERFORM cd.need_fresh();
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
    PERFORM cd.need_fresh();
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
    PERFORM cd.need_fresh();
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
    PERFORM cd.need_fresh();
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

-- The caller's role in a project, with its head locked. Whoever lacks the rank is refused before they wait for anything or
-- hold up anybody, and again once the lock is there, because the role may have been taken meanwhile. CD007: too low a rank.
CREATE FUNCTION cd.lock_project(p_project uuid, p_me uuid, p_least integer) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_role text;
BEGIN
    IF cd.rank(cd.need_role(p_project, p_me)) >= p_least THEN
        PERFORM FROM cd.project_head h WHERE h.project_id = p_project FOR UPDATE;
        v_role := cd.need_role(p_project, p_me);
        IF cd.rank(v_role) >= p_least THEN
            RETURN v_role;
        END IF;
    END IF;
    RAISE EXCEPTION 'the role does not permit this' USING ERRCODE = 'CD007';
END
$$;

-- The caller as an owner of the workspace. CD007: none.
CREATE FUNCTION cd.need_owner() RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    IF NOT cd.is_workspace_owner() THEN
        RAISE EXCEPTION 'only owners of the workspace' USING ERRCODE = 'CD007';
    END IF;
    RETURN v_me;
END
$$;

-- The same, with what only they may change locked.
CREATE FUNCTION cd.lock_workspace() RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM cd.need_owner();
    PERFORM FROM cd.meta t WHERE t.one FOR UPDATE;
    RETURN cd.need_owner();
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

-- A name as a person gave it, without what cannot be seen: controls, marks of direction, signs without width, fillers.
-- CD009: nothing is left, or too much.
CREATE FUNCTION cd.clean_name(p_name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_name text := regexp_replace(normalize(coalesce(p_name, '')),
        '[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u2800\u3164'
            '\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]+', '', 'g');
BEGIN
    v_name := btrim(regexp_replace(v_name,
        '[\u0001-\u0020\u007F-\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]+', ' ', 'g'));
    IF length(v_name) NOT BETWEEN 1 AND 200 THEN
        RAISE EXCEPTION 'a name has 1 to 200 characters' USING ERRCODE = 'CD009';
    END IF;
    RETURN v_name;
END
$$;

-- What two names have in common that people would take for one: the same letters in any width, form and case. Not by the
-- locale of the database, which may know ASCII only.
CREATE FUNCTION cd.name_key(p_name text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = cd, pg_temp
AS $$
    SELECT translate(lower(normalize(p_name, NFKC)),
        'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮĴĶĹĻĽŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽ'
            'ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁЄІЇҐς',
        'àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįĵķĺļľłńņňŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷÿźżž'
            'αβγδεζηθικλμνξοπρστυφχψωάέήίόύώабвгдежзийклмнопрстуфхцчшщъыьэюяёєіїґσ')
$$;

-- 'c:12': there is change 12; 'p': somebody came or went; 'v:…': people or roles changed, and when (see cd.view_since).
CREATE FUNCTION cd.tell(p_project uuid, p_what text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM pg_notify(j.channel, CASE p_what WHEN 'v' THEN 'v:' || cd.now_us() ELSE p_what END)
    FROM cd.project j WHERE j.id = p_project;
END
$$;

CREATE FUNCTION cd.tell_member(p_member uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM pg_notify(m.channel, 'v:' || cd.now_us()) FROM cd.member m WHERE m.id = p_member;
END
$$;

-- Of those who are here, so that nobody looks like somebody else; an invitation takes its name when it is accepted.
CREATE UNIQUE INDEX member_name ON cd.member (cd.name_key(display_name)) WHERE status = 'active';
