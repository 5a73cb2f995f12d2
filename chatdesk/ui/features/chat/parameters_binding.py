"""Opens the parameters dialog for the open thread or for a project."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.events import ContextChanged
from chatdesk.core.texts import Text, tr
from chatdesk.ui.features.chat.parameter_words import all_words, words_of
from chatdesk.ui.features.chat.parameters import ParametersDialog
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.widgets.buttons import ComposerChip
from chatdesk.ui.widgets.words import with_commas
from chatdesk.ui.window.window_context import Controller, WindowContext


class ParametersBinding(Controller):
    """Opens the parameters of a thread or of a project. A new chat becomes a thread, with its text as a draft, once it
    has parameters of its own: ``create_thread`` makes it, ``answering`` returns the provider and model that it asks."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        undo: UndoBinding,
        *,
        create_thread: Callable[[str | None], Awaitable[str]],
        answering: Callable[[], tuple[str | None, str | None]],
    ) -> None:
        super().__init__(context)
        self._create_thread = create_thread
        self._answering = answering
        panes = context.panes
        self._threads = threads
        self._undo = undo
        panes.commands.bind("thread.parameters", self.open)
        panes.commands.bind("project.parameters", self.open_project)
        self._chip: ComposerChip | None = None
        threads.opened.connect(lambda _thread: self.show())
        context.events.subscribe(self, ContextChanged, lambda _event: self.show())

    @in_task("show parameters", replaces=True)
    async def show(self) -> None:
        """Show beside the composer's plus which parameters the next answer is made with."""
        thread_id = self._threads.thread_id
        steering = self._open_thread.chat.context.steering
        if thread_id is None:
            project = self._threads.new_project or await self._open_thread.stored_chat.projects.default()
            parameters = await steering.project_parameters(project.id)
        else:
            own, wider = await steering.own_parameters(thread_id)
            parameters = own.over(wider)
        if not parameters.as_json() and self._chip is None:
            return

        if self._chip is None:
            self._chip = self._panes.composer.add_chip("parametersChip", "wrench")
            self._chip.clicked.connect(self.open)
        self._chip.setText(words_of(parameters))
        self._chip.set_name(tr("Parameters: {parameters}", parameters=with_commas(all_words(parameters))))
        self._chip.setVisible(bool(parameters.as_json()))

    def open(self) -> None:
        """Open the parameters dialog for the open thread or the new chat."""
        thread_id = self._threads.thread_id
        self._tasks.replace(self._edit_new() if thread_id is None else self._edit_thread(thread_id), "open parameters")

    @in_task("open parameters", replaces=True)
    async def open_project(self) -> None:
        """Open the parameters dialog for the project of the open thread."""
        chat = self._open_thread.chat
        thread = self._threads.open_thread
        projects = await chat.projects.list()
        default = self._threads.new_project or await chat.projects.default()
        project = next((each for each in projects if thread is not None and each.id == thread.project_id), default)
        dialog = ParametersDialog(
            self._panes.theme,
            await chat.context.steering.project_parameters(project.id),
            Parameters(),
            info=chat.context.models.info(project.provider, project.model),
            scope="project",
            name=project.name,
            parent=self._panes.window,
        )
        dialog.saved.connect(lambda parameters: self._save_project(project.id, parameters))
        dialog.open()

    async def _edit_new(self) -> None:
        chat = self._open_thread.chat
        project = self._threads.new_project or await chat.projects.default()
        dialog = ParametersDialog(
            self._panes.theme,
            Parameters(),
            await chat.context.steering.project_parameters(project.id),
            info=chat.context.models.info(*self._answering()),
            scope="new",
            name="",
            parent=self._panes.window,
        )
        dialog.saved.connect(lambda parameters: self._save_new(project.id, parameters))
        dialog.open()

    @in_task("keep parameters of a new chat", is_once=True)
    async def _save_new(self, project_id: str, parameters: Parameters) -> None:
        self._save_thread(await self._create_thread(project_id), parameters)

    async def _edit_thread(self, thread_id: str) -> None:
        chat = self._open_thread.chat
        own, wider = await chat.context.steering.own_parameters(thread_id)
        thread = await chat.get_thread(thread_id)
        dialog = ParametersDialog(
            self._panes.theme,
            own,
            wider,
            info=chat.context.models.info(thread.provider, thread.model),
            scope="thread",
            name=thread.title,
            parent=self._panes.window,
        )
        dialog.saved.connect(lambda parameters: self._save_thread(thread_id, parameters))
        dialog.open()

    @in_task("save parameters")
    async def _save_thread(self, thread_id: str, parameters: Parameters) -> None:
        with self._undo.change() as stack:
            await self._open_thread.chat.context.steering.set_thread_parameters(thread_id, parameters)
            stack.record_lasting(Text("change the parameters"), thread_id=thread_id)
        self._panes.pane.show_toast(tr("Saved. The next answer is made with these parameters."))

    @in_task("save parameters")
    async def _save_project(self, project_id: str, parameters: Parameters) -> None:
        with self._undo.change() as stack:
            await self._open_thread.chat.context.steering.set_project_parameters(project_id, parameters)
            stack.record_lasting(Text("change the parameters"))
        self._panes.pane.show_toast(tr("Saved for all threads of the project that have none of their own."))
