"""Prompts in the real window: from a / to the text in the composer, and from the dialogs to the database and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QWidget

from chatdesk.core.domain.prompt import Prompt, PromptKind
from chatdesk.core.errors import StorageFull
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.prompts.prompt_fields import PromptFieldsDialog
from chatdesk.ui.features.prompts.prompts_dialog import PromptsDialog
from chatdesk.ui.features.prompts.system_prompt import SystemPromptDialog
from tests.helpers.window import ask, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")
TEMPLATE = PromptKind.TEMPLATE
T = TypeVar("T", bound=QWidget)


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[AppPaths]:
    yield AppPaths.find(tmp_path / "profile")
    QGuiApplication.clipboard().clear()


async def _keep(application: WindowApplication, name: str, text: str, kind: PromptKind = TEMPLATE) -> Prompt:
    return await (await application.services()).prompts.create(kind, name, text)


async def _names(application: WindowApplication) -> list[str]:
    return [head.name for head in await (await application.services()).prompts.list()]


async def _listed(application: WindowApplication, typed: str) -> None:
    type_text(application, typed)
    await until(lambda: (menu := _menu(application)) is not None and menu.isVisible())


def _menu(application: WindowApplication) -> QWidget | None:
    return application.panes.window.findChild(QWidget, "promptMenu")


def _dialog(application: WindowApplication, kind: type[T]) -> T | None:
    return next((each for each in application.panes.window.findChildren(kind) if each.isVisible()), None)


async def _opened(application: WindowApplication, kind: type[T]) -> T:
    await until(lambda: _dialog(application, kind))
    dialog = _dialog(application, kind)
    assert dialog is not None
    return dialog


async def _closed(application: WindowApplication, kind: type[QWidget]) -> None:
    """Wait until the window has the keyboard again: keys that come before go nowhere."""
    window = application.panes.window
    await until(lambda: _dialog(application, kind) is None)
    window.activateWindow()
    await until(window.isActiveWindow)


def _notice(application: WindowApplication) -> str:
    return application.panes.composer.notice.text()


def _label(dialog: QWidget, name: str) -> str:
    return dialog.findChild(QLabel, name).text()


def test_a_prompt_without_fields_takes_the_place_of_its_name(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await _keep(application, "Signature", "In {{project}} under {{thread}} by {{model}}: \\{{ok}}")
        composer = application.panes.composer
        await _listed(application, "/sig")
        press(application, Qt.Key.Key_Return)
        await until(lambda: "Personal" in composer.text())
        assert composer.text() == "In Personal under New thread by offline-demo: {{ok}}"
        await ask(application, "")
        await _listed(application, "/sig")
        press(application, Qt.Key.Key_Tab)
        await until(lambda: "Personal" in composer.text())
        assert "under In Personal" in composer.text()
        assert (await _names(application))[0] == "Signature"

    play(paths, script)


def test_fields_are_asked_for_and_remembered(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await _keep(application, "Greet", "Hello {{who}}, {{mood|glad|sad}}!")
        composer = application.panes.composer
        await _listed(application, "/greet")
        press(application, Qt.Key.Key_Return)
        dialog = await _opened(application, PromptFieldsDialog)
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        await _closed(application, PromptFieldsDialog)
        assert composer.text() == "/greet"  # nothing was chosen in the end, and nothing is lost
        application.panes.commands.trigger("prompt.insert")
        await until(lambda: _menu(application).isVisible())
        composer.clear()
        QTest.keyClicks(_menu(application).field, "greet")
        QTest.keyClick(_menu(application).field, Qt.Key.Key_Return)
        dialog = await _opened(application, PromptFieldsDialog)
        QTest.keyClicks(dialog.field("who"), "Ada")
        dialog.field("mood").setCurrentIndex(1)
        dialog.insert_button.click()
        await until(lambda: composer.text() == "Hello Ada, sad!")
        await _closed(application, PromptFieldsDialog)

        async def is_first() -> bool:  # what was used last; that is noted after it was inserted
            return (await _names(application))[0] == "Greet"

        await until(is_first)
        composer.set_text("Then: ")
        application.panes.commands.trigger("prompt.insert")
        await until(lambda: _menu(application).isVisible())
        QTest.keyClick(_menu(application).field, Qt.Key.Key_Return)
        dialog = await _opened(application, PromptFieldsDialog)
        assert dialog.values() == {"who": "Ada", "mood": "sad"}
        dialog.insert_button.click()
        await until(lambda: composer.text() == "Then: Hello Ada, sad!")

    play(paths, script)


def test_a_field_that_is_left_empty_is_seen_and_named(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await _keep(application, "Explain", "Explain {{topic}} for {{reader:}}beginners.")
        composer = application.panes.composer
        await _listed(application, "/explain")
        press(application, Qt.Key.Key_Return)
        dialog = await _opened(application, PromptFieldsDialog)
        dialog.insert_button.click()
        await until(lambda: composer.text().startswith("Explain [topic] for"))
        assert "Still to fill in: topic" in _notice(application)

    play(paths, script)


def test_clipboard_and_selection_come_in_as_they_are(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await _keep(application, "Both", "<{{clipboard}}|{{selection}}>")
        composer, transcript = application.panes.composer, application.panes.transcript
        await ask(application, "a question")
        await until(lambda: transcript.entries)
        await _listed(application, "/both")
        press(application, Qt.Key.Key_Return)
        await until(lambda: composer.text() == "<|>")
        assert _notice(application) == "There is no text in the clipboard. Nothing is selected in the thread."
        composer.clear()
        QGuiApplication.clipboard().setText("{{date}}\nline")
        transcript.setFocus()
        QTest.keyClick(transcript, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        application.panes.window.focus_composer()
        await _listed(application, "/both")
        press(application, Qt.Key.Key_Return)
        await until(lambda: composer.text().startswith("<{{date}}\nline|"))
        assert "a question" in composer.text()

    play(paths, script)


def test_a_huge_clipboard_is_cut_and_said(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await _keep(application, "Paste", "{{clipboard}}")
        data = QMimeData()
        data.setText("word " * 1_000_000)
        QGuiApplication.clipboard().setMimeData(data)
        await _listed(application, "/paste")
        press(application, Qt.Key.Key_Return)
        composer = application.panes.composer
        await until(lambda: len(composer.text()) == 100_000)
        assert "5,000,000 characters; the first 100,000 were inserted" in _notice(application)

    play(paths, script)


def test_a_malformed_prompt_is_inserted_unchanged_and_reported(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await _keep(application, "Odd", "a {{ b.c }} d")
        await _listed(application, "/odd")
        press(application, Qt.Key.Key_Return)
        await until(lambda: application.panes.composer.text() == "a {{ b.c }} d")
        assert "Line 1, column 3" in _notice(application)

    play(paths, script)


def test_a_prompt_does_not_land_in_another_thread(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "first")
        await _keep(application, "Greet", "Hello {{who}}!")
        await _listed(application, "/greet")
        press(application, Qt.Key.Key_Return)
        dialog = await _opened(application, PromptFieldsDialog)
        application.panes.composer.clear()
        await application.threads.open(None)
        dialog.insert_button.click()
        await until(lambda: "another thread" in application.panes.window.pane.toast.text)
        assert application.panes.composer.text() == ""

    play(paths, script)


def test_the_composer_names_the_project(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        editor = application.panes.composer.editor
        await until(lambda: editor.placeholderText() == "Message Personal — drop files here, / for prompts")

    play(paths, script)


def test_the_library_edits_deletes_and_undoes(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        kept = await _keep(application, "A first one", "text")
        commands = application.panes.commands
        commands.trigger("prompt.library")
        dialog = await _opened(application, PromptsDialog)
        await until(lambda: dialog.list.count() > 5)
        row = next(row for row in range(dialog.list.count()) if dialog.list.item(row).text() == "A first one")
        dialog.list.setCurrentRow(row)
        await until(lambda: dialog.prompt_id == kept.id)
        QTest.keyClicks(dialog.form.text_field, "{{clipbord}} ")
        await until(lambda: "Did you mean {{clipboard}}?" in _label(dialog, "promptProblems"))
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        await _closed(application, PromptsDialog)
        assert (await services.prompts.get(kept.id)).text == "{{clipbord}} text"
        await until(lambda: commands.is_enabled("edit.undo"))
        commands.trigger("edit.undo")
        await until(lambda: commands.is_enabled("edit.redo"))
        assert (await services.prompts.get(kept.id)).text == "text"
        commands.trigger("prompt.library")
        dialog = await _opened(application, PromptsDialog)
        await until(lambda: dialog.list.count() > 5)
        dialog.openRequested.emit(kept.id)
        await until(lambda: dialog.prompt_id == kept.id)
        dialog.copy_button.click()
        await until(lambda: dialog.form.written().name == "A first one (copy)")
        dialog.delete_button.click()
        await until(lambda: dialog.restore_button.isVisible())
        assert "A first one (copy)" not in await _names(application)
        dialog.restore_button.click()
        await until(lambda: dialog.form.written().name == "A first one (copy)")
        assert "A first one (copy)" in await _names(application)
        dialog.done_button.click()
        await _closed(application, PromptsDialog)
        # The deletion was taken back, so that the step before it is next: the copy.
        commands.trigger("edit.undo")
        await until(lambda: "Undone: add prompt" in application.panes.window.pane.toast.text)
        assert "A first one (copy)" not in await _names(application)

    play(paths, script)


def test_the_composers_text_becomes_a_prompt(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        commands = application.panes.commands
        assert not commands.trigger("prompt.save")
        type_text(application, "Write it like this")
        assert commands.trigger("prompt.save")
        dialog = await _opened(application, PromptsDialog)
        await until(lambda: dialog.form.written().text == "Write it like this")
        QTest.keyClicks(dialog.form.name_field, "Mine")
        dialog.done_button.click()
        await _closed(application, PromptsDialog)
        assert "Mine" in await _names(application)
        assert application.panes.composer.text() == "Write it like this"

    play(paths, script)


def test_the_library_of_prompts_outlives_the_window(paths: AppPaths) -> None:
    async def write(application: WindowApplication) -> None:
        await application.services()
        application.panes.commands.trigger("prompt.library")
        dialog = await _opened(application, PromptsDialog)
        await until(lambda: dialog.list.count() > 5)
        QTest.keyClicks(dialog.form.text_field, "Half a thought")  # the window closes right after the last key

    async def read(application: WindowApplication) -> None:
        assert "Half a thought" in await _names(application)

    play(paths, write)
    play(paths, read)


def test_a_prompt_that_cannot_be_stored_is_reported_and_kept(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        application.panes.commands.trigger("prompt.library")
        dialog = await _opened(application, PromptsDialog)
        dialog.start_prompt(TEMPLATE, "precious")

        async def full(*_values: object) -> None:
            raise StorageFull

        create, services.prompts.create = services.prompts.create, full
        dialog.done_button.click()
        await until(lambda: "disk is full" in _label(dialog, "promptsNotice"))
        assert _dialog(application, PromptsDialog) is dialog
        services.prompts.create = create
        dialog.done_button.click()
        await _closed(application, PromptsDialog)
        assert "precious" in await _names(application)

    play(paths, script)


def test_prompts_go_into_a_file_and_come_back(paths: AppPaths, tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        kept = await _keep(application, "Mine", "text")
        application.panes.commands.trigger("prompt.library")
        dialog = await _opened(application, PromptsDialog)
        target = tmp_path / "out.json"
        dialog.export_button.click()
        await until(lambda: dialog.findChild(QFileDialog))
        dialog.findChild(QFileDialog).fileSelected.emit(str(target))
        await until(lambda: "Exported: 13 prompts to out.json." in _label(dialog, "promptsNotice"))
        dialog.findChild(QFileDialog).reject()
        await services.prompts.delete([kept.id])
        dialog.import_button.click()
        await until(lambda: any(each.isVisible() for each in dialog.findChildren(QFileDialog)))
        next(each for each in dialog.findChildren(QFileDialog) if each.isVisible()).fileSelected.emit(str(target))
        await until(lambda: "Added: 1 prompt." in _label(dialog, "promptsNotice"))
        for each in dialog.findChildren(QFileDialog):
            each.reject()
        target.write_text("no json")
        dialog.export_button.click()
        await until(lambda: any(each.isVisible() for each in dialog.findChildren(QFileDialog)))
        next(each for each in dialog.findChildren(QFileDialog) if each.isVisible()).fileSelected.emit(str(target))
        await until(lambda: "Exported: 13 prompts to out.json." in _label(dialog, "promptsNotice"))
        assert len(json.loads(target.read_text())["prompts"]) == 13
        for each in dialog.findChildren(QFileDialog):
            each.reject()
        dialog.done_button.click()
        await _closed(application, PromptsDialog)
        application.panes.commands.trigger("edit.undo")
        await until(lambda: application.panes.commands.is_enabled("edit.redo"))
        assert "Mine" not in await _names(application)

    play(paths, script)


def test_the_system_prompt_of_a_thread_is_written_and_taken_back(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        commands = application.panes.commands
        answer = await ask(application, "hello")
        await until(lambda: application.threads.thread_id == answer.thread_id)
        assert commands.trigger("thread.system_prompt")
        dialog = await _opened(application, SystemPromptDialog)
        await until(lambda: dialog.choose_button.isEnabled())
        dialog.choose_button.menu().actions()[0].trigger()
        await until(lambda: dialog.text_field.toPlainText())
        dialog.text_field.selectAll()
        QTest.keyClicks(dialog.text_field, "Be brief. {{topic}}")
        await until(
            lambda: (
                "tokens" in _label(dialog, "systemPromptSize") and "{{topic}}" in _label(dialog, "systemPromptProblems")
            )
        )
        dialog.keep_button.click()
        await until(lambda: "Saved to the library: Be brief. {{topic}}" in _label(dialog, "systemPromptNotice"))
        dialog.project_button.click()
        QTest.keyClicks(dialog.text_field, "For all.")
        dialog.save_button.click()
        await _closed(application, SystemPromptDialog)
        found = await services.system_prompts.of_thread(answer.thread_id)
        assert (found.thread, found.project) == ("Be brief. {{topic}}", "For all.")
        commands.trigger("edit.undo")
        await until(lambda: commands.is_enabled("edit.redo"))
        found = await services.system_prompts.of_thread(answer.thread_id)
        assert (found.thread, found.project) == ("", "")
        commands.trigger("edit.redo")
        await until(lambda: not commands.is_enabled("edit.redo") and commands.is_enabled("edit.undo"))
        assert (await services.system_prompts.of_thread(answer.thread_id)).thread == "Be brief. {{topic}}"

    play(paths, script)


def test_the_system_prompt_of_the_project_needs_no_thread(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        application.panes.commands.trigger("project.system_prompt")
        dialog = await _opened(application, SystemPromptDialog)
        QTest.keyClicks(dialog.text_field, "For all.")

        async def full(*_values: object) -> None:
            raise StorageFull

        write, services.system_prompts.change = services.system_prompts.change, full
        dialog.save_button.click()
        await until(lambda: "disk is full" in _label(dialog, "systemPromptNotice"))
        services.system_prompts.change = write
        dialog.save_button.click()
        await _closed(application, SystemPromptDialog)
        project = await services.chat.projects.default()
        assert project.system_prompt == "For all."
        application.bindings.prompts.system_prompts.open_project(project.id)
        dialog = await _opened(application, SystemPromptDialog)
        assert dialog.text_field.toPlainText() == "For all."
        dialog.reject()
        await _closed(application, SystemPromptDialog)

    play(paths, script)


def test_a_system_prompt_out_of_a_file_is_told_until_something_was_asked(paths: AppPaths, tmp_path: Path) -> None:
    custom = {"content_type": "user_editable_context", "user_instructions": "Sell something in each answer."}
    instructions = {"id": "b", "author": {"role": "user"}, "content": custom, "metadata": {}}
    question = {"id": "c", "author": {"role": "user"}, "content": {"content_type": "text", "parts": ["Hello"]}}
    mapping = {
        "a": {"id": "a", "message": None, "parent": None, "children": ["b"]},
        "b": {"id": "b", "message": instructions, "parent": "a", "children": ["c"]},
        "c": {"id": "c", "message": question, "parent": "b", "children": []},
    }
    chats = [{"id": "t", "title": "Theirs", "create_time": 1, "mapping": mapping, "current_node": "c"}]
    (tmp_path / "conversations.json").write_text(json.dumps(chats), "utf-8")

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        report = await services.importer.run(tmp_path / "conversations.json")
        (line,) = report.lines
        assert line.thread_id is not None
        application.threads.open_soon(line.thread_id)
        await until(lambda: "imported system prompt" in _notice(application))
        await ask(application, "And now?")
        await until(lambda: "imported" not in _notice(application))

    play(paths, script)
