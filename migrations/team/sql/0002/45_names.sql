-- No two who are here have names that look alike (UTS #39). Whoever does since before keeps theirs.

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
CREATE OR REPLACE FUNCTION cd.take_name(p_member uuid, p_name text) RETURNS void
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
