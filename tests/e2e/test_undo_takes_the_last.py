"""Ctrl+Z directly after an action takes that action back, or says that it cannot; never what was done before it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from chatdesk.core.domain.message import ContextMark
from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.domain.prompt import PromptKind, PromptSource
from chatdesk.core.domain.thread import Project
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.chat.parameters import ParametersDialog
from chatdesk.ui.features.library.library_binding import LibraryBinding
from chatdesk.ui.features.library.project import ProjectDialog
from chatdesk.ui.features.library.project_binding import ProjectBinding
from chatdesk.ui.features.prompts.prompt_form import Written
from chatdesk.ui.features.prompts.prompts_dialog import PromptsDialog
from chatdesk.ui.features.prompts.system_prompt import SystemPromptDialog
from chatdesk.ui.widgets.toast import Toast
from tests.helpers.examples import sample
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


# Each begins a change when it is called, and the next key is Ctrl+Z: nothing is stored yet.
Begin = Callable[[], object]
Prepare = Callable[[WindowApplication, Path], Awaitable[Begin]]


def of_threads(begin: Callable[[LibraryBinding, tuple[str, ...]], object]) -> Prepare:
    async def prepare(application: WindowApplication, _path: Path) -> Begin:
        return lambda: begin(application.bindings.library, (application.threads.thread_id or "",))

    return prepare


def of_project(begin: Callable[[ProjectBinding, Project], object]) -> Prepare:
    async def prepare(application: WindowApplication, _path: Path) -> Begin:
        projects = (await application.services()).library.projects
        project = await projects.create("Orchard", "", provider=None, model=None)
        await projects.create("Meadow", "", provider=None, model=None)
        return lambda: begin(application.bindings.library.projects, project)

    return prepare


def of_tag(begin: Callable[[LibraryBinding, str], object]) -> Prepare:
    async def prepare(application: WindowApplication, _path: Path) -> Begin:
        library = (await application.services()).library
        await library.tag((application.threads.thread_id or "",), add=["fruit"])
        (tag,) = await library.list_tags()
        return lambda: begin(application.bindings.library, tag.id)

    return prepare


def of_message(begin: Callable[[WindowApplication, str], object]) -> Prepare:
    async def prepare(application: WindowApplication, _path: Path) -> Begin:
        message_id = await last_id(application)
        return lambda: begin(application, message_id)

    return prepare


def of_command(command: str) -> Prepare:
    async def prepare(application: WindowApplication, _path: Path) -> Begin:
        return partial(application.panes.commands.trigger, command)

    return prepare


def of_prompts(begin: Callable[[PromptsDialog, str], object]) -> Prepare:
    async def prepare(application: WindowApplication, _path: Path) -> Begin:
        prompts = (await application.services()).prompts
        prompt = await prompts.create(PromptKind.TEMPLATE, "Weigh", "Weigh {{fruit}}.")
        application.panes.commands.trigger("prompt.library")
        window = application.panes.window
        await until(lambda: window.findChild(PromptsDialog))
        dialog = window.findChild(PromptsDialog)
        assert dialog is not None
        return lambda: begin(dialog, prompt.id)

    return prepare


async def edited_prompt(application: WindowApplication, path: Path) -> Begin:
    dialogs: list[tuple[PromptsDialog, str]] = []
    (await of_prompts(lambda dialog, id_: dialogs.append((dialog, id_)))(application, path))()
    ((dialog, prompt_id),) = dialogs
    dialog.openRequested.emit(prompt_id)
    await until(lambda: dialog.prompt_id == prompt_id)
    prompts = (await application.services()).prompts
    dialog.form.type_written(Written(PromptKind.TEMPLATE, "Weigh", "Weigh the {{fruit}}."))
    dialog.saveRequested.emit(prompt_id, dialog.form.written())

    async def is_stored() -> bool:
        return (await prompts.get(prompt_id)).text == "Weigh the {{fruit}}."

    await until(is_stored)
    return dialog.accept


async def new_project(application: WindowApplication, _path: Path) -> Begin:
    application.bindings.library.projects.open_new()
    window = application.panes.window
    await until(lambda: window.findChild(ProjectDialog))
    dialog = window.findChild(ProjectDialog)
    assert dialog is not None
    return lambda: dialog.saved.emit("Orchard", "", None, None, "")


async def system_prompt(application: WindowApplication, _path: Path) -> Begin:
    application.panes.commands.trigger("thread.system_prompt")
    window = application.panes.window
    await until(lambda: window.findChild(SystemPromptDialog))
    dialog = window.findChild(SystemPromptDialog)
    assert dialog is not None
    return lambda: dialog.saveRequested.emit({PromptSource.THREAD: "Be brief."})


async def kept_system_prompt(application: WindowApplication, _path: Path) -> Begin:
    application.panes.commands.trigger("thread.system_prompt")
    window = application.panes.window
    await until(lambda: window.findChild(SystemPromptDialog))
    dialog = window.findChild(SystemPromptDialog)
    assert dialog is not None
    return lambda: dialog.keepRequested.emit("Be brief.")


async def assistant(application: WindowApplication, _path: Path) -> Begin:
    prompts = (await application.services()).prompts
    made = await prompts.create(PromptKind.ASSISTANT, "Gardener", "You are a gardener.")
    binding = application.bindings.assistants
    await until(lambda: binding.menu)
    assert binding.menu is not None
    (choice,) = [each for each in binding.menu.actions() if each.text() == made.name]
    return choice.trigger


async def parameters(application: WindowApplication, _path: Path) -> Begin:
    application.panes.commands.trigger("thread.parameters")
    window = application.panes.window
    await until(lambda: window.findChild(ParametersDialog))
    dialog = window.findChild(ParametersDialog)
    assert dialog is not None
    return lambda: (dialog.saved.emit(Parameters(temperature=0.5)), dialog.reject())


async def typed_question(application: WindowApplication, _path: Path) -> Begin:
    type_text(application, "And pears?")
    return partial(application.panes.composer.sendRequested.emit, "And pears?")


async def typed_note(application: WindowApplication, _path: Path) -> Begin:
    type_text(application, "a note")
    return partial(application.panes.commands.trigger, "message.note")


async def purged(application: WindowApplication, _path: Path) -> Begin:
    created = await (await application.services()).chat.create_thread(None, "")
    application.bindings.library.delete((created.thread.id,))
    await until(lambda: "trash" in toast(application))
    application.bindings.library.ask_to_purge((created.thread.id,))
    await until(lambda: application.panes.window.findChild(ConfirmDialog))
    dialog = application.panes.window.findChild(ConfirmDialog)
    assert dialog is not None
    return lambda: dialog.answered.emit(True)


#: As ``ACTS``.
AT_ONCE: dict[str, tuple[Prepare, str]] = {
    "thread.rename": (of_message(lambda window, _id: window.panes.header.titleEdited.emit("Quinces")), "rename thread"),
    "thread.pin": (of_threads(lambda library, ids: library.pin(ids, is_pinned=True)), "pin thread"),
    "thread.archive": (of_threads(lambda library, ids: library.archive(ids, is_archived=True)), "archive thread"),
    "thread.delete": (of_threads(lambda library, ids: library.delete(ids)), "delete thread"),
    "thread.tag": (of_threads(lambda library, ids: library.tag(ids, ["fruit"], [])), "tag thread"),
    "thread.purge": (purged, ""),
    "tag.rename": (of_tag(lambda library, tag_id: library.rename_tag(tag_id, "trees")), "rename tag"),
    "tag.delete": (of_tag(lambda library, tag_id: library.delete_tag(tag_id)), "delete tag"),
    "project.add": (new_project, "add project"),
    "project.change": (of_project(lambda binding, each: binding.change(each.id, name="Garden")), "change project"),
    "project.archive": (of_project(lambda binding, each: binding.archive(each)), "archive project"),
    "project.delete": (
        of_project(lambda binding, each: asyncio.ensure_future(binding.delete(each))),
        "delete project",
    ),
    "prompt.add": (
        of_prompts(lambda it, _id: it.saveRequested.emit(None, Written(PromptKind.TEMPLATE, "Cut", "Cut it."))),
        "add prompt",
    ),
    "prompt.duplicate": (of_prompts(lambda dialog, id_: dialog.duplicateRequested.emit(id_)), "add prompt"),
    "prompt.delete": (of_prompts(lambda dialog, id_: dialog.deleteRequested.emit(id_)), "delete prompt"),
    "prompt.edit": (edited_prompt, "edit prompt"),
    "system_prompt.change": (system_prompt, "change system prompt"),
    "system_prompt.keep": (kept_system_prompt, "add prompt"),
    "assistant.choose": (assistant, "choose assistant"),
    "parameters": (parameters, ""),
    "message.send": (typed_question, ""),
    "message.note": (typed_note, ""),
    "message.regenerate": (of_command("message.regenerate"), ""),
    "message.branch": (of_message(lambda window, id_: window.messages.actions.branch(id_)), ""),
    "message.delete": (
        of_message(lambda window, id_: window.panes.transcript.actionRequested.emit("delete", id_)),
        "delete message",
    ),
}


@pytest.mark.parametrize("name", sample([*AT_ONCE], 8))
def test_undo_waits_for_a_change_that_has_just_begun(tmp_path: Path, name: str) -> None:
    prepare, label = AT_ONCE[name]

    async def script(application: WindowApplication) -> None:
        older: list[str] = []

        async def note_down() -> None:
            older.append(name)

        await ask(application, "apples")
        begin = await prepare(application, tmp_path)
        (await application.bindings.undo.stack()).record("older", note_down, note_down)
        begin()
        application.panes.commands.trigger("edit.undo")
        said = f"Undone: {label}" if label else "This cannot be undone: "
        await until(lambda: older or toast(application).startswith(said))
        assert not older

    play(AppPaths.find(tmp_path / "data"), script)


def test_the_acts_are_commands_of_the_catalogue() -> None:
    assert {name for name in ACTS if "." in name} <= {command.id for command in CATALOGUE}


@pytest.mark.parametrize("name", sample([*ACTS], 7))
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
