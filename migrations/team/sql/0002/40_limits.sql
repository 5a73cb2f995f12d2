-- Limits are counted by one at a time, and a right that is taken ends what is running.

-- Whose turn it is: a row for each member, and one for the workspace. Only who is limited by it waits for it, and it is always
-- taken before the head of a project. It begins with nothing where the server crashed.
CREATE UNLOGGED TABLE cd.turn (
    id uuid PRIMARY KEY
);
ALTER TABLE cd.turn ENABLE ROW LEVEL SECURITY;
ALTER TABLE cd.turn FORCE ROW LEVEL SECURITY;
CREATE POLICY functions ON cd.turn TO CURRENT_USER USING (true) WITH CHECK (true);

CREATE FUNCTION cd.take_turn(p_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    INSERT INTO cd.turn (id) VALUES (p_id) ON CONFLICT DO NOTHING;
    PERFORM FROM cd.turn t WHERE t.id = p_id FOR UPDATE;
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

-- A project that is shared from now on; repeated by the same member it changes nothing. One that they deleted is there
-- again with its log, for them alone. CD004: it was erased; CD007: only owners of the workspace make projects; CD010: it
-- is another member's; CD013: too many.
CREATE OR REPLACE FUNCTION cd.create_project(p_project uuid) RETURNS void
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

-- NULL removes the member from the project. CD007: the role does not permit it; CD008: an owner has to remain.
CREATE OR REPLACE FUNCTION cd.set_role(p_project uuid, p_member uuid, p_role text) RETURNS void
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

-- Counts what is stored of files, whoever puts it there and however.
CREATE OR REPLACE FUNCTION cd.count_piece() RETURNS trigger
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

-- Whether the caller may invite at all, and there is room for one more. CD007, CD013: see cd.invite.
CREATE OR REPLACE FUNCTION cd.need_may_invite(p_roles jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_policy cd.policy%ROWTYPE;
BEGIN
    SELECT * INTO v_policy FROM cd.policy p WHERE p.one;
    IF NOT cd.is_workspace_owner() AND (v_policy.who_invites = 'owners' OR p_roles = '{}') THEN
        RAISE EXCEPTION 'only owners of the workspace invite' USING ERRCODE = 'CD007';
    END IF;
    PERFORM cd.take_turn((SELECT t.workspace_id FROM cd.meta t));
    IF (SELECT count(*) FROM cd.member m WHERE m.status = 'active') >= v_policy.members THEN
        PERFORM cd.limited('members');
    ELSIF (SELECT count(*) FROM cd.member m WHERE m.status = 'invited' AND m.valid_until > now())
        >= v_policy.invitations
    THEN
        PERFORM cd.limited('invitations');
    END IF;
END
$$;

-- By the one who was invited: a name, a password of their own (as its verifier), and no end. Once: whoever else holds the
-- invitation, and came in before it was used, must not set the password anew. What the one who invited may not give any
-- more is not given. CD002: no member; CD003: the invitation has ended, or whoever made it is no member any more; CD011: it
-- was used; CD013: too many members; CD014: a member has that name.
CREATE OR REPLACE FUNCTION cd.accept_invite(p_display_name text, p_verifier text) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_member cd.member%ROWTYPE;
BEGIN
    PERFORM cd.need_fresh();
    SELECT * INTO v_member FROM cd.member m WHERE m.role_name = session_user FOR NO KEY UPDATE;
    IF v_member.id IS NULL OR v_member.status = 'removed' THEN
        RAISE EXCEPTION 'no member of this workspace' USING ERRCODE = 'CD002';
    ELSIF v_member.status = 'invited' AND (v_member.valid_until < now() OR NOT EXISTS (
        SELECT FROM cd.member m WHERE m.id = v_member.invited_by AND m.status = 'active'))
    THEN
        RAISE EXCEPTION 'the invitation has ended' USING ERRCODE = 'CD003';
    ELSIF v_member.status = 'active' THEN
        RAISE EXCEPTION 'the invitation was used' USING ERRCODE = 'CD011';
    END IF;
    PERFORM cd.take_turn((SELECT t.workspace_id FROM cd.meta t));
    IF (SELECT count(*) FROM cd.member m WHERE m.status = 'active') >= (SELECT p.members FROM cd.policy p) THEN
        PERFORM cd.limited('members');
    END IF;
    PERFORM cd.need_verifier(p_verifier);
    PERFORM cd.take_name(v_member.id, p_display_name);
    UPDATE cd.project_member p SET role = NULL
    WHERE p.member_id = v_member.id AND p.added_by = v_member.invited_by AND p.role IS NOT NULL
        AND NOT cd.may_grant(cd.role_in(p.project_id, v_member.invited_by), NULL, p.role);
    EXECUTE format('ALTER ROLE %I PASSWORD %L VALID UNTIL ''infinity''', v_member.role_name, p_verifier);
    -- Whoever else came in with the invitation is out.
    PERFORM cd.end_backends(v_member.id);
    PERFORM cd.tell(p.project_id, 'v') FROM cd.project_member p
    WHERE p.member_id = v_member.id AND p.role IS NOT NULL;
    RETURN v_member.id;
END
$$;
