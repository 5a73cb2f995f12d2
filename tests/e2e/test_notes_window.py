"""Notes in the real window: by the keys, by the menu of the send button, in a thread and in a new chat."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from chatdesk.core.domain.message import Message
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.window import ask, play, type_text, until


async def _shown(application: WindowApplication) -> list[Message]:
    services = await application.services()
    thread_id = application.threads.thread_id
    return [] if thread_id is None else list((await services.chat.reader.get_thread_messages(thread_id)).messages)


def test_a_note_by_keys_is_shown_as_one(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "A question")
        panes = application.panes
        type_text(application, "remember the quinces")
        control_alt = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        QTest.keyClick(panes.composer.editor, Qt.Key.Key_Return, control_alt)
        await until(lambda: panes.composer.text() == "")
        note = (await _shown(application))[-1]
        assert note.is_note
        assert note.text == "remember the quinces"
        entries = panes.transcript.parts.viewport_layout.layout
        await until(lambda: entries.entries and entries.entries[-1].message.id == note.id)
        entry = entries.entries[-1]
        await until(lambda: any(getattr(item, "words", "") == "Note, not sent to the model" for item in entry.items))
        assert not entry.is_unanswered
        panes.message_handlers.run("include", note.id)
        await until(
            lambda: any(
                getattr(item, "words", "") == "Note, which the model sees" for item in entries.entries[-1].items
            )
        )

    play(paths, script)


def test_a_new_chat_begins_with_a_note_from_the_menu(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        panes = application.panes
        type_text(application, "plans")
        panes.composer.send_button.customContextMenuRequested.emit(QPoint(4, 4))
        menu = panes.composer.findChild(QMenu, "sendMenu")
        assert menu is not None
        (action,) = (each for each in menu.actions() if each.text() == "Add as note")
        action.trigger()
        menu.close()
        await until(lambda: application.threads.thread_id is not None)
        await until(lambda: panes.composer.text() == "")
        (note,) = await _shown(application)
        assert note.is_note
        assert panes.transcript.isVisible()
        await application.bindings.drafts.save()
        assert await services.chat.drafts.get(None) is None
        answer = await ask(application, "and now?")
        assert answer.thread_id == note.thread_id

    play(paths, script)


def test_editing_a_note_keeps_it_one(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "A question")
        type_text(application, "one")
        application.panes.commands.trigger("message.note")
        await until(lambda: application.panes.composer.text() == "")
        note = (await _shown(application))[-1]
        application.messages.edit.start(note.id)
        await until(lambda: application.messages.edit.edited is not None)
        application.panes.commands.trigger("message.note")  # not while something is edited
        assert application.panes.composer.text() == "one"
        application.panes.composer.set_text("two")
        application.panes.composer.send_button.click()
        await until(lambda: application.panes.composer.text() == "")
        shown = await _shown(application)
        assert (shown[-1].text, shown[-1].is_note, shown[-1].version_count) == ("two", True, 2)
        assert len(shown) == 3

    play(paths, script)
