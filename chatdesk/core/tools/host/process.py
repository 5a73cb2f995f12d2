"""Runs as the process that hosts tool servers: it alone speaks their protocol and reads what they send.

A message that is hard to read holds up this process and no window, and it may be killed at any time. When ChatDesk
ends, however it ends, the input ends, and with it every server and all that servers started.

Frames come in as ``(verb, number, …)`` and go out as ``(kind, number, …)``:

- ``open`` server id, spec; ``tools`` server id; ``call`` server id, tool, arguments, seconds; ``close`` server id. Each
  is answered by ``done`` value or ``failed`` code, sentence; a call may have ``progress`` before. ``cancel`` ends the
  request of that number.
- ``step``, ``stderr``, ``changed``, ``gone``: news of a server, whose id stands in the number's place.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any, BinaryIO

from chatdesk.core.process_frames import Wire, read_frame, write_frame
from chatdesk.core.processes import start_child
from chatdesk.core.tools.host.descendants import adopt_orphans, descendants_of, end_others, end_tree
from chatdesk.core.tools.host.server_connection import CallRefused, Connection
from chatdesk.core.tools.host.stdio import ServerBroke

_MOST_ROUNDS = 5


class Host:
    """The servers of one ChatDesk. All methods run on the loop."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._connections: dict[str, Connection] = {}
        self._requests: dict[int, asyncio.Task[None]] = {}

    def take(self, frame: Wire) -> None:
        """Begin what a frame asks for."""
        verb, number, *values = frame
        if verb == "cancel":
            if number in self._requests:
                self._requests[number].cancel()
            return
        task = asyncio.ensure_future(self._answer(verb, number, values))
        self._requests[number] = task
        task.add_done_callback(lambda _task: self._requests.pop(number, None))

    def say(self, *frame: Any) -> None:
        write_frame(self._sink, frame)

    async def _answer(self, verb: str, number: int, values: list[Any]) -> None:
        try:
            self.say("done", number, await self._do(verb, number, values))
        except asyncio.CancelledError:
            self.say("failed", number, "cancelled", "It was stopped.")
        except TimeoutError:
            self.say("failed", number, "timeout", "It did not answer in time.")
        except ServerBroke as error:
            self.say("failed", number, "broke", str(error))
        except CallRefused as error:
            self.say("failed", number, "refused", str(error)[:2000])
        except Exception as error:  # noqa: BLE001 - whatever a server provokes becomes a sentence
            self.say("failed", number, "broke", f"Its answer could not be read ({type(error).__name__}).")

    async def _do(self, verb: str, number: int, values: list[Any]) -> Any:
        if verb == "open":
            return await self._open(*values)
        if verb == "close":
            return await self._close(*values)
        connection = self._connections.get(values[0])
        if connection is None:
            raise ServerBroke("It is not running.")
        if verb == "tools":
            return await connection.tools()
        _id, tool, arguments, timeout_s = values
        try:
            return await connection.call(tool, arguments, timeout_s, lambda *said: self.say("progress", number, *said))
        except (asyncio.CancelledError, TimeoutError):
            if connection.pid is not None and not connection.is_busy:
                # A program may go on with a call that it was asked to give up.
                await self._close(connection.id, at_once=True)
            raise

    async def _open(self, server_id: str, spec: Mapping[str, Any]) -> None:
        before = self._connections.pop(server_id, None)
        if before is not None:
            await before.end()
        self._connections[server_id] = Connection(server_id, spec, self.say)

    async def _close(self, server_id: str, *, at_once: bool = False) -> None:
        connection = self._connections.pop(server_id, None)
        if connection is not None:
            await asyncio.shield(asyncio.ensure_future(connection.end(at_once=at_once)))
            end_others(each.pid for each in self._connections.values() if each.pid is not None)


def end_everything() -> None:
    """End this process with all servers and everything that they started, at once."""
    for _again in range(_MOST_ROUNDS):  # what is started meanwhile is found the next time
        below = descendants_of(os.getpid())
        if not below:
            break
        for pid in below:
            end_tree(pid)
    os._exit(0)


def _listen(source: BinaryIO, loop: asyncio.AbstractEventLoop, host: Host) -> None:
    """Read frames until the end, in a thread of its own: it notices the end of ChatDesk also while the loop is busy."""
    while (frame := read_frame(source)) is not None:
        loop.call_soon_threadsafe(host.take, frame)
    end_everything()


async def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Host servers until ``source`` ends, which ends the process."""
    host = Host(sink)
    threading.Thread(target=_listen, args=(source, asyncio.get_running_loop(), host), daemon=True).start()
    host.say("ready", 0)
    await asyncio.Event().wait()


def main() -> None:
    start_child()
    logging.disable()  # the SDK logs what servers send
    adopt_orphans()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    asyncio.run(serve(source, sink))


if __name__ == "__main__":
    main()
