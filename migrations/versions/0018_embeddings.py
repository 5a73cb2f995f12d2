"""Adds the vectors of a project's passages that models of providers make."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "knowledge_embeddings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("dimensions", sa.Integer(), nullable=False),
        sa.Column("farthest", sa.Float(), nullable=False),
        sa.Column("probe", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_embeddings"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_knowledge_embeddings_project_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_knowledge_embeddings_project_id", "knowledge_embeddings", ["project_id"])
    op.create_table(
        "knowledge_vectors",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("embedding_id", sa.Integer(), nullable=False),
        sa.Column("signs", sa.LargeBinary(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_vectors"),
        sa.ForeignKeyConstraint(["n"], ["knowledge_passages.n"], name="fk_knowledge_vectors_n", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["embedding_id"],
            ["knowledge_embeddings.id"],
            name="fk_knowledge_vectors_embedding_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_knowledge_vectors_n", "knowledge_vectors", ["n", "embedding_id"])
    op.create_index("ix_knowledge_vectors_signs", "knowledge_vectors", ["embedding_id", "n", "signs"])
