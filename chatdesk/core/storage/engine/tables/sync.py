"""Defines the tables of team sync: the log of changes, teams and their members, shares and their progress."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, text

from chatdesk.core.storage.engine.tables.base import counter, metadata

# The log that team sync sends. ``state``: see ``domain.team.ChangeState``. The body of a message is read from its rows.
changes = Table(
    "changes",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("project_id", Text, nullable=False),
    Column("seq", Integer),
    Column("device", Text, nullable=False),
    Column("dseq", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("op", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("reg", Text, nullable=False),
    Column("parents", Text, nullable=False),
    Column("hlc", Integer, nullable=False),
    Column("v", Integer, nullable=False, server_default=text("1")),
    Column("body", Text),
    counter("state"),
    Column("mine", Integer, nullable=False, server_default=text("1")),
    Column("at", Integer, nullable=False),
    # The member who made a change of others, and the server's refusal. The other two are not used any more.
    Column("author", Text),
    Column("relayed_by", Text),
    Column("problem", Text),
    Column("seal", LargeBinary),
    # The digest of the body as the server took it, and whether its words were erased for everybody.
    Column("digest", LargeBinary),
    counter("erased"),
    UniqueConstraint("id"),
    UniqueConstraint("device", "dseq"),
)
Index("ix_changes_project_id_state", changes.c.project_id, changes.c.state)
Index("ix_changes_entity_reg", changes.c.entity, changes.c.reg)
Index("ix_changes_problem", changes.c.problem, sqlite_where=changes.c.problem.isnot(None))

# The changes of one register that no other change names as its parent.
register_heads = Table(
    "register_heads",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("reg", Text, primary_key=True),
    Column("change_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)

# Teams whose database this profile works with. ``address`` is JSON without the password; ``left_at`` is
# set when the person left, and the names of its members stay known.
workspaces = Table(
    "workspaces",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("member_id", Text, nullable=False),
    counter("is_owner"),
    Column("joined_at", Integer, nullable=False),
    Column("left_at", Integer),
    counter("clock_offset_ms"),
)

# ``seq`` and ``chain``: how far the server's log was taken over. ``progress``: JSON, where sharing what was there
# before goes on. ``state`` and ``ended``: see ``domain.team``.
shared_projects = Table(
    "shared_projects",
    metadata,
    Column("project_id", Text, primary_key=True),
    Column("workspace_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("channel", Text, nullable=False, server_default=text("''")),
    counter("seq"),
    Column("chain", LargeBinary),
    Column("state", Text, nullable=False),
    Column("ended", Text),
    Column("progress", Text, nullable=False, server_default=text("'{}'")),
    Column("shared_at", Integer, nullable=False),
)
Index("ix_shared_projects_workspace_id", shared_projects.c.workspace_id)

team_members = Table(
    "team_members",
    metadata,
    Column("workspace_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    counter("is_owner"),
    Column("status", Text, nullable=False),
    Column("invited_at", Integer),
    sqlite_with_rowid=False,
)

team_roles = Table(
    "team_roles",
    metadata,
    Column("project_id", Text, primary_key=True),
    Column("member_id", Text, primary_key=True),
    Column("role", Text, nullable=False),
    sqlite_with_rowid=False,
)

team_devices = Table(
    "team_devices",
    metadata,
    Column("workspace_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("member_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("app_version", Text, nullable=False, server_default=text("''")),
    Column("last_seen_at", Integer),
    sqlite_with_rowid=False,
)

# The newest change of each device that was taken over: the changes that a deletion covers.
seen_changes = Table(
    "seen_changes",
    metadata,
    Column("project_id", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("dseq", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Threads with other members' messages that this person has not seen.
unread_threads = Table(
    "unread_threads",
    metadata,
    Column("thread_id", Text, ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True),
    Column("messages", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Attached files of shared projects: 'to_send', 'sent', 'to_fetch', 'here', 'missing'. ``done`` counts whole chunks.
shared_files = Table(
    "shared_files",
    metadata,
    Column("project_id", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    counter("done"),
    Column("problem", Text),
    Column("tried_at", Integer),
    sqlite_with_rowid=False,
)
Index("ix_shared_files_state", shared_files.c.state, sqlite_where=text("state IN ('to_send', 'to_fetch')"))

sync_rounds = Table(
    "sync_rounds",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("at", Integer, nullable=False),
    Column("workspace_id", Text, nullable=False),
    counter("sent"),
    counter("received"),
    counter("took_ms"),
    Column("problem", Text, nullable=False, server_default=text("''")),
)

# Notes that members see once per thread: a deleted item came back, another member brought back a change.
team_notes = Table(
    "team_notes",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("at", Integer, nullable=False),
    Column("thread_id", Text, ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    Column("code", Text, nullable=False),
    Column("details", Text, nullable=False, server_default=text("'{}'")),
    Column("seen_at", Integer),
    UniqueConstraint("thread_id", "code", "details"),
)

# Devices that wrote here; exactly one ``is_mine``. ``commit_count`` and ``message_count`` are compared at the
# next start with the mark outside the database, which tells a lost write-ahead log.
devices = Table(
    "devices",
    metadata,
    Column("id", Text, primary_key=True),
    counter("is_mine"),
    Column("next_dseq", Integer, nullable=False, server_default=text("1")),
    counter("last_hlc"),
    counter("clock_offset_ms"),
    counter("commit_count"),
    counter("message_count"),
    Column("created_at", Integer, nullable=False),
)
