"""Talks to the owner of a data directory: shows its window, asks questions through it, and reads its health.

Requests go only to the process that holds the lock: it belongs to the same user, is named by the file under the lock,
and knows the secret in it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

from chatdesk.core.errors import AlreadyRunning, ChatDeskError
from chatdesk.core.local_api.frames import TEXT, BadFrame, read_object, write_object
from chatdesk.core.local_api.incoming_connection import Streams
from chatdesk.core.local_api.instance import WINDOW, Holder, InstanceLock, read_holder
from chatdesk.core.local_api.proof import NotProven, prove_to_owner
from chatdesk.core.texts import Text, unpacked

if sys.platform == "win32":
    from chatdesk.core.local_api.pipes import reach
else:
    from chatdesk.core.local_api.sockets import reach

_CONNECT_TIMEOUT_S = 5.0
_PATIENCE_S, _LOOK_EVERY_S = 3.0, 0.1
# An owner that was just started opens its database first, which may include an upgrade.
ASK_PATIENCE_S = 15.0
# An owner whose note is unreadable is either still writing it, or has a full disk and will never finish.
_UNNAMED_PATIENCE_S = 1.0
# An answer is at most a provider's largest answer, with each character escaped.
_LONGEST_EVENT_BYTES = 1024 * 1024 * 1024

Event = dict[str, Any]


class OwnerLeft(AlreadyRunning):
    """The owner seems to have ended before the request was sent, so the caller can try to become the owner."""


def own_or_show_window(lock: InstanceLock, data_dir: Path, target: str = "") -> bool:
    """Own the directory, or bring the window of its owner to the front (false), which shows ``target`` then: a link or
    the path of a file. An owner that has only just been
    started does not listen yet, and one that is closing never will again, so both are waited for; ``AlreadyRunning``
    after that. Not for a running loop."""
    end = time.monotonic() + _PATIENCE_S
    while not lock.acquire() and lock.problem is None:
        if asyncio.run(show_owner_window(data_dir, target)):
            return False
        if time.monotonic() > end:
            raise in_use(read_holder(data_dir))
        time.sleep(_LOOK_EVERY_S)
    return True


async def own_or_wait(lock: InstanceLock, data_dir: Path) -> bool:
    """Own the directory (true), or wait until its owner can be asked, or is known never to listen. A process that only
    reads finds the database made and upgraded then."""
    end, soon = time.monotonic() + ASK_PATIENCE_S, time.monotonic() + _UNNAMED_PATIENCE_S
    while not lock.acquire():
        holder = read_holder(data_dir)
        may_listen = holder is None or (holder.listens and not holder.address)
        if lock.problem is not None or not may_listen or time.monotonic() > (end if holder else soon):
            return False
        await asyncio.sleep(_LOOK_EVERY_S)
    return True


async def show_owner_window(data_dir: Path, target: str = "") -> bool:
    """Bring the owner's window to the front; return whether there is one and it answered."""
    try:
        async with aclosing(exchange(data_dir, "raise", {"target": target} if target else {})) as events:
            async for event in events:
                return event.get("event") == "raised"
    except ChatDeskError:
        return False
    return False


async def ask_owner(data_dir: Path, request: Mapping[str, Any]) -> AsyncGenerator[Event, None]:
    """Run a question in the owning process; yields what ``core.chat.ask`` yields there. An owner that does not listen
    yet is waited for. Raises ``OwnerLeft``, ``AlreadyRunning`` and the errors that the owner reports."""
    end = time.monotonic() + ASK_PATIENCE_S
    while True:
        try:
            streams = await _connect(data_dir)
            break
        except AlreadyRunning as error:
            holder = read_holder(data_dir)
            if holder is None or not holder.is_alive():
                raise OwnerLeft from error
            if isinstance(error, _WrongOwner) or not holder.listens or time.monotonic() > end:
                raise
        await asyncio.sleep(_LOOK_EVERY_S)
    async with aclosing(_request(streams, "ask", request)) as events:
        async for event in events:
            yield event


async def owner_health(data_dir: Path) -> Event | None:
    """Return the owner's report on its health; None if no owner listens. Raises the errors that the owner reports."""
    try:
        async with aclosing(exchange(data_dir, "health", {})) as events:
            return await anext(events, None)
    except AlreadyRunning:
        return None


async def exchange(data_dir: Path, verb: str, request: Mapping[str, Any]) -> AsyncGenerator[Event, None]:
    """Send one request to the owner and yield its answers. Raises ``AlreadyRunning`` where no owner listens, and
    ``ChatDeskError`` with the owner's own words where it failed."""
    streams = await _connect(data_dir)
    async with aclosing(_request(streams, verb, request)) as events:
        async for event in events:
            yield event


def in_use(holder: Holder | None, *, next_step: str | None = None) -> AlreadyRunning:
    """Return the error for a directory that another process owns; ``next_step`` is used where that is a window."""
    if holder is None or holder.purpose == WINDOW:
        return AlreadyRunning(next_step=next_step)
    return AlreadyRunning(
        Text(
            "“chatdesk {purpose}” (process {pid}) is using this data directory.",
            purpose=holder.purpose,
            pid=str(holder.pid),
        ),
        next_step=Text("Wait until it has ended, then try again; or choose another --data-dir."),
    )


class _WrongOwner(AlreadyRunning):
    what = Text("Another process answers in the place of the ChatDesk that has this data directory open.")
    safe = Text("Nothing was sent to it.")
    next_step = Text("Close ChatDesk and start it again; 'chatdesk doctor' shows who owns the directory.")


async def _connect(data_dir: Path) -> Streams:
    holder = read_holder(data_dir)
    if holder is None or not holder.address:
        raise in_use(holder)
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            streams = await reach(holder.address, holder.pid)
            try:
                if await prove_to_owner(*streams, holder.secret) != holder.pid:
                    raise _WrongOwner
            except BaseException:
                streams[1].close()
                raise
            return streams
    except NotProven as error:
        raise _WrongOwner from error
    except (OSError, TimeoutError, EOFError, BadFrame) as error:
        raise in_use(holder) from error


def _unpacked(value: object) -> object:
    return unpacked(value[TEXT]) if isinstance(value, dict) and value.keys() == {TEXT} else value


async def _request(streams: Streams, verb: str, request: Mapping[str, Any]) -> AsyncGenerator[Event, None]:
    reader, writer = streams
    try:
        await write_object(writer, {**request, "verb": verb})
        while True:
            try:
                event = await read_object(reader, _LONGEST_EVENT_BYTES)
            except EOFError:
                return
            if event.get("event") == "failed":
                error = ChatDeskError(unpacked(event.get("sentence")), safe="", next_step="")
                error.code = str(event.get("code"))
                raise error
            yield {name: _unpacked(value) for name, value in event.items()}
    except (ConnectionError, BadFrame) as error:
        raise ChatDeskError(
            Text("The ChatDesk that was answering has ended."),
            safe=Text("What had arrived of the answer is kept."),
            next_step=Text("Ask again."),
        ) from error
    finally:
        writer.close()
