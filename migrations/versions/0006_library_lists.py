"""Lists of threads in every order, of every project, without sorting: indexes, also for what retires by its age."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ACTIVE = "deleted_at IS NULL AND archived_at IS NULL"
_ARCHIVED = "archived_at IS NOT NULL AND deleted_at IS NULL"
_TRASHED = "deleted_at IS NOT NULL"
_PINNED = f"pinned_at IS NOT NULL AND {_ACTIVE}"


def upgrade() -> None:
    # The trash is listed by the moment of deletion now, and searched by titles through the index alone, as the others.
    for name in ("trashed", "recent", "project_recent"):
        op.drop_index(f"ix_threads_{name}", table_name="threads")
    for name, columns, condition in (
        ("trashed", ("deleted_at", "id", "title_folded"), _TRASHED),
        ("recent", ("last_activity_at", "id", "title_folded"), _ACTIVE),
        ("project_recent", ("project_id", "last_activity_at", "id", "title_folded"), _ACTIVE),
        ("project_pinned", ("project_id", "last_activity_at", "id"), _PINNED),
        ("project_archived", ("project_id", "last_activity_at", "id"), _ARCHIVED),
        ("project_trashed", ("project_id", "deleted_at", "id"), _TRASHED),
        ("archived_at", ("archived_at",), _ARCHIVED),
        ("name", ("title_folded", "id"), _ACTIVE),
        ("project_name", ("project_id", "title_folded", "id"), _ACTIVE),
        ("archived_name", ("title_folded", "id"), _ARCHIVED),
        ("project_archived_name", ("project_id", "title_folded", "id"), _ARCHIVED),
    ):
        op.create_index(f"ix_threads_{name}", "threads", list(columns), unique=False, sqlite_where=sa.text(condition))
