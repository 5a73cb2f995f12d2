"""Searching everything in the real window: from the key to the marked words in their thread."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from chatdesk.core.domain.search import SearchHit
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.search.palette import Palette
from chatdesk.ui.widgets.found.rows import RowKind
from tests.helpers.window import answered, ask, play, press, until

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    return AppPaths.find(tmp_path / "data")


def opened(application: WindowApplication) -> Palette:
    application.panes.commands.trigger("go.search")
    palette = application.bindings.search.palette
    assert palette is not None
    return palette


async def found(palette: Palette, text: str) -> list[str]:
    """Type a text and wait for its end; the texts of the hits."""
    palette.field.clear()
    QTest.keyClicks(palette.field, text)
    await until(lambda: palette.results.searched == text and palette.results.is_over)
    return [row.text for row in palette.rows if row.kind is RowKind.HIT]


async def new_thread(application: WindowApplication) -> None:
    application.threads.open_soon(None)
    await until(lambda: application.threads.thread_id is None)


def test_a_found_message_is_shown_in_its_thread_with_the_words_marked(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "the zebra crosses")
        first = application.threads.thread_id
        await new_thread(application)
        await ask(application, "something else")
        palette = opened(application)
        hits = await found(palette, "zebr")
        assert hits == ["The zebra crosses"] * 2  # the title of the thread, then its question
        QTest.keyClick(palette.field, Qt.Key.Key_Down)
        hit = palette.current.value if palette.current is not None else None
        assert isinstance(hit, SearchHit) and hit.message_id is not None
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
        await until(lambda: application.threads.thread_id == first)
        view = application.panes.transcript
        await until(lambda: view.parts.finding.current is not None and view.parts.finding.places.needle == "zebra")
        assert application.bindings.search.palette is None
        assert application.panes.window.focusWidget() is view
        await until(lambda: view.parts.finding.total > 0)
        application.panes.window.activateWindow()
        await until(view.hasFocus)
        assert view.parts.message_focus.shown.ringed_entry is None, "the word is marked, that is enough"
        QTest.keyClick(view, Qt.Key.Key_Down)
        assert view.parts.message_focus.shown.ringed_entry is not None

    play(paths, script)


def test_a_hit_in_another_version_brings_its_version(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "about a walrus")
        application.messages.edit.start_last()
        await until(lambda: application.panes.composer.text() == "about a walrus")
        application.panes.composer.clear()
        QTest.keyClicks(application.panes.composer.editor, "about a penguin")
        await answered(application, lambda: press(application, Qt.Key.Key_Return))
        services = await application.services()
        palette = opened(application)
        assert await found(palette, "walrus role:user")
        assert any("another version" in row.aside for row in palette.rows)
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
        thread_id = application.threads.thread_id

        async def shown() -> str:
            return (await services.chat.reader.get_thread_messages(thread_id, limit=10)).messages[0].text

        async def is_there() -> bool:
            return await shown() == "about a walrus"

        await until(is_there)

    play(paths, script)


def test_escape_gives_the_focus_back_and_a_command_runs(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        editor = application.panes.composer.editor
        editor.setFocus()
        palette = opened(application)
        await until(palette.field.hasFocus)
        QTest.keyClick(palette.field, Qt.Key.Key_Escape)
        await until(lambda: application.panes.window.focusWidget() is editor)
        application.panes.commands.trigger("app.palette")
        palette = application.bindings.search.palette
        assert palette is not None and palette.field.text() == "> "
        QTest.keyClicks(palette.field, "hide the sidebar")
        shown = application.panes.window.place.is_shown
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
        assert application.panes.window.place.is_shown is not shown

    play(paths, script)


def test_enter_in_the_sidebar_searches_everything(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "a single giraffe")
        box = application.panes.sidebar.search_box
        QTest.keyClicks(box, "giraffe")
        QTest.keyClick(box, Qt.Key.Key_Return)
        palette = application.bindings.search.palette
        assert palette is not None and palette.field.text() == "giraffe"
        await until(lambda: palette.results.is_over and any(row.kind is RowKind.HIT for row in palette.rows))
        second = opened(application)
        assert second is palette

    play(paths, script)


def test_recent_threads_and_filters_are_on_offer(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "my first question")
        palette = opened(application)
        await until(lambda: any(row.text == "My first question" for row in palette.rows))
        QTest.keyClicks(palette.field, "project:")
        await until(lambda: any(row.kind is RowKind.COMPLETION for row in palette.rows))
        assert [row.text for row in palette.rows if row.kind is RowKind.COMPLETION] == ["project:Personal"]

    play(paths, script)
