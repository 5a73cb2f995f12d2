-- How changes get into a log. One status a row, in this order of questions, and no row stops the others:
--   denied    malformed, or not of what may be written here at all
--   dup       the same change is there; with its number
--   id_taken  something else has this id
--   forked    another change has this place in the device's sequence
--   too_big   the body is over the limit
--   denied    a viewer's
--   orphan    what it changes, or hangs below, is not in this project
--   id_taken  a thing with this id exists
--   denied    not one's own, and no right on others'
--   ok        entered; with its number and stamp
--
-- Each change that is taken gets a seal: a keyed hash of all that it says, who made it and where, which only this server
-- can make. Members keep it with the change, and it proves the change when they bring it back after a restore. In relay,
-- a change with its seal is taken as what it is, whatever its author may do by now: it was permitted when it was made.
-- One without, or that says anything else, is nobody's but the caller's: theirs as author, under a device of its own,
-- with the rights that they have.

-- In the one form that ids have here. Without search_path, and with a body that was read when it was made, it becomes part
-- of what calls it; one regular expression for all of it would take ten times as long.
CREATE FUNCTION cd.is_uuid(p_text text) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN p_text LIKE '________-____-____-____-____________' AND p_text !~ '[^0-9a-f-]'
    AND length(replace(p_text, '-', '')) = 32;

CREATE FUNCTION cd.enter(p_project uuid, p_me uuid, p_device uuid, p_is_relay boolean, p_rows jsonb)
RETURNS TABLE (o_id text, o_status text, o_seq bigint, o_hlc bigint)
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    c_number CONSTANT text := '^[0-9]{1,18}$';
    c_max_body CONSTANT integer := 1500000;  -- clients stop at 1,000,000 bytes of text
    v_role text;
    v_rank integer;
    v_first bigint;
    v_last bigint;
    v_now bigint;
    v_chain bytea;
    v_inner bytea;
    v_outer bytea;
    v_is_sealed boolean := false;
    v_row jsonb;
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
    v_thing cd.entity%ROWTYPE;
    v_thread text;
    v_parent text;
BEGIN
    IF jsonb_typeof(p_rows) IS DISTINCT FROM 'array' THEN
        RAISE EXCEPTION 'rows have to be an array' USING ERRCODE = 'CD009';
    ELSIF jsonb_array_length(p_rows) > 1000 THEN
        RAISE EXCEPTION 'at most 1000 rows' USING ERRCODE = 'CD009';
    END IF;
    v_role := cd.need_role(p_project, p_me);  -- before the lock: strangers wait for nothing and hold up nobody
    SELECT h.seq, h.chain INTO v_last, v_chain FROM cd.project_head h WHERE h.project_id = p_project FOR UPDATE;
    v_role := cd.need_role(p_project, p_me);  -- and after it: the member may have been removed meanwhile
    v_rank := cd.rank(v_role);
    v_first := v_last;
    v_now := cd.now_ms();
    SELECT k.inner_key, k.outer_key INTO STRICT v_inner, v_outer FROM cd.seal_key k;
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
            AND v_kind IN ('project', 'thread', 'message', 'summary')
            AND v_op IN ('new', 'edit', 'del')
            AND v_reg ~ '^[a-z0-9_.-]{1,120}$'
            AND v_parents <> '?'
            AND (v_body IS NULL OR jsonb_typeof(v_body) = 'object')
            AND (NOT p_is_relay OR (cd.is_uuid(v_row ->> 'device') AND cd.is_uuid(v_row ->> 'author')))
            -- A message is what was sent: it is deleted and brought back, never rewritten.
            AND NOT (v_kind = 'message' AND v_op = 'edit' AND v_reg = 'content' AND v_body IS NOT NULL)
            AND NOT (v_kind = 'project' AND v_op = 'del')
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

        SELECT * INTO v_known FROM cd.change c WHERE c.id = v_id;
        IF FOUND THEN
            IF (v_known.project_id, v_known.kind, v_known.op, v_known.entity_id, v_known.reg)
                IS NOT DISTINCT FROM (p_project, v_kind, v_op, v_entity, v_reg)
            THEN
                o_status := 'dup';
                o_seq := v_known.seq;
                o_hlc := v_known.hlc;
            ELSE
                o_status := 'id_taken';
            END IF;
            RETURN NEXT;
            CONTINUE;
        END IF;

        IF p_is_relay THEN
            v_device := (v_row ->> 'device')::uuid;
            v_author := (v_row ->> 'author')::uuid;
            v_is_sealed := coalesce(v_row ->> 'seal' = encode(substr(sha256(v_outer || sha256(v_inner || convert_to(
                concat_ws(' ', p_project, v_id, v_device, v_dseq, v_author, v_kind, v_op, v_entity, v_reg, v_parents,
                    v_hlc, v_v, v_body), 'UTF8'))), 1, 16), 'hex'), false);
            IF NOT v_is_sealed THEN
                v_author := p_me;
            END IF;
        END IF;
        PERFORM FROM cd.change c WHERE c.device_id = v_device AND c.dseq = v_dseq;
        IF FOUND OR (p_is_relay AND NOT v_is_sealed) THEN
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
        ELSIF v_rank < 2 THEN
            RETURN NEXT;
            CONTINUE;
        END IF;

        SELECT * INTO v_thing FROM cd.entity e WHERE e.id = v_entity;
        IF v_op = 'new' THEN
            v_thread := NULL;
            IF v_kind = 'project' THEN
                IF v_entity IS DISTINCT FROM p_project OR (v_rank < 3 AND NOT v_is_sealed) THEN
                    RETURN NEXT;
                    CONTINUE;
                END IF;
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
            IF v_thing.id IS NOT NULL THEN
                o_status := 'id_taken';
                RETURN NEXT;
                CONTINUE;
            END IF;
            INSERT INTO cd.entity (id, project_id, kind, thread_id, created_by)
            VALUES (v_entity, p_project, v_kind, v_thread::uuid, v_author);
        ELSE
            IF v_thing.project_id IS DISTINCT FROM p_project THEN
                o_status := 'orphan';
                RETURN NEXT;
                CONTINUE;
            END IF;
            IF (v_thing.kind = v_kind AND (
                v_rank >= 3 OR v_is_sealed
                OR (v_kind <> 'project' AND v_thing.created_by = p_me)
                OR (v_kind IN ('thread', 'summary') AND v_op = 'edit' AND v_reg LIKE 'lww.%')
            )) IS NOT TRUE THEN
                RETURN NEXT;
                CONTINUE;
            END IF;
        END IF;

        v_last := v_last + 1;
        o_status := 'ok';
        o_seq := v_last;
        o_hlc := least(v_hlc, (v_now + 60000) << 16)::bigint;
        v_chain := sha256(v_chain || uuid_send(v_id) || uuid_send(v_device) || int8send(v_dseq) || int8send(o_hlc));
        INSERT INTO cd.change (id, project_id, seq, device_id, dseq, author, relayed_by, kind, op, entity_id, reg,
            parents, hlc, v, body, chain, at, seal)
        VALUES (v_id, p_project, v_last, v_device, v_dseq, v_author, CASE WHEN p_is_relay THEN p_me END, v_kind, v_op,
            v_entity, v_reg, string_to_array(v_parents, ',')::uuid[], o_hlc, v_v, v_body, v_chain, v_now,
            -- No part but the last holds a blank, and the key is before and around it all.
            substr(sha256(v_outer || sha256(v_inner || convert_to(
                concat_ws(' ', p_project, v_id, v_device, v_dseq, v_author, v_kind, v_op, v_entity, v_reg, v_parents,
                    o_hlc, v_v, v_body), 'UTF8'))), 1, 16));
        RETURN NEXT;
    END LOOP;
    IF v_last > v_first THEN
        UPDATE cd.project_head h SET seq = v_last, chain = v_chain WHERE h.project_id = p_project;
    END IF;
END
$$;

-- Own changes, by the device that made them. Called as a statement of its own, so that the lock is short.
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
    RETURN QUERY SELECT * FROM cd.enter(p_project, v_me, p_device, false, p_rows);
END
$$;

-- Others' changes that the server lost; each row names its device and author and has its seal, and who brought it back is
-- kept with it. Nobody says or does anything in another's name: only what that member did, and this server took, is theirs.
CREATE FUNCTION cd.relay(p_project uuid, p_device uuid, p_proto integer, p_rows jsonb)
RETURNS TABLE (o_id text, o_status text, o_seq bigint, o_hlc bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
SET lock_timeout = '5s' SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    PERFORM cd.need_proto(p_proto);
    PERFORM cd.need_device(p_device, v_me);
    RETURN QUERY SELECT * FROM cd.enter(p_project, v_me, p_device, true, p_rows);
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
