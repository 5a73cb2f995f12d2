"""Adds what the team of a shared project gets of a source of its files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("knowledge_sources", sa.Column("sharing", sa.Text(), nullable=False, server_default=sa.text("''")))
