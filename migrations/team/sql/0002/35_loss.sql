-- Rows that a log lost, by damage or by a hand in its tables: its numbers have gaps, behind which nobody who comes new gets
-- anything. An owner of the project accepts the loss, and the log closes over it: what follows is numbered and chained anew.
-- Clients find another history, pull it from the beginning, and send what they wrote themselves, as after a restore: so
-- everything comes back whose author has it still, and nobody says anything of the words of others.

-- The gaps: first and last number, and when the changes around them were taken (NULL: the log begins or ends there).
CREATE VIEW cd.missing WITH (security_invoker = true) AS
SELECT gap.project_id, gap.first, gap.last, gap.taken_after, gap.taken_before
FROM (
    SELECT place.project_id, coalesce(lag(place.seq) OVER by_number, 0) + 1 AS first, place.seq - 1 AS last,
        lag(place.at) OVER by_number AS taken_after, place.at AS taken_before
    FROM (
        SELECT c.project_id, c.seq, c.at FROM cd.change c
        UNION ALL
        SELECT h.project_id, h.seq + 1, NULL FROM cd.project_head h
    ) AS place
    WINDOW by_number AS (PARTITION BY place.project_id ORDER BY place.seq)
) AS gap
WHERE gap.first <= gap.last;

-- What the loss took from the rest of the project: erasures whose words are gone all the same, the changes that others
-- name, and files. p_loss stands in the log for all erasures that are not there any more.
CREATE FUNCTION cd.settle_loss(p_project uuid, p_loss uuid, p_first bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    UPDATE cd.change c SET erased_by = p_loss
    WHERE c.project_id = p_project AND c.erased AND CASE
        WHEN c.erased_by IS NOT NULL
        THEN NOT EXISTS (SELECT FROM cd.change e WHERE e.id = c.erased_by AND e.project_id = p_project)
        ELSE c.reg LIKE 'lww.%' AND c.id NOT IN (
            SELECT unnest(n.parents) FROM cd.change n WHERE n.project_id = p_project AND n.reg LIKE 'lww.%' AND n.op = 'edit')
    END;
    -- Whoever still sends what an erasure in the log took gets no words in.
    INSERT INTO cd.erased_ahead (project_id, change_id, by_member, may_all, erasure_id)
    SELECT p_project, named.id, e.author, true, e.id
    FROM cd.change e CROSS JOIN LATERAL unnest(cd.named_by(e.body)) AS named (id)
    WHERE e.project_id = p_project AND e.kind = 'thread' AND e.op = 'del' AND e.reg = 'erased'
        AND NOT EXISTS (SELECT FROM cd.change c WHERE c.id = named.id AND c.project_id = p_project)
    ON CONFLICT DO NOTHING;
    DELETE FROM cd.file_use u
    WHERE u.project_id = p_project
        AND NOT EXISTS (SELECT FROM cd.change c WHERE c.id = u.change_id AND c.project_id = p_project);
    UPDATE cd.device d SET acked = jsonb_set(d.acked, ARRAY[p_project::text], to_jsonb(p_first - 1))
    WHERE jsonb_typeof(d.acked -> p_project::text) = 'number' AND (d.acked ->> p_project::text)::numeric >= p_first;
END
$$;

-- Numbers and chains a log anew from a number on, over the gaps: p_most of its changes, or all (NULL), and then its head
-- and the counts of its devices as well.
CREATE FUNCTION cd.chain_again(p_project uuid, p_first bigint, p_most integer) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_chain bytea := coalesce((SELECT c.chain FROM cd.change c WHERE c.project_id = p_project AND c.seq = p_first - 1),
        decode(repeat('00', 32), 'hex'));
    v_last bigint := p_first - 1;
    v_row record;
BEGIN
    FOR v_row IN
        SELECT c.*, coalesce(before.number, 0) + row_number() OVER (PARTITION BY c.device_id ORDER BY c.seq) AS number
        FROM (
            SELECT c.id, c.seq, c.device_id, c.author, c.entity_id, c.dseq, c.hlc, c.at, c.digest, c.kind, c.op, c.reg, c.v,
                c.parents
            FROM cd.change c WHERE c.project_id = p_project AND c.seq >= p_first ORDER BY c.seq LIMIT p_most
        ) AS c LEFT JOIN (
            SELECT b.device_id, max(b.number) AS number FROM cd.change b
            WHERE b.project_id = p_project AND b.seq < p_first GROUP BY b.device_id
        ) AS before ON before.device_id = c.device_id
        ORDER BY c.seq
    LOOP
        v_last := v_last + 1;
        v_chain := cd.next_chain(v_chain, v_row.id, v_row.device_id, v_row.author, v_row.entity_id, v_row.dseq,
            v_row.number, v_row.hlc, v_row.at, v_row.digest, v_row.kind, v_row.op, v_row.reg, v_row.v,
            array_to_string(v_row.parents, ','));
        UPDATE cd.change c SET seq = v_last, chain = v_chain, number = v_row.number
        WHERE c.id = v_row.id AND c.project_id = p_project;
    END LOOP;
    IF p_most IS NULL THEN
        UPDATE cd.project_head h SET seq = v_last, chain = v_chain
        WHERE h.project_id = p_project;
        DELETE FROM cd.device_count n WHERE n.project_id = p_project;
        INSERT INTO cd.device_count (project_id, device_id, changes)
        SELECT p_project, c.device_id, count(*) FROM cd.change c WHERE c.project_id = p_project GROUP BY c.device_id;
    END IF;
END
$$;

-- By an owner of the project, who names exactly what is missing, as [[first, last], …]. One call moves the first gap up over
-- p_most changes at most, so that no writer waits for long, and returns what is missing then, to be named by the next call.
-- The call that reaches the end of the log returns NULL, and a row of the log says so to everybody. CD007: no owner; CD015:
-- something else is missing, or nothing; CD016: rows were changed as well, which no new chain may hide.
CREATE FUNCTION cd.accept_loss(p_project uuid, p_ranges jsonb, p_most integer) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_loss uuid := gen_random_uuid();
    v_now bigint := cd.now_ms();
    v_most integer := greatest(p_most, 1);
    v_body jsonb;
    v_missing jsonb;
    v_first bigint;
    v_lost bigint;
    v_is_end boolean;
BEGIN
    PERFORM cd.lock_project(p_project, v_me, 4);
    SELECT jsonb_agg(jsonb_build_array(m.first, m.last) ORDER BY m.first), min(m.first), sum(m.last - m.first + 1)
    INTO v_missing, v_first, v_lost FROM cd.missing m WHERE m.project_id = p_project;
    -- All rows are counted without an index, which may be what is damaged and hides rows that are there.
    PERFORM set_config(each, 'off', true)
    FROM unnest(ARRAY['enable_indexscan', 'enable_indexonlyscan', 'enable_bitmapscan']) AS each;
    IF v_missing IS NULL OR v_missing IS DISTINCT FROM p_ranges OR v_lost <> (SELECT h.seq FROM cd.project_head h
        WHERE h.project_id = p_project) - (SELECT count(*) FROM cd.change c WHERE c.project_id = p_project)
    THEN
        RAISE EXCEPTION 'something else is missing' USING ERRCODE = 'CD015';
    END IF;
    PERFORM set_config(each, 'on', true)
    FROM unnest(ARRAY['enable_indexscan', 'enable_indexonlyscan', 'enable_bitmapscan']) AS each;
    IF EXISTS (
        SELECT FROM (
            SELECT c.*, lag(c.seq) OVER by_number AS seq_before, lag(c.chain) OVER by_number AS chain_before
            FROM (SELECT * FROM cd.change c WHERE c.project_id = p_project AND c.seq > v_first ORDER BY c.seq
                LIMIT v_most + 1) AS c
            WINDOW by_number AS (ORDER BY c.seq)
        ) AS c
        WHERE c.seq_before = c.seq - 1 AND c.chain <> cd.next_chain(c.chain_before, c.id, c.device_id, c.author, c.entity_id,
            c.dseq, c.number, c.hlc, c.at, c.digest, c.kind, c.op, c.reg, c.v, array_to_string(c.parents, ','))
    ) THEN
        RAISE EXCEPTION 'rows were changed' USING ERRCODE = 'CD016';
    END IF;
    v_is_end := NOT EXISTS (SELECT FROM cd.change c WHERE c.project_id = p_project AND c.seq > v_first
        ORDER BY c.seq OFFSET v_most LIMIT 1);
    IF NOT v_is_end THEN
        PERFORM cd.chain_again(p_project, v_first, v_most);
        RETURN (SELECT jsonb_agg(jsonb_build_array(m.first, m.last) ORDER BY m.first)
            FROM cd.missing m WHERE m.project_id = p_project);
    END IF;
    PERFORM cd.settle_loss(p_project, v_loss, v_first);
    v_body := jsonb_build_object('changes', v_lost);
    INSERT INTO cd.change (id, project_id, seq, device_id, dseq, number, author, kind, op, entity_id, reg, parents, hlc, v,
        body, digest, erased, chain, at)
    SELECT v_loss, p_project, h.seq + 1, v_loss, 0, 1, v_me, 'project', 'edit', p_project, 'loss', '{}', v_now << 16, 1,
        v_body, sha256(convert_to(v_body::text, 'UTF8')), false, '', v_now
    FROM cd.project_head h WHERE h.project_id = p_project;
    PERFORM cd.chain_again(p_project, v_first, NULL);
    -- On another channel: that tells every client that what it pulled has to be compared again.
    PERFORM cd.tell(p_project, 'v');
    UPDATE cd.project j SET channel = 'cd_' || replace(gen_random_uuid()::text, '-', '') WHERE j.id = p_project;
    RETURN NULL;
END
$$;
