"""Files of a project in the real window: added, tried, asked, and followed from the answer to their place."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton

from chatdesk.core.domain.knowledge import SourceKind
from chatdesk.core.paths import AppPaths
from chatdesk.core.rendering.sources import sources_of
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.knowledge.exclusions_dialog import ExclusionsDialog
from chatdesk.ui.features.knowledge.files_dialog import ProjectFilesDialog
from chatdesk.ui.features.knowledge.passage_dialog import PassageDialog
from chatdesk.ui.features.knowledge.providers_dialog import SecretsDialog
from chatdesk.ui.features.knowledge.questions_dialog import QuestionsDialog
from chatdesk.ui.features.prompts.prompt_menu import PromptMenu
from chatdesk.ui.transcript.view import TranscriptView
from tests.e2e.test_library_window import opened
from tests.helpers.window import ask, play, until


def _enter(field: object, text: str) -> None:
    QTest.keyClicks(field, text)  # type: ignore[call-overload]
    QTest.keyClick(field, Qt.Key.Key_Return)  # type: ignore[call-overload]


def test_a_folder_is_added_asked_and_followed_to_its_passage(tmp_path: Path) -> None:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "leave.md").write_text("# Leave\n\nEach employee has thirty days of paid holiday.")
    (folder / "travel.md").write_text("# Travel\n\nReceipts are handed in within a month.")

    async def script(application: WindowApplication) -> None:
        await application.services()
        commands = application.panes.commands
        dialog = await opened(application, ProjectFilesDialog, lambda: commands.trigger("project.files"))
        _enter(dialog.place, str(tmp_path / "missing"))
        await until(lambda: "There is no folder or file" in dialog.problem.text())
        dialog.place.clear()
        _enter(dialog.place, str(folder))
        await until(lambda: dialog.list.count() == 1 and "2 files read" in dialog.list.item(0).text())
        assert not dialog.place.text() and not dialog.problem.isVisible()

        rules = await opened(
            application, ExclusionsDialog, lambda: QTest.keyClick(dialog.exclude_button, Qt.Key.Key_Space)
        )
        QTest.keyClicks(rules.rules, "travel*")
        await until(lambda: not rules.is_unread)
        QTest.keyClick(rules.findChild(QPushButton, "exclusionsSave"), Qt.Key.Key_Space)
        await until(lambda: "1 file read" in dialog.list.item(0).text())
        rules = await opened(
            application, ExclusionsDialog, lambda: QTest.keyClick(dialog.exclude_button, Qt.Key.Key_Space)
        )
        assert rules.rules.written() == "travel*" and not rules.unsaved()
        QTest.keyClick(rules, Qt.Key.Key_Escape)

        _enter(dialog.question, "paid holiday")
        await until(lambda: dialog.found.isVisible())
        assert dialog.found.item(0).text() == "leave.md — Leave"
        dialog.found.setFocus()
        dialog.found.setCurrentRow(0)
        passage = await opened(application, PassageDialog, lambda: QTest.keyClick(dialog.found, Qt.Key.Key_Return))
        await until(lambda: bool(_lit_markdown(passage)))
        assert "thirty days" in _lit_markdown(passage)
        QTest.keyClick(passage, Qt.Key.Key_Escape)

        kept = await opened(
            application, QuestionsDialog, lambda: QTest.keyClick(dialog.questions_button, Qt.Key.Key_Space)
        )
        assert (kept.question.text(), kept.file.text()) == ("paid holiday", "leave.md")
        QTest.keyClick(kept.file, Qt.Key.Key_Return)
        await until(lambda: kept.list.count() == 1 and not kept.question.text())
        assert "not tried yet" in kept.list.item(0).text()
        QTest.keyClick(kept.run_button, Qt.Key.Key_Space)
        await until(lambda: "found at place 1" in kept.list.item(0).text())
        QTest.keyClick(kept.remove_button, Qt.Key.Key_Space)
        await until(lambda: kept.list.count() == 0)
        QTest.keyClick(kept, Qt.Key.Key_Escape)
        dialog.reject()

        answer = await ask(application, "How many days of paid holiday are there?")
        (source, *_) = sources_of(answer.parts)
        assert source.title == "leave.md — Leave"
        passage = await opened(
            application,
            PassageDialog,
            lambda: application.panes.transcript.parts.actions.open_link(source.url),
        )
        await until(lambda: bool(_lit_markdown(passage)))
        assert passage.head.text() == "leave.md — Leave" and "thirty days" in _lit_markdown(passage)
        QTest.keyClick(passage, Qt.Key.Key_Escape)

        dialog = await opened(application, ProjectFilesDialog, lambda: commands.trigger("project.files"))
        question = await opened(
            application, ConfirmDialog, lambda: QTest.keyClick(dialog.remove_button, Qt.Key.Key_Space)
        )
        await until(lambda: not question.is_unread)
        QTest.keyClick(question.findChild(QPushButton, "confirmYes"), Qt.Key.Key_Space)
        await until(lambda: dialog.list.count() == 0)
        application.panes.transcript.parts.actions.open_link(source.url)
        await until(lambda: "not among the files" in _shown_words(application))

    play(AppPaths.find(str(tmp_path / "data")), script)


def _lit_markdown(dialog: PassageDialog) -> str:
    reader = dialog.reader
    assert isinstance(reader, TranscriptView) and reader.isVisible()
    return " ".join(each.text for each in reader.entries if reader.parts.flash.strength_of(each) == 1)


def _shown_words(application: WindowApplication) -> str:
    labels = [each.text() for each in application.panes.window.findChildren(QLabel) if each.isVisible()]
    toasts = [getattr(each, "text", "") for each in application.panes.window.children()]
    return " ".join([*labels, *(each for each in toasts if isinstance(each, str))])


def test_a_file_is_named_after_an_at_sign_for_one_question(tmp_path: Path) -> None:
    folder = tmp_path / "handbook"
    (folder / "people").mkdir(parents=True)
    (folder / "people" / "my leave.md").write_text("Each employee has thirty days of paid holiday.")
    (folder / "travel.md").write_text("Receipts are handed in within a month.")

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        project = await services.library.projects.default()
        await services.knowledge.add(project.id, SourceKind.FOLDER, str(folder))
        await services.knowledge.wait_until_read()
        editor = application.panes.composer.editor
        QTest.keyClicks(editor, "@")
        menu = await _menu(application)
        QTest.keyClicks(editor, "my lea")
        await until(lambda: menu.list.count() == 1)
        QTest.keyClick(editor, Qt.Key.Key_Return)
        assert editor.toPlainText() == '@"people/my leave.md" '
        answer = await ask(application, "what does it say?")
        (source,) = sources_of(answer.parts)
        assert "my leave.md" in source.title

        QTest.keyClicks(editor, "What does @leavx.md say")
        await until(lambda: "“leavx.md”" in _remark(application))
        await ask(application, " to ada@example.org?")  # sent all the same
        await until(lambda: not _remark(application))

    play(AppPaths.find(tmp_path / "profile"), script)


async def _menu(application: WindowApplication) -> PromptMenu:
    def shown() -> PromptMenu | None:
        return next((each for each in application.panes.window.findChildren(PromptMenu) if each.is_open), None)

    await until(shown)
    found = shown()
    assert found is not None
    return found


def test_a_secret_is_asked_about_and_ticked_to_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / ".env").write_text("PASSWORD=correct horse battery")
    (folder / "server.pem").write_text("a key")

    async def script(application: WindowApplication) -> None:
        await application.services()
        commands = application.panes.commands
        dialog = await opened(application, ProjectFilesDialog, lambda: commands.trigger("project.files"))
        _enter(dialog.place, str(folder / ".env"))
        await opened(application, ConfirmDialog, lambda: None)
        question = dialog.findChild(ConfirmDialog)
        assert question is not None
        question.reject()
        await until(lambda: dialog.place.text())
        assert dialog.list.count() == 0
        dialog.place.clear()
        _enter(dialog.place, str(folder))
        await until(lambda: dialog.list.count() == 1 and "2 look like secrets, not read" in dialog.list.item(0).text())
        secrets = await opened(
            application, SecretsDialog, lambda: QTest.keyClick(dialog.secrets_button, Qt.Key.Key_Space)
        )
        assert [secrets.list.item(row).text() for row in range(2)] == [".env", "server.pem"]
        QTest.keyClick(secrets.list, Qt.Key.Key_Space)
        await until(lambda: "1 file read · 1 looks like a secret" in dialog.list.item(0).text())
        QTest.keyClick(secrets.list, Qt.Key.Key_Space)
        await until(lambda: "2 look like secrets" in dialog.list.item(0).text())
        QTest.keyClick(secrets, Qt.Key.Key_Escape)
        _enter(dialog.place, str(folder / ".env"))
        await until(lambda: any(each.isVisible() for each in dialog.findChildren(ConfirmDialog)))
        question = next(each for each in dialog.findChildren(ConfirmDialog) if each.isVisible())
        await until(lambda: not question.is_unread)
        QTest.keyClick(question.findChild(QPushButton, "confirmYes"), Qt.Key.Key_Space)
        await until(lambda: dialog.list.count() == 2 and "last read" in dialog.list.item(1).text())

    play(AppPaths.find(tmp_path / "profile"), script)


def _remark(application: WindowApplication) -> str:
    found = application.panes.composer.findChild(QLabel, "composerRemark")
    return found.text() if found is not None and found.isVisible() else ""
