"""Defines the tables of projects, threads, their tags, drafts and prompts."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from chatdesk.core.storage.engine.tables.base import counter, metadata, origin


def _steering() -> tuple[Column[str], Column[int]]:
    return (Column("parameters", Text, nullable=False, server_default=text("'{}'")), counter("is_without_summaries"))


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
    *origin(),
    # How answers are made, and whether older messages may be summarised.
    *_steering(),
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
    counter("shown_count"),
    counter("message_count"),
    counter("total_input_tokens"),
    counter("total_output_tokens"),
    counter("total_cached_tokens"),
    counter("total_reasoning_tokens"),
    counter("total_tool_time_ms"),
    Column("tool_counts", Text, nullable=False, server_default=text("'{}'")),
    *origin(),
    # As for projects, and for the first message that is sent.
    *_steering(),
    Column("context_from_id", Text),
    # "text" or "model" while the title may still be improved, else "person".
    Column("title_source", Text, nullable=False, server_default=text("'person'")),
    # The member who made it; null: the person of this profile.
    Column("author_id", Text),
    # The assistant of the library that answers here.
    Column("assistant_id", Text),
    # Sorts the title as other names are sorted (``name_order``).
    Column("title_key", Text, nullable=False, server_default=text("''")),
)
_ACTIVE = "deleted_at IS NULL AND archived_at IS NULL"
_ARCHIVED = "archived_at IS NOT NULL AND deleted_at IS NULL"
_TRASHED = "deleted_at IS NOT NULL"


def _thread_index(name: str, *columns: str, where: str) -> None:
    Index(f"ix_threads_{name}", *(threads.c[column] for column in columns), sqlite_where=text(where))


# A list for every order, of every project. The title is in those that are searched, so that a search
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
_thread_index("name", "title_key", "id", where=_ACTIVE)
_thread_index("project_name", "project_id", "title_key", "id", where=_ACTIVE)
_thread_index("archived_name", "title_key", "id", where=_ARCHIVED)
_thread_index("project_archived_name", "project_id", "title_key", "id", where=_ARCHIVED)
# The foreign key to projects needs an index that covers every thread, also the archived and trashed ones.
Index("ix_threads_project_id", threads.c.project_id)

# ``slot`` is the thread's id, or "new" for a thread that does not exist yet. A question that waits for a running answer
# has "next:", the thread's id, ":" and an id of its own (``waiting_questions.py``).
drafts = Table(
    "drafts",
    metadata,
    Column("slot", Text, primary_key=True),
    Column("thread_id", Text, ForeignKey("threads.id", ondelete="CASCADE")),
    Column("text", Text, nullable=False),
    Column("cursor", Integer, nullable=False),
    Column("updated_at", Integer, nullable=False),
    # A list of {name, sha256, mime, size_bytes}.
    Column("attachments", Text, nullable=False, server_default=text("'[]'")),
)
Index("ix_drafts_thread_id", drafts.c.thread_id)

# A person's stored texts: templates, and system prompts for threads and projects.
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
    counter("use_count"),
    Column("deleted_at", Integer),
    *origin(),
    # JSON (``AssistantSetup``) for assistants, else empty.
    Column("setup", Text, nullable=False, server_default=text("''")),
)

tags = Table(
    "tags",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_folded", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    *origin(),
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
