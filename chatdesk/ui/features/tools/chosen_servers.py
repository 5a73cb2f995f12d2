"""Shows below the text which tool servers are on in the open thread, and switches them there or in its project."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from PySide6.QtWidgets import QMenu

from chatdesk.core.domain.tools import Answer, ToolServer
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import ToolServersChanged
from chatdesk.core.hidden_characters import told_apart, visible_controls
from chatdesk.core.texts import plural, shown, tr
from chatdesk.core.tools.tool_service import ToolService
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.widgets.buttons import ComposerChip
from chatdesk.ui.widgets.words import with_commas
from chatdesk.ui.window.window_context import Controller, WindowContext


class ChosenServers(Controller):
    """Chooses the tool servers of a thread. ``in_use`` returns the service of tool servers; None if no server is set
    up: then there is no chip and no ``menu``. A new chat becomes a thread with ``create_thread`` once a server is
    chosen."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        *,
        in_use: Callable[[], Awaitable[ToolService | None]],
        create_thread: Callable[[str | None], Awaitable[str]],
    ) -> None:
        super().__init__(context)
        self._create_thread = create_thread
        self._threads = threads
        self._in_use = in_use
        self._button: ComposerChip | None = None
        # The switches of the servers; None while no server is on.
        self.menu: QMenu | None = None
        threads.opened.connect(lambda _thread: self.show())
        context.events.subscribe(self, ToolServersChanged, lambda _event: self.show())

    @in_task("show chosen tool servers", replaces=True)
    async def show(self) -> None:
        """Show the servers of the open thread."""
        service = await self._in_use()
        if service is None:
            return
        thread = self._threads.open_thread
        thread_id = None if thread is None else thread.id
        project_id = await self._project_id() if thread is None else thread.project_id
        on = service.on_for(thread_id=thread_id, project_id=project_id)
        before, self.menu = self.menu, None
        if before is not None:
            before.setObjectName("")
            before.deleteLater()
        if any(each.is_on for each in service.servers):
            self.menu = self._menu(service, on, thread_id, project_id)
        if not on:
            if self._button is not None:
                self._button.hide()
            return
        button = self._button = self._button or self._panes.composer.add_chip("toolsButton", "hammer")
        names = with_commas(_names(service)[each.id] for each in on)
        is_one = len(on) == 1
        button.setText(names if is_one else shown(plural("{count} tool servers", "{count} tool server", len(on))))
        button.set_name(tr("Tools in this thread: {names}", names=names))
        button.set_menu(self.menu)
        button.show()

    async def _project_id(self) -> str:
        """Return the project in which a new chat begins."""
        return (self._threads.new_project or await self._open_thread.chat.projects.default()).id

    def _menu(self, service: ToolService, on: Sequence[ToolServer], thread_id: str | None, project_id: str) -> QMenu:
        menu = QMenu(tr("Tools"), self._panes.composer)
        menu.setObjectName("toolsMenu")
        round_corners(menu, self._panes.theme.tokens.radius.row)
        chosen, names = [each.id for each in on], _names(service)
        for server in service.servers:
            is_there = not server.is_of_project or service.folders.of(project_id) is not None
            if server.is_on and is_there:
                action = menu.addAction(names[server.id].replace("&", "&&"))
                action.setObjectName(f"toolsServer_{server.id}")
                action.setCheckable(True)
                action.setChecked(server.id in chosen)
                wanted = [each for each in chosen if each != server.id]
                wanted += [] if server.id in chosen else [server.id]
                action.triggered.connect(partial(self._choose_here, service, thread_id, project_id, wanted))
        folder = service.folders.of(project_id)
        if folder is not None:
            menu.addSeparator()
            line = menu.addAction(tr("Folder: {folder}", folder=visible_controls(str(folder))).replace("&", "&&"))
            line.setObjectName("toolsFolder")
            line.setEnabled(False)
        menu.addSeparator()
        if thread_id is not None:
            menu.addAction(
                tr("As in the project"), partial(self._choose, service, Answer.THREAD, thread_id, None)
            ).setObjectName("toolsAsElsewhere")
            menu.addAction(
                tr("Use these in the whole project"), partial(self._choose, service, Answer.PROJECT, project_id, chosen)
            ).setObjectName("toolsForProject")
        menu.addAction(tr("Tool servers…"), lambda: self._panes.commands.trigger("app.tools"))
        return menu

    @in_task("choose tool servers here", is_once=True)
    async def _choose_here(
        self,
        service: ToolService,
        thread_id: str | None,
        project_id: str,
        server_ids: Sequence[str],
        _is_checked: bool = False,
    ) -> None:
        self._choose(service, Answer.THREAD, thread_id or await self._create_thread(project_id), server_ids)

    @in_task("choose tool servers")
    async def _choose(
        self,
        service: ToolService,
        scope: Answer,
        scope_id: str,
        server_ids: Sequence[str] | None,
        _is_checked: bool = False,
    ) -> None:
        try:
            await service.choose(scope, scope_id, server_ids)
        except ChatDeskError as error:
            self._panes.pane.show_toast(shown(error.sentence))


def _names(service: ToolService) -> dict[str, str]:
    return told_apart({each.id: shown(each.name) for each in service.servers})
