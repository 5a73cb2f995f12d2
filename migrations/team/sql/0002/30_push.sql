-- How changes get into a log, by the member who made them. One status a row, in this order of questions, and no row stops
-- the others:
--   denied    malformed, or no rule permits it to anybody
--   dup       the same change, by the same member, is there; with its number
--   ok        the same is there, emptied without any erasure: the words are taken back, under the same number
--   id_taken  something else has this id, or somebody else said it
--   denied    another member's computer
--   forked    another change has this place in the device's sequence
--   too_big   the body is over the limit
--   denied    the rule wants a higher role
--   orphan    what it changes, or hangs below, is not in this project
--   id_taken  a thing with this id exists, but for what its author makes again because the log lost it
--   denied    not one's own, and no right on others'
--   orphan    a placeholder of erased words, and no erasure in the log names it
--   ok        entered; with its number and stamp
--
-- Beside the change itself a row may say: device, that another computer of the same member made it; erased, the digest of
-- what its body was before it was erased; is_gone, that a restored server lost what it hangs below. Whoever wrote that may
-- never come back, and what they wrote is told by nobody else; so only its place is left open for it.

-- In the one form that ids have here. Without search_path, and with a body that was read when it was made, it becomes part
-- of what calls it; one regular expression for all of it would take ten times as long.
CREATE FUNCTION cd.is_uuid(p_text text) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN p_text LIKE '________-____-____-____-____________' AND p_text !~ '[^0-9a-f-]'
    AND length(replace(p_text, '-', '')) = 32;

-- What a row says of itself: all of it but the words, whose digest stays when they are erased. Nothing in kind, op, reg
-- and v is a space, and parents are ids with commas between them, so that no two rows read alike.
CREATE FUNCTION cd.next_chain(p_chain bytea, p_id uuid, p_device uuid, p_author uuid, p_entity uuid, p_dseq bigint,
    p_number bigint, p_hlc bigint, p_at bigint, p_digest bytea, p_kind text, p_op text, p_reg text, p_v smallint,
    p_parents text) RETURNS bytea
LANGUAGE sql IMMUTABLE
RETURN sha256(p_chain || uuid_send(p_id) || uuid_send(p_device) || uuid_send(p_author) || uuid_send(p_entity)
    || int8send(p_dseq) || int8send(p_number) || int8send(p_hlc) || int8send(p_at) || p_digest
    || convert_to(concat_ws(' ', p_kind, p_op, p_reg, p_v, p_parents), 'UTF8'));

-- Which ids of these rows, and which places in the sequences of devices, as 'device number', are another project's already.
-- Tables are unique within a project only, but a computer keeps all its projects in one place, where an id or place that
-- was seen in one project and is used in another would hide what came first. Asked once for all rows: it looks into every
-- partition.
CREATE FUNCTION cd.elsewhere(p_project uuid, p_device uuid, p_rows jsonb, OUT o_ids uuid[], OUT o_places text[])
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_changes uuid[];
    v_things uuid[];
    v_devices uuid[];
    v_numbers bigint[];
BEGIN
    SELECT array_agg(CASE WHEN cd.is_uuid(r.value ->> 'id') THEN (r.value ->> 'id')::uuid END),
        array_agg(CASE WHEN r.value ->> 'op' = 'new' AND cd.is_uuid(r.value ->> 'entity')
            THEN (r.value ->> 'entity')::uuid END),
        array_agg(CASE WHEN cd.is_uuid(r.value ->> 'device') THEN (r.value ->> 'device')::uuid ELSE p_device END),
        array_agg(CASE WHEN (r.value ->> 'dseq') ~ '^[0-9]{1,18}$' THEN (r.value ->> 'dseq')::bigint END)
    INTO v_changes, v_things, v_devices, v_numbers
    FROM jsonb_array_elements(p_rows) AS r WHERE jsonb_typeof(r.value) = 'object';
    -- LIMIT: one look into the index for each, whatever the planner believes of tables that were small a while ago.
    SELECT coalesce(array_agg(found.id), '{}') INTO o_ids
    FROM unnest(v_changes) AS wanted, LATERAL (
        SELECT c.id FROM cd.change c WHERE c.id = wanted AND c.project_id <> p_project LIMIT 1) AS found;
    SELECT o_ids || coalesce(array_agg(found.id), '{}') INTO o_ids
    FROM unnest(v_things) AS wanted, LATERAL (
        SELECT e.id FROM cd.entity e WHERE e.id = wanted AND e.project_id <> p_project LIMIT 1) AS found;
    SELECT coalesce(array_agg(found.place), '{}') INTO o_places
    FROM unnest(v_devices, v_numbers) AS wanted (device, number), LATERAL (
        SELECT concat_ws(' ', c.device_id, c.dseq) AS place FROM cd.change c
        WHERE c.device_id = wanted.device AND c.dseq = wanted.number AND c.project_id <> p_project LIMIT 1) AS found;
END
$$;

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
    v_places_elsewhere text[];
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
        IF v_device NOT IN (p_device, v_id) THEN
            -- Another computer of the same member, which may be gone for good.
            SELECT d.member_id INTO v_owner FROM cd.device d WHERE d.id = v_device;
            IF v_owner <> p_me THEN
                RETURN NEXT;
                CONTINUE;
            END IF;
        END IF;
        PERFORM FROM cd.change c WHERE c.device_id = v_device AND c.dseq = v_dseq AND c.project_id = p_project;
        IF FOUND OR concat_ws(' ', v_device, v_dseq) = ANY (v_places_elsewhere) THEN
            IF v_device = p_device THEN
                o_status := 'forked';
                RETURN NEXT;
                CONTINUE;
            END IF;
            -- Nobody numbers anew what another computer made: it travels as its own device's only change.
            v_device := v_id;
            v_dseq := 0;
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
            -- What its author made comes again only where the change that made it was lost.
            IF v_entity = ANY (v_ids_elsewhere) OR (v_thing.id IS NOT NULL
                AND (v_thing.kind, v_thing.created_by, coalesce(v_thing.change_id, v_id)) <> (v_kind, p_me, v_id))
            THEN
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
            INSERT INTO cd.entity (id, project_id, kind, thread_id, created_by, change_id)
            VALUES (v_entity, p_project, v_kind, v_thread::uuid, p_me, v_id)
            ON CONFLICT (id, project_id) DO UPDATE SET thread_id = excluded.thread_id, change_id = excluded.change_id;
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
        ELSIF v_kind = 'message' AND v_rule.effect = 'make' AND (strpos(v_text, 'sha256') > 0 OR v_body ? 'files') THEN
            IF v_is_stub THEN
                PERFORM cd.erase_files(p_project, ARRAY(SELECT cd.files_of(v_body)));
            ELSE
                PERFORM cd.use_files(p_project, v_id, v_kind, v_op, v_body);
            END IF;
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
CREATE FUNCTION cd.push(p_project uuid, p_device uuid, p_proto integer, p_rows jsonb)
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

-- Tells listeners; after the commit of a push, because a notification inside one makes all commits of a database queue.
CREATE FUNCTION cd.poke(p_project uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM cd.need_role(p_project, cd.need_me());
    PERFORM cd.tell(p_project, 'c:' || h.seq) FROM cd.project_head h WHERE h.project_id = p_project;
END
$$;
