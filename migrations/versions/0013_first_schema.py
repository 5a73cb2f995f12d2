"""Creates the first schema that a released ChatDesk has; the twelve before it were never released."""

from __future__ import annotations

from pathlib import Path
from sqlite3 import complete_statement

from alembic import op

revision = "0013"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    statement = ""
    # Triggers have semicolons inside.
    for line in Path(__file__).with_suffix(".sql").read_text("utf-8").splitlines(keepends=True):
        statement += line
        if complete_statement(statement):
            connection.exec_driver_sql(statement.strip().removesuffix(";"))
            statement = ""
