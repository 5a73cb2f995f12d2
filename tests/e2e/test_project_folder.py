"""A project's folder in a real window: chosen, read by a model, and changed by the person alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit, QPushButton

from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta, ToolCallDelta
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.settings import secrets
from chatdesk.core.tools.folder.reading import version_of
from chatdesk.services.project_folder import ID
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.library.project import ProjectDialog
from chatdesk.ui.features.tools.change_review import ChangeReview
from chatdesk.ui.features.tools.consent_card import ConsentCard
from chatdesk.ui.transcript.items.change_item import ChangeItem
from chatdesk.ui.transcript.items.code_item import CodeItem
from tests.helpers.accounts import MemoryKeyring
from tests.helpers.chat_world import ScriptedProvider
from tests.helpers.window import answered, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")

OLD = "one\ntwo\nthree\n"


@pytest.fixture(autouse=True)
def keyring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    ring = MemoryKeyring()
    monkeypatch.setattr(secrets, "system_keyring", lambda: ring)
    return ring


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    made.mkdir()
    (made / "notes.md").write_text(OLD)
    return made


async def _choose_folder(application: WindowApplication, folder: Path) -> None:
    """Choose the folder of the listed project in its dialog, by its buttons."""
    window = application.panes.window
    application.panes.commands.trigger("project.edit")
    await until(lambda: window.findChild(ProjectDialog))
    dialog: Any = window.findChild(ProjectDialog)
    button: Any = dialog.findChild(QPushButton, "projectFolderChoose")
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    await until(lambda: dialog.findChild(QFileDialog))
    files: Any = dialog.findChild(QFileDialog)
    files.fileSelected.emit(str(folder))
    files.reject()
    line: Any = dialog.findChild(QLineEdit, "projectFolder")
    assert line.text() == str(folder) and line.accessibleName() == "Folder of the project"
    QTest.keyClick(dialog.name_field, Qt.Key.Key_Return)


def test_a_typed_folder_that_does_not_exist_is_said_in_the_dialog(paths: AppPaths, folder: Path) -> None:
    async def script(application: WindowApplication) -> None:
        window = application.panes.window
        services = await application.services()
        application.panes.commands.trigger("project.edit")
        await until(lambda: window.findChild(ProjectDialog))
        dialog: Any = window.findChild(ProjectDialog)
        await until(dialog.isActiveWindow)  # before, nothing in it has the focus that Tab takes away
        dialog.folder.line.setFocus()
        QTest.keyClicks(dialog.folder.line, str(folder / "gone"))
        QTest.keyClick(dialog.folder.line, Qt.Key.Key_Tab)
        await until(lambda: dialog.problem.text().startswith(f"There is no folder {folder / 'gone'}."))
        dialog.save_button.click()
        await until(dialog.save_button.isEnabled)
        assert dialog.isVisible() and dialog.problem.isVisible()
        dialog.folder.line.setFocus()
        dialog.folder.line.selectAll()
        QTest.keyClicks(dialog.folder.line, str(folder))
        QTest.keyClick(dialog.folder.line, Qt.Key.Key_Return)
        await until(lambda: not window.findChildren(ProjectDialog))
        project = await services.chat.projects.default()
        service = await services.tools.load()
        await until(lambda: service.folders.of(project.id) == folder)

    play(paths, script)


async def _ask_for_change(application: WindowApplication, folder: Path, model: ScriptedProvider) -> Any:
    """Let the project have the folder, and ask a model that proposes a change; return the item that shows it."""
    services = await application.services()
    services.chat.use_providers(ProviderRegistry([model], "scripted", "small"))
    await _choose_folder(application, folder)
    project = await services.chat.projects.default()
    service = await services.tools.load()
    await until(lambda: service.folders.of(project.id) == folder)
    await service.switch(ID, is_on=True)
    window = application.panes.window
    arguments = {
        "path": "notes.md",
        "version": version_of(OLD.encode()),
        "edits": [{"old": "two", "new": "2\n2½"}],
    }
    model.will(
        ToolCallDelta(0, "c1", f"{ID}__propose_change", json.dumps(arguments)), StreamFinished(FinishReason.TOOL_CALLS)
    )
    model.will(TextDelta("I proposed it."), StreamFinished(FinishReason.STOP))
    type_text(application, "number the second line")
    await answered(application, lambda: press(application, Qt.Key.Key_Return))
    assert not any(each.isVisible() for each in window.findChildren(ConsentCard)), "nobody is asked twice"
    return await _change_item(application)


async def _change_item(application: WindowApplication) -> Any:
    def find() -> Any:
        items = [item for entry in application.panes.transcript.entries for item in entry.items]
        return next((each for each in items if isinstance(each, ChangeItem)), None)

    await until(lambda: find() is not None and find().buttons())
    return find()


def _names(item: ChangeItem) -> list[str]:
    return [each.label for each in item.buttons()]


async def _act(application: WindowApplication, button: str) -> None:
    """Open the review by its keys, and press a button of it."""
    window = application.panes.window
    application.panes.commands.trigger("message.changes")
    await until(lambda: any(each.isVisible() for each in window.findChildren(ChangeReview)))
    review: Any = next(each for each in window.findChildren(ChangeReview) if each.isVisible())
    pressed: Any = review.findChild(QPushButton, button)
    await until(pressed.isVisible)
    pressed.setFocus()
    QTest.keyClick(pressed, Qt.Key.Key_Space)
    await until(lambda: not any(each.isVisible() for each in window.findChildren(ChangeReview)))


def test_a_change_is_rejected_by_keys_and_read_by_a_screen_reader(paths: AppPaths, folder: Path) -> None:
    async def script(application: WindowApplication) -> None:
        item = await _ask_for_change(application, folder, ScriptedProvider())
        view = application.panes.transcript
        focus = view.parts.message_focus
        application.panes.window.activateWindow()
        view.setFocus()
        await until(view.hasFocus)
        QTest.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
        if focus.current is not None and item not in focus.current.items:
            QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
        for _stop in range(20):
            if focus.stop is not None and focus.stop[1] == "change-reject":
                break
            QTest.keyClick(view, Qt.Key.Key_Tab)
        assert focus.stop is not None and focus.current is not None
        assert focus.current.items[focus.stop[0]] is item
        names = [each.text(QAccessible.Text.Name) for each in _nodes(QAccessible.queryAccessibleInterface(view))]
        assert item.words in names and "Reject the change to notes.md" in names
        QTest.keyClick(view, Qt.Key.Key_Return)
        await until(lambda: "Rejected" in item.words)
        assert not item.buttons() and (folder / "notes.md").read_text() == OLD

    play(paths, script)


def _nodes(node: QAccessibleInterface) -> list[QAccessibleInterface]:
    children = [node.child(place) for place in range(node.childCount())]
    return [node, *(each for child in children if child is not None for each in _nodes(child))]


def test_the_folder_of_a_project_that_is_gone_for_good_is_forgotten(paths: AppPaths, folder: Path) -> None:
    gone: list[str] = []

    async def first(application: WindowApplication) -> None:
        services = await application.services()
        project = await services.library.projects.create("Garden", "#123456")
        service = await services.tools.load()
        await service.folders.set(project.id, folder)
        await services.library.delete_project(project.id)
        gone.append(project.id)

    async def second(application: WindowApplication) -> None:
        services = await application.services()
        service = await services.tools.load()
        assert service.folders.of(gone[0]) == folder, "it may come back from the trash"
        await services.library.trash.sweep(trash_days=-1)

    async def third(application: WindowApplication) -> None:
        services = await application.services()
        service = await services.tools.load()
        assert service.folders.of(gone[0]) is None

    for script in (first, second, third):
        play(paths, script)


def test_a_change_is_edited_applied_and_undone_at_its_card(paths: AppPaths, folder: Path) -> None:
    async def script(application: WindowApplication) -> None:
        item = await _ask_for_change(application, folder, ScriptedProvider())
        assert [each.text for each in item.buttons()] == ["Apply", "Edit", "Reject"]
        requested = application.panes.transcript.parts.actions.changeRequested
        requested.emit("change-edit", item.shown)
        window = application.panes.window
        await until(lambda: any(each.text.isVisible() for each in window.findChildren(ChangeReview)))
        review: Any = window.findChild(ChangeReview)
        assert review.text.written() == "one\n2\n2½\nthree\n"
        QTest.keyClicks(review.text, "zero ")
        await until(lambda: not review.is_unread)
        QTest.keyClick(review.findChild(QPushButton, "reviewApply"), Qt.Key.Key_Space)
        await until(lambda: (folder / "notes.md").read_text() == "zero one\n2\n2½\nthree\n")
        await until(lambda: [each.text for each in item.buttons()] == ["Undo"])
        requested.emit("change-undo", item.shown)
        await until(lambda: (folder / "notes.md").read_text() == OLD)
        await until(lambda: item.buttons()[0].text == "Apply")

    play(paths, script)


def test_a_change_is_proposed_looked_through_applied_and_undone(paths: AppPaths, folder: Path) -> None:
    file = folder / "notes.md"
    opened: list[str] = []

    async def first(application: WindowApplication) -> None:
        model = ScriptedProvider()
        item = await _ask_for_change(application, folder, model)
        assert file.read_text() == OLD
        assert item.words == "Change to a file · 2 lines added, 1 removed, notes.md, Proposed"
        assert _names(item) == [f"{each} the change to notes.md" for each in ("Apply", "Edit", "Reject")]
        entry = next(each for each in application.panes.transcript.entries if item in each.items)
        opened.append(entry.message.thread_id)
        diff = next(each for each in entry.items if isinstance(each, CodeItem))
        assert "-two\n+2\n+2½" in diff.text
        assert "no_such" not in model.requests[-1].messages[-1].text
        assert "lines added" not in model.requests[-1].messages[-1].text, "the model learns that it was proposed"
        await until(lambda: item.press("change-apply") is not None)  # not while it is too new to have been read
        application.panes.transcript.parts.actions.press_button(entry, item, "change-apply")
        await until(lambda: file.read_text() == "one\n2\n2½\nthree\n")
        await until(lambda: _names(item) == ["Undo the change to notes.md"])

    async def second(application: WindowApplication) -> None:
        await application.services()
        await application.bindings.threads.open(opened[0])
        item = await _change_item(application)
        assert _names(item) == ["Undo the change to notes.md"], "it outlives a restart"
        await _act(application, "reviewUndo")
        assert file.read_text() == OLD
        await until(lambda: _names(item) == [f"{each} the change to notes.md" for each in ("Apply", "Edit", "Reject")])
        file.write_text("theirs")
        application.panes.transcript.parts.actions.changeRequested.emit("change-review", item.shown)
        window = application.panes.window
        await until(lambda: any(each.isVisible() for each in window.findChildren(ChangeReview)))
        review: Any = next(each for each in window.findChildren(ChangeReview) if each.isVisible())
        await until(lambda: "Outdated" in review.about.text())
        apply: Any = review.findChild(QPushButton, "reviewApply")
        assert not apply.isVisible() and file.read_text() == "theirs"
        review.reject()

    play(paths, first)
    play(paths, second)
