"""Ctrl+Z directly after an action takes that action back, or says that it cannot; never what was done before it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from chatdesk.core.domain.message import ContextMark
from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.features.chat.parameters import ParametersDialog
from chatdesk.ui.widgets.toast import Toast
from tests.helpers.export_samples import plain_chatgpt, write_zip
from tests.helpers.window import answered, ask, play, press, type_text, until

Act = Callable[[WindowApplication, Path], Awaitable[object]]


def toast(application: WindowApplication) -> str:
    found = application.panes.window.findChild(Toast)
    return "" if found is None else found.text


async def last_id(application: WindowApplication) -> str:
    await until(lambda: application.panes.transcript.entries)
    return application.panes.transcript.entries[-1].message.id


async def question(application: WindowApplication, _path: Path) -> None:
    await ask(application, "Another question")


async def note(application: WindowApplication, _path: Path) -> None:
    type_text(application, "a note")
    application.panes.commands.trigger("message.note")
    await until(lambda: application.panes.composer.text() == "")


async def regenerate(application: WindowApplication, _path: Path) -> None:
    await answered(application, lambda: application.panes.commands.trigger("message.regenerate"))


async def edit(application: WindowApplication, _path: Path) -> None:
    application.panes.commands.trigger("message.edit_last")
    await until(lambda: application.messages.edit.edited is not None)
    type_text(application, " or not")
    await answered(application, lambda: press(application, Qt.Key.Key_Return))


async def delete(application: WindowApplication, _path: Path) -> None:
    message_id = await last_id(application)
    application.panes.transcript.actionRequested.emit("delete", message_id)
    await until(lambda: "moved to the trash" in toast(application))


async def branch(application: WindowApplication, _path: Path) -> None:
    before = application.threads.thread_id
    application.panes.transcript.actionRequested.emit("branch", await last_id(application))
    await until(lambda: application.threads.thread_id != before)
    await until(lambda: toast(application).startswith("This is a branch"))


async def attach(application: WindowApplication, path: Path) -> None:
    (path / "plan.txt").write_text("one")
    application.bindings.attachments.attach([str(path / "plan.txt")])
    await until(lambda: application.panes.composer.files.attached)


async def import_file(application: WindowApplication, path: Path) -> None:
    export = write_zip(path / "export.zip", {"conversations.json": [plain_chatgpt("trams", 1)]})
    application.bindings.imports.start(str(export), None)
    await until(lambda: application.bindings.imports.report is not None)


async def change_parameters(application: WindowApplication, _path: Path) -> None:
    application.panes.commands.trigger("thread.parameters")
    await until(lambda: application.panes.window.findChild(ParametersDialog))
    dialog = application.panes.window.findChild(ParametersDialog)
    assert dialog is not None
    dialog.saved.emit(Parameters(temperature=0.5))
    dialog.reject()
    await until(lambda: toast(application).startswith("Saved."))


async def choose_model(application: WindowApplication, _path: Path) -> None:
    application.panes.header.modelChosen.emit("offline", "another")
    thread = lambda: application.threads.open_thread  # noqa: E731
    await until(lambda: thread() is not None and thread().model == "another")


async def mark(application: WindowApplication, _path: Path) -> None:
    await (await application.bindings.undo.stack()).mark_message(await last_id(application), ContextMark.PINNED)


async def rename(application: WindowApplication, _path: Path) -> None:
    application.panes.header.titleEdited.emit("Quinces")
    thread = lambda: application.threads.open_thread  # noqa: E731
    await until(lambda: thread() is not None and thread().title == "Quinces")


async def archive(application: WindowApplication, _path: Path) -> None:
    application.panes.commands.trigger("thread.archive")
    await until(lambda: toast(application).startswith("Archived"))


async def remove(application: WindowApplication, _path: Path) -> None:
    application.panes.commands.trigger("thread.delete")
    await until(lambda: application.threads.thread_id is None)
    await until(lambda: "trash" in toast(application))


#: Each with the label of what is undone; empty where it cannot be.
ACTS: dict[str, tuple[Act, str]] = {
    "send": (question, ""),
    "attach": (attach, ""),
    "import": (import_file, ""),
    "model": (choose_model, ""),
    "message.note": (note, ""),
    "message.regenerate": (regenerate, ""),
    "message.branch": (branch, ""),
    "thread.parameters": (change_parameters, ""),
    "message.edit_last": (edit, "edit"),
    "message.delete": (delete, "delete message"),
    "message.pin": (mark, "pin into the context"),
    "thread.rename": (rename, "rename thread"),
    "thread.archive": (archive, "archive thread"),
    "thread.delete": (remove, "delete thread"),
}


def test_the_acts_are_commands_of_the_catalogue() -> None:
    assert {name for name in ACTS if "." in name} <= {command.id for command in CATALOGUE}


@pytest.mark.parametrize("name", ACTS)
def test_undo_takes_what_was_done_last_or_says_that_it_cannot(tmp_path: Path, name: str) -> None:
    act, label = ACTS[name]

    async def script(application: WindowApplication) -> None:
        older: list[str] = []

        async def note_down(word: str) -> None:
            older.append(word)

        await ask(application, "apples")
        undo = application.bindings.undo
        (await undo.stack()).record("older", partial(note_down, "undone"), partial(note_down, "redone"))
        await act(application, tmp_path)
        application.panes.commands.trigger("edit.undo")
        if label:
            await until(lambda: toast(application) == f"Undone: {label}")
            assert not older
            return
        await until(lambda: toast(application).startswith("This cannot be undone: "))
        assert toast(application).endswith("Before it: older, which was left as it is.")
        assert not older
        application.panes.commands.trigger("edit.undo")
        await until(lambda: toast(application) == "Undone: older")
        assert older == ["undone"]

    play(AppPaths.find(tmp_path / "data"), script)


def test_a_thread_with_a_new_answer_does_not_go_to_the_trash_and_comes_back_into_sight(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "apples")
        thread_id = application.threads.thread_id
        assert thread_id is not None
        commands = application.panes.commands
        commands.trigger("thread.delete")
        await until(lambda: application.threads.thread_id is None)
        application.bindings.library.restore((thread_id,))
        await until(lambda: toast(application).startswith("Restored"))
        application.threads.open_soon(thread_id)
        await until(lambda: application.threads.thread_id == thread_id)
        await ask(application, "bananas")
        QTest.keyClick(application.panes.composer.editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: toast(application).startswith("This cannot be undone: ask a question."))
        services = await application.services()
        assert (await services.chat.get_thread(thread_id)).deleted_at is None
        commands.trigger("edit.undo")
        await until(lambda: application.threads.thread_id is None)
        await until(lambda: toast(application) == "Undone: restore thread")
        commands.trigger("edit.redo")
        await until(lambda: application.threads.thread_id == thread_id)

    play(AppPaths.find(tmp_path / "data"), script)
