"""A data directory whose owner listens, what a hostile process says to it, and loops to run both on."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from chatdesk.core.local_api.instance import WINDOW, Holder, InstanceLock, read_holder
from chatdesk.core.local_api.listener import InstanceServer, Limits, Verb
from chatdesk.ui.qt.async_tasks import run_until_done

NOBODY = 65534
is_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root, to become another user in a child"
)


async def two_events(request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    yield {"event": "text", "delta": request.get("text")}
    yield {"event": "finish"}


async def raised(_request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    yield {"event": "raised"}


@asynccontextmanager
async def owner_of(
    data_dir: Path, verbs: dict[str, Verb] | None = None, *, limits: Limits | None = None, purpose: str = WINDOW
) -> AsyncIterator[InstanceServer]:
    """Own ``data_dir`` and listen."""
    lock = InstanceLock(data_dir, purpose=purpose, listens=True)
    assert lock.acquire()
    server = InstanceServer(
        lock,
        data_dir / "instance.sock",
        {"ask": two_events, "raise": raised} if verbs is None else verbs,
        limits=limits,
    )
    try:
        await server.start()
        yield server
    finally:
        await server.close()
        lock.release()


def holder_of(data_dir: Path) -> Holder:
    holder = read_holder(data_dir)
    assert holder is not None
    assert holder.address
    return holder


def connected(data_dir: Path) -> socket.socket:
    """A connection as anybody could make it; nothing was said on it yet."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(holder_of(data_dir).address)  # one with a time limit is turned away where many wait
    connection.settimeout(20)
    return connection


async def said(data_dir: Path, *pieces: bytes) -> bytes:
    """What the owner answers to these bytes until it closes the connection."""

    def talk() -> bytes:
        with connected(data_dir) as connection:
            answer = b""
            try:
                for piece in pieces:
                    connection.sendall(piece)
                while got := connection.recv(65536):
                    answer += got
            except (BrokenPipeError, ConnectionResetError):
                pass
            return answer

    return await asyncio.to_thread(talk)


def run_on(kind: str, work: Callable[[], Awaitable[None]]) -> list[dict[str, Any]]:
    """Run ``work`` on asyncio's loop or on the window's; returns what reached the loop's exception handler, which makes
    crash reports of it in a window."""
    told: list[dict[str, Any]] = []

    async def main() -> int:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
        async with asyncio.timeout(60):
            await work()
        return 0

    if kind == "asyncio":
        asyncio.run(main())
    else:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        run_until_done(app, main)
        gc.collect()  # here, not on some thread of a later test: the loop has made objects of Qt
    return told


def as_nobody(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python as another user of the computer."""
    # Imported before: Python's library may be where others cannot read it.
    become = f"import os, socket, time; os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
    return subprocess.run(
        [sys.executable, "-I", "-c", become + textwrap.dedent(code), *arguments],
        capture_output=True, text=True, timeout=60, cwd="/",
    )  # fmt: skip
