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
-- With -v partitions=16 the tables that grow are divided by project (docs/team-growth.md).

\set ON_ERROR_STOP on
\if :{?partitions} \else \set partitions 0 \endif
BEGIN;
SET LOCAL lock_timeout = '10s';
SELECT pg_advisory_xact_lock(73960750661965);
SELECT set_config('chatdesk.prefix', 'cd_' || right(:'workspace_id', 6), true) AS prefix \gset
SELECT set_config('chatdesk.workspace_id', :'workspace_id', true);
SELECT set_config('chatdesk.workspace_name', :'workspace_name', true);
SELECT set_config('chatdesk.member_name', :'member_name', true);
SELECT set_config('chatdesk.partitions', :'partitions', true);
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

-- How much each may do, and who may do what; see cd.set_policy. Bytes are those of a day by the server's clock (UTC).
CREATE TABLE cd.policy (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    who_invites text NOT NULL DEFAULT 'owners' CHECK (who_invites IN ('owners', 'admins')),
    who_creates text NOT NULL DEFAULT 'members' CHECK (who_creates IN ('owners', 'members')),
    members integer NOT NULL DEFAULT 1000 CHECK (members BETWEEN 1 AND 100000),
    invitations integer NOT NULL DEFAULT 100 CHECK (invitations BETWEEN 1 AND 10000),
    projects_each integer NOT NULL DEFAULT 200 CHECK (projects_each BETWEEN 1 AND 100000),
    connections_each integer NOT NULL DEFAULT 12 CHECK (connections_each BETWEEN 2 AND 100),
    changes_each_minute bigint NOT NULL DEFAULT 60000 CHECK (changes_each_minute BETWEEN 60 AND 10000000),
    bytes_each bigint NOT NULL DEFAULT 1000000000 CHECK (bytes_each BETWEEN 1000000 AND 1000000000000000),
    bytes_project bigint NOT NULL DEFAULT 5000000000 CHECK (bytes_project BETWEEN 1000000 AND 1000000000000000),
    file_bytes_each bigint NOT NULL DEFAULT 5000000000 CHECK (file_bytes_each BETWEEN 1000000 AND 1000000000000000),
    file_bytes_project bigint NOT NULL DEFAULT 20000000000
        CHECK (file_bytes_project BETWEEN 1000000 AND 1000000000000000)
);

INSERT INTO cd.policy DEFAULT VALUES;

CREATE TABLE cd.member (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    role_name name NOT NULL UNIQUE,
    display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 200),
    is_owner boolean NOT NULL DEFAULT false,
    status text NOT NULL DEFAULT 'invited' CHECK (status IN ('invited', 'active', 'removed')),
    channel text NOT NULL DEFAULT 'cd_' || replace(gen_random_uuid()::text, '-', ''),
    invited_by uuid REFERENCES cd.member,
    invited_at timestamptz NOT NULL DEFAULT now(),
    valid_until timestamptz,
    accepted_at timestamptz,
    removed_at timestamptz
);

-- What a member used up in a project of this day and minute: a row that only their own statements wait for. It begins at
-- nothing where the server crashed.
CREATE UNLOGGED TABLE cd.used (
    member_id uuid NOT NULL,
    project_id uuid NOT NULL,
    day date NOT NULL,
    bytes bigint NOT NULL DEFAULT 0,
    file_bytes bigint NOT NULL DEFAULT 0,
    minute timestamptz NOT NULL,
    changes bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (member_id, project_id)
) WITH (fillfactor = 20);

CREATE INDEX used_project ON cd.used (project_id);

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
    channel text NOT NULL DEFAULT 'cd_' || replace(gen_random_uuid()::text, '-', ''),
    created_by uuid NOT NULL REFERENCES cd.member,
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    deleted_by uuid REFERENCES cd.member,
    erased_at timestamptz
);

-- The row that every push of a project locks: numbers are given in the order in which pushes are committed. With what was
-- pushed on its day, in bytes.
CREATE TABLE cd.project_head (
    project_id uuid PRIMARY KEY REFERENCES cd.project,
    seq bigint NOT NULL DEFAULT 0,
    chain bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    day date NOT NULL DEFAULT current_date,
    bytes bigint NOT NULL DEFAULT 0
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

-- The tables that grow (entity, change, file_use, blob_chunk) are unique within a project only, so that they can be divided by
-- project; 15_partitions.sql does. Keys begin with the id, so that the same index also finds an id in other projects,
-- which cd.elsewhere asks once for each push.

-- What exists, for checks only: nobody reads it.
-- Here and in the log no key refers to the project: rows come only through a function that has just looked it up, no
-- project is ever removed, and the two checks were a fifth of a push.
CREATE TABLE cd.entity (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    kind text NOT NULL,
    thread_id uuid,
    created_by uuid NOT NULL,
    PRIMARY KEY (id, project_id)
);

CREATE TABLE cd.change (
    id uuid NOT NULL,
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
    digest bytea NOT NULL,  -- of the body as it was taken; see cd.digest
    erased boolean NOT NULL DEFAULT false,  -- the words are gone, and the body is what keeps the place
    chain bytea NOT NULL,
    at bigint NOT NULL,
    seal bytea NOT NULL,
    UNIQUE (project_id, seq)
);

-- After the one by number, and in this order: where a table is empty all look alike to the planner, which takes the newest,
-- and a plan that looks for an id through the numbers of its project reads all of them.
ALTER TABLE cd.change ADD UNIQUE (device_id, dseq, project_id);

ALTER TABLE cd.change ADD PRIMARY KEY (id, project_id);

-- For cd.tidy alone: values of which only the newest counts.
CREATE INDEX change_values ON cd.change (project_id, seq) WHERE reg LIKE 'lww.%';

-- What was erased before it came back after a restore, or at all: as soon as it comes, its words are removed.
CREATE TABLE cd.erased_ahead (
    project_id uuid NOT NULL,
    change_id uuid NOT NULL,
    PRIMARY KEY (project_id, change_id)
);

-- Which changes name a file; a file that none names is removed (cd.tidy, cd.erase).
CREATE TABLE cd.file_use (
    project_id uuid NOT NULL,
    sha256 text NOT NULL,
    change_id uuid NOT NULL,
    PRIMARY KEY (project_id, sha256, change_id)
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

-- Divides the tables that grow by project where whoever sets up asks for it: chatdesk.partitions is how many parts, and
-- where it is not set, or 0, they stay whole. It is chosen once: a workspace is moved into another number by a dump
-- (docs/team-growth.md).

DO $$
DECLARE
    v_parts integer := coalesce(nullif(current_setting('chatdesk.partitions', true), ''), '0')::integer;
    v_table text;
    v_part text;
BEGIN
    IF v_parts NOT BETWEEN 0 AND 256 OR v_parts = 1 THEN
        RAISE EXCEPTION 'chatdesk.partitions has to be 0, or 2 to 256' USING ERRCODE = 'CD009';
    END IF;
    FOREACH v_table IN ARRAY CASE WHEN v_parts > 0 THEN ARRAY['entity', 'change', 'file_use', 'blob_chunk'] ELSE '{}' END LOOP
        EXECUTE format('ALTER TABLE cd.%I RENAME TO %I', v_table, v_table || '_whole');
        EXECUTE format('CREATE TABLE cd.%I (LIKE cd.%I INCLUDING ALL) PARTITION BY HASH (project_id)',
            v_table, v_table || '_whole');
        EXECUTE format('DROP TABLE cd.%I', v_table || '_whole');
        FOR v_number IN 0 .. v_parts - 1 LOOP
            v_part := format('%s_%s', v_table, to_char(v_number, 'FM000'));
            EXECUTE format('CREATE TABLE cd.%I PARTITION OF cd.%I FOR VALUES WITH (MODULUS %s, REMAINDER %s)',
                v_part, v_table, v_parts, v_number);
            -- Reached through the whole only, whose policies hold there.
            EXECUTE format('ALTER TABLE cd.%I ENABLE ROW LEVEL SECURITY', v_part);
            EXECUTE format('ALTER TABLE cd.%I FORCE ROW LEVEL SECURITY', v_part);
        END LOOP;
    END LOOP;
    IF v_parts > 0 THEN
        ALTER TABLE cd.blob_chunk ADD FOREIGN KEY (project_id) REFERENCES cd.project;
    END IF;
END
$$;

-- Who asks, and what of it they may see. A member is who logged in (session_user): roles that are set later, and
-- functions that run as their owner, do not change that. In plpgsql, which keeps its plans: before PostgreSQL 18 a function
-- in sql is planned at each call, and policies call these at each statement (1.2 ms instead of 0.1).

-- What is asked in an older snapshot is answered as of then: who was demoted or removed since would keep their rights for as
-- long as they keep a transaction open. So each statement has to see what is there now. CD012: it does not.
CREATE FUNCTION cd.need_fresh() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'only in READ COMMITTED transactions' USING ERRCODE = 'CD012';
    END IF;
END
$$;

CREATE FUNCTION cd.me() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM cd.need_fresh();
    RETURN (SELECT m.id FROM cd.member m WHERE m.role_name = session_user AND m.status = 'active');
END
$$;

-- The projects that a policy lets through; asked once for each statement.
CREATE FUNCTION cd.my_projects() RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM cd.need_fresh();
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
    PERFORM cd.need_fresh();
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
    PERFORM cd.need_fresh();
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
    PERFORM cd.need_fresh();
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
    PERFORM cd.need_fresh();
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
    PERFORM cd.need_fresh();
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
    PERFORM cd.need_fresh();
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

-- The caller's role in a project, with its head locked. Whoever lacks the rank is refused before they wait for anything or
-- hold up anybody, and again once the lock is there, because the role may have been taken meanwhile. CD007: too low a rank.
CREATE FUNCTION cd.lock_project(p_project uuid, p_me uuid, p_least integer) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_role text;
BEGIN
    IF cd.rank(cd.need_role(p_project, p_me)) >= p_least THEN
        PERFORM FROM cd.project_head h WHERE h.project_id = p_project FOR UPDATE;
        v_role := cd.need_role(p_project, p_me);
        IF cd.rank(v_role) >= p_least THEN
            RETURN v_role;
        END IF;
    END IF;
    RAISE EXCEPTION 'the role does not permit this' USING ERRCODE = 'CD007';
END
$$;

-- The caller as an owner of the workspace. CD007: none.
CREATE FUNCTION cd.need_owner() RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    IF NOT cd.is_workspace_owner() THEN
        RAISE EXCEPTION 'only owners of the workspace' USING ERRCODE = 'CD007';
    END IF;
    RETURN v_me;
END
$$;

-- The same, with what only they may change locked.
CREATE FUNCTION cd.lock_workspace() RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM cd.need_owner();
    PERFORM FROM cd.meta t WHERE t.one FOR UPDATE;
    RETURN cd.need_owner();
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

-- A name as a person gave it, without what cannot be seen: controls, marks of direction, signs without width, fillers.
-- CD009: nothing is left, or too much.
CREATE FUNCTION cd.clean_name(p_name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_name text := regexp_replace(normalize(coalesce(p_name, '')),
        '[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u2800\u3164'
            '\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]+', '', 'g');
BEGIN
    v_name := btrim(regexp_replace(v_name,
        '[\u0001-\u0020\u007F-\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]+', ' ', 'g'));
    IF length(v_name) NOT BETWEEN 1 AND 200 THEN
        RAISE EXCEPTION 'a name has 1 to 200 characters' USING ERRCODE = 'CD009';
    END IF;
    RETURN v_name;
END
$$;

-- What two names have in common that people would take for one: the same letters in any width, form and case. Not by the
-- locale of the database, which may know ASCII only.
CREATE FUNCTION cd.name_key(p_name text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = cd, pg_temp
AS $$
    SELECT translate(lower(normalize(p_name, NFKC)),
        'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮĴĶĹĻĽŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽ'
            'ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁЄІЇҐς',
        'àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįĵķĺļľłńņňŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷÿźżž'
            'αβγδεζηθικλμνξοπρστυφχψωάέήίόύώабвгдежзийклмнопрстуфхцчшщъыьэюяёєіїґσ')
$$;

-- 'c:12': there is change 12; 'p': somebody came or went; 'v:…': people or roles changed, and when (see cd.view_since).
CREATE FUNCTION cd.tell(p_project uuid, p_what text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM pg_notify(j.channel, CASE p_what WHEN 'v' THEN 'v:' || cd.now_us() ELSE p_what END)
    FROM cd.project j WHERE j.id = p_project;
END
$$;

CREATE FUNCTION cd.tell_member(p_member uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM pg_notify(m.channel, 'v:' || cd.now_us()) FROM cd.member m WHERE m.id = p_member;
END
$$;

-- Of those who are here, so that nobody looks like somebody else; an invitation takes its name when it is accepted.
CREATE UNIQUE INDEX member_name ON cd.member (cd.name_key(display_name)) WHERE status = 'active';

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

-- ok, denied, or orphan: what is named is not here, and may still come. Only what holds words can be erased: what deletes
-- and brings back decides what is shown. p_may_all: by an admin, or taken before and brought back.
CREATE FUNCTION cd.may_erase(p_project uuid, p_me uuid, p_may_all boolean, p_kind text, p_op text, p_body jsonb)
RETURNS text
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_ids uuid[] := cd.named_by(p_body);
    v_found integer;
    v_is_permitted boolean;
BEGIN
    IF v_ids IS NULL OR p_kind <> 'thread' OR p_op <> 'del' THEN
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

-- Removes the words of the changes that an erasure names, and the files that only they named; under the lock of the head.
CREATE FUNCTION cd.erase(p_project uuid, p_body jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_ids uuid[] := cd.named_by(p_body);
    v_sums text[];
BEGIN
    SELECT coalesce(array_agg(DISTINCT f.sha256), '{}') INTO v_sums
    FROM cd.change c CROSS JOIN LATERAL cd.files_of(c.body) AS f (sha256)
    WHERE c.id = ANY (v_ids) AND c.project_id = p_project AND c.kind = 'message' AND NOT c.erased;
    UPDATE cd.change c SET body = cd.stub(c.kind, c.op, c.body), erased = true
    WHERE c.id = ANY (v_ids) AND c.project_id = p_project AND NOT c.erased;
    INSERT INTO cd.erased_ahead (project_id, change_id)
    SELECT p_project, missing.id FROM unnest(v_ids) AS missing (id)
    WHERE NOT EXISTS (SELECT FROM cd.change c WHERE c.id = missing.id AND c.project_id = p_project)
    ON CONFLICT DO NOTHING;
    IF v_sums <> '{}' THEN
        DELETE FROM cd.file_use u
        WHERE u.project_id = p_project AND u.sha256 = ANY (v_sums) AND u.change_id = ANY (v_ids);
        PERFORM cd.remove_unused_files(p_project, v_sums);
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
-- days and every computer that was here in that time has what replaced them; so do files that nothing has named for 30
-- days. Returns what the time is over of that things are kept in this project (p_days, NULL: for ever): messages and
-- summaries, and what is said of threads in which nothing is newer.
CREATE FUNCTION cd.tidy(p_project uuid, p_days integer) RETURNS TABLE (o_thread uuid, o_change uuid)
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
        AND NOT c.erased AND c.at < cd.now_ms() - 90::bigint * 86400000 AND c.id IN (
            SELECT unnest(n.parents) FROM cd.change n
            WHERE n.project_id = p_project AND n.reg LIKE 'lww.%' AND n.seq <= v_acked
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

-- How much each has done of what cd.policy lets them do; asked by whatever enters something.

-- What a member used up of this day and minute, in all projects.
CREATE FUNCTION cd.usage_of(p_me uuid, OUT o_bytes bigint, OUT o_file_bytes bigint, OUT o_changes bigint)
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_day date := (now() AT TIME ZONE 'UTC')::date;
    v_minute timestamptz := date_trunc('minute', now());
BEGIN
    SELECT coalesce(sum(u.bytes) FILTER (WHERE u.day = v_day), 0),
        coalesce(sum(u.file_bytes) FILTER (WHERE u.day = v_day), 0),
        coalesce(sum(u.changes) FILTER (WHERE u.minute = v_minute), 0)
    INTO o_bytes, o_file_bytes, o_changes FROM cd.used u WHERE u.member_id = p_me;
END
$$;

-- CD013: which limit is reached.
CREATE FUNCTION cd.limited(p_what text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'limit of %', p_what USING ERRCODE = 'CD013';
END
$$;

-- Adds to what a member used up, at the end of a statement that did.
CREATE FUNCTION cd.use_up(p_project uuid, p_me uuid, p_bytes bigint, p_file_bytes bigint, p_changes bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_day date := (now() AT TIME ZONE 'UTC')::date;
    v_minute timestamptz := date_trunc('minute', now());
BEGIN
    INSERT INTO cd.used AS u (member_id, project_id, day, bytes, file_bytes, minute, changes)
    VALUES (p_me, p_project, v_day, p_bytes, p_file_bytes, v_minute, p_changes)
    ON CONFLICT (member_id, project_id) DO UPDATE SET
        day = v_day,
        bytes = CASE WHEN u.day = v_day THEN u.bytes ELSE 0 END + p_bytes,
        file_bytes = CASE WHEN u.day = v_day THEN u.file_bytes ELSE 0 END + p_file_bytes,
        minute = v_minute,
        changes = CASE WHEN u.minute = v_minute THEN u.changes ELSE 0 END + p_changes;
END
$$;

-- How changes get into a log. One status a row, in this order of questions, and no row stops the others:
--   denied    malformed, or not of what may be written here at all
--   dup       the same change, by the same member, is there; with its number
--   id_taken  something else has this id, or somebody else said it
--   forked    another change has this place in the device's sequence
--   too_big   the body is over the limit
--   denied    a viewer's, but for an erasure that was taken before and is brought back
--   orphan    what it changes, or hangs below, is not in this project
--   id_taken  a thing with this id exists
--   denied    not one's own, and no right on others'
--   ok        entered; with its number and stamp
--
-- Each change that is taken gets a seal: a keyed hash of all that it says (of its body the digest, and where a message
-- stands), who made it and where, which only this server can make. Members keep it with the change, and it proves the
-- change when they bring it back after a restore. In relay, a change with its seal is taken as what it is, whatever its
-- author may do by now: it was permitted when it was made. One without, or that says anything else, is nobody's but the
-- caller's: theirs as author, under a device of its own, with the rights that they have. An erasure with its seal is taken
-- from viewers, too: perhaps nobody else knows of it any more, and what was erased must not come back.

-- In the one form that ids have here. Without search_path, and with a body that was read when it was made, it becomes part
-- of what calls it; one regular expression for all of it would take ten times as long.
CREATE FUNCTION cd.is_uuid(p_text text) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN p_text LIKE '________-____-____-____-____________' AND p_text !~ '[^0-9a-f-]'
    AND length(replace(p_text, '-', '')) = 32;

-- Which ids of these rows, and which places in the sequence of the device, are another project's already. Tables are
-- unique within a project only, but a computer keeps all its projects in one place, where an id that was seen in one
-- project and is used in another would hide what came first. Asked once for all rows: it looks into every partition.
CREATE FUNCTION cd.elsewhere(p_project uuid, p_device uuid, p_rows jsonb, OUT o_ids uuid[], OUT o_places bigint[])
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_changes uuid[];
    v_things uuid[];
    v_places bigint[];
BEGIN
    SELECT array_agg(CASE WHEN cd.is_uuid(r.value ->> 'id') THEN (r.value ->> 'id')::uuid END),
        array_agg(CASE WHEN r.value ->> 'op' = 'new' AND cd.is_uuid(r.value ->> 'entity')
            THEN (r.value ->> 'entity')::uuid END),
        array_agg(CASE WHEN (r.value ->> 'dseq') ~ '^[0-9]{1,18}$' THEN (r.value ->> 'dseq')::bigint END)
    INTO v_changes, v_things, v_places
    FROM jsonb_array_elements(p_rows) AS r WHERE jsonb_typeof(r.value) = 'object';
    -- LIMIT: one look into the index for each, whatever the planner believes of tables that were small a while ago.
    SELECT coalesce(array_agg(found.id), '{}') INTO o_ids
    FROM unnest(v_changes) AS wanted, LATERAL (
        SELECT c.id FROM cd.change c WHERE c.id = wanted AND c.project_id <> p_project LIMIT 1) AS found;
    SELECT o_ids || coalesce(array_agg(found.id), '{}') INTO o_ids
    FROM unnest(v_things) AS wanted, LATERAL (
        SELECT e.id FROM cd.entity e WHERE e.id = wanted AND e.project_id <> p_project LIMIT 1) AS found;
    SELECT coalesce(array_agg(found.dseq), '{}') INTO o_places
    FROM unnest(v_places) AS wanted, LATERAL (
        SELECT c.dseq FROM cd.change c
        WHERE c.device_id = p_device AND c.dseq = wanted AND c.project_id <> p_project LIMIT 1) AS found;
END
$$;

-- Whether any of these rows is an erasure that was taken here, as its seal proves, and is not in the log any more. Asked
-- before the lock of the head, which whoever may only read gets for nothing else. As text, since nothing was checked yet:
-- what is not written as it was sealed has no seal.
CREATE FUNCTION cd.has_lost_erasure(p_project uuid, p_rows jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = cd, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM jsonb_array_elements(p_rows) AS r CROSS JOIN cd.seal_key k
        WHERE jsonb_typeof(r.value) = 'object' AND r.value ->> 'reg' = 'erased' AND cd.is_uuid(r.value ->> 'id')
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

CREATE FUNCTION cd.enter(p_project uuid, p_me uuid, p_device uuid, p_is_relay boolean, p_rows jsonb)
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
            AND (v_row -> 'erased' IS NULL OR (p_is_relay AND (v_row ->> 'erased') ~ '^[0-9a-f]{64}$'))
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
        ELSIF v_rank < 2 AND NOT (v_may_restore AND v_is_sealed AND v_reg = 'erased') THEN
            RETURN NEXT;
            CONTINUE;
        END IF;

        SELECT * INTO v_thing FROM cd.entity e WHERE e.id = v_entity AND e.project_id = p_project;
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
            IF v_reg = 'erased' THEN
                o_status := coalesce(cd.may_erase(p_project, p_me, v_rank >= 3 OR v_is_sealed, v_kind, v_op, v_body),
                    'denied');
                IF o_status <> 'ok' OR v_thing.kind IS DISTINCT FROM 'thread' THEN
                    o_status := CASE WHEN o_status = 'ok' THEN 'denied' ELSE o_status END;
                    RETURN NEXT;
                    CONTINUE;
                END IF;
            ELSIF (v_thing.kind = v_kind AND (
                v_rank >= 3 OR v_is_sealed
                OR (v_kind <> 'project' AND v_thing.created_by = p_me)
                OR (v_kind IN ('thread', 'summary') AND v_op = 'edit' AND v_reg LIKE 'lww.%')
            )) IS NOT TRUE THEN
                RETURN NEXT;
                CONTINUE;
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
        IF v_reg = 'erased' THEN
            PERFORM cd.erase(p_project, v_body);
            v_is_any_erased := true;
        ELSIF v_kind = 'message' AND v_op = 'new' AND NOT v_is_stub
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

-- Projects, who may what in them, who is there, and their files.

-- What somebody is in a project, deleted or not.
CREATE FUNCTION cd.role_in(p_project uuid, p_member uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (SELECT p.role FROM cd.project_member p WHERE p.project_id = p_project AND p.member_id = p_member);
END
$$;

-- Takes away what says where somebody is. What a statement of theirs holds at this moment ends by itself.
CREATE FUNCTION cd.forget_presence(p_project uuid, p_member uuid, p_device uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    DELETE FROM cd.presence p WHERE (p.project_id, p.device_id) IN (
        SELECT q.project_id, q.device_id FROM cd.presence q
        WHERE (p_project IS NULL OR q.project_id = p_project) AND (p_member IS NULL OR q.member_id = p_member)
            AND (p_device IS NULL OR q.device_id = p_device)
        FOR UPDATE SKIP LOCKED);
END
$$;

-- A project that is shared from now on; repeated by the same member it changes nothing. One that they deleted is there
-- again with its log, for them alone. CD004: it was erased; CD007: only owners of the workspace make projects; CD010: it
-- is another member's; CD013: too many.
CREATE FUNCTION cd.create_project(p_project uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_policy cd.policy%ROWTYPE;
    v_deleted timestamptz;
BEGIN
    PERFORM FROM cd.project j WHERE j.id = p_project;
    IF NOT FOUND THEN
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

-- By its owner, for all; the log is kept. CD007: not the owner.
CREATE FUNCTION cd.end_project(p_project uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    PERFORM cd.lock_project(p_project, v_me, 4);
    UPDATE cd.project j SET deleted_at = now(), deleted_by = v_me WHERE j.id = p_project;
    PERFORM cd.forget_presence(p_project, NULL, NULL);
    PERFORM cd.tell(p_project, 'v');
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
    PERFORM cd.tell(p_project, 'v');
    PERFORM cd.tell_member(p_member);
    IF p_role IS NULL THEN
        PERFORM cd.forget_presence(p_project, p_member, NULL);
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
END
$$;

-- CD008: the last owner gives it to somebody first, or ends it. Whoever is no owner holds nothing here but their own place.
CREATE FUNCTION cd.leave_project(p_project uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    IF cd.need_role(p_project, v_me) = 'owner' THEN
        PERFORM cd.lock_project(p_project, v_me, 1);  -- who stays is counted
    END IF;
    IF cd.is_last_owner(p_project, v_me) THEN
        RAISE EXCEPTION 'an owner has to remain' USING ERRCODE = 'CD008';
    END IF;
    PERFORM cd.take_role(p_project, v_me, v_me);
    PERFORM cd.forget_presence(p_project, v_me, NULL);
    PERFORM cd.tell_member(v_me);
END
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

-- Counts what is stored of files, whoever puts it there and however.
CREATE FUNCTION cd.count_piece() RETURNS trigger
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
        RETURN NULL;  -- whoever restores a backup
    END IF;
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

CREATE TRIGGER count_piece AFTER INSERT ON cd.blob_chunk FOR EACH ROW EXECUTE FUNCTION cd.count_piece();

-- Who is of the workspace: invitations, logins, names, and what the workspace permits.

CREATE FUNCTION cd.need_verifier(p_verifier text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    IF (p_verifier ~ '^SCRAM-SHA-256\$[0-9]{4,7}:[A-Za-z0-9+/]{16,128}={0,2}\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$')
        IS NOT TRUE
    THEN
        RAISE EXCEPTION 'not a SCRAM-SHA-256 verifier' USING ERRCODE = 'CD009';
    ELSIF substring(p_verifier FROM '\$([0-9]+):')::integer NOT BETWEEN 4096 AND 600000 THEN
        RAISE EXCEPTION 'between 4096 and 600000 iterations' USING ERRCODE = 'CD009';
    END IF;
END
$$;

-- A role of this workspace that may connect and is of the members' group; its password is only ever known as its verifier.
-- Who owns the workspace is of that role as well, because only so it may end its connections.
CREATE FUNCTION cd.make_login(p_role_name text, p_verifier text, p_valid_until text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_group text := (SELECT t.grp FROM cd.meta t);
BEGIN
    IF (p_role_name ~ ('^' || v_group || '_[a-z0-9_]{4,40}$')) IS NOT TRUE OR p_role_name LIKE '%\_owner' THEN
        RAISE EXCEPTION 'not the name of a member''s login' USING ERRCODE = 'CD009';
    END IF;
    PERFORM cd.need_verifier(p_verifier);
    EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L VALID UNTIL %L CONNECTION LIMIT %s', p_role_name, p_verifier,
        p_valid_until, (SELECT p.connections_each FROM cd.policy p));
    EXECUTE format('GRANT %I TO %I', v_group, p_role_name);
    EXECUTE format('GRANT %I TO CURRENT_USER', p_role_name);
END
$$;

-- Whether the caller may invite at all, and there is room for one more. CD007, CD013: see cd.invite.
CREATE FUNCTION cd.need_may_invite(p_roles jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_policy cd.policy%ROWTYPE;
BEGIN
    SELECT * INTO v_policy FROM cd.policy p WHERE p.one;
    IF NOT cd.is_workspace_owner() AND (v_policy.who_invites = 'owners' OR p_roles = '{}') THEN
        RAISE EXCEPTION 'only owners of the workspace invite' USING ERRCODE = 'CD007';
    ELSIF (SELECT count(*) FROM cd.member m WHERE m.status = 'active') >= v_policy.members THEN
        PERFORM cd.limited('members');
    ELSIF (SELECT count(*) FROM cd.member m WHERE m.status = 'invited' AND m.valid_until > now())
        >= v_policy.invitations
    THEN
        PERFORM cd.limited('invitations');
    END IF;
END
$$;

-- Be here under a name that nobody else who is here has. CD009: none at all; CD014: another member's.
CREATE FUNCTION cd.take_name(p_member uuid, p_name text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    UPDATE cd.member m SET display_name = cd.clean_name(p_name), status = 'active',
        accepted_at = coalesce(m.accepted_at, now())
    WHERE m.id = p_member;
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'the name is another member''s' USING ERRCODE = 'CD014';
END
$$;

-- By an owner of the workspace; where the workspace says so, also by whoever may give all these roles ({project: role}, at
-- least one). Returns the new member's id. CD007: may not; CD009: a name, time or role that cannot be; CD010: the login
-- exists; CD013: too many members or invitations. Whether a member has the name already is asked when it is accepted.
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
    END IF;
    PERFORM cd.need_may_invite(p_roles);
    -- Without a lock: what they may give by then is looked at again when it is accepted.
    FOR v_given IN SELECT r.key::uuid AS project, r.value AS role FROM jsonb_each_text(p_roles) AS r ORDER BY 1 LOOP
        IF cd.rank(v_given.role) IS NULL OR v_given.role IS NULL THEN
            RAISE EXCEPTION 'there is no such role' USING ERRCODE = 'CD009';
        ELSIF NOT cd.may_grant(cd.need_role(v_given.project, v_me), NULL, v_given.role) THEN
            RAISE EXCEPTION 'the role does not permit this' USING ERRCODE = 'CD007';
        END IF;
    END LOOP;
    BEGIN
        PERFORM cd.make_login(p_role_name, p_verifier, p_valid_until::text);
    EXCEPTION WHEN duplicate_object THEN
        RAISE EXCEPTION 'the login exists' USING ERRCODE = 'CD010';
    END;
    INSERT INTO cd.member (role_name, display_name, invited_by, valid_until)
    VALUES (p_role_name, cd.clean_name(p_display_name), v_me, p_valid_until)
    RETURNING id INTO v_new;
    FOR v_given IN SELECT r.key::uuid AS project, r.value AS role FROM jsonb_each_text(p_roles) AS r ORDER BY 1 LOOP
        PERFORM cd.change_role(v_given.project, v_new, v_given.role, v_me);
    END LOOP;
    RETURN v_new;
END
$$;

-- By the one who was invited: a name, a password of their own (as its verifier), and no end. Once: whoever else holds the
-- invitation, and came in before it was used, must not set the password anew. What the one who invited may not give any
-- more is not given. CD002: no member; CD003: the invitation has ended, or whoever made it is no member any more; CD011: it
-- was used; CD013: too many members; CD014: a member has that name.
CREATE FUNCTION cd.accept_invite(p_display_name text, p_verifier text) RETURNS uuid
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
    ELSIF (SELECT count(*) FROM cd.member m WHERE m.status = 'active') >= (SELECT p.members FROM cd.policy p) THEN
        PERFORM cd.limited('members');
    END IF;
    PERFORM cd.need_verifier(p_verifier);
    PERFORM cd.take_name(v_member.id, p_display_name);
    UPDATE cd.project_member p SET role = NULL
    WHERE p.member_id = v_member.id AND p.added_by = v_member.invited_by AND p.role IS NOT NULL
        AND NOT cd.may_grant(cd.role_in(p.project_id, v_member.invited_by), NULL, p.role);
    EXECUTE format('ALTER ROLE %I PASSWORD %L VALID UNTIL ''infinity''', v_member.role_name, p_verifier);
    PERFORM cd.tell(p.project_id, 'v') FROM cd.project_member p
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
    PERFORM cd.take_name(v_me, p_name);
    PERFORM cd.tell(p.project_id, 'v') FROM cd.project_member p WHERE p.member_id = v_me AND p.role IS NOT NULL;
END
$$;

CREATE FUNCTION cd.rename_workspace(p_name text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM cd.need_owner();
    UPDATE cd.meta t SET name = cd.clean_name(p_name) WHERE t.one;
END
$$;

-- Who may invite and make projects, and the limits, as in cd.policy; what is not named stays. By owners of the workspace.
-- CD009: a name or a value that cannot be.
CREATE FUNCTION cd.set_policy(p_values jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_was cd.policy%ROWTYPE;
    v_new cd.policy%ROWTYPE;
    v_login record;
BEGIN
    PERFORM cd.lock_workspace();
    SELECT * INTO v_was FROM cd.policy p WHERE p.one;
    IF jsonb_typeof(p_values) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'settings by name' USING ERRCODE = 'CD009';
    ELSIF EXISTS (SELECT FROM jsonb_object_keys(p_values) AS k WHERE k = 'one' OR NOT to_jsonb(v_was) ? k) THEN
        RAISE EXCEPTION 'there is no such setting' USING ERRCODE = 'CD009';
    END IF;
    BEGIN
        v_new := jsonb_populate_record(v_was, p_values);
        DELETE FROM cd.policy;
        INSERT INTO cd.policy SELECT v_new.*;
    EXCEPTION WHEN check_violation OR not_null_violation OR data_exception THEN
        RAISE EXCEPTION 'a value that cannot be' USING ERRCODE = 'CD009';
    END;
    IF v_new.connections_each <> v_was.connections_each THEN
        FOR v_login IN SELECT m.role_name FROM cd.member m WHERE m.status <> 'removed' ORDER BY 1 LOOP
            EXECUTE format('ALTER ROLE %I CONNECTION LIMIT %s', v_login.role_name, v_new.connections_each);
        END LOOP;
    END IF;
END
$$;

-- How somebody gets out, also against their will and that of whoever keeps a transaction open: nothing here waits for a lock
-- that the one who is removed, or a member without rank, may hold.

-- Ends the connections of a member but the caller's own, and waits until they are gone. Returns how many there were.
CREATE FUNCTION cd.end_backends(p_member uuid) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_one record;
    v_count integer := 0;
BEGIN
    FOR v_one IN
        SELECT a.pid, m.role_name FROM pg_stat_activity a JOIN cd.member m ON m.role_name = a.usename
        WHERE m.id = p_member AND a.datname = current_database() AND a.pid <> pg_backend_pid()
    LOOP
        -- Only who is of a role may end its connections; a login that came with a backup may lack it.
        IF NOT pg_has_role(current_user, v_one.role_name, 'USAGE') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', v_one.role_name);
        END IF;
        IF pg_terminate_backend(v_one.pid, 2000) THEN
            v_count := v_count + 1;
        END IF;
    END LOOP;
    RETURN v_count;
END
$$;

-- Ends a member's connections: one's own others, or by an owner of the workspace anybody's. Takes no lock.
CREATE FUNCTION cd.end_connections(p_member uuid) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    IF cd.need_me() IS DISTINCT FROM p_member THEN
        PERFORM cd.need_owner();
    END IF;
    RETURN cd.end_backends(p_member);
END
$$;

-- Which other members others may be waiting for: whose transaction has written something and is open for some seconds, with
-- for how long. Those that are open longer than any of ChatDesk's ever is are ended here, so that nobody keeps the others
-- from writing. Of whom the caller has nothing to do with, the name is not told.
CREATE FUNCTION cd.blockers() RETURNS TABLE (o_member uuid, o_name text, o_seconds integer, o_is_ended boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    c_longest CONSTANT interval := '10 seconds';
    v_me uuid := cd.need_me();
    v_peers uuid[] := cd.my_peers();
    v_one record;
BEGIN
    FOR v_one IN
        SELECT DISTINCT ON (a.pid) a.pid, m.id, m.display_name, m.role_name, clock_timestamp() - a.xact_start AS age
        FROM pg_locks l
        JOIN pg_stat_activity a ON a.pid = l.pid AND a.datname = current_database()
        JOIN cd.member m ON m.role_name = a.usename
        WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted AND a.pid <> pg_backend_pid()
    LOOP
        CONTINUE WHEN v_one.age < interval '2 seconds' OR v_one.age IS NULL;
        o_member := CASE WHEN v_one.id = ANY (v_peers) THEN v_one.id END;
        o_name := CASE WHEN v_one.id = ANY (v_peers) THEN v_one.display_name END;
        o_seconds := extract(epoch FROM v_one.age)::integer;
        o_is_ended := v_one.age > c_longest AND pg_terminate_backend(v_one.pid, 2000);
        RETURN NEXT;
    END LOOP;
END
$$;

-- What is left of those who were removed: their roles, and the right of their closed logins. Where they were a project's only
-- owner, the one with the most rights, of these the oldest, becomes owner; with nobody left the project ends. A project that
-- somebody holds at this moment is left for the next time: an owner's hello asks again. Of one member, or of all (NULL), which
-- only an owner of the workspace asks.
CREATE FUNCTION cd.clear_removed(p_by uuid, p_member uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_left record;
BEGIN
    FOR v_left IN
        SELECT p.project_id, p.member_id FROM cd.project_member p JOIN cd.member m ON m.id = p.member_id
        WHERE m.status = 'removed' AND p.role IS NOT NULL AND (p_member IS NULL OR m.id = p_member)
        ORDER BY p.project_id, p.member_id
    LOOP
        BEGIN
            PERFORM set_config('lock_timeout', '300ms', true);
            PERFORM cd.take_role(v_left.project_id, v_left.member_id, p_by);
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            NULL;
        END;
    END LOOP;
    FOR v_left IN
        SELECT m.role_name, t.grp FROM cd.member m, cd.meta t
        WHERE p_member IS NULL AND m.status = 'removed' AND EXISTS (
            SELECT FROM pg_auth_members a WHERE a.roleid = to_regrole(quote_ident(t.grp))
                AND a.member = to_regrole(quote_ident(m.role_name)))
    LOOP
        BEGIN
            PERFORM set_config('lock_timeout', '300ms', true);
            EXECUTE format('REVOKE %I FROM %I', v_left.grp, v_left.role_name);
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            NULL;
        END;
    END LOOP;
END
$$;

-- The role of one who was removed; see cd.clear_removed.
CREATE FUNCTION cd.take_role(p_project uuid, p_member uuid, p_by uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_heir uuid;
BEGIN
    IF p_by = p_member AND cd.role_in(p_project, p_member) <> 'owner' THEN
        -- Whoever goes by themselves holds up nobody with it.
        UPDATE cd.project_member p SET role = NULL, added_by = p_by
        WHERE p.project_id = p_project AND p.member_id = p_member;
        PERFORM cd.tell(p_project, 'v');
        RETURN;
    END IF;
    -- After this, no push of theirs is entered: one that is under way ends first, one that waits finds no role.
    PERFORM FROM cd.project_head h WHERE h.project_id = p_project FOR UPDATE;
    IF cd.is_last_owner(p_project, p_member) THEN
        SELECT p.member_id INTO v_heir
        FROM cd.project_member p JOIN cd.member m ON m.id = p.member_id AND m.status = 'active'
        WHERE p.project_id = p_project AND p.member_id <> p_member AND p.role IS NOT NULL
        ORDER BY cd.rank(p.role) DESC, p.added_at, p.member_id LIMIT 1;
        IF FOUND THEN
            PERFORM cd.change_role(p_project, v_heir, 'owner', p_by);
        ELSE
            UPDATE cd.project j SET deleted_at = coalesce(j.deleted_at, now()), deleted_by = p_by
            WHERE j.id = p_project;
        END IF;
    END IF;
    PERFORM cd.change_role(p_project, p_member, NULL, p_by);
END
$$;

-- The login closed, and no member any more.
CREATE FUNCTION cd.shut_out(p_member uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
DECLARE
    v_login text;
BEGIN
    UPDATE cd.member m SET status = 'removed', removed_at = coalesce(m.removed_at, now()), is_owner = false,
        channel = 'cd_' || replace(gen_random_uuid()::text, '-', '')
    WHERE m.id = p_member RETURNING m.role_name INTO v_login;
    EXECUTE format('ALTER ROLE %I NOLOGIN', v_login);
END
$$;

-- Out of the workspace, at once: the login is closed, their connections are ended, and what they prepared (invitations that
-- nobody accepted yet) is withdrawn. Nothing here waits for what any other member but an owner of the workspace may hold; what
-- does, giving their projects to others, follows in cd.clear_removed. By owners of the workspace; anybody may remove
-- themselves, unless they are its last owner.
CREATE FUNCTION cd.remove_member(p_member uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_gone cd.member%ROWTYPE;
BEGIN
    IF p_member IS DISTINCT FROM v_me THEN
        PERFORM cd.need_owner();
    END IF;
    SELECT * INTO v_gone FROM cd.member m WHERE m.id = p_member;
    IF v_gone.id IS NULL THEN
        RAISE EXCEPTION 'there is no such member' USING ERRCODE = 'CD009';
    END IF;
    IF p_member <> v_me THEN
        PERFORM cd.end_backends(p_member);
    END IF;
    IF v_gone.is_owner THEN
        PERFORM cd.lock_workspace();  -- who remains is counted
        IF NOT EXISTS (SELECT FROM cd.member m WHERE m.is_owner AND m.status = 'active' AND m.id <> p_member) THEN
            RAISE EXCEPTION 'an owner has to remain' USING ERRCODE = 'CD008';
        END IF;
    END IF;
    PERFORM cd.shut_out(p_member);
    PERFORM cd.end_backends(m.id) FROM cd.member m WHERE m.invited_by = p_member AND m.status = 'invited';
    PERFORM cd.shut_out(m.id) FROM cd.member m WHERE m.invited_by = p_member AND m.status = 'invited';
    PERFORM cd.clear_removed(v_me, CASE WHEN p_member = v_me THEN v_me END);
END
$$;

-- Ends the connections of members who were removed; called after remove_member, when that is committed: a connection
-- made in between ends as well. Returns how many there were.
CREATE FUNCTION cd.disconnect_removed() RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_count integer;
BEGIN
    SELECT coalesce(sum(cd.end_backends(m.id)), 0) INTO v_count FROM cd.member m
    WHERE m.status = 'removed' AND EXISTS (SELECT FROM pg_stat_activity a WHERE a.usename = m.role_name);
    IF cd.is_workspace_owner() THEN
        PERFORM cd.clear_removed(v_me, NULL);
    END IF;
    RETURN v_count;
END
$$;

-- Another owner of the workspace, or one less; somebody has to remain.
CREATE FUNCTION cd.set_workspace_owner(p_member uuid, p_is_owner boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
BEGIN
    PERFORM cd.lock_workspace();
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
    PERFORM cd.forget_presence(NULL, NULL, p_device);
END
$$;

-- Who and what there is in a workspace, read by difference: each row of people says when it was last changed, in
-- microseconds of the server's clock, and whoever knows it as of then asks for what is newer. Somebody who idles asks one
-- statement, which finds nothing in three short indexes.

CREATE FUNCTION cd.now_us() RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = cd, pg_temp
AS $$
    SELECT floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint
$$;

ALTER TABLE cd.member ADD COLUMN changed bigint NOT NULL DEFAULT 0;

ALTER TABLE cd.device ADD COLUMN changed bigint NOT NULL DEFAULT 0;

ALTER TABLE cd.project_member ADD COLUMN changed bigint NOT NULL DEFAULT 0;

CREATE INDEX member_changed ON cd.member (changed);

CREATE INDEX device_changed ON cd.device (changed);

CREATE INDEX project_member_changed ON cd.project_member (changed);

CREATE FUNCTION cd.note_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = cd, pg_temp
AS $$
BEGIN
    NEW.changed := cd.now_us();
    RETURN NEW;
END
$$;

CREATE TRIGGER made BEFORE INSERT ON cd.member FOR EACH ROW EXECUTE FUNCTION cd.note_change();

CREATE TRIGGER made BEFORE INSERT ON cd.device FOR EACH ROW EXECUTE FUNCTION cd.note_change();

CREATE TRIGGER made BEFORE INSERT ON cd.project_member FOR EACH ROW EXECUTE FUNCTION cd.note_change();

CREATE TRIGGER changed BEFORE UPDATE ON cd.member FOR EACH ROW
    WHEN ((OLD.display_name, OLD.is_owner, OLD.status) IS DISTINCT FROM (NEW.display_name, NEW.is_owner, NEW.status))
    EXECUTE FUNCTION cd.note_change();

CREATE TRIGGER changed BEFORE UPDATE ON cd.device FOR EACH ROW
    WHEN ((OLD.member_id, OLD.name, OLD.app_version, OLD.removed_at)
        IS DISTINCT FROM (NEW.member_id, NEW.name, NEW.app_version, NEW.removed_at))
    EXECUTE FUNCTION cd.note_change();

CREATE TRIGGER changed BEFORE UPDATE ON cd.project_member FOR EACH ROW
    WHEN (OLD.role IS DISTINCT FROM NEW.role)
    EXECUTE FUNCTION cd.note_change();

-- All that the policies of 60_rights let the caller read of people and projects, once for each poll: the heads of projects
-- whole, of people only what changed since p_since (0: everything). What of others became visible meanwhile, because the
-- caller was let into a project or became an owner of the workspace, counts as changed. A minute is asked for twice: what
-- was changed a moment before may have been committed a moment after somebody looked. Who keeps a transaction open for
-- longer is told of by the hint that comes with its commit, which names the time (see cd.tell).
-- CD002, CD003: see need_me; CD006: the device is not the caller's any more. An outdated protocol is told its mode alone.
CREATE FUNCTION cd.view_since(p_device uuid, p_proto integer, p_since bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_mode text := cd.mode(p_proto);
    v_now bigint := cd.now_us();
    v_floor bigint := CASE WHEN p_since BETWEEN 1 AND v_now + 60000000 THEN p_since - 60000000 ELSE -1 END;
    v_is_owner boolean;
    v_mine uuid[];  -- the caller's projects, v_met: those that were deleted for all, too
    v_met uuid[];
    v_new uuid[];
    v_said jsonb;
    v_found jsonb;
BEGIN
    SELECT m.is_owner, CASE WHEN m.changed > v_floor THEN -1 ELSE v_floor END INTO v_is_owner, v_floor
    FROM cd.member m WHERE m.id = v_me;
    SELECT jsonb_build_object(
        'workspace_id', t.workspace_id, 'workspace_name', t.name, 'schema', t.schema_version, 'mode', v_mode,
        'member_id', m.id, 'member_name', m.display_name, 'is_owner', m.is_owner, 'channel', m.channel,
        'server_time_ms', cd.now_ms(), 'version', v_now, 'is_whole', v_floor < 0
    ) INTO v_said FROM cd.meta t, cd.member m WHERE m.id = v_me;
    IF v_mode = 'blocked' THEN
        RETURN v_said;
    END IF;
    PERFORM cd.need_device(p_device, v_me);
    -- Once in a quarter of an hour is enough for who looks after the server.
    UPDATE cd.device d SET last_seen = now() WHERE d.id = p_device AND d.last_seen < now() - interval '15 minutes';
    SELECT coalesce(array_agg(p.project_id) FILTER (WHERE j.deleted_at IS NULL), '{}'),
        coalesce(array_agg(p.project_id), '{}'),
        coalesce(array_agg(p.project_id) FILTER (WHERE p.changed > v_floor), '{}')
    INTO v_mine, v_met, v_new
    FROM cd.project_member p JOIN cd.project j ON j.id = p.project_id
    WHERE p.member_id = v_me AND p.role IS NOT NULL;
    SELECT jsonb_build_object(
        'projects', (
            SELECT coalesce(jsonb_agg(jsonb_build_array(j.id,
                CASE WHEN j.deleted_at IS NULL THEN p.role ELSE 'viewer' END, j.channel, h.seq,
                j.deleted_at IS NOT NULL, j.created_by = v_me, j.erased_at IS NOT NULL) ORDER BY j.id), '[]')
            FROM cd.project_member p JOIN cd.project j ON j.id = p.project_id
            JOIN cd.project_head h ON h.project_id = j.id
            WHERE p.member_id = v_me AND p.role IS NOT NULL
        ),
        'roles', (
            SELECT coalesce(jsonb_agg(jsonb_build_array(p.project_id, p.member_id, p.role)
                ORDER BY p.project_id, p.member_id), '[]')
            FROM (
                SELECT r.project_id, r.member_id, r.role FROM cd.project_member r
                WHERE r.changed > v_floor AND r.project_id = ANY (v_mine)
                UNION
                SELECT r.project_id, r.member_id, r.role FROM cd.project_member r
                WHERE r.project_id = ANY (v_new) AND r.project_id = ANY (v_mine)
            ) AS p
            WHERE p.role IS NOT NULL OR v_floor >= 0
        ),
        'members', (
            SELECT coalesce(jsonb_agg(jsonb_build_array(m.id, m.display_name, m.is_owner, m.status,
                floor(extract(epoch FROM m.invited_at) * 1000)::bigint) ORDER BY m.id), '[]')
            FROM (
                SELECT n.id FROM cd.member n
                WHERE n.changed > v_floor AND (v_is_owner OR n.id = v_me OR EXISTS (
                    SELECT FROM cd.project_member r WHERE r.member_id = n.id AND r.project_id = ANY (v_met)))
                UNION
                -- Who came into a project of the caller's is a new face to them.
                SELECT r.member_id FROM cd.project_member r
                WHERE r.project_id = ANY (v_new) OR (r.changed > v_floor AND r.project_id = ANY (v_mine))
            ) AS seen
            JOIN cd.member m ON m.id = seen.id
        ),
        'devices', (
            SELECT coalesce(jsonb_agg(jsonb_build_array(d.id, d.member_id, d.name, d.app_version,
                floor(extract(epoch FROM d.last_seen) * 1000)::bigint, d.removed_at IS NOT NULL) ORDER BY d.id), '[]')
            FROM cd.device d
            WHERE d.changed > v_floor AND (v_is_owner OR d.member_id = v_me) AND (d.removed_at IS NULL OR v_floor >= 0)
        ),
        'presence', (
            SELECT coalesce(jsonb_agg(jsonb_build_array(h.project_id, h.member_id, h.device_id, h.thread_id, h.state)
                ORDER BY h.project_id, h.member_id, h.device_id), '[]')
            FROM (
                SELECT * FROM cd.presence p
                WHERE p.project_id = ANY (v_mine) AND p.member_id <> v_me AND p.expires_at > now() LIMIT 10000
            ) AS h
        )
    ) INTO v_found;
    RETURN v_said || v_found;
END
$$;

-- What a connection asks first.

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
        IF cd.is_workspace_owner() THEN
            PERFORM cd.clear_removed(v_me, NULL);
        END IF;
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
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
BEGIN
    PERFORM cd.need_fresh();
    RETURN (
        SELECT jsonb_build_object('workspace_id', t.workspace_id, 'workspace_name', t.name, 'schema', t.schema_version,
            'min_read', t.min_read, 'min_write', t.min_write, 'group', t.grp)
        FROM cd.meta t
        WHERE EXISTS (SELECT FROM cd.member m WHERE m.role_name = session_user AND m.status <> 'removed')
    );
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
        'seal_key', 'change', 'erased_ahead', 'file_use', 'blob_chunk', 'presence', 'policy', 'used', 'alembic_version']
    LOOP
        EXECUTE format('ALTER TABLE cd.%I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE cd.%I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY functions ON cd.%I TO CURRENT_USER USING (true) WITH CHECK (true)', v_table);
    END LOOP;
END
$$;

-- (SELECT …): asked once for each statement, not for each row.
CREATE POLICY members ON cd.meta FOR SELECT USING ((SELECT cd.me()) IS NOT NULL);

CREATE POLICY members ON cd.policy FOR SELECT USING ((SELECT cd.me()) IS NOT NULL);

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
        'GRANT SELECT ON cd.meta, cd.policy, cd.device, cd.project, cd.project_head, cd.project_member, cd.change,'
        ' cd.blob_chunk, cd.presence, cd.team_usage TO %I', v_group);
    -- Neither where others are told of what concerns them alone, nor the names of their logins, by which the server's own
    -- lists say who is connected.
    EXECUTE format('GRANT SELECT (id, display_name, is_owner, status, invited_by, invited_at, accepted_at, removed_at)'
        ' ON cd.member TO %I', v_group);
    EXECUTE format('GRANT INSERT (project_id, sha256, idx, total, data) ON cd.blob_chunk TO %I', v_group);
    EXECUTE format(
        'GRANT EXECUTE ON FUNCTION cd.me(), cd.my_projects(), cd.my_projects_and_ended(), cd.my_writable(),'
        ' cd.my_peers(), cd.is_workspace_owner(), cd.tokens(jsonb), cd.workspace(),'
        ' cd.hello(uuid, text, text, integer), cd.view_since(uuid, integer, bigint),'
        ' cd.acknowledge(uuid, jsonb), cd.push(uuid, uuid, integer, jsonb),'
        ' cd.relay(uuid, uuid, integer, jsonb), cd.poke(uuid), cd.create_project(uuid), cd.end_project(uuid),'
        ' cd.set_role(uuid, uuid, text), cd.leave_project(uuid), cd.set_presence(uuid, uuid, uuid, text),'
        ' cd.invite(text, text, text, jsonb, timestamptz), cd.accept_invite(text, text), cd.change_password(text),'
        ' cd.rename_me(text), cd.rename_workspace(text), cd.remove_device(uuid), cd.remove_member(uuid),'
        ' cd.set_workspace_owner(uuid, boolean), cd.disconnect_removed(), cd.end_connections(uuid), cd.blockers(),'
        ' cd.set_policy(jsonb), cd.discard_broken_file(uuid, text), cd.erase_project(uuid), cd.tidy(uuid, integer)'
        ' TO %I',
        v_group);
END
$$;

INSERT INTO cd.alembic_version (version_num) VALUES ('0001') RETURNING cd.alembic_version.version_num;

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
