"""Artifacts: the versions of a document that was opened from an answer, by the model and by hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("artifacts", sa.Column("document_id", sa.Text(), nullable=True))
    op.add_column("artifacts", sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("1")))
    for name in ("name", "language"):
        op.add_column("artifacts", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
    for name in ("is_by_hand", "created_at"):
        op.add_column("artifacts", sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.create_index(
        "ix_artifacts_document_id",
        "artifacts",
        ["document_id"],
        sqlite_where=sa.text("document_id IS NOT NULL"),
    )
