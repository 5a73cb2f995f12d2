"""A library: who titled a thread, tags, prompts, where imported rows come from, what stands in attachments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nobody knows who gave the titles that are there, so they count as a person's, which nothing overwrites.
    op.add_column("threads", sa.Column("title_source", sa.Text(), server_default=sa.text("'person'"), nullable=False))
    op.add_column("projects", sa.Column("archived_at", sa.Integer(), nullable=True))
    op.add_column("drafts", sa.Column("attachments", sa.Text(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column("usage_events", sa.Column("time_to_first_token_ms", sa.Integer(), nullable=True))
    op.add_column("usage_events", sa.Column("cost_usd", sa.Float(), nullable=True))
    op.create_table(
        "prompts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_folded", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.Integer(), nullable=True),
        _counter("use_count"),
        sa.Column("deleted_at", sa.Integer(), nullable=True),
        *_origin(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompts")),
    )
    op.create_table(
        "tags",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_folded", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        *_origin(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("name_folded", name=op.f("uq_tags_name_folded")),
    )
    op.create_table(
        "thread_tags",
        sa.Column("thread_id", sa.Text(), nullable=False),
        sa.Column("tag_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["threads.id"], name=op.f("fk_thread_tags_thread_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name=op.f("fk_thread_tags_tag_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("thread_id", "tag_id", name=op.f("pk_thread_tags")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_thread_tags_tag_id", "thread_tags", ["tag_id"], unique=False)
    op.create_table(
        "import_origins",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "source_key", name=op.f("pk_import_origins")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_import_origins_entity", "import_origins", ["entity"], unique=False)
    op.create_table(
        "artifact_texts",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("extracted_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_artifact_texts")),
    )


def _counter(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)


def _origin() -> tuple[sa.Column[int], sa.Column[str]]:
    return (_counter("hlc"), sa.Column("origin_device", sa.Text(), server_default=sa.text("''"), nullable=False))
