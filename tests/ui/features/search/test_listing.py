"""Commands are found by the words that are shown, and by English ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from PySide6.QtWidgets import QApplication, QWidget

from chatdesk.core.texts import use_translation
from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.features.search.listing import Listed, offered_commands, rows_of
from chatdesk.ui.widgets.found.rows import RowKind

_GERMAN = {"New thread": "Neuer Chat", "Thread": "Chat", "Commands": "Befehle"}
_NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def german(qapp: QApplication) -> Iterator[None]:
    use_translation(lambda source, _singular, _count: _GERMAN.get(source, ""))
    yield
    use_translation(None)


def _found(typed: str) -> list[str]:
    registry = CommandRegistry(QWidget(), CATALOGUE)
    for command in CATALOGUE:
        registry.bind(command.id, lambda: None)
    rows = rows_of(Listed(f">{typed}", commands=offered_commands(registry)), now=_NOW)
    return [row.text for row in rows if row.kind is RowKind.COMMAND]


def test_the_words_that_are_shown_find_a_command(german: None) -> None:
    assert _found("neuer")[0] == "Neuer Chat"


def test_english_words_find_it_as_well(german: None) -> None:
    assert "Neuer Chat" in _found("new thread")


def test_english_alone_finds_nothing_of_another_language(qapp: QApplication) -> None:
    assert _found("neuer") == []
    assert _found("new thread")[0] == "New thread"


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("Files of the project", RowKind.COMMAND),
        ("files of the proj", RowKind.COMMAND),
        ("cheese project", RowKind.COMPLETION),
        ("project", RowKind.COMPLETION),
    ],
)
def test_the_name_of_a_command_comes_before_a_filter_that_begins_like_its_end(
    qapp: QApplication, typed: str, first: RowKind
) -> None:
    registry = CommandRegistry(QWidget(), CATALOGUE)
    for command in CATALOGUE:
        registry.bind(command.id, lambda: None)
    rows = rows_of(Listed(typed, commands=offered_commands(registry)), now=_NOW)
    chosen = next(row for row in rows if row.kind is not RowKind.HEADING)
    assert chosen.kind is first
    assert sum(row.kind is RowKind.COMMAND for row in rows) == len(
        {row.key for row in rows if row.kind is RowKind.COMMAND}
    )
    assert any(row.kind is RowKind.COMPLETION for row in rows)
