"""Many rows go into a table with few statements, and are what a statement a row would have made."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise

import pytest

from chatdesk.core.storage.engine.bulk import TOGETHER, insert_rows, tune

MOST = TOGETHER[0]


@pytest.fixture
def raw() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        conn.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
        yield conn


@pytest.mark.parametrize("count", [0, 1, MOST - 1, MOST, MOST + 1, 3 * MOST + 5])
def test_every_row_is_there_in_its_order(raw: sqlite3.Connection, count: int) -> None:
    rows = [(number, f"text {number}") for number in range(count)]
    statements: list[str] = []
    raw.set_trace_callback(statements.append)
    insert_rows(raw, "INSERT INTO t (a, b)", rows)
    raw.set_trace_callback(None)
    assert raw.execute("SELECT a, b FROM t ORDER BY rowid").fetchall() == rows
    assert len(statements) <= count // MOST + sum(more // fewer for more, fewer in pairwise(TOGETHER))


def test_what_is_there_already_is_left_as_it_is_where_the_statement_says_so(raw: sqlite3.Connection) -> None:
    raw.execute("INSERT INTO t VALUES (5, 'mine')")
    insert_rows(raw, "INSERT OR IGNORE INTO t (a, b)", [(number, "theirs") for number in range(MOST + 9)])
    assert raw.execute("SELECT b FROM t WHERE a = 5").fetchone() == ("mine",)
    assert raw.execute("SELECT count(*) FROM t").fetchone() == (MOST + 9,)


def test_loading_takes_more_memory_and_copies_less_often_until_it_ends() -> None:
    def settings() -> tuple[int, int, int]:
        names = ("cache_size", "wal_autocheckpoint", "temp_store")
        size, pages, store = (raw.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
        return size, pages, store

    in_memory = 2
    raw = sqlite3.connect(":memory:", isolation_level=None)
    usual = settings()
    tune(raw, is_loading=True)
    loading = settings()
    assert -loading[0] > -usual[0]
    assert loading[1] > usual[1]
    assert loading[2] == in_memory
    tune(raw, is_loading=False)
    assert settings() == usual
    raw.execute("CREATE TEMP TABLE kept (a)")
    raw.execute("BEGIN")
    tune(raw, is_loading=True)
    assert settings() == (*loading[:2], usual[2])
    raw.execute("SELECT * FROM kept")
    raw.close()
