"""The first schema: projects, threads, trees of messages with their parts, and what team sync will need."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("dseq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("reg", sa.Text(), nullable=False),
        sa.Column("parents", sa.Text(), nullable=False),
        sa.Column("hlc", sa.Integer(), nullable=False),
        sa.Column("v", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("state", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("mine", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_changes")),
        sa.UniqueConstraint("id", name=op.f("uq_changes_id")),
        sa.UniqueConstraint("device", "dseq", name=op.f("uq_changes_device_dseq")),
    )
    op.create_index("ix_changes_entity_reg", "changes", ["entity", "reg"], unique=False)
    op.create_index("ix_changes_project_id_state", "changes", ["project_id", "state"], unique=False)
    op.create_table(
        "devices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("is_mine", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_dseq", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("last_hlc", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("clock_offset_ms", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("commit_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("message_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("system_prompt", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("last_chat_at", sa.Integer(), nullable=True),
        sa.Column("deleted_at", sa.Integer(), nullable=True),
        sa.Column("hlc", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("origin_device", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
    )
    op.create_table(
        "register_heads",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("reg", sa.Text(), nullable=False),
        sa.Column("change_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "reg", "change_id", name=op.f("pk_register_heads")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "threads",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_folded", sa.Text(), nullable=False),
        sa.Column("system_prompt", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("last_activity_at", sa.Integer(), nullable=False),
        sa.Column("archived_at", sa.Integer(), nullable=True),
        sa.Column("pinned_at", sa.Integer(), nullable=True),
        sa.Column("deleted_at", sa.Integer(), nullable=True),
        sa.Column("current_leaf_id", sa.Text(), nullable=True),
        sa.Column("chosen_root_id", sa.Text(), nullable=True),
        sa.Column("shown_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("message_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("total_input_tokens", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("total_output_tokens", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("total_cached_tokens", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("total_reasoning_tokens", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("total_tool_time_ms", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tool_counts", sa.Text(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("hlc", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("origin_device", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_threads_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threads")),
    )
    op.create_index(
        "ix_threads_archived",
        "threads",
        ["last_activity_at", "id"],
        unique=False,
        sqlite_where=sa.text("archived_at IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "ix_threads_pinned",
        "threads",
        ["last_activity_at", "id"],
        unique=False,
        sqlite_where=sa.text("pinned_at IS NOT NULL AND deleted_at IS NULL AND archived_at IS NULL"),
    )
    op.create_index("ix_threads_project_id", "threads", ["project_id"], unique=False)
    op.create_index(
        "ix_threads_project_recent",
        "threads",
        ["project_id", "last_activity_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL AND archived_at IS NULL"),
    )
    op.create_index(
        "ix_threads_recent",
        "threads",
        ["last_activity_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL AND archived_at IS NULL"),
    )
    op.create_index(
        "ix_threads_trashed",
        "threads",
        ["last_activity_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_table(
        "drafts",
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("thread_id", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_drafts_thread_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("slot", name=op.f("pk_drafts")),
    )
    op.create_index("ix_drafts_thread_id", "drafts", ["thread_id"], unique=False)
    op.create_table(
        "messages",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("thread_id", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("on_path", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("chosen_child_id", sa.Text(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("completed_at", sa.Integer(), nullable=True),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("time_to_first_token_ms", sa.Integer(), nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("completion_tokens", sa.Integer(), nullable=True),
        sa.Column("total_tokens", sa.Integer(), nullable=True),
        sa.Column("cached_tokens", sa.Integer(), nullable=True),
        sa.Column("reasoning_tokens", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("error_type", sa.Text(), nullable=True),
        sa.Column("error_details", sa.Text(), nullable=True),
        sa.Column("finish_reason", sa.Text(), nullable=True),
        sa.Column("owner_pid_token", sa.Text(), nullable=True),
        sa.Column("content_digest", sa.Text(), nullable=True),
        sa.Column("deleted_at", sa.Integer(), nullable=True),
        sa.Column("deleted_with", sa.Text(), nullable=True),
        sa.Column("purged_at", sa.Integer(), nullable=True),
        sa.Column("hlc", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("origin_device", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint("role IN ('system', 'user', 'assistant', 'tool')", name=op.f("ck_messages_role")),
        sa.ForeignKeyConstraint(["parent_id"], ["messages.id"], name=op.f("fk_messages_parent_id")),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_messages_thread_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    op.create_index("ix_messages_parent_id", "messages", ["parent_id"], unique=False)
    op.create_index(
        "ix_messages_roots", "messages", ["thread_id"], unique=False, sqlite_where=sa.text("parent_id IS NULL")
    )
    op.create_index(
        "ix_messages_shown",
        "messages",
        ["thread_id", "position"],
        unique=False,
        sqlite_where=sa.text("on_path = 1 AND deleted_at IS NULL"),
    )
    op.create_index("ix_messages_thread_id", "messages", ["thread_id"], unique=False)
    op.create_index(
        "ix_messages_trashed",
        "messages",
        ["thread_id", "deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_messages_unfinished",
        "messages",
        ["thread_id"],
        unique=False,
        sqlite_where=sa.text("status IN ('pending', 'streaming')"),
    )
    op.create_table(
        "summaries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("thread_id", sa.Text(), nullable=False),
        sa.Column("up_to_message_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("token_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.Integer(), nullable=True),
        sa.Column("hlc", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("origin_device", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_summaries_thread_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_summaries")),
    )
    op.create_index("ix_summaries_thread_id_created_at", "summaries", ["thread_id", "created_at"], unique=False)
    op.create_table(
        "message_parts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("part_index", sa.Integer(), nullable=False),
        sa.Column("step_index", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Integer(), nullable=True),
        sa.Column("completed_at", sa.Integer(), nullable=True),
        sa.Column("tool_name", sa.Text(), nullable=True),
        sa.Column("tool_call_id", sa.Text(), nullable=True),
        sa.Column("tool_duration_ms", sa.Integer(), nullable=True),
        sa.Column("hlc", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("origin_device", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_message_parts_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_parts")),
        sa.UniqueConstraint("message_id", "part_index", name=op.f("uq_message_parts_message_id_part_index")),
    )
    op.create_table(
        "part_chunks",
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("part_index", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_part_chunks_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_part_chunks")),
    )
    op.create_index(
        "ix_part_chunks_message_id_part_index_n", "part_chunks", ["message_id", "part_index", "n"], unique=False
    )
    op.create_table(
        "usage_events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=True),
        sa.Column("thread_id", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("input_tokens", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("output_tokens", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cached_tokens", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("reasoning_tokens", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_estimated", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_usage_events_message_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_usage_events_project_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["threads.id"], name=op.f("fk_usage_events_thread_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_events")),
    )
    op.create_index("ix_usage_events_created_at", "usage_events", ["created_at"], unique=False)
    op.create_index("ix_usage_events_message_id", "usage_events", ["message_id"], unique=False)
    op.create_index("ix_usage_events_project_id", "usage_events", ["project_id"], unique=False)
    op.create_index("ix_usage_events_thread_id", "usage_events", ["thread_id"], unique=False)
    op.create_table(
        "artifacts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("part_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("hlc", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("origin_device", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"], ["message_parts.id"], name=op.f("fk_artifacts_part_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifacts")),
    )
    op.create_index("ix_artifacts_part_id", "artifacts", ["part_id"], unique=False)
    op.create_index("ix_artifacts_sha256", "artifacts", ["sha256"], unique=False)
