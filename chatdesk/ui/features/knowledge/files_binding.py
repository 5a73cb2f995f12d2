"""Controls the dialog of a project's files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

from shiboken6 import isValid

from chatdesk.core.domain.knowledge import FileState, Sharing
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import ProjectFilesChanged
from chatdesk.core.knowledge.embedding_words import embedding_sentences
from chatdesk.core.knowledge.enclosing import title_of
from chatdesk.core.knowledge.kept_questions import KeptQuestions
from chatdesk.core.knowledge.knowledge_service import KnowledgeService
from chatdesk.core.knowledge.places import LooksSecret, kind_of_place, opened_secrets, with_secret
from chatdesk.core.texts import shown, tr
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.knowledge.embedding_binding import EmbeddingBinding
from chatdesk.ui.features.knowledge.exclusions_dialog import ExclusionsDialog
from chatdesk.ui.features.knowledge.files_dialog import ProjectFilesDialog
from chatdesk.ui.features.knowledge.passage_binding import PassageBinding
from chatdesk.ui.features.knowledge.providers_dialog import FileProvidersDialog, SecretsDialog
from chatdesk.ui.features.knowledge.questions_binding import QuestionsBinding
from chatdesk.ui.features.library.thread_list_binding import ThreadListBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext

_TRIED = 5


class FilesBinding(Controller):
    """Controller of ``knowledge`` for the listed project; where all are listed, for the one of new threads.
    ``providers`` returns the names of all providers, by id."""

    def __init__(
        self,
        context: WindowContext,
        lists: ThreadListBinding,
        passages: PassageBinding,
        knowledge: KnowledgeService,
        kept: KeptQuestions,
        providers: Callable[[], Mapping[str, str]],
    ) -> None:
        super().__init__(context)
        self._lists = lists
        self._passages = passages
        self._knowledge = knowledge
        self._providers = providers
        self._questions = QuestionsBinding(context, kept)
        self.dialog: ProjectFilesDialog | None = None
        self._project_id = ""
        self.embedding = EmbeddingBinding(context, knowledge.embeddings)
        context.panes.commands.bind("project.files", self.open)
        context.events.subscribe(context.panes.window, ProjectFilesChanged, self._on_changed)

    @in_task("open the files of a project")
    async def open(self) -> None:
        """Open the dialog of the project's files."""
        project = self._lists.project or await self._open_thread.chat.projects.default()
        self._project_id = project.id
        dialog = self.dialog = ProjectFilesDialog(self._panes.theme, project.name, self._panes.window)
        dialog.addRequested.connect(self._add)
        dialog.removeRequested.connect(self._remove)
        dialog.readAgainRequested.connect(self._read_again)
        dialog.pauseRequested.connect(self._pause)
        dialog.exclusionsRequested.connect(self._edit_exclusions)
        dialog.secretsRequested.connect(self._choose_secrets)
        dialog.sourceChosen.connect(self._show_unreadable)
        dialog.tried.connect(self._try)
        dialog.sharingChosen.connect(self._share)
        dialog.questionsRequested.connect(lambda *tried: self._questions.open(project.id, dialog, *tried))
        dialog.passageRequested.connect(lambda found: self._passages.show(found, dialog))
        dialog.allow_sharing(may_share=await self._knowledge.team.may_offer(project.id))
        dialog.embeddingRequested.connect(self._choose_embedding)
        dialog.providersRequested.connect(self._choose_providers)
        dialog.show_sources(await self._knowledge.statuses(project.id))
        dialog.show_embedding(embedding_sentences(await self._knowledge.embeddings.status(project.id)))
        dialog.open()

    # Inside

    @property
    def _shown(self) -> ProjectFilesDialog | None:
        return self.dialog if self.dialog is not None and isValid(self.dialog) and self.dialog.isVisible() else None

    def _on_changed(self, event: ProjectFilesChanged) -> None:
        if self._shown is not None and event.project_id == self._project_id:
            self._show_sources()

    @in_task("show the files of a project")
    async def _show_sources(self) -> None:
        statuses = await self._knowledge.statuses(self._project_id)
        embedding = await self._knowledge.embeddings.status(self._project_id)
        if self._shown is not None:
            self._shown.show_sources(statuses)
            self._shown.show_embedding(embedding_sentences(embedding))

    @in_task("open the choice of what makes the vectors")
    async def _choose_embedding(self) -> None:
        if self._shown is not None:
            await self.embedding.open(self._project_id, self._shown)

    @in_task("open the choice of who gets files")
    async def _choose_providers(self) -> None:
        denied = await self._knowledge.choices.denied(self._project_id)
        if self._shown is None:
            return
        dialog = FileProvidersDialog(self._panes.theme, self._providers(), denied, self._shown)
        dialog.ticked.connect(partial(self._let, self._project_id))
        dialog.open()

    @in_task("choose who gets files")
    async def _let(self, project_id: str, provider: str, gets_files: bool) -> None:
        await self._knowledge.embeddings.deny(project_id, provider, is_denied=not gets_files)

    @in_task("open the choice of which secrets are read")
    async def _choose_secrets(self, source_id: str) -> None:
        source = await self._knowledge.repository.get(source_id)
        known = {
            each.path: False for each in await self._knowledge.repository.files(source_id, states=[FileState.CLOSED])
        }
        known |= dict.fromkeys(opened_secrets(source.exclusions), True)
        if self._shown is not None:
            dialog = SecretsDialog(self._panes.theme, dict(sorted(known.items())), self._shown)
            dialog.ticked.connect(partial(self._read_secret, source_id))
            dialog.open()

    @in_task("choose which secrets are read")
    async def _read_secret(self, source_id: str, path: str, is_read: bool) -> None:
        source = await self._knowledge.repository.get(source_id)
        await self._knowledge.exclude(source_id, with_secret(source.exclusions, path, is_read=is_read))

    @in_task("show what cannot be read")
    async def _show_unreadable(self, source_id: str) -> None:
        files = await self._knowledge.repository.files(source_id, states=[FileState.UNREADABLE])
        if self._shown is not None:
            self._shown.show_unreadable(source_id, files)

    @in_task("add files to a project")
    async def _add(self, place: str, *, allows_secret: bool = False) -> None:
        try:
            kind, whole = await asyncio.to_thread(kind_of_place, place)  # the disk may be far away
            await self._knowledge.add(self._project_id, kind, whole, allows_secret=allows_secret)
        except LooksSecret as error:
            dialog = ConfirmDialog(
                self._panes.theme,
                tr("Read this all the same?"),
                tr(
                    "{looks} What it says can go with questions to those who get the files of the project.",
                    looks=shown(error.what),
                ),
                yes_text=tr("Read it"),
                is_dangerous=True,
                parent=self.dialog,
            )
            if self._shown is not None and await dialog.ask():
                self._add(place, allows_secret=True)
        except ChatDeskError as error:
            self._say(error)
        else:
            if self._shown is not None:
                self._shown.clear_place()

    @in_task("remove files from a project")
    async def _remove(self, source_id: str) -> None:
        source = await self._knowledge.repository.get(source_id)
        dialog = ConfirmDialog(
            self._panes.theme,
            tr("Remove this from the files of the project?"),
            tr(
                "ChatDesk forgets what it read from “{place}”. Nothing is deleted there.",
                place=source.place,
            ),
            yes_text=tr("Remove"),
            is_dangerous=True,
            parent=self.dialog,
        )
        if await dialog.ask():
            await self._knowledge.remove(source_id)

    @in_task("read files again")
    async def _read_again(self, source_id: str) -> None:
        await self._knowledge.read_again(source_id)

    @in_task("show what is left out")
    async def _edit_exclusions(self, source_id: str) -> None:
        source = await self._knowledge.repository.get(source_id)
        if self._shown is not None:
            dialog = ExclusionsDialog(self._panes.theme, source, self._shown)
            dialog.saved.connect(self._exclude)
            dialog.open()

    @in_task("leave out files")
    async def _exclude(self, source_id: str, rules: str) -> None:
        try:
            await self._knowledge.exclude(source_id, rules)
        except ChatDeskError as error:
            self._say(error)

    @in_task("share files with the team")
    async def _share(self, source_id: str, sharing: Sharing) -> None:
        try:
            await self._knowledge.share(source_id, sharing)
        except ChatDeskError as error:
            self._say(error)

    @in_task("pause reading files")
    async def _pause(self, source_id: str, is_paused: bool) -> None:
        await self._knowledge.pause(source_id, is_paused=is_paused)

    @in_task("try a question")
    async def _try(self, question: str) -> None:
        found = await self._knowledge.search(self._project_id, question, limit=_TRIED) if question.strip() else ()
        if self._shown is not None:
            self._shown.show_found(found, [title_of(each) for each in found])

    def _say(self, error: ChatDeskError) -> None:
        if self._shown is not None:
            self._shown.show_problem(error.sentence)
        else:
            raise error
