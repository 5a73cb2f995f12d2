"""Rows, completions and sentences of the palette, without a window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatdesk.core.domain.search import FilterName, SearchGroup, SearchHit, SearchKind
from chatdesk.ui.palette.listing import completions
from chatdesk.ui.palette.rows import RowKind, rows_of_group, summary_of, when_text

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NAMES = {FilterName.PROJECT: ["Research", "Home and garden"]}


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("days", "text"), [(0, "today"), (1, "yesterday"), (3, "Wed"), (40, "12 Oct"), (400, "17 Oct 2025"), (-2, "23 Nov")]
)
def test_when(days: int, text: str) -> None:
    assert when_text(_ms(NOW - timedelta(days=days)), NOW) == text


def test_a_group_says_what_was_left_out() -> None:
    hit = SearchHit(SearchKind.ARTIFACT, "a", "photo.PNG", thread_id="t", message_id="m", is_in_trash=True)
    group = SearchGroup(SearchKind.ARTIFACT, (hit,), 9, is_more=True, note="Only the newest were looked at.")
    heading, row, note = rows_of_group(group, now=NOW)
    assert heading.text == "Files · more than 9 found"
    assert (row.icon, row.aside, row.spoken) == ("image", "in the trash", "file photo.PNG · in the trash")
    assert (note.kind, note.text) == (RowKind.NOTE, "Only the newest were looked at.")
    assert not note.is_choosable and not heading.is_choosable and row.is_choosable


def test_an_empty_group_is_no_row() -> None:
    assert rows_of_group(SearchGroup(SearchKind.TAG, (), 0), now=NOW) == []


def test_the_summary_counts_what_was_found() -> None:
    groups = [SearchGroup(SearchKind.MESSAGE, (), 1_284, is_more=True), SearchGroup(SearchKind.THREAD, (), 1)]
    assert summary_of(groups, 2) == "more than 1,284 messages, 1 thread, 2 commands"
    assert summary_of([], 0) == "Nothing found"


@pytest.mark.parametrize(
    ("text", "wholes"),
    [
        ("has", ["has:"]),
        ("wal ha", ["wal has:"]),
        ("wal -ha", ["wal -has:"]),
        ("is:", ["is:pinned ", "is:archived ", "is:trashed "]),
        ("is:pi", ["is:pinned "]),
        ("is:pinned", []),
        ('project:"Home a', ['project:"Home and garden" ']),
        ("project:re", ["project:Research "]),
        ("https://has", []),
        ("p", []),
        ("", []),
    ],
)
def test_filters_are_completed(text: str, wholes: list[str]) -> None:
    assert [each.whole for each in completions(text, NAMES)] == wholes


@given(st.text(max_size=60))
def test_completing_never_fails_and_keeps_what_was_typed_before(text: str) -> None:
    for each in completions(text, NAMES):
        kept = text[: max(text.rfind(" "), 0)].split('"')[0]
        assert each.whole.startswith(kept[: len(each.whole)])
        assert each.shown
