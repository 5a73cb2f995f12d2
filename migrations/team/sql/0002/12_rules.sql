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
