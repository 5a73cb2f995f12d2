"""A window with a team whose services are doubles, and how its dialogs are pressed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from chatdesk.core.domain.sharing.lost_changes import LostChanges
from chatdesk.core.domain.sharing.team import (
    RefusedChange,
    ServerCheck,
    ShareCount,
    SharedProject,
    SyncRound,
    SyncStatus,
    TeamMember,
    TeamRole,
    Workspace,
)
from chatdesk.core.events import TeamChanged
from chatdesk.services.services import Services
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.team.pages.team_page import TeamPage
from tests.gallery import team_samples as samples
from tests.helpers.window import until

Kind = TypeVar("Kind", bound=QWidget)


class Membership:
    """Notes what it was asked for; ``refuses`` is raised by everything that needs the server."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.refuses: Exception | None = None

    def _note(self, *words: Any) -> None:
        self.asked.append(words)
        if self.refuses is not None:
            raise self.refuses

    @property
    def administration(self) -> Membership:
        """It plays that service, too."""
        return self

    async def examine(self, address: Any, password: str) -> Any:
        self._note("examine", address.host, password)
        return samples.CHECKS[:2]

    async def create_workspace(self, name: str, my_name: str, address: Any, *, password: str) -> Workspace:
        self._note("create", name, my_name, password)
        return samples.WORKSPACE

    async def sign_in(self, address: Any, *, password: str) -> Workspace:
        self._note("sign in", address.user, password)
        return samples.WORKSPACE

    def read_invitation(self, text: str) -> Any:
        return samples.read_invitation(text)

    async def join(self, text: str, my_name: str, *, passphrase: str | None, allows_unencrypted: bool) -> Workspace:
        self._note("join", text, my_name, passphrase, allows_unencrypted)
        return samples.WORKSPACE

    async def invite(self, workspace_id: str, name: str, *, roles: Mapping[str, TeamRole], valid_days: int) -> Any:
        self._note("invite", workspace_id, name, dict(roles), valid_days)
        return samples.INVITATION

    async def add_computer(self, workspace_id: str) -> Any:
        self._note("computer", workspace_id)
        return samples.COMPUTER

    async def move(self, workspace_id: str, address: Any) -> None:
        self._note("move", workspace_id, address)

    async def leave(self, workspace_id: str, *, for_good: bool = False) -> None:
        self._note("leave", workspace_id, for_good)

    async def set_role(self, _project_id: str, member_id: str, role: TeamRole | None) -> None:
        self._note("role", member_id, role)

    async def remove_member(self, workspace_id: str, member_id: str) -> None:
        self._note("remove", workspace_id, member_id)

    async def remove_device(self, workspace_id: str, device_id: str) -> None:
        self._note("remove device", workspace_id, device_id)

    async def rename_me(self, workspace_id: str, name: str) -> None:
        self._note("rename", workspace_id, name)

    async def rename_workspace(self, workspace_id: str, name: str) -> None:
        self._note("rename workspace", workspace_id, name)

    async def set_workspace_owner(self, workspace_id: str, member_id: str, *, is_owner: bool) -> None:
        self._note("owner", workspace_id, member_id, is_owner)

    async def change_password(self, workspace_id: str) -> None:
        self._note("new password", workspace_id)

    async def enter_password(self, workspace_id: str, password: str) -> None:
        self._note("password", workspace_id, password)


class Erasing:
    """How long projects keep their messages; ``note`` is told what was asked for."""

    def __init__(self, note: Callable[..., None]) -> None:
        self.days: dict[str, int | None] = {}
        self._note = note

    async def set_retention(self, project_id: str, days: int | None) -> None:
        self._note("keep", days)
        self.days[project_id] = days

    async def retention(self, project_id: str) -> int | None:
        return self.days.get(project_id)


class Team:
    """Stands for the service: one workspace, with the people and projects of the gallery."""

    def __init__(self) -> None:
        self.membership = Membership()
        self.found: tuple[Workspace, ...] = (samples.WORKSPACE,)
        self.shared: dict[str, SharedProject] = {}
        self.now = samples.SYNCED
        self.refused_changes: tuple[RefusedChange, ...] = samples.CHANGES
        self.lost: tuple[LostChanges, ...] = ()
        self.asked: list[tuple[Any, ...]] = []
        self.erasing = Erasing(self._note)

    def _note(self, *words: Any) -> None:
        self.asked.append(words)
        if self.membership.refuses is not None:
            raise self.membership.refuses

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def parked(self) -> tuple[Workspace, ...]:
        return ()

    async def workspaces(self) -> tuple[Workspace, ...]:
        return self.found

    def status(self, _workspace_id: str) -> SyncStatus:
        return self.now

    def statuses(self) -> tuple[SyncStatus, ...]:
        return (self.now,)

    def sync_now(self, workspace_id: str | None = None) -> None:
        self.asked.append(("sync", workspace_id))

    async def rounds(self, _workspace_id: str, _limit: int = 100) -> tuple[SyncRound, ...]:
        return samples.ROUNDS

    async def check(self, workspace_id: str) -> ServerCheck:
        self._note("check", workspace_id)
        return ServerCheck(self.lost)

    async def accept(self, lost: LostChanges) -> None:
        self._note("go on", lost.project_id)

    async def members(self, _workspace_id: str) -> tuple[TeamMember, ...]:
        return samples.MEMBERS

    async def devices(self, _workspace_id: str) -> Any:
        return samples.DEVICES

    def member_name(self, member_id: str) -> str:
        return member_id

    def pop_ended(self) -> tuple[SharedProject, ...]:
        return ()

    def pop_let_in(self) -> tuple[SharedProject, ...]:
        return ()

    async def projects(self) -> tuple[SharedProject, ...]:
        return tuple(self.shared.values())

    def shared_project(self, project_id: str) -> SharedProject | None:
        return self.shared.get(project_id)

    async def share_count(self, _project_id: str) -> ShareCount:
        return ShareCount(1, 2, 0, 0)

    async def share(self, project_id: str, workspace_id: str) -> None:
        self._note("share", workspace_id)
        self.shared[project_id] = replace(samples.RESEARCH, project_id=project_id)

    async def unshare(self, project_id: str, *, and_erase: bool = False) -> None:
        self._note("unshare", *(["and erase"] if and_erase else []))
        del self.shared[project_id]

    @property
    def decisions(self) -> Any:
        """It plays that service, too, and those below."""
        return self

    known = records = sharing = checks = decisions

    async def refused(self) -> tuple[RefusedChange, ...]:
        return self.refused_changes

    async def retry_refused(self, ids: list[str]) -> None:
        self._note("retry", ids)

    async def forget_refused(self, ids: list[str]) -> None:
        self._note("forget", ids)
        self.refused_changes = ()

    async def notes(self, _thread_id: str) -> tuple[()]:
        return ()

    def unread(self) -> dict[str, int]:
        return {}

    async def mark_read(self, _thread_id: str) -> None: ...

    def set_presence(self, *_args: Any, **_named: Any) -> None: ...

    def presence(self, _project_id: str) -> tuple[()]:
        return ()

    def file_state(self, _sha256: str) -> str:
        return ""


def install(monkeypatch: pytest.MonkeyPatch) -> Team:
    """Every window of this test has this team."""
    made = Team()

    async def is_joined(_services: Services) -> bool:
        return bool(made.found)

    async def load(_services: Services) -> Team:
        return made

    monkeypatch.setattr(Services, "team_is_joined", is_joined)
    monkeypatch.setattr(Services, "load_team", load)
    monkeypatch.setattr(Services, "team", property(lambda _services: made))
    return made


async def shown(kind: type[Kind]) -> Kind:
    def found() -> Kind | None:
        return next((each for each in QApplication.allWidgets() if isinstance(each, kind) and each.isVisible()), None)

    await until(found)
    widget = found()
    assert widget is not None
    await asyncio.sleep(0)
    return widget


async def pressed(root: QWidget, name: str) -> None:
    def button() -> QPushButton | None:
        return next((each for each in root.findChildren(QPushButton, name) if each.isVisible()), None)

    await until(lambda: button() is not None and button().isEnabled())  # type: ignore[union-attr]
    found = button()
    assert found is not None
    found.click()


async def gone(kind: type[QWidget]) -> None:
    await until(lambda: not any(isinstance(each, kind) and each.isVisible() for each in QApplication.allWidgets()))


async def page_of(application: WindowApplication) -> TeamPage:
    await application.services()
    application.panes.commands.trigger("team.settings")
    page = await shown(TeamPage)
    await until(lambda: page.findChild(QPushButton, "teamInvite") is not None)
    return page


async def joined(application: WindowApplication, team: Team) -> str:
    """The window knows of the workspace; the default project's id, which is shared as *Research*."""
    services = await application.services()
    project = await services.chat.projects.default()
    team.shared[project.id] = replace(samples.RESEARCH, project_id=project.id)
    services.events.publish(TeamChanged())
    await until(lambda: application.panes.commands.is_enabled("team.details"))
    return project.id
