"""A stored title is named in the language of the person where ChatDesk itself wrote it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatdesk.core.domain.thread import BRANCH_MARK, NEW_THREAD_TITLE, title_text
from chatdesk.core.texts import shown, use_translation

_GERMAN = {"New thread": "Neue Unterhaltung", "{title} (branch)": "{title} (Zweig)"}


@pytest.fixture(autouse=True)
def _german() -> Iterator[None]:
    use_translation(lambda source, _about, _count: _GERMAN.get(source, ""))
    yield
    use_translation(None)


@pytest.mark.parametrize(
    ("title", "words"),
    [
        (NEW_THREAD_TITLE, "Neue Unterhaltung"),
        (NEW_THREAD_TITLE + BRANCH_MARK, "Neue Unterhaltung (Zweig)"),
        ("A walk" + BRANCH_MARK, "A walk (Zweig)"),
        ("A new chat", "A new chat"),
        ("", ""),
    ],
)
def test_a_title_of_chatdesk_itself_is_translated(title: str, words: str) -> None:
    assert shown(title_text(title)) == words


def test_a_title_that_branched_very_often_is_shown() -> None:
    title = "x" + 1_000 * BRANCH_MARK
    assert shown(title_text(title)) == f"{title.removesuffix(BRANCH_MARK)} (Zweig)"
