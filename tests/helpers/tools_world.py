"""Tool servers for tests: real processes over a real file of servers, with a keyring of the test's own."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from chatdesk.core.clock import SystemClock
from chatdesk.core.domain.tools import ServerKind, ToolServer
from chatdesk.core.events import EventBus
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.profile_id import ProfileId
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import SecretStore
from chatdesk.core.tools.programs import ProgramFinder
from chatdesk.core.tools.service import ToolService
from tests.helpers.accounts import MemoryKeyring

PROGRAM: Final = Path(__file__).with_name("tool_server.py")


def command(*arguments: str) -> tuple[str, ...]:
    """Return the command of the server for tests."""
    return (sys.executable, str(PROGRAM), *arguments)


def server(how: str = "", *, server_id: str = "notes", log: Path | None = None, **more: object) -> ToolServer:
    """Return a server for tests, bad in the way that ``how`` names."""
    arguments = [*(("--how", how) if how else ()), *(("--log", str(log)) if log else ())]
    return ToolServer(server_id, server_id.title(), ServerKind.COMMAND, command(*arguments), **more)  # type: ignore[arg-type]


def make_service(
    paths: AppPaths,
    *,
    keyring: MemoryKeyring | None = None,
    bus: EventBus | None = None,
    place: KeyPlace = KeyPlace.KEYRING,
) -> ToolService:
    ring = keyring or MemoryKeyring()
    secrets = SecretStore(
        register=lambda _value: None, environ={}, load_backend=lambda: ring, profile=ProfileId(paths.config_dir)
    )
    finder = ProgramFinder(environ={"PATH": os.environ["PATH"], "HOME": str(paths.data_dir)})
    return ToolService(paths, secrets, lambda: place, bus=bus or EventBus(), clock=SystemClock(), finder=finder)


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
