"""Profiles of a team at a real PostgreSQL, in one process: what the tests and benchmarks of sync start from."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from chatdesk.core import events
from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.clock import Clock
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import PartType, Status
from chatdesk.core.domain.sharing.team import ServerAddress, SyncPhase, TeamMember, TeamRole, Workspace
from chatdesk.core.domain.turn import AnswerPlan, StreamChunk, TurnOutcome
from chatdesk.core.domain.usage import Usage
from chatdesk.core.events import EventBus
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import SecretStore
from chatdesk.core.storage.engine.own_device import own_device
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.storage.sync import team as sync_team
from chatdesk.core.sync.computers.keys import ComputerKeys
from chatdesk.core.sync.members.scram import verifier_of
from chatdesk.core.sync.members.team_passwords import SERVER_VARIABLE, VARIABLE, TeamPasswords, server_named
from chatdesk.core.sync.team_servers import Client, TeamServers
from chatdesk.core.sync.team_service import SyncTimes, TeamService
from chatdesk.core.sync.team_store.postgres import connect
from tests.helpers import shown_digest
from tests.helpers.postgres import TeamDatabase
from tests.helpers.waiting import PATIENCE_S, until

PLAN = AnswerPlan("offline", "demo")
_numbers = itertools.count(1)
_HEARD = (
    events.MessageAdded,
    events.MessageChanged,
    events.PathChanged,
    events.ThreadCreated,
    events.ThreadChanged,
    events.ThreadDeleted,
    events.ThreadsChanged,
    events.ProjectChanged,
    events.TagsChanged,
    events.ContextChanged,
    events.SyncStatusChanged,
    events.TeamChanged,
    events.PresenceChanged,
    events.UnreadChanged,
    events.SharedMessagesArrived,
    events.SharedFilesChanged,
)


class _Keyring:
    """Instead of the system's."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get_password(self, _service: str, name: str) -> str | None:
        return self.kept.get(name)

    def set_password(self, _service: str, name: str, value: str) -> None:
        self.kept[name] = value

    def delete_password(self, _service: str, name: str) -> None:
        self.kept.pop(name, None)


class Login(Protocol):
    """Who reaches the team's database, and as whom."""

    @property
    def address(self) -> ServerAddress: ...

    @property
    def password(self) -> str: ...


class Member:
    """A login of a team's database."""

    def __init__(self, address: ServerAddress, password: str, member_id: str, name: str) -> None:
        self.address = address
        self.password = password
        self.id = member_id
        self.name = name


def invite(team: TeamDatabase, name: str, roles: dict[str, TeamRole] | None = None) -> Member:
    """A member who accepted already."""
    login = f"{team.user[:9]}_member{next(_numbers)}"  # cd_ and six digits, as of its owner
    password = secrets.token_urlsafe(18)
    verifier = verifier_of(password)
    with team.connect() as conn:
        row = conn.execute(
            "SELECT cd.invite(%s, %s, %s, %s::jsonb, now() + interval '7 days')",
            (login, verifier, name, json.dumps({key: role.value for key, role in (roles or {}).items()})),
        ).fetchone()
    assert row is not None
    with team.connect(login, password) as conn:
        conn.execute("SELECT cd.accept_invite(%s, %s)", (name, verifier))
    return Member(replace(team.address, user=login), password, str(row[0]), name)


class Desk:
    """One computer's profile. ``heard``: the events that a window would get, in order."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock | None = None,
        poll_s: float = 25.0,
        stuck_s: float = 40.0,
        name: str = "Desk",
        version: str = "1",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.clock = clock or Clock()
        self.keyring = _Keyring()
        secret_store = SecretStore(
            register=lambda _value: None, environ=environ or {}, load_backend=lambda: self.keyring
        )
        self.passwords = TeamPasswords(secret_store, lambda: KeyPlace.KEYRING)
        self.keys = ComputerKeys(
            secret_store,
            lambda: KeyPlace.KEYRING,
            folder / "computers",
            self.clock,
            device=lambda: self.database.device_id,
        )
        self._poll_s = poll_s
        self._stuck_s = stuck_s
        self._client = Client(name, version)
        self.heard: list[Any] = []
        self.workspace_id = ""
        self._login: Login | None = None
        self.make_anew()

    def make_anew(self) -> None:
        """Build ChatDesk over the same folder, to be opened as if it had just been started."""
        self.database = ProfileDatabase(
            self.folder / "chatdesk.db", clock=self.clock, backup_dir=self.folder / "backups"
        )
        self.repositories = Repositories.of(self.database)
        self.blobs = BlobStore(self.folder / "blobs")
        self.bus = EventBus()
        for kind in _HEARD:
            self.bus.subscribe(kind, self.heard.append)
        self.team = TeamService(
            self.database,
            self.repositories,
            self.bus,
            self.clock,
            servers=TeamServers(self.passwords, self._client, self.keys.open),
            blobs=self.blobs,
            keys=self.keys,
            times=SyncTimes(self._poll_s, self._stuck_s),
        )

    async def open(self) -> None:
        await self.database.open()
        workspaces = await self.database.read(sync_team.workspaces)
        self.workspace_id = workspaces[0].id if workspaces else ""
        await self.team.start()

    async def close(self) -> None:
        await self.team.close()
        await self.database.close()

    async def reopen(self) -> None:
        """Close ChatDesk and start it again."""
        await self.close()
        self.make_anew()
        await self.open()

    async def join(self, login: Login, *, address: ServerAddress | None = None) -> str:
        """Become that member here; ``address`` if it is reached in another way, as through a proxy. The id of the
        workspace."""
        used = address or login.address

        def ask() -> Workspace:
            server = connect(used, login.password)
            try:
                hello = server.hello(self.database.device_id, name=self._client.name, version=self._client.version)
            finally:
                server.close()
            return Workspace(
                hello.workspace_id, hello.workspace_name, used, hello.member_id, hello.is_owner, self.clock.now_ms()
            )

        workspace = await asyncio.to_thread(ask)
        self.workspace_id = workspace.id
        self._login = login
        self.passwords.hold(workspace.id, login.password, workspace.address)
        await self.record_joined(workspace)
        return workspace.id

    async def record_joined(self, workspace: Workspace) -> None:
        """Also of a workspace that was parked."""
        await self.database.write(lambda conn: sync_team.add_workspace(conn, workspace))
        self.database.become(await self.database.read(own_device))
        await self.team.start()

    def variables(self) -> dict[str, str]:
        """The environment with which another process of this computer signs in as this one did."""
        assert self._login is not None
        return {VARIABLE: self._login.password, SERVER_VARIABLE: server_named(self._login.address)}

    # What a person does

    async def project(self, name: str = "Together") -> str:
        return (await self.repositories.projects.create(name)).id

    async def thread(self, project_id: str, title: str = "A thread") -> str:
        return (await self.repositories.threads.create(project_id, title, provider="offline", model="demo")).id

    async def ask(
        self, thread_id: str, text: str = "question", *, attachments: Sequence[Attachment] = ()
    ) -> tuple[str, str]:
        """A question with its finished answer."""
        question, answer, _ = await self.repositories.messages.add_question(
            thread_id, text, with_answer=PLAN, attachments=tuple(attachments)
        )
        assert answer is not None
        await self.repositories.messages.append_chunks(answer.id, [StreamChunk(0, PartType.TEXT, f"answer to {text}")])
        await self.repositories.messages.finish(
            answer.id, TurnOutcome(Status.COMPLETE, finished_at=self.clock.now_ms(), usage=Usage(3, 5))
        )
        return question.id, answer.id

    async def shared(self, name: str = "Together") -> str:
        """A project that is shared with the workspace."""
        project_id = await self.project(name)
        await self.team.sharing.share(project_id, self.workspace_id)
        return project_id

    # What is there

    async def texts(self, thread_id: str) -> list[str]:
        """The shown path."""
        page = await self.repositories.messages.page(thread_id, limit=1_000)
        return [message.text for message in page.messages]

    async def titles(self, project_id: str) -> list[str]:
        page = await self.repositories.library.page(ThreadQuery(project_id=project_id), limit=1_000)
        return sorted(thread.title for thread in page.threads)

    async def digest(self, project_id: str) -> str:
        return await self.database.read(lambda conn: shown_digest.digest(conn, project_id))

    async def one(self, statement: str, *values: object) -> Any:
        return await self.database.read(lambda conn: conn.exec_driver_sql(statement, values).scalar())

    async def waiting(self) -> int:
        """Changes that are not confirmed."""
        return int(
            await self.one(
                "SELECT count(*) FROM changes c JOIN shared_projects s ON s.project_id = c.project_id"
                " WHERE s.state <> 'ended' AND c.state IN (0, 4)"
            )
        )

    def heard_of(self, kind: type) -> list[Any]:
        return [event for event in self.heard if isinstance(event, kind)]

    @property
    def phase(self) -> SyncPhase:
        return self.team.status(self.workspace_id).phase


async def until_same(project_id: str, desks: Sequence[Desk], within_s: float = PATIENCE_S) -> str:
    """Wait until nothing is on its way and all hold the same; the digest."""

    async def is_same() -> bool:
        for desk in desks:
            if await desk.waiting():
                return False
        return len({await desk.digest(project_id) for desk in desks}) == 1

    await until(is_same, within_s=within_s)
    return await desks[0].digest(project_id)


async def member_of(desk: Desk, name: str) -> TeamMember:
    """Wait until a desk knows a member, who comes with another round than messages."""

    async def named() -> list[TeamMember]:
        return [each for each in await desk.team.records.members(desk.workspace_id) if each.name == name]

    await until(named)
    return (await named())[0]


@asynccontextmanager
async def desks(
    folder: Path, team: TeamDatabase, names: Sequence[str], *, role: TeamRole = TeamRole.EDITOR, poll_s: float = 25.0
) -> AsyncIterator[tuple[str, list[Desk]]]:
    """The owner's desk, then one for each name, and a project that all share with that role: (project, desks)."""
    made: list[Desk] = []
    try:
        for name, login in [("owner", team), *((name, None) for name in names)]:
            desk = Desk(folder / f"{name}{len(made)}", poll_s=poll_s, name=name)
            await desk.open()
            made.append(desk)
            if login is not None:
                await desk.join(login)
                project_id = await desk.shared()
            else:
                await desk.join(await asyncio.to_thread(invite, team, name, {project_id: role}))
        for desk in made:
            await until(lambda desk=desk: desk.team.known.shared_project(project_id) is not None)
        yield project_id, made
    finally:
        for desk in made:
            await desk.close()
