"""Rows, completions and sentences of the palette, without a window."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatdesk.core.domain.search import FilterName, SearchGroup, SearchHit, SearchKind, Snippet
from chatdesk.ui.features.search.listing import completions
from chatdesk.ui.widgets.found.rows import RowKind, rows_of_group, rows_of_sidebar, summary_of, when_text

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


def test_an_empty_group_has_no_row() -> None:
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


def _thread(number: int, **more: object) -> SearchHit:
    return SearchHit(SearchKind.THREAD, f"t{number}", "a quokka", ((2, 8),), thread_id=f"t{number}", **more)  # type: ignore[arg-type]


def _message(number: int) -> SearchHit:
    snippet = Snippet("…the quokka smiles", ((5, 11),))
    return SearchHit(
        SearchKind.MESSAGE, f"m{number}", "Animals", snippet=snippet, thread_id="t", message_id=f"m{number}"
    )


def _groups(*groups: SearchGroup) -> dict[SearchKind, SearchGroup]:
    return {group.kind: group for group in groups}


def test_the_sidebar_lists_titles_then_messages_then_the_way_to_all() -> None:
    groups = _groups(
        SearchGroup(
            SearchKind.MESSAGE, tuple(map(_message, range(20))), 738, next_cursor="20", note="Only the newest."
        ),
        SearchGroup(SearchKind.THREAD, tuple(map(_thread, range(20))), 24),
        SearchGroup(SearchKind.PROJECT, (SearchHit(SearchKind.PROJECT, "p", "Quokka"),), 1),
    )
    rows = rows_of_sidebar("quokka", groups, now=NOW, is_over=True)
    titles = [(RowKind.HEADING, "Titles"), *[(RowKind.HIT, "a quokka")] * 8]
    messages = [(RowKind.HEADING, "Messages"), *[(RowKind.HIT, "Animals")] * 8]
    everything = [(RowKind.ALL, "All results for “quokka”")]
    assert [(row.kind, row.text) for row in rows] == [*titles, *messages, *everything]
    message = rows[10]
    assert (message.below, message.below_marks) == ("…the quokka smiles", ((5, 11),))
    assert not rows[1].below


def test_a_title_has_the_whole_width_of_the_sidebar_and_the_date_is_heard() -> None:
    at = _ms(NOW - timedelta(days=3))
    groups = (
        SearchGroup(SearchKind.THREAD, (_thread(1, at=at),), 1),
        SearchGroup(SearchKind.MESSAGE, (replace(_message(1), at=at),), 1),
    )
    rows = rows_of_sidebar("quokka", _groups(*groups), now=NOW, is_over=True)
    hits = [row for row in rows if row.kind is RowKind.HIT]
    assert [row.aside for row in hits] == ["", ""] and all("Wed" in row.spoken for row in hits)
    assert [rows_of_group(group, now=NOW)[1].aside for group in groups] == ["Wed", "Wed"]


def test_a_thread_that_only_its_summary_names_shows_where() -> None:
    hit = SearchHit(SearchKind.THREAD, "t", "Animals", snippet=Snippet("a quokka", ((2, 8),)), thread_id="t")
    group = SearchGroup(SearchKind.THREAD, (hit,), 1)
    assert rows_of_group(group, now=NOW)[1].below == "a quokka"
    kinds = [row.kind for row in rows_of_sidebar("quokka", _groups(group), now=NOW, is_over=True)]
    assert kinds == [RowKind.NOTE, RowKind.ALL], "it is no title, and among all results"


def test_results_of_filters_alone_are_listed_in_the_sidebar() -> None:
    hit = SearchHit(SearchKind.THREAD, "t", "Animals", thread_id="t")
    rows = rows_of_sidebar("is:pinned", _groups(SearchGroup(SearchKind.THREAD, (hit,), 1)), now=NOW, is_over=True)
    assert [row.text for row in rows[:2]] == ["Titles", "Animals"]


def test_a_damaged_index_is_reported_in_the_sidebar() -> None:
    damaged = SearchGroup(SearchKind.MESSAGE, (), 0, note="The index is damaged.")
    rows = rows_of_sidebar("quokka", _groups(damaged), now=NOW, is_over=True)
    assert [row.text for row in rows] == ["The index is damaged.", "All results for “quokka”"]
    assert [row.kind for row in rows_of_sidebar("quokka", {}, now=NOW, is_over=False)] == [RowKind.ALL]


_EXCERPT = Snippet("what was found", ((9, 14),))


@pytest.mark.parametrize("is_in_title", [True, False])
@pytest.mark.parametrize("kind", SearchKind)
def test_every_hit_shows_the_found_word_with_its_mark(kind: SearchKind, is_in_title: bool) -> None:
    marks = ((0, 5),) if is_in_title else ()
    hit = SearchHit(kind, "x", "found it", marks, snippet=Snippet("") if is_in_title else _EXCERPT, thread_id="t")
    row = rows_of_group(SearchGroup(kind, (hit,), 1), now=NOW)[1]
    shown = [row.text[a:b] for a, b in row.marks] + [row.below[a:b] for a, b in row.below_marks]
    assert shown == ["found"]


def test_a_title_in_the_sidebar_has_the_room_of_its_project_and_time() -> None:
    hit = _thread(1, project="Research", at=_ms(NOW), is_archived=True)
    group = SearchGroup(SearchKind.THREAD, (hit,), 1)
    rows = rows_of_sidebar("quokka", {SearchKind.THREAD: group}, now=NOW, is_over=True)
    (row,) = [each for each in rows if each.value is hit]
    assert row.aside == "archived"
    assert row.spoken == "thread a quokka · Research · archived · today"
    assert rows_of_group(group, now=NOW)[1].aside == "Research · archived · today"
