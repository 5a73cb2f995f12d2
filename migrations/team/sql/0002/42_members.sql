-- Who is of the workspace: invitations, logins, names, and what the workspace permits.

CREATE FUNCTION cd.need_verifier(p_verifier text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    IF (p_verifier ~ '^SCRAM-SHA-256\$[0-9]{4,7}:[A-Za-z0-9+/]{16,128}={0,2}\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$')
        IS NOT TRUE
    THEN
        RAISE EXCEPTION 'not a SCRAM-SHA-256 verifier' USING ERRCODE = 'CD009';
    ELSIF substring(p_verifier FROM '\$([0-9]+):')::integer NOT BETWEEN 4096 AND 600000 THEN
        RAISE EXCEPTION 'between 4096 and 600000 iterations' USING ERRCODE = 'CD009';
    END IF;
END
$$;

-- A role of this workspace that may connect and is of the members' group; its password is only ever known as its verifier.
-- Who owns the workspace is of that role as well, because only so it may end its connections.
CREATE FUNCTION cd.make_login(p_role_name text, p_verifier text, p_valid_until text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_group text := (SELECT t.grp FROM cd.meta t);
BEGIN
    IF (p_role_name ~ ('^' || v_group || '_[a-z0-9_]{4,40}$')) IS NOT TRUE OR p_role_name LIKE '%\_owner' THEN
        RAISE EXCEPTION 'not the name of a member''s login' USING ERRCODE = 'CD009';
    END IF;
    PERFORM cd.need_verifier(p_verifier);
    EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L VALID UNTIL %L CONNECTION LIMIT %s', p_role_name, p_verifier,
        p_valid_until, (SELECT p.connections_each FROM cd.policy p));
    EXECUTE format('GRANT %I TO %I', v_group, p_role_name);
    EXECUTE format('GRANT %I TO CURRENT_USER', p_role_name);
END
$$;

-- Whether the caller may invite at all, and there is room for one more. CD007, CD013: see cd.invite.
CREATE FUNCTION cd.need_may_invite(p_roles jsonb) RETURNS void
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

-- A name as it looks: without marks and spaces, and each sign as the one that it is taken for.
CREATE FUNCTION cd.look(p_name text) RETURNS text
LANGUAGE sql STABLE SET search_path = cd, pg_temp
AS $$
    SELECT coalesce(string_agg(coalesce(l.look, s.sign), '' ORDER BY s.place), '')
    FROM unnest(string_to_array(regexp_replace(normalize(p_name, NFKD),
        '[\s\u0300-\u036F\u0483-\u0489\u0591-\u05C7\u064B-\u065F\u0670\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20FF'
            '\uFE20-\uFE2F]+', '', 'g'), NULL)) WITH ORDINALITY AS s (sign, place)
    LEFT JOIN cd.look_alike l ON l.sign = s.sign
$$;

-- As they are written (I and l look alike), and whatever their case (i and I are one letter).
CREATE FUNCTION cd.looks_like(p_one text, p_other text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = cd, pg_temp
AS $$
    SELECT cd.look(p_one) = cd.look(p_other)
        OR lower(cd.look(cd.name_key(p_one))) = lower(cd.look(cd.name_key(p_other)))
$$;

-- Be here under a name that looks like nobody else's who is here. CD009: none at all; CD014: like another member's.
CREATE FUNCTION cd.take_name(p_member uuid, p_name text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_name text := cd.clean_name(p_name);
BEGIN
    PERFORM cd.take_turn((SELECT t.workspace_id FROM cd.meta t));
    IF EXISTS (SELECT FROM cd.member m
        WHERE m.id <> p_member AND m.status = 'active' AND cd.looks_like(m.display_name, v_name))
    THEN
        RAISE EXCEPTION 'the name is another member''s' USING ERRCODE = 'CD014';
    END IF;
    UPDATE cd.member m SET display_name = v_name, status = 'active', accepted_at = coalesce(m.accepted_at, now())
    WHERE m.id = p_member;
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'the name is another member''s' USING ERRCODE = 'CD014';
END
$$;

-- By an owner of the workspace; where the workspace says so, also by whoever may give all these roles ({project: role}, at
-- least one). Returns the new member's id. CD007: may not; CD009: a name, time or role that cannot be; CD010: the login
-- exists; CD013: too many members or invitations. Whether a member has the name already is asked when it is accepted.
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
    END IF;
    PERFORM cd.need_may_invite(p_roles);
    -- Without a lock: what they may give by then is looked at again when it is accepted.
    FOR v_given IN SELECT r.key::uuid AS project, r.value AS role FROM jsonb_each_text(p_roles) AS r ORDER BY 1 LOOP
        IF cd.rank(v_given.role) IS NULL OR v_given.role IS NULL THEN
            RAISE EXCEPTION 'there is no such role' USING ERRCODE = 'CD009';
        ELSIF NOT cd.may_grant(cd.need_role(v_given.project, v_me), NULL, v_given.role) THEN
            RAISE EXCEPTION 'the role does not permit this' USING ERRCODE = 'CD007';
        END IF;
    END LOOP;
    BEGIN
        PERFORM cd.make_login(p_role_name, p_verifier, p_valid_until::text);
    EXCEPTION WHEN duplicate_object THEN
        RAISE EXCEPTION 'the login exists' USING ERRCODE = 'CD010';
    END;
    INSERT INTO cd.member (role_name, display_name, invited_by, valid_until)
    VALUES (p_role_name, cd.clean_name(p_display_name), v_me, p_valid_until)
    RETURNING id INTO v_new;
    FOR v_given IN SELECT r.key::uuid AS project, r.value AS role FROM jsonb_each_text(p_roles) AS r ORDER BY 1 LOOP
        PERFORM cd.change_role(v_given.project, v_new, v_given.role, v_me);
    END LOOP;
    RETURN v_new;
END
$$;

-- By the one who was invited: a name, a password of their own (as its verifier), and no end. Once: whoever else holds the
-- invitation, and came in before it was used, must not set the password anew. What the one who invited may not give any
-- more is not given. CD002: no member; CD003: the invitation has ended, or whoever made it is no member any more; CD011: it
-- was used; CD013: too many members; CD014: a member has that name.
CREATE FUNCTION cd.accept_invite(p_display_name text, p_verifier text) RETURNS uuid
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

-- Whoever came in with the former one is out: everybody but the caller, whose next connection needs the new one.
CREATE FUNCTION cd.change_password(p_verifier text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    PERFORM cd.need_verifier(p_verifier);
    EXECUTE format('ALTER ROLE %I PASSWORD %L', (SELECT m.role_name FROM cd.member m WHERE m.id = v_me), p_verifier);
    PERFORM cd.end_backends(v_me);
END
$$;

CREATE FUNCTION cd.rename_me(p_name text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    PERFORM cd.take_name(v_me, p_name);
    PERFORM cd.tell(p.project_id, 'v') FROM cd.project_member p WHERE p.member_id = v_me AND p.role IS NOT NULL;
END
$$;

CREATE FUNCTION cd.rename_workspace(p_name text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM cd.need_owner();
    UPDATE cd.meta t SET name = cd.clean_name(p_name) WHERE t.one;
END
$$;

-- Who may invite and make projects, and the limits, as in cd.policy; what is not named stays. By owners of the workspace.
-- CD009: a name or a value that cannot be.
CREATE FUNCTION cd.set_policy(p_values jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_was cd.policy%ROWTYPE;
    v_new cd.policy%ROWTYPE;
    v_login record;
BEGIN
    PERFORM cd.lock_workspace();
    SELECT * INTO v_was FROM cd.policy p WHERE p.one;
    IF jsonb_typeof(p_values) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'settings by name' USING ERRCODE = 'CD009';
    ELSIF EXISTS (SELECT FROM jsonb_object_keys(p_values) AS k WHERE k = 'one' OR NOT to_jsonb(v_was) ? k) THEN
        RAISE EXCEPTION 'there is no such setting' USING ERRCODE = 'CD009';
    END IF;
    BEGIN
        v_new := jsonb_populate_record(v_was, p_values);
        DELETE FROM cd.policy;
        INSERT INTO cd.policy SELECT v_new.*;
    EXCEPTION WHEN check_violation OR not_null_violation OR data_exception THEN
        RAISE EXCEPTION 'a value that cannot be' USING ERRCODE = 'CD009';
    END;
    IF v_new.connections_each <> v_was.connections_each THEN
        FOR v_login IN SELECT m.role_name FROM cd.member m WHERE m.status <> 'removed' ORDER BY 1 LOOP
            EXECUTE format('ALTER ROLE %I CONNECTION LIMIT %s', v_login.role_name, v_new.connections_each);
        END LOOP;
    END IF;
END
$$;
