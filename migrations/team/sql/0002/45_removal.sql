-- How somebody gets out, also against their will and that of whoever keeps a transaction open: nothing here waits for a lock
-- that the one who is removed, or a member without rank, may hold.

-- Ends the connections of a member but the caller's own, and waits until they are gone. Returns how many there were.
CREATE FUNCTION cd.end_backends(p_member uuid) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_one record;
    v_count integer := 0;
BEGIN
    FOR v_one IN
        SELECT a.pid, m.role_name FROM pg_stat_activity a JOIN cd.member m ON m.role_name = a.usename
        WHERE m.id = p_member AND a.datname = current_database() AND a.pid <> pg_backend_pid()
    LOOP
        -- Only who is of a role may end its connections; a login that came with a backup may lack it.
        IF NOT pg_has_role(current_user, v_one.role_name, 'USAGE') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', v_one.role_name);
        END IF;
        IF pg_terminate_backend(v_one.pid, 2000) THEN
            v_count := v_count + 1;
        END IF;
    END LOOP;
    RETURN v_count;
END
$$;

-- Ends the connections of a member that are in a statement or a transaction; those that wait for nothing stay.
CREATE FUNCTION cd.end_statements(p_member uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_login name := (SELECT m.role_name FROM cd.member m WHERE m.id = p_member);
BEGIN
    IF NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.usename = v_login) THEN
        RETURN;
    ELSIF NOT pg_has_role(current_user, v_login, 'USAGE') THEN
        EXECUTE format('GRANT %I TO CURRENT_USER', v_login);
    END IF;
    PERFORM pg_terminate_backend(a.pid, 2000) FROM pg_stat_activity a
    WHERE a.usename = v_login AND a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL;
END
$$;

-- Ends a member's connections: one's own others, or by an owner of the workspace anybody's. Takes no lock.
CREATE FUNCTION cd.end_connections(p_member uuid) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    IF cd.need_me() IS DISTINCT FROM p_member THEN
        PERFORM cd.need_owner();
    END IF;
    RETURN cd.end_backends(p_member);
END
$$;

-- Which other members others may be waiting for: whose transaction has written something and is open for some seconds, with
-- for how long. Those that are open longer than any of ChatDesk's ever is are ended here, so that nobody keeps the others
-- from writing. Of whom the caller has nothing to do with, the name is not told.
CREATE FUNCTION cd.blockers() RETURNS TABLE (o_member uuid, o_name text, o_seconds integer, o_is_ended boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    c_longest CONSTANT interval := '10 seconds';
    v_me uuid := cd.need_me();
    v_peers uuid[] := cd.my_peers();
    v_one record;
BEGIN
    FOR v_one IN
        SELECT DISTINCT ON (a.pid) a.pid, m.id, m.display_name, m.role_name, clock_timestamp() - a.xact_start AS age
        FROM pg_locks l
        JOIN pg_stat_activity a ON a.pid = l.pid AND a.datname = current_database()
        JOIN cd.member m ON m.role_name = a.usename
        WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted AND a.pid <> pg_backend_pid()
    LOOP
        CONTINUE WHEN v_one.age < interval '2 seconds' OR v_one.age IS NULL;
        o_member := CASE WHEN v_one.id = ANY (v_peers) THEN v_one.id END;
        o_name := CASE WHEN v_one.id = ANY (v_peers) THEN v_one.display_name END;
        o_seconds := extract(epoch FROM v_one.age)::integer;
        o_is_ended := v_one.age > c_longest AND pg_terminate_backend(v_one.pid, 2000);
        RETURN NEXT;
    END LOOP;
END
$$;

-- What is left of those who were removed: their roles, and the right of their closed logins. Where they were a project's only
-- owner, the one with the most rights, of these the oldest, becomes owner; with nobody left the project ends. A project that
-- somebody holds at this moment is left for the next time: an owner's hello asks again. Of one member, or of all (NULL), which
-- only an owner of the workspace asks.
CREATE FUNCTION cd.clear_removed(p_by uuid, p_member uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_left record;
BEGIN
    FOR v_left IN
        SELECT p.project_id, p.member_id FROM cd.project_member p JOIN cd.member m ON m.id = p.member_id
        WHERE m.status = 'removed' AND p.role IS NOT NULL AND (p_member IS NULL OR m.id = p_member)
        ORDER BY p.project_id, p.member_id
    LOOP
        BEGIN
            PERFORM set_config('lock_timeout', '300ms', true);
            PERFORM cd.take_role(v_left.project_id, v_left.member_id, p_by);
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            NULL;
        END;
    END LOOP;
    FOR v_left IN
        SELECT m.role_name, t.grp FROM cd.member m, cd.meta t
        WHERE p_member IS NULL AND m.status = 'removed' AND EXISTS (
            SELECT FROM pg_auth_members a WHERE a.roleid = to_regrole(quote_ident(t.grp))
                AND a.member = to_regrole(quote_ident(m.role_name)))
    LOOP
        BEGIN
            PERFORM set_config('lock_timeout', '300ms', true);
            EXECUTE format('REVOKE %I FROM %I', v_left.grp, v_left.role_name);
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            NULL;
        END;
    END LOOP;
END
$$;

-- The role of one who was removed; see cd.clear_removed.
CREATE FUNCTION cd.take_role(p_project uuid, p_member uuid, p_by uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_heir uuid;
BEGIN
    IF p_by = p_member AND cd.role_in(p_project, p_member) <> 'owner' THEN
        -- Whoever goes by themselves holds up nobody with it.
        UPDATE cd.project_member p SET role = NULL, added_by = p_by
        WHERE p.project_id = p_project AND p.member_id = p_member;
        PERFORM cd.tell(p_project, 'v');
        RETURN;
    END IF;
    -- After this, no push of theirs is entered: one that is under way ends first, one that waits finds no role.
    PERFORM FROM cd.project_head h WHERE h.project_id = p_project FOR UPDATE;
    IF cd.is_last_owner(p_project, p_member) THEN
        SELECT p.member_id INTO v_heir
        FROM cd.project_member p JOIN cd.member m ON m.id = p.member_id AND m.status = 'active'
        WHERE p.project_id = p_project AND p.member_id <> p_member AND p.role IS NOT NULL
        ORDER BY cd.rank(p.role) DESC, p.added_at, p.member_id LIMIT 1;
        IF FOUND THEN
            PERFORM cd.change_role(p_project, v_heir, 'owner', p_by);
        ELSE
            UPDATE cd.project j SET deleted_at = coalesce(j.deleted_at, now()), deleted_by = p_by
            WHERE j.id = p_project;
        END IF;
    END IF;
    PERFORM cd.change_role(p_project, p_member, NULL, p_by);
END
$$;

-- The login closed, and no member any more.
CREATE FUNCTION cd.shut_out(p_member uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_login text;
BEGIN
    UPDATE cd.member m SET status = 'removed', removed_at = coalesce(m.removed_at, now()), is_owner = false,
        channel = 'cd_' || replace(gen_random_uuid()::text, '-', '')
    WHERE m.id = p_member RETURNING m.role_name INTO v_login;
    EXECUTE format('ALTER ROLE %I NOLOGIN', v_login);
END
$$;

-- Out of the workspace, at once: the login is closed, their connections are ended, and what they prepared (invitations that
-- nobody accepted yet) is withdrawn. Nothing here waits for what any other member but an owner of the workspace may hold; what
-- does, giving their projects to others, follows in cd.clear_removed. By owners of the workspace; anybody may remove
-- themselves, unless they are its last owner.
CREATE FUNCTION cd.remove_member(p_member uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_gone cd.member%ROWTYPE;
BEGIN
    IF p_member IS DISTINCT FROM v_me THEN
        PERFORM cd.need_owner();
    END IF;
    SELECT * INTO v_gone FROM cd.member m WHERE m.id = p_member;
    IF v_gone.id IS NULL THEN
        RAISE EXCEPTION 'there is no such member' USING ERRCODE = 'CD009';
    END IF;
    IF p_member <> v_me THEN
        PERFORM cd.end_backends(p_member);
    END IF;
    IF v_gone.is_owner THEN
        PERFORM cd.lock_workspace();  -- who remains is counted
        IF NOT EXISTS (SELECT FROM cd.member m WHERE m.is_owner AND m.status = 'active' AND m.id <> p_member) THEN
            RAISE EXCEPTION 'an owner has to remain' USING ERRCODE = 'CD008';
        END IF;
    END IF;
    PERFORM cd.shut_out(p_member);
    PERFORM cd.end_backends(m.id) FROM cd.member m WHERE m.invited_by = p_member AND m.status = 'invited';
    PERFORM cd.shut_out(m.id) FROM cd.member m WHERE m.invited_by = p_member AND m.status = 'invited';
    PERFORM cd.clear_removed(v_me, CASE WHEN p_member = v_me THEN v_me END);
END
$$;

-- Ends the connections of members who were removed; called after remove_member, when that is committed: a connection
-- made in between ends as well. Returns how many there were.
CREATE FUNCTION cd.disconnect_removed() RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_count integer;
BEGIN
    SELECT coalesce(sum(cd.end_backends(m.id)), 0) INTO v_count FROM cd.member m
    WHERE m.status = 'removed' AND EXISTS (SELECT FROM pg_stat_activity a WHERE a.usename = m.role_name);
    IF cd.is_workspace_owner() THEN
        PERFORM cd.clear_removed(v_me, NULL);
    END IF;
    RETURN v_count;
END
$$;

-- Another owner of the workspace, or one less; somebody has to remain.
CREATE FUNCTION cd.set_workspace_owner(p_member uuid, p_is_owner boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
BEGIN
    PERFORM cd.lock_workspace();
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
    PERFORM cd.forget_presence(NULL, NULL, p_device);
END
$$;
