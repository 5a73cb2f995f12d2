-- Brings a workspace of ChatDesk up to date, as the app does. Made from migrations/team; do not edit.
--
-- Run by the login that set it up, with psql 15 or newer. What is there already is left out; running it twice is safe.
--
--   psql "host=db.example.org dbname=team user=team_owner sslmode=verify-full" -f upgrade.sql

\set ON_ERROR_STOP on
BEGIN;
SET LOCAL lock_timeout = '10s';
SELECT set_config('chatdesk.prefix', regexp_replace(r.rolname, '_owner$', ''), true)
FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = 'cd';

-- Before later migrations, in their transaction: the owner of the workspace becomes the owner of its schema for a moment.
-- Setting of the transaction: chatdesk.prefix, as the group of the members is called (cd.meta.grp).

DO $$
DECLARE
    v_owner text := current_setting('chatdesk.prefix') || '_owner';
BEGIN
    EXECUTE format('GRANT %I TO CURRENT_USER', v_owner);
    EXECUTE format('SET LOCAL ROLE %I', v_owner);
END
$$;

-- One upgrade at a time. Not by an advisory lock: any login of the database may hold those.
SELECT version_num FROM cd.alembic_version FOR UPDATE;

SELECT version_num = '0001' AS is_next FROM cd.alembic_version \gset
\if :is_next
-- Running upgrade 0001 -> 0002

-- What may be pushed, by whom, and what it does besides entering the log. What no row names is denied. The permission and
-- the effect of a change come from the same row, so that nothing is asked for as one thing and obeyed as another.

CREATE TABLE cd.rule (
    op text NOT NULL,
    kind text NOT NULL,
    reg text NOT NULL,  -- 'lww.*': every register that begins so, those of newer versions of ChatDesk too
    own text NOT NULL,  -- the least role, for what the member made
    others text NOT NULL,  -- for what somebody else made
    effect text CHECK (effect IN ('make', 'replace', 'erase')),
    may_have_body boolean NOT NULL DEFAULT true,
    PRIMARY KEY (op, kind, reg)
);

-- make: the thing exists from then on, and a message uses its files. replace: cd.tidy removes the values of the same register
-- that this one replaced. erase: the words of the named changes go (cd.may_erase says which ones a member may name).
INSERT INTO cd.rule (op, kind, reg, own, others, effect) VALUES
    ('new', 'thread', 'content', 'editor', 'editor', 'make'),
    ('new', 'message', 'content', 'editor', 'editor', 'make'),
    ('new', 'summary', 'content', 'editor', 'editor', 'make'),
    ('new', 'project', 'content', 'admin', 'admin', 'make'),
    ('edit', 'thread', 'lww.*', 'editor', 'editor', 'replace'),
    ('edit', 'summary', 'lww.*', 'editor', 'editor', 'replace'),
    ('edit', 'project', 'lww.*', 'admin', 'admin', 'replace'),
    ('edit', 'thread', 'title', 'editor', 'admin', NULL),
    ('edit', 'thread', 'system_prompt', 'editor', 'admin', NULL),
    ('edit', 'project', 'name', 'admin', 'admin', NULL),
    ('edit', 'project', 'system_prompt', 'admin', 'admin', NULL),
    ('del', 'thread', 'content', 'editor', 'admin', NULL),
    ('del', 'message', 'content', 'editor', 'admin', NULL),
    ('del', 'summary', 'content', 'editor', 'admin', NULL),
    ('del', 'thread', 'erased', 'editor', 'editor', 'erase');

-- Brings back what was deleted. What was written is never rewritten.
INSERT INTO cd.rule (op, kind, reg, own, others, may_have_body) VALUES
    ('edit', 'thread', 'content', 'editor', 'admin', false),
    ('edit', 'message', 'content', 'editor', 'admin', false),
    ('edit', 'summary', 'content', 'editor', 'admin', false);

ALTER TABLE cd.rule ENABLE ROW LEVEL SECURITY;

ALTER TABLE cd.rule FORCE ROW LEVEL SECURITY;

CREATE POLICY functions ON cd.rule TO CURRENT_USER USING (true) WITH CHECK (true);

-- A new workspace gets its row of cd.meta after all migrations.
ALTER TABLE cd.meta ALTER COLUMN schema_version SET DEFAULT 2;

UPDATE cd.meta SET schema_version = 2;

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

DO $$
DECLARE
    v_project uuid;
    v_chain bytea;
    v_row record;
BEGIN
    FOR v_project IN SELECT h.project_id FROM cd.project_head h LOOP
        v_chain := decode(repeat('00', 32), 'hex');
        FOR v_row IN
            SELECT c.*, row_number() OVER (PARTITION BY c.device_id ORDER BY c.seq) AS place
            FROM cd.change c WHERE c.project_id = v_project ORDER BY c.seq
        LOOP
            v_chain := cd.next_chain(v_chain, v_row.id, v_row.device_id, v_row.author, v_row.entity_id, v_row.dseq,
                v_row.place, v_row.hlc, v_row.at, v_row.digest, v_row.kind, v_row.op, v_row.reg, v_row.v,
                array_to_string(v_row.parents, ','));
            UPDATE cd.change c SET chain = v_chain, number = v_row.place
            WHERE c.id = v_row.id AND c.project_id = v_project;
        END LOOP;
        UPDATE cd.project_head h SET chain = v_chain WHERE h.project_id = v_project;
    END LOOP;
END
$$;

INSERT INTO cd.device_count (project_id, device_id, changes)
SELECT c.project_id, c.device_id, max(c.number) FROM cd.change c GROUP BY 1, 2;

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

-- Erasing, with the one who asks: what is not here yet is erased when it comes, as far as they might ask for it.

DROP FUNCTION cd.may_erase(uuid, uuid, boolean, text, text, jsonb);

DROP FUNCTION cd.erase(uuid, jsonb);

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
        PERFORM cd.remove_unused_files(p_project, v_sums);
    END IF;
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

-- How changes get into a log, by the member who made them. One status a row, in this order of questions, and no row stops
-- the others:
--   denied    malformed, or no rule permits it to anybody
--   dup       the same change, by the same member, is there; with its number
--   ok        the same is there, emptied without any erasure: the words are taken back, under the same number
--   id_taken  something else has this id, or somebody else said it
--   forked    another change has this place in the device's sequence
--   denied    another member's computer
--   too_big   the body is over the limit
--   denied    the rule wants a higher role
--   orphan    what it changes, or hangs below, is not in this project
--   id_taken  a thing with this id exists
--   denied    not one's own, and no right on others'
--   orphan    a placeholder of erased words, and no erasure in the log names it
--   ok        entered; with its number and stamp
--
-- Beside the change itself a row may say: device, that another computer of the same member made it; erased, the digest of
-- what its body was before it was erased; is_gone, that a restored server lost what it hangs below. Whoever wrote that may
-- never come back, and what they wrote is told by nobody else; so only its place is left open for it.

DROP FUNCTION cd.relay(uuid, uuid, integer, jsonb);

DROP FUNCTION cd.enter(uuid, uuid, uuid, boolean, jsonb);

DROP FUNCTION cd.has_lost_erasure(uuid, jsonb);

-- Whether a message or summary has a place below this thread and parent; p_is_gone: also where these are not here, unless
-- they are something else.
CREATE FUNCTION cd.has_place(p_project uuid, p_thread uuid, p_parent uuid, p_is_gone boolean) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_thing cd.entity%ROWTYPE;
BEGIN
    SELECT * INTO v_thing FROM cd.entity e WHERE e.id = p_thread AND e.project_id = p_project;
    IF coalesce(v_thing.kind <> 'thread', NOT p_is_gone) THEN
        RETURN false;
    ELSIF p_parent IS NULL THEN
        RETURN true;
    END IF;
    SELECT * INTO v_thing FROM cd.entity e WHERE e.id = p_parent AND e.project_id = p_project;
    RETURN coalesce(v_thing.kind = 'message' AND v_thing.thread_id = p_thread, p_is_gone);
END
$$;

-- The files that a message uses.
CREATE FUNCTION cd.use_files(p_project uuid, p_id uuid, p_kind text, p_op text, p_body jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    IF p_kind = 'message' AND p_op = 'new' THEN
        INSERT INTO cd.file_use (project_id, sha256, change_id)
        SELECT DISTINCT p_project, f.sha256, p_id FROM cd.files_of(p_body) AS f (sha256) ON CONFLICT DO NOTHING;
    END IF;
END
$$;

-- Keeps how many changes a device has in a project.
CREATE FUNCTION cd.count_device(p_project uuid, p_device uuid, p_changes bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    IF p_device IS NOT NULL THEN
        INSERT INTO cd.device_count (project_id, device_id, changes) VALUES (p_project, p_device, p_changes)
        ON CONFLICT (project_id, device_id) DO UPDATE SET changes = excluded.changes;
    END IF;
END
$$;

CREATE FUNCTION cd.enter(p_project uuid, p_me uuid, p_device uuid, p_rows jsonb)
RETURNS TABLE (o_id text, o_status text, o_seq bigint, o_hlc bigint)
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    c_number CONSTANT text := '^[0-9]{1,18}$';
    c_max_body CONSTANT integer := 1500000;  -- clients stop at 1,000,000 bytes of text
    v_rank integer;
    v_used record;
    v_policy cd.policy%ROWTYPE;
    v_bytes bigint := 0;
    v_project_bytes bigint;
    v_today date := (now() AT TIME ZONE 'UTC')::date;
    v_first bigint;
    v_last bigint;
    v_now bigint;
    v_chain bytea;
    v_row jsonb;
    v_text text;
    v_digest bytea;
    v_is_any_erased boolean;
    v_is_stub boolean;
    v_is_gone boolean;
    v_erasure uuid;
    v_counted uuid;
    v_number bigint;
    v_id uuid;
    v_kind text;
    v_op text;
    v_entity uuid;
    v_reg text;
    v_parents text;
    v_body jsonb;
    v_device uuid;
    v_owner uuid;
    v_dseq bigint;
    v_hlc numeric;
    v_v smallint;
    v_known cd.change%ROWTYPE;
    v_ids_elsewhere uuid[];
    v_places_elsewhere bigint[];
    v_thing cd.entity%ROWTYPE;
    v_rule cd.rule%ROWTYPE;
    v_thread text;
    v_parent text;
BEGIN
    IF jsonb_typeof(p_rows) IS DISTINCT FROM 'array' THEN
        RAISE EXCEPTION 'rows have to be an array' USING ERRCODE = 'CD009';
    ELSIF jsonb_array_length(p_rows) > 1000 THEN
        RAISE EXCEPTION 'at most 1000 rows' USING ERRCODE = 'CD009';
    END IF;
    -- As cd.lock_project does, and with what is read under the lock. Whoever may write nothing, or has nothing to write,
    -- locks nothing.
    v_rank := cd.rank(cd.need_role(p_project, p_me));
    IF v_rank >= 2 AND p_rows <> '[]' THEN
        SELECT h.seq, h.chain, CASE WHEN h.day = v_today THEN h.bytes ELSE 0 END
        INTO v_last, v_chain, v_project_bytes FROM cd.project_head h WHERE h.project_id = p_project FOR UPDATE;
        v_rank := cd.rank(cd.need_role(p_project, p_me));
    END IF;
    SELECT * INTO v_policy FROM cd.policy p WHERE p.one;
    SELECT * INTO v_used FROM cd.usage_of(p_me);
    v_is_any_erased := EXISTS (SELECT FROM cd.erased_ahead a WHERE a.project_id = p_project);
    v_first := v_last;
    v_now := cd.now_ms();
    SELECT o.o_ids, o.o_places INTO v_ids_elsewhere, v_places_elsewhere
    FROM cd.elsewhere(p_project, p_device, p_rows) AS o;
    FOR v_row IN SELECT t.value FROM jsonb_array_elements(p_rows) WITH ORDINALITY AS t (value, place) ORDER BY t.place
    LOOP
        o_id := v_row ->> 'id';
        o_seq := NULL;
        o_hlc := NULL;
        o_status := 'denied';
        v_kind := v_row ->> 'kind';
        v_op := v_row ->> 'op';
        v_reg := v_row ->> 'reg';
        v_body := nullif(v_row -> 'body', 'null');
        SELECT * INTO v_rule FROM cd.rule r
        WHERE r.op = v_op AND r.kind = v_kind AND r.reg = CASE WHEN v_reg LIKE 'lww.%' THEN 'lww.*' ELSE v_reg END;
        v_parents := CASE
            WHEN v_row -> 'parents' IS NULL OR v_row -> 'parents' = '[]' THEN ''
            WHEN jsonb_typeof(v_row -> 'parents') = 'array'
            THEN (SELECT CASE WHEN bool_and(coalesce(cd.is_uuid(t.value), false)) AND count(*) <= 200
                    THEN string_agg(t.value, ',' ORDER BY t.place) ELSE '?' END
                  FROM jsonb_array_elements_text(v_row -> 'parents') WITH ORDINALITY AS t (value, place))
            ELSE '?'
        END;

        IF (jsonb_typeof(v_row) = 'object'
            AND cd.is_uuid(o_id)
            AND cd.is_uuid(v_row ->> 'entity')
            AND (v_row ->> 'dseq') ~ c_number
            AND (v_row ->> 'hlc') ~ '^[0-9]{1,19}$'
            AND coalesce(v_row ->> 'v', '1') ~ '^[0-9]{1,4}$'
            AND v_rule.op IS NOT NULL
            AND v_reg ~ '^[a-z0-9_.-]{1,120}$'
            AND v_parents <> '?'
            AND (v_body IS NULL OR (v_rule.may_have_body AND jsonb_typeof(v_body) = 'object'))
            AND (v_row ->> 'device' IS NULL OR cd.is_uuid(v_row ->> 'device'))
            AND (v_row ->> 'erased' IS NULL OR (v_row ->> 'erased') ~ '^[0-9a-f]{64}$')
            -- The first place is that of what travels alone, as its own device.
            AND ((v_row ->> 'dseq') ~ '[1-9]' OR v_row ->> 'device' = o_id)
        ) IS NOT TRUE THEN
            RETURN NEXT;
            CONTINUE;
        END IF;

        v_id := o_id::uuid;
        v_entity := (v_row ->> 'entity')::uuid;
        v_dseq := (v_row ->> 'dseq')::bigint;
        v_hlc := (v_row ->> 'hlc')::numeric;
        v_v := coalesce(v_row ->> 'v', '1')::smallint;
        v_is_stub := v_row ->> 'erased' IS NOT NULL;
        v_text := coalesce(v_body::text, '');
        v_digest := CASE WHEN v_is_stub THEN decode(v_row ->> 'erased', 'hex')
            ELSE sha256(convert_to(v_text, 'UTF8')) END;  -- cd.digest
        v_is_gone := coalesce(v_row -> 'is_gone' = 'true', false);
        v_device := coalesce((v_row ->> 'device')::uuid, p_device);

        SELECT * INTO v_known FROM cd.change c WHERE c.id = v_id AND c.project_id = p_project;
        IF FOUND THEN
            -- The same only where it says the same, and the same member says it: else words that were lost would be taken
            -- for those that somebody put in their place. A deletion may name what its author saw in another way.
            IF (v_known.kind, v_known.op, v_known.entity_id, v_known.reg, v_known.author)
                IS DISTINCT FROM (v_kind, v_op, v_entity, v_reg, p_me)
                OR (v_known.digest <> v_digest AND NOT (v_op = 'del' AND v_reg = 'content'))
            THEN
                o_status := 'id_taken';
                RETURN NEXT;
                CONTINUE;
            END IF;
            o_status := 'dup';
            o_seq := v_known.seq;
            o_hlc := v_known.hlc;
            -- Emptied, and no erasure says so: its author's words are taken back.
            IF v_rank >= 2 AND v_known.erased AND v_known.erased_by IS NULL AND NOT v_is_stub
                AND v_known.digest = v_digest AND v_rule.effect IS DISTINCT FROM 'replace'
            THEN
                o_status := 'ok';
                v_bytes := v_bytes + coalesce(pg_column_size(v_body), 0);
                UPDATE cd.change c SET body = v_body, erased = false WHERE c.id = v_id AND c.project_id = p_project;
                PERFORM cd.use_files(p_project, v_id, v_kind, v_op, v_body);
            END IF;
            RETURN NEXT;
            CONTINUE;
        END IF;
        IF v_id = ANY (v_ids_elsewhere) THEN
            o_status := 'id_taken';
            RETURN NEXT;
            CONTINUE;
        END IF;
        PERFORM FROM cd.change c WHERE c.device_id = v_device AND c.dseq = v_dseq AND c.project_id = p_project;
        IF FOUND OR (v_device = p_device AND v_dseq = ANY (v_places_elsewhere)) THEN
            IF v_device = p_device THEN
                o_status := 'forked';
                RETURN NEXT;
                CONTINUE;
            END IF;
            -- Nobody numbers anew what another computer made: it travels as its own device's only change.
            v_device := v_id;
            v_dseq := 0;
        ELSIF v_device NOT IN (p_device, v_id) THEN
            -- Another computer of the same member, which may be gone for good.
            SELECT d.member_id INTO v_owner FROM cd.device d WHERE d.id = v_device;
            IF v_owner <> p_me THEN
                RETURN NEXT;
                CONTINUE;
            END IF;
        END IF;

        IF pg_column_size(v_body) > c_max_body THEN
            o_status := 'too_big';
            RETURN NEXT;
            CONTINUE;
        ELSIF v_rank < 2 THEN
            RETURN NEXT;
            CONTINUE;
        END IF;

        SELECT * INTO v_thing FROM cd.entity e WHERE e.id = v_entity AND e.project_id = p_project;
        IF v_rule.effect = 'make' THEN
            v_thread := NULL;
            IF v_rank < cd.rank(v_rule.own) OR (v_kind = 'project' AND v_entity <> p_project) THEN
                RETURN NEXT;
                CONTINUE;
            ELSIF v_kind IN ('message', 'summary') THEN
                v_thread := v_body ->> 'thread_id';
                v_parent := CASE WHEN v_kind = 'message' THEN v_body ->> 'parent_id' END;
                IF (cd.is_uuid(v_thread) AND (v_parent IS NULL OR cd.is_uuid(v_parent))) IS NOT TRUE THEN
                    RETURN NEXT;
                    CONTINUE;
                END IF;
                IF NOT cd.has_place(p_project, v_thread::uuid, v_parent::uuid, v_is_gone) THEN
                    o_status := 'orphan';
                    RETURN NEXT;
                    CONTINUE;
                END IF;
            END IF;
            IF v_thing.id IS NOT NULL OR v_entity = ANY (v_ids_elsewhere) THEN
                o_status := 'id_taken';
                RETURN NEXT;
                CONTINUE;
            END IF;
        ELSIF v_thing.id IS NULL AND NOT (v_rule.effect IS NOT DISTINCT FROM 'erase' AND v_is_gone) THEN
            o_status := 'orphan';
            RETURN NEXT;
            CONTINUE;
        ELSIF v_thing.kind <> v_kind OR v_rank
            < cd.rank(CASE WHEN v_thing.created_by = p_me THEN v_rule.own ELSE v_rule.others END)
        THEN
            RETURN NEXT;
            CONTINUE;
        ELSIF v_rule.effect = 'erase' AND NOT coalesce(cd.may_erase(p_project, p_me, v_rank >= 3, v_body), false) THEN
            RETURN NEXT;
            CONTINUE;
        END IF;
        v_erasure := NULL;
        IF v_is_any_erased OR v_is_stub THEN
            v_erasure := cd.erasure_of(p_project, p_me, v_id, v_kind, v_op, v_reg, v_body);
            IF v_is_stub AND v_erasure IS NULL THEN
                o_status := 'orphan';
                RETURN NEXT;
                CONTINUE;
            END IF;
            v_is_stub := v_erasure IS NOT NULL;
        END IF;

        v_bytes := v_bytes + 300 + coalesce(pg_column_size(v_body), 0);  -- and what a row takes besides
        IF v_used.o_bytes + v_bytes > v_policy.bytes_each THEN
            PERFORM cd.limited('bytes_each');
        ELSIF v_project_bytes + v_bytes > v_policy.bytes_project THEN
            PERFORM cd.limited('bytes_project');
        ELSIF v_used.o_changes + v_last + 1 - v_first > v_policy.changes_each_minute THEN
            PERFORM cd.limited('changes_each_minute');
        END IF;
        v_last := v_last + 1;
        o_status := 'ok';
        o_seq := v_last;
        o_hlc := least(v_hlc, (v_now + 60000) << 16)::bigint;
        IF v_device IS DISTINCT FROM v_counted THEN
            PERFORM cd.count_device(p_project, v_counted, v_number);
            v_counted := v_device;
            v_number := coalesce((SELECT n.changes FROM cd.device_count n
                WHERE n.project_id = p_project AND n.device_id = v_device), 0);
        END IF;
        v_number := v_number + 1;
        v_chain := cd.next_chain(v_chain, v_id, v_device, p_me, v_entity, v_dseq, v_number, o_hlc, v_now, v_digest,
            v_kind, v_op, v_reg, v_v, v_parents);
        IF v_device NOT IN (p_device, v_id) THEN  -- one that a restored server does not know is kept off the list
            INSERT INTO cd.device (id, member_id, name, app_version, removed_at)
            VALUES (v_device, p_me, '-', '', now()) ON CONFLICT (id) DO NOTHING;
        END IF;
        IF v_rule.effect = 'make' THEN
            INSERT INTO cd.entity (id, project_id, kind, thread_id, created_by)
            VALUES (v_entity, p_project, v_kind, v_thread::uuid, p_me);
        END IF;
        INSERT INTO cd.change (id, project_id, seq, device_id, dseq, number, author, kind, op, entity_id, reg, parents,
            hlc, v, body, digest, erased, erased_by, chain, at)
        VALUES (v_id, p_project, v_last, v_device, v_dseq, v_number, p_me, v_kind, v_op, v_entity, v_reg,
            string_to_array(v_parents, ',')::uuid[], o_hlc, v_v,
            CASE WHEN v_is_stub THEN cd.stub(v_kind, v_op, v_body) ELSE v_body END, v_digest, v_is_stub, v_erasure,
            v_chain, v_now);
        IF v_rule.effect = 'erase' THEN
            PERFORM cd.erase(p_project, v_id, p_me, v_rank >= 3, v_body);
            v_is_any_erased := true;
        ELSIF v_rule.effect = 'make' AND NOT v_is_stub AND (strpos(v_text, 'sha256') > 0 OR v_body ? 'files') THEN
            PERFORM cd.use_files(p_project, v_id, v_kind, v_op, v_body);
        END IF;
        RETURN NEXT;
    END LOOP;
    IF v_last > v_first OR v_bytes > 0 THEN
        PERFORM cd.count_device(p_project, v_counted, v_number);
        UPDATE cd.project_head h SET seq = v_last, chain = v_chain, day = v_today, bytes = v_project_bytes + v_bytes
        WHERE h.project_id = p_project;
        PERFORM cd.use_up(p_project, p_me, v_bytes, 0, v_last - v_first);
    END IF;
END
$$;

-- Own changes. Called as a statement of its own, so that the lock is short.
CREATE OR REPLACE FUNCTION cd.push(p_project uuid, p_device uuid, p_proto integer, p_rows jsonb)
RETURNS TABLE (o_id text, o_status text, o_seq bigint, o_hlc bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
-- Plans made while the tables were small would be kept: no row may be looked for but by an index.
SET lock_timeout = '5s' SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    PERFORM cd.need_proto(p_proto);
    PERFORM cd.need_device(p_device, v_me);
    PERFORM cd.need_role(p_project, v_me);
    PERFORM cd.take_turn(v_me);
    RETURN QUERY SELECT * FROM cd.enter(p_project, v_me, p_device, p_rows);
END
$$;

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

-- What the team's answers and summaries took, for any tool that reads SQL: by project, member, model and day (UTC). A row
-- of the log counts where it came from; whoever asks sees the projects they are in, as everywhere. Numbers are what
-- vendors reported; bodies are members' words, so that anything that is no sensible number counts as nothing.

CREATE OR REPLACE VIEW cd.team_usage WITH (security_invoker = true) AS
SELECT
    c.project_id,
    c.author AS member_id,
    m.display_name AS member,
    c.body ->> 'provider' AS provider,
    c.body ->> 'model' AS model,
    c.kind,
    (to_timestamp(c.at / 1000.0) AT TIME ZONE 'UTC')::date AS day,
    count(*) AS answers,
    sum(cd.tokens(c.body -> 'prompt_tokens') + cd.tokens(c.body -> 'input_tokens'))::bigint AS prompt_tokens,
    sum(cd.tokens(c.body -> 'completion_tokens') + cd.tokens(c.body -> 'output_tokens'))::bigint AS completion_tokens,
    sum(cd.tokens(c.body -> 'cached_tokens'))::bigint AS cached_tokens,
    sum(cd.tokens(c.body -> 'reasoning_tokens'))::bigint AS reasoning_tokens
FROM cd.change c
LEFT JOIN cd.member m ON m.id = c.author
WHERE c.op = 'new' AND c.reg = 'content' AND (c.kind = 'summary' OR (c.kind = 'message' AND c.body ->> 'role' = 'assistant'))
GROUP BY 1, 2, 3, 4, 5, 6, 7;

UPDATE cd.alembic_version SET version_num='0002' WHERE cd.alembic_version.version_num = '0001';
\endif

-- After later migrations, in their transaction.

DO $$
BEGIN
    RESET ROLE;
    EXECUTE format('REVOKE %I FROM CURRENT_USER', current_setting('chatdesk.prefix') || '_owner');
END
$$;

COMMIT;
