"""Adds what a person decides about the files of projects: passages of a thread, and providers that get none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "knowledge_choices",
        sa.Column("thread_id", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("begin_offset", sa.Integer(), nullable=False),
        sa.Column("end_offset", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "thread_id", "source_id", "path", "begin_offset", "end_offset", name="pk_knowledge_choices"
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["threads.id"], name="fk_knowledge_choices_thread_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["knowledge_sources.id"], name="fk_knowledge_choices_source_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_knowledge_choices_source_id", "knowledge_choices", ["source_id"])
    op.create_table(
        "knowledge_denials",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "provider", name="pk_knowledge_denials"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_knowledge_denials_project_id", ondelete="CASCADE"
        ),
    )
