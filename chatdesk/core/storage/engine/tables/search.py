"""Defines the tables beside the search index: its entries other than messages, and the entries still to be indexed."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, Text, UniqueConstraint

from chatdesk.core.storage.engine.tables.base import metadata

# Searchable entries besides messages: titles, summaries, names and the texts of attachments. See ``search_schema``.
search_entries = Table(
    "search_entries",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("entity", Text, nullable=False),
    UniqueConstraint("kind", "entity"),
)

# The changes since the last commit, and their old entries in the index.
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

# Rows older than the index, still to be indexed.
search_backlog = Table(
    "search_backlog",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    sqlite_with_rowid=False,
)
