"""Rows of CSV are read one by one, as the csv module reads them all, and hostile tables stay small."""

from __future__ import annotations

import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatdesk.core.domain.artifacts.table_rows import MOST_COLUMNS, MOST_ROWS, TableRows


def rows_of(text: str) -> list[tuple[str, ...]]:
    table = TableRows(text)
    return [table.header, *(table.row(place) for place in range(len(table)))]


def test_cells_may_hold_delimiters_quotes_and_lines() -> None:
    assert rows_of('name,words\r\na,"x, ""y""\r\nz"\r\nb,\r\n') == [
        ("name", "words"),
        ("a", 'x, "y"\nz'),
        ("b", ""),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    assert rows_of(f"a{delimiter}b\n1{delimiter}2\n") == [("a", "b"), ("1", "2")]


def test_short_rows_are_filled_and_empty_lines_left_out() -> None:
    assert rows_of("a,b,c\n\n1\n") == [("a", "b", "c"), ("1", "", "")]


def test_an_empty_text_is_not_a_table() -> None:
    table = TableRows("")
    assert (len(table), table.column_count, table.header) == (0, 0, ())


_CELLS = st.text(st.sampled_from('ab,"\n '), max_size=6)


@given(st.lists(st.lists(_CELLS, min_size=2, max_size=2), min_size=1, max_size=8))
def test_written_tables_are_read_back(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)
    assert rows_of(out.getvalue()) == [tuple(row) for row in rows]


@pytest.mark.parametrize(
    "text",
    [
        '"' * 1_000_001,
        '"' + "a\n" * 500_000,
        "a," * 500_000,
        "x" * 2_000_000,
        "a,b\n" * (MOST_ROWS + 10),
        '"\n"\n' * 200_000,
    ],
)
def test_hostile_tables_take_little_time(text: str) -> None:
    began = time.monotonic()
    table = TableRows(text)
    for place in range(0, len(table), max(1, len(table) // 50)):
        assert sum(map(len, table.row(place))) < 300_000
    assert len(table) <= MOST_ROWS
    assert table.column_count <= MOST_COLUMNS
    assert time.monotonic() - began < 10


def test_a_cut_table_says_so() -> None:
    assert TableRows("a\n" * (MOST_ROWS + 5)).is_cut
    assert not TableRows("a\n" * 10).is_cut
