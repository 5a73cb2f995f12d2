"""Adds the questions that a person keeps to try the files of a project with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "knowledge_questions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("added_at", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer()),
        sa.Column("place_before", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_questions"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_knowledge_questions_project_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_knowledge_questions_project_id", "knowledge_questions", ["project_id"])
