"""Defines the schema of the profile database, as SQLAlchemy tables: a module for each subject.

The migrations build the same thing step by step; a test holds the two equal. New columns go at the end of their table,
because that is where ``ALTER TABLE`` puts them.
"""

from __future__ import annotations

# ``search`` and ``sync`` are read and written by statements alone; here they only join the schema.
from chatdesk.core.storage.engine.tables import search, sync
from chatdesk.core.storage.engine.tables.base import alembic_version, metadata
from chatdesk.core.storage.engine.tables.knowledge import (
    knowledge_choices,
    knowledge_denials,
    knowledge_embeddings,
    knowledge_files,
    knowledge_passages,
    knowledge_questions,
    knowledge_sources,
    knowledge_vectors,
)
from chatdesk.core.storage.engine.tables.memory import memories
from chatdesk.core.storage.engine.tables.messages import artifacts, message_parts, messages, summaries
from chatdesk.core.storage.engine.tables.sync import devices
from chatdesk.core.storage.engine.tables.threads import drafts, projects, prompts, tags, threads
from chatdesk.core.storage.engine.tables.usage import usage_events

# Every schema version this application knows, oldest first; the last is what it needs. Kept here so that a start with
# an up-to-date database needs neither Alembic nor the migration files. A test compares it with the migrations.
REVISIONS = ("0013", "0014", "0015", "0016", "0017", "0018", "0019", "0020")
HEAD_REVISION = REVISIONS[-1]

__all__ = [
    "HEAD_REVISION",
    "REVISIONS",
    "alembic_version",
    "artifacts",
    "devices",
    "drafts",
    "knowledge_choices",
    "knowledge_denials",
    "knowledge_embeddings",
    "knowledge_files",
    "knowledge_passages",
    "knowledge_questions",
    "knowledge_sources",
    "knowledge_vectors",
    "memories",
    "message_parts",
    "messages",
    "metadata",
    "projects",
    "prompts",
    "search",
    "summaries",
    "sync",
    "tags",
    "threads",
    "usage_events",
]
