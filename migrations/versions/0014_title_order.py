"""Sorts threads by title as all other names are sorted: by a key that is stored beside the title."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.schema_upgrade import fill_title_keys

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ACTIVE = "deleted_at IS NULL AND archived_at IS NULL"
_ARCHIVED = "archived_at IS NOT NULL AND deleted_at IS NULL"


def upgrade() -> None:
    op.add_column("threads", sa.Column("title_key", sa.Text(), nullable=False, server_default=sa.text("''")))
    fill_title_keys(driver(op.get_bind()))
    for name, columns, condition in (
        ("project_archived_name", ("project_id", "title_key", "id"), _ARCHIVED),
        ("archived_name", ("title_key", "id"), _ARCHIVED),
        ("project_name", ("project_id", "title_key", "id"), _ACTIVE),
        ("name", ("title_key", "id"), _ACTIVE),
    ):
        op.drop_index(f"ix_threads_{name}", table_name="threads")
        op.create_index(f"ix_threads_{name}", "threads", list(columns), unique=False, sqlite_where=sa.text(condition))
