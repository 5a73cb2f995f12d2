"""Splits the SQL files of migrations into statements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import TextClause

from chatdesk.core.paths import team_migrations_dir


def sql_folder() -> Path:
    return team_migrations_dir() / "sql"


def migration_statements(revision: str) -> Iterator[TextClause]:
    """Yield the statements of one migration, in the order of its files' names, with colons escaped so that none is a
    parameter."""
    for file in sorted((sql_folder() / revision).glob("*.sql")):
        for statement in statements(file.read_text(encoding="utf-8")):
            yield sa.text(statement.replace(":", "\\:"))


def statements(text: str) -> Iterator[str]:
    """Yield the statements of a text. A statement ends with a semicolon at the end of a line, outside of a function's
    ``$$``; comments stay with the statement that follows."""
    lines: list[str] = []
    is_inside = False
    for line in text.splitlines():
        if not lines and not line.strip():
            continue
        lines.append(line)
        if line.count("$$") % 2:
            is_inside = not is_inside
        if not is_inside and line.rstrip().endswith(";") and not line.lstrip().startswith("--"):
            yield "\n".join(lines).rstrip().removesuffix(";")
            lines.clear()
