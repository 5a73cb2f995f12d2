"""Tool servers for tests: real processes over a real file of servers, with a keyring of the test's own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.chat.tool_calls.port import ToolLimits
from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.tools import Answer, ApprovalRequest, Caller, ServerKind, ToolServer
from chatdesk.core.events import EventBus
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.profile_id import ProfileId
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import SecretStore
from chatdesk.core.storage.chat.artifacts import ArtifactRepository
from chatdesk.core.tools.built_in import BuiltInServer
from chatdesk.core.tools.programs import ProgramFinder
from chatdesk.core.tools.tool_service import ToolService
from tests.helpers.accounts import MemoryKeyring
from tests.helpers.chat_world import ChatWorld, ScriptedProvider, chat_world
from tests.helpers.waiting import until

CALLER: Final = Caller("t1", "p1")
PROGRAM: Final = Path(__file__).with_name("tool_server.py")


def command(*arguments: str) -> tuple[str, ...]:
    """Return the command of the server for tests."""
    return (sys.executable, str(PROGRAM), *arguments)


def server(
    how: str = "", *, server_id: str = "notes", log: Path | None = None, script: Path | None = None, **more: object
) -> ToolServer:
    """Return a server for tests, bad in the way that ``how`` names or ``script`` says."""
    named = {"--how": how, "--log": log, "--script": script}
    arguments = [word for name, value in named.items() if value for word in (name, str(value))]
    return ToolServer(server_id, server_id.title(), ServerKind.COMMAND, command(*arguments), **more)  # type: ignore[arg-type]


def make_service(
    paths: AppPaths,
    *,
    keyring: MemoryKeyring | None = None,
    bus: EventBus | None = None,
    place: KeyPlace = KeyPlace.KEYRING,
    built_in: Sequence[BuiltInServer] = (),
) -> ToolService:
    ring = keyring or MemoryKeyring()
    secrets = SecretStore(
        register=lambda _value: None, environ={}, load_backend=lambda: ring, profile=ProfileId(paths.config_dir)
    )
    finder = ProgramFinder(environ={"PATH": os.environ["PATH"], "HOME": str(paths.data_dir)})
    bus = bus or EventBus()
    clock = Clock()
    return ToolService(paths, secrets, lambda: place, bus=bus, clock=clock, finder=finder, built_in=built_in)


@asynccontextmanager
async def tool_service(directory: Path, **options: object) -> AsyncIterator[ToolService]:
    """A service of tool servers in a directory, closed at the end."""
    paths = AppPaths.find(directory / "profile")
    paths.make_directories()
    service = make_service(paths, **options)  # type: ignore[arg-type]
    try:
        yield service
    finally:
        await service.close()


def processes_with(words: str) -> list[int]:
    """Return the processes whose command has ``words`` in it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\x00", b" ").decode("utf-8", "replace")
                is_dead = (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            except OSError:
                continue
            if words in line and not is_dead:
                found.append(int(entry.name))
    return found


@dataclass
class ToolWorld:
    """A chat service, the tools that its answers have, and what their server was made to do."""

    chat: ChatWorld
    tools: ToolService
    log: Path
    files: AttachmentService

    @property
    def runs(self) -> list[Any]:
        """The calls that the server ran."""
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()] if self.log.exists() else []

    async def ask(self, text: str = "hi") -> str:
        """Ask in a new thread; the id of the answer."""
        created = await self.chat.chat.create_thread(None, "", text)
        assert created.answer is not None
        return created.answer.id

    async def finished(self, answer_id: str) -> Message:
        message = await self.chat.finished(answer_id)
        assert isinstance(message, Message)
        return message

    async def asked(self) -> ApprovalRequest:
        """Wait for a call that waits for a person."""
        approvals = self.chat.chat.tools.approvals
        await until(approvals.waiting)
        return approvals.waiting()[0]

    def answer(self, request: ApprovalRequest, answer: Answer, arguments: dict[str, Any] | None = None) -> None:
        self.chat.chat.tools.approvals.answer(request.id, answer, arguments)


@asynccontextmanager
async def tool_world(
    folder: Path,
    *,
    limits: ToolLimits | None = None,
    how: str = "",
    script: Mapping[str, Any] | None = None,
    provider: ScriptedProvider | None = None,
) -> AsyncIterator[ToolWorld]:
    """Yield a chat service whose threads have the server of ``server``; ``script`` is what that lists and gives back
    besides."""
    log, scripted = folder / "log", folder / "script.json"
    if script is not None:
        scripted.write_text(json.dumps(script), encoding="utf-8")
    async with chat_world(folder, provider=provider) as chat, tool_service(folder, bus=chat.bus) as tools:
        await tools.save(server(how, log=log, script=None if script is None else scripted))

        async def load() -> ToolService:
            return tools

        files = AttachmentService(BlobStore(folder / "blobs"), ArtifactRepository(chat.database))
        chat.chat.tools.use(load, lambda: limits or ToolLimits(), files.add_bytes)
        try:
            yield ToolWorld(chat, tools, log, files)
            await chat.chat.close()
        finally:
            await files.close()
