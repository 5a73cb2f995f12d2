"""Rules of what may be pushed, as a table that decides the effect of each row as well

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from alembic import op

from chatdesk.core.sync.team_store.sql_files import migration_statements

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in migration_statements(revision):
        op.execute(statement)
