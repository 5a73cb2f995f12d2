"""Opens the ways into a workspace: creating one, joining by an invitation, or signing in to one that was set up by
hand."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from shiboken6 import isValid

from chatdesk.core.domain.sharing.team import ServerAddress, ShareState, Workspace
from chatdesk.core.errors import NotPossible
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.sync.address import read_address
from chatdesk.core.sync.members.team_passwords import PasswordNotKept
from chatdesk.core.texts import Text, tr
from chatdesk.ui.features.team.pages.team_create import CreateWorkspaceDialog
from chatdesk.ui.features.team.pages.team_join import JoinWorkspaceDialog, read_file
from chatdesk.ui.features.team.team_desk import TeamDesk

# How often, and how many times, it is looked whether anything of a joined workspace is here.
_LOOK_EVERY_S: Final = 0.5
_MOST_LOOKS: Final = 240


class TeamOnboarding:
    """Runs the dialogs that create or join a workspace. ``invite`` takes the id of a workspace."""

    def __init__(
        self, desk: TeamDesk, *, invite: Callable[[str], Awaitable[None]], open_project: Callable[[str], object]
    ) -> None:
        self._desk = desk
        self._team = desk.team
        self._services = desk.services
        self._invite = invite
        self._open_project = open_project

    async def create(self) -> None:
        self._refuse_read_only()
        dialog = CreateWorkspaceDialog(self._desk.theme, read_address, my_name=_my_name(), parent=self._desk.parent())
        membership = self._team.membership
        made: list[Workspace] = []

        async def check(address: ServerAddress, password: str) -> None:
            checks = await membership.examine(address, password)
            if isValid(dialog):
                dialog.show_checks(checks)

        async def set_up(name: str, my_name: str, address: ServerAddress, password: str) -> None:
            async with self._keeping(dialog):
                made.append(await membership.create_workspace(name, my_name, address, password=password))
            if isValid(dialog):
                dialog.show_done(name)
            else:
                self._desk.show_text(tr("The workspace “{name}” is ready.", name=name))

        async def sign_in(address: ServerAddress, password: str) -> None:
            async with self._keeping(dialog):
                workspace = await membership.sign_in(address, password=password)
            self._desk.finish(dialog, tr("You are in “{name}”.", name=workspace.name))

        dialog.checkRequested.connect(lambda *of: self._desk.do(dialog, lambda: check(*of), "check database"))
        dialog.signInRequested.connect(lambda *of: self._desk.do(dialog, lambda: sign_in(*of), "sign in"))
        dialog.setUpRequested.connect(lambda *of: self._desk.do(dialog, lambda: set_up(*of), "set up workspace"))
        dialog.keep.given.connect(lambda text: self._keep_in_file(dialog, text))
        dialog.inviteRequested.connect(lambda: self._desk.do(dialog, lambda: self._invite(made[-1].id), "invite"))
        dialog.open()

    async def join_file(self, path: Path) -> None:
        text = await asyncio.to_thread(read_file, path)
        if text is None:
            raise NotPossible(
                Text("{name} cannot be read as an invitation.", name=visible_controls(path.name)),
                safe=Text("Nothing was sent."),
                next_step=Text("Ask for the code as text."),
            )
        await self.join(text)

    async def join(self, text: str) -> None:
        self._refuse_read_only()
        membership = self._team.membership
        dialog = JoinWorkspaceDialog(
            self._desk.theme, membership.read_invitation, text=text, parent=self._desk.parent()
        )

        async def join(code: str, my_name: str, passphrase: str, allows: bool) -> None:
            async with self._keeping(dialog):
                workspace = await membership.join(
                    code, my_name, passphrase=passphrase or None, allows_unencrypted=allows
                )
            self._desk.finish(
                dialog,
                tr(
                    "You are in “{name}” as {member}. What is shared with you comes in now.",
                    name=workspace.name,
                    member=workspace.member_name,
                ),
            )
            self._desk.tasks.start(self._lead_to_shared(workspace), "team: lead to what is shared")

        dialog.keep.given.connect(lambda text: self._keep_in_file(dialog, text))
        dialog.joinRequested.connect(lambda *of: self._desk.do(dialog, lambda: join(*of), "join workspace"))
        dialog.open()

    async def _lead_to_shared(self, workspace: Workspace) -> None:
        """Offer to open the shared projects as soon as they are here: the window still shows a project of one's own,
        which may have the same name."""
        for _ in range(_MOST_LOOKS):
            shared = {
                each.project_id
                for each in await self._team.records.projects()
                if each.workspace_id == workspace.id and each.state is ShareState.SHARED and each.seq
            }
            named = [each for each in await self._services.library.projects.list() if each.id in shared]
            if named:
                first = named[0]
                words = _here_words(first.name, len(named) - 1, workspace.name)
                # Settings are over the window, and the toast would go unseen.
                while self._desk.parent() is not self._desk.panes.window:  # noqa: ASYNC110 - as above, by looking
                    await asyncio.sleep(_LOOK_EVERY_S)
                self._desk.panes.window.show_toast(words, tr("Open"), partial(self._open_project, first.id))
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    @asynccontextmanager
    async def _keeping(self, dialog: CreateWorkspaceDialog | JoinWorkspaceDialog) -> AsyncIterator[None]:
        """Let the dialog offer the encrypted file where the password cannot be kept for lack of a keyring."""
        try:
            yield
        except PasswordNotKept:
            state = await self._services.provider_service.keys.state()
            if isValid(dialog):
                dialog.keep.offer(has_file=state.has_file)
            raise

    def _keep_in_file(self, dialog: CreateWorkspaceDialog | JoinWorkspaceDialog, passphrase: str) -> None:
        async def work() -> None:
            await self._services.provider_service.keys.choose_place(KeyPlace.FILE, passphrase=passphrase)
            if isValid(dialog):
                dialog.go_on()

        self._desk.do_busy(dialog, work, tr("Opening the file of keys…"))

    def _refuse_read_only(self) -> None:
        """Refuse to go on in a profile that cannot be written, because it could not store a workspace."""
        if self._services.read_only_reason is not None:
            raise self._services.read_only_reason


def _my_name() -> str:
    """Return a first guess at the person's name, which they see and can change."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _here_words(name: str, more: int, workspace: str) -> str:
    if more:
        return tr("“{name}” and {more} more of “{workspace}” have arrived.", name=name, more=more, workspace=workspace)
    return tr("“{name}” of “{workspace}” has arrived.", name=name, workspace=workspace)
