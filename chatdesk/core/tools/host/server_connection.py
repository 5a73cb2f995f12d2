"""Manages one connection to a server, from its start to its end, in the process that hosts them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx2
import mcp_types as types
from mcp.client.session import ClientSession
from mcp.shared.exceptions import MCPError

from chatdesk.core.domain.tools import LeftOut
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.texts import Text, packed
from chatdesk.core.tools.host.failures import HostFailure
from chatdesk.core.tools.host.http_transport import CONNECT_S, LOST_SESSION, HttpFaults, Report, over_http
from chatdesk.core.tools.host.listing import (
    MOST_TOOLS,
    LeftOutRow,
    ResultRow,
    ToolRow,
    result_row,
    tool_rows,
)
from chatdesk.core.tools.host.mended_answers import MendedAnswers
from chatdesk.core.tools.host.offers import Unreadable
from chatdesk.core.tools.host.pages import read_pages
from chatdesk.core.tools.host.requests import Ask, ServerRequests
from chatdesk.core.tools.host.session_streams import Observer, observed
from chatdesk.core.tools.host.stdio import ServerBroke, StderrTail, end_tree, program
from chatdesk.core.tools.host.throttle import Throttle
from chatdesk.core.tools.host.unasked import Unasked

LIST_S: Final = 20.0
# How long a person may take to sign in.
SIGN_IN_S: Final = 300.0
_LONGEST_REFUSAL: Final = 2_000
# How long the last words of a program that ended are waited for.
_LAST_WORDS_S: Final = 3.0
_MOST_LEFT_OUT: Final = 50
# News of a list; its method has the list's name: ``notifications/tools/list_changed``.
_LIST_CHANGES: Final = (
    types.ToolListChangedNotification,
    types.PromptListChangedNotification,
    types.ResourceListChangedNotification,
)
_NAME: Final = types.Implementation(name="ChatDesk", version="1")


class SessionLost(HostFailure):
    """A server refused a request because it has forgotten the session. The request had no effect."""


class CallRefused(HostFailure):
    """A server answered a request with an error."""


class Connection:
    """Connects when it is made. ``spec`` has ``argv``, ``env`` and ``cwd`` of a program, or ``address`` and
    ``headers``, and ``sign_in`` where it may be signed in to; with ``asks`` in that, a person asked for it now.
    ``root`` is the folder that a program may be told of; ``may_ask_model``: it may ask for answers of a model, about
    each of which a person is asked. Everything that waits ends with ``ServerBroke`` when the server does.
    ``is_replaced``: its end is no news, because another connection takes its place."""

    def __init__(self, server_id: str, spec: Mapping[str, Any], report: Report) -> None:
        self.id = server_id
        self.pid: int | None = None
        self.problem = ""
        self.spec = spec
        self.is_replaced = False
        self._roots = Roots(spec.get("root", ""))
        self._asks = bool(spec.get("sign_in", {}).get("asks"))
        self._report = report
        self._words = Throttle(lambda: report("stderr", server_id, visible_controls(self._tail.text)))
        self._unasked = Unasked(self._end_for, asyncio.get_running_loop().time)
        self._tail = StderrTail(self._words.add, self._unasked.wrote)
        self._session: ClientSession | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ending = asyncio.Event()
        self._broken: asyncio.Future[str] | None = None
        self._is_gone = False
        self._changed: set[str] = set()
        self._requests = ServerRequests()
        self._answers = MendedAnswers()
        self._faults = HttpFaults()
        self._one_list = asyncio.Lock()
        self._task = asyncio.create_task(self._run())

    async def tools(self) -> tuple[tuple[ToolRow, ...], tuple[LeftOutRow, ...]]:
        """Return the tools of the server, and the ones left out. Raises ``ServerBroke`` and ``CallRefused``."""
        async with self._one_list:
            self._answers.forget_list()
            listed, notes = await self.listed("tools", self._list_tools)
            rows, left_out = tool_rows(listed, self._answers.as_sent)
            unreadable = ((LeftOut.UNREADABLE.value, name) for name in self._answers.left_out)
            return rows, (*unreadable, *left_out, *notes)[:_MOST_LEFT_OUT]

    def can_serve(self, root: str) -> bool:
        """Return whether a call on behalf of this folder can be made without revealing another folder to the server."""
        return self._roots.reported in (None, root)

    async def wait_until_idle(self) -> None:
        """Wait until no call is running."""
        await self._roots.idle.wait()

    async def call(
        self, name: str, arguments: str, timeout_s: float, on_progress: Report, asks: Ask, *, root: str = ""
    ) -> ResultRow:
        """Call a tool; ``arguments`` is a JSON object, ``root`` the folder of its project. What the server asks for
        in the meantime goes to ``asks``, and takes no time of the call's. Raises ``ServerBroke``, ``CallRefused`` and
        ``TimeoutError``."""

        async def progressed(progress: float, total: float | None, message: str | None) -> None:
            on_progress(progress, total, message or "")

        async def ask(session: ClientSession) -> types.CallToolResult:
            result = await session.call_tool(name, json.loads(arguments), None, progressed)
            assert isinstance(result, types.CallToolResult)
            return result

        with self._roots.serving(root):
            async with asyncio.timeout(timeout_s) as limit:
                with self._requests.during(asks, limit):
                    return result_row(await self.ask(ask))

    async def end(self, *, at_once: bool = False) -> None:
        """End the server with everything that it started, ``at_once`` or after a moment in which it may end itself."""
        if at_once and self.pid is not None:
            end_tree(self.pid)
        self._ending.set()
        await asyncio.wait([self._task])

    async def listed(self, name: str, ask: Callable[[ClientSession], Awaitable[Any]]) -> Any:
        """Return a list as ``ask`` does; changes of it are reported again from now on."""
        self._changed.discard(name)
        return await self.ask(ask)

    async def ask(self, ask: Callable[[ClientSession], Awaitable[Any]]) -> Any:
        """Return the answer that ``ask`` gets from the session, once there is one. Raises ``ServerBroke`` and
        ``CallRefused``."""
        if self._is_gone:
            raise ServerBroke(self.problem or Text("It ended."))
        await asyncio.shield(self._ready)
        assert self._session is not None
        call: asyncio.Future[Any] = asyncio.ensure_future(ask(self._session))
        try:
            await asyncio.wait([call, self._task], return_when=asyncio.FIRST_COMPLETED)
            if not call.done():
                raise ServerBroke(self.problem)
            return call.result()
        except MCPError as error:
            if self._broken is not None and self._broken.done():
                await asyncio.wait([self._task], timeout=_LAST_WORDS_S)
                raise ServerBroke(self._broken.result() if not self._broken.cancelled() else self.problem) from None
            own = _own_words(error)
            if own is not None and error.error.code == LOST_SESSION:
                raise SessionLost(own) from None
            raise CallRefused(own or str(error)[:_LONGEST_REFUSAL]) from None
        except Unreadable as error:
            raise CallRefused(error.sentence) from None
        except ValueError:
            raise CallRefused(Text("Its answer does not follow the protocol.")) from None
        finally:
            if not call.done():
                call.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await call

    async def _list_tools(self, session: ClientSession) -> tuple[list[types.Tool], list[LeftOutRow]]:
        async with asyncio.timeout(SIGN_IN_S if self._asks else LIST_S):
            found, reason = await read_pages(session.list_tools, "tools", MOST_TOOLS)
        return found, [] if reason is None else [(reason.value, "")]

    async def _run(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                read, write, broken = await stack.enter_async_context(self._transport())
                self._broken = broken
                read, write = observed(read, write, (self._unasked, OpenRequests(broken), self._faults, self._answers))
                session = _Session(
                    read,
                    write,
                    message_handler=self._on_message,
                    client_info=_NAME,
                    # A path of this computer is nothing that a server elsewhere is to know.
                    list_roots_callback=None if self.spec.get("address") else self._roots.answer,
                    sampling_callback=self._requests.sample if self.spec.get("may_ask_model") else None,
                    elicitation_callback=self._requests.elicit,
                )
                self._session = await stack.enter_async_context(session)
                initialised: asyncio.Future[Any] = asyncio.ensure_future(session.initialize())
                limit_s = SIGN_IN_S if self._asks else self.spec.get("start_s", CONNECT_S)
                try:
                    await asyncio.wait([initialised, broken], return_when=asyncio.FIRST_COMPLETED, timeout=limit_s)
                    if broken.done() or not initialised.done():
                        raise ServerBroke(
                            broken.result()
                            if broken.done()
                            else Text("It did not answer in {seconds} s (Settings, Tools).", seconds=round(limit_s))
                        )
                    initialised.result()
                finally:
                    initialised.cancel()
                self._report("step", self.id, "spoke")
                self._ready.set_result(None)
                ending: asyncio.Future[Any] = asyncio.ensure_future(self._ending.wait())
                await asyncio.wait([ending, broken], return_when=asyncio.FIRST_COMPLETED)
                self.problem = "" if ending.done() else broken.result()
                ending.cancel()
                self._is_gone = True
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - groups of the SDK, of anything
            # The server's own fault comes first; the end of its streams follows from it.
            said = root.sentence if isinstance(root := _root_of(error), ServerBroke) else self._problem_of_transport()
            self.problem = self.problem or said or _failure_text(error)
        finally:
            self._is_gone = True
            self._words.flush()  # the last words of a program are told before its end
            if not self._ready.done():
                self._ready.set_exception(ServerBroke(self.problem or Text("It ended.")))
                self._ready.exception()  # mark it as retrieved, in case no task waits for it
            if not self.is_replaced:
                self._report("gone", self.id, packed(self.problem))

    def _end_for(self, problem: str) -> None:
        """End the connection because of a fault of the server."""
        if self._broken is not None and not self._broken.done():
            self._broken.set_result(problem)

    def _problem_of_transport(self) -> str:
        """Return the problem that ended the connection over HTTP, as a sentence; empty without one."""
        broken = self._broken
        return broken.result() if broken is not None and broken.done() and not broken.cancelled() else ""

    @asynccontextmanager
    async def _transport(self) -> AsyncGenerator[tuple[Any, Any, asyncio.Future[str]], None]:
        if self.spec.get("address"):
            async with over_http(self.id, self.spec, self._report, self._faults, self._unasked) as streams:
                yield streams
            return

        def started(pid: int) -> None:
            self.pid = pid
            self._report("step", self.id, "started")

        async with program(
            self.spec["argv"], env=self.spec["env"], cwd=self.spec["cwd"], tail=self._tail, on_started=started
        ) as streams:
            yield streams

    async def _on_message(self, message: object) -> None:
        if isinstance(message, _LIST_CHANGES):
            name = message.method.split("/")[1]
            if name not in self._changed:  # else a change is already reported and not fetched yet
                self._changed.add(name)
                self._report("changed", self.id, name)


class _Session(ClientSession):
    """A session that does not check results against the schemas of their server: a pattern in one could keep it busy
    for ever, and nothing depends on it."""

    async def validate_tool_result(self, name: str, result: types.CallToolResult) -> None:
        """Accept any result."""


def _root_of(error: BaseException) -> BaseException:
    """Return the first error in the groups that the SDK makes."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return error


def _own_words(error: MCPError) -> Text | None:
    """Return the sentence of an error that ChatDesk itself made of an answer over HTTP."""
    return error.error.data if isinstance(error.error.data, Text) else None


def _failure_text(error: BaseException) -> str:
    """Return a sentence for the failure that ended a connection."""
    error = _root_of(error)
    if isinstance(error, HostFailure):
        return error.sentence
    if isinstance(error, FileNotFoundError):
        return Text("The program {name} was not found.", name=str(error.filename))
    if isinstance(error, PermissionError):
        return Text("The program {name} may not be run.", name=str(error.filename))
    if isinstance(error, httpx2.ConnectError):
        return Text("It cannot be reached.")
    if isinstance(error, httpx2.HTTPStatusError):
        return Text("It answered with status {status}.", status=str(error.response.status_code))
    if isinstance(error, MCPError):
        refused = Text("It refused the connection: {reason}", reason=visible_controls(str(error)[:_LONGEST_REFUSAL]))
        return _own_words(error) or refused
    return Text("The connection failed ({kind}).", kind=type(error).__name__)


# Counts the requests of a server that wait for an answer. Each is kept in memory until its answer is written, and a
# server that reads none could send them without end.

# A server that has more requests without an answer than this does not read the answers, and is ended.
MOST_OPEN_REQUESTS: Final = 1_000
_PROBLEM: Final = Text("It sent too many requests, or used an id twice, before it read the answers.")


class OpenRequests(Observer):
    """Counts the open requests of a session. Too many end it, and ``broken`` says so."""

    def __init__(self, broken: asyncio.Future[str]) -> None:
        self._broken = broken
        self._open_ids: set[types.RequestId] = set()

    def received(self, message: types.JSONRPCMessage) -> bool:
        """Count a request of the server."""
        if isinstance(message, types.JSONRPCRequest):
            if message.id in self._open_ids or len(self._open_ids) >= MOST_OPEN_REQUESTS:
                if not self._broken.done():
                    self._broken.set_result(_PROBLEM)
                return False
            self._open_ids.add(message.id)
        elif isinstance(message, types.JSONRPCNotification) and message.method == "notifications/cancelled":
            cancelled = (message.params or {}).get("requestId")
            if isinstance(cancelled, int | str):
                self._open_ids.discard(cancelled)  # no answer will be written
        return True

    def sent(self, message: types.JSONRPCMessage) -> None:
        """Take the request that was answered off the count."""
        if isinstance(message, types.JSONRPCResponse | types.JSONRPCError) and message.id is not None:
            self._open_ids.discard(message.id)


if TYPE_CHECKING:  # a large package, loaded when it is used
    from mcp.client.session import ClientRequestContext


class Roots:
    """The folders on whose behalf one server is called; an empty one stands for none. ``reported`` is the folder that
    the server got when it last asked; None: it never asked. ``idle`` is set while no call is running."""

    def __init__(self, root: str) -> None:
        self.reported: str | None = None
        self.idle = asyncio.Event()
        self.idle.set()
        self._last = root
        self._served: list[str] = []

    @contextmanager
    def serving(self, root: str) -> Iterator[None]:
        """Count a call on behalf of a folder as long as the block runs."""
        self._last = root
        self._served.append(root)
        self.idle.clear()
        try:
            yield
        finally:
            self._served.remove(root)
            if not self._served:
                self.idle.set()

    async def answer(self, context: ClientRequestContext) -> types.ListRootsResult:
        """Return the folder of the running calls, or of the last one; none where there are several folders, because
        nothing shows for which of them the server asks."""
        served = set(self._served) or {self._last}
        self.reported = served.pop() if len(served) == 1 else ""
        found = [{"uri": Path(self.reported).as_uri()}] if self.reported else []
        return types.ListRootsResult.model_validate({"roots": found})
