"""Connects the window with team sync: its commands, its page of the settings, and invitations that come as files.

Small, because every window has it: the dialogs and the service are imported on first use.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QDropEvent
from shiboken6 import isValid

from chatdesk.core.events import SyncStatusChanged, TeamChanged
from chatdesk.core.system.background_import import import_beside
from chatdesk.core.texts import tr
from chatdesk.services.services import Services
from chatdesk.ui.features.library.thread_list_binding import ThreadListBinding
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.team.pages.team_page import TeamPage
from chatdesk.ui.widgets.local_files import only_path_in
from chatdesk.ui.window.window_context import Controller, WindowContext

if TYPE_CHECKING:  # imported only with a team
    from chatdesk.ui.features.team.team_dialogs import TeamDialogs

_PAGE = "Team sync"
_INVITATION = ".chatdesk-invite"
_TOGETHER_MS = 100  # news of a team come in bursts

Work = Callable[["TeamDialogs"], Coroutine[Any, Any, None]]


class TeamBinding(Controller):
    """Controller of team sync in a window."""

    def __init__(
        self,
        context: WindowContext,
        settings: SettingsBinding,
        lists: ThreadListBinding,
        *,
        services: Services,
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._settings = settings
        self._lists = lists
        self._services = services
        self._context = context
        self._is_joined = False
        self._is_over = False
        self._dialogs: TeamDialogs | None = None
        self._page: TeamPage | None = None
        self._words_for_page = ""
        self._dialog: SettingsDialog | None = None
        self._soon = QTimer(self, singleShot=True, interval=_TOGETHER_MS)
        self._soon.timeout.connect(self._read_again)
        settings.dialogMade.connect(self._on_settings_dialog_made)
        for command_id, run in {"team.settings": self.open_page, "team.join": self.open_join}.items():
            panes.commands.bind(command_id, run)
        panes.commands.bind("project.share", lambda: self._run(lambda dialogs: dialogs.sharing.open_share(), "share"))
        panes.commands.describe("project.share", title=self._title_of_share)
        for command_id, work in {
            "team.details": lambda dialogs: dialogs.details.open(),
            "team.invite": lambda dialogs: dialogs.inviting.invite(),
            "team.sync": lambda dialogs: dialogs.details.sync_now(),
        }.items():
            panes.commands.bind(command_id, partial(self._run, work, command_id), lambda: self._is_joined)
        panes.window.installEventFilter(self)
        context.events.subscribe(self, TeamChanged, self._on_team_changed)
        context.events.subscribe(self, SyncStatusChanged, self._on_sync_status_changed)

    def end(self) -> None:
        """Ignore all later events, because the window closes."""
        self._is_over = True
        self._soon.stop()

    # Ways in

    def open_page(self, words: str = "") -> None:
        """Open the settings at the page of team sync, with ``words`` on it, which may still have to be made."""
        self._words_for_page = words
        if self._page is not None and isValid(self._page):
            self._page.show_result(words)
        if self._dialog is not None and isValid(self._dialog) and self._dialog.isVisible():
            self._dialog.show_page(_PAGE)
        else:
            self._settings.open(_PAGE)

    def open_join(self, text: str = "") -> None:
        """*Join a workspace* with an invitation that came from outside: nothing is sent before a person agrees."""
        self._run(lambda dialogs: dialogs.onboarding.join(text), "join")

    def _title_of_share(self) -> str:
        project = self._lists.project
        is_shared = project is not None and project.id in self._panes.sidebar.shared
        return tr("Change how the project is shared…") if is_shared else tr("Share project…")

    def open_if_invitation(self, path: Path) -> bool:
        """Open a file if it is an invitation, and return whether it is one."""
        if not path.name.lower().endswith(_INVITATION):
            return False
        self._run(lambda dialogs: dialogs.onboarding.join_file(path), "join")
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Accept invitations that are dropped on widgets that take no files themselves."""
        if event.type() in (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop):
            assert isinstance(event, QDropEvent)
            path = only_path_in(event.mimeData())
            if path.lower().endswith(_INVITATION):
                event.acceptProposedAction()
                if event.type() == QEvent.Type.Drop:
                    self.open_if_invitation(Path(path))
                return True
        return super().eventFilter(watched, event)

    # The page

    def _on_settings_dialog_made(self, dialog: SettingsDialog) -> None:
        """Add the page of team sync to the settings; it is filled when it is opened."""
        self._dialog = dialog
        dialog.fill_page(_PAGE, self._make_page)

    def _make_page(self) -> TeamPage:
        page = self._page = TeamPage(self._panes.theme)
        page.show_result(self._words_for_page)
        for signal, work in (
            (page.createRequested, lambda dialogs: dialogs.onboarding.create()),
            (page.joinRequested, lambda dialogs: dialogs.onboarding.join("")),
            (page.inviteRequested, lambda dialogs, *of: dialogs.inviting.invite(*of)),
            (page.computerRequested, lambda dialogs, *of: dialogs.inviting.add_computer(*of)),
            (page.renameRequested, lambda dialogs, *of: dialogs.rename(*of)),
            (page.moveRequested, lambda dialogs, *of: dialogs.server.move(*of)),
            (page.leaveRequested, lambda dialogs, *of: dialogs.leave(*of)),
            (page.joinAgainRequested, lambda dialogs, *of: dialogs.join_again(*of)),
            (page.parkedLeaveRequested, lambda dialogs, *of: dialogs.leave_parked(*of)),
            (page.passwordRequested, lambda dialogs, *of: dialogs.ask_password(*of)),
            (page.detailsRequested, lambda dialogs, *of: dialogs.details.open(*of)),
            (page.projectRequested, lambda dialogs, *of: dialogs.sharing.open_shared(*of)),
            (page.memberRequested, lambda dialogs, *of: dialogs.member(*of)),
            (page.deviceRemoveRequested, lambda dialogs, *of: dialogs.remove_device(*of)),
        ):
            signal.connect(lambda *of, work=work: self._run(lambda dialogs: work(dialogs, *of), "team page"))
        self._tasks.replace(self._fill_page(), "team page is filled")
        return page

    async def _fill_page(self) -> None:
        if not await self._services.team_is_joined():
            if self._page is not None and isValid(self._page):
                self._page.show_workspaces((), now_ms=0)
            return
        await (await self._made()).fill_page()

    # Events

    def _on_team_changed(self, _event: object) -> None:
        if not self._is_over:
            self._soon.start()

    def _on_sync_status_changed(self, event: SyncStatusChanged) -> None:
        self._is_joined = True
        if self._page is not None and isValid(self._page):
            self._page.show_status(event.status)
        if self._dialogs is not None:
            self._dialogs.sharing.show_status(event.status)
            self._dialogs.details.show_status(event.status)

    def _read_again(self) -> None:
        self._tasks.replace(self._refresh(), "team changed")

    async def _refresh(self) -> None:
        self._is_joined = await self._services.team_is_joined()
        self._panes.commands.refresh()
        if self._page is not None and isValid(self._page):
            await self._fill_page()

    # The dialogs

    def _run(self, work: Work, name: str) -> None:
        async def run() -> None:
            dialogs = await self._made()
            await dialogs.desk.run(work(dialogs))

        self._tasks.start(run(), f"team: {name}")

    async def _made(self) -> TeamDialogs:
        if self._dialogs is None:
            module = await import_beside("chatdesk.ui.features.team.team_dialogs")
            team = await self._services.load_team()
            if self._dialogs is None:
                desk = module.TeamDesk(
                    self._context,
                    self._services,
                    team,
                    page=lambda: self._page if self._page is not None and isValid(self._page) else None,
                    settings=lambda: self._dialog if self._dialog is not None and isValid(self._dialog) else None,
                    open_page=self.open_page,
                )
                self._dialogs = module.TeamDialogs(desk, self._lists)
        assert self._dialogs is not None
        return self._dialogs
