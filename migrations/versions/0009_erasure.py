"""What was erased for everybody in a team, and the digest that proves the place of what it was"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("changes", sa.Column("digest", sa.LargeBinary(), nullable=True))
    op.add_column("changes", sa.Column("erased", sa.Integer(), nullable=False, server_default=sa.text("0")))
