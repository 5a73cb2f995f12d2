"""The log of each project, its members and their rights

Revision ID: 0002
Revises:
"""

from __future__ import annotations

from alembic import op

from chatdesk.core.sync.team_store.sql_files import migration_statements

revision = "0002"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in migration_statements(revision):
        op.execute(statement)
