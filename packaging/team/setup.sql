-- Sets up a workspace of ChatDesk in an empty database, as the app does. Made from migrations/team; do not edit.
--
-- Run by the login that owns the database and has CREATEROLE (no superuser is needed), with psql 15 or newer:
--
--   psql "host=db.example.org dbname=team user=team_owner sslmode=verify-full" \
--     -v workspace_id=$(uuidgen | tr A-Z a-z) -v workspace_name="Desk" -v member_name="Olga" \
--     -v login=olga -v verifier="$(cat verifier.txt)" -f setup.sql
--
-- login: the second half of the first member's login, which becomes cd_<six digits>_olga and is printed: lower-case
-- letters, digits and _, at least 4. verifier: of that member's password, as
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

-- Running upgrade  -> 0002

-- The log of each project, who may read and write it, and what is needed to check that. Times in milliseconds UTC are
-- bigint; the others are timestamps. Nobody writes here but the functions of this schema.

CREATE TABLE cd.meta (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    workspace_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    schema_version integer NOT NULL DEFAULT 2,
    min_read integer NOT NULL DEFAULT 2,
    min_write integer NOT NULL DEFAULT 2,
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

-- Whose turn it is: a row for each member, and one for the workspace. Only who is limited by it waits for it, and it is always
-- taken before the head of a project. It begins with nothing where the server crashed.
CREATE UNLOGGED TABLE cd.turn (
    id uuid PRIMARY KEY
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
    change_id uuid,  -- made it: where that one was lost, its author may make the same again
    PRIMARY KEY (id, project_id)
);

CREATE TABLE cd.change (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    seq bigint NOT NULL,
    device_id uuid NOT NULL,
    dseq bigint NOT NULL,
    number bigint NOT NULL,  -- among those of its device in its project, dense as seq is
    author uuid NOT NULL,
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
    erased_by uuid,  -- NULL where the words are there, or where cd.tidy removed a value that was replaced
    UNIQUE (project_id, seq)
);

-- After the one by number, and in this order: where a table is empty all look alike to the planner, which takes the newest,
-- and a plan that looks for an id through the numbers of its project reads all of them.
ALTER TABLE cd.change ADD UNIQUE (device_id, dseq, project_id);

ALTER TABLE cd.change ADD PRIMARY KEY (id, project_id);

-- For cd.tidy alone: values of which only the newest counts.
CREATE INDEX change_values ON cd.change (project_id, seq) WHERE reg LIKE 'lww.%';

-- How many changes of a device are in a project.
CREATE TABLE cd.device_count (
    project_id uuid NOT NULL,
    device_id uuid NOT NULL,
    changes bigint NOT NULL,
    PRIMARY KEY (project_id, device_id)
) WITH (fillfactor = 20);

-- What an erasure named that was not there: it takes the words when they come, if they are of the member who asked, or a
-- member might ask for those of everybody then.
CREATE TABLE cd.erased_ahead (
    project_id uuid NOT NULL,
    change_id uuid NOT NULL,
    by_member uuid NOT NULL,
    may_all boolean NOT NULL,
    erasure_id uuid NOT NULL,
    PRIMARY KEY (project_id, change_id, by_member)
);

-- Which changes name a file; a file that none names is removed (cd.tidy, cd.erase).
CREATE TABLE cd.file_use (
    project_id uuid NOT NULL,
    sha256 text NOT NULL,
    change_id uuid NOT NULL,
    PRIMARY KEY (project_id, sha256, change_id)
);

-- Files of which the last message that named them was erased: pieces that come again stay for a day at most.
CREATE TABLE cd.erased_file (
    project_id uuid NOT NULL,
    sha256 text NOT NULL,
    PRIMARY KEY (project_id, sha256)
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

-- Signs of names, and what they look like: the data of Unicode's confusables (UTS #39, version 13.0.0) that NFKD
-- leaves to be compared, without marks. Made by packaging/team/write_look_alikes.py; do not edit.

CREATE TABLE cd.look_alike (
    sign text PRIMARY KEY,
    look text NOT NULL
);

INSERT INTO cd.look_alike (sign, look)
SELECT substr(pair.text, 1, 1), substr(pair.text, 2) FROM unnest(string_to_array(
    U&'\0022\0027\0027 \0025o\002FO 0O 1l Il \0060\0027 mrn \007Cl \00A2c \00A5Y \00C6AE \00D0D \00D7x \00D8O \00E6ae'
    ' \00F0\2202 \00F8o \0110D \0111d \0126H \0127h \0131i \0141L \0142l \0152OE \0153oe \0166T \0167t \0180b'
    ' \0181\0027B \0182b \0183b \0184b \0187C\0027 \0189D \018A\0027D \018Cd \018Dg \0191F \0192f \0193G\0027 \0196l'
    ' \0197l \0198K\0027 \0199k \019Al \019DN \019En \019FO \01A4\0027P \01A5p \01A6R \01A72 \01AC\0027T \01ADt'
    ' \01AET \01B3\0027Y \01B4y \01B5Z \01B6z \01B73 \01BB2 \01BC5 \01BDs \01BF\00FE \01C0l \01C1ll \01C3\0021 \01E4G'
    ' \01E5g \021C3 \02228 \02238 \0224Z \0225z \023Cc \023ET \0241\003F \0244U \0246E \0247e \0248J \0249j \024Dr'
    ' \024EY \024Fy \0251a \0253b \0256d \0257d \0259\01DD \025A\01DD\02DE \025B\A793 \0260g \0261g \0263y \0266h'
    ' \0268i \0269i \026Ai \026Bl \026Dl \026El\021D \026Fw \0271rn \0273n \0275o \0276o\1D07 \027Cr \027Dr \0282s'
    ' \028Bu \028Fy \0290z \0292\021D \0294\003F \02A0q \02A3dz \02A4d\021D \02A5d\0291 \02A6ts \02A7t\0283'
    ' \02A8t\0255 \02A9f\014B \02AAls \02ABlz \02B9\0027 \02BA\0027\0027 \02BB\0027 \02BC\0027 \02BD\0027 \02BE\0027'
    ' \02BF\0559 \02C2\003C \02C3\003E \02C4\005E \02C6\005E \02C8\0027 \02CA\0027 \02CB\0027 \02D0\003A \02D3\0559'
    ' \02D7\002D \02EE\0027\0027 \02F4\0027 \02F6\0027\0027 \02F8\003A \02FB\02EA \0370\2C75 \0375\02CF \0376\0418'
    ' \0377\1D0E \037B\0254 \037D\A73F \037FJ \0391A \0392B \0395E \0396Z \0397H \0398O \0399l \039AK \039B\0245'
    ' \039CM \039DN \039FO \03A1P \03A3\01A9 \03A4T \03A5Y \03A7X \03B1a \03B2\00DF \03B3y \03B4\1E9F \03B5\A793'
    ' \03B7n \03B8O \03B9i \03BA\0138 \03BDv \03BFo \03C1p \03C3o \03C4\1D1B \03C5u \03C6\0278 \03DB\03C2 \03DCF'
    ' \03E82 \03E9\01A8 \03F3j \03F7\00DE \03F8\00FE \03FAM \03FD\0186 \03FF\A73E \0404\A792 \0405S \0406l \0408J'
    ' \0410A \0411b \0412B \0413\0393 \0415E \04173 \041AK \041B\0245 \041CM \041DH \041EO \041F\03A0 \0420P \0421C'
    ' \0422T \0423Y \0424\03A6 \0425X \042Bbl \042Cb \042ElO \0430a \04316 \0432\0299 \0433r \0435e \0437\025C'
    ' \0438\1D0E \043A\0138 \043C\028D \043D\029C \043Eo \043F\03C0 \0440p \0441c \0442\1D1B \0443y \0444\0278 \0445x'
    ' \044A\02C9b \044B\0185i \044C\0185 \044F\1D19 \0454\A793 \0455s \0456i \0458j \045Bh \0461w \0462b \0463b'
    ' \0470\03A8 \0471\03C8 \0472O \0473o \0474V \0475v \047C\0460 \047Dw \048A\0418 \048B\1D0E \048Cb \048Db'
    ' \0490\0393\0027 \0491r\0027 \0492\0393 \0493r \0496\0416 \0497\0436 \04983 \0499\025C \049AK \049B\0138 \049EK'
    ' \049F\0138 \04A2H \04A3\029C \04AAC \04ABc \04ACT \04AD\1D1B \04AEY \04AFy \04B0Y \04B1y \04B2X \04BBh \04BDe'
    ' \04BE\04BC \04BFe \04C0l \04C5\0245 \04C6\043B \04C7H \04C8\029C \04C9H \04CA\029C \04CB\04B6 \04CC\04B7 \04CDM'
    ' \04CE\028D \04CFi \04D4AE \04D5ae \04D8\018F \04D9\01DD \04E03 \04E1\021D \04E8O \04E9o \0501d \050A\01F6'
    ' \050CG \050D\0262 \0510\0190 \0511\A793 \051Bq \051CW \051Dw \053B\12AE \0544\1206 \054A\1323 \054C\1261 \054DU'
    ' \054FS \0553\03A6 \0555O \055A\0027 \055D\0027 \0561w \0563q \0566q \056E\1E9F \0570h \0575\0237 \0578n'
    ' \057A\0270 \057Cn \057Du \0581g \0584f \0585o \0589\003A \05D5l \05D8v \05D9\0027 \05DFl \05E1o \05F0ll'
    ' \05F1l\0027 \05F2\0027\0027 \05F3\0027 \05F4\0027\0027 \0609o\002FOO \060Ao\002FOOO \060D\002C \060F\0639 \0618'
    ' \0619 \061A \0627l \062B\0649\06DB \0634\0633\06DB \063D\0649 \063F\0649\06DB \0647o \064A\0649 \0660\002E'
    ' \0661l \0665o \0667V \0668\0245 \066Ao\002FO \066B\002C \066C\060C \066D\002A \066E\0649 \066F\06A1 \0672l\0674'
    ' \0673l \0679\0649\0615 \067E\0649\06DB \0681\062D \0685\062D\06DB \0688\062F\0615 \068B\068A\0615'
    ' \068E\062F\06DB \0691\0631\0615 \0692\0631 \0698\0631\06DB \069E\0635\06DB \069F\0637\06DB \06A4\06A1\06DB'
    ' \06A7\0641 \06A8\06A1\06DB \06A9\0643 \06AA\0643 \06AD\0643\06DB \06B4\06AF\06DB \06B5\0644 \06B7\0644\06DB'
    ' \06BA\0649 \06BB\0649\0615 \06BD\0649\06DB \06BEo \06C1o \06C3\0629 \06C6\0648 \06C7\0648 \06C8\0648 \06C9\0648'
    ' \06CB\0648\06DB \06CC\0649 \06CE\0649 \06D0\067B \06D1\0649\06DB \06D2\0649 \06D4\002D \06D5o \06DF \06E8 \06EC'
    ' \06EE\062F \06EF\0631 \06F0\002E \06F1l \06F2\0662 \06F3\0663 \06F4\0664 \06F5o \06F6\0666 \06F7V \06F8\0245'
    ' \06F9\0669 \06FD\0621 \06FE\0645 \06FFo \0701\002E \0702\002E \0703\003A \0704\003A \0740 \0741 \0742\073C'
    ' \0747 \0751\0628\06DB \0756\0649 \0762\06AC \0763\0643\06DB \0767\0754 \0768\0646\0615 \0769\0646 \076C\0631'
    ' \0771\0697\0615 \0772\062D \077E\0633 \07C0O \07CAl \07EB \07ED \07EE \07F3 \07F4\0027 \07F5\0027 \07FA\005F'
    ' \08A1\0628 \08A4\06A2\06DB \08A7\0645\06DB \08A8\0649 \08A9\0754 \08AE\062F \08AF\0635 \08B0\06AF \08B1\0648'
    ' \08B2\0632 \08B6\0628\06E2 \08B7\0649\06DB\06E2 \08B9\0631 \08BA\0649 \08BB\06A1 \08BC\06A1 \08BD\0649 \08E5'
    ' \08E8 \08EA \08EB \08ED \08EE \08F0 \08F1 \08F2 \08F3 \08F8 \08F9 \08FA \08FF \0900 \0901 \0902 \0903\003A'
    ' \0904\0905\0946 \0906\0905\093E \0908\0930\094D\0907 \090D\090F\0945 \090E\090F\0946 \0910\090F\0947'
    ' \0911\0905\0949 \0912\0905\093E\0946 \0913\0905\093E\0947 \0914\0905\093E\0948 \093C \0952 \0953 \0954'
    ' \0965\0964\0964 \0966o \0967\0669 \097D\003F \0981 \0986\0985\09BE \09BC \09E0\098B\09C3 \09E1\098B\09C3 \09E6O'
    ' \09EA8 \09ED9 \0A02 \0A03\0983 \0A06\0A05\0A3E \0A07\0A72\0A3F \0A08\0A72\0A40 \0A09\0A73\0A41 \0A0A\0A73\0A42'
    ' \0A0F\0A72\0A47 \0A10\0A05\0A48 \0A14\0A05\0A4C \0A3C \0A4B\0946 \0A4D\094D \0A66o \0A679 \0A6A8 \0A81 \0A82'
    ' \0A83\003A \0A86\0A85\0ABE \0A8D\0A85\0AC5 \0A8F\0A85\0AC7 \0A90\0A85\0AC8 \0A91\0A85\0ABE\0AC5'
    ' \0A93\0A85\0ABE\0AC7 \0A94\0A85\0ABE\0AC8 \0ABC \0ABD\093D \0AC1\0941 \0AC2\0942 \0ACD\094D \0AE6o \0AE8\0968'
    ' \0AE9\0969 \0AEA\096A \0AEE\096E \0AF0\0970 \0B01 \0B038 \0B06\0B05\0B3E \0B20O \0B3C \0B66O \0B689 \0B82'
    ' \0B8A\0B89\0BB3 \0B9C\0B90 \0BB0\0B88 \0BBE\0B88 \0BC8\0BA9 \0BCD \0BD7\0BB3 \0BE6o \0BE7\0B95 \0BE8\0B89'
    ' \0BEA\0B9A \0BEB\0B88\0BC1 \0BEC\0B9A\0BC1 \0BED\0B8E \0BEE\0B85 \0BF0\0BAF \0BF2\0B9A\0BC2 \0BF4\0BAE\0BC0'
    ' \0BF5\0BF3 \0BF7\0B8E\0BB5 \0BF8\0BB7 \0BFA\0BA8\0BC0 \0C00 \0C02o \0C03\0983 \0C13\0C12\0C55 \0C14\0C12\0C4C'
    ' \0C20\0C30 \0C22\0C21 \0C25\0C27 \0C2D\0C2C \0C2E\0C35\0C41 \0C37\0C35 \0C39\0C35\0C3E \0C42\0C41\0C3E'
    ' \0C44\0C43\0C3E \0C60\0C0B\0C3E \0C61\0C0C\0C3E \0C66o \0C81 \0C82o \0C83\0983 \0C85\0C05 \0C86\0C06 \0C87\0C07'
    ' \0C92\0C12 \0C93\0C12\0C55 \0C94\0C12\0C4C \0C9C\0C1C \0C9E\0C1E \0CA3\0C23 \0CAF\0C2F \0CB1\0C31 \0CB2\0C32'
    ' \0CE1\0C8C\0CBE \0CE6o \0CE7\0C67 \0CE8\0C68 \0CEF\0C6F \0D01 \0D02o \0D03\0983 \0D08\0D07\0D57 \0D09\0B89'
    ' \0D0A\0B89\0D57 \0D0C\0D28\0D41 \0D10\0D0E\0D46 \0D13\0D12\0D3E \0D14\0D12\0D57 \0D19\0D28\0D41 \0D1C\0B90'
    ' \0D20o \0D23\0BA3 \0D31\0D30 \0D34\0BB4 \0D36\0BB6 \0D3A\0B9F\0BBF \0D3F\0BBF \0D40\0BBF \0D42\0D41 \0D43\0D41'
    ' \0D48\0D46\0D46 \0D4E\0971 \0D5A\0D28\0D4D\0D2E \0D5Fo\0D30o \0D61\0D1E \0D66o \0D6A\0D30\0D4D'
    ' \0D6B\0D26\0D4D\0D30 \0D6C\0D28\0D4D\0D28 \0D6D9 \0D6E\0D35\0D4D\0D30 \0D6F\0D28\0D4D \0D76\0D39\0D4D\0D2E'
    ' \0D79\0D28\0D41 \0D7B\0D28\0D4D \0D7C\0D30\0D4D \0D82o \0D83\0983 \0DE9\0DE8\0DCF \0DEA\0DA2 \0DEB\0DAF'
    ' \0DEF\0DE8\0DD3 \0E03\0E02 \0E0B\0E0A \0E0F\0E0E \0E14\0E04 \0E15\0E04 \0E17\0E11 \0E21\0E06 \0E26\0E20'
    ' \0E41\0E40\0E40 \0E45\0E32 \0E4D \0E50o \0E88\0E08 \0E8D\0E22 \0E9A\0E1A \0E9B\0E1B \0E9D\0E1D \0E9E\0E1E'
    ' \0E9F\0E1F \0EB8\0E38 \0EB9\0E39 \0EC8\0E48 \0EC9\0E49 \0ECA\0E4A \0ECB\0E4B \0ECD \0ED0o \0F00\0F68\0F7C\0F7E'
    ' \0F02\0F60\0F74\0F82\0F7F \0F03\0F60\0F74\0F82\0F14 \0F0E\0F0D\0F0D \0F1B\0F1A\0F1A \0F1E\0F1D\0F1D'
    ' \0F1F\0F1A\0F1D \0F37 \0F6A\0F62 \0FCE\0F1D\0F1A \0FD5\5350 \0FD6\534D \1000\1002\102C \1010o\102C \101Do'
    ' \101F\1015\102C \1029\101E\103C \102A\101E\103C\1031\102C\103A \1036 \1038\0983 \1040o \104B\104A\104A'
    ' \1065\1041 \1066\1015\103E \106F\1015\102C\103E \1070\1003\103E \107E\107D\103E \1081\1002\103E \109E\1083'
    ' \10A0\A786 \10E7y \10F3\021D \10FFo \1101\1100\1100 \1104\1103\1103 \1108\1107\1107 \110A\1109\1109'
    ' \110D\110C\110C \1113\1102\1100 \1114\1102\1102 \1115\1102\1103 \1116\1102\1107 \1117\1103\1100 \1118\1105\1102'
    ' \1119\1105\1105 \111A\1105\1112 \111B\1105\110B \111C\1106\1107 \111D\1106\110B \111E\1107\1100 \111F\1107\1102'
    ' \1120\1107\1103 \1121\1107\1109 \1122\1107\1109\1100 \1123\1107\1109\1103 \1124\1107\1109\1107'
    ' \1125\1107\1109\1109 \1126\1107\1109\110C \1127\1107\110C \1128\1107\110E \1129\1107\1110 \112A\1107\1111'
    ' \112B\1107\110B \112C\1107\1107\110B \112D\1109\1100 \112E\1109\1102 \112F\1109\1103 \1130\1109\1105'
    ' \1131\1109\1106 \1132\1109\1107 \1133\1109\1107\1100 \1134\1109\1109\1109 \1135\1109\110B \1136\1109\110C'
    ' \1137\1109\110E \1138\1109\110F \1139\1109\1110 \113A\1109\1111 \113B\1105\1112 \113D\113C\113C \113F\113E\113E'
    ' \1141\110B\1100 \1142\110B\1103 \1143\110B\1106 \1144\110B\1107 \1145\110B\1109 \1146\110B\1140 \1147\110B\110B'
    ' \1148\110B\110C \1149\110B\110E \114A\110B\1110 \114B\110B\1111 \114D\110C\110B \114F\114E\114E \1151\1150\1150'
    ' \1152\110E\110F \1153\110E\1112 \1156\1111\1107 \1157\1111\110B \1158\1112\1112 \115A\1100\1103 \115B\1102\1109'
    ' \115C\1102\110C \115D\1102\1112 \115E\1103\1105 \1162\1161\4E28 \1164\1163\4E28 \1166\1165\4E28 \1168\1167\4E28'
    ' \116A\1169\1161 \116B\1169\1161\4E28 \116C\1169\4E28 \116F\116E\1165 \1170\116E\1165\4E28 \1171\116E\4E28'
    ' \1173\30FC \1174\30FC\4E28 \1175\4E28 \1176\1161\1169 \1177\1161\116E \1178\1163\1169 \1179\1163\116D'
    ' \117A\1165\1169 \117B\1165\116E \117C\1165\30FC \117D\1167\1169 \117E\1167\116E \117F\1169\1165'
    ' \1180\1169\1165\4E28 \1181\1169\1167\4E28 \1182\1169\1169 \1183\1169\116E \1184\116D\1163 \1185\116D\1163\4E28'
    ' \1186\116D\1163 \1187\116D\1169 \1188\116D\4E28 \1189\116E\1161 \118A\116E\1161\4E28 \118B\116E\1165\30FC'
    ' \118C\116E\1167\4E28 \118D\116E\116E \118E\1172\1161 \118F\1172\1165 \1190\1172\1165\4E28 \1191\1172\1167'
    ' \1192\1172\1167\4E28 \1193\1172\116E \1194\1172\4E28 \1195\30FC\116E \1196\30FC\30FC \1197\30FC\4E28\116E'
    ' \1198\4E28\1161 \1199\4E28\1163 \119A\4E28\1169 \119B\4E28\116E \119C\4E28\30FC \119D\4E28\119E \119F\119E\1165'
    ' \11A0\119E\116E \11A1\119E\4E28 \11A2\119E\119E \11A3\1161\30FC \11A4\1163\116E \11A5\1167\1163 \11A6\1169\1163'
    ' \11A7\1169\1163\4E28 \11A8\1100 \11A9\1100\1100 \11AA\1100\1109 \11AB\1102 \11AC\1102\110C \11AD\1102\1112'
    ' \11AE\1103 \11AF\1105 \11B0\1105\1100 \11B1\1105\1106 \11B2\1105\1107 \11B3\1105\1109 \11B4\1105\1110'
    ' \11B5\1105\1111 \11B6\1105\1112 \11B7\1106 \11B8\1107 \11B9\1107\1109 \11BA\1109 \11BB\1109\1109 \11BC\110B'
    ' \11BD\110C \11BE\110E \11BF\110F \11C0\1110 \11C1\1111 \11C2\1112 \11C3\1100\1105 \11C4\1100\1109\1100'
    ' \11C5\1102\1100 \11C6\1102\1103 \11C7\1102\1109 \11C8\1102\1140 \11C9\1102\1110 \11CA\1103\1100 \11CB\1103\1105'
    ' \11CC\1105\1100\1109 \11CD\1105\1102 \11CE\1105\1103 \11CF\1105\1103\1112 \11D0\1105\1105 \11D1\1105\1106\1100'
    ' \11D2\1105\1106\1109 \11D3\1105\1107\1109 \11D4\1105\1107\1112 \11D5\1105\1107\110B \11D6\1105\1109\1109'
    ' \11D7\1105\1140 \11D8\1105\110F \11D9\1105\1159 \11DA\1106\1100 \11DB\1106\1105 \11DC\1106\1107 \11DD\1106\1109'
    ' \11DE\1106\1109\1109 \11DF\1106\1140 \11E0\1106\110E \11E1\1106\1112 \11E2\1106\110B \11E3\1107\1105'
    ' \11E4\1107\1111 \11E5\1107\1112 \11E6\1107\110B \11E7\1109\1100 \11E8\1109\1103 \11E9\1109\1105 \11EA\1109\1107'
    ' \11EB\1140 \11EC\110B\1100 \11ED\110B\1100\1100 \11EE\110B\110B \11EF\110B\110F \11F0\114C \11F1\110B\1109'
    ' \11F2\110B\1140 \11F3\1111\1107 \11F4\1111\110B \11F5\1112\1102 \11F6\1112\1105 \11F7\1112\1106 \11F8\1112\1107'
    ' \11F9\1159 \11FA\1100\1102 \11FB\1100\1107 \11FC\1100\110E \11FD\1100\110F \11FE\1100\1112 \11FF\1102\1102'
    ' \1200U \1223\0270 \1240\03A6 \1260\0548 \1294\0571 \12D0O \13A0D \13A1R \13A2T \13A4O\0027 \13A5i \13A8\2C75'
    ' \13A9Y \13AAA \13ABJ \13ACE \13AE\003F \13B0\2C75 \13B1\0393 \13B3W \13B7M \13BBH \13BDY \13BEO \13BF\01AB'
    ' \13C0G \13C2h \13C3Z \13C7\0460 \13CB\0190 \13CCU \13CE4 \13CFb \13D2R \13D4W \13D5S \13D9V \13DAS \13DEL'
    ' \13DFC \13E2P \13E6K \13E7d \13EBO \13EE6 \13F0\00DF \13F2h \13F3G \13F4B \13FB\0262 \13FC\0299 \1400\003D'
    ' \1403\0394 \140C\00B7\1401 \140D\1401\00B7 \140E\00B7\0394 \140F\0394\00B7 \1410\00B7\1404 \1411\1404\00B7'
    ' \1412\00B7\1405 \1413\1405\00B7 \1414\00B7\1406 \1415\1406\00B7 \1417\00B7\140A \1418\140A\00B7 \1419\00B7\140B'
    ' \141A\140B\00B7 \1427\00B7 \142B\1401\1420 \142C\0394\1420 \142D\1405\1420 \142E\140A\1420 \142FV \1431\0245'
    ' \1433\003E \1437\00B7\003E \1438\003C \143A\00B7V \143BV\00B7 \143C\00B7\0245 \143D\0245\00B7 \143E\00B7\1432'
    ' \143F\1432\00B7 \1440\00B7\003E \1441\003E\00B7 \1442\00B7\1434 \1443\1434\00B7 \1444\00B7\003C \1445\003C\00B7'
    ' \1446\00B7\1439 \1447\1439\00B7 \144A\0027 \144CU \144E\0548 \1454\00B7\1450 \1457\00B7U \1458U\00B7'
    ' \1459\00B7\0548 \145A\0548\00B7 \145B\00B7\144F \145C\144F\00B7 \145D\00B7\1450 \145E\1450\00B7 \145F\00B7\1451'
    ' \1460\1451\00B7 \1461\00B7\1455 \1462\1455\00B7 \1463\00B7\1456 \1464\1456\00B7 \1467U\0027 \1468\0548\0027'
    ' \1469\1450\0027 \146A\1455\0027 \146DP \146Fd \1472b \1473b \1474\00B7\146B \1475\146B\00B7 \1476\00B7P'
    ' \1477p\00B7 \1478\00B7\146E \1479\146E\00B7 \147A\00B7d \147Bd\00B7 \147C\00B7\1470 \147D\1470\00B7 \147E\00B7b'
    ' \147Fb\00B7 \1480\00B7b \1481b\00B7 \1485\146B\0027 \1486P\0027 \1487d\0027 \1488b\0027 \148DJ \1492\00B7\1489'
    ' \1493\1489\00B7 \1494\00B7\148B \1495\148B\00B7 \1496\00B7\148C \1497\148C\00B7 \1498\00B7J \1499J\00B7'
    ' \149A\00B7\148E \149B\148E\00B7 \149C\00B7\1490 \149D\1490\00B7 \149E\00B7\1491 \149F\1491\00B7 \14A5\0393'
    ' \14AAL \14AC\00B7\14A3 \14AD\14A3\00B7 \14AE\00B7\0393 \14AF\0393\00B7 \14B0\00B7\14A6 \14B1\14A6\00B7'
    ' \14B2\00B7\14A7 \14B3\14A7\00B7 \14B4\00B7\14A8 \14B5\14A8\00B7 \14B6\00B7L \14B7l\00B7 \14B8\00B7\14AB'
    ' \14B9\14AB\00B7 \14BF2 \14C9\00B7\14C0 \14CA\14C0\00B7 \14CB\00B7\14C7 \14CC\14C7\00B7 \14CD\00B7\14C8'
    ' \14CE\14C8\00B7 \14D1\1421 \14DC\00B7\14D3 \14DD\14D3\00B7 \14DE\00B7\14D5 \14DF\14D5\00B7 \14E0\00B7\14D6'
    ' \14E1\14D6\00B7 \14E2\00B7\14D7 \14E3\14D7\00B7 \14E4\00B7\14D8 \14E5\14D8\00B7 \14E6\00B7\14DA \14E7\14DA\00B7'
    ' \14E8\00B7\14DB \14E9\14DB\00B7 \14F6\00B7\14ED \14F7\14ED\00B7 \14F8\00B7\14EF \14F9\14EF\00B7 \14FA\00B7\14F0'
    ' \14FB\14F0\00B7 \14FC\00B7\14F1 \14FD\14F1\00B7 \14FE\00B7\14F2 \14FF\14F2\00B7 \1500\00B7\14F4 \1501\14F4\00B7'
    ' \1502\00B7\14F5 \1503\14F5\00B7 \150C\150B\003C \150D\150B\1455 \150E\150Bb \150F\150B\1490 \1517\00B7\1510'
    ' \1518\1510\00B7 \1519\00B7\1511 \151A\1511\00B7 \151B\00B7\1512 \151C\1512\00B7 \151D\00B7\1513 \151E\1513\00B7'
    ' \151F\00B7\1514 \1520\1514\00B7 \1521\00B7\1515 \1522\1515\00B7 \1523\00B7\1516 \1524\1516\00B7 \152F\00B74'
    ' \15304\00B7 \1531\00B7\1528 \1532\1528\00B7 \1533\00B7\1529 \1534\1529\00B7 \1535\00B7\152A \1536\152A\00B7'
    ' \1537\00B7\152B \1538\152B\00B7 \1539\00B7\152D \153A\152D\00B7 \153B\00B7\152E \153C\152E\00B7 \1540\1429'
    ' \1541x \154E\00B7\154C \154F\154C\00B7 \155B\00B7\155A \155C\155A\00B7 \1568\00B7\1567 \1569\1567\00B7'
    ' \1577\1E9F \157CH \157Dx \157E\1550\146C \157F\1550P \1580\1550\146E \1581\1550d \1582\1550\1470 \1583\1550b'
    ' \1584\1550b \1585\1550\1483 \1587R \158E\1595\148A \158F\1595\148B \1590\1595\148C \1591\1595J \1592\1595\148E'
    ' \1593\1595\1490 \1594\1595\1491 \15AFb \15B4F \15B5\2132 \15B7\A7FB \15C4\2C6F \15C5A \15DED \15EAD \15EF\0460'
    ' \15F0M \15F7B \1602\1490 \1603\1489 \1604\14D3 \1607\14DA \1622\1543 \1623\1546 \1624\154A \162E\01B1'
    ' \162F\03A9 \1634\01B1 \1635\03A9 \166DX \166Ex \166F\1550\146B \1670\1595\1489 \1671\1596\148B \1672\1596\148C'
    ' \1673\1596J \1674\1596\148E \1675\1596\1490 \1676\1596\1491 \1677\15A7\00B7 \1678\15A8\00B7 \1679\15A9\00B7'
    ' \167A\15AA\00B7 \167B\15AB\00B7 \167C\15AC\00B7 \167D\15AD\00B7 \16B2\003C \16B7X \16C1l \16C2\16BD \16CC\0027'
    ' \16D5K \16D6M \16D8\03A8 \16E1\16BC \16EB\00B7 \16EC\003A \16ED\002B \16F0\03A6 \1735\002F \17A3\17A2'
    ' \17B7\0E34 \17B8\0E35 \17B9\0E36 \17BA\0E37 \17C6 \17CB\0E48 \17D3 \17D4\0E2F \17D5\0E5A \17D9\0E4F \17DA\0E5B'
    ' \1803\003A \1809\003A \1855\1835 \1896\185C \18B3\00B7\18B1 \18B6\00B7\18B4 \18B9\00B7\18B8 \18C2\00B7\18C0'
    ' \18C6\00B7\14C2 \18C7\14C2\00B7 \18C8\00B7\14C3 \18C9\14C3\00B7 \18CA\00B7\14C4 \18CB\14C4\00B7 \18CC\00B7\14C5'
    ' \18CD\14C5\00B7 \18CE\00B7\1543 \18CF\00B7\1546 \18D0\00B7\1547 \18D1\00B7\1548 \18D2\00B7\1549 \18D3\00B7\154B'
    ' \18DB\18F5 \18DC\18DF\141E \18DD\141E\18DF \18E0\1543\00B7 \18E3\155E\00B7 \18E4\1566\00B7 \18E5\156B\00B7'
    ' \18E8\1586\00B7 \18EA\1597\00B7 \18ED\0460\00B7 \18F0\15F4\00B7 \18F2\161B\00B7 \19D0\199E \19D1\19B1'
    ' \1A80\1A45 \1A90\1A45 \1AA9\1AA8\1AA8 \1AAB\1AAA\1AA8 \1B52\1B0D \1B53\1B11 \1B58\1B28 \1B5C\1B50'
    ' \1B5F\1B5E\1B5E \1C3C\1C3B\1C3B \1C7F\1C7E\1C7E \1CD0 \1CD2 \1CD3\0027\0027 \1CD5 \1CD8 \1CD9 \1CDA \1CDC \1CDD'
    ' \1CDE \1CED \1D04c \1D08\025C \1D0B\0138 \1D0D\028D \1D0Fo \1D10\0254 \1D11o \1D14\01DDo \1D1Cu \1D20v \1D21w'
    ' \1D22z \1D24\01A8 \1D26r \1D27\028C \1D28\03C0 \1D29\1D18 \1D2B\043B \1D6Bue \1D6Ef \1D6Frn \1D70n \1D72r'
    ' \1D73\027E \1D74s \1D75t \1D76z \1D7Bi \1D7Ci \1D7Dp \1D7Eu \1D7F\028A \1D83g \1D8Cy \1D90\024B \1E9Df \1EFFy'
    ' \2010\002D \2012\002D \2013\002D \2014\30FC \2015\30FC \2016ll \2018\0027 \2019\0027 \201A\002C \201B\0027'
    ' \201C\0027\0027 \201D\0027\0027 \201F\0027\0027 \2022\00B7 \2027\00B7 \2030o\002FOO \2031o\002FOOO \2032\0027'
    ' \2035\0027 \2039\003C \203A\003E \2041\002F \2043\002D \2044\002F \204E\002A \2052o\002FO \2053\007E \205A\003A'
    ' \205D\2D57 \205E\2D42 \20A1C \20A4\00A3 \20A5rn \20A9W \20ABd \20AC\A792 \20ADK \20AET \20B6lt \20BD\0554'
    ' \2108\042D \2127\01B1 \2129\027F \212Ee \2141\A4E8 \2142\A4F6 \2143\+016F00 \2183\0186 \2184\0254 \2191\16CF'
    ' \2195\16E8 \21B5\21B2 \21BA\+01F10E \21BE\16DA \21BF\16D0 \2200\2C6F \2203\018E \2206\0394 \220F\03A0'
    ' \2211\01A9 \2212\002D \2214\002B \2215\002F \2216\005C \2217\002A \2218\00B0 \2219\00B7 \221Eoo \2223l \2225ll'
    ' \2228v \2229\0548 \222AU \222B\0283 \2236\003A \2238\002D \223C\007E \2250\003D \2251\003D \2257\003D'
    ' \2259\003D \225A\003D \225E\003D \2263\2261 \226A\003C\003C \226B\003E\003E \2282\1455 \2283\1450 \2295\+0102A8'
    ' \2296O \2299\0298 \229DO \22A4T \22A5\A4D5 \22C0\2227 \22C1v \22C2\0548 \22C3U \22C4\16DC \22C5\00B7 \22C8\16DE'
    ' \22D6\003C\00B7 \22D7\00B7\003E \22D8\003C\003C\003C \22D9\003E\003E\003E \22EE\2D57 \22EF\00B7\00B7\00B7'
    ' \22F4\A793 \22FFE \2300\2205 \2325\2324 \2341\303C \2359\0394 \235A\16DC \235C\00B0 \235F\229B \2361T'
    ' \2362\2207 \2363\22C6 \2364\00B0 \2365\0629 \2368\007E \2369\1435 \236B\2207 \236CO \2373i \2374p \2375\03C9'
    ' \2376a \2377\A793 \2378i \2379\03C9 \237Aa \237F\16BD \239C\4E28 \239F\4E28 \23A2\4E28 \23A5\4E28 \23AA\4E28'
    ' \23AE\4E28 \23C1\2355 \23C2\234E \23C3\234B \23C6\236D \23E8lO \23FC\23FB \23FDl \23FE\263E \244A\005C\005C'
    ' \2500\30FC \2501\30FC \2503\2502 \250F\250C \2523\251C \2571\002F \2573X \2588\220E \2590\258C \2594\02C9'
    ' \2597\2596 \259D\2598 \25A0\220E \25B1\23E5 \25B3\0394 \25B7\22B3 \25B8\25B6 \25BA\25B6 \25BD\+0102BC'
    ' \25C1\22B2 \25C7\16DC \25CA\16DC \25CB\00B0 \25CE\233E \25E0\2312 \25E6\00B0 \2609\0298 \2610\25A1'
    ' \2625\+01099E \2630\2CB6 \2638\2388 \264E\224F \2662\16DC \2669\+01D158\+01D165 \266A\+01D158\+01D165\+01D16E'
    ' \26AC\0970 \2768\0028 \2769\0029 \276E\003C \276F\003E \2772\0028 \2773\0029 \2774\007B \2775\007D \2795\002B'
    ' \2796\002D \2797\00F7 \27C2\A4D5 \27C8\005C\1455 \27C9\1450\002F \27CB\002F \27CD\005C \27D9T \27E8\276C'
    ' \27E9\276D \292Bx \292Cx \2963\16D0\16DA \2965\21C3\21C2 \296E\16D0\21C2 \296F\21C3\16DA \2999\2D42 \29B0\2349'
    ' \29BE\233E \29C4\303C \29C5\2342 \29C7\233B \29D6\+0102C0 \29D9\299A \29F4\003A\2192 \29F5\005C \29F6\002F'
    ' \29F8\002F \29F9\005C \2A00\0298 \2A01\+0102A8 \2A02\2297 \2A03\228D \2A04\228E \2A05\2293 \2A06\2294'
    ' \2A1D\16DE \2A20\003E\003E \2A21\16DA \2A22\002B \2A23\002B \2A24\002B \2A25\002B \2A26\002B \2A27\002B2'
    ' \2A29\002D \2A2A\002D \2A2Fx \2A30x \2A3D\2319 \2A3E\2A1F \2A3F\2210 \2A6A\007E \2A6E\003D \2AA5\003E\003C'
    ' \2AAA\15D5 \2AAB\15D2 \2AD7\1450\1455 \2AFB\002F\002F\002F \2AFD\002F\002F \2BEC\219E \2BED\219F \2BEE\21A0'
    ' \2BEF\21A1 \2C67H \2C69K \2C84\0393 \2C85r \2C86\0394 \2C88\A792 \2C89\A793 \2C8EH \2C92l \2C94K \2C95\0138'
    ' \2C96\03BB \2C98M \2C9AN \2C9EO \2C9Fo \2CA0\03A0 \2CA2P \2CA3p \2CA4C \2CA5c \2CA6T \2CA8Y \2CAA\03A6'
    ' \2CAB\0278 \2CACX \2CAD\03C7 \2CAE\03A8 \2CB1\03C9 \2CB4\003C\00B7 \2CBA\002D \2CBC\0428 \2CBD\0448 \2CC6\002F'
    ' \2CCA9 \2CCC3 \2CCD\021D \2CD0L \2CD1\029F \2CD26 \2CDC\03EC \2CE4\03D7 \2CE9\2627 \2CF9\005C\005C \2D31O'
    ' \2D37\0245 \2D38V \2D39E \2D3A\018E \2D41O \2D48\00B7\00B7\00B7 \2D49\01A9 \2D4Fl \2D51\0021 \2D54O \2D55Q'
    ' \2D59\0298 \2D5DX \2D60\0394 \2D63\16EF \2DE8 \2DEA \2DED \2DEF \2DF6 \2DF7 \2E1A\002D \2E1E\007E \2E1F\007E'
    ' \2E26\1455 \2E27\1450 \2E28\0028\0028 \2E29\0029\0029 \2E2A\2235 \2E2B\2234 \2E2C\2237 \2E2E\061F \2E30\00B0'
    ' \2E31\00B7 \2E32\060C \2E35\061B \2E39\1E9F \2E3D\2D42 \2E3F\00B6 \2E40\003D \2E82\4E5B \2E83\4E5A \2E85\4EBB'
    ' \2E89\5202 \2E8B\353E \2E8E\5140 \2E8F\5C23 \2E90\5C22 \2E92\5DF3 \2E93\5E7A \2E94\5F51 \2E96\5FC4 \2E97\38FA'
    ' \2E98\624C \2E99\6535 \2E9B\65E1 \2E9E\6B7A \2EA0\6C11 \2EA1\6C35 \2EA2\6C3A \2EA3\706C \2EA4\722B \2EA6\4E2C'
    ' \2EA8\72AD \2EAB\7F52 \2EAD\793B \2EAF\7CF9 \2EB1\7F53 \2EB2\7F52 \2EB9\8002 \2EBA\8080 \2EBE\8279 \2EBF\8279'
    ' \2EC0\8279 \2EC1\864E \2EC2\8864 \2EC3\8980 \2EC4\897F \2EC5\89C1 \2EC8\8BA0 \2EC9\8D1D \2ECB\8F66 \2ECC\8FB6'
    ' \2ECD\8FB6 \2ECF\961D \2ED0\9485 \2ED1\9577 \2ED2\9578 \2ED3\957F \2ED4\95E8 \2ED6\961D \2ED8\9752 \2ED9\97E6'
    ' \2EDA\9875 \2EDB\98CE \2EDC\98DE \2EDD\98DF \2EDF\98E0 \2EE0\9963 \2EE2\9A6C \2EE4\9B3C \2EE5\9C7C \2EE8\9EA6'
    ' \2EE9\9EC4 \2EEB\6589 \2EEC\9F50 \2EED\6B6F \2EEE\9F7F \2EEF\7ADC \2EF0\9F99 \2EF2\4E80 \3002\02F3'
    ' \3003\0027\0027 \3007O \3008\276C \3009\276D \3012\20B8 \3014\0028 \3015\0029 \301A\27E6 \301B\27E7 \302C \302D'
    ' \3033\002F \304F\276C \309A \30A0\003D \30A4\4EBB \30A8\5DE5 \30AB\529B \30BF\5915 \30C8\535C \30CB\4E8C'
    ' \30CE\002F \30CF\516B \30D8\3078 \30ED\53E3 \30FB\00B7 \31D0\30FC \31D1\4E28 \31D3\002F \31D4\005C \31D6\4E5B'
    ' \31DA\4E85 \31DB\276C \31DF\4E5A \31E0\4E59 \39B3\363D \439B\3588 \4420\3B3B \4E00\30FC \4E36\005C \4E3F\002F'
    ' \5002\4F75 \503C\5024 \555F\5553 \56D7\53E3 \586B\5861 \58EB\571F \58FF\58AB \5B00\5AAF \5E32\5E21 \5E50\3B3A'
    ' \6238\6236 \6409\3A41 \6663\403F \6669\665A \66F6\3ADA \6726\4443 \67FF\676E \69E9\3BA3 \6A27\699D \6F59\6E88'
    ' \784F\7814 \7D76\7D55 \80A6\670C \80CA\6710 \80D0\670F \80F6\3B35 \8101\6713 \8127\6718 \8141\80FC \81A7\6723'
    ' \853F\848D \8641\8637 \8A1E\46B6 \8A7D\8A2E \8B8F\8B86 \8C63\8C5C \8D86\8D7F \8DFA\8DE5 \8E9B\8E97 \8F27\8EFF'
    ' \90DE\90CE \93AE\93AD \96B8\96B7 \9E43\9E42 \9ED2\9ED1 \9FC3\4039 \A494\A2CD \A49C\A0C0 \A49E\A04A \A4A7\A458'
    ' \A4A8\A132 \A4AC\A050 \A4B0\A3C2 \A4BA\A3BF \A4BE\A2B1 \A4BF\A259 \A4C0\A3AB \A4C2\A3B5 \A4D0B \A4D1P \A4D2d'
    ' \A4D3D \A4D4T \A4D6G \A4D7K \A4D9J \A4DAC \A4DB\0186 \A4DCZ \A4DDF \A4DE\2132 \A4DFM \A4E0N \A4E1L \A4E2S'
    ' \A4E3R \A4E5\0245 \A4E6V \A4E7H \A4EAW \A4EBX \A4ECY \A4ED\1660 \A4EEA \A4EF\2C6F \A4F0E \A4F1\018E \A4F2l'
    ' \A4F3O \A4F4U \A4F5\0548 \A4F7\15E1 \A4F8\002E \A4F9\002C \A4FA\002E\002E \A4FB\002E\002C \A4FD\003A'
    ' \A4FE\002D\002E \A4FF\003D \A60E\002E \A6442 \A645\01A8 \A647i \A64D\03C9 \A650\042Al \A651\02C9bi \A668\0298'
    ' \A66F \A67C \A67E\02C7 \A695h \A698OO \A699oo \A69A\+0102A8 \A6A1\0418 \A6B0\16B9 \A6B1\2C75 \A6CD\02A1'
    ' \A6CE\0245 \A6DB\03A0 \A6DFV \A6EB\003F \A6EF2 \A6F0 \A6F1 \A6F4\A6F3\A6F3 \A714\02EB \A716\02EA \A728T3'
    ' \A729t\021D \A731s \A732AA \A733aa \A734AO \A735ao \A736AU \A737au \A738AV \A739av \A73AAV \A73Bav \A73CAY'
    ' \A73Day \A740K \A74AO \A74Bo \A74EOO \A74Foo \A75A2 \A761w \A76A3 \A76B\021D \A76E9 \A777tf \A778\0026'
    ' \A77A\A779 \A789\003A \A78C\0027 \A78F\00B7 \A795\A727 \A798F \A799f \A79A\+010412 \A79B\+01043A \A79D\029A'
    ' \A79E\A4E4 \A79Fu \A7AB3 \A7B1\A4D5 \A7B2J \A7B3X \A7B4B \A7B5\00DF \A7B6\A64C \A7B7\03C9 \A7F7\30FC \A830\0964'
    ' \A960\1103\1106 \A961\1103\1107 \A962\1103\1109 \A963\1103\110C \A964\1105\1100 \A965\1105\1100\1100'
    ' \A966\1105\1103 \A967\1105\1103\1103 \A968\1105\1106 \A969\1105\1107 \A96A\1105\1107\1107 \A96B\1105\1107\110B'
    ' \A96C\1105\1109 \A96D\1105\110C \A96E\1105\110F \A96F\1106\1100 \A970\1106\1103 \A971\1106\1109'
    ' \A972\1107\1109\1110 \A973\1107\110F \A974\1107\1112 \A975\1109\1109\1107 \A976\110B\1105 \A977\110B\1112'
    ' \A978\110C\110C\1112 \A979\1110\1110 \A97A\1111\1112 \A97B\1112\1109 \A97C\1159\1159 \A992\2C3F \A9A3\A99D'
    ' \A9C6\A9D0 \A9CF\0662 \AA53\AA01 \AA56\AA23 \AB32e \AB35f \AB3Do \AB3Eo \AB3F\0254 \AB41\01DDo \AB42\01DDo'
    ' \AB47r \AB48r \AB4D\0283 \AB4Eu \AB52u \AB53\03C7 \AB55\03C7 \AB5Ay \AB60\0459 \AB62\0254e \AB63uo \AB70\1D05'
    ' \AB71\0280 \AB72\1D1B \AB74o \AB75i \AB7A\1D00 \AB7B\1D0A \AB7C\1D07 \AB7E\0242 \AB80\2C76 \AB81r \AB83w'
    ' \AB87\028D \AB8B\029C \AB8Eo \AB90\0262 \AB93z \AB9B\A793 \AB9Cu \AB9F\0185 \ABA2\0280 \ABA9v \ABAAs \ABAE\029F'
    ' \ABAFc \ABB2\1D18 \ABB6\0138 \ABBBo \D7B0\1169\1167 \D7B1\1169\1169\4E28 \D7B2\116D\1161 \D7B3\116D\1161\4E28'
    ' \D7B4\116D\1165 \D7B5\116E\1167 \D7B6\116E\4E28\4E28 \D7B7\1172\1161\4E28 \D7B8\1172\1169 \D7B9\30FC\1161'
    ' \D7BA\30FC\1165 \D7BB\30FC\1165\4E28 \D7BC\30FC\1169 \D7BD\4E28\1163\1169 \D7BE\4E28\1163\4E28 \D7BF\4E28\1167'
    ' \D7C0\4E28\1167\4E28 \D7C1\4E28\1169\4E28 \D7C2\4E28\116D \D7C3\4E28\1172 \D7C4\4E28\4E28 \D7C5\119E\1161'
    ' \D7C6\119E\1165\4E28 \D7CB\1102\1105 \D7CC\1102\110E \D7CD\1103\1103 \D7CE\1103\1103\1107 \D7CF\1103\1107'
    ' \D7D0\1103\1109 \D7D1\1103\1109\1100 \D7D2\1103\110C \D7D3\1103\110E \D7D4\1103\1110 \D7D5\1105\1100\1100'
    ' \D7D6\1105\1100\1112 \D7D7\1105\1105\110F \D7D8\1105\1106\1112 \D7D9\1105\1107\1103 \D7DA\1105\1107\1111'
    ' \D7DB\1105\114C \D7DC\1105\1159\1112 \D7DD\1105\110B \D7DE\1106\1102 \D7DF\1106\1102\1102 \D7E0\1106\1106'
    ' \D7E1\1106\1107\1109 \D7E2\1106\110C \D7E3\1107\1103 \D7E4\1107\1105\1111 \D7E5\1107\1106 \D7E6\1107\1107'
    ' \D7E7\1107\1109\1103 \D7E8\1107\110C \D7E9\1107\110E \D7EA\1109\1106 \D7EB\1109\1107\110B \D7EC\1109\1109\1100'
    ' \D7ED\1109\1109\1103 \D7EE\1109\1140 \D7EF\1109\110C \D7F0\1109\110E \D7F1\1109\1110 \D7F2\1105\1112'
    ' \D7F3\1140\1107 \D7F4\1140\1107\110B \D7F5\114C\1106 \D7F6\114C\1112 \D7F7\110C\1107 \D7F8\110C\1107\1107'
    ' \D7F9\110C\110C \D7FA\1111\1109 \D7FB\1111\1110 \FD3E\0028 \FD3F\0029 \+010101\00B7 \+01018EN \+010196X'
    ' \+010197V \+010198llS \+010199ll \+0101A0\2CE8 \+010282B \+010285\0394 \+010286E \+010287F \+01028Al'
    ' \+01028D\0245 \+010290X \+010292O \+010294\16DC \+010295P \+010296S \+010297T \+01029B\002B \+0102A0A \+0102A1B'
    ' \+0102A2C \+0102A3\0394 \+0102A5F \+0102ABO \+0102AD\03D8 \+0102B0M \+0102B1T \+0102B2Y \+0102B3\03A6 \+0102B4X'
    ' \+0102B5\03A8 \+0102B6\03A9 \+0102B8\2D40 \+0102CFH \+0102E1\062F \+0102E4\0648 \+0102E8\0637 \+0102F2\0635'
    ' \+0102F5Z \+010301B \+010302C \+010309l \+010311M \+010312\03D8 \+010315T \+010317X \+01031A8 \+01031F\002A'
    ' \+010320l \+010322X \+0103D1\+010382 \+0103D3\+010393 \+010401\0190 \+010404O \+010411\A4F6 \+010415C \+01041BL'
    ' \+01041F\2C70 \+010420S \+010423\0186 \+010425\0418 \+010429\A793 \+01042A\029A \+01042Co \+01043Dc'
    ' \+01043F\0277 \+010442\025E \+010443\029F \+010448s \+01044B\0254 \+01044D\1D0E \+0104A0\+010486 \+0104B0\0245'
    ' \+0104B4R \+0104BC\04C3 \+0104C2O \+0104C3\0298 \+0104C4\00DE \+0104CD\040B \+0104CEU \+0104D0\16E6'
    ' \+0104D1\03A8 \+0104D27 \+0104D8\028C \+0104DB\03BB \+0104EAo \+0104EB\A669 \+0104F6u \+0104F9\03C8 \+010513N'
    ' \+010516O \+010518K \+01051CC \+01051DV \+010525F \+010526L \+010527X \+010A3A \+010A50\002E'
    ' \+010A57\+010A56\+010A56 \+010CFA\+010CA5 \+010CFC\+010C82 \+0110BB\0970 \+0111C7\0970 \+0111CA \+0111CB\093A'
    ' \+0111DB\A8FC \+0111DC\A8FB \+0111DE\2248 \+011300 \+011413\+011434\+011442\+011412'
    ' \+011419\+011434\+011442\+011418 \+011424\+011434\+011442\+011423 \+01142A\+011434\+011442\+011429'
    ' \+01142D\+011434\+011442\+01142C \+01142F\+011434\+011442\+01142E \+01144C\+01144B\+01144B \+011492\0998'
    ' \+011494\099A \+011496\099C \+011498\099E \+011499\099F \+01149B\09A1 \+01149D\09B2 \+01149E\09A4 \+01149F\09A5'
    ' \+0114A0\09A6 \+0114A1\09A7 \+0114A2\09A8 \+0114A3\09AA \+0114A7\09AE \+0114A8\09AF \+0114A9\09AC \+0114AA\09A3'
    ' \+0114AB\09B0 \+0114AD\09B7 \+0114AE\09B8 \+0114B0\09BE \+0114B1\09BF \+0114B9\09C7 \+0114BD\09D7 \+0114BF'
    ' \+0114C1\0983 \+0114C2\09CD \+0114C3 \+0114C4\09BD \+0114C5w \+0114D0O \+0114D1\09E7 \+0114D2\09E8'
    ' \+0114D6\09EC \+0115D8\+011582 \+0115D9\+011582 \+0115DA\+011583 \+0115DB\+011584 \+0115DC\+0115B2'
    ' \+0115DD\+0115B3 \+011642\+011641\+011641 \+011700rn \+011706v \+01170Aw \+01170Ew \+01170Fw \+0118A0V'
    ' \+0118A2F \+0118A3L \+0118A4Y \+0118A6E \+0118A8\2207 \+0118A9Z \+0118AC9 \+0118AEE \+0118AF4 \+0118B2L'
    ' \+0118B5O \+0118B7\16DC \+0118B8U \+0118BB5 \+0118BCT \+0118C0v \+0118C1s \+0118C2F \+0118C3i \+0118C4z'
    ' \+0118C67 \+0118C8o \+0118CA3 \+0118CC9 \+0118CE\A793 \+0118D56 \+0118D69 \+0118D7o \+0118D8u \+0118DCy'
    ' \+0118E0O \+0118E3rn \+0118E4\0669 \+0118E5Z \+0118E6W \+0118E9C \+0118ECX \+0118EFW \+0118F2C'
    ' \+011AE6\+011AE5\+011AEF \+011AE7\+011AE5\+011AF0 \+011AE8\+011AE5\+011AE5 \+011AE9\+011AE5\+011AE5\+011AEF'
    ' \+011AEA\+011AE5\+011AE5\+011AF0 \+011AEC\+011AEB\+011AEF \+011AED\+011AEB\+011AEB'
    ' \+011AEE\+011AEB\+011AEB\+011AEF \+011AF4\+011AF3\+011AEF \+011AF5\+011AF3\+011AF0 \+011AF6\+011AF3\+011AF3'
    ' \+011AF7\+011AF3\+011AF3\+011AEF \+011AF8\+011AF3\+011AF3\+011AF0 \+011C42\+011C41\+011C41 \+011CB2\+011CAA'
    ' \+012038\+01039A \+0132F9\+01099E \+016F07\0393 \+016F08V \+016F0AT \+016F16L \+016F1A\0394 \+016F1C\A658'
    ' \+016F26\A4F6 \+016F28l \+016F2D\0190 \+016F35R \+016F3AS \+016F3B3 \+016F3D\0245 \+016F3F\003E \+016F40A'
    ' \+016F42U \+016F43Y \+016F51\0027 \+016F52\0027 \+01D114\007B \+01D16D\002E \+01D202\04FE \+01D2063'
    ' \+01D20B\0418 \+01D20DV \+01D20F\005C \+01D2127 \+01D213F \+01D214\+0102BC \+01D215\A4F6 \+01D216R'
    ' \+01D217\2C6F \+01D21AO \+01D21B\2144 \+01D21C\A4D5 \+01D221\0190 \+01D222\0460 \+01D22AL \+01D22B\A4F6'
    ' \+01D230\A7FB \+01D236\003C \+01D237\003E \+01D238\228F \+01D239\2290 \+01D23A\002F \+01D23B\005C \+01D23F\16CB'
    ' \+01D245\0548 \+01E8C7l \+01E8C8\2220 \+01E8C9\0663 \+01E8CB8 \+01E8CC\2202 \+01E8CD\2202 \+01F10F\0024'
    ' \+01F16Dcc \+01F16EC \+01F312\263D \+01F318\263E \+01F319\263D \+01F700QE \+01F701\A658 \+01F702\0394'
    ' \+01F704\+0102BC \+01F707AR \+01F708V \+01F70A\2629 \+01F714O \+01F728\+0102A8 \+01F73A\29DF \+01F74CC'
    ' \+01F754\16DC \+01F755\22A1 \+01F75Csss \+01F75E\224F \+01F768T \+01F76BMB \+01F76CVB \+01F771\22A0'
    ' \+021FE8\276C'
    , ' ')) AS pair (text);

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

-- How much each has done of what cd.policy lets them do; asked by whatever enters something. Counted by one at a time.

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

CREATE FUNCTION cd.take_turn(p_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    INSERT INTO cd.turn (id) VALUES (p_id) ON CONFLICT DO NOTHING;
    PERFORM FROM cd.turn t WHERE t.id = p_id FOR UPDATE;
END
$$;

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

-- Projects, who may what in them, who is there, and their files.

-- What somebody is in a project, deleted or not.
CREATE FUNCTION cd.role_in(p_project uuid, p_member uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (SELECT p.role FROM cd.project_member p WHERE p.project_id = p_project AND p.member_id = p_member);
END
$$;

-- Who is where, but the caller; nobody where the table is broken. It outlives no crash of the server, and whatever happens to
-- it must keep nobody from anything else.
CREATE FUNCTION cd.presence_in(p_projects uuid[], p_me uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = cd, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(jsonb_build_array(h.project_id, h.member_id, h.device_id, h.thread_id, h.state)
            ORDER BY h.project_id, h.member_id, h.device_id), '[]')
        FROM (
            SELECT * FROM cd.presence p
            WHERE p.project_id = ANY (p_projects) AND p.member_id <> p_me AND p.expires_at > now() LIMIT 10000
        ) AS h
    );
EXCEPTION WHEN OTHERS THEN
    RETURN '[]';
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
EXCEPTION WHEN OTHERS THEN
    NULL;  -- see cd.presence_in
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
    IF cd.rank(p_role) < cd.rank(v_now) AND p_member <> v_me THEN
        PERFORM cd.end_statements(p_member);
    END IF;
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

-- A name as it looks: without marks and spaces, and each sign as the one that it is taken for.
CREATE FUNCTION cd.look(p_name text) RETURNS text
LANGUAGE sql STABLE SET search_path = cd, pg_temp
AS $$
    SELECT coalesce(string_agg(coalesce(l.look, s.sign), '' ORDER BY s.place), '')
    FROM unnest(string_to_array(regexp_replace(normalize(p_name, NFKD),
        '[\s\u0300-\u036F\u0483-\u0489\u0591-\u05C7\u064B-\u065F\u0670\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20FF'
            '\uFE20-\uFE2F]+', '', 'g'), NULL)) WITH ORDINALITY AS s (sign, place)
    LEFT JOIN cd.look_alike l ON l.sign = s.sign
$$;

-- As they are written (I and l look alike), and whatever their case (i and I are one letter).
CREATE FUNCTION cd.looks_like(p_one text, p_other text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = cd, pg_temp
AS $$
    SELECT cd.look(p_one) = cd.look(p_other)
        OR lower(cd.look(cd.name_key(p_one))) = lower(cd.look(cd.name_key(p_other)))
$$;

-- Be here under a name that looks like nobody else's who is here. CD009: none at all; CD014: like another member's.
CREATE FUNCTION cd.take_name(p_member uuid, p_name text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_name text := cd.clean_name(p_name);
BEGIN
    PERFORM cd.take_turn((SELECT t.workspace_id FROM cd.meta t));
    IF EXISTS (SELECT FROM cd.member m
        WHERE m.id <> p_member AND m.status = 'active' AND cd.looks_like(m.display_name, v_name))
    THEN
        RAISE EXCEPTION 'the name is another member''s' USING ERRCODE = 'CD014';
    END IF;
    UPDATE cd.member m SET display_name = v_name, status = 'active', accepted_at = coalesce(m.accepted_at, now())
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

-- Whoever came in with the former one is out: everybody but the caller, whose next connection needs the new one.
CREATE FUNCTION cd.change_password(p_verifier text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    PERFORM cd.need_verifier(p_verifier);
    EXECUTE format('ALTER ROLE %I PASSWORD %L', (SELECT m.role_name FROM cd.member m WHERE m.id = v_me), p_verifier);
    PERFORM cd.end_backends(v_me);
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
        'presence', cd.presence_in(v_mine, v_me)
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
WHERE c.op = 'new' AND c.reg = 'content' AND (c.kind = 'summary' OR (c.kind = 'message' AND c.body ->> 'role' = 'assistant'))
GROUP BY 1, 2, 3, 4, 5, 6, 7;

COMMENT ON VIEW cd.team_usage IS 'Tokens of answers and summaries by project, member, model and day (UTC).';

-- Who may what. Row-level security holds for everybody, the owner of the tables included; the functions of this schema
-- run as that owner, who is let through by a policy, and nobody is of that role.

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['meta', 'member', 'device', 'project', 'project_head', 'project_member', 'entity',
        'change', 'device_count', 'erased_ahead', 'erased_file', 'file_use', 'blob_chunk', 'presence', 'policy', 'rule',
        'look_alike', 'used', 'turn', 'alembic_version']
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
        ' cd.blob_chunk, cd.presence, cd.missing, cd.team_usage TO %I', v_group);
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
        ' cd.accept_loss(uuid, jsonb, integer), cd.poke(uuid), cd.create_project(uuid), cd.end_project(uuid),'
        ' cd.set_role(uuid, uuid, text), cd.leave_project(uuid), cd.set_presence(uuid, uuid, uuid, text),'
        ' cd.invite(text, text, text, jsonb, timestamptz), cd.accept_invite(text, text), cd.change_password(text),'
        ' cd.rename_me(text), cd.rename_workspace(text), cd.remove_device(uuid), cd.remove_member(uuid),'
        ' cd.set_workspace_owner(uuid, boolean), cd.disconnect_removed(), cd.end_connections(uuid), cd.blockers(),'
        ' cd.set_policy(jsonb), cd.discard_broken_file(uuid, text), cd.erase_project(uuid), cd.tidy(uuid, integer)'
        ' TO %I',
        v_group);
END
$$;

INSERT INTO cd.alembic_version (version_num) VALUES ('0002') RETURNING cd.alembic_version.version_num;

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
