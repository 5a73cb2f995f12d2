"""Controls the dialog of the kept questions of a project's files."""

from __future__ import annotations

from shiboken6 import isValid

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.knowledge.kept_questions import KeptQuestions
from chatdesk.ui.features.knowledge.files_dialog import ProjectFilesDialog
from chatdesk.ui.features.knowledge.questions_dialog import QuestionsDialog
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext


class QuestionsBinding(Controller):
    """Controller of ``kept`` for the project whose files are open."""

    def __init__(self, context: WindowContext, kept: KeptQuestions) -> None:
        super().__init__(context)
        self._kept = kept
        self._project_id = ""
        self._dialog: QuestionsDialog | None = None

    @in_task("open the kept questions")
    async def open(self, project_id: str, files: ProjectFilesDialog, question: str, file: str) -> None:
        """Open the dialog over the one of the files, with a question that was tried there."""
        questions = await self._kept.repository.of(project_id)
        if not isValid(files) or not files.isVisible():
            return
        self._project_id = project_id
        dialog = self._dialog = QuestionsDialog(self._panes.theme, files)
        dialog.keepRequested.connect(self._keep)
        dialog.removeRequested.connect(self._remove)
        dialog.runRequested.connect(self._run)
        dialog.show_questions(questions)
        dialog.suggest(question, file)
        dialog.open()

    # Inside

    @property
    def _shown(self) -> QuestionsDialog | None:
        return self._dialog if self._dialog is not None and isValid(self._dialog) and self._dialog.isVisible() else None

    @in_task("keep a question")
    async def _keep(self, question: str, file: str) -> None:
        try:
            await self._kept.repository.keep(self._project_id, [(question, file)])
        except ChatDeskError as error:
            self._say(error)
        else:
            if self._shown is not None:
                self._shown.clear_fields()
            await self._show()

    @in_task("forget a kept question")
    async def _remove(self, question_id: str) -> None:
        try:
            await self._kept.repository.remove(question_id)
        except ChatDeskError as error:
            self._say(error)
        else:
            await self._show()

    @in_task("run the kept questions")
    async def _run(self) -> None:
        try:
            tried = await self._kept.run(self._project_id)
        except ChatDeskError as error:
            if self._shown is not None:
                self._shown.end_run()
            self._say(error)
        else:
            if self._shown is not None:
                self._shown.show_run(tried)

    async def _show(self) -> None:
        questions = await self._kept.repository.of(self._project_id)
        if self._shown is not None:
            self._shown.show_questions(questions)

    def _say(self, error: ChatDeskError) -> None:
        if self._shown is not None:
            self._shown.show_problem(error.sentence)
        else:
            raise error
