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
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
    SELECT jsonb_build_object('workspace_id', t.workspace_id, 'workspace_name', t.name, 'schema', t.schema_version,
        'min_read', t.min_read, 'min_write', t.min_write, 'group', t.grp)
    FROM cd.meta t
    WHERE EXISTS (SELECT FROM cd.member m WHERE m.role_name = session_user AND m.status <> 'removed')
$$;

-- How far a device has pulled, as {project: number}; for clearing up only.
CREATE FUNCTION cd.acknowledge(p_device uuid, p_seqs jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    PERFORM cd.need_device(p_device, v_me);
    IF jsonb_typeof(p_seqs) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'numbers by project' USING ERRCODE = 'CD009';
    END IF;
    UPDATE cd.device d
    SET last_seen = now(), acked = (
        SELECT coalesce(jsonb_object_agg(entry.key, entry.value), '{}')
        FROM jsonb_each(d.acked || p_seqs) AS entry
        WHERE entry.key = ANY (SELECT unnest(cd.my_projects())::text) AND jsonb_typeof(entry.value) = 'number'
    )
    WHERE d.id = p_device;
END
$$;

-- A project that is shared from now on; repeated by the same member it changes nothing. One that they deleted is there
-- again with its log, for them alone. CD010: it is another member's.
CREATE FUNCTION cd.create_project(p_project uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_deleted timestamptz;
    v_role text;
BEGIN
    INSERT INTO cd.project (id, created_by) VALUES (p_project, v_me) ON CONFLICT (id) DO NOTHING;
    IF FOUND THEN
        INSERT INTO cd.project_head (project_id) VALUES (p_project);
        INSERT INTO cd.project_member (project_id, member_id, role, added_by) VALUES (p_project, v_me, 'owner', v_me);
        PERFORM cd.tell_member(v_me);
        RETURN;
    END IF;
    PERFORM FROM cd.project_head h WHERE h.project_id = p_project FOR UPDATE;
    SELECT j.deleted_at, p.role INTO v_deleted, v_role
    FROM cd.project j LEFT JOIN cd.project_member p ON p.project_id = j.id AND p.member_id = v_me
    WHERE j.id = p_project;
    IF v_role IS DISTINCT FROM 'owner' THEN
        RAISE EXCEPTION 'the project is another member''s' USING ERRCODE = 'CD010';
    END IF;
    IF v_deleted IS NOT NULL THEN
        UPDATE cd.project_member p SET role = NULL WHERE p.project_id = p_project AND p.member_id <> v_me;
        UPDATE cd.project j SET deleted_at = NULL, deleted_by = NULL,
            channel = 'cd_' || replace(gen_random_uuid()::text, '-', '')
        WHERE j.id = p_project;
    END IF;
END
$$;

-- By its owner, for all; the log is kept. CD007: not the owner.
CREATE FUNCTION cd.end_project(p_project uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    IF cd.need_role(p_project, v_me) <> 'owner' THEN
        RAISE EXCEPTION 'only owners end a project' USING ERRCODE = 'CD007';
    END IF;
    PERFORM FROM cd.project_head h WHERE h.project_id = p_project FOR UPDATE;
    UPDATE cd.project j SET deleted_at = now(), deleted_by = v_me WHERE j.id = p_project;
    DELETE FROM cd.presence p WHERE p.project_id = p_project;
    PERFORM cd.tell(p_project, 'c:0');
END
$$;

-- Takes a role away or gives one, when it was checked that this may be done. Those who stay listen on a new channel.
CREATE FUNCTION cd.change_role(p_project uuid, p_member uuid, p_role text, p_by uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    INSERT INTO cd.project_member AS p (project_id, member_id, role, added_by)
    VALUES (p_project, p_member, p_role, p_by)
    ON CONFLICT (project_id, member_id) DO UPDATE SET role = excluded.role, added_by = excluded.added_by;
    PERFORM cd.tell(p_project, 'c:0');
    PERFORM cd.tell_member(p_member);
    IF p_role IS NULL THEN
        DELETE FROM cd.presence p WHERE p.project_id = p_project AND p.member_id = p_member;
        UPDATE cd.project j SET channel = 'cd_' || replace(gen_random_uuid()::text, '-', '') WHERE j.id = p_project;
    END IF;
END
$$;

-- Who was invited as an owner and never came does not count.
CREATE FUNCTION cd.is_last_owner(p_project uuid, p_member uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = cd, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM cd.project_member p
        WHERE p.project_id = p_project AND p.role = 'owner' AND p.member_id = p_member
    ) AND NOT EXISTS (
        SELECT FROM cd.project_member p JOIN cd.member m ON m.id = p.member_id AND m.status = 'active'
        WHERE p.project_id = p_project AND p.role = 'owner' AND p.member_id <> p_member
    )
$$;

-- Whether somebody of this rank may turn one role into another: owners all; admins what is below themselves.
CREATE FUNCTION cd.may_grant(p_mine text, p_from text, p_to text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = cd, pg_temp
AS $$
    SELECT coalesce(
        p_mine = 'owner' OR (p_mine = 'admin' AND cd.rank(p_from) < 3 AND cd.rank(p_to) < 3), false
    )
$$;

-- NULL removes the member from the project. CD007: the role does not permit it; CD008: an owner has to remain.
CREATE FUNCTION cd.set_role(p_project uuid, p_member uuid, p_role text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_mine text;
    v_now text;
BEGIN
    v_mine := cd.need_role(p_project, v_me);
    PERFORM FROM cd.project_head h WHERE h.project_id = p_project FOR UPDATE;
    v_mine := cd.need_role(p_project, v_me);
    IF cd.rank(p_role) IS NULL THEN
        RAISE EXCEPTION 'there is no such role' USING ERRCODE = 'CD009';
    END IF;
    SELECT p.role INTO v_now FROM cd.project_member p WHERE p.project_id = p_project AND p.member_id = p_member;
    IF NOT cd.may_grant(v_mine, v_now, p_role) THEN
        RAISE EXCEPTION 'the role does not permit this' USING ERRCODE = 'CD007';
    END IF;
    PERFORM FROM cd.member m WHERE m.id = p_member AND m.status <> 'removed';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no such member' USING ERRCODE = 'CD009';
    ELSIF p_role IS DISTINCT FROM 'owner' AND cd.is_last_owner(p_project, p_member) THEN
        RAISE EXCEPTION 'an owner has to remain' USING ERRCODE = 'CD008';
    END IF;
    PERFORM cd.change_role(p_project, p_member, p_role, v_me);
END
$$;

-- CD008: the last owner gives it to somebody first, or ends it.
CREATE FUNCTION cd.leave_project(p_project uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    PERFORM cd.need_role(p_project, v_me);
    PERFORM FROM cd.project_head h WHERE h.project_id = p_project FOR UPDATE;
    IF cd.is_last_owner(p_project, v_me) THEN
        RAISE EXCEPTION 'an owner has to remain' USING ERRCODE = 'CD008';
    END IF;
    PERFORM cd.change_role(p_project, v_me, NULL, v_me);
END
$$;

-- A role that may connect and is of the members' group; its password is only ever known as its verifier.
CREATE FUNCTION cd.make_login(p_role_name text, p_verifier text, p_valid_until text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    IF p_role_name !~ '^cd_[0-9a-f]{6}_[a-z0-9_]{4,40}$' OR p_role_name LIKE '%\_owner' OR p_role_name IS NULL THEN
        RAISE EXCEPTION 'not the name of a member''s login' USING ERRCODE = 'CD009';
    END IF;
    PERFORM cd.need_verifier(p_verifier);
    EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L VALID UNTIL %L CONNECTION LIMIT 16', p_role_name, p_verifier,
        p_valid_until);
    EXECUTE format('GRANT %I TO %I', (SELECT t.grp FROM cd.meta t), p_role_name);
END
$$;

CREATE FUNCTION cd.need_verifier(p_verifier text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    IF (p_verifier ~ '^SCRAM-SHA-256\$[0-9]{4,7}:[A-Za-z0-9+/]{16,128}={0,2}\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$')
        IS NOT TRUE
    THEN
        RAISE EXCEPTION 'not a SCRAM-SHA-256 verifier' USING ERRCODE = 'CD009';
    END IF;
END
$$;

-- By an owner of the workspace, or by whoever may give all these roles ({project: role}, at least one). Returns the new
-- member's id. CD007: may not; CD009: a name, time or role that cannot be; CD010: the login exists.
CREATE FUNCTION cd.invite(p_role_name text, p_verifier text, p_display_name text, p_roles jsonb,
    p_valid_until timestamptz) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_new uuid;
    v_given record;
BEGIN
    IF jsonb_typeof(p_roles) IS DISTINCT FROM 'object' OR p_valid_until IS NULL OR p_valid_until < now()
        OR p_valid_until > now() + interval '60 days'
    THEN
        RAISE EXCEPTION 'roles by project, and at most 60 days' USING ERRCODE = 'CD009';
    ELSIF p_roles = '{}' AND NOT cd.is_workspace_owner() THEN
        RAISE EXCEPTION 'only owners of the workspace invite without a project' USING ERRCODE = 'CD007';
    END IF;
    BEGIN
        PERFORM cd.make_login(p_role_name, p_verifier, p_valid_until::text);
    EXCEPTION WHEN duplicate_object THEN
        RAISE EXCEPTION 'the login exists' USING ERRCODE = 'CD010';
    END;
    INSERT INTO cd.member (role_name, display_name, invited_by, valid_until)
    VALUES (p_role_name, cd.clean_name(p_display_name), v_me, p_valid_until)
    RETURNING id INTO v_new;
    FOR v_given IN SELECT r.key::uuid AS project, r.value AS role FROM jsonb_each_text(p_roles) AS r ORDER BY 1 LOOP
        PERFORM FROM cd.project_head h
        WHERE h.project_id = v_given.project AND h.project_id = ANY (cd.my_projects()) FOR UPDATE;
        IF cd.rank(v_given.role) IS NULL OR v_given.role IS NULL THEN
            RAISE EXCEPTION 'there is no such role' USING ERRCODE = 'CD009';
        ELSIF NOT cd.may_grant(cd.need_role(v_given.project, v_me), NULL, v_given.role) THEN
            RAISE EXCEPTION 'the role does not permit this' USING ERRCODE = 'CD007';
        END IF;
        PERFORM cd.change_role(v_given.project, v_new, v_given.role, v_me);
    END LOOP;
    RETURN v_new;
END
$$;

-- By the one who was invited: a name, a password of their own (as its verifier), and no end. Once: whoever else holds the
-- invitation, and came in before it was used, must not set the password anew. CD002: no member; CD003: the invitation has
-- ended; CD011: it was used.
CREATE FUNCTION cd.accept_invite(p_display_name text, p_verifier text) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_member cd.member%ROWTYPE;
BEGIN
    SELECT * INTO v_member FROM cd.member m WHERE m.role_name = session_user FOR UPDATE;
    IF v_member.id IS NULL OR v_member.status = 'removed' THEN
        RAISE EXCEPTION 'no member of this workspace' USING ERRCODE = 'CD002';
    ELSIF v_member.status = 'invited' AND v_member.valid_until < now() THEN
        RAISE EXCEPTION 'the invitation has ended' USING ERRCODE = 'CD003';
    ELSIF v_member.status = 'active' THEN
        RAISE EXCEPTION 'the invitation was used' USING ERRCODE = 'CD011';
    END IF;
    PERFORM cd.need_verifier(p_verifier);
    UPDATE cd.member m
    SET status = 'active', display_name = cd.clean_name(p_display_name), accepted_at = coalesce(m.accepted_at, now())
    WHERE m.id = v_member.id;
    EXECUTE format('ALTER ROLE %I PASSWORD %L VALID UNTIL ''infinity''', v_member.role_name, p_verifier);
    PERFORM cd.tell(p.project_id, 'c:0') FROM cd.project_member p
    WHERE p.member_id = v_member.id AND p.role IS NOT NULL;
    RETURN v_member.id;
END
$$;

CREATE FUNCTION cd.change_password(p_verifier text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    PERFORM cd.need_verifier(p_verifier);
    EXECUTE format('ALTER ROLE %I PASSWORD %L', (SELECT m.role_name FROM cd.member m WHERE m.id = v_me), p_verifier);
END
$$;

CREATE FUNCTION cd.rename_me(p_name text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    UPDATE cd.member m SET display_name = cd.clean_name(p_name) WHERE m.id = v_me;
    PERFORM cd.tell(p.project_id, 'c:0') FROM cd.project_member p WHERE p.member_id = v_me AND p.role IS NOT NULL;
END
$$;

CREATE FUNCTION cd.rename_workspace(p_name text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM cd.need_me();
    IF NOT cd.is_workspace_owner() THEN
        RAISE EXCEPTION 'only owners of the workspace' USING ERRCODE = 'CD007';
    END IF;
    UPDATE cd.meta t SET name = cd.clean_name(p_name) WHERE t.one;
END
$$;

-- Off the list, one's own device, or by an owner of the workspace anybody's. It can say hello again: who has the password
-- is let in, and only a new one keeps them out.
CREATE FUNCTION cd.remove_device(p_device uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    UPDATE cd.device d SET removed_at = coalesce(d.removed_at, now())
    WHERE d.id = p_device AND (d.member_id = v_me OR cd.is_workspace_owner());
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not a device of this member' USING ERRCODE = 'CD006';
    END IF;
    DELETE FROM cd.presence p WHERE p.device_id = p_device;
END
$$;

-- Another owner of the workspace, or one less; somebody has to remain.
CREATE FUNCTION cd.set_workspace_owner(p_member uuid, p_is_owner boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
BEGIN
    PERFORM cd.need_me();
    PERFORM FROM cd.meta t WHERE t.one FOR UPDATE;
    IF NOT cd.is_workspace_owner() THEN
        RAISE EXCEPTION 'only owners of the workspace' USING ERRCODE = 'CD007';
    END IF;
    UPDATE cd.member m SET is_owner = p_is_owner WHERE m.id = p_member AND m.status = 'active';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no such member' USING ERRCODE = 'CD009';
    END IF;
    PERFORM FROM cd.member m WHERE m.is_owner AND m.status = 'active';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'an owner has to remain' USING ERRCODE = 'CD008';
    END IF;
END
$$;

-- Out of the workspace, at once: the login is closed, projects go on without them. Where they were the only owner, the
-- one with the most rights, of these the oldest, becomes owner; with nobody left the project ends. By owners of the
-- workspace; anybody may remove themselves, unless they are its last owner.
CREATE FUNCTION cd.remove_member(p_member uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_gone cd.member%ROWTYPE;
    v_project uuid;
    v_heir uuid;
BEGIN
    PERFORM FROM cd.meta t WHERE t.one FOR UPDATE;
    IF p_member IS DISTINCT FROM v_me AND NOT cd.is_workspace_owner() THEN
        RAISE EXCEPTION 'only owners of the workspace' USING ERRCODE = 'CD007';
    END IF;
    SELECT * INTO v_gone FROM cd.member m WHERE m.id = p_member;
    IF v_gone.id IS NULL THEN
        RAISE EXCEPTION 'there is no such member' USING ERRCODE = 'CD009';
    ELSIF v_gone.is_owner AND NOT EXISTS (
        SELECT FROM cd.member m WHERE m.is_owner AND m.status = 'active' AND m.id <> p_member
    ) THEN
        RAISE EXCEPTION 'an owner has to remain' USING ERRCODE = 'CD008';
    END IF;
    FOR v_project IN
        SELECT p.project_id FROM cd.project_member p
        WHERE p.member_id = p_member AND p.role IS NOT NULL ORDER BY p.project_id
    LOOP
        -- After this, no push of theirs is entered: one that is under way ends first, one that waits finds no role.
        PERFORM FROM cd.project_head h WHERE h.project_id = v_project FOR UPDATE;
        IF cd.is_last_owner(v_project, p_member) THEN
            SELECT p.member_id INTO v_heir
            FROM cd.project_member p JOIN cd.member m ON m.id = p.member_id AND m.status = 'active'
            WHERE p.project_id = v_project AND p.member_id <> p_member AND p.role IS NOT NULL
            ORDER BY cd.rank(p.role) DESC, p.added_at, p.member_id LIMIT 1;
            IF FOUND THEN
                PERFORM cd.change_role(v_project, v_heir, 'owner', v_me);
            ELSE
                UPDATE cd.project j SET deleted_at = coalesce(j.deleted_at, now()), deleted_by = v_me
                WHERE j.id = v_project;
            END IF;
        END IF;
        PERFORM cd.change_role(v_project, p_member, NULL, v_me);
    END LOOP;
    UPDATE cd.member m SET status = 'removed', removed_at = coalesce(m.removed_at, now()), is_owner = false,
        channel = 'cd_' || replace(gen_random_uuid()::text, '-', '')
    WHERE m.id = p_member;
    EXECUTE format('ALTER ROLE %I NOLOGIN', v_gone.role_name);
    EXECUTE format('REVOKE %I FROM %I', (SELECT t.grp FROM cd.meta t), v_gone.role_name);
END
$$;

-- Ends the connections of members who were removed; called after remove_member, when that is committed: a connection
-- made in between ends as well. Returns how many there were.
CREATE FUNCTION cd.disconnect_removed() RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_one record;
    v_count integer := 0;
BEGIN
    PERFORM cd.need_me();
    FOR v_one IN
        SELECT a.pid, m.role_name FROM pg_stat_activity a JOIN cd.member m ON m.role_name = a.usename
        WHERE m.status = 'removed' AND a.datname = current_database() AND a.pid <> pg_backend_pid()
    LOOP
        -- Only who is of a role may end its connections.
        IF NOT pg_has_role(current_user, v_one.role_name, 'USAGE') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', v_one.role_name);
        END IF;
        IF pg_terminate_backend(v_one.pid) THEN
            v_count := v_count + 1;
        END IF;
    END LOOP;
    RETURN v_count;
END
$$;

-- Who is where; ends by itself after 30 s by the server's clock. Listeners are told only when something changed.
CREATE FUNCTION cd.set_presence(p_project uuid, p_device uuid, p_thread uuid, p_state text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_was cd.presence%ROWTYPE;
BEGIN
    PERFORM cd.need_role(p_project, v_me);
    PERFORM cd.need_device(p_device, v_me);
    SELECT * INTO v_was FROM cd.presence p WHERE p.project_id = p_project AND p.device_id = p_device;
    IF p_state = 'gone' THEN
        DELETE FROM cd.presence p WHERE p.project_id = p_project AND p.device_id = p_device;
    ELSIF p_state IN ('here', 'typing') THEN
        INSERT INTO cd.presence (project_id, device_id, member_id, thread_id, state, expires_at)
        VALUES (p_project, p_device, v_me, p_thread, p_state, clock_timestamp() + interval '30 seconds')
        ON CONFLICT (project_id, device_id) DO UPDATE
        SET member_id = v_me, thread_id = excluded.thread_id, state = excluded.state, expires_at = excluded.expires_at;
    ELSE
        RAISE EXCEPTION 'here, typing or gone' USING ERRCODE = 'CD009';
    END IF;
    IF v_was.state IS DISTINCT FROM nullif(p_state, 'gone') OR v_was.expires_at < clock_timestamp()
        OR (p_state <> 'gone' AND v_was.thread_id IS DISTINCT FROM p_thread)
    THEN
        PERFORM cd.tell(p_project, 'p');
    END IF;
END
$$;

-- Removes a file whose pieces do not make up what its name says, so that it can be sent again; a good one stays, whatever
-- else was put beside its pieces, and so does one that is still being sent. By whoever may write. Returns whether it was
-- removed.
CREATE FUNCTION cd.discard_broken_file(p_project uuid, p_sha256 text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_is_broken boolean;
BEGIN
    IF cd.rank(cd.need_role(p_project, cd.need_me())) < 2 THEN
        RAISE EXCEPTION 'the role does not permit this' USING ERRCODE = 'CD007';
    END IF;
    SELECT NOT bool_or(one.is_good) AND (count(*) > 1 OR bool_or(one.is_whole)) INTO v_is_broken
    FROM (
        SELECT count(*) = b.total AS is_whole,
            count(*) = b.total AND encode(sha256(string_agg(b.data, ''::bytea ORDER BY b.idx)), 'hex') = p_sha256
                AS is_good
        FROM cd.blob_chunk b WHERE b.project_id = p_project AND b.sha256 = p_sha256 GROUP BY b.total
    ) AS one;
    IF v_is_broken THEN
        DELETE FROM cd.blob_chunk b WHERE b.project_id = p_project AND b.sha256 = p_sha256;
    END IF;
    RETURN coalesce(v_is_broken, false);
END
$$;
