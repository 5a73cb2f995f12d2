"""Runs as the process that hosts tool servers: only it speaks their protocol and parses their messages.

A message that is slow to parse holds up this process and no window, and it may be killed at any time. When ChatDesk
ends, for any reason, the input ends, and with it every server and all processes that servers started.

Frames come in as ``(verb, number, …)`` and go out as ``(kind, number, …)``:

- ``open`` server id, spec; ``tools`` server id; ``call`` server id, tool, arguments, seconds, root; ``close``
  server id; ``sign_in`` and ``revoke`` server id, spec; ``prompts`` and ``resources`` server id; ``prompt`` server
  id, name, arguments; ``resource`` server id, address. Each is answered by ``done`` value or ``failed`` code,
  packed sentence; a call may have ``progress`` before. ``cancel`` ends the request of that number. ``proxies`` are
  the variables of the environment that name some; nothing answers them.
- ``asked`` call's number, its own number, kind, values: a server asks for something during a call; ``answer`` its own
  number, action, content comes back, unless it was ``withdrawn`` call's number, its own number.
- ``step``, ``stderr``, ``changed`` (with the name of a list), ``gone`` (with a packed sentence): news of a server,
  whose id is in the number's place; so it does in ``browse``, a page to open for a sign-in, and ``kept``, what it is
  signed in with from now on.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from typing import Any, BinaryIO

import chatdesk.core.tools.host.late_packages  # noqa: F401 - before anything of mcp
from chatdesk.core.system.child_process import Wire, read_frame, write_frame
from chatdesk.core.system.processes import start_child
from chatdesk.core.texts import Text, packed, use_translations
from chatdesk.core.tools.host import offers
from chatdesk.core.tools.host.revocation import revoke
from chatdesk.core.tools.host.server_connection import CallRefused, Connection, SessionLost
from chatdesk.core.tools.host.stdio import ServerBroke, adopt_orphans, descendants_of, end_others, end_tree
from chatdesk.core.tools.host.throttle import Throttle

_MOST_ROUNDS = 5
_HEED_S = 0.05


class _NotRunning(ServerBroke):
    """The server does not run; the request did not reach it."""


class Host:
    """The servers of one ChatDesk. All methods run on the loop."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._connections: dict[str, Connection] = {}
        self._requests: dict[int, asyncio.Task[None]] = {}
        self._calls: dict[int, str] = {}
        self._endings: dict[str, asyncio.Future[None]] = {}
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._numbers = itertools.count(1)
        self._retired: set[asyncio.Future[None]] = set()
        self._asked: dict[int, tuple[int, asyncio.Future[tuple[str, Any]]]] = {}

    def receive(self, frame: Wire) -> None:
        """Start the work that a frame requests."""
        verb, number, *values = frame
        if verb == "proxies":
            os.environ.update(values[0])
            return
        if verb == "cancel":
            if number in self._requests:
                self._end_program(number)  # before a later frame finds the program
                self._requests[number].cancel()
            return
        if verb == "answer":
            self._answered(number, *values)
            return
        task = asyncio.ensure_future(self._answer(verb, number, values))
        self._requests[number] = task
        task.add_done_callback(lambda _task: self._requests.pop(number, None))

    def send(self, *frame: Any) -> None:
        write_frame(self._sink, frame)

    def _fail(self, number: int, code: str, sentence: str) -> None:
        self.send("failed", number, code, packed(sentence))

    async def _answer(self, verb: str, number: int, values: list[Any]) -> None:
        try:
            self.send("done", number, await self._do(verb, number, values))
        except asyncio.CancelledError:
            self._fail(number, "cancelled", Text("It was stopped."))
        except TimeoutError:
            self._fail(number, "timeout", Text("It did not answer in time."))
        except (_NotRunning, SessionLost) as error:
            self._fail(number, "not_running", error.sentence)
        except ServerBroke as error:
            self._fail(number, "broke", error.sentence)
        except CallRefused as error:
            self._fail(number, "refused", error.sentence)
        except Exception as error:  # noqa: BLE001 - whatever a server provokes becomes a sentence
            self._fail(number, "broke", Text("Its answer could not be read ({kind}).", kind=type(error).__name__))

    async def _do(self, verb: str, number: int, values: list[Any]) -> Any:
        if verb == "open":
            return await self._open(*values)
        if verb == "close":
            return await self._close(*values)
        if verb == "sign_in":
            return await self._sign_in(*values)
        if verb == "revoke":
            return await revoke(values[1]["address"], values[1]["sign_in"])
        connection = self._connections.get(values[0])
        if connection is None:
            raise _NotRunning(Text("It is not running."))
        try:
            return await self._do_there(verb, number, values, connection)
        except SessionLost:
            self._retire(connection)
            raise

    async def _do_there(self, verb: str, number: int, values: list[Any], connection: Connection) -> Any:
        if verb == "tools":
            return await connection.tools()
        if verb in offers.VERBS:
            async with asyncio.timeout(offers.VERBS[verb][1]):
                return await connection.listed(verb, offers.asked(verb, values[1:]))
        server_id, tool, arguments, timeout_s, root = values
        async with asyncio.timeout(timeout_s):
            connection = await self._connection_for(server_id, root)
        self._calls[number] = connection.id
        progress = Throttle(partial(self.send, "progress", number))
        try:
            asks = partial(self._ask, number)
            return await connection.call(tool, arguments, timeout_s, progress.add, asks, root=root)
        except TimeoutError:
            self._end_program(number)
            raise
        finally:
            progress.close()
            self._calls.pop(number, None)
            for asked in [asked for asked, (call, _answer) in self._asked.items() if call == number]:
                self._answered(asked, "cancel", None)
            if connection.id in self._endings:
                await asyncio.wait([self._endings[connection.id]])

    async def _connection_for(self, server_id: str, root: str) -> Connection:
        """Return the connection for a call on behalf of a folder. A server that has received the path of another folder
        is restarted when its calls have ended: nothing that it remembers of that folder may reach this call."""
        async with self._one_at_a_time[server_id]:
            before = self._connections.get(server_id)
            if before is None:
                raise _NotRunning(Text("It is not running."))
            if before.can_serve(root):
                return before
            await before.wait_until_idle()
            if self._connections.get(server_id) is not before:
                raise _NotRunning(Text("It is not running."))
            before.is_replaced = True
            await self._open(server_id, {**before.spec, "root": root})
            self.send("changed", server_id, "tools")  # its tools may have changed
            return self._connections[server_id]

    async def _ask(self, call: int, kind: str, values: tuple[Any, ...]) -> tuple[str, Any]:
        """Have ChatDesk answer a request that a server makes during a call."""
        number = next(self._numbers)
        answer: asyncio.Future[tuple[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[number] = call, answer
        self.send("asked", call, number, kind, values)
        try:
            return await answer
        finally:
            del self._asked[number]
            self.send("withdrawn", call, number)

    def _answered(self, number: int, action: str, content: Any) -> None:
        _call, answer = self._asked.get(number, (0, None))
        if answer is not None and not answer.done():
            answer.set_result((action, content))

    def _end_program(self, number: int) -> None:
        """End the program of a call, unless it has other calls to answer: it may continue what it was asked to stop."""
        server_id = self._calls.pop(number, None)
        connection = self._connections.get(server_id or "")
        if connection is not None and connection.pid is not None and connection.id not in self._calls.values():
            self._start_ending(connection.id, at_once=True)

    async def _open(self, server_id: str, spec: Mapping[str, Any]) -> None:
        before = self._connections.pop(server_id, None)
        if before is not None:
            await before.end()
        if server_id in self._endings:  # its end is told before it is started again
            await asyncio.wait([self._endings[server_id]])
        self._connections[server_id] = Connection(server_id, spec, self.send)

    def _retire(self, connection: Connection) -> None:
        """Have the next request open another connection, and end this one once its other calls are answered."""

        async def end() -> None:
            await connection.wait_until_idle()
            await connection.end()

        if self._connections.get(connection.id) is connection:
            connection.is_replaced = True
            del self._connections[connection.id]
            ending = asyncio.ensure_future(end())
            self._retired.add(ending)
            ending.add_done_callback(self._retired.discard)

    async def _sign_in(self, server_id: str, spec: Mapping[str, Any]) -> None:
        """Connect as long as a person needs to sign in, and end the connection."""

        def report(kind: str, *rest: Any) -> None:
            if kind in ("browse", "kept"):  # other reports would concern the running connection
                self.send(kind, *rest)

        use_translations(*spec["pages"])
        asked = {**spec, "sign_in": {**spec["sign_in"], "asks": True}}
        connection = Connection(server_id, asked, report)
        try:
            await connection.tools()
        finally:
            await connection.end()

    async def _close(self, server_id: str) -> None:
        if server_id in self._connections:
            self._start_ending(server_id)
        if server_id in self._endings:
            await asyncio.wait([self._endings[server_id]])

    def _start_ending(self, server_id: str, *, at_once: bool = False) -> None:
        ending = asyncio.ensure_future(self._end(self._connections.pop(server_id), at_once=at_once))
        self._endings[server_id] = ending
        ending.add_done_callback(lambda _ending: self._endings.pop(server_id, None))

    async def _end(self, connection: Connection, *, at_once: bool) -> None:
        if at_once:
            await asyncio.sleep(_HEED_S)  # in which it hears that its call is cancelled
        await connection.end(at_once=at_once)
        end_others(each.pid for each in self._connections.values() if each.pid is not None)


def end_everything() -> None:
    """End this process with all servers and everything that they started, at once."""
    for _again in range(_MOST_ROUNDS):  # processes started in the meantime are found in the next round
        below = descendants_of(os.getpid())
        if not below:
            break
        for pid in below:
            end_tree(pid)
    os._exit(0)


def _listen(source: BinaryIO, loop: asyncio.AbstractEventLoop, host: Host) -> None:
    """Read frames until the end, in a thread of its own: it notices the end of ChatDesk also while the loop is busy."""
    while (frame := read_frame(source)) is not None:
        loop.call_soon_threadsafe(host.receive, frame)
    end_everything()


async def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Host servers until ``source`` ends, which ends the process."""
    host = Host(sink)
    threading.Thread(target=_listen, args=(source, asyncio.get_running_loop(), host), daemon=True).start()
    host.send("ready", 0)
    await asyncio.Event().wait()


def main() -> None:
    start_child()
    logging.disable()  # the SDK logs what servers send
    adopt_orphans()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    asyncio.run(serve(source, sink))


if __name__ == "__main__":
    main()
