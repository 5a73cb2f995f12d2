DROP FUNCTION cd.may_erase(uuid, uuid, boolean, text, text, jsonb);

-- ok, denied, or orphan: what is named is not here, and may still come. Only what holds words can be erased: what deletes
-- and brings back decides what is shown. p_may_all: by an admin, or taken before and brought back.
CREATE FUNCTION cd.may_erase(p_project uuid, p_me uuid, p_may_all boolean, p_body jsonb)
RETURNS text
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_ids uuid[] := cd.named_by(p_body);
    v_found integer;
    v_is_permitted boolean;
BEGIN
    IF v_ids IS NULL THEN
        RETURN 'denied';
    END IF;
    SELECT count(*), coalesce(bool_and(
        c.kind <> 'project' AND (c.op = 'new' OR c.reg NOT IN ('content', 'erased')) AND (
            p_may_all OR c.author = p_me OR c.erased
            OR (c.kind = 'summary' AND c.op = 'new' AND c.body ->> 'author' = 'model')
        )
    ), true)
    INTO v_found, v_is_permitted
    FROM cd.change c WHERE c.id = ANY (v_ids) AND c.project_id = p_project;
    RETURN CASE
        WHEN NOT v_is_permitted THEN 'denied'
        WHEN v_found < cardinality(v_ids) AND NOT p_may_all THEN 'orphan'
        ELSE 'ok'
    END;
END
$$;

-- By admins and owners, whose ChatDesk calls it about once a day. Values that others replaced go when they are older than 90
-- days and every computer that was here in that time has what replaced them; so do files that nothing has named for 30
-- days. Returns what the time is over of that things are kept in this project (p_days, NULL: for ever): messages and
-- summaries, and what is said of threads in which nothing is newer.
CREATE OR REPLACE FUNCTION cd.tidy(p_project uuid, p_days integer) RETURNS TABLE (o_thread uuid, o_change uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_before bigint := cd.now_ms() - p_days::bigint * 86400000;
    v_acked bigint;
BEGIN
    IF p_days < 1 THEN
        RAISE EXCEPTION 'at least one day' USING ERRCODE = 'CD009';
    END IF;
    PERFORM cd.lock_project(p_project, v_me, 3);
    SELECT coalesce(min(CASE WHEN jsonb_typeof(d.acked -> p_project::text) = 'number'
        THEN (d.acked ->> p_project::text)::numeric ELSE 0 END), 0)::bigint INTO v_acked
    FROM cd.device d
    JOIN cd.project_member p ON p.member_id = d.member_id AND p.project_id = p_project AND p.role IS NOT NULL
    WHERE d.removed_at IS NULL AND d.last_seen > now() - interval '90 days';
    UPDATE cd.change c SET body = NULL, erased = true
    WHERE c.project_id = p_project AND c.reg LIKE 'lww.%' AND c.reg NOT LIKE 'lww.tag.%' AND c.op = 'edit'
        AND NOT c.erased AND c.at < cd.now_ms() - 90::bigint * 86400000 AND (c.id, c.entity_id, c.reg) IN (
            SELECT unnest(n.parents), n.entity_id, n.reg FROM cd.change n
            WHERE n.project_id = p_project AND n.reg LIKE 'lww.%' AND n.op = 'edit' AND n.seq <= v_acked
        );
    PERFORM cd.remove_unused_files(p_project, ARRAY(
        SELECT DISTINCT b.sha256 FROM cd.blob_chunk b
        WHERE b.project_id = p_project AND NOT EXISTS (
            SELECT FROM cd.blob_chunk young WHERE young.project_id = p_project AND young.sha256 = b.sha256
                AND young.at > now() - interval '30 days'
        )
    ));
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
END
$$;
