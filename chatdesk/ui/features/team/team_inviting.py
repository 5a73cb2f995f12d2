"""The dialogs that make invitations: an invitation for a person, a code for another computer of one's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from chatdesk.core.domain.sharing.team import TeamRole, Workspace
from chatdesk.core.errors import NotPossible
from chatdesk.core.sync.address import reach_text
from chatdesk.core.sync.team_service import TeamService
from chatdesk.core.system.file_writing import write_text
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text, tr
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.features.team.pages.team_invite import ComputerCodeDialog, InviteDialog
from chatdesk.ui.features.team.pages.team_roles import grantable
from chatdesk.ui.theme.theme import Theme


class TeamInviting:
    """Runs the dialogs that invite people and add devices. ``find`` gives a workspace by its id, ``do`` runs work of a
    dialog, ``parent`` is what a dialog opens over."""

    def __init__(
        self,
        theme: Theme,
        team: TeamService,
        *,
        project_names: Callable[[], Awaitable[Mapping[str, str]]],
        find: Callable[[str], Awaitable[Workspace]],
        do: Callable[[TaskPanel, Callable[[], Awaitable[None]], str], None],
        parent: Callable[[], QWidget],
    ) -> None:
        self._theme = theme
        self._team = team
        self._project_names = project_names
        self._find = find
        self._do = do
        self._parent = parent

    async def invite(self, workspace_id: str = "", project_id: str | None = None) -> None:
        """Empty: to the first workspace."""
        workspace = await self._find(workspace_id)
        names = await self._project_names()
        projects = [
            (each.project_id, names.get(each.project_id, tr("A project")), grantable(each.role))
            for each in await self._team.records.projects()
            if each.workspace_id == workspace.id and each.ended is None and each.role.can_manage
        ]
        dialog = InviteDialog(
            self._theme,
            workspace.name,
            projects,
            chosen=project_id,
            warning=reach_text(workspace.address.host),
            parent=self._parent(),
        )

        async def invite(name: str, roles: dict[str, TeamRole], days: int) -> None:
            invitation = await self._team.membership.administration.invite(
                workspace.id, name, roles=roles, valid_days=days
            )
            if isValid(dialog):
                dialog.show_invitation(invitation)

        dialog.inviteRequested.connect(lambda *of: self._do(dialog, lambda: invite(*of), "invite member"))
        dialog.saveRequested.connect(lambda *of: self._do(dialog, lambda: self._save(dialog, *of), "save invitation"))
        dialog.open()

    async def add_computer(self, workspace_id: str) -> None:
        workspace = await self._find(workspace_id)
        code = await self._team.membership.add_computer(workspace_id)
        dialog = ComputerCodeDialog(self._theme, workspace.name, code, parent=self._parent())
        dialog.saveRequested.connect(lambda *of: self._do(dialog, lambda: self._save(dialog, *of), "save code"))
        dialog.open()

    async def _save(self, dialog: InviteDialog | ComputerCodeDialog, path: str, text: str) -> None:
        try:
            await asyncio.to_thread(write_text, Path(path), text)  # for this person alone: it lets whoever has it in
        except OSError as error:
            raise NotPossible(
                Text("The file could not be written: {why}.", why=reason_text(error)),
                safe=Text("The code is still shown here."),
                next_step=Text("Choose another folder, or copy the code."),
            ) from error
        if isValid(dialog):
            dialog.show_saved(path)
