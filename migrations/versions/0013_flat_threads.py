"""Indexes for threads with very many versions of one message, and for changes that wait for one that has arrived."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_messages_parent_id", "messages")
    op.create_index("ix_messages_parent_id", "messages", ["parent_id", "id"])
    op.drop_index("ix_messages_roots", "messages")
    op.create_index("ix_messages_roots", "messages", ["thread_id", "id"], sqlite_where=sa.text("parent_id IS NULL"))
    op.create_index(
        "ix_messages_shown_trashed",
        "messages",
        ["thread_id", "position"],
        sqlite_where=sa.text("on_path = 1 AND deleted_at IS NOT NULL"),
    )
    op.create_index("ix_changes_problem", "changes", ["problem"], sqlite_where=sa.text("problem IS NOT NULL"))
