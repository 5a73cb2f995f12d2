"""Shows the dialogs that make invitations: an invitation for a person, a code for a computer of one's own."""

from __future__ import annotations

import asyncio
from pathlib import Path

from shiboken6 import isValid

from chatdesk.core.domain.sharing.team import TeamRole
from chatdesk.core.errors import NotPossible
from chatdesk.core.sync.address import reach_text
from chatdesk.core.system.file_writing import write_text
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text, tr
from chatdesk.ui.features.team.pages.team_invite import ComputerCodeDialog, InviteDialog
from chatdesk.ui.features.team.pages.team_roles import grantable
from chatdesk.ui.features.team.team_desk import TeamDesk


class TeamInviting:
    """Runs the dialogs that invite people and add devices."""

    def __init__(self, desk: TeamDesk) -> None:
        self._desk = desk
        self._team = desk.team

    async def invite(self, workspace_id: str = "", project_id: str | None = None) -> None:
        """Empty: to the first workspace."""
        workspace = await self._desk.workspace(workspace_id)
        names = await self._desk.project_names()
        projects = [
            (each.project_id, names.get(each.project_id, tr("A project")), grantable(each.role))
            for each in await self._team.records.projects()
            if each.workspace_id == workspace.id and each.ended is None and each.role.can_manage
        ]
        dialog = InviteDialog(
            self._desk.theme,
            workspace.name,
            projects,
            chosen=project_id,
            warning=reach_text(workspace.address.host),
            parent=self._desk.parent(),
        )

        async def invite(name: str, roles: dict[str, TeamRole], days: int) -> None:
            invitation = await self._team.membership.administration.invite(
                workspace.id, name, roles=roles, valid_days=days
            )
            if isValid(dialog):
                dialog.show_invitation(invitation)

        dialog.inviteRequested.connect(lambda *of: self._desk.do(dialog, lambda: invite(*of), "invite member"))
        dialog.saveRequested.connect(
            lambda *of: self._desk.do(dialog, lambda: self._save(dialog, *of), "save invitation")
        )
        dialog.open()

    async def add_computer(self, workspace_id: str) -> None:
        workspace = await self._desk.workspace(workspace_id)
        code = await self._team.membership.add_computer(workspace_id)
        dialog = ComputerCodeDialog(self._desk.theme, workspace.name, code, parent=self._desk.parent())
        dialog.saveRequested.connect(lambda *of: self._desk.do(dialog, lambda: self._save(dialog, *of), "save code"))
        dialog.open()

    async def _save(self, dialog: InviteDialog | ComputerCodeDialog, path: str, text: str) -> None:
        try:
            # private, because its owner can enter the workspace with it
            await asyncio.to_thread(write_text, Path(path), text)
        except OSError as error:
            raise NotPossible(
                Text("The file could not be written: {why}.", why=reason_text(error)),
                safe=Text("The code is still shown here."),
                next_step=Text("Choose another folder, or copy the code."),
            ) from error
        if isValid(dialog):
            dialog.show_saved(path)
