"""What the model sees of a thread: marks, the start, parameters, token counts, and summaries with their history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("projects", "threads"):
        op.add_column(table, sa.Column("parameters", sa.Text(), server_default=sa.text("'{}'"), nullable=False))
        op.add_column(table, _counter("is_without_summaries"))
    op.add_column("threads", sa.Column("context_from_id", sa.Text(), nullable=True))
    op.add_column("messages", sa.Column("context_mark", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.create_index(
        "ix_messages_marked",
        "messages",
        ["thread_id", "position"],
        unique=False,
        sqlite_where=sa.text("context_mark <> ''"),
    )
    for column in _summary_columns():
        op.add_column("summaries", column)
    op.add_column("usage_events", sa.Column("kind", sa.Text(), server_default=sa.text("'answer'"), nullable=False))
    op.create_table(
        "part_token_counts",
        sa.Column("part_id", sa.Text(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"], ["message_parts.id"], name=op.f("fk_part_token_counts_part_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("part_id", "encoding", name=op.f("pk_part_token_counts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "token_factors",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("factor", sa.Float(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "model", name=op.f("pk_token_factors")),
        sqlite_with_rowid=False,
    )


def _summary_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("from_message_id", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("prompt_version", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("author", sa.Text(), server_default=sa.text("'model'"), nullable=False),
        sa.Column("pinned_facts", sa.Text(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("stale_reason", sa.Text(), nullable=True),
        *(_counter(name) for name in ("is_off", "message_count", "input_tokens", "output_tokens")),
    ]


def _counter(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)
