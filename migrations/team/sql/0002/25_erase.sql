-- Erasing for everybody: what an erasure does when it enters the log (see chatdesk/core/storage/sync/erasing.py for the
-- whole of it), what is removed by itself, and the end of a project with all that was in it.

-- What stands for a body in the chain and in seals: it stays when the body is erased.
CREATE FUNCTION cd.digest(p_body jsonb) RETURNS bytea
LANGUAGE sql IMMUTABLE
RETURN sha256(convert_to(coalesce(p_body::text, ''), 'UTF8'));

-- What is left of a body: of a message its place, whose turn it was and how many tokens it took; of a thread when it was
-- begun. Nothing is kept that could be words.
CREATE FUNCTION cd.stub(p_kind text, p_op text, p_body jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    IF p_op <> 'new' OR p_kind = 'project' THEN
        RETURN NULL;
    END IF;
    RETURN (
        SELECT coalesce(jsonb_object_agg(b.key, b.value), '{}')
        FROM jsonb_each(coalesce(p_body, '{}')) AS b
        WHERE (p_kind IN ('message', 'summary') AND b.key = 'thread_id' AND cd.is_uuid(b.value #>> '{}'))
            OR (p_kind = 'message' AND (
                (b.key = 'parent_id' AND cd.is_uuid(b.value #>> '{}'))
                OR (b.key IN ('role', 'status') AND jsonb_typeof(b.value) = 'string' AND (b.value #>> '{}') ~ '^[a-z]{1,16}$')
                OR (b.key IN ('prompt_tokens', 'completion_tokens', 'cached_tokens', 'reasoning_tokens')
                    AND cd.tokens(b.value) > 0 AND (b.value #>> '{}') ~ '^[0-9]+$')
            ))
            OR (p_kind IN ('message', 'thread') AND b.key = 'created_at' AND (b.value #>> '{}') ~ '^[0-9]{1,16}$'
                AND jsonb_typeof(b.value) = 'number')
    ) || CASE WHEN p_kind = 'message' THEN '{"is_purged": true}'::jsonb ELSE '{}' END;
END
$$;

-- The files that a message names.
CREATE FUNCTION cd.files_of(p_body jsonb) RETURNS SETOF text
LANGUAGE plpgsql IMMUTABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT f.value #>> '{}'
    FROM (
        SELECT jsonb_path_query(p_body, '$.parts[*].artifacts[*].sha256') AS value
        UNION ALL SELECT jsonb_path_query(p_body, '$.parts_file.sha256')
        UNION ALL SELECT jsonb_path_query(p_body, '$.files[*]')
    ) AS f
    WHERE (f.value #>> '{}') ~ '^[0-9a-f]{64}$';
END
$$;

-- The changes that an erasure names; NULL where it is none.
CREATE FUNCTION cd.named_by(p_body jsonb) RETURNS uuid[]
LANGUAGE plpgsql IMMUTABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    IF jsonb_typeof(p_body -> 'changes') IS DISTINCT FROM 'array' OR jsonb_array_length(p_body -> 'changes') > 1000 THEN
        RETURN NULL;
    END IF;
    RETURN (
        SELECT CASE WHEN bool_and(coalesce(cd.is_uuid(t.value), false))
            THEN array_agg(DISTINCT CASE WHEN cd.is_uuid(t.value) THEN t.value::uuid END) END
        FROM jsonb_array_elements_text(p_body -> 'changes') AS t (value)
    );
END
$$;

-- Only what holds words can be erased: what deletes and brings back decides what is shown. p_may_all: by an admin.
CREATE FUNCTION cd.is_erasable(p_by uuid, p_may_all boolean, p_author uuid, p_kind text, p_op text, p_reg text, p_body jsonb)
RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN p_kind <> 'project' AND (p_op = 'new' OR p_reg NOT IN ('content', 'erased'))
    AND (p_may_all OR p_author = p_by OR coalesce(p_kind = 'summary' AND p_op = 'new' AND p_body ->> 'author' = 'model', false));

-- Whether a member may erase all that an erasure names; false where it names nothing. What is not here is looked at when it
-- comes (cd.erasure_of).
CREATE FUNCTION cd.may_erase(p_project uuid, p_me uuid, p_may_all boolean, p_body jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_ids uuid[] := cd.named_by(p_body);
BEGIN
    RETURN v_ids IS NOT NULL AND NOT EXISTS (
        SELECT FROM cd.change c WHERE c.id = ANY (v_ids) AND c.project_id = p_project AND NOT cd.is_erasable(
            p_me, p_may_all OR c.erased, c.author, c.kind, c.op, c.reg, c.body)
    );
END
$$;

-- The erasure that named a change before it came, and takes its words; NULL where there is none.
CREATE FUNCTION cd.erasure_of(p_project uuid, p_author uuid, p_id uuid, p_kind text, p_op text, p_reg text, p_body jsonb)
RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT a.erasure_id FROM cd.erased_ahead a
        WHERE a.project_id = p_project AND a.change_id = p_id
            AND cd.is_erasable(a.by_member, a.may_all, p_author, p_kind, p_op, p_reg, p_body) LIMIT 1
    );
END
$$;

-- Files of which p_sums are the sums, and which nothing names any more.
CREATE FUNCTION cd.remove_unused_files(p_project uuid, p_sums text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    DELETE FROM cd.blob_chunk b
    WHERE b.project_id = p_project AND b.sha256 = ANY (p_sums) AND NOT EXISTS (
        SELECT FROM cd.file_use u WHERE u.project_id = p_project AND u.sha256 = b.sha256
    );
END
$$;

-- The same of messages that were erased, and notes that they were.
CREATE FUNCTION cd.erase_files(p_project uuid, p_sums text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    INSERT INTO cd.erased_file (project_id, sha256) SELECT p_project, f.sha256 FROM unnest(p_sums) AS f (sha256)
    WHERE NOT EXISTS (SELECT FROM cd.file_use u WHERE u.project_id = p_project AND u.sha256 = f.sha256)
    ON CONFLICT DO NOTHING;
    PERFORM cd.remove_unused_files(p_project, p_sums);
END
$$;

-- Removes the words of the changes that an erasure names, and the files that only they named; under the lock of the head.
CREATE FUNCTION cd.erase(p_project uuid, p_erasure uuid, p_by uuid, p_may_all boolean, p_body jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_ids uuid[] := cd.named_by(p_body);
    v_sums text[];
BEGIN
    SELECT coalesce(array_agg(DISTINCT f.sha256), '{}') INTO v_sums
    FROM cd.change c CROSS JOIN LATERAL cd.files_of(c.body) AS f (sha256)
    WHERE c.id = ANY (v_ids) AND c.project_id = p_project AND c.kind = 'message' AND NOT c.erased;
    UPDATE cd.change c SET body = cd.stub(c.kind, c.op, c.body), erased = true, erased_by = p_erasure
    WHERE c.id = ANY (v_ids) AND c.project_id = p_project AND c.erased_by IS NULL
        AND cd.is_erasable(p_by, p_may_all, c.author, c.kind, c.op, c.reg, c.body);
    INSERT INTO cd.erased_ahead AS a (project_id, change_id, by_member, may_all, erasure_id)
    SELECT p_project, missing.id, p_by, p_may_all, p_erasure FROM unnest(v_ids) AS missing (id)
    WHERE NOT EXISTS (SELECT FROM cd.change c WHERE c.id = missing.id AND c.project_id = p_project)
    ON CONFLICT (project_id, change_id, by_member) DO UPDATE SET may_all = a.may_all OR excluded.may_all;
    IF v_sums <> '{}' THEN
        DELETE FROM cd.file_use u
        WHERE u.project_id = p_project AND u.sha256 = ANY (v_sums) AND u.change_id = ANY (v_ids);
        PERFORM cd.erase_files(p_project, v_sums);
    END IF;
END
$$;

-- By its owner: the project ends for all, and nothing of it is left here but that it was. CD007: not the owner.
CREATE FUNCTION cd.erase_project(p_project uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    PERFORM cd.lock_project(p_project, v_me, 4);
    UPDATE cd.change c SET body = cd.stub(c.kind, c.op, c.body), erased = true
    WHERE c.project_id = p_project AND NOT c.erased;
    DELETE FROM cd.file_use u WHERE u.project_id = p_project;
    DELETE FROM cd.blob_chunk b WHERE b.project_id = p_project;
    PERFORM cd.forget_presence(p_project, NULL, NULL);
    UPDATE cd.project j SET deleted_at = now(), deleted_by = v_me, erased_at = now() WHERE j.id = p_project;
    PERFORM cd.tell(p_project, 'v');
END
$$;

-- By admins and owners, whose ChatDesk calls it about once a day. Values that others replaced go when they are older than 90
-- days and every computer that was here in that time has what replaced them, at most 2000 in one call; so do files that
-- nothing has named for 30 days, or for one where they were erased. Returns what the time is over of that things are kept in this project (p_days, NULL: for
-- ever): messages and summaries, and what is said of threads in which nothing is newer. All of it is looked for before the
-- project is locked, as nobody can push meanwhile.
CREATE FUNCTION cd.tidy(p_project uuid, p_days integer) RETURNS TABLE (o_thread uuid, o_change uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_before bigint := cd.now_ms() - p_days::bigint * 86400000;
    v_acked bigint;
    v_replaced uuid[];
BEGIN
    IF p_days < 1 THEN
        RAISE EXCEPTION 'at least one day' USING ERRCODE = 'CD009';
    ELSIF cd.rank(cd.need_role(p_project, v_me)) < 3 THEN
        RAISE EXCEPTION 'the role does not permit this' USING ERRCODE = 'CD007';
    END IF;
    SELECT coalesce(min(CASE WHEN jsonb_typeof(d.acked -> p_project::text) = 'number'
        THEN (d.acked ->> p_project::text)::numeric ELSE 0 END), 0)::bigint INTO v_acked
    FROM cd.device d
    JOIN cd.project_member p ON p.member_id = d.member_id AND p.project_id = p_project AND p.role IS NOT NULL
    WHERE d.removed_at IS NULL AND d.last_seen > now() - interval '90 days';
    v_replaced := ARRAY(
        SELECT c.id FROM cd.change c
        WHERE c.project_id = p_project AND c.reg LIKE 'lww.%' AND c.reg NOT LIKE 'lww.tag.%' AND c.op = 'edit'
            AND NOT c.erased AND c.at < cd.now_ms() - 90::bigint * 86400000 AND (c.id, c.entity_id, c.reg) IN (
                SELECT unnest(n.parents), n.entity_id, n.reg FROM cd.change n
                WHERE n.project_id = p_project AND n.reg LIKE 'lww.%' AND n.op = 'edit' AND n.seq <= v_acked
            )
        LIMIT 2000
    );
    RETURN QUERY
    WITH made AS (
        SELECT c.id, c.kind, c.op, c.reg, c.entity_id, c.at, c.erased, c.seq,
            CASE WHEN c.kind = 'thread' THEN c.entity_id ELSE e.thread_id END AS thread
        FROM cd.change c LEFT JOIN cd.entity e ON e.id = c.entity_id AND e.project_id = p_project
        WHERE c.project_id = p_project AND p_days IS NOT NULL AND c.kind <> 'project'
            AND (c.op = 'new' OR c.reg NOT IN ('content', 'erased'))
    ), living AS (
        SELECT DISTINCT m.thread FROM made m WHERE m.kind IN ('message', 'thread') AND m.op = 'new' AND m.at >= v_before
    )
    SELECT m.thread, m.id FROM made m
    WHERE NOT m.erased AND m.thread IS NOT NULL AND (
        (m.kind IN ('message', 'summary') AND m.at < v_before)
        OR (m.kind = 'thread' AND m.thread NOT IN (SELECT l.thread FROM living l WHERE l.thread IS NOT NULL))
    )
    ORDER BY m.seq LIMIT 5000;
    PERFORM cd.lock_project(p_project, v_me, 3);
    UPDATE cd.change c SET body = NULL, erased = true
    WHERE c.project_id = p_project AND c.id = ANY (v_replaced) AND NOT c.erased;
    PERFORM cd.remove_unused_files(p_project, ARRAY(
        SELECT DISTINCT b.sha256 FROM cd.blob_chunk b
        WHERE b.project_id = p_project AND NOT EXISTS (
            SELECT FROM cd.blob_chunk young WHERE young.project_id = p_project AND young.sha256 = b.sha256
                AND young.at > now() - CASE WHEN EXISTS (
                    SELECT FROM cd.erased_file e WHERE e.project_id = p_project AND e.sha256 = b.sha256
                ) THEN interval '1 day' ELSE interval '30 days' END
        )
    ));
END
$$;
