"""The import dialog as a person uses it; it asks and is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.imported import ImportedMemory, ImportLine, ImportOutcome, ImportProgress
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.memory import MemoryOrigin
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.transfer.import_binding import looks_like_export
from chatdesk.ui.features.transfer.import_dialog import ImportDialog
from chatdesk.ui.theme.theme import Theme
from tests.helpers.export_samples import large_chatgpt, plain_chatgpt, write_json
from tests.helpers.window import play, until

LINES = [
    ImportLine(ImportOutcome.NEW, "<b>One</b>", 2),
    ImportLine(ImportOutcome.SKIPPED, "Two", 0, "It is damaged."),
    ImportLine(ImportOutcome.EXTENDED, "Three", 1),
]


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication) -> QWidget:
    made = QWidget()
    made.resize(900, 640)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def dialog(window: QWidget, theme: Theme) -> ImportDialog:
    made = ImportDialog(theme, [("p", "Personal"), ("w", "Work")], parent=window)
    made.open()
    return made


def _texts(dialog: ImportDialog) -> list[str]:
    model = dialog.list.model()
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


def test_a_folder_can_be_chosen_for_programs_that_keep_one(
    window: QWidget, theme: Theme, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = ImportDialog(theme, [("p", "Personal")], program="Jan", parent=window)
    asked: list[object] = []
    dialog.startRequested.connect(lambda *values: asked.append(values))
    dialog.open()
    assert dialog.folder_button.isVisible()
    qtbot.mouseClick(dialog.folder_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog.findChild(QFileDialog) is not None)
    chooser = dialog.findChild(QFileDialog)
    assert isinstance(chooser, QFileDialog)
    assert chooser.fileMode() is QFileDialog.FileMode.Directory
    chooser.fileSelected.emit(str(tmp_path))
    chooser.reject()
    assert asked == [(str(tmp_path), None)], "what was chosen is imported at once"
    dialog.reject()


def test_the_button_for_a_folder_is_there_only_where_it_helps(dialog: ImportDialog) -> None:
    assert not dialog.folder_button.isVisible()
    dialog.program.setCurrentIndex(dialog.program.findText("LM Studio"))
    assert dialog.folder_button.isVisible()
    assert "conversations" in dialog.findChild(QLabel, "importSteps").text()


@pytest.mark.parametrize("name", ["1.conversation.json", "messages.jsonl", "chatbox-exported-data-2026-1-1.json"])
def test_names_of_local_programs_look_like_exports(name: str) -> None:
    assert looks_like_export(Path(name))


def test_nothing_begins_without_a_file(dialog: ImportDialog, qtbot: QtBot) -> None:
    asked: list[object] = []
    dialog.startRequested.connect(lambda *values: asked.append(values))
    assert dialog.start_button.isHidden()
    dialog.start_button.click()
    assert asked == []
    dialog.set_path(Path("/somewhere/chats.zip"))
    assert dialog.start_button.isVisible()
    assert dialog.file_label.text() == "chats.zip"


@pytest.mark.parametrize(("row", "project"), [(0, None), (1, "p"), (2, "w")])
def test_the_project_is_one_named_after_the_program_or_the_chosen_one(
    dialog: ImportDialog, qtbot: QtBot, row: int, project: str | None
) -> None:
    dialog.set_path(Path("/somewhere/chats.zip"))
    dialog.projects.setCurrentIndex(row)
    with qtbot.waitSignal(dialog.startRequested) as asked:
        qtbot.keyClick(dialog.start_button, Qt.Key.Key_Space)
    assert asked.args == [str(Path("/somewhere/chats.zip")), project]
    assert dialog.hide_button.hasFocus()


def test_progress_is_a_bar_and_words(dialog: ImportDialog, qtbot: QtBot) -> None:
    dialog.show_progress(None)
    assert (dialog.bar.minimum(), dialog.bar.maximum()) == (0, 0)
    dialog.show_progress(ImportProgress(250, 1000, 1200, 34_000))
    assert dialog.bar.value() == 250
    assert dialog.state.text() == "1,200 threads, 34,000 messages"
    with qtbot.waitSignal(dialog.stopRequested):
        qtbot.mouseClick(dialog.stop_button, Qt.MouseButton.LeftButton)
    assert not dialog.stop_button.isEnabled()


def test_the_report_is_a_line_a_thread_and_plain_text(dialog: ImportDialog, qtbot: QtBot) -> None:
    dialog.show_report("Imported 1 new thread.", LINES, has_threads=True)
    assert _texts(dialog) == [
        "<b>One</b> — new, 2 messages",
        "Two — skipped. It is damaged.",
        "Three — has new messages, 1 message",
    ]
    assert dialog.summary.textFormat() == Qt.TextFormat.PlainText
    assert dialog.show_button.hasFocus()
    with qtbot.waitSignal(dialog.showRequested):
        qtbot.mouseClick(dialog.show_button, Qt.MouseButton.LeftButton)


def test_without_threads_there_is_nothing_to_show(dialog: ImportDialog) -> None:
    dialog.show_report("There was nothing to import.", [], has_threads=False)
    assert not dialog.show_button.isVisible()
    assert dialog.close_button.hasFocus()


def test_a_failure_is_told_and_another_file_may_be_chosen(dialog: ImportDialog) -> None:
    dialog.set_path(Path("x.zip"))
    dialog.show_progress(None)
    dialog.show_failure("This file is not an export.")
    assert dialog.problem.isVisible()
    assert dialog.problem.text() == "This file is not an export."
    dialog.set_path(Path("y.zip"))
    assert not dialog.problem.isVisible()


def test_every_control_has_a_name(dialog: ImportDialog) -> None:
    for control in (dialog.projects, dialog.bar, dialog.list):
        assert control.accessibleName()
        assert control.objectName()


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("export.zip", True),
        ("conversations.json", True),
        ("conversations-003.json", True),
        ("chat-export-1700000000.json", True),
        ("my chatdesk.json", True),
        ("package.json", False),
        ("photo.png", False),
        ("conversations.json.txt", False),
    ],
)
def test_exports_are_told_by_their_names(name: str, is_one: bool) -> None:
    assert looks_like_export(Path("/x") / name) is is_one


# In the window


def _dropped(application: WindowApplication, path: Path) -> bool:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(10, 10),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    return application.bindings.imports.eventFilter(application.panes.window, event)


def test_a_dropped_export_is_imported_shown_and_its_report_copied(tmp_path: Path) -> None:
    path = write_json(tmp_path / "conversations.json", [plain_chatgpt("one", 2), plain_chatgpt("two", 1)])

    async def script(application: WindowApplication) -> None:
        await application.services()
        imports = application.bindings.imports
        assert _dropped(application, path)
        await until(lambda: imports.dialog is not None)
        dialog = imports.dialog
        assert dialog is not None
        dialog.start_button.click()
        await until(lambda: imports.report is not None and imports.dialog is dialog and dialog.summary.text())
        assert dialog.summary.text() == "Imported 2 new threads with 6 messages."
        dialog.copyRequested.emit()
        await until(lambda: "Chat one" in QGuiApplication.clipboard().text())
        dialog.show_button.click()
        await until(lambda: application.panes.sidebar.thread_list.model().rowCount() >= 2)
        await until(lambda: imports.dialog is None)

    play(AppPaths.find(str(tmp_path / "data")), script)


def test_a_hidden_import_goes_on_and_tells_at_its_end(tmp_path: Path) -> None:
    path = large_chatgpt(tmp_path / "conversations.json", threads=40, messages=60)

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        imports = application.bindings.imports
        application.panes.commands.trigger("app.import")
        await until(lambda: imports.dialog is not None)
        dialog = imports.dialog
        assert dialog is not None
        dialog.set_path(path)
        dialog.start_button.click()
        dialog.hide_button.click()
        await until(lambda: imports.dialog is None)
        await until(lambda: imports.report is not None)
        assert not services.importer.is_running
        assert imports.report is not None
        assert imports.report.messages == 2400
        imports.reopen(imports.report)
        await until(lambda: imports.dialog is not None and imports.dialog.summary.text())
        assert imports.dialog is not None
        imports.dialog.reject()

    play(AppPaths.find(str(tmp_path / "data")), script)


def test_closing_the_window_ends_an_import_and_keeps_what_is_whole(tmp_path: Path) -> None:
    path = large_chatgpt(tmp_path / "conversations.json", threads=100, messages=60)

    async def script(application: WindowApplication) -> None:
        await application.services()
        imports = application.bindings.imports
        imports.start(str(path), None)
        await until(lambda: imports.progress is not None)

    play(AppPaths.find(str(tmp_path / "data")), script)

    async def again(application: WindowApplication) -> None:
        services = await application.services()
        imports = application.bindings.imports
        imports.start(str(path), None)
        await until(lambda: imports.report is not None)
        page = await services.library.list_threads(ThreadQuery(), limit=200)
        assert len(page.threads) == 100

    play(AppPaths.find(str(tmp_path / "data")), again)


def test_a_file_that_is_none_is_told_in_the_dialog(tmp_path: Path) -> None:
    path = tmp_path / "notes.zip"
    path.write_bytes(b"not a zip at all")

    async def script(application: WindowApplication) -> None:
        await application.services()
        imports = application.bindings.imports
        imports.open(path)
        await until(lambda: imports.dialog is not None)
        dialog = imports.dialog
        assert dialog is not None
        dialog.start_button.click()
        await until(lambda: dialog.problem.text())
        assert "not an export" in dialog.problem.text()
        dialog.reject()

    play(AppPaths.find(str(tmp_path / "data")), script)


def test_a_file_that_could_be_attached_is_asked_about(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        attached: list[bool] = []
        imports = application.bindings.imports
        first = imports.ask_about(tmp_path / "a.zip", lambda: attached.append(True))
        assert isinstance(first, ConfirmDialog)
        first.reject()
        await until(lambda: attached)
        imports.ask_about(tmp_path / "a.zip", lambda: attached.append(True)).accept()
        await until(lambda: imports.dialog is not None)
        assert attached == [True]
        assert imports.dialog is not None
        imports.dialog.reject()

    play(AppPaths.find(str(tmp_path / "data")), script)


def test_an_export_that_is_dropped_on_the_composer_is_asked_about_and_other_files_are_not(tmp_path: Path) -> None:
    export = write_json(tmp_path / "conversations.json", [plain_chatgpt("one", 1)])
    note = tmp_path / "note.txt"
    note.write_text("words")

    async def script(application: WindowApplication) -> None:
        await application.services()
        composer = application.panes.composer
        composer.filesOffered.emit([str(note)])
        await until(lambda: composer.files.count == 1)
        composer.filesOffered.emit([str(export)])
        question = application.panes.window.findChild(ConfirmDialog)
        assert question is not None
        question.reject()
        await until(lambda: composer.files.count == 2)

    play(AppPaths.find(str(tmp_path / "data")), script)


def test_the_outcome_is_visible_beside_a_long_title(dialog: ImportDialog) -> None:
    line = ImportLine(ImportOutcome.NEW, "A title that goes on and on and says what it says once more", 12, "", None)
    dialog.show_report("1 thread is new.", [line], has_threads=False)
    index = dialog.list.model().index(0, 0)
    assert index.data() == "A title that goes on and on and say… — new, 12 messages"
    whole = f"{line.title} — new, 12 messages"
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == whole
    assert "once more" in index.data(Qt.ItemDataRole.ToolTipRole)


# Memories in the export


_EXPORT = [
    {
        "conversations_memory": "Ana keeps bees.\nAna sings.\n<b>Ana</b> has ten hives.",
    }
]


def _boxes(dialog: ImportDialog) -> list[str]:
    return [dialog.memories.list.item(row).text() for row in range(dialog.memories.list.count())]


@pytest.mark.parametrize("is_on", [True, False])
def test_memories_are_listed_and_none_is_ticked(dialog: ImportDialog, is_on: bool) -> None:
    dialog.show_report("Imported.", LINES, has_threads=True)
    assert not dialog.memories.isVisible()
    dialog.memories.show_memories([ImportedMemory("Ana keeps bees."), ImportedMemory("a\u202eb")], is_on=is_on)
    assert dialog.memories.isVisible()
    assert _boxes(dialog) == ["Ana keeps bees.", "a⟦U+202E⟧b"]
    assert dialog.memories.about.text().startswith("2 memories in the export.")
    assert ("Memory is off" in dialog.memories.about.text()) is not is_on
    assert not dialog.memories.take_button.isEnabled()
    assert dialog.memories.take_button.isVisible() is is_on
    can_be_ticked = bool(dialog.memories.list.item(0).flags() & Qt.ItemFlag.ItemIsUserCheckable)
    assert can_be_ticked is is_on


def test_only_ticked_memories_are_taken_and_by_the_keyboard(dialog: ImportDialog, qtbot: QtBot) -> None:
    dialog.show_report("Imported.", LINES, has_threads=True)
    dialog.memories.show_memories([ImportedMemory("One."), ImportedMemory("Two.")], is_on=True)
    dialog.memories.list.setCurrentRow(1)
    qtbot.keyClick(dialog.memories.list, Qt.Key.Key_Space)
    with qtbot.waitSignal(dialog.memoriesChosen) as chosen:
        qtbot.keyClick(dialog.memories.take_button, Qt.Key.Key_Space)
    assert chosen.args == [[ImportedMemory("Two.")]]
    qtbot.mouseClick(dialog.memories.all_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(dialog.memoriesChosen) as chosen:
        qtbot.mouseClick(dialog.memories.take_button, Qt.MouseButton.LeftButton)
    assert len(chosen.args[0]) == 2


def test_an_import_takes_what_is_ticked_and_offers_it_once(tmp_path: Path) -> None:
    path = write_json(tmp_path / "memories.json", _EXPORT)

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        imports = application.bindings.imports

        async def bring() -> ImportDialog:
            imports.open(path)
            await until(lambda: imports.dialog is not None)
            dialog = imports.dialog
            assert dialog is not None
            dialog.start_button.click()
            await until(lambda: bool(dialog.summary.text()))
            return dialog

        dialog = await bring()
        assert "Memory is off" in dialog.memories.about.text()
        dialog.close_button.click()
        await until(lambda: imports.dialog is None)
        await services.apply_settings(replace(services.settings, memory=True))
        dialog = await bring()
        assert await services.memory.list() == (), "nothing is taken before something is ticked"
        dialog.memories.list.item(2).setCheckState(Qt.CheckState.Checked)
        dialog.memories.take_button.click()
        await until(lambda: dialog.memories.list.count() == 2)
        kept = await services.memory.list()
        assert [(each.text, each.source, each.origin) for each in kept] == [
            ("<b>Ana</b> has ten hives.", "Claude", MemoryOrigin.IMPORT)
        ]
        dialog.close_button.click()
        await until(lambda: imports.dialog is None)
        dialog = await bring()
        assert _boxes(dialog) == ["Ana keeps bees.", "Ana sings."]
        dialog.close_button.click()

    play(AppPaths.find(tmp_path / "data"), script)
