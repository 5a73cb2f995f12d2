"""One writer a data directory: the lock that says who it is, and the line that others can talk to it on.

The owner holds a lock that the system drops when the process dies, however it dies. It listens on loopback; address
and a one-time token lie in a file that only this user can read. A second window asks the first to come to the front;
a script asks it to run a question, so that the database never has two writers.
"""

from __future__ import annotations

import asyncio
import errno
import hmac
import json
import logging
import os
import secrets
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import IO, Any

from chatdesk.core.errors import AlreadyRunning, ChatDeskError, StorageError, StorageFull, StorageReadOnly

_log = logging.getLogger(__name__)

_LONGEST_LINE = 8 * 1024 * 1024
_CONNECT_TIMEOUT_S = 3.0
_PATIENCE_S, _LOOK_EVERY_S = 3.0, 0.1

AskHandler = Callable[[dict[str, Any]], AsyncGenerator[dict[str, Any], None]]


class InstanceLock:
    """Exclusive for as long as the process lives; ``acquire`` never waits."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "instance.lock"
        self._file: IO[bytes] | None = None
        #: Why nobody can own this directory, so that all it is good for is reading.
        self.problem: StorageError | None = None

    @property
    def is_held(self) -> bool:
        """Whether this process owns the directory."""
        return self._file is not None

    def acquire(self) -> bool:
        """Whether this process owns the directory now. If not, somebody else does, unless there is a ``problem``."""
        if self._file is not None:
            return True
        try:
            file = open(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)  # noqa: SIM115 - held
        except OSError as error:
            self.problem = _cannot_be_made(error)
            return False
        try:
            _lock(file)
        except OSError as error:
            file.close()
            self.problem = None if error.errno in _HELD_BY_OTHERS else _cannot_lock(error)
            return False
        self.problem = None
        self._file = file
        return True

    def release(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()


def _cannot_be_made(error: OSError) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull("The disk is full, so ChatDesk can only read.", safe="Everything saved before is unchanged.")
    return StorageReadOnly("The data directory cannot be written to.")


def _cannot_lock(error: OSError) -> StorageError:
    """Without a lock two processes could write at once, for example on some network file systems."""
    _log.warning("no lock on the data directory: errno %s", error.errno)
    return StorageReadOnly(
        "The file system of the data directory cannot lock files, so ChatDesk only reads from it.",
        next_step="Choose a data directory on a local disk.",
    )


if sys.platform == "win32":
    import msvcrt

    _HELD_BY_OTHERS = frozenset({errno.EACCES, errno.EDEADLK})

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    _HELD_BY_OTHERS = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK})

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class InstanceServer:
    """Listens while this process owns the data directory."""

    def __init__(self, data_dir: Path, *, on_raise: Callable[[], None], on_ask: AskHandler) -> None:
        self._path = data_dir / "instance.json"
        self._token = secrets.token_hex(32)
        self._on_raise = on_raise
        self._on_ask = on_ask
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_LONGEST_LINE)
        await self.announce()

    async def announce(self) -> None:
        """Write down where others can call; again, where the disk was full."""
        assert self._server is not None  # after ``start``
        port = self._server.sockets[0].getsockname()[1]
        content = json.dumps({"port": port, "token": self._token, "pid": os.getpid()})
        try:
            await asyncio.to_thread(_write_privately, self._path, content)
        except OSError as error:  # a full disk, a directory to read only: nobody can call, and all else goes on
            _log.warning("the address for other processes was not written: errno %s", error.errno)

    async def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            with suppress(OSError):
                self._path.unlink()
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read_line(reader)
            if request is None or not hmac.compare_digest(str(request.get("token", "")), self._token):
                return
            await self._answer(request, reader, writer)
        except (ConnectionError, ValueError):
            _log.info("a local request ended early")
        finally:
            writer.close()

    async def _answer(
        self, request: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if request.get("op") == "raise":
            self._on_raise()
            await _write_line(writer, {"event": "raised"})
        elif request.get("op") == "ask":
            await self._stream_ask(request, reader, writer)

    async def _stream_ask(
        self, request: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        async def forward() -> None:
            try:
                async with aclosing(self._on_ask(request)) as events:
                    async for event in events:
                        await _write_line(writer, event)
            except ChatDeskError as error:
                await _write_line(writer, {"event": "failed", "code": error.code, "sentence": error.sentence})

        async with asyncio.TaskGroup() as group:
            forwarding = group.create_task(forward(), name="forward answer")
            gone = group.create_task(reader.read(1), name="watch for the asker to leave")
            await asyncio.wait({forwarding, gone}, return_when=asyncio.FIRST_COMPLETED)
            forwarding.cancel()
            gone.cancel()


def _write_privately(path: Path, content: str) -> None:
    temporary = path.with_suffix(".tmp")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(content)
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise


def owner_pid(data_dir: Path) -> int | None:
    """The process that owns the directory, as far as it said; for *doctor*."""
    try:
        return int(_address(data_dir)["pid"])
    except (AlreadyRunning, KeyError, ValueError):
        return None


async def ask_owner(data_dir: Path, request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    """Run a question in the owning process; yields what ``core.chat.ask`` yields there."""
    async with aclosing(_exchange(data_dir, {"op": "ask", **request})) as events:
        async for event in events:
            if event.get("event") == "failed":
                raise ChatDeskError(str(event.get("sentence")), safe="", next_step="")
            yield event


def own_or_raise(lock: InstanceLock, data_dir: Path) -> bool:
    """Own the directory, or bring the window of its owner to the front (false). One that has only just been started
    does not listen yet, and one that is closing never will again, so both are waited for; ``AlreadyRunning`` after
    that. Not for a running loop."""
    end = time.monotonic() + _PATIENCE_S
    while not lock.acquire() and lock.problem is None:
        if asyncio.run(raise_owner(data_dir)):
            return False
        if time.monotonic() > end:
            raise AlreadyRunning
        time.sleep(_LOOK_EVERY_S)
    return True


async def raise_owner(data_dir: Path) -> bool:
    """Bring the owner's window to the front; whether it answered."""
    try:
        async with aclosing(_exchange(data_dir, {"op": "raise"})) as events:
            async for _event in events:
                return True
    except AlreadyRunning:
        return False
    return False


async def _exchange(data_dir: Path, request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    address = _address(data_dir)
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", int(address["port"]), limit=_LONGEST_LINE)
    except (OSError, TimeoutError) as error:
        raise AlreadyRunning from error
    try:
        await _write_line(writer, {**request, "token": address["token"]})
        while (event := await _read_line(reader)) is not None:
            yield event
    finally:
        writer.close()


def _address(data_dir: Path) -> dict[str, Any]:
    try:
        address = json.loads((data_dir / "instance.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AlreadyRunning from error
    if not isinstance(address, dict) or not {"port", "token"} <= address.keys():
        raise AlreadyRunning
    return address


async def _read_line(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    line = await reader.readline()
    if not line:
        return None
    value = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


async def _write_line(writer: asyncio.StreamWriter, value: dict[str, Any]) -> None:
    writer.write(json.dumps(value).encode() + b"\n")
    await writer.drain()
