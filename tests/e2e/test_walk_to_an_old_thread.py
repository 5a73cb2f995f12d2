"""A person finds an old thread: once with the mouse alone, once with the keyboard alone, among many newer ones."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.walks import found_in
from tests.helpers.window import ask, play, until

_QUESTION = "When does the last tram leave Belem"
_NEWER = 120
_NOTHING = Qt.KeyboardModifier.NoModifier
_CONTROL, _SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


async def old_thread(application: WindowApplication) -> str:
    """A thread with a question and an answer, below so many newer ones that it is out of sight; a new one is open."""
    await ask(application, _QUESTION)
    old = application.threads.thread_id
    assert old is not None
    services = await application.services()
    for number in range(_NEWER):
        await services.chat.create_thread(None, f"Newer thread {number}")
    application.panes.commands.trigger("thread.new")
    await until(lambda: application.threads.thread_id is None)
    application.panes.sidebar.reload()
    await until(lambda: application.panes.sidebar.thread_list.row_count() >= 50)
    return old


def focused(application: WindowApplication) -> QWidget:
    palette = application.bindings.search.palette
    if palette is not None:
        return palette.field
    return application.panes.window.focusWidget()


def press(application: WindowApplication, key: Qt.Key, modifiers: Qt.KeyboardModifier = _NOTHING) -> None:
    QTest.keyClick(focused(application), key, modifiers)


def turn_wheel(widget: QWidget, notches: int) -> None:
    place = QPointF(widget.rect().center())
    event = QWheelEvent(
        place,
        QPointF(widget.mapToGlobal(place.toPoint())),
        QPoint(),
        QPoint(0, -120 * notches),
        Qt.MouseButton.NoButton,
        _NOTHING,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def click(widget: QWidget, place: QPoint) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, _NOTHING, place)


async def shows(application: WindowApplication, thread_id: str) -> None:
    panes = application.panes
    await until(lambda: application.threads.thread_id == thread_id)
    await until(lambda: len(panes.transcript.entries) == 2 and panes.transcript.isVisible())
    assert panes.transcript.entries[0].message.text == _QUESTION
    assert application.threads.open_thread.title == _QUESTION


def test_by_mouse_alone(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        old = await old_thread(application)
        view = application.panes.sidebar.thread_list
        index = view.model().index_of(old)
        assert not index.isValid() or not view.viewport().rect().contains(view.visualRect(index).center())

        def is_in_view() -> bool:
            turn_wheel(view.viewport(), 3)
            found = view.model().index_of(old)
            return (
                view.model().is_at_end
                and found.isValid()
                and view.viewport().rect().contains(view.visualRect(found).center())
            )

        await until(is_in_view)
        click(view.viewport(), view.visualRect(view.model().index_of(old)).center())
        await shows(application, old)
        # To have it at hand from now on: the button of its row, and Pin in the menu.
        await until(lambda: view.model().index_of(old).isValid())
        rect = view.visualRect(view.model().index_of(old))
        click(view.viewport(), view.itemDelegate().menu_area(rect, view.layoutDirection()).center())
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        pin = next(action for action in menu.actions() if action.text() == "Pin")
        click(menu, menu.actionGeometry(pin).center())
        await until(lambda: application.panes.sidebar.known([old])[0].pinned_at is not None)
        await until(lambda: view.model().index_of(old).row() == 1)

    play(AppPaths.find(tmp_path / "data"), script)


def test_by_keyboard_alone_through_the_search(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        old = await old_thread(application)
        press(application, Qt.Key.Key_K, _CONTROL)
        QTest.keyClicks(focused(application), "last tram")
        palette = application.bindings.search.palette
        assert palette is not None
        await until(lambda: palette.results.is_over and palette.current is not None)
        press(application, Qt.Key.Key_Return)
        await shows(application, old)
        for letter in "and the first":
            QTest.keyClicks(focused(application), letter)
        assert application.panes.composer.text() == "and the first", "the next question is typed at once"

    play(AppPaths.find(tmp_path / "data"), script)


def test_by_keyboard_alone_through_the_list(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        old = await old_thread(application)
        press(application, Qt.Key.Key_F, _CONTROL | _SHIFT)
        QTest.keyClicks(focused(application), "belem")
        await found_in(application.panes.sidebar)
        press(application, Qt.Key.Key_Return)
        await shows(application, old)
        assert application.panes.sidebar.search_box.text() == ""
        assert focused(application) is application.panes.composer.editor

    play(AppPaths.find(tmp_path / "data"), script)
