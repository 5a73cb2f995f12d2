"""Defines the schema of the profile database, as SQLAlchemy tables.

The migrations build the same thing step by step; a test holds the two equal. New columns go at the end of their table,
because that is where ``ALTER TABLE`` puts them.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

#: Every schema version this application knows, oldest first; the last is what it needs. Kept here so that a start with
#: an up-to-date database needs neither Alembic nor the migration files. A test compares it with the migrations.
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010")
HEAD_REVISION = REVISIONS[-1]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _origin() -> tuple[Column[int], Column[str]]:
    """Return the columns of every row that may be shared: a hybrid clock stamp and the device that wrote it last."""
    return (
        Column("hlc", Integer, nullable=False, server_default=text("0")),
        Column("origin_device", Text, nullable=False, server_default=text("''")),
    )


def _counter(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


def _steering() -> tuple[Column[str], Column[int]]:
    return (Column("parameters", Text, nullable=False, server_default=text("'{}'")), _counter("is_without_summaries"))


projects = Table(
    "projects",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("colour", Text, nullable=False),
    Column("system_prompt", Text, nullable=False, server_default=text("''")),
    Column("provider", Text),
    Column("model", Text),
    Column("created_at", Integer, nullable=False),
    Column("last_chat_at", Integer),
    Column("deleted_at", Integer),
    *_origin(),
    # Since 0003: how answers are made, and whether older messages may be summarised.
    *_steering(),
    # Since 0004.
    Column("archived_at", Integer),
)

threads = Table(
    "threads",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("title", Text, nullable=False),
    Column("title_folded", Text, nullable=False),
    Column("system_prompt", Text, nullable=False, server_default=text("''")),
    Column("provider", Text),
    Column("model", Text),
    Column("created_at", Integer, nullable=False),
    Column("last_activity_at", Integer, nullable=False),
    Column("archived_at", Integer),
    Column("pinned_at", Integer),
    Column("deleted_at", Integer),
    Column("current_leaf_id", Text),
    Column("chosen_root_id", Text),
    _counter("shown_count"),
    _counter("message_count"),
    _counter("total_input_tokens"),
    _counter("total_output_tokens"),
    _counter("total_cached_tokens"),
    _counter("total_reasoning_tokens"),
    _counter("total_tool_time_ms"),
    Column("tool_counts", Text, nullable=False, server_default=text("'{}'")),
    *_origin(),
    # Since 0003, as for projects; and the first message that is sent.
    *_steering(),
    Column("context_from_id", Text),
    # Since 0004: "text" or "model" while the title may still be bettered, else "person".
    Column("title_source", Text, nullable=False, server_default=text("'person'")),
    # Since 0008: the member who made it; null: whoever works with this profile.
    Column("author_id", Text),
)
_ACTIVE = "deleted_at IS NULL AND archived_at IS NULL"
_ARCHIVED = "archived_at IS NOT NULL AND deleted_at IS NULL"
_TRASHED = "deleted_at IS NOT NULL"


def _thread_index(name: str, *columns: str, where: str) -> None:
    Index(f"ix_threads_{name}", *(threads.c[column] for column in columns), sqlite_where=text(where))


# A list for every order, of every project (since 0006). The title stands in those that are searched, so that a search
# reads the index alone.
_thread_index("recent", "last_activity_at", "id", "title_folded", where=_ACTIVE)
_thread_index("project_recent", "project_id", "last_activity_at", "id", "title_folded", where=_ACTIVE)
_thread_index("pinned", "last_activity_at", "id", where=f"pinned_at IS NOT NULL AND {_ACTIVE}")
_thread_index("archived", "last_activity_at", "id", where=_ARCHIVED)
_thread_index("trashed", "deleted_at", "id", "title_folded", where=_TRASHED)
_thread_index("project_pinned", "project_id", "last_activity_at", "id", where=f"pinned_at IS NOT NULL AND {_ACTIVE}")
_thread_index("project_archived", "project_id", "last_activity_at", "id", where=_ARCHIVED)
_thread_index("project_trashed", "project_id", "deleted_at", "id", where=_TRASHED)
_thread_index("archived_at", "archived_at", where=_ARCHIVED)
_thread_index("name", "title_folded", "id", where=_ACTIVE)
_thread_index("project_name", "project_id", "title_folded", "id", where=_ACTIVE)
_thread_index("archived_name", "title_folded", "id", where=_ARCHIVED)
_thread_index("project_archived_name", "project_id", "title_folded", "id", where=_ARCHIVED)
# The foreign key to projects needs an index that covers every thread, also the archived and trashed ones.
Index("ix_threads_project_id", threads.c.project_id)

messages = Table(
    "messages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("thread_id", Text, ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    # No cascade: SQLite gives up at 1,000 levels, and a thread is a chain far deeper than that.
    Column("parent_id", Text, ForeignKey("messages.id")),
    Column("role", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("position", Integer, nullable=False),
    _counter("on_path"),
    Column("chosen_child_id", Text),
    Column("provider", Text),
    Column("model", Text),
    Column("created_at", Integer, nullable=False),
    Column("completed_at", Integer),
    Column("latency_ms", Integer),
    Column("time_to_first_token_ms", Integer),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("total_tokens", Integer),
    Column("cached_tokens", Integer),
    Column("reasoning_tokens", Integer),
    Column("error", Text),
    Column("error_type", Text),
    Column("error_details", Text),
    Column("finish_reason", Text),
    Column("owner_pid_token", Text),
    Column("content_digest", Text),
    Column("deleted_at", Integer),
    Column("deleted_with", Text),
    Column("purged_at", Integer),
    *_origin(),
    # Since 0002: what a view needs to guess a height without reading the text.
    _counter("char_count"),
    _counter("line_count"),
    # Since 0003: empty, pinned or excluded by the reader.
    Column("context_mark", Text, nullable=False, server_default=text("''")),
    # Since 0005: its row in the search index, a number that stays.
    Column("search_n", Integer),
    # Since 0008, as for threads; of an answer, who asked for it.
    Column("author_id", Text),
    CheckConstraint("role IN ('system', 'user', 'assistant', 'tool')", name="role"),
    CheckConstraint(
        "status IN ('pending', 'streaming', 'complete', 'stopped', 'interrupted', 'error')",
        name="status",
    ),
)
Index(
    "ix_messages_shown",
    messages.c.thread_id,
    messages.c.position,
    sqlite_where=text("on_path = 1 AND deleted_at IS NULL"),
)
Index("ix_messages_parent_id", messages.c.parent_id)
Index("ix_messages_roots", messages.c.thread_id, sqlite_where=text("parent_id IS NULL"))
# Covers every message of a thread: the foreign key's index, and what a recount reads.
Index("ix_messages_thread_id", messages.c.thread_id)
Index("ix_messages_trashed", messages.c.thread_id, messages.c.deleted_at, sqlite_where=text("deleted_at IS NOT NULL"))
Index("ix_messages_unfinished", messages.c.thread_id, sqlite_where=text("status IN ('pending', 'streaming')"))
Index("ix_messages_marked", messages.c.thread_id, messages.c.position, sqlite_where=text("context_mark <> ''"))
# Holds all that most filters of a search ask of a message, so that its row need not be read for every hit.
Index(
    "ix_messages_search_n",
    messages.c.search_n,
    messages.c.thread_id,
    messages.c.deleted_at,
    messages.c.role,
    messages.c.created_at,
    sqlite_where=text("search_n IS NOT NULL"),
)

message_parts = Table(
    "message_parts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("message_id", Text, ForeignKey("messages.id", ondelete="CASCADE"), nullable=False),
    Column("part_index", Integer, nullable=False),
    _counter("step_index"),
    Column("type", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("started_at", Integer),
    Column("completed_at", Integer),
    Column("tool_name", Text),
    Column("tool_call_id", Text),
    Column("tool_duration_ms", Integer),
    *_origin(),
    UniqueConstraint("message_id", "part_index"),
)

# How many tokens a part has: counted once for each way of counting.
part_token_counts = Table(
    "part_token_counts",
    metadata,
    Column("part_id", Text, ForeignKey("message_parts.id", ondelete="CASCADE"), primary_key=True),
    Column("encoding", Text, primary_key=True),
    Column("tokens", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# How many tokens a model reported for each one that was estimated, as learnt from its answers.
token_factors = Table(
    "token_factors",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("factor", Float, nullable=False),
    Column("samples", Integer, nullable=False),
    Column("updated_at", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Text of an answer that is being written: only ever appended to, merged into ``message_parts.content`` at the end.
part_chunks = Table(
    "part_chunks",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("message_id", Text, ForeignKey("messages.id", ondelete="CASCADE"), nullable=False),
    Column("part_index", Integer, nullable=False),
    Column("text", Text, nullable=False),
)
Index("ix_part_chunks_message_id_part_index_n", part_chunks.c.message_id, part_chunks.c.part_index, part_chunks.c.n)

artifacts = Table(
    "artifacts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("part_id", Text, ForeignKey("message_parts.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("mime", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    *_origin(),
)
Index("ix_artifacts_part_id", artifacts.c.part_id)
Index("ix_artifacts_sha256", artifacts.c.sha256)

summaries = Table(
    "summaries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("thread_id", Text, ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    Column("up_to_message_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("provider", Text),
    Column("model", Text),
    _counter("token_count"),
    Column("created_at", Integer, nullable=False),
    Column("deleted_at", Integer),
    *_origin(),
    # Since 0003.
    Column("from_message_id", Text, nullable=False, server_default=text("''")),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("prompt_version", Text, nullable=False, server_default=text("''")),
    Column("author", Text, nullable=False, server_default=text("'model'")),
    Column("pinned_facts", Text, nullable=False, server_default=text("'[]'")),
    Column("stale_reason", Text),
    _counter("is_off"),
    _counter("message_count"),
    _counter("input_tokens"),
    _counter("output_tokens"),
    # Since 0008, as for threads.
    Column("author_id", Text),
)
Index("ix_summaries_thread_id_created_at", summaries.c.thread_id, summaries.c.created_at)

# ``slot`` is the thread's id, or "new" for the thread that does not exist yet; for a question that waits for the answer
# that is being written: "next:", the thread's id, ":" and an id of its own (``waiting_questions.py``).
drafts = Table(
    "drafts",
    metadata,
    Column("slot", Text, primary_key=True),
    Column("thread_id", Text, ForeignKey("threads.id", ondelete="CASCADE")),
    Column("text", Text, nullable=False),
    Column("cursor", Integer, nullable=False),
    Column("updated_at", Integer, nullable=False),
    # Since 0004: a list of {name, sha256, mime, size_bytes}.
    Column("attachments", Text, nullable=False, server_default=text("'[]'")),
)
Index("ix_drafts_thread_id", drafts.c.thread_id)

# What a person keeps to write with: templates, and system prompts for threads and projects.
prompts = Table(
    "prompts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_folded", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("updated_at", Integer, nullable=False),
    Column("used_at", Integer),
    _counter("use_count"),
    Column("deleted_at", Integer),
    *_origin(),
)

tags = Table(
    "tags",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_folded", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    *_origin(),
    UniqueConstraint("name_folded"),
)

thread_tags = Table(
    "thread_tags",
    metadata,
    Column("thread_id", Text, ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", Text, ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
    sqlite_with_rowid=False,
)
Index("ix_thread_tags_tag_id", thread_tags.c.tag_id)

# Which row an imported thread or message became. It outlives the row: what was deleted for good does not come back.
import_origins = Table(
    "import_origins",
    metadata,
    Column("source", Text, primary_key=True),
    Column("source_key", Text, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("digest", Text, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_import_origins_entity", import_origins.c.entity)

# What stands in attached files, read once for each content, for search and for models that take no files.
artifact_texts = Table(
    "artifact_texts",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("problem", Text),
    Column("extracted_at", Integer, nullable=False),
)

# What was asked of a provider and what it took. Outlives the message, because the money is spent all the same.
usage_events = Table(
    "usage_events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.id", ondelete="SET NULL")),
    Column("thread_id", Text, ForeignKey("threads.id", ondelete="SET NULL")),
    Column("message_id", Text, ForeignKey("messages.id", ondelete="SET NULL")),
    Column("provider", Text),
    Column("model", Text),
    Column("status", Text, nullable=False),
    _counter("input_tokens"),
    _counter("output_tokens"),
    _counter("cached_tokens"),
    _counter("reasoning_tokens"),
    _counter("is_estimated"),
    Column("latency_ms", Integer),
    Column("created_at", Integer, nullable=False),
    # Since 0003: what was asked for, an answer or a summary.
    Column("kind", Text, nullable=False, server_default=text("'answer'")),
    # Since 0004. A cost that nobody knows is null, which is not nothing.
    Column("time_to_first_token_ms", Integer),
    Column("cost_usd", Float),
    # Since 0010: part of the input, as cached_tokens are.
    _counter("written_tokens"),
)
Index("ix_usage_events_created_at", usage_events.c.created_at)
Index("ix_usage_events_project_id", usage_events.c.project_id)
Index("ix_usage_events_thread_id", usage_events.c.thread_id)
Index("ix_usage_events_message_id", usage_events.c.message_id)

# The same added up by day (since 0007): the day is the local one on which a request ended, counted from 1970-01-01.
# What is not known is an empty text; a project may be gone.
usage_days = Table(
    "usage_days",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("project_id", Text, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    _counter("requests"),
    _counter("input_tokens"),
    _counter("output_tokens"),
    _counter("cached_tokens"),
    _counter("reasoning_tokens"),
    _counter("estimated_requests"),
    _counter("unpriced_requests"),
    Column("cost_usd", Float, nullable=False, server_default=text("0")),
    # Since 0010.
    _counter("written_tokens"),
    sqlite_with_rowid=False,
)

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
    _counter("state"),
    Column("mine", Integer, nullable=False, server_default=text("1")),
    Column("at", Integer, nullable=False),
    # Since 0008: the member who made a change of others, who brought it back after a loss, the server's refusal, and
    # its proof that it took the change as it is here.
    Column("author", Text),
    Column("relayed_by", Text),
    Column("problem", Text),
    Column("seal", LargeBinary),
    # Since 0009: the digest of the body as the server took it, and whether its words were erased for everybody.
    Column("digest", LargeBinary),
    _counter("erased"),
    UniqueConstraint("id"),
    UniqueConstraint("device", "dseq"),
)
Index("ix_changes_project_id_state", changes.c.project_id, changes.c.state)
Index("ix_changes_entity_reg", changes.c.entity, changes.c.reg)

# The changes of one register that no other change names as its parent.
register_heads = Table(
    "register_heads",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("reg", Text, primary_key=True),
    Column("change_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)

# Teams whose database this profile works with (since 0008). ``address`` is JSON without the password; ``left_at`` is
# set when the person left, and the names of its members stay known.
workspaces = Table(
    "workspaces",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("member_id", Text, nullable=False),
    _counter("is_owner"),
    Column("joined_at", Integer, nullable=False),
    Column("left_at", Integer),
    _counter("clock_offset_ms"),
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
    _counter("seq"),
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
    _counter("is_owner"),
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

# The newest change of each device that was taken over: what a deletion covers.
seen_changes = Table(
    "seen_changes",
    metadata,
    Column("project_id", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("dseq", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Threads in which other members wrote what this person has not seen.
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
    _counter("done"),
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
    _counter("sent"),
    _counter("received"),
    _counter("took_ms"),
    Column("problem", Text, nullable=False, server_default=text("''")),
)

# What members are told of a thread once: something deleted came back, a change was brought back by another member.
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
    _counter("is_mine"),
    Column("next_dseq", Integer, nullable=False, server_default=text("1")),
    _counter("last_hlc"),
    _counter("clock_offset_ms"),
    _counter("commit_count"),
    _counter("message_count"),
    Column("created_at", Integer, nullable=False),
)

# What is searched for besides messages: titles, summaries, names and the texts of attachments. See ``search_schema``.
search_entries = Table(
    "search_entries",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("entity", Text, nullable=False),
    UniqueConstraint("kind", "entity"),
)

# What changed since the last commit, and what the index knows of it.
search_queue = Table(
    "search_queue",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    sqlite_with_rowid=False,
)
search_removed = Table(
    "search_removed",
    metadata,
    Column("source", Text, primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("text", Text),
    sqlite_with_rowid=False,
)

# What was there before the index was.
search_backlog = Table(
    "search_backlog",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    sqlite_with_rowid=False,
)

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

alembic_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
