"""Writing one's own words in an answer's place, in the real window by mouse and by keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QMenu

from chatdesk.core.domain.message import Message
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.transcript.speech.names import message_name
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.widgets.toast import Toast
from tests.helpers.window import answered, ask, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")
_CONTROL, _ALT, _SHIFT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


async def _shown(application: WindowApplication) -> list[Message]:
    chat = (await application.services()).chat_of(application.threads.thread_id)
    assert application.threads.thread_id is not None
    return list((await chat.reader.get_thread_messages(application.threads.thread_id)).messages)


async def _texts_become(application: WindowApplication, *texts: str) -> None:
    """Wait until the transcript shows exactly these."""
    transcript = application.panes.transcript
    await until(lambda: [entry.message.text for entry in transcript.entries] == list(texts))


def _state(application: WindowApplication) -> str:
    """What is above the text in the composer."""
    bar = application.panes.composer.above.state
    return bar.text if bar is not None and bar.isVisible() else ""


def _marks(application: WindowApplication, place: int = -1) -> list[str]:
    items = application.panes.transcript.entries[place].items
    return [item.words for item in items if item.kind == "mark"]


async def _click_in_menu(view: TranscriptView, place: int, text: str) -> None:
    await until(lambda: view.entries and view.entries[place].message.status.is_final)
    view.parts.actions.show_menu(view.entries[place], view.mapToGlobal(view.rect().center()))
    menus: list[QMenu] = []

    def is_open() -> bool:
        menus[:] = [each for each in view.findChildren(QMenu, "messageMenu") if each.isVisible()]
        return bool(menus)

    await until(is_open)
    row: QAction = next(each for each in menus[0].actions() if each.text() == text)
    QTest.mouseClick(menus[0], Qt.MouseButton.LeftButton, pos=menus[0].actionGeometry(row).center())


def test_an_earlier_answer_is_edited_by_mouse_and_what_came_after_stays_behind(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        old = await ask(application, "one")
        await ask(application, "two")
        transcript, composer = application.panes.transcript, application.panes.composer
        await until(lambda: len(transcript.entries) == 4)
        before = [entry.message.text for entry in transcript.entries]
        type_text(application, "unsent")
        await _click_in_menu(transcript, 1, "Edit answer")
        await until(lambda: _state(application) == "Editing an answer. 2 later messages stay in version 1.")
        assert composer.text() == old.text
        assert [entry.is_edited for entry in transcript.entries] == [False, True, False, False]
        composer.set_text("My own words.")
        await until(lambda: not composer.guard.is_unread)
        QTest.mouseClick(composer.send_button, Qt.MouseButton.LeftButton)
        await _texts_become(application, "one", "My own words.")
        _question, mine = await _shown(application)
        assert (mine.is_edited_answer, mine.version_index, mine.version_count) == (True, 2, 2)
        assert _marks(application) == ["Edited by you"]
        assert message_name(transcript.entries[-1], 2).startswith("Assistant, edited by you, ")
        await until(lambda: composer.text() == "unsent")
        assert _state(application) == ""
        toast = application.panes.window.findChild(Toast)
        assert toast.text == "2 later messages stay in version 1."
        # The counter leads to the model's version and back; undo and redo do, too.
        stack = await application.bindings.undo.stack()
        edited = stack.last
        assert edited is not None and edited.label == "edit"
        transcript.actionRequested.emit("version-previous", mine.id)
        await _texts_become(application, *before)
        assert _marks(application, 1) == []
        await until(lambda: stack.last is not edited)
        back = stack.last
        transcript.actionRequested.emit("version-next", old.id)
        await _texts_become(application, "one", "My own words.")
        composer.set_text("")  # else Ctrl+Z is the text's
        await until(lambda: stack.last is not back)
        assert [step.label for step in (back, stack.last) if step is not None] == ["switch version"] * 2
        for _step in range(3):
            await stack.undo()
        await _texts_become(application, *before)
        assert (await _shown(application))[1].version_count == 1
        await stack.redo()
        await _texts_become(application, "one", "My own words.")

    play(paths, script)


def test_the_last_answer_is_edited_by_keys(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        old = await ask(application, "one")
        transcript, composer = application.panes.transcript, application.panes.composer
        await until(lambda: len(transcript.entries) == 2 and transcript.entries[-1].message.status.is_final)
        QTest.keyClick(composer.editor, Qt.Key.Key_F2, _SHIFT)
        await until(lambda: _state(application).startswith("Editing an answer. Sending makes a version"))
        press(application, Qt.Key.Key_Escape)
        await until(lambda: _state(application) == "" and composer.text() == "")
        QTest.keyClick(composer.editor, Qt.Key.Key_F2, _SHIFT)
        await until(lambda: composer.text() == old.text)
        press(application, Qt.Key.Key_Return)  # as it was: no version of that
        await until(lambda: _state(application) == "" and composer.text() == "")
        assert application.panes.window.findChild(Toast).text.startswith("Nothing was changed")
        assert (await _shown(application))[1].version_count == 1
        QTest.keyClick(composer.editor, Qt.Key.Key_F2, _SHIFT)
        await until(lambda: composer.text() == old.text)
        QTest.keyClick(composer.editor, Qt.Key.Key_A, _CONTROL)
        type_text(application, "Mine.")
        press(application, Qt.Key.Key_Return)
        await _texts_become(application, "one", "Mine.")
        await until(lambda: composer.text() == "")
        QTest.keyClick(composer.editor, Qt.Key.Key_PageUp, _ALT)
        await _texts_become(application, "one", old.text)
        QTest.keyClick(composer.editor, Qt.Key.Key_PageDown, _ALT)
        await _texts_become(application, "one", "Mine.")
        await until(lambda: application.panes.commands.is_enabled("edit.undo"))
        # The model is told these words, and may be asked for others.
        other = await answered(application, lambda: QTest.keyClick(composer.editor, Qt.Key.Key_R, _CONTROL))
        assert (other.version_index, other.is_edited_answer) == (3, False)

    play(paths, script)


def test_not_while_the_answer_is_written(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "/demo short")
        transcript, composer, window = (
            application.panes.transcript,
            application.panes.composer,
            application.panes.window,
        )
        type_text(application, "/demo slow")
        press(application, Qt.Key.Key_Return)
        await until(
            lambda: len(transcript.entries) == 4 and transcript.entries[-1].facts.is_live and composer.text() == ""
        )
        live = transcript.entries[-1].message
        application.messages.edit.start(live.id)
        await until(lambda: "Wait for the answer" in (window.findChild(Toast).text if window.findChild(Toast) else ""))
        assert application.messages.edit.edited is None
        # An earlier one may be written in the meantime, and sent after the end.
        application.messages.edit.start(transcript.entries[1].message.id)
        await until(lambda: _state(application).startswith("Editing an answer. 2 later"))
        composer.set_text("Mine.")
        composer.send_button.click()
        await until(lambda: composer.notice.text().startswith("Wait for the answer"))
        assert composer.text() == "Mine."
        await answered(application, lambda: application.panes.commands.trigger("message.stop"))
        press(application, Qt.Key.Key_Return)
        await until(lambda: len(transcript.entries) == 2)
        assert (await _shown(application))[-1].text == "Mine."

    play(paths, script)


def test_in_a_temporary_chat(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        application.panes.commands.trigger("thread.temporary")
        await until(lambda: application.threads.is_temporary)
        transcript, composer = application.panes.transcript, application.panes.composer
        type_text(application, "one")
        press(application, Qt.Key.Key_Return)
        await until(lambda: len(transcript.entries) == 2 and transcript.entries[-1].message.status.is_final)
        old = transcript.entries[-1].message
        application.panes.commands.trigger("message.edit_answer")
        await until(lambda: composer.text() == old.text)
        composer.set_text("Mine.")
        press(application, Qt.Key.Key_Return)
        await _texts_become(application, "one", "Mine.")
        assert _marks(application) == ["Edited by you"]

    play(paths, script)


def test_of_compared_answers_one_is_edited_in_the_thread(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        old = await ask(application, "one")
        chat, composer = (await application.services()).chat, application.panes.composer
        await chat.manual_messages.edit_answer(old.id, "Mine.")
        await _texts_become(application, "one", "Mine.")
        application.bindings.comparison.open_versions(old.id)
        await until(lambda: application.bindings.comparison.view is not None)
        view = application.bindings.comparison.view
        assert view is not None
        names = [column.accessibleName() for column in view.columns]
        assert names == [f"Answer of {old.model}", "Edited answer"]
        assert view.columns[1].keep_button.accessibleName() == "Keep the edited answer"
        first = view.columns[0].view
        await until(lambda: len(first.entries) == 1)
        await _click_in_menu(first, 0, "Edit answer")
        await until(lambda: composer.text() == old.text)
        assert application.bindings.comparison.view is None
        await _texts_become(application, "one", old.text)
        edited: QAbstractButton = composer.findChild(QAbstractButton, "composerStateLeave")
        QTest.mouseClick(edited, Qt.MouseButton.LeftButton)
        await until(lambda: composer.text() == "")

    play(paths, script)
