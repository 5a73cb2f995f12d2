"""Defines the table of memories. They belong to the person and are never in the change log."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, text

from chatdesk.core.storage.engine.tables.base import counter, metadata

memories = Table(
    "memories",
    metadata,
    Column("id", Text, primary_key=True),
    Column("text", Text, nullable=False),
    # Null: everywhere.
    Column("project_id", Text, ForeignKey("projects.id", ondelete="CASCADE")),
    # A word of ``MemoryOrigin``.
    Column("origin", Text, nullable=False),
    Column("source", Text, nullable=False, server_default=text("''")),
    # Names a message that may be gone; ``goes_with_source`` says whether the memory goes then.
    Column("message_id", Text),
    counter("goes_with_source"),
    Column("created_at", Integer, nullable=False),
    Column("updated_at", Integer, nullable=False),
)
Index("ix_memories_project_id", memories.c.project_id)
Index("ix_memories_message_id", memories.c.message_id)
