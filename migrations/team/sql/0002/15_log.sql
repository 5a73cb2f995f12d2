-- What a row of the log says of itself. Its chain covers all of it but the words, whose digest stays when they are erased;
-- and each change has a number among those of its device in its project, dense as seq is among those of the project.
-- Rows that were taken before are chained anew. Clients compare their chain with the server's, and pull everything again.

UPDATE cd.meta SET min_read = 2, min_write = 2;
ALTER TABLE cd.meta ALTER COLUMN min_read SET DEFAULT 2;
ALTER TABLE cd.meta ALTER COLUMN min_write SET DEFAULT 2;

-- Members send again what they wrote themselves, and nobody says anything about others' words.
ALTER TABLE cd.change DROP COLUMN seal;
ALTER TABLE cd.change DROP COLUMN relayed_by;
DROP TABLE cd.seal_key;

ALTER TABLE cd.change ADD COLUMN number bigint NOT NULL DEFAULT 0;
ALTER TABLE cd.change ALTER COLUMN number DROP DEFAULT;
-- The erasure that took the words; NULL where they are there, or where cd.tidy removed a value that was replaced.
ALTER TABLE cd.change ADD COLUMN erased_by uuid;

-- How many changes of a device are in a project.
CREATE TABLE cd.device_count (
    project_id uuid NOT NULL,
    device_id uuid NOT NULL,
    changes bigint NOT NULL,
    PRIMARY KEY (project_id, device_id)
) WITH (fillfactor = 20);

-- What an erasure named that was not there: it takes the words when they come, if they are of the member who asked, or a
-- member might ask for those of everybody then.
DROP TABLE cd.erased_ahead;
CREATE TABLE cd.erased_ahead (
    project_id uuid NOT NULL,
    change_id uuid NOT NULL,
    by_member uuid NOT NULL,
    may_all boolean NOT NULL,
    erasure_id uuid NOT NULL,
    PRIMARY KEY (project_id, change_id, by_member)
);

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['device_count', 'erased_ahead'] LOOP
        EXECUTE format('ALTER TABLE cd.%I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE cd.%I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY functions ON cd.%I TO CURRENT_USER USING (true) WITH CHECK (true)', v_table);
    END LOOP;
END
$$;

-- Nothing in kind, op, reg and v is a space, and parents are ids with commas between them, so that no two rows read alike.
CREATE FUNCTION cd.next_chain(p_chain bytea, p_id uuid, p_device uuid, p_author uuid, p_entity uuid, p_dseq bigint,
    p_number bigint, p_hlc bigint, p_at bigint, p_digest bytea, p_kind text, p_op text, p_reg text, p_v smallint,
    p_parents text) RETURNS bytea
LANGUAGE sql IMMUTABLE
RETURN sha256(p_chain || uuid_send(p_id) || uuid_send(p_device) || uuid_send(p_author) || uuid_send(p_entity)
    || int8send(p_dseq) || int8send(p_number) || int8send(p_hlc) || int8send(p_at) || p_digest
    || convert_to(concat_ws(' ', p_kind, p_op, p_reg, p_v, p_parents), 'UTF8'));

-- Chains a log anew from a number on: p_most of its changes, or all (NULL), and then its head and the counts of its devices
-- as well. p_is_closed: over the gaps in its numbers.
CREATE FUNCTION cd.chain_again(p_project uuid, p_first bigint, p_is_closed boolean, p_most integer) RETURNS void
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
        v_last := CASE WHEN p_is_closed THEN v_last + 1 ELSE v_row.seq END;
        v_chain := cd.next_chain(v_chain, v_row.id, v_row.device_id, v_row.author, v_row.entity_id, v_row.dseq,
            v_row.number, v_row.hlc, v_row.at, v_row.digest, v_row.kind, v_row.op, v_row.reg, v_row.v,
            array_to_string(v_row.parents, ','));
        UPDATE cd.change c SET seq = v_last, chain = v_chain, number = v_row.number
        WHERE c.id = v_row.id AND c.project_id = p_project;
    END LOOP;
    IF p_most IS NULL THEN
        UPDATE cd.project_head h SET seq = CASE WHEN p_is_closed THEN v_last ELSE h.seq END, chain = v_chain
        WHERE h.project_id = p_project;
        DELETE FROM cd.device_count n WHERE n.project_id = p_project;
        INSERT INTO cd.device_count (project_id, device_id, changes)
        SELECT p_project, c.device_id, count(*) FROM cd.change c WHERE c.project_id = p_project GROUP BY c.device_id;
    END IF;
END
$$;

SELECT cd.chain_again(h.project_id, 1, false, NULL) FROM cd.project_head h;

-- Which change made a thing: where that one was lost, its author may make the same again.
ALTER TABLE cd.entity ADD COLUMN change_id uuid;
UPDATE cd.entity e SET change_id = c.id FROM cd.change c
WHERE c.project_id = e.project_id AND c.entity_id = e.id AND c.op = 'new' AND c.reg = 'content';

-- Only what was asked for as an erasure is one.
WITH asked AS (
    SELECT c.project_id, c.id, c.author, named.id AS change_id
    FROM cd.change c CROSS JOIN LATERAL unnest(cd.named_by(c.body)) AS named (id)
    WHERE c.op = 'del' AND c.kind = 'thread' AND c.reg = 'erased'
), gone AS (
    UPDATE cd.change c SET erased_by = a.id FROM asked a
    WHERE c.id = a.change_id AND c.project_id = a.project_id AND c.erased
)
INSERT INTO cd.erased_ahead (project_id, change_id, by_member, may_all, erasure_id)
SELECT a.project_id, a.change_id, a.author, true, a.id FROM asked a
WHERE NOT EXISTS (SELECT FROM cd.change c WHERE c.id = a.change_id AND c.project_id = a.project_id)
ON CONFLICT DO NOTHING;
