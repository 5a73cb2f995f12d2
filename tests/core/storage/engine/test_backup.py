"""Damage of pages is told apart from values that break a rule."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chatdesk.core.storage.engine.backup import damaged_pages


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("CREATE TABLE pears (id INTEGER PRIMARY KEY, weight INTEGER NOT NULL CHECK (weight > 0))")
        conn.executemany("INSERT INTO pears (weight) VALUES (?)", [(each,) for each in range(1, 3000)])
    return path


@pytest.fixture
def conn(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as conn:
        yield conn


@pytest.mark.parametrize("is_thorough", [False, True])
def test_more_forbidden_values_than_lines_hide_no_damage(
    path: Path, conn: sqlite3.Connection, *, is_thorough: bool
) -> None:
    conn.execute("PRAGMA ignore_check_constraints=ON")
    conn.execute("UPDATE pears SET weight = -1 WHERE id < 2000")
    conn.commit()
    conn.execute("PRAGMA ignore_check_constraints=OFF")
    assert len(conn.execute("PRAGMA quick_check(100)").fetchall()) == 100
    assert damaged_pages(conn, is_thorough=is_thorough) == []
    with pytest.raises(sqlite3.IntegrityError):
        conn.execute("INSERT INTO pears (weight) VALUES (-1)")
    conn.rollback()
    conn.close()
    data = bytearray(path.read_bytes())
    data[36:40] = (5).to_bytes(4, "big")  # free pages, of which there are none
    path.write_bytes(data)
    with closing(sqlite3.connect(path)) as damaged:
        assert damaged_pages(damaged, is_thorough=is_thorough)


def test_no_number_of_forbidden_values_hides_a_damaged_index(path: Path, conn: sqlite3.Connection) -> None:
    conn.execute("PRAGMA ignore_check_constraints=ON")
    names = ("apples", "figs", "limes", "melons", "plums", "quinces")
    for name in names:
        conn.execute(f"CREATE TABLE {name} (weight INTEGER CHECK (weight > 0))")
        conn.execute(f"CREATE INDEX by_{name} ON {name} (weight) WHERE weight > 0")
        conn.execute(f"INSERT INTO {name} SELECT CASE WHEN id < 9 THEN id ELSE -1 END FROM pears")
    conn.execute("PRAGMA writable_schema=ON")
    conn.execute("UPDATE sqlite_master SET sql = replace(sql, '(weight)', '(-weight)') WHERE type = 'index'")
    conn.commit()
    with closing(sqlite3.connect(path)) as damaged:
        lines = damaged_pages(damaged, is_thorough=True)
    assert [name for name in names if not any(f"by_{name}" in line for line in lines)] == []
