-- As in 0001, but that cd.rule says what may be pushed and what it does.

-- Whether any of these rows is an erasure that was taken here, as its seal proves, and is not in the log any more. Asked
-- before the lock of the head, which whoever may only read gets for nothing else. As text, since nothing was checked yet:
-- what is not written as it was sealed has no seal.
CREATE OR REPLACE FUNCTION cd.has_lost_erasure(p_project uuid, p_rows jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = cd, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM jsonb_array_elements(p_rows) AS r CROSS JOIN cd.seal_key k
        WHERE jsonb_typeof(r.value) = 'object' AND r.value ->> 'op' = 'del' AND r.value ->> 'kind' = 'thread'
            AND r.value ->> 'reg' = 'erased' AND cd.is_uuid(r.value ->> 'id')
            AND r.value ->> 'seal' = encode(substr(sha256(k.outer_key || sha256(k.inner_key || convert_to(concat_ws(
                ' ', p_project, r.value ->> 'id', r.value ->> 'device', r.value ->> 'dseq', r.value ->> 'author',
                r.value ->> 'kind', r.value ->> 'op', r.value ->> 'entity', r.value ->> 'reg',
                coalesce((
                    SELECT string_agg(t.value, ',' ORDER BY t.place) FROM jsonb_array_elements_text(
                        CASE WHEN jsonb_typeof(r.value -> 'parents') = 'array' THEN r.value -> 'parents' ELSE '[]' END
                    ) WITH ORDINALITY AS t (value, place)
                ), ''),
                r.value ->> 'hlc', coalesce(r.value ->> 'v', '1'), '- -',
                encode(cd.digest(nullif(r.value -> 'body', 'null')), 'hex')
            ), 'UTF8'))), 1, 16), 'hex')
            AND NOT EXISTS (
                SELECT FROM cd.change c
                WHERE c.project_id = p_project
                    AND c.id = CASE WHEN cd.is_uuid(r.value ->> 'id') THEN (r.value ->> 'id')::uuid END
            )
    )
$$;

CREATE OR REPLACE FUNCTION cd.enter(p_project uuid, p_me uuid, p_device uuid, p_is_relay boolean, p_rows jsonb)
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
    v_inner bytea;
    v_outer bytea;
    v_is_sealed boolean := false;
    v_may_restore boolean := false;
    v_row jsonb;
    v_text text;
    v_digest bytea;
    v_is_any_erased boolean;
    v_is_stub boolean;
    v_place text;
    v_id uuid;
    v_kind text;
    v_op text;
    v_entity uuid;
    v_reg text;
    v_parents text;
    v_body jsonb;
    v_device uuid := p_device;
    v_author uuid := p_me;
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
    IF v_rank < 2 AND p_is_relay THEN
        v_may_restore := cd.has_lost_erasure(p_project, p_rows);
    END IF;
    IF (v_rank >= 2 AND p_rows <> '[]') OR v_may_restore THEN
        SELECT h.seq, h.chain, CASE WHEN h.day = v_today THEN h.bytes ELSE 0 END
        INTO v_last, v_chain, v_project_bytes FROM cd.project_head h WHERE h.project_id = p_project FOR UPDATE;
        v_rank := cd.rank(cd.need_role(p_project, p_me));
    END IF;
    SELECT * INTO v_policy FROM cd.policy p WHERE p.one;
    SELECT * INTO v_used FROM cd.usage_of(p_me);
    v_is_any_erased := EXISTS (SELECT FROM cd.erased_ahead a WHERE a.project_id = p_project);
    v_first := v_last;
    v_now := cd.now_ms();
    SELECT k.inner_key, k.outer_key INTO STRICT v_inner, v_outer FROM cd.seal_key k;
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
            AND (NOT p_is_relay OR (cd.is_uuid(v_row ->> 'device') AND cd.is_uuid(v_row ->> 'author')))
            AND (v_row -> 'erased' IS NULL OR (p_is_relay AND (v_row ->> 'erased') ~ '^[0-9a-f]{64}$'))
            -- The first place is that of what travels alone, as its own device.
            AND (p_is_relay OR (v_row ->> 'dseq') ~ '[1-9]')
        ) IS NOT TRUE THEN
            RETURN NEXT;
            CONTINUE;
        END IF;

        v_id := o_id::uuid;
        v_entity := (v_row ->> 'entity')::uuid;
        v_dseq := (v_row ->> 'dseq')::bigint;
        v_hlc := (v_row ->> 'hlc')::numeric;
        v_v := coalesce(v_row ->> 'v', '1')::smallint;
        v_is_stub := v_row -> 'erased' IS NOT NULL;
        v_text := coalesce(v_body::text, '');
        v_digest := CASE WHEN v_is_stub THEN decode(v_row ->> 'erased', 'hex')
            ELSE sha256(convert_to(v_text, 'UTF8')) END;  -- cd.digest
        v_place := CASE
            WHEN v_op = 'new' AND v_kind IN ('message', 'summary')
            THEN concat_ws(' ', coalesce(v_body ->> 'thread_id', '-'), coalesce(v_body ->> 'parent_id', '-'))
            ELSE '- -'
        END;

        IF p_is_relay THEN
            v_device := (v_row ->> 'device')::uuid;
            v_author := (v_row ->> 'author')::uuid;
            v_is_sealed := coalesce(v_row ->> 'seal' = encode(substr(sha256(v_outer || sha256(v_inner || convert_to(
                concat_ws(' ', p_project, v_id, v_device, v_dseq, v_author, v_kind, v_op, v_entity, v_reg, v_parents,
                    v_hlc, v_v, v_place, encode(v_digest, 'hex')), 'UTF8'))), 1, 16), 'hex'), false);
            v_author := CASE WHEN v_is_sealed THEN v_author ELSE p_me END;
        END IF;

        SELECT * INTO v_known FROM cd.change c WHERE c.id = v_id AND c.project_id = p_project;
        IF FOUND THEN
            -- The same only where it says the same, and the same member says it: else words that were lost would be taken
            -- for those that somebody put in their place. A deletion may name what its author saw in another way.
            IF (v_known.kind, v_known.op, v_known.entity_id, v_known.reg, v_known.author)
                IS NOT DISTINCT FROM (v_kind, v_op, v_entity, v_reg, v_author)
                AND (v_known.digest = v_digest OR (v_op = 'del' AND v_reg = 'content'))
            THEN
                o_status := 'dup';
                o_seq := v_known.seq;
                o_hlc := v_known.hlc;
            ELSE
                o_status := 'id_taken';
            END IF;
            RETURN NEXT;
            CONTINUE;
        ELSIF v_is_stub AND NOT v_is_sealed THEN  -- what nobody ever took was not erased either
            RETURN NEXT;
            CONTINUE;
        END IF;
        -- What has its seal was here before anything else that has this id.
        IF v_id = ANY (v_ids_elsewhere) AND NOT v_is_sealed THEN
            o_status := 'id_taken';
            RETURN NEXT;
            CONTINUE;
        END IF;
        PERFORM FROM cd.change c WHERE c.device_id = v_device AND c.dseq = v_dseq AND c.project_id = p_project;
        IF FOUND OR (p_is_relay AND NOT v_is_sealed) OR (NOT p_is_relay AND v_dseq = ANY (v_places_elsewhere)) THEN
            IF NOT p_is_relay THEN
                o_status := 'forked';
                RETURN NEXT;
                CONTINUE;
            END IF;
            -- Whoever brings it back cannot number it anew for its author: it travels as its own device's only change.
            v_device := v_id;
            v_dseq := 0;
        END IF;

        IF pg_column_size(v_body) > c_max_body THEN
            o_status := 'too_big';
            RETURN NEXT;
            CONTINUE;
        ELSIF v_rank < 2 AND NOT (v_may_restore AND v_is_sealed AND v_rule.effect = 'erase') THEN
            RETURN NEXT;
            CONTINUE;
        END IF;

        SELECT * INTO v_thing FROM cd.entity e WHERE e.id = v_entity AND e.project_id = p_project;
        IF v_rule.effect = 'make' THEN
            v_thread := NULL;
            IF (v_rank < cd.rank(v_rule.own) AND NOT v_is_sealed) OR (v_kind = 'project' AND v_entity <> p_project) THEN
                RETURN NEXT;
                CONTINUE;
            ELSIF v_kind IN ('message', 'summary') THEN
                v_thread := v_body ->> 'thread_id';
                v_parent := CASE WHEN v_kind = 'message' THEN v_body ->> 'parent_id' END;
                IF (cd.is_uuid(v_thread) AND (v_parent IS NULL OR cd.is_uuid(v_parent))) IS NOT TRUE THEN
                    RETURN NEXT;
                    CONTINUE;
                END IF;
                o_status := 'orphan';
                PERFORM FROM cd.entity e
                WHERE e.id = v_thread::uuid AND e.project_id = p_project AND e.kind = 'thread';
                IF NOT FOUND THEN
                    RETURN NEXT;
                    CONTINUE;
                END IF;
                IF v_parent IS NOT NULL THEN
                    PERFORM FROM cd.entity e
                    WHERE e.id = v_parent::uuid AND e.project_id = p_project AND e.kind = 'message'
                        AND e.thread_id = v_thread::uuid;
                    IF NOT FOUND THEN
                        RETURN NEXT;
                        CONTINUE;
                    END IF;
                END IF;
            END IF;
            IF v_thing.id IS NOT NULL OR (v_entity = ANY (v_ids_elsewhere) AND NOT v_is_sealed) THEN
                o_status := 'id_taken';
                RETURN NEXT;
                CONTINUE;
            END IF;
            INSERT INTO cd.entity (id, project_id, kind, thread_id, created_by)
            VALUES (v_entity, p_project, v_kind, v_thread::uuid, v_author);
        ELSE
            IF v_thing.id IS NULL THEN
                o_status := 'orphan';
                RETURN NEXT;
                CONTINUE;
            END IF;
            IF v_thing.kind <> v_kind OR (NOT v_is_sealed AND v_rank
                < cd.rank(CASE WHEN v_thing.created_by = p_me THEN v_rule.own ELSE v_rule.others END))
            THEN
                RETURN NEXT;
                CONTINUE;
            ELSIF v_rule.effect = 'erase' THEN
                o_status := coalesce(cd.may_erase(p_project, p_me, v_rank >= 3 OR v_is_sealed, v_body), 'denied');
                IF o_status <> 'ok' THEN
                    RETURN NEXT;
                    CONTINUE;
                END IF;
            END IF;
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
        v_chain := sha256(v_chain || uuid_send(v_id) || uuid_send(v_device) || int8send(v_dseq) || int8send(o_hlc)
            || v_digest);
        IF v_is_any_erased AND NOT v_is_stub THEN
            v_is_stub := EXISTS (
                SELECT FROM cd.erased_ahead a WHERE a.project_id = p_project AND a.change_id = v_id
            );
        END IF;
        INSERT INTO cd.change (id, project_id, seq, device_id, dseq, author, relayed_by, kind, op, entity_id, reg,
            parents, hlc, v, body, digest, erased, chain, at, seal)
        VALUES (v_id, p_project, v_last, v_device, v_dseq, v_author, CASE WHEN p_is_relay THEN p_me END, v_kind, v_op,
            v_entity, v_reg, string_to_array(v_parents, ',')::uuid[], o_hlc, v_v,
            CASE WHEN v_is_stub THEN cd.stub(v_kind, v_op, v_body) ELSE v_body END, v_digest, v_is_stub, v_chain, v_now,
            -- The key is before and around it all. Places are two words, and all others one.
            substr(sha256(v_outer || sha256(v_inner || convert_to(
                concat_ws(' ', p_project, v_id, v_device, v_dseq, v_author, v_kind, v_op, v_entity, v_reg, v_parents,
                    o_hlc, v_v, v_place, encode(v_digest, 'hex')), 'UTF8'))), 1, 16));
        IF v_rule.effect = 'erase' THEN
            PERFORM cd.erase(p_project, v_body);
            v_is_any_erased := true;
        ELSIF v_rule.effect = 'make' AND v_kind = 'message' AND NOT v_is_stub
            AND (strpos(v_text, 'sha256') > 0 OR v_body ? 'files')
        THEN
            INSERT INTO cd.file_use (project_id, sha256, change_id)
            SELECT DISTINCT p_project, f.sha256, v_id FROM cd.files_of(v_body) AS f (sha256) ON CONFLICT DO NOTHING;
        END IF;
        RETURN NEXT;
    END LOOP;
    IF v_last > v_first THEN
        UPDATE cd.project_head h SET seq = v_last, chain = v_chain, day = v_today, bytes = v_project_bytes + v_bytes
        WHERE h.project_id = p_project;
        PERFORM cd.use_up(p_project, p_me, v_bytes, 0, v_last - v_first);
    END IF;
END
$$;
