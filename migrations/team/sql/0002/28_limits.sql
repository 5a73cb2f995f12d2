-- How much each has done of what cd.policy lets them do; asked by whatever enters something. Counted by one at a time.

-- What a member used up of this day and minute, in all projects.
CREATE FUNCTION cd.usage_of(p_me uuid, OUT o_bytes bigint, OUT o_file_bytes bigint, OUT o_changes bigint)
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_day date := (now() AT TIME ZONE 'UTC')::date;
    v_minute timestamptz := date_trunc('minute', now());
BEGIN
    SELECT coalesce(sum(u.bytes) FILTER (WHERE u.day = v_day), 0),
        coalesce(sum(u.file_bytes) FILTER (WHERE u.day = v_day), 0),
        coalesce(sum(u.changes) FILTER (WHERE u.minute = v_minute), 0)
    INTO o_bytes, o_file_bytes, o_changes FROM cd.used u WHERE u.member_id = p_me;
END
$$;

-- CD013: which limit is reached.
CREATE FUNCTION cd.limited(p_what text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'limit of %', p_what USING ERRCODE = 'CD013';
END
$$;

-- Adds to what a member used up, at the end of a statement that did.
CREATE FUNCTION cd.use_up(p_project uuid, p_me uuid, p_bytes bigint, p_file_bytes bigint, p_changes bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_day date := (now() AT TIME ZONE 'UTC')::date;
    v_minute timestamptz := date_trunc('minute', now());
BEGIN
    INSERT INTO cd.used AS u (member_id, project_id, day, bytes, file_bytes, minute, changes)
    VALUES (p_me, p_project, v_day, p_bytes, p_file_bytes, v_minute, p_changes)
    ON CONFLICT (member_id, project_id) DO UPDATE SET
        day = v_day,
        bytes = CASE WHEN u.day = v_day THEN u.bytes ELSE 0 END + p_bytes,
        file_bytes = CASE WHEN u.day = v_day THEN u.file_bytes ELSE 0 END + p_file_bytes,
        minute = v_minute,
        changes = CASE WHEN u.minute = v_minute THEN u.changes ELSE 0 END + p_changes;
END
$$;

CREATE FUNCTION cd.take_turn(p_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    INSERT INTO cd.turn (id) VALUES (p_id) ON CONFLICT DO NOTHING;
    PERFORM FROM cd.turn t WHERE t.id = p_id FOR UPDATE;
END
$$;
