-- Sets up a workspace of ChatDesk in an empty database, as the app does. Made from migrations/team; do not edit.
--
-- Run by the login that owns the database and has CREATEROLE (no superuser is needed), with psql 15 or newer:
--
--   psql "host=db.example.org dbname=team user=team_owner sslmode=verify-full" \
--     -v workspace_id=$(uuidgen | tr A-Z a-z) -v workspace_name="Desk" -v member_name="Olga" \
--     -v login=olga -v verifier="$(cat verifier.txt)" -f setup.sql
--
-- login: lower-case letters, digits and _, at least 4. verifier: of the first member's password, as
-- 'SCRAM-SHA-256$...' (what CREATE ROLE stores; psql's \password makes one), so that no password stands in a log.

\set ON_ERROR_STOP on
BEGIN;
SET LOCAL lock_timeout = '10s';
SELECT pg_advisory_xact_lock(73960750661965);
SELECT set_config('chatdesk.prefix', 'cd_' || right(:'workspace_id', 6), true) AS prefix \gset
SELECT set_config('chatdesk.workspace_id', :'workspace_id', true);
SELECT set_config('chatdesk.workspace_name', :'workspace_name', true);
SELECT set_config('chatdesk.member_name', :'member_name', true);
SELECT set_config('chatdesk.login', :'prefix' || '_' || :'login', true) AS login_of_the_owner;
SELECT set_config('chatdesk.verifier', :'verifier', true) IS NOT NULL AS has_verifier;

-- Before the first migration, in its transaction: the role that owns everything, and the schema.
-- Settings of the transaction: chatdesk.prefix (begins the names of all roles of this workspace, cd_ and six hex digits).

DO $$
DECLARE
    v_prefix text := current_setting('chatdesk.prefix');
    v_owner text := v_prefix || '_owner';
BEGIN
    IF v_prefix !~ '^cd_[0-9a-f]{6}$' THEN
        RAISE EXCEPTION 'chatdesk.prefix has to be cd_ and six hex digits' USING ERRCODE = 'CD009';
    END IF;
    EXECUTE format('CREATE ROLE %I NOLOGIN CREATEROLE', v_owner);
    EXECUTE format('GRANT %I TO CURRENT_USER', v_owner);
    -- Nobody but members connects, and nobody makes temporary tables, which could stand before ours.
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    EXECUTE format('CREATE SCHEMA cd AUTHORIZATION %I', v_owner);
    EXECUTE format('SET LOCAL ROLE %I', v_owner);
    EXECUTE format('CREATE ROLE %I NOLOGIN', v_prefix);
END
$$;

CREATE TABLE cd.alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 0001

-- The log of each project, who may read and write it, and what is needed to check that. Times in milliseconds UTC are
-- bigint; the others are timestamps. Nobody writes here but the functions of this schema.

CREATE TABLE cd.meta (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    workspace_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    schema_version integer NOT NULL DEFAULT 1,
    min_read integer NOT NULL DEFAULT 1,
    min_write integer NOT NULL DEFAULT 1,
    grp name NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE cd.member (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    role_name name NOT NULL UNIQUE,
    display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 200),
    is_owner boolean NOT NULL DEFAULT false,
    status text NOT NULL DEFAULT 'invited' CHECK (status IN ('invited', 'active', 'removed')),
    channel text NOT NULL UNIQUE DEFAULT 'cd_' || replace(gen_random_uuid()::text, '-', ''),
    invited_by uuid REFERENCES cd.member,
    invited_at timestamptz NOT NULL DEFAULT now(),
    valid_until timestamptz,
    accepted_at timestamptz,
    removed_at timestamptz
);

CREATE TABLE cd.device (
    id uuid PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES cd.member,
    name text NOT NULL,
    app_version text NOT NULL,
    last_seen timestamptz NOT NULL DEFAULT now(),
    acked jsonb NOT NULL DEFAULT '{}',
    removed_at timestamptz
);

CREATE INDEX device_member ON cd.device (member_id);

CREATE TABLE cd.project (
    id uuid PRIMARY KEY,
    channel text NOT NULL UNIQUE DEFAULT 'cd_' || replace(gen_random_uuid()::text, '-', ''),
    created_by uuid NOT NULL REFERENCES cd.member,
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    deleted_by uuid REFERENCES cd.member
);

-- The row that every push of a project locks: numbers are given in the order in which pushes are committed.
CREATE TABLE cd.project_head (
    project_id uuid PRIMARY KEY REFERENCES cd.project,
    seq bigint NOT NULL DEFAULT 0,
    chain bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex')
) WITH (fillfactor = 20);

-- Without a role: was a member once; those who stay may still know the name of who wrote.
CREATE TABLE cd.project_member (
    project_id uuid NOT NULL REFERENCES cd.project,
    member_id uuid NOT NULL REFERENCES cd.member,
    role text CHECK (role IN ('viewer', 'editor', 'admin', 'owner')),
    added_by uuid REFERENCES cd.member,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, member_id)
);

CREATE INDEX project_member_member ON cd.project_member (member_id);

-- With what the server seals each change that it takes (see cd.enter); nobody reads it but the functions of this schema.
-- Made once and part of every backup, so that a restored server knows what it took after the backup was made.
CREATE TABLE cd.seal_key (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    inner_key bytea NOT NULL CHECK (octet_length(inner_key) = 64),
    outer_key bytea NOT NULL CHECK (octet_length(outer_key) = 64)
);

-- 64 bytes each, of 488 random bits: a UUID has 122, and one sha256 takes two.
INSERT INTO cd.seal_key (inner_key, outer_key)
SELECT
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
        || sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
        || sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- What exists, for checks only: nobody reads it.
-- Here and in the log no key refers to the project: rows come only through a function that has just looked it up, no
-- project is ever removed, and the two checks were a fifth of a push.
CREATE TABLE cd.entity (
    id uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    kind text NOT NULL,
    thread_id uuid,
    created_by uuid NOT NULL
);

CREATE TABLE cd.change (
    id uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    seq bigint NOT NULL,
    device_id uuid NOT NULL,
    dseq bigint NOT NULL,
    author uuid NOT NULL,
    relayed_by uuid,
    kind text NOT NULL,
    op text NOT NULL CHECK (op IN ('new', 'edit', 'del')),
    entity_id uuid NOT NULL,
    reg text NOT NULL,
    parents uuid[] NOT NULL,
    hlc bigint NOT NULL,
    v smallint NOT NULL,
    body jsonb,
    chain bytea NOT NULL,
    at bigint NOT NULL,
    seal bytea NOT NULL,
    UNIQUE (project_id, seq),
    UNIQUE (device_id, dseq)
);

-- Attached files in pieces, by the hash of the whole, for each project apart, so that nobody learns what others have.
CREATE TABLE cd.blob_chunk (
    project_id uuid NOT NULL REFERENCES cd.project,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    idx integer NOT NULL CHECK (idx >= 0 AND idx < total),
    total integer NOT NULL CHECK (total BETWEEN 1 AND 1024),
    data bytea NOT NULL CHECK (octet_length(data) <= 1048576),
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, sha256, idx),
    CHECK (total > 1 OR encode(sha256(data), 'hex') = sha256)
);

-- Pieces hardly compress, and reading a part of one would have to unpack all of it.
ALTER TABLE cd.blob_chunk ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE UNLOGGED TABLE cd.presence (
    project_id uuid NOT NULL REFERENCES cd.project,
    device_id uuid NOT NULL,
    member_id uuid NOT NULL REFERENCES cd.member,
    thread_id uuid,
    state text NOT NULL CHECK (state IN ('here', 'typing')),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, device_id)
);

-- Who asks, and what of it they may see. A member is who logged in (session_user): roles that are set later, and
-- functions that run as their owner, do not change that. In plpgsql, which keeps its plans: before PostgreSQL 18 a function
-- in sql is planned at each call, and policies call these at each statement (1.2 ms instead of 0.1).

CREATE FUNCTION cd.me() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (SELECT m.id FROM cd.member m WHERE m.role_name = session_user AND m.status = 'active');
END
$$;

-- The projects that a policy lets through; asked once for each statement.
CREATE FUNCTION cd.my_projects() RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT coalesce(array_agg(p.project_id), '{}')
        FROM cd.project_member p
        JOIN cd.member m ON m.id = p.member_id
        JOIN cd.project j ON j.id = p.project_id
        WHERE m.role_name = session_user AND m.status = 'active' AND p.role IS NOT NULL AND j.deleted_at IS NULL
    );
END
$$;

-- The same and those that were deleted for all: their members learn that they are.
CREATE FUNCTION cd.my_projects_and_ended() RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT coalesce(array_agg(p.project_id), '{}')
        FROM cd.project_member p
        JOIN cd.member m ON m.id = p.member_id
        WHERE m.role_name = session_user AND m.status = 'active' AND p.role IS NOT NULL
    );
END
$$;

CREATE FUNCTION cd.my_writable() RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT coalesce(array_agg(p.project_id), '{}')
        FROM cd.project_member p
        JOIN cd.member m ON m.id = p.member_id
        JOIN cd.project j ON j.id = p.project_id
        WHERE m.role_name = session_user AND m.status = 'active' AND p.role <> 'viewer' AND j.deleted_at IS NULL
    );
END
$$;

-- Oneself, who is or was in a project that one is in, and for owners of the workspace everybody.
CREATE FUNCTION cd.my_peers() RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT coalesce(array_agg(m.id), '{}')
        FROM cd.member m
        JOIN cd.member i ON i.role_name = session_user AND i.status = 'active'
        WHERE i.is_owner OR m.id = i.id OR EXISTS (
            SELECT FROM cd.project_member theirs
            JOIN cd.project_member mine ON mine.project_id = theirs.project_id
            WHERE theirs.member_id = m.id AND mine.member_id = i.id AND mine.role IS NOT NULL
        )
    );
END
$$;

CREATE FUNCTION cd.is_workspace_owner() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT EXISTS (
            SELECT FROM cd.member m WHERE m.role_name = session_user AND m.status = 'active' AND m.is_owner
        )
    );
END
$$;

CREATE FUNCTION cd.now_ms() RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
END
$$;

-- viewer 1, editor 2, admin 3, owner 4; nothing 0; anything else NULL
CREATE FUNCTION cd.rank(p_role text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (SELECT CASE WHEN p_role IS NULL THEN 0 ELSE array_position('{viewer,editor,admin,owner}'::text[], p_role) END);
END
$$;

-- The caller as an active member. CD002: no member (any more); CD003: invited, and did not accept.
CREATE FUNCTION cd.need_me() RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_id uuid;
    v_status text;
BEGIN
    SELECT m.id, m.status INTO v_id, v_status FROM cd.member m WHERE m.role_name = session_user;
    IF v_status IS NOT DISTINCT FROM 'invited' THEN
        RAISE EXCEPTION 'the invitation was not accepted' USING ERRCODE = 'CD003';
    ELSIF v_status IS DISTINCT FROM 'active' THEN
        RAISE EXCEPTION 'no member of this workspace' USING ERRCODE = 'CD002';
    END IF;
    RETURN v_id;
END
$$;

-- The caller's role in a project. CD004: deleted by its owner; CD005: not in it, or there is none.
CREATE FUNCTION cd.need_role(p_project uuid, p_me uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_role text;
    v_deleted timestamptz;
BEGIN
    SELECT p.role, j.deleted_at INTO v_role, v_deleted
    FROM cd.project_member p
    JOIN cd.project j ON j.id = p.project_id
    JOIN cd.member m ON m.id = p.member_id
    WHERE p.project_id = p_project AND p.member_id = p_me AND m.status = 'active';
    IF v_role IS NULL THEN
        RAISE EXCEPTION 'not in this project' USING ERRCODE = 'CD005';
    ELSIF v_deleted IS NOT NULL THEN
        RAISE EXCEPTION 'the project was deleted' USING ERRCODE = 'CD004';
    END IF;
    RETURN v_role;
END
$$;

-- CD001: this protocol may not write any more. Returns what the protocol may do: rw, read_only, blocked.
CREATE FUNCTION cd.mode(p_proto integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT CASE
            WHEN p_proto IS NULL OR p_proto < t.min_read THEN 'blocked'
            WHEN p_proto < t.min_write THEN 'read_only'
            ELSE 'rw'
        END
        FROM cd.meta t
    );
END
$$;

CREATE FUNCTION cd.need_proto(p_proto integer) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    IF cd.mode(p_proto) IS DISTINCT FROM 'rw' THEN
        RAISE EXCEPTION 'protocol % may not write', p_proto USING ERRCODE = 'CD001';
    END IF;
END
$$;

-- CD006: the device is not known, somebody else's, or was removed.
CREATE FUNCTION cd.need_device(p_device uuid, p_me uuid) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM FROM cd.device d WHERE d.id = p_device AND d.member_id = p_me AND d.removed_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not a device of this member' USING ERRCODE = 'CD006';
    END IF;
END
$$;

-- A name as a person gave it, without what cannot be seen. CD009: nothing is left, or too much.
CREATE FUNCTION cd.clean_name(p_name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_name text := btrim(regexp_replace(coalesce(p_name, ''), '[[:cntrl:]]+', ' ', 'g'));
BEGIN
    IF length(v_name) NOT BETWEEN 1 AND 200 THEN
        RAISE EXCEPTION 'a name has 1 to 200 characters' USING ERRCODE = 'CD009';
    END IF;
    RETURN v_name;
END
$$;

CREATE FUNCTION cd.tell(p_project uuid, p_what text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM pg_notify(j.channel, p_what) FROM cd.project j WHERE j.id = p_project;
END
$$;

CREATE FUNCTION cd.tell_member(p_member uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM pg_notify(m.channel, 'c:0') FROM cd.member m WHERE m.id = p_member;
END
$$;

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

-- The first call of a connection: registers the device and says how things stand. Where the protocol is too old to
-- read, nothing is written. CD002, CD003: see need_me; CD006: the device is another member's.
CREATE FUNCTION cd.hello(p_device uuid, p_name text, p_app_version text, p_proto integer) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_mode text := cd.mode(p_proto);
BEGIN
    IF v_mode <> 'blocked' THEN
        PERFORM FROM cd.device d WHERE d.id = p_device;
        IF NOT FOUND AND (SELECT count(*) FROM cd.device d WHERE d.member_id = v_me AND d.removed_at IS NULL) >= 200 THEN
            RAISE EXCEPTION 'too many devices' USING ERRCODE = 'CD009';
        END IF;
        INSERT INTO cd.device AS d (id, member_id, name, app_version)
        VALUES (p_device, v_me, cd.clean_name(left(p_name, 200)), left(coalesce(p_app_version, ''), 50))
        ON CONFLICT (id) DO UPDATE
        SET name = excluded.name, app_version = excluded.app_version, last_seen = now(), removed_at = NULL
        WHERE d.member_id = v_me;
        PERFORM cd.need_device(p_device, v_me);
    END IF;
    RETURN (
        SELECT jsonb_build_object(
            'workspace_id', t.workspace_id, 'workspace_name', t.name, 'schema', t.schema_version, 'mode', v_mode,
            'member_id', m.id, 'member_name', m.display_name, 'is_owner', m.is_owner, 'channel', m.channel,
            'server_time_ms', cd.now_ms()
        )
        FROM cd.meta t, cd.member m WHERE m.id = v_me
    );
END
$$;

-- For whoever has a login, invited or not yet: which workspace this is, and what it speaks.
CREATE FUNCTION cd.workspace() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
    SELECT jsonb_build_object('workspace_id', t.workspace_id, 'workspace_name', t.name, 'schema', t.schema_version,
        'min_read', t.min_read, 'min_write', t.min_write, 'group', t.grp)
    FROM cd.meta t
    WHERE EXISTS (SELECT FROM cd.member m WHERE m.role_name = session_user AND m.status <> 'removed')
$$;

-- How far a device has pulled, as {project: number}; for clearing up only.
CREATE FUNCTION cd.acknowledge(p_device uuid, p_seqs jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    PERFORM cd.need_device(p_device, v_me);
    IF jsonb_typeof(p_seqs) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'numbers by project' USING ERRCODE = 'CD009';
    END IF;
    UPDATE cd.device d
    SET last_seen = now(), acked = (
        SELECT coalesce(jsonb_object_agg(entry.key, entry.value), '{}')
        FROM jsonb_each(d.acked || p_seqs) AS entry
        WHERE entry.key = ANY (SELECT unnest(cd.my_projects())::text) AND jsonb_typeof(entry.value) = 'number'
    )
    WHERE d.id = p_device;
END
$$;

-- A project that is shared from now on; repeated by the same member it changes nothing. One that they deleted is there
-- again with its log, for them alone. CD010: it is another member's.
CREATE FUNCTION cd.create_project(p_project uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_deleted timestamptz;
    v_role text;
BEGIN
    INSERT INTO cd.project (id, created_by) VALUES (p_project, v_me) ON CONFLICT (id) DO NOTHING;
    IF FOUND THEN
        INSERT INTO cd.project_head (project_id) VALUES (p_project);
        INSERT INTO cd.project_member (project_id, member_id, role, added_by) VALUES (p_project, v_me, 'owner', v_me);
        PERFORM cd.tell_member(v_me);
        RETURN;
    END IF;
    PERFORM FROM cd.project_head h WHERE h.project_id = p_project FOR UPDATE;
    SELECT j.deleted_at, p.role INTO v_deleted, v_role
    FROM cd.project j LEFT JOIN cd.project_member p ON p.project_id = j.id AND p.member_id = v_me
    WHERE j.id = p_project;
    IF v_role IS DISTINCT FROM 'owner' THEN
        RAISE EXCEPTION 'the project is another member''s' USING ERRCODE = 'CD010';
    END IF;
    IF v_deleted IS NOT NULL THEN
        UPDATE cd.project_member p SET role = NULL WHERE p.project_id = p_project AND p.member_id <> v_me;
        UPDATE cd.project j SET deleted_at = NULL, deleted_by = NULL,
            channel = 'cd_' || replace(gen_random_uuid()::text, '-', '')
        WHERE j.id = p_project;
    END IF;
END
$$;

-- By its owner, for all; the log is kept. CD007: not the owner.
CREATE FUNCTION cd.end_project(p_project uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    IF cd.need_role(p_project, v_me) <> 'owner' THEN
        RAISE EXCEPTION 'only owners end a project' USING ERRCODE = 'CD007';
    END IF;
    PERFORM FROM cd.project_head h WHERE h.project_id = p_project FOR UPDATE;
    UPDATE cd.project j SET deleted_at = now(), deleted_by = v_me WHERE j.id = p_project;
    DELETE FROM cd.presence p WHERE p.project_id = p_project;
    PERFORM cd.tell(p_project, 'c:0');
END
$$;

-- Takes a role away or gives one, when it was checked that this may be done. Those who stay listen on a new channel.
CREATE FUNCTION cd.change_role(p_project uuid, p_member uuid, p_role text, p_by uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    INSERT INTO cd.project_member AS p (project_id, member_id, role, added_by)
    VALUES (p_project, p_member, p_role, p_by)
    ON CONFLICT (project_id, member_id) DO UPDATE SET role = excluded.role, added_by = excluded.added_by;
    PERFORM cd.tell(p_project, 'c:0');
    PERFORM cd.tell_member(p_member);
    IF p_role IS NULL THEN
        DELETE FROM cd.presence p WHERE p.project_id = p_project AND p.member_id = p_member;
        UPDATE cd.project j SET channel = 'cd_' || replace(gen_random_uuid()::text, '-', '') WHERE j.id = p_project;
    END IF;
END
$$;

-- Who was invited as an owner and never came does not count.
CREATE FUNCTION cd.is_last_owner(p_project uuid, p_member uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = cd, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM cd.project_member p
        WHERE p.project_id = p_project AND p.role = 'owner' AND p.member_id = p_member
    ) AND NOT EXISTS (
        SELECT FROM cd.project_member p JOIN cd.member m ON m.id = p.member_id AND m.status = 'active'
        WHERE p.project_id = p_project AND p.role = 'owner' AND p.member_id <> p_member
    )
$$;

-- Whether somebody of this rank may turn one role into another: owners all; admins what is below themselves.
CREATE FUNCTION cd.may_grant(p_mine text, p_from text, p_to text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = cd, pg_temp
AS $$
    SELECT coalesce(
        p_mine = 'owner' OR (p_mine = 'admin' AND cd.rank(p_from) < 3 AND cd.rank(p_to) < 3), false
    )
$$;

-- NULL removes the member from the project. CD007: the role does not permit it; CD008: an owner has to remain.
CREATE FUNCTION cd.set_role(p_project uuid, p_member uuid, p_role text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_mine text;
    v_now text;
BEGIN
    v_mine := cd.need_role(p_project, v_me);
    PERFORM FROM cd.project_head h WHERE h.project_id = p_project FOR UPDATE;
    v_mine := cd.need_role(p_project, v_me);
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
    PERFORM cd.change_role(p_project, p_member, p_role, v_me);
END
$$;

-- CD008: the last owner gives it to somebody first, or ends it.
CREATE FUNCTION cd.leave_project(p_project uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    PERFORM cd.need_role(p_project, v_me);
    PERFORM FROM cd.project_head h WHERE h.project_id = p_project FOR UPDATE;
    IF cd.is_last_owner(p_project, v_me) THEN
        RAISE EXCEPTION 'an owner has to remain' USING ERRCODE = 'CD008';
    END IF;
    PERFORM cd.change_role(p_project, v_me, NULL, v_me);
END
$$;

-- A role that may connect and is of the members' group; its password is only ever known as its verifier.
CREATE FUNCTION cd.make_login(p_role_name text, p_verifier text, p_valid_until text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    IF p_role_name !~ '^cd_[0-9a-f]{6}_[a-z0-9_]{4,40}$' OR p_role_name LIKE '%\_owner' OR p_role_name IS NULL THEN
        RAISE EXCEPTION 'not the name of a member''s login' USING ERRCODE = 'CD009';
    END IF;
    PERFORM cd.need_verifier(p_verifier);
    EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L VALID UNTIL %L CONNECTION LIMIT 16', p_role_name, p_verifier,
        p_valid_until);
    EXECUTE format('GRANT %I TO %I', (SELECT t.grp FROM cd.meta t), p_role_name);
END
$$;

CREATE FUNCTION cd.need_verifier(p_verifier text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    IF (p_verifier ~ '^SCRAM-SHA-256\$[0-9]{4,7}:[A-Za-z0-9+/]{16,128}={0,2}\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$')
        IS NOT TRUE
    THEN
        RAISE EXCEPTION 'not a SCRAM-SHA-256 verifier' USING ERRCODE = 'CD009';
    END IF;
END
$$;

-- By an owner of the workspace, or by whoever may give all these roles ({project: role}, at least one). Returns the new
-- member's id. CD007: may not; CD009: a name, time or role that cannot be; CD010: the login exists.
CREATE FUNCTION cd.invite(p_role_name text, p_verifier text, p_display_name text, p_roles jsonb,
    p_valid_until timestamptz) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_new uuid;
    v_given record;
BEGIN
    IF jsonb_typeof(p_roles) IS DISTINCT FROM 'object' OR p_valid_until IS NULL OR p_valid_until < now()
        OR p_valid_until > now() + interval '60 days'
    THEN
        RAISE EXCEPTION 'roles by project, and at most 60 days' USING ERRCODE = 'CD009';
    ELSIF p_roles = '{}' AND NOT cd.is_workspace_owner() THEN
        RAISE EXCEPTION 'only owners of the workspace invite without a project' USING ERRCODE = 'CD007';
    END IF;
    BEGIN
        PERFORM cd.make_login(p_role_name, p_verifier, p_valid_until::text);
    EXCEPTION WHEN duplicate_object THEN
        RAISE EXCEPTION 'the login exists' USING ERRCODE = 'CD010';
    END;
    INSERT INTO cd.member (role_name, display_name, invited_by, valid_until)
    VALUES (p_role_name, cd.clean_name(p_display_name), v_me, p_valid_until)
    RETURNING id INTO v_new;
    FOR v_given IN SELECT r.key::uuid AS project, r.value AS role FROM jsonb_each_text(p_roles) AS r ORDER BY 1 LOOP
        PERFORM FROM cd.project_head h
        WHERE h.project_id = v_given.project AND h.project_id = ANY (cd.my_projects()) FOR UPDATE;
        IF cd.rank(v_given.role) IS NULL OR v_given.role IS NULL THEN
            RAISE EXCEPTION 'there is no such role' USING ERRCODE = 'CD009';
        ELSIF NOT cd.may_grant(cd.need_role(v_given.project, v_me), NULL, v_given.role) THEN
            RAISE EXCEPTION 'the role does not permit this' USING ERRCODE = 'CD007';
        END IF;
        PERFORM cd.change_role(v_given.project, v_new, v_given.role, v_me);
    END LOOP;
    RETURN v_new;
END
$$;

-- By the one who was invited: a name, a password of their own (as its verifier), and no end. Once: whoever else holds the
-- invitation, and came in before it was used, must not set the password anew. CD002: no member; CD003: the invitation has
-- ended; CD011: it was used.
CREATE FUNCTION cd.accept_invite(p_display_name text, p_verifier text) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_member cd.member%ROWTYPE;
BEGIN
    SELECT * INTO v_member FROM cd.member m WHERE m.role_name = session_user FOR UPDATE;
    IF v_member.id IS NULL OR v_member.status = 'removed' THEN
        RAISE EXCEPTION 'no member of this workspace' USING ERRCODE = 'CD002';
    ELSIF v_member.status = 'invited' AND v_member.valid_until < now() THEN
        RAISE EXCEPTION 'the invitation has ended' USING ERRCODE = 'CD003';
    ELSIF v_member.status = 'active' THEN
        RAISE EXCEPTION 'the invitation was used' USING ERRCODE = 'CD011';
    END IF;
    PERFORM cd.need_verifier(p_verifier);
    UPDATE cd.member m
    SET status = 'active', display_name = cd.clean_name(p_display_name), accepted_at = coalesce(m.accepted_at, now())
    WHERE m.id = v_member.id;
    EXECUTE format('ALTER ROLE %I PASSWORD %L VALID UNTIL ''infinity''', v_member.role_name, p_verifier);
    PERFORM cd.tell(p.project_id, 'c:0') FROM cd.project_member p
    WHERE p.member_id = v_member.id AND p.role IS NOT NULL;
    RETURN v_member.id;
END
$$;

CREATE FUNCTION cd.change_password(p_verifier text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    PERFORM cd.need_verifier(p_verifier);
    EXECUTE format('ALTER ROLE %I PASSWORD %L', (SELECT m.role_name FROM cd.member m WHERE m.id = v_me), p_verifier);
END
$$;

CREATE FUNCTION cd.rename_me(p_name text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    UPDATE cd.member m SET display_name = cd.clean_name(p_name) WHERE m.id = v_me;
    PERFORM cd.tell(p.project_id, 'c:0') FROM cd.project_member p WHERE p.member_id = v_me AND p.role IS NOT NULL;
END
$$;

CREATE FUNCTION cd.rename_workspace(p_name text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM cd.need_me();
    IF NOT cd.is_workspace_owner() THEN
        RAISE EXCEPTION 'only owners of the workspace' USING ERRCODE = 'CD007';
    END IF;
    UPDATE cd.meta t SET name = cd.clean_name(p_name) WHERE t.one;
END
$$;

-- Off the list, one's own device, or by an owner of the workspace anybody's. It can say hello again: who has the password
-- is let in, and only a new one keeps them out.
CREATE FUNCTION cd.remove_device(p_device uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    UPDATE cd.device d SET removed_at = coalesce(d.removed_at, now())
    WHERE d.id = p_device AND (d.member_id = v_me OR cd.is_workspace_owner());
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not a device of this member' USING ERRCODE = 'CD006';
    END IF;
    DELETE FROM cd.presence p WHERE p.device_id = p_device;
END
$$;

-- Another owner of the workspace, or one less; somebody has to remain.
CREATE FUNCTION cd.set_workspace_owner(p_member uuid, p_is_owner boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
BEGIN
    PERFORM cd.need_me();
    PERFORM FROM cd.meta t WHERE t.one FOR UPDATE;
    IF NOT cd.is_workspace_owner() THEN
        RAISE EXCEPTION 'only owners of the workspace' USING ERRCODE = 'CD007';
    END IF;
    UPDATE cd.member m SET is_owner = p_is_owner WHERE m.id = p_member AND m.status = 'active';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no such member' USING ERRCODE = 'CD009';
    END IF;
    PERFORM FROM cd.member m WHERE m.is_owner AND m.status = 'active';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'an owner has to remain' USING ERRCODE = 'CD008';
    END IF;
END
$$;

-- Out of the workspace, at once: the login is closed, projects go on without them. Where they were the only owner, the
-- one with the most rights, of these the oldest, becomes owner; with nobody left the project ends. By owners of the
-- workspace; anybody may remove themselves, unless they are its last owner.
CREATE FUNCTION cd.remove_member(p_member uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_gone cd.member%ROWTYPE;
    v_project uuid;
    v_heir uuid;
BEGIN
    PERFORM FROM cd.meta t WHERE t.one FOR UPDATE;
    IF p_member IS DISTINCT FROM v_me AND NOT cd.is_workspace_owner() THEN
        RAISE EXCEPTION 'only owners of the workspace' USING ERRCODE = 'CD007';
    END IF;
    SELECT * INTO v_gone FROM cd.member m WHERE m.id = p_member;
    IF v_gone.id IS NULL THEN
        RAISE EXCEPTION 'there is no such member' USING ERRCODE = 'CD009';
    ELSIF v_gone.is_owner AND NOT EXISTS (
        SELECT FROM cd.member m WHERE m.is_owner AND m.status = 'active' AND m.id <> p_member
    ) THEN
        RAISE EXCEPTION 'an owner has to remain' USING ERRCODE = 'CD008';
    END IF;
    FOR v_project IN
        SELECT p.project_id FROM cd.project_member p
        WHERE p.member_id = p_member AND p.role IS NOT NULL ORDER BY p.project_id
    LOOP
        -- After this, no push of theirs is entered: one that is under way ends first, one that waits finds no role.
        PERFORM FROM cd.project_head h WHERE h.project_id = v_project FOR UPDATE;
        IF cd.is_last_owner(v_project, p_member) THEN
            SELECT p.member_id INTO v_heir
            FROM cd.project_member p JOIN cd.member m ON m.id = p.member_id AND m.status = 'active'
            WHERE p.project_id = v_project AND p.member_id <> p_member AND p.role IS NOT NULL
            ORDER BY cd.rank(p.role) DESC, p.added_at, p.member_id LIMIT 1;
            IF FOUND THEN
                PERFORM cd.change_role(v_project, v_heir, 'owner', v_me);
            ELSE
                UPDATE cd.project j SET deleted_at = coalesce(j.deleted_at, now()), deleted_by = v_me
                WHERE j.id = v_project;
            END IF;
        END IF;
        PERFORM cd.change_role(v_project, p_member, NULL, v_me);
    END LOOP;
    UPDATE cd.member m SET status = 'removed', removed_at = coalesce(m.removed_at, now()), is_owner = false,
        channel = 'cd_' || replace(gen_random_uuid()::text, '-', '')
    WHERE m.id = p_member;
    EXECUTE format('ALTER ROLE %I NOLOGIN', v_gone.role_name);
    EXECUTE format('REVOKE %I FROM %I', (SELECT t.grp FROM cd.meta t), v_gone.role_name);
END
$$;

-- Ends the connections of members who were removed; called after remove_member, when that is committed: a connection
-- made in between ends as well. Returns how many there were.
CREATE FUNCTION cd.disconnect_removed() RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_one record;
    v_count integer := 0;
BEGIN
    PERFORM cd.need_me();
    FOR v_one IN
        SELECT a.pid, m.role_name FROM pg_stat_activity a JOIN cd.member m ON m.role_name = a.usename
        WHERE m.status = 'removed' AND a.datname = current_database() AND a.pid <> pg_backend_pid()
    LOOP
        -- Only who is of a role may end its connections.
        IF NOT pg_has_role(current_user, v_one.role_name, 'USAGE') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', v_one.role_name);
        END IF;
        IF pg_terminate_backend(v_one.pid) THEN
            v_count := v_count + 1;
        END IF;
    END LOOP;
    RETURN v_count;
END
$$;

-- Who is where; ends by itself after 30 s by the server's clock. Listeners are told only when something changed.
CREATE FUNCTION cd.set_presence(p_project uuid, p_device uuid, p_thread uuid, p_state text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_was cd.presence%ROWTYPE;
BEGIN
    PERFORM cd.need_role(p_project, v_me);
    PERFORM cd.need_device(p_device, v_me);
    SELECT * INTO v_was FROM cd.presence p WHERE p.project_id = p_project AND p.device_id = p_device;
    IF p_state = 'gone' THEN
        DELETE FROM cd.presence p WHERE p.project_id = p_project AND p.device_id = p_device;
    ELSIF p_state IN ('here', 'typing') THEN
        INSERT INTO cd.presence (project_id, device_id, member_id, thread_id, state, expires_at)
        VALUES (p_project, p_device, v_me, p_thread, p_state, clock_timestamp() + interval '30 seconds')
        ON CONFLICT (project_id, device_id) DO UPDATE
        SET member_id = v_me, thread_id = excluded.thread_id, state = excluded.state, expires_at = excluded.expires_at;
    ELSE
        RAISE EXCEPTION 'here, typing or gone' USING ERRCODE = 'CD009';
    END IF;
    IF v_was.state IS DISTINCT FROM nullif(p_state, 'gone') OR v_was.expires_at < clock_timestamp()
        OR (p_state <> 'gone' AND v_was.thread_id IS DISTINCT FROM p_thread)
    THEN
        PERFORM cd.tell(p_project, 'p');
    END IF;
END
$$;

-- Removes a file whose pieces do not make up what its name says, so that it can be sent again; a good one stays, whatever
-- else was put beside its pieces, and so does one that is still being sent. By whoever may write. Returns whether it was
-- removed.
CREATE FUNCTION cd.discard_broken_file(p_project uuid, p_sha256 text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_is_broken boolean;
BEGIN
    IF cd.rank(cd.need_role(p_project, cd.need_me())) < 2 THEN
        RAISE EXCEPTION 'the role does not permit this' USING ERRCODE = 'CD007';
    END IF;
    SELECT NOT bool_or(one.is_good) AND (count(*) > 1 OR bool_or(one.is_whole)) INTO v_is_broken
    FROM (
        SELECT count(*) = b.total AS is_whole,
            count(*) = b.total AND encode(sha256(string_agg(b.data, ''::bytea ORDER BY b.idx)), 'hex') = p_sha256
                AS is_good
        FROM cd.blob_chunk b WHERE b.project_id = p_project AND b.sha256 = p_sha256 GROUP BY b.total
    ) AS one;
    IF v_is_broken THEN
        DELETE FROM cd.blob_chunk b WHERE b.project_id = p_project AND b.sha256 = p_sha256;
    END IF;
    RETURN coalesce(v_is_broken, false);
END
$$;

-- What the team's answers and summaries took, for any tool that reads SQL: by project, member, model and day (UTC). A row
-- of the log counts where it came from; whoever asks sees the projects they are in, as everywhere. Numbers are what
-- vendors reported; bodies are members' words, so that anything that is no sensible number counts as nothing.

CREATE FUNCTION cd.tokens(p_value jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = cd, pg_temp
AS $$
    SELECT CASE
        WHEN jsonb_typeof(p_value) = 'number' AND p_value >= '0' AND p_value <= '1000000000'
        THEN trunc((p_value #>> '{}')::numeric)::bigint
        ELSE 0
    END
$$;

CREATE VIEW cd.team_usage WITH (security_invoker = true) AS
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
WHERE c.op = 'new' AND (c.kind = 'summary' OR (c.kind = 'message' AND c.body ->> 'role' = 'assistant'))
GROUP BY 1, 2, 3, 4, 5, 6, 7;

COMMENT ON VIEW cd.team_usage IS 'Tokens of answers and summaries by project, member, model and day (UTC).';

-- Who may what. Row-level security holds for everybody, the owner of the tables included; the functions of this schema
-- run as that owner, who is let through by a policy, and nobody is of that role.

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['meta', 'member', 'device', 'project', 'project_head', 'project_member', 'entity',
        'seal_key', 'change', 'blob_chunk', 'presence', 'alembic_version']
    LOOP
        EXECUTE format('ALTER TABLE cd.%I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE cd.%I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY functions ON cd.%I TO CURRENT_USER USING (true) WITH CHECK (true)', v_table);
    END LOOP;
END
$$;

-- (SELECT …): asked once for each statement, not for each row.
CREATE POLICY members ON cd.meta FOR SELECT USING ((SELECT cd.me()) IS NOT NULL);

CREATE POLICY peers ON cd.member FOR SELECT USING (id = ANY ((SELECT cd.my_peers())::uuid[]));

CREATE POLICY own ON cd.device FOR SELECT
    USING (member_id = (SELECT cd.me()) OR (SELECT cd.is_workspace_owner()));

CREATE POLICY mine ON cd.project FOR SELECT USING (id = ANY ((SELECT cd.my_projects_and_ended())::uuid[]));

CREATE POLICY mine ON cd.project_head FOR SELECT
    USING (project_id = ANY ((SELECT cd.my_projects_and_ended())::uuid[]));

CREATE POLICY mine ON cd.project_member FOR SELECT USING (project_id = ANY ((SELECT cd.my_projects())::uuid[]));

CREATE POLICY mine ON cd.change FOR SELECT USING (project_id = ANY ((SELECT cd.my_projects())::uuid[]));

CREATE POLICY mine ON cd.blob_chunk FOR SELECT USING (project_id = ANY ((SELECT cd.my_projects())::uuid[]));

CREATE POLICY writers ON cd.blob_chunk FOR INSERT WITH CHECK (project_id = ANY ((SELECT cd.my_writable())::uuid[]));

CREATE POLICY mine ON cd.presence FOR SELECT
    USING (project_id = ANY ((SELECT cd.my_projects())::uuid[]) AND expires_at > now());

-- Functions may be called by nobody, also those of later migrations, unless it is said here.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA cd FROM PUBLIC;

DO $$
DECLARE
    v_group text := current_setting('chatdesk.prefix');
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA cd TO %I', v_group);
    EXECUTE format(
        'GRANT SELECT ON cd.meta, cd.member, cd.device, cd.project, cd.project_head, cd.project_member, cd.change,'
        ' cd.blob_chunk, cd.presence, cd.team_usage TO %I', v_group);
    EXECUTE format('GRANT INSERT (project_id, sha256, idx, total, data) ON cd.blob_chunk TO %I', v_group);
    EXECUTE format(
        'GRANT EXECUTE ON FUNCTION cd.me(), cd.my_projects(), cd.my_projects_and_ended(), cd.my_writable(),'
        ' cd.my_peers(), cd.is_workspace_owner(), cd.tokens(jsonb), cd.workspace(),'
        ' cd.hello(uuid, text, text, integer), cd.acknowledge(uuid, jsonb), cd.push(uuid, uuid, integer, jsonb),'
        ' cd.relay(uuid, uuid, integer, jsonb), cd.poke(uuid), cd.create_project(uuid), cd.end_project(uuid),'
        ' cd.set_role(uuid, uuid, text), cd.leave_project(uuid), cd.set_presence(uuid, uuid, uuid, text),'
        ' cd.invite(text, text, text, jsonb, timestamptz), cd.accept_invite(text, text), cd.change_password(text),'
        ' cd.rename_me(text), cd.rename_workspace(text), cd.remove_device(uuid), cd.remove_member(uuid),'
        ' cd.set_workspace_owner(uuid, boolean), cd.disconnect_removed(), cd.discard_broken_file(uuid, text) TO %I',
        v_group);
END
$$;

INSERT INTO cd.alembic_version (version_num) VALUES ('0001') RETURNING cd.alembic_version.version_num;

-- After the first migration, in its transaction: the workspace, and its owner as the first member, with a login.
-- Settings of the transaction: chatdesk.prefix, chatdesk.workspace_id, chatdesk.workspace_name, chatdesk.member_name,
-- chatdesk.login, chatdesk.verifier (a password as SCRAM-SHA-256 keeps it, so that it never stands in a log).

INSERT INTO cd.meta (workspace_id, name, grp)
VALUES (
    current_setting('chatdesk.workspace_id')::uuid,
    current_setting('chatdesk.workspace_name'),
    current_setting('chatdesk.prefix')
);

SELECT cd.make_login(current_setting('chatdesk.login'), current_setting('chatdesk.verifier'), 'infinity');

INSERT INTO cd.member (role_name, display_name, is_owner, status, accepted_at)
VALUES (current_setting('chatdesk.login'), current_setting('chatdesk.member_name'), true, 'active', now());

DO $$
DECLARE
    v_prefix text := current_setting('chatdesk.prefix');
BEGIN
    RESET ROLE;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), v_prefix);
    EXECUTE format('REVOKE %I FROM CURRENT_USER', v_prefix || '_owner');
END
$$;

COMMIT;
