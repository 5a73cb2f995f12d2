"""Typing, Esc and Tab, wherever the focus is."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QPlainTextEdit, QWidget

from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.window import ask, play, until

CONTROL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


def key(application: WindowApplication, which: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.NoModifier) -> None:
    """To whatever has the focus, as a keyboard does."""
    QTest.keyClick(focused(application), which, modifiers)


def focused(application: WindowApplication) -> QWidget:
    window = application.panes.window
    return window.focusWidget() or window


def stops(application: WindowApplication, *, most: int = 60) -> list[QWidget]:
    """Every widget that Tab reaches, beginning with the composer, until it is there again."""
    window = application.panes.window
    window.focus_composer()
    found: list[QWidget] = []
    while len(found) < most and window.focusWidget() not in found:
        found.append(window.focusWidget())
        key(application, Qt.Key.Key_Tab)
    return found


async def with_inspector(application: WindowApplication) -> None:
    await ask(application, "hello")
    application.panes.commands.trigger("view.tree")
    await until(lambda: application.panes.window.findChild(QWidget, "inspectorTabs") is not None)


def test_tab_goes_through_all_panes_and_round(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await with_inspector(application)
        panes = application.panes
        panes.window.resize(1400, 800)
        await until(panes.sidebar.isVisible)  # in a narrow window it comes when asked
        reached = stops(application)
        assert len(reached) < 60
        inspector = panes.window.findChild(QWidget, "inspector")
        for pane in (panes.composer, inspector, panes.sidebar, panes.header, panes.transcript):
            assert any(pane is each or pane.isAncestorOf(each) for each in reached), pane.objectName()
        assert len(set(reached)) == len(reached)
        key(application, Qt.Key.Key_Backtab)
        assert panes.window.focusWidget() is reached[-1]

    play(AppPaths.find(tmp_path / "data"), script)


def test_what_is_typed_outside_a_field_is_written_in_the_composer(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await with_inspector(application)
        panes = application.panes
        tried = 0
        for stop in stops(application):
            if isinstance(stop, QLineEdit | QPlainTextEdit):
                continue
            tried += 1
            panes.composer.set_text("")
            stop.setFocus(Qt.FocusReason.TabFocusReason)
            for letter in (Qt.Key.Key_J, Qt.Key.Key_U, Qt.Key.Key_S, Qt.Key.Key_T, Qt.Key.Key_K):
                key(application, letter)
            assert panes.composer.text() == "justk", stop.objectName()
            assert panes.composer.editor.hasFocus()
        assert tried >= 10
        panes.composer.set_text("")
        viewport = panes.transcript.viewport()
        QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=viewport.rect().center())
        assert panes.transcript.hasFocus()
        key(application, Qt.Key.Key_K)
        assert panes.composer.text() == "k"
        QApplication.clipboard().setText("pasted")
        panes.transcript.setFocus()
        key(application, Qt.Key.Key_V, CONTROL)
        assert panes.composer.text() == "kpasted"

    play(AppPaths.find(tmp_path / "data"), script)


def test_the_space_bar_presses_and_turns_pages_and_fields_keep_their_letters(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await with_inspector(application)
        panes = application.panes
        panes.transcript.setFocus()
        key(application, Qt.Key.Key_Space)
        assert panes.transcript.hasFocus()
        panes.sidebar.focus_search()
        key(application, Qt.Key.Key_H)
        assert panes.sidebar.search_box.text() == "h"
        assert panes.composer.text() == ""

    play(AppPaths.find(tmp_path / "data"), script)


def test_letters_that_begin_a_title_choose_a_row_of_the_list(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        ids = [(await services.chat.create_thread(None, title)).thread.id for title in ("Apples", "Bananas")]
        panes = application.panes
        thread_list = panes.sidebar.thread_list
        await until(lambda: len(panes.sidebar.known(ids)) == 2)
        thread_list.setFocus(Qt.FocusReason.TabFocusReason)
        key(application, Qt.Key.Key_B)
        key(application, Qt.Key.Key_A)
        assert thread_list.keyboard_id() == ids[1]
        assert panes.composer.text() == ""
        key(application, Qt.Key.Key_Y)
        assert panes.composer.text() == "bay"

    play(AppPaths.find(tmp_path / "data"), script)


def test_esc_stops_an_answer_wherever_the_focus_is(tmp_path: Path) -> None:
    slow = Settings(offline_speed_tokens_per_s=5)

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        panes = application.panes
        QTest.keyClicks(panes.composer.editor, "/demo slow")
        key(application, Qt.Key.Key_Return)
        await until(lambda: panes.composer.is_streaming)
        names = [each.objectName() for each in stops(application)]
        for name in names:
            if not panes.composer.is_streaming:
                panes.commands.trigger("message.regenerate")
                await until(lambda: panes.composer.is_streaming)
            stop = panes.window.findChild(QWidget, name)
            if not stop.isVisible() or not stop.isEnabled():
                continue
            stop.setFocus(Qt.FocusReason.TabFocusReason)
            if panes.transcript.hasFocus():
                key(application, Qt.Key.Key_A, CONTROL)
            key(application, Qt.Key.Key_Escape)
            thread_id = application.threads.thread_id
            await until(lambda thread_id=thread_id: not services.chat.is_answering(thread_id))
            await until(lambda: not panes.composer.is_streaming)

    play(AppPaths.find(tmp_path / "data"), script, slow, timeout_s=120)


def test_alt_alone_shows_the_menu_bar_and_alt_with_another_key_does_not(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        window = application.panes.window
        for stop in stops(application):
            if isinstance(stop, QAbstractButton):
                continue
            stop.setFocus()
            for which in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
                QTest.keyPress(focused(application), Qt.Key.Key_Alt)
                QTest.keyPress(focused(application), which, ALT)
                QTest.keyRelease(focused(application), which, ALT)
                QTest.keyRelease(focused(application), Qt.Key.Key_Alt)
                assert window.menuBar().isHidden() or not window.menuBar().actions(), stop.objectName()
        window.focus_composer()
        QTest.keyPress(focused(application), Qt.Key.Key_Alt)
        QTest.keyRelease(focused(application), Qt.Key.Key_Alt)
        assert window.menuBar().isVisible()

    play(AppPaths.find(tmp_path / "data"), script)
