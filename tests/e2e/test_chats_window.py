"""Several chats at once: beside each other in the window, and in windows of their own."""

from __future__ import annotations

import asyncio
import gc
import signal
import subprocess
import sys
import weakref
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QTabBar, QWidget
from shiboken6 import isValid

from chatdesk.core.errors import StorageFull
from chatdesk.core.events import TextStreamed
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.ui.application import open_chats
from chatdesk.ui.application.pane_bindings import PaneBindings
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.widgets.buttons import IconButton
from tests.helpers.waiting import stays
from tests.helpers.window import answered, ask, play, until

pytestmark = pytest.mark.usefixtures("qapp")

CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


async def beside(application: WindowApplication) -> PaneBindings:
    """Open the open thread beside itself by its keys."""
    await _activate(application)
    QTest.keyClick(application.panes.window, Qt.Key.Key_B, CTRL | SHIFT)
    chats = application.chats
    await until(lambda: chats.beside is not None and application.bindings.active() is chats.beside)
    assert chats.beside is not None
    return chats.beside


def _marked_pane(application: WindowApplication) -> QWidget:
    """Return the pane that is marked as the one where commands act."""
    accent = application.panes.theme.colour("accent").name()
    marks = application.panes.window.findChildren(QWidget, "activeMark")
    [marked] = [each for each in marks if each.isVisible() and each.grab().toImage().pixelColor(1, 0).name() == accent]
    pane = marked.parentWidget()
    assert pane is not None
    assert pane.accessibleDescription() == "Active: commands act here"
    return pane


async def window(application: WindowApplication) -> PaneBindings:
    """Open the open thread in a window of its own by its keys."""
    count = len(application.chats.windows)
    await _activate(application)
    QTest.keyClick(application.panes.window, Qt.Key.Key_D, CTRL | SHIFT)
    await until(lambda: len(application.chats.windows) == count + 1)
    chat = application.chats.windows[-1]
    await until(lambda: chat.panes.window.isVisible() and chat.threads.has_shown)
    return chat


async def _activate(application: WindowApplication) -> None:
    application.panes.window.activateWindow()
    await until(application.panes.window.isActiveWindow)


def texts(chat: PaneBindings) -> list[str]:
    return [entry.message.text for entry in chat.panes.transcript.entries]


def test_a_thread_that_is_shown_three_times_gets_the_same_answer_in_all(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        services = await application.services()
        chats = [application.bindings, await beside(application), await window(application)]
        assert len({chat.threads.thread_id for chat in chats}) == 1
        streamed: list[str] = []
        services.events.subscribe(TextStreamed, lambda event: streamed.append(event.delta))
        chats[1].panes.composer.set_text("/demo long")
        chats[1].panes.composer.send_button.click()
        await until(lambda: len(streamed) > 3)
        assert all(chat.messages.can_stop() for chat in chats)
        chats[2].messages.stop()
        await until(lambda: not any(chat.messages.can_stop() for chat in chats))
        await until(lambda: texts(chats[0]) == texts(chats[1]) == texts(chats[2]))
        assert texts(chats[0])[2] == "/demo long" and texts(chats[0])[3].startswith(streamed[0])

    # Slow enough that there is an answer to stop, in small pieces.
    play(paths, script, Settings(offline_speed_tokens_per_s=200))


def test_a_thread_that_is_shown_twice_has_one_draft(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        first, second = application.bindings, await beside(application)
        QTest.keyClicks(second.panes.composer.editor, "from the right")
        assert first.panes.composer.text() == "from the right"
        QTest.keyClicks(first.panes.composer.editor, ", and the left")
        assert second.panes.composer.text() == "from the right, and the left"
        await first.threads.open(None)
        assert first.panes.composer.text() == ""
        assert second.panes.composer.text() == "from the right, and the left"
        await first.threads.open(second.threads.thread_id)
        assert first.panes.composer.text() == "from the right, and the left"
        first.panes.composer.send_button.click()
        await until(lambda: "from the right, and the left" in texts(second))
        await until(lambda: not first.messages.can_stop())
        await until(lambda: first.panes.composer.text() == second.panes.composer.text() == "")

    play(paths, script)


def test_editing_in_one_chat_leaves_the_draft_of_the_other_alone(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        first, second = application.bindings, await beside(application)
        QTest.keyClicks(second.panes.composer.editor, "draft")
        first.messages.edit.start_last()
        await until(lambda: first.messages.edit.edited is not None and first.panes.composer.text() == "hello")
        assert second.panes.composer.text() == "draft"
        QTest.keyClicks(second.panes.composer.editor, " goes on")
        QTest.keyClicks(first.panes.composer.editor, " again")
        assert first.panes.composer.text() == "hello again"
        assert second.panes.composer.text() == "draft goes on"
        first.messages.edit.cancel()
        assert first.panes.composer.text() == "draft goes on"

    play(paths, script)


def test_a_chat_that_is_opened_during_an_edit_gets_the_draft_and_not_the_edit(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        first = application.bindings
        QTest.keyClicks(first.panes.composer.editor, "draft")
        first.messages.edit.start_last()
        await until(lambda: first.panes.composer.text() == "hello")
        QTest.keyClicks(first.panes.composer.editor, " again")
        second = await beside(application)
        assert second.panes.composer.text() == "draft"
        QTest.keyClicks(second.panes.composer.editor, " goes on")
        assert first.panes.composer.text() == "hello again"
        first.messages.edit.cancel()
        assert first.panes.composer.text() == second.panes.composer.text() == "draft goes on"

    play(paths, script)


def test_a_second_chat_may_be_opened_while_it_is_closed(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        thread_id, chats = application.threads.thread_id, application.chats
        for _ in range(3):
            chats.open_beside(None)
            await until(lambda: application.bindings.active() is chats.beside)
            chats.close_beside()
            chats.open_beside(thread_id)
            chats.close_beside()
            await until(lambda: chats.beside is not None and chats.beside.threads.thread_id == thread_id)
            application.panes.header.closeRequested.emit()
            await until(lambda: chats.beside is None)
        assert application.threads.thread_id == thread_id

    play(paths, script)


def test_what_is_typed_is_there_after_its_chat_was_closed(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        thread_id = application.threads.thread_id
        right, own = await beside(application), await window(application)
        await application.threads.open(None)
        await right.threads.open(None)
        QTest.keyClicks(own.panes.composer.editor, "kept")
        own.panes.window.close()
        await until(lambda: not application.chats.windows)
        await application.threads.open(thread_id)
        assert application.panes.composer.text() == "kept"
        QTest.keyClicks(right.panes.composer.editor, "new idea")
        QTest.mouseClick(right.panes.header.findChild(IconButton, "closeChatButton"), Qt.MouseButton.LeftButton)
        await until(lambda: application.chats.beside is None)
        assert application.panes.main_window.panes() == (application.panes.pane,)
        await application.threads.open(None)
        assert application.panes.composer.text() == "new idea"

    play(paths, script)


def test_closing_the_chat_at_the_left_leaves_the_other_in_its_place(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        thread_id = application.threads.thread_id
        await beside(application)
        await application.threads.open(None)
        QTest.mouseClick(application.panes.header.findChild(IconButton, "closeChatButton"), Qt.MouseButton.LeftButton)
        await until(lambda: application.chats.beside is None)
        assert application.threads.thread_id == thread_id
        assert application.bindings.active() is application.bindings

    play(paths, script)


def test_commands_act_on_the_chat_that_has_the_focus(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        first, second = application.bindings, await beside(application)
        registry, pane = application.panes.registry, second.panes.pane
        assert _marked_pane(application) is pane
        registry.trigger("thread.new")
        await until(lambda: second.threads.thread_id is None)
        assert first.threads.thread_id is not None
        assert not registry.is_enabled("thread.pin")
        QTest.keyClick(application.panes.window, Qt.Key.Key_Left, CTRL | ALT)
        assert application.bindings.active() is first
        assert _marked_pane(application) is first.panes.pane
        assert first.panes.composer.editor.hasFocus()
        assert registry.is_enabled("thread.pin")
        registry.trigger("go.find")
        assert first.panes.transcript.isAncestorOf(QApplication.focusWidget())
        walked = set()
        for _ in range(12):
            registry.trigger("go.next_pane")
            walked.add(application.bindings.active())
        assert walked == {first, second}

    play(paths, script)


def test_the_list_opens_threads_in_the_active_chat_and_marks_its_thread(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "first thread")
        thread_id = application.threads.thread_id
        right = await beside(application)
        await right.threads.open(None)
        sidebar = application.panes.sidebar
        assert sidebar.thread_list.marks.open_id is None
        sidebar.thread_list.chosen.emit(thread_id)
        await until(lambda: right.threads.thread_id == thread_id)
        assert sidebar.thread_list.marks.open_id == thread_id
        await right.threads.open(None)
        application.panes.composer.setFocus()
        assert sidebar.thread_list.marks.open_id == thread_id

    play(paths, script)


def test_threads_are_opened_elsewhere_with_the_mouse_alone(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        thread_id, sidebar = application.threads.thread_id, application.panes.sidebar
        await until(lambda: bool(sidebar.known([thread_id or ""])))
        [thread] = sidebar.known([thread_id or ""])
        await application.threads.open(None)
        _choose(sidebar.thread_menu(thread), "Open beside")
        await until(lambda: application.chats.beside is not None and application.chats.beside.threads.has_shown)
        assert application.chats.beside is not None and application.chats.beside.threads.thread_id == thread_id
        _choose(sidebar.thread_menu(thread), "Open in a new window")
        await until(lambda: len(application.chats.windows) == 1)
        viewport = sidebar.thread_list.viewport()
        place = sidebar.thread_list.visualRect(sidebar.rows.index_of(thread.id)).center()
        _press_middle(viewport, place)
        await until(lambda: len(application.chats.windows) == 2)
        await until(lambda: [each.threads.thread_id for each in application.chats.windows] == [thread_id] * 2)
        assert application.threads.thread_id is None

    play(paths, script)


def _choose(menu: QMenu, text: str) -> None:
    next(action for action in menu.actions() if action.text() == text).trigger()


def _press_middle(widget: object, place: QPoint) -> None:
    for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
        button = Qt.MouseButton.MiddleButton
        held = button if kind is QEvent.Type.MouseButtonPress else Qt.MouseButton.NoButton
        event = QMouseEvent(kind, QPointF(place), QPointF(place), button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(widget, event)  # type: ignore[arg-type]


def test_a_narrow_window_shows_one_of_two_chats_and_tabs(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        first, second = application.bindings, await beside(application)
        await second.threads.open(None)
        QTest.keyClicks(second.panes.composer.editor, "kept")
        main = application.panes.main_window
        main.resize(1400, 800)
        assert first.panes.pane.isVisible() and second.panes.pane.isVisible()
        main.resize(560, 800)
        tabs = main.findChild(QTabBar, "chatTabs")
        assert second.panes.pane.isVisible() and not first.panes.pane.isVisible()
        assert tabs.isVisible() and tabs.accessibleName() == "Chats of this window"
        assert [tabs.tabText(place) for place in range(2)] == ["hello", "New thread"]
        QTest.mouseClick(tabs, Qt.MouseButton.LeftButton, pos=tabs.tabRect(0).center())
        assert first.panes.pane.isVisible() and not second.panes.pane.isVisible()
        assert application.bindings.active() is first
        QTest.keyClick(main, Qt.Key.Key_Right, CTRL | ALT)
        assert second.panes.pane.isVisible() and second.panes.composer.text() == "kept"
        main.resize(1400, 800)
        assert first.panes.pane.isVisible() and second.panes.pane.isVisible() and not tabs.isVisible()

    play(paths, script)


def test_each_chat_has_its_own_inspector_and_search(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        first, second = application.bindings, await beside(application)
        application.panes.registry.trigger("view.inspector")
        await until(lambda: second.inspection.is_open)
        assert not first.inspection.is_open
        assert second.panes.pane.inspector is not None and second.panes.pane.inspector.is_filling
        own = await window(application)
        assert not own.inspection.is_open
        assert own.panes.registry.is_enabled("go.search")

    play(paths, script)


def test_the_program_goes_on_while_a_window_is_open_and_ends_with_the_last(paths: AppPaths) -> None:
    seen: list[bool] = []

    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        own = await window(application)
        main = application.panes.window
        closed = asyncio.ensure_future(application.closed())
        main.close()
        assert not main.isVisible() and own.panes.window.isVisible()
        QTest.keyClicks(own.panes.composer.editor, "more")
        QTest.keyClick(own.panes.composer.editor, Qt.Key.Key_Return)
        await until(lambda: len(texts(own)) == 4 and not own.messages.can_stop())
        seen.append(closed.done())
        own.panes.window.close()
        await closed
        seen.append(not application.chats.windows)

    play(paths, script)
    assert seen == [False, True]


def test_the_main_window_comes_back_for_what_it_alone_has(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        own = await window(application)
        main = application.panes.window
        main.close()
        registry = own.panes.registry
        registry.trigger("thread.pin")
        await until(lambda: own.threads.open_thread is not None and own.threads.open_thread.pinned_at is not None)
        assert not main.isVisible()
        await until(own.panes.pane.toast.isVisible)
        registry.trigger("go.filter")
        assert main.isVisible() and application.bindings.active() is application.bindings

    play(paths, script)


def test_a_closed_chat_is_freed_with_all_that_it_showed(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        gone: list[weakref.ref[object]] = []
        for _ in range(2):
            right, own = await beside(application), await window(application)
            for chat in (right, own):
                chat.inspection.open()
                parts = chat, chat.threads, chat.messages, chat.panes.transcript, chat.panes.composer, chat.panes.pane
                gone += map(weakref.ref, parts)
            gone.append(weakref.ref(own.panes.window))
            own.panes.window.close()
            application.chats.close_beside()
            await until(lambda: not application.chats.windows and application.chats.beside is None)
            del right, own, chat, parts
        await until(lambda: gc.collect() >= 0 and not [each() for each in gone if each() is not None])
        assert "hello" in texts(application.bindings)
        await answered(application, lambda: application.bindings.commands.ask("again"))

    play(paths, script)


def test_windows_and_chats_come_back_with_their_threads_and_drafts(paths: AppPaths) -> None:
    left: list[str | None] = []

    async def first(application: WindowApplication) -> None:
        await ask(application, "hello")
        right, own = await beside(application), await window(application)
        await right.threads.open(None)
        own.panes.window.resize(640, 500)
        QTest.keyClicks(own.panes.composer.editor, "unsent")
        left.append(application.threads.thread_id)

    async def second(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: len(application.chats.windows) == 1 and application.chats.beside is not None)
        [own] = application.chats.windows
        await until(lambda: own.panes.window.isVisible())
        assert [own.threads.thread_id, application.threads.thread_id] == left * 2
        assert application.chats.beside is not None and application.chats.beside.threads.thread_id is None
        assert (own.panes.window.width(), own.panes.window.height()) == (640, 500)
        assert own.panes.composer.text() == "unsent"
        await until(application.panes.window.isActiveWindow)
        await until(lambda: application.bindings.active() is application.bindings)
        await until(lambda: application.panes.window.focusWidget() is application.panes.composer.editor)

    play(paths, first)
    play(paths, second)


@pytest.mark.parametrize("is_right", [False, True])
def test_the_chat_that_was_active_is_active_and_marked_after_a_start(paths: AppPaths, *, is_right: bool) -> None:
    left: list[str | None] = []

    async def leave(application: WindowApplication) -> None:
        await ask(application, "at the left")
        right = await beside(application)
        await right.threads.open(None)
        QTest.keyClicks(right.panes.composer.editor, "at the right")
        QTest.keyClick(right.panes.composer.editor, Qt.Key.Key_Return)
        await until(lambda: right.threads.thread_id is not None and not right.panes.composer.is_streaming)
        chats = (application.bindings, right)
        left.extend(each.threads.thread_id for each in chats)
        chats[is_right].panes.composer.setFocus()
        await until(lambda: application.bindings.active() is chats[is_right])

    async def come_back(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: application.chats.beside is not None and application.chats.beside.panes.pane.isVisible())
        right = application.chats.beside
        assert right is not None
        await until(lambda: [application.threads.thread_id, right.threads.thread_id] == left)
        active = (application.bindings, right)[is_right]
        await until(lambda: application.bindings.active() is active)
        marks = application.panes.sidebar.thread_list.marks
        await until(lambda: marks.open_id == left[is_right])
        await stays(lambda: (application.bindings.active(), marks.open_id) == (active, left[is_right]), for_s=0.05)
        assert _marked_pane(application) is active.panes.pane

    play(paths, leave)
    play(paths, come_back)


def test_windows_opened_before_the_others_came_back_come_back_with_them(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str | None] = []

    async def first(application: WindowApplication) -> None:
        await ask(application, "the first")
        await window(application)
        threads.append(application.threads.thread_id)
        await application.threads.open(None)
        await ask(application, "the second")
        threads.append(application.threads.thread_id)

    async def second(application: WindowApplication) -> None:
        await until(
            lambda: application.panes.registry.is_offered("thread.open_window") and application.threads.has_shown
        )
        assert application.threads.thread_id == threads[1]
        own = await window(application)
        await until(lambda: own.threads.stored_id == threads[1])
        assert len(application.chats.windows) == 1, "the one that was left is still to come"

    async def third(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: len(application.chats.windows) == 2)
        assert {each.threads.thread_id for each in application.chats.windows} == set(threads)

    async def never(*_: object) -> bool:
        await asyncio.get_running_loop().create_future()
        return False

    play(paths, first)
    with monkeypatch.context() as patched:
        patched.setattr(open_chats, "is_there", never)
        play(paths, second)
    play(paths, third)


def test_a_temporary_chat_stays_in_its_place(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        application.bindings.temporary.start()
        await until(lambda: application.threads.is_temporary)
        application.panes.registry.trigger("thread.open_window")
        application.panes.registry.trigger("thread.open_beside")
        assert application.panes.pane.toast.text == "A temporary chat stays in its place. Keep it to open it elsewhere."
        assert not application.chats.windows and application.chats.beside is None
        application.bindings.temporary.close()
        await until(lambda: not application.threads.is_temporary)

    play(paths, script)


KILLED = """
import asyncio, json, os, signal, sys
from chatdesk.app import run_window
from chatdesk.core.paths import AppPaths
from tests.helpers.waiting import until
from tests.helpers.window import FAST, ask

async def script(application):
    paths = AppPaths.find(sys.argv[1])
    await ask(application, "hello")
    commands, chats = application.panes.registry, application.chats
    commands.trigger("thread.open_window")
    await until(lambda: len(chats.windows) == 1 and chats.windows[0].panes.window.isVisible())
    commands.trigger("thread.open_beside")
    await until(lambda: chats.beside is not None and application.bindings.active() is chats.beside)
    await chats.beside.threads.open(None)
    chats.windows[0].panes.composer.set_text("of the window")
    chats.beside.panes.composer.set_text("of the new chat")
    def stored():
        if not paths.window_state.exists():
            return False
        state = json.loads(paths.window_state.read_text())
        return len(state["windows"]) == 1 and state["beside"] is not None and state["beside"]["thread_id"] is None
    await until(stored)
    drafts = (await application.services()).chat.drafts
    while not all([await drafts.get(None), await drafts.get(chats.windows[0].threads.thread_id)]):
        await asyncio.sleep(0)
    print(application.threads.thread_id, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

run_window(AppPaths.find(sys.argv[1]), FAST, script=script)
"""


def test_windows_and_chats_come_back_after_the_program_was_killed(paths: AppPaths) -> None:
    folder = Path(__file__).parents[2]
    arguments = [sys.executable, "-c", KILLED, str(paths.data_dir)]
    run = subprocess.run(arguments, capture_output=True, text=True, cwd=folder, check=False, timeout=90)
    assert run.returncode == -signal.SIGKILL, run.stderr[-2000:]
    thread_id = run.stdout.strip()

    async def script(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: len(application.chats.windows) == 1 and application.chats.beside is not None)
        [own], right = application.chats.windows, application.chats.beside
        assert right is not None
        assert [application.threads.thread_id, own.threads.thread_id] == [thread_id] * 2
        await until(lambda: own.panes.composer.text() == application.panes.composer.text() == "of the window")
        await until(lambda: right.threads.thread_id is None and right.panes.composer.text() == "of the new chat")

    play(AppPaths.find(paths.data_dir), script)


def test_a_temporary_chat_is_asked_about_before_the_main_window_hides(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        await window(application)
        application.bindings.temporary.start()
        await until(lambda: application.threads.is_temporary)
        await until(lambda: application.bindings.drafts.thread_id == application.threads.thread_id)
        QTest.keyClicks(application.panes.composer.editor, "a secret")
        QTest.keyClick(application.panes.composer.editor, Qt.Key.Key_Return)
        await until(lambda: len(texts(application.bindings)) == 2 and not application.messages.can_stop())
        application.panes.window.close()
        await until(lambda: application.bindings.temporary.dialog is not None)
        assert application.panes.window.isVisible()
        assert application.bindings.temporary.dialog is not None
        application.bindings.temporary.dialog.answered.emit(False)
        await until(lambda: not application.panes.window.isVisible())
        assert application.chats.windows[0].panes.window.isVisible()

    play(paths, script)


def test_a_chat_that_closes_while_all_are_stored_is_left_alone(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        own = await window(application)
        QTest.keyClicks(own.panes.composer.editor, "unsent")
        save, composer, thread_id = application.bindings.save, own.panes.composer, own.threads.thread_id

        async def late() -> None:
            own.panes.window.close()
            await until(lambda: not isValid(composer))
            await save()

        with monkeypatch.context() as patched:
            patched.setattr(application.bindings, "save", late)
            await application.chats.save_all()
        draft = await (await application.services()).chat.drafts.get(thread_id)
        assert draft is not None and draft.text == "unsent"

    play(paths, script)


def test_a_failed_save_keeps_the_window_open(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        own = await window(application)

        async def fail(*_arguments: object, **_more: object) -> None:
            raise StorageFull

        drafts = (await application.services()).chat.drafts
        with monkeypatch.context() as patched:
            patched.setattr(drafts, "save", fail)
            QTest.keyClicks(own.panes.composer.editor, "unsent")
            own.panes.window.close()
            await until(lambda: own.panes.pane.toast.isVisible())
        assert own.panes.window.isVisible() and own.panes.composer.text() == "unsent"
        own.panes.window.close()
        await until(lambda: not application.chats.windows)

    play(paths, script)
