"""Starts a server that is a program, and carries the protocol's messages over its input and output.

The SDK's own transport reads lines without bound, gives up silently at bytes that are no UTF-8, and lets a grandchild
live on.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from asyncio.subprocess import Process, SubprocessStreamProtocol
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import anyio
from mcp.shared.message import SessionMessage

from chatdesk.core.system.processes import child_environment
from chatdesk.core.texts import Text, size_text
from chatdesk.core.tools.host.failures import HostFailure
from chatdesk.core.tools.host.message_bounds import TooManyValues
from chatdesk.core.tools.host.written_messages import messages_in

# A longer line ends the server.
LONGEST_LINE_BYTES: Final = 24 * 1024 * 1024
STDERR_BYTES: Final = 64 * 1024
_GRACE_S: Final = 0.5


class ServerBroke(HostFailure):
    """A server broke the rules of its connection."""


class StderrTail:
    """Keeps the end of a program's standard error, and its output lines that are not messages."""

    def __init__(self, on_changed: Callable[[], None], count: Callable[[int], bool]) -> None:
        """Keep the end of all that is added; ``count`` gets the number of bytes."""
        self._kept = bytearray()
        self._on_changed = on_changed
        self._count = count

    @property
    def text(self) -> str:
        return self._kept.decode("utf-8", "replace")

    def add(self, data: bytes, size_bytes: int | None = None) -> None:
        """Keep the end of ``data``; ``size_bytes`` is the size of the line that it is the beginning of."""
        self._kept += data
        del self._kept[:-STDERR_BYTES]
        self._on_changed()
        self._count(len(data) if size_bytes is None else size_bytes)


@asynccontextmanager
async def program(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: str, tail: StderrTail, on_started: Callable[[int], None]
) -> AsyncGenerator[tuple[Any, Any, asyncio.Future[str]], None]:
    """Start a server and yield the streams for its session, and a future with the problem that ends it. On leaving, its
    input is closed, and soon after everything that it started is gone. Raises ``OSError``."""
    loop = asyncio.get_running_loop()
    # Like ``asyncio.create_subprocess_exec``, which does not return the transport.
    transport, protocol = await loop.subprocess_exec(
        lambda: SubprocessStreamProtocol(LONGEST_LINE_BYTES, loop),
        *argv,
        env=dict(env),
        cwd=cwd,
        start_new_session=True,
    )
    process = Process(transport, protocol, loop)
    on_started(process.pid)
    to_session, from_server = anyio.create_memory_object_stream[SessionMessage | Exception](16)
    to_server, from_session = anyio.create_memory_object_stream[SessionMessage](16)
    broken: asyncio.Future[str] = loop.create_future()
    last_words = asyncio.create_task(_read_stderr(process, tail))
    tasks = [
        asyncio.create_task(_read(process, to_session, tail, broken)),
        asyncio.create_task(_write(process, from_session)),
        last_words,
    ]
    try:
        yield from_server, to_server, broken
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process, transport, tasks, last_words)
        for stream in (to_session, from_server, to_server, from_session):
            stream.close()
        if not broken.done():
            broken.cancel()


async def _read(process: Process, session: Any, tail: StderrTail, broken: asyncio.Future[str]) -> None:
    assert process.stdout is not None
    problem: str = Text("It ended.")
    try:
        while line := await process.stdout.readline():
            if not line.strip():
                continue
            try:
                messages = messages_in(line)
            except ValueError:
                line.decode("utf-8")  # raises for output that is not valid UTF-8
                tail.add(line[:1000].rstrip() + b"\n", len(line))
                continue
            for message in messages:
                await session.send(SessionMessage(message))
        code = await process.wait()
        problem = Text("It ended with exit code {code}.", code=str(code)) if code else Text("It ended.")
    except TooManyValues as error:
        problem = error.sentence
    except UnicodeDecodeError:
        problem = Text("Its output is not valid UTF-8.")
    except ValueError:  # raised by asyncio for a line above the limit
        problem = Text("It sent more than {most} in one message.", most=size_text(LONGEST_LINE_BYTES))
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        pass
    finally:
        if not broken.done():
            broken.set_result(problem)
        session.close()


async def _write(process: Process, session: Any) -> None:
    assert process.stdin is not None
    try:
        async for message in session:
            text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(text.encode() + b"\n")
            await process.stdin.drain()
    except (OSError, anyio.ClosedResourceError):
        pass  # the reader of its output reports why it ended


async def _read_stderr(process: Process, tail: StderrTail) -> None:
    assert process.stderr is not None
    while data := await process.stderr.read(STDERR_BYTES):
        tail.add(data)


async def _end(
    process: Process,
    transport: asyncio.SubprocessTransport,
    tasks: Sequence[asyncio.Task[None]],
    last_words: asyncio.Task[None],
) -> None:
    """Close the input, which servers treat as their end, kill the rest after a moment, and read its ``last_words``."""
    if process.stdin is not None:
        process.stdin.close()
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), _GRACE_S)
    end_tree(process.pid)
    await asyncio.wait([last_words], timeout=_GRACE_S)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    transport.close()  # a dying grandchild may still hold the pipes open, or their buffers may still be full
    await process.wait()
    if process.stdin is not None:
        # a pipe that broke within a message, which asyncio logs if it is not awaited
        with suppress(OSError, TimeoutError):
            await asyncio.wait_for(process.stdin.wait_closed(), _GRACE_S)


# Ends programs with everything that they started.

_PR_SET_CHILD_SUBREAPER: Final = 36
_PARENT: Final = 1  # among the fields of /proc/PID/stat behind the name
_PROC: Final = Path("/proc")


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none can leave. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_tree(pid: int) -> None:
    """End the program ``pid``, its process group where it leads one, and its descendants, at once."""
    if sys.platform == "win32":
        subprocess.run(
            ["taskkill", "/T", "/F", "/PID", str(pid)],
            check=False,
            capture_output=True,
            env=child_environment(),
        )
        return
    below = descendants_of(pid)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    _kill((pid, *below))


def end_others(kept: Iterable[int]) -> None:
    """End every descendant of this process outside the trees of ``kept``: processes that outlived the program that
    started them."""
    below_kept = {pid for root in kept for pid in (root, *descendants_of(root))}
    _kill(pid for pid in descendants_of(os.getpid()) if pid not in below_kept)


def descendants_of(pid: int) -> list[int]:
    """Return the current processes below ``pid``; none without /proc."""
    children: dict[int, list[int]] = {}
    with suppress(OSError):
        for entry in _PROC.iterdir():
            if entry.name.isdecimal():
                with suppress(OSError, ValueError, IndexError):
                    # The name may hold anything, also brackets.
                    behind_name = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
                    children.setdefault(int(behind_name[_PARENT]), []).append(int(entry.name))
    found: list[int] = []
    waiting = list(children.get(pid, ()))
    while waiting:
        each = waiting.pop()
        found.append(each)
        waiting += children.get(each, ())
    return found


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
