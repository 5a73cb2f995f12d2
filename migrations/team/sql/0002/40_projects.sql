-- Projects, who may what in them, who is there, and their files.

-- What somebody is in a project, deleted or not.
CREATE FUNCTION cd.role_in(p_project uuid, p_member uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (SELECT p.role FROM cd.project_member p WHERE p.project_id = p_project AND p.member_id = p_member);
END
$$;

-- Who is where, but the caller; nobody where the table is broken. It outlives no crash of the server, and whatever happens to
-- it must keep nobody from anything else.
CREATE FUNCTION cd.presence_in(p_projects uuid[], p_me uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(jsonb_build_array(h.project_id, h.member_id, h.device_id, h.thread_id, h.state)
            ORDER BY h.project_id, h.member_id, h.device_id), '[]')
        FROM (
            SELECT * FROM cd.presence p
            WHERE p.project_id = ANY (p_projects) AND p.member_id <> p_me AND p.expires_at > now() LIMIT 10000
        ) AS h
    );
EXCEPTION WHEN OTHERS THEN
    RETURN '[]';
END
$$;

-- Takes away what says where somebody is. What a statement of theirs holds at this moment ends by itself.
CREATE FUNCTION cd.forget_presence(p_project uuid, p_member uuid, p_device uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    DELETE FROM cd.presence p WHERE (p.project_id, p.device_id) IN (
        SELECT q.project_id, q.device_id FROM cd.presence q
        WHERE (p_project IS NULL OR q.project_id = p_project) AND (p_member IS NULL OR q.member_id = p_member)
            AND (p_device IS NULL OR q.device_id = p_device)
        FOR UPDATE SKIP LOCKED);
EXCEPTION WHEN OTHERS THEN
    NULL;  -- see cd.presence_in
END
$$;

-- A project that is shared from now on; repeated by the same member it changes nothing. One that they deleted is there
-- again with its log, for them alone. CD004: it was erased; CD007: only owners of the workspace make projects; CD010: it
-- is another member's; CD013: too many.
CREATE FUNCTION cd.create_project(p_project uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_policy cd.policy%ROWTYPE;
    v_deleted timestamptz;
BEGIN
    PERFORM FROM cd.project j WHERE j.id = p_project;
    IF NOT FOUND THEN
        PERFORM cd.take_turn(v_me);
        SELECT * INTO v_policy FROM cd.policy p WHERE p.one;
        IF v_policy.who_creates = 'owners' AND NOT cd.is_workspace_owner() THEN
            RAISE EXCEPTION 'only owners of the workspace make projects' USING ERRCODE = 'CD007';
        ELSIF (SELECT count(*) FROM cd.project j WHERE j.created_by = v_me) >= v_policy.projects_each THEN
            PERFORM cd.limited('projects_each');
        END IF;
        INSERT INTO cd.project (id, created_by) VALUES (p_project, v_me) ON CONFLICT (id) DO NOTHING;
        IF FOUND THEN
            INSERT INTO cd.project_head (project_id) VALUES (p_project);
            INSERT INTO cd.project_member (project_id, member_id, role, added_by)
            VALUES (p_project, v_me, 'owner', v_me);
            PERFORM cd.tell_member(v_me);
            RETURN;
        END IF;
    END IF;
    IF cd.role_in(p_project, v_me) IS NOT DISTINCT FROM 'owner' THEN
        PERFORM FROM cd.project_head h WHERE h.project_id = p_project FOR UPDATE;
    END IF;
    IF cd.role_in(p_project, v_me) IS DISTINCT FROM 'owner' THEN
        RAISE EXCEPTION 'the project is another member''s' USING ERRCODE = 'CD010';
    END IF;
    PERFORM FROM cd.project j WHERE j.id = p_project AND j.erased_at IS NOT NULL;
    IF FOUND THEN
        RAISE EXCEPTION 'the project was erased' USING ERRCODE = 'CD004';
    END IF;
    SELECT j.deleted_at INTO v_deleted FROM cd.project j WHERE j.id = p_project;
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
    PERFORM cd.lock_project(p_project, v_me, 4);
    UPDATE cd.project j SET deleted_at = now(), deleted_by = v_me WHERE j.id = p_project;
    PERFORM cd.forget_presence(p_project, NULL, NULL);
    PERFORM cd.tell(p_project, 'v');
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
    PERFORM cd.tell(p_project, 'v');
    PERFORM cd.tell_member(p_member);
    IF p_role IS NULL THEN
        PERFORM cd.forget_presence(p_project, p_member, NULL);
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
    v_mine := cd.lock_project(p_project, v_me, 3);
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
    -- With the head locked, only who leaves in a transaction that they keep open can hold this place.
    BEGIN
        PERFORM set_config('lock_timeout', '300ms', true);
        PERFORM FROM cd.project_member p WHERE p.project_id = p_project AND p.member_id = p_member FOR UPDATE;
    EXCEPTION WHEN lock_not_available THEN
        PERFORM cd.end_backends(p_member);
    END;
    PERFORM set_config('lock_timeout', '5s', true);
    PERFORM cd.change_role(p_project, p_member, p_role, v_me);
    IF cd.rank(p_role) < cd.rank(v_now) AND p_member <> v_me THEN
        PERFORM cd.end_statements(p_member);
    END IF;
END
$$;

-- CD008: the last owner gives it to somebody first, or ends it. Whoever is no owner holds nothing here but their own place.
CREATE FUNCTION cd.leave_project(p_project uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    IF cd.need_role(p_project, v_me) = 'owner' THEN
        PERFORM cd.lock_project(p_project, v_me, 1);  -- who stays is counted
    END IF;
    IF cd.is_last_owner(p_project, v_me) THEN
        RAISE EXCEPTION 'an owner has to remain' USING ERRCODE = 'CD008';
    END IF;
    PERFORM cd.take_role(p_project, v_me, v_me);
    PERFORM cd.forget_presence(p_project, v_me, NULL);
    PERFORM cd.tell_member(v_me);
END
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

-- Counts what is stored of files, whoever puts it there and however.
CREATE FUNCTION cd.count_piece() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid;
    v_day date := (now() AT TIME ZONE 'UTC')::date;
    v_policy cd.policy%ROWTYPE;
    v_size bigint := octet_length(NEW.data);
BEGIN
    PERFORM cd.need_fresh();
    v_me := cd.me();
    IF v_me IS NULL THEN
        IF EXISTS (SELECT FROM cd.member m WHERE m.role_name = session_user) THEN
            PERFORM cd.need_me();  -- a member no more, since the statement began
        END IF;
        RETURN NULL;  -- whoever restores a backup
    ELSIF cd.rank(cd.need_role(NEW.project_id, v_me)) < 2 THEN
        RAISE EXCEPTION 'the role does not permit this' USING ERRCODE = 'CD007';
    END IF;
    PERFORM cd.take_turn(v_me);
    SELECT * INTO v_policy FROM cd.policy p WHERE p.one;
    PERFORM cd.use_up(NEW.project_id, v_me, 0, v_size, 0);
    IF (SELECT o_file_bytes FROM cd.usage_of(v_me)) > v_policy.file_bytes_each THEN
        PERFORM cd.limited('file_bytes_each');
    ELSIF (SELECT sum(u.file_bytes) FROM cd.used u WHERE u.project_id = NEW.project_id AND u.day = v_day)
        > v_policy.file_bytes_project
    THEN
        PERFORM cd.limited('file_bytes_project');
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER count_piece AFTER INSERT ON cd.blob_chunk FOR EACH ROW EXECUTE FUNCTION cd.count_piece();
