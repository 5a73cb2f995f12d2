"""Answers other processes of the same person: limits first, then the proof, then one request for one verb.

Knows no verb. A verb is a function from a request to a stream of events; whatever it raises, and whatever comes in,
ends this one connection and nothing else. An unproven connection costs a fixed number of descriptors, bytes and
seconds.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chatdesk.core.chat.task_set import TaskSet
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.local_api.frames import TEXT, read_object, write_object
from chatdesk.core.local_api.incoming_connection import IncomingConnection, Streams, Transport
from chatdesk.core.local_api.instance import InstanceLock
from chatdesk.core.local_api.proof import SECRET_BYTES, prove_ownership
from chatdesk.core.texts import Text, packed

if sys.platform == "win32":
    from chatdesk.core.local_api.pipes import PipeTransport as SystemTransport
else:
    from chatdesk.core.local_api.sockets import SocketTransport as SystemTransport

_log = logging.getLogger(__name__)

# How long a connection may stay in a crowd: one of ours has sent its greeting before it is taken, and needs a moment
# more to show that it knows the secret.
_SILENT_S, _GREETED_S, _GRACE_S = 0.1, 1.0, 0.02

Event = dict[str, Any]
Verb = Callable[[dict[str, Any]], AsyncGenerator[Event, None]]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a listener: before the proof, ``unproven`` connections, ``proof_s`` seconds each and the bytes that
    ``proof`` reads; after it, ``proven`` connections with one request each. The sum is the number of descriptors that a
    listener can take from its process."""

    unproven: int = 8
    proof_s: float = 2.0
    proven: int = 64
    request_s: float = 10.0
    request_bytes: int = 64 * 1024 * 1024


@dataclass(slots=True)
class _UnprovenConnection:
    """A connection that has not proven yet that it knows the secret."""

    task: asyncio.Task[Any]
    since_s: float
    has_greeted: bool = False
    is_doomed: bool = False

    def may_stay_s(self, now_s: float) -> float:
        """Return the seconds that the connection may still stay when all places are taken."""
        return self.since_s + (_GREETED_S if self.has_greeted else _SILENT_S) - now_s


class Listener:
    """Listens from ``start`` to ``close``, on the loop that started it. Callers must prove that they have
    ``secret``."""

    def __init__(self, verbs: Mapping[str, Verb], secret: bytes, *, limits: Limits | None = None) -> None:
        self._verbs = dict(verbs)
        self._secret = secret
        self._limits = limits or Limits()
        self._transport: Transport = SystemTransport(self._admit, self._room_in_s)
        self._tasks = TaskSet()
        self._unproven: dict[int, _UnprovenConnection] = {}
        self._proven: set[int] = set()
        self._count = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    async def start(self, wanted: Path) -> str:
        """Listen at ``wanted``, or wherever this system can; return the address. Raises ``OSError``."""
        return await self._transport.open(wanted)

    async def wait_until_idle(self) -> None:
        """Wait until no request is being answered, take no more callers, and answer those who came in the meantime:
        they have proven who they are, or are about to, and take it that they are heard."""
        await self._is_idle.wait()
        self._transport.close()
        await self._tasks.wait()

    async def close(self) -> None:
        """Stop listening; running requests are ended as if their callers had left."""
        self._transport.close()
        await self._tasks.close()

    def _room_in_s(self) -> float:
        """Return the seconds until the next connection may be taken, and end those that had enough time when all places
        are taken. So a flood makes others wait, and shuts nobody out. If the loop stood still, data of late ones may be
        here unread: then they get another moment."""
        if len(self._unproven) < self._limits.unproven:
            return 0.0
        now_s = time.monotonic()
        late = {number: each for number, each in self._unproven.items() if each.may_stay_s(now_s) <= 0}
        if not late:
            return min(each.may_stay_s(now_s) for each in self._unproven.values())
        doomed = [number for number, each in late.items() if each.is_doomed]
        for number in doomed:
            self._unproven.pop(number).task.cancel()
        for each in late.values():
            each.is_doomed = True
        return 0.0 if doomed else _GRACE_S

    def _admit(self, connection: IncomingConnection) -> None:
        self._count += 1
        number = self._count
        task = self._tasks.start(self._serve(connection, number), f"local request {number}")
        self._unproven[number] = _UnprovenConnection(task, time.monotonic())
        task.add_done_callback(lambda _task: self._forget(connection, number))

    def _forget(self, connection: IncomingConnection, number: int) -> None:
        connection.close()  # also where the task was cancelled before its first step
        self._unproven.pop(number, None)
        self._proven.discard(number)
        if not self._proven:
            self._is_idle.set()

    async def _serve(self, connection: IncomingConnection, number: int) -> None:
        try:
            async with asyncio.timeout(self._limits.proof_s):
                streams = await connection.open()
                await prove_ownership(*streams, self._secret, on_greeted=lambda: self._record_greeting(number))
            self._unproven.pop(number, None)
            is_busy = len(self._proven) >= self._limits.proven
            self._proven.add(number)
            self._is_idle.clear()
            async with asyncio.timeout(self._limits.request_s):
                request = await read_object(streams[0], self._limits.request_bytes)
            await self._answer(request, streams, is_busy=is_busy)
        except Exception as error:  # noqa: BLE001 - foreign input ends its own connection, whatever it was
            _log.debug("a local request ended early: %s", type(error).__name__)

    def _record_greeting(self, number: int) -> None:
        if number in self._unproven:
            self._unproven[number] = replace(
                self._unproven[number], since_s=time.monotonic(), has_greeted=True, is_doomed=False
            )

    async def _answer(self, request: dict[str, Any], streams: Streams, *, is_busy: bool) -> None:
        reader, writer = streams
        verb = self._verbs.get(str(request.pop("verb", "")))
        if verb is None:
            await write_object(writer, _failed("unknown_verb", Text("This ChatDesk does not do that.")))
        elif is_busy:
            await write_object(
                writer, _failed("busy", Text("Too many commands ask this ChatDesk at once. Try again later."))
            )
        else:
            async with asyncio.TaskGroup() as group:
                forwarding = group.create_task(_forward(verb(request), writer), name="forward events")
                gone = group.create_task(_leaving(reader), name="watch for the caller to leave")
                await asyncio.wait({forwarding, gone}, return_when=asyncio.FIRST_COMPLETED)
                forwarding.cancel()
                gone.cancel()


async def _leaving(reader: asyncio.StreamReader) -> None:
    """Wait until the caller closes, breaks off, or sends more than it may."""
    try:
        await reader.read(1)
    except OSError:
        return


async def _forward(events: AsyncGenerator[Event, None], writer: asyncio.StreamWriter) -> None:
    try:
        async with aclosing(events):
            async for event in events:
                await write_object(writer, _with_packed_texts(event))
    except ChatDeskError as error:
        await write_object(writer, _failed(error.code, error.sentence_without_window))
    except ConnectionError:
        return  # the caller left
    except Exception:  # noqa: BLE001 - the edge of a request: its caller is told, and nobody else
        _log.exception("a local request failed")
        await write_object(writer, _failed("unexpected", Text("Something unexpected happened. The log says more.")))


def _with_packed_texts(event: Event) -> Event:
    """Return an event in which each sentence is packed, so that the caller shows it in its own language."""
    return {name: {TEXT: packed(value)} if isinstance(value, Text) else value for name, value in event.items()}


def _failed(code: str, sentence: str) -> Event:
    return {"event": "failed", "code": code, "sentence": packed(sentence)}


class InstanceServer:
    """Listens while this process holds ``lock``, and announces its address under the lock."""

    def __init__(
        self, lock: InstanceLock, socket_path: Path, verbs: Mapping[str, Verb], *, limits: Limits | None = None
    ) -> None:
        self._lock = lock
        self._wanted = socket_path
        self._secret = os.urandom(SECRET_BYTES)
        self._listener = Listener(verbs, self._secret, limits=limits)
        self._address = ""

    async def start(self) -> None:
        """Listen. If that fails (a full disk), other processes cannot connect, and all else goes on; call ``start``
        again then."""
        if not self._address:
            try:
                self._address = await self._listener.start(self._wanted)
            except OSError as error:
                _log.warning("other processes cannot call this one: errno %s", error.errno)
                return
        self._lock.announce(self._address, self._secret)

    async def wait_until_idle(self) -> None:
        """Wait until no request is being answered, and take none from then on."""
        await self._listener.wait_until_idle()

    async def close(self) -> None:
        if self._address:
            self._lock.announce()
            self._address = ""
        await self._listener.close()
