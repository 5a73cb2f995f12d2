"""Assistants: what a prompt of the library needs to answer, which one answers in a thread, and which one answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("prompts", sa.Column("setup", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("threads", sa.Column("assistant_id", sa.Text(), nullable=True))
    op.add_column("messages", sa.Column("assistant_id", sa.Text(), nullable=True))
    op.add_column("messages", sa.Column("assistant_name", sa.Text(), nullable=True))
