"""Defines the tables of messages, with their parts, files, token counts, summaries and origins."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Float, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from chatdesk.core.storage.engine.tables.base import counter, metadata, origin

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
    counter("on_path"),
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
    *origin(),
    # Lets a view estimate a height without reading the text.
    counter("char_count"),
    counter("line_count"),
    # Empty, pinned or excluded by the reader.
    Column("context_mark", Text, nullable=False, server_default=text("''")),
    # Its row in the search index, a number that stays.
    Column("search_n", Integer),
    # As for threads; for an answer, the person who asked for it.
    Column("author_id", Text),
    # The answering assistant by its name at that time; its id if it belongs to this profile.
    Column("assistant_id", Text),
    Column("assistant_name", Text),
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
# For a path through the trash. With ``id``, it also finds the newest version among thousands.
Index(
    "ix_messages_shown_trashed",
    messages.c.thread_id,
    messages.c.position,
    sqlite_where=text("on_path = 1 AND deleted_at IS NOT NULL"),
)
Index("ix_messages_parent_id", messages.c.parent_id, messages.c.id)
Index("ix_messages_roots", messages.c.thread_id, messages.c.id, sqlite_where=text("parent_id IS NULL"))
# Covers every message of a thread: the foreign key's index, and the columns of a recount.
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
    counter("step_index"),
    Column("type", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("started_at", Integer),
    Column("completed_at", Integer),
    Column("tool_name", Text),
    Column("tool_call_id", Text),
    Column("tool_duration_ms", Integer),
    *origin(),
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

# The tokens that a model reported per estimated token, learnt from its answers.
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
    *origin(),
    # Versions of one document share its id; a file of a message has none.
    Column("document_id", Text),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("name", Text, nullable=False, server_default=text("''")),
    Column("language", Text, nullable=False, server_default=text("''")),
    counter("is_by_hand"),
    counter("created_at"),
)
Index("ix_artifacts_part_id", artifacts.c.part_id)
Index("ix_artifacts_sha256", artifacts.c.sha256)
Index("ix_artifacts_document_id", artifacts.c.document_id, sqlite_where=text("document_id IS NOT NULL"))

summaries = Table(
    "summaries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("thread_id", Text, ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    Column("up_to_message_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("provider", Text),
    Column("model", Text),
    counter("token_count"),
    Column("created_at", Integer, nullable=False),
    Column("deleted_at", Integer),
    *origin(),
    Column("from_message_id", Text, nullable=False, server_default=text("''")),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("prompt_version", Text, nullable=False, server_default=text("''")),
    Column("author", Text, nullable=False, server_default=text("'model'")),
    Column("pinned_facts", Text, nullable=False, server_default=text("'[]'")),
    Column("stale_reason", Text),
    counter("is_off"),
    counter("message_count"),
    counter("input_tokens"),
    counter("output_tokens"),
    # As for threads.
    Column("author_id", Text),
)
Index("ix_summaries_thread_id_created_at", summaries.c.thread_id, summaries.c.created_at)

# The row that an imported thread or message became. It outlives the row, so that importing again does not bring back a
# thread deleted for good.
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

# The texts of attached files, extracted once per content, for search and for models that accept no files.
artifact_texts = Table(
    "artifact_texts",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("problem", Text),
    Column("extracted_at", Integer, nullable=False),
)
