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
