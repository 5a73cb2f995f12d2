"""Adds the files of projects: where they come from, their passages, and the words of these."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "knowledge_sources",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("exclusions", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("is_paused", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("added_at", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_sources"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_knowledge_sources_project_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_knowledge_sources_project_id", "knowledge_sources", ["project_id"])
    op.create_table(
        "knowledge_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stamp", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("mime", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("problem", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("characters", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("read_at", sa.Integer()),
        sa.Column("vectors_by", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("signs", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_files"),
        sa.ForeignKeyConstraint(
            ["source_id"], ["knowledge_sources.id"], name="fk_knowledge_files_source_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_knowledge_files_source_id", "knowledge_files", ["source_id", "path"])
    op.create_table(
        "knowledge_passages",
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("begin_offset", sa.Integer(), nullable=False),
        sa.Column("end_offset", sa.Integer(), nullable=False),
        sa.Column("page", sa.Integer()),
        sa.Column("heading", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("vector", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("n", name="pk_knowledge_passages"),
        sa.ForeignKeyConstraint(
            ["file_id"], ["knowledge_files.id"], name="fk_knowledge_passages_file_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_knowledge_passages_file_id", "knowledge_passages", ["file_id", "position"])
    op.execute(
        "CREATE VIRTUAL TABLE knowledge_index USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2')"
    )
