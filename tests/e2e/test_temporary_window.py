"""A temporary chat in the real window: begun, marked, left and found again, kept or let go, asked about once."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QPushButton

from chatdesk.core.domain.exports import Choice
from chatdesk.core.domain.message import Message
from chatdesk.core.events import AnswerFinished
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.walks import is_unread
from tests.helpers.window import ask, play, press, type_text, until

WORD = "ziggurat-of-quince"


def bytes_below(*folders: Path) -> bytes:
    files = (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
    return b"".join(path.read_bytes() for path in files)


async def begin(application: WindowApplication) -> str:
    await application.services()
    application.panes.commands.trigger("thread.temporary")
    await until(lambda: application.threads.is_temporary)
    await until(lambda: application.bindings.drafts.thread_id == application.threads.thread_id)
    thread_id = application.threads.thread_id
    assert thread_id is not None
    return thread_id


async def ask_there(application: WindowApplication, text: str) -> Message:
    services = await application.services()
    done: list[Message] = []
    subscription = services.temporary.bus.subscribe(AnswerFinished, lambda event: done.append(event.message))
    type_text(application, text)
    press(application, Qt.Key.Key_Return)
    await until(lambda: done)
    subscription.cancel()
    return done[0]


def button(application: WindowApplication, name: str) -> QPushButton:
    found = application.panes.window.findChild(QPushButton, name)
    assert found is not None, name
    return found


def test_nothing_is_on_disk_and_the_window_says_so(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        stored = await ask(application, "An ordinary question")
        thread_id = await begin(application)
        panes = application.panes
        mark, line = panes.header.temporary_mark, panes.sidebar.lines.temporary
        assert mark is not None
        assert line is not None
        assert mark.isVisible()
        assert line.isVisible()
        assert panes.sidebar.known([thread_id]) == []
        answer = await ask_there(application, f"What is a {WORD}?")
        assert WORD in answer.text or answer.text
        await until(lambda: panes.transcript.isVisible())
        type_text(application, f"unsent {WORD}")
        application.threads.open_soon(stored.thread_id)  # it stays while it lives
        await until(lambda: application.threads.thread_id == stored.thread_id)
        assert not mark.isVisible()
        assert line.isVisible()
        await until(lambda: panes.composer.text() == "")
        QTest.mouseClick(line, Qt.MouseButton.LeftButton)
        await until(lambda: panes.composer.text() == f"unsent {WORD}")
        assert mark.isVisible()
        assert WORD.encode() not in bytes_below(paths.data_dir, paths.config_dir)

    play(paths, script)
    assert WORD.encode() not in bytes_below(paths.data_dir, paths.config_dir)


def test_keep_stores_it_where_it_is_read(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        thread_id = await begin(application)
        answer = await ask_there(application, f"Tell me of {WORD}")
        panes = application.panes
        mark = panes.header.temporary_mark
        assert mark is not None
        type_text(application, "a draft")
        mark.keep_button.click()
        await until(lambda: not application.threads.is_temporary)
        await until(lambda: panes.sidebar.known([thread_id]))
        assert application.threads.thread_id == thread_id
        line = panes.sidebar.lines.temporary
        assert line is not None
        await until(lambda: not line.isVisible())
        assert not mark.isVisible()
        services = await application.services()
        assert (await services.chat.reader.get_message(answer.id)).text == answer.text
        draft = await services.chat.drafts.get(thread_id)
        assert draft is not None
        assert draft.text == "a draft"
        panes.composer.clear()
        again = await ask(application, "And on?")
        assert again.thread_id == thread_id

    play(paths, script)
    assert WORD.encode() in bytes_below(paths.data_dir)


@pytest.mark.parametrize("is_slow", [False, True])
def test_keep_that_is_pressed_right_after_enter_keeps_the_answer_too(paths: AppPaths, *, is_slow: bool) -> None:
    async def script(application: WindowApplication) -> None:
        thread_id = await begin(application)
        panes = application.panes
        type_text(application, "/demo slow" if is_slow else f"Tell me of {WORD}")
        press(application, Qt.Key.Key_Return)
        mark = panes.header.temporary_mark
        assert mark is not None
        mark.keep_button.click()
        if is_slow:
            await until(lambda: "as soon as" in panes.pane.toast.text)
            panes.commands.trigger("message.stop")
        await until(lambda: panes.sidebar.known([thread_id]))
        assert not application.threads.is_temporary
        page = await (await application.services()).chat.reader.get_thread_messages(thread_id)
        assert [message.status.is_final for message in page.messages] == [True, True]
        assert panes.composer.text() == ""

    play(paths, script)


def test_quitting_asks_once_where_it_holds_something(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await begin(application)
        await ask_there(application, WORD)
        window, temporary = application.panes.window, application.bindings.temporary
        window.close()
        await until(lambda: temporary.dialog is not None)
        assert window.isVisible()
        button(application, "temporaryCancel").click()
        await until(lambda: temporary.dialog is None)
        assert application.threads.is_temporary
        window.close()
        await until(lambda: temporary.dialog is not None)
        window.close()  # asked already
        button(application, "temporaryForget").click()
        await until(lambda: not window.isVisible())
        assert not application.threads.is_temporary

    play(paths, script)
    assert WORD.encode() not in bytes_below(paths.data_dir)


def test_quitting_keeps_what_a_person_wants_to_keep(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await begin(application)
        await ask_there(application, WORD)
        application.panes.window.close()
        await until(lambda: application.bindings.temporary.dialog is not None)
        button(application, "temporaryKeep").click()
        await until(lambda: not application.panes.window.isVisible())

    play(paths, script)
    assert WORD.encode() in bytes_below(paths.data_dir)


def test_an_empty_one_goes_without_a_question(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await begin(application)
        application.panes.commands.trigger("thread.forget")
        await until(lambda: application.threads.thread_id is None)
        await begin(application)
        application.panes.window.close()
        await until(lambda: not application.panes.window.isVisible())
        assert application.bindings.temporary.dialog is None

    play(paths, script)


def test_closing_asks_and_its_words_go_nowhere_else(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await begin(application)
        type_text(application, f"unsent {WORD}")
        panes, temporary = application.panes, application.bindings.temporary
        panes.commands.trigger("thread.forget")
        await until(lambda: temporary.dialog is not None)
        button(application, "temporaryForget").click()
        await until(lambda: application.threads.thread_id is None and temporary.dialog is None)
        await application.bindings.drafts.save()
        assert panes.composer.text() == ""
        services = await application.services()
        assert await services.chat.drafts.get(None) is None

    play(paths, script)
    assert WORD.encode() not in bytes_below(paths.data_dir, paths.config_dir)


def toast_button(application: WindowApplication) -> QAbstractButton:
    return next(
        each
        for each in application.panes.window.findChildren(QAbstractButton)
        if each.isVisible() and each.text() == "Keep and go on"
    )


@pytest.mark.parametrize("way", ["mouse", "keys"])
@pytest.mark.parametrize("what", ["branch", "file", "image", "prompt"])
def test_what_needs_storage_offers_to_keep_and_goes_on(paths: AppPaths, tmp_path: Path, what: str, way: str) -> None:
    file = tmp_path / "note.txt"
    file.write_text(WORD)

    async def script(application: WindowApplication) -> None:
        thread_id = await begin(application)
        answer = await ask_there(application, "hello")
        panes, threads = application.panes, application.threads
        image = QImage(8, 8, QImage.Format.Format_RGB32)
        image.fill(0)
        {
            "branch": lambda: application.messages.actions.branch(answer.id),
            "file": lambda: application.bindings.attachments.attach([str(file)]),
            "image": lambda: application.bindings.attachments.attach_image(image),
            "prompt": lambda: panes.commands.trigger("thread.system_prompt"),
        }[what]()
        await until(lambda: any(each.text() == "Keep and go on" for each in _buttons(application)))
        assert threads.is_temporary
        assert panes.composer.files.count == 0
        assert WORD.encode() not in bytes_below(paths.data_dir)
        if way == "mouse":
            await until(lambda: not is_unread(toast_button(application)))
            QTest.mouseClick(toast_button(application), Qt.MouseButton.LeftButton)
        else:
            toast_button(application).setFocus()
            QTest.keyClick(toast_button(application), Qt.Key.Key_Return)
        await until(lambda: not threads.is_temporary)
        if what == "branch":
            await until(lambda: threads.thread_id not in (None, thread_id))
        elif what == "prompt":
            dialogs = application.bindings.prompts.system_prompts
            await until(lambda: dialogs.dialog is not None)
            dialogs.dialog.close()
        else:
            await until(lambda: len(panes.composer.files.attached) == 1)
        services = await application.services()
        assert (await services.chat.get_thread(thread_id)).message_count == 2

    play(paths, script)


def test_it_is_exported_without_being_stored(paths: AppPaths, tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        stored = await ask(application, "An ordinary question")
        thread_id = await begin(application)
        await ask_there(application, f"What is a {WORD}?")
        commands = application.panes.commands
        commands.refresh()
        assert commands.is_enabled("thread.export_markdown")
        exporting = application.bindings.export
        for wanted, name in ((thread_id, "temporary.md"), (stored.thread_id, "stored.md")):
            await exporting.export(Choice(thread_ids=(wanted,)), "md", tmp_path / name)
        assert WORD in (tmp_path / "temporary.md").read_text("utf-8")
        assert "An ordinary question" in (tmp_path / "stored.md").read_text("utf-8")
        assert application.threads.is_temporary

    play(paths, script)
    assert WORD.encode() not in bytes_below(paths.data_dir)


def _buttons(application: WindowApplication) -> list[QAbstractButton]:
    return [each for each in application.panes.window.findChildren(QAbstractButton) if each.isVisible()]


def test_what_needs_storage_says_so(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await begin(application)
        await ask_there(application, "hello")
        commands = application.panes.commands
        for command_id in ("thread.pin", "thread.archive", "thread.delete"):
            action = commands.action(command_id)
            assert action is not None
            commands.refresh()
            assert not action.isEnabled(), command_id
        # A second one asks what becomes of the first.
        commands.trigger("thread.temporary")
        await until(lambda: application.bindings.temporary.dialog is not None)
        first = application.threads.thread_id
        button(application, "temporaryKeep").click()
        await until(lambda: application.threads.is_temporary and application.threads.thread_id != first)
        services = await application.services()
        assert (await services.chat.get_thread(first or "")).message_count == 2

    play(paths, script)
    assert WORD.encode() not in bytes_below(paths.data_dir)


def test_edits_versions_and_undo_work_in_it(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        thread_id = await begin(application)
        first = await ask_there(application, "one")
        services = await application.services()
        chat = services.chat_of(thread_id)
        application.messages.actions.regenerate(first.id)
        await until(lambda: chat.is_answering(thread_id))
        await until(lambda: not chat.is_answering(thread_id))
        assert len(await chat.reader.list_versions(first.id)) == 2
        page = await chat.reader.get_thread_messages(thread_id)
        application.bindings.messages.actions.delete(page.messages[-1].id)
        stack = await application.bindings.undo.stack()
        await until(lambda: stack.last is not None)
        assert (
            len((await chat.reader.get_thread_messages(thread_id)).messages) < 2
            or len(await chat.reader.list_versions(first.id)) == 1
        )
        application.panes.commands.trigger("edit.undo")
        await until(lambda: stack.last is None)
        assert len(await chat.reader.list_versions(first.id)) == 2

    play(paths, script)
