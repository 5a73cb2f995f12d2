"""Defines the tables of the costs of requests, one by one and by day."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, Table, Text, text

from chatdesk.core.storage.engine.tables.base import counter, metadata

# Requests to providers and their cost. They outlive their messages, because the money is spent.
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
    counter("input_tokens"),
    counter("output_tokens"),
    counter("cached_tokens"),
    counter("reasoning_tokens"),
    counter("is_estimated"),
    Column("latency_ms", Integer),
    Column("created_at", Integer, nullable=False),
    # The kind of request: an answer or a summary.
    Column("kind", Text, nullable=False, server_default=text("'answer'")),
    # An unknown cost is null, which differs from zero.
    Column("time_to_first_token_ms", Integer),
    Column("cost_usd", Float),
    # Part of the input, as cached_tokens are.
    counter("written_tokens"),
)
Index("ix_usage_events_created_at", usage_events.c.created_at)
Index("ix_usage_events_project_id", usage_events.c.project_id)
Index("ix_usage_events_thread_id", usage_events.c.thread_id)
Index("ix_usage_events_message_id", usage_events.c.message_id)

# Usage added up by day. The day is the local one on which a request ended, counted from 1970-01-01. Unknown values are
# empty texts; a project may no longer exist.
usage_days = Table(
    "usage_days",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("project_id", Text, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    counter("requests"),
    counter("input_tokens"),
    counter("output_tokens"),
    counter("cached_tokens"),
    counter("reasoning_tokens"),
    counter("estimated_requests"),
    counter("unpriced_requests"),
    Column("cost_usd", Float, nullable=False, server_default=text("0")),
    counter("written_tokens"),
    sqlite_with_rowid=False,
)
