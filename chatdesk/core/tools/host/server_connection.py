"""One connection to a server, from its start to its end, in the process that hosts them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import Any, Final, cast

import httpx2
import mcp_types as types
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.tools.host.descendants import end_tree
from chatdesk.core.tools.host.listing import MOST_TOOLS, ResultRow, ToolRow, result_row, tool_rows
from chatdesk.core.tools.host.message_bounds import TooManyValues, within_bounds
from chatdesk.core.tools.host.offers import TooLargeError
from chatdesk.core.tools.host.open_requests import count_requests
from chatdesk.core.tools.host.redirect_receiver import RedirectReceiver
from chatdesk.core.tools.host.requests import Ask, ServerRequests
from chatdesk.core.tools.host.roots import Roots
from chatdesk.core.tools.host.sign_in import MARK, SignIn
from chatdesk.core.tools.host.stdio import LONGEST_LINE_BYTES, ServerBroke, StderrTail, program
from chatdesk.core.tools.host.throttle import Throttle

CONNECT_S: Final = 30.0
LIST_S: Final = 20.0
# How long a person has to sign in.
SIGN_IN_S: Final = 300.0
_SIGN_IN_BYTES: Final = 256 * 1024
_PAGES: Final = 50
# News of a list; its method has the list's name: ``notifications/tools/list_changed``.
_LIST_CHANGES: Final = (
    types.ToolListChangedNotification,
    types.PromptListChangedNotification,
    types.ResourceListChangedNotification,
)
_NAME: Final = types.Implementation(name="ChatDesk", version="1")

# What the process tells ChatDesk: a kind and its values.
Report = Callable[..., None]


class CallRefused(Exception):
    """A server answered a request with an error; the message is the server's."""


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
        self._tail = StderrTail(self._words.add)
        self._session: ClientSession | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ending = asyncio.Event()
        self._broken: asyncio.Future[str] | None = None
        self._is_gone = False
        self._changed: set[str] = set()
        self._requests = ServerRequests()
        self._task = asyncio.create_task(self._run())

    async def tools(self) -> tuple[ToolRow, ...]:
        """Return the tools of the server. Raises ``ServerBroke`` and ``CallRefused``."""
        return tool_rows(await self.listed("tools", self._list_tools))

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
            raise ServerBroke(self.problem or "It ended.")
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
                raise ServerBroke(self._broken.result()) from None
            raise CallRefused(str(error)) from None
        except TooLargeError as error:
            raise CallRefused(str(error)) from None
        except ValueError:
            raise CallRefused("It answered in a form that the protocol does not know.") from None
        finally:
            if not call.done():
                call.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await call

    async def _list_tools(self, session: ClientSession) -> list[types.Tool]:
        found: list[types.Tool] = []
        cursor: str | None = None
        async with asyncio.timeout(SIGN_IN_S if self._asks else LIST_S):
            for _page in range(_PAGES):
                page = await session.list_tools(params=types.PaginatedRequestParams(cursor=cursor))
                found += page.tools
                cursor = page.next_cursor
                if not cursor or len(found) >= MOST_TOOLS:
                    break
        return found

    async def _run(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                read, write, broken = await stack.enter_async_context(self._transport())
                self._broken = broken
                read, write = count_requests(read, write, broken)
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
                limit_s = SIGN_IN_S if self._asks else CONNECT_S
                try:
                    await asyncio.wait([initialised, broken], return_when=asyncio.FIRST_COMPLETED, timeout=limit_s)
                    if broken.done() or not initialised.done():
                        raise ServerBroke(
                            broken.result() if broken.done() else f"It did not answer in {limit_s:.0f} s."
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
            self.problem = self.problem or self._problem_of_transport() or _failure_text(error)
        finally:
            self._is_gone = True
            self._words.flush()  # the last words of a program are told before its end
            if not self._ready.done():
                self._ready.set_exception(ServerBroke(self.problem or "It ended."))
                self._ready.exception()  # it may be that nobody waits
            if not self.is_replaced:
                self._report("gone", self.id, self.problem)

    def _problem_of_transport(self) -> str:
        """Return the problem that ended the connection over HTTP, as a sentence; empty where there is none."""
        broken = self._broken
        return broken.result() if broken is not None and broken.done() and not broken.cancelled() else ""

    @asynccontextmanager
    async def _transport(self) -> AsyncGenerator[tuple[Any, Any, asyncio.Future[str]], None]:
        if self.spec.get("address"):
            async with _over_http(self.id, self.spec, self._report) as streams:
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
            if name not in self._changed:  # else nobody has asked for it since
                self._changed.add(name)
                self._report("changed", self.id, name)


class _Session(ClientSession):
    """A session that does not check results against the schemas of their server: a pattern in one could keep it busy
    for ever, and nothing depends on it."""

    async def validate_tool_result(self, name: str, result: types.CallToolResult) -> None:
        """Accept any result."""


@asynccontextmanager
async def _over_http(
    server_id: str, spec: Mapping[str, Any], report: Report
) -> AsyncGenerator[tuple[Any, Any, asyncio.Future[str]], None]:
    """Yield the streams of a session over streamable HTTP. The SDK follows redirects within their origin only."""
    broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def notify(problem: str) -> None:
        if not broken.done():
            broken.set_result(problem)

    try:
        async with _signed_in(server_id, spec, report, notify) as auth:
            client = httpx2.AsyncClient(
                # What is packed has no bound until it is unpacked.
                headers={**spec["headers"], "Accept-Encoding": "identity"},
                auth=auth,
                transport=_CappedTransport(httpx2.AsyncHTTPTransport()),
                timeout=httpx2.Timeout(CONNECT_S, read=300.0),
                follow_redirects=False,
            )
            async with client, streamable_http_client(spec["address"], http_client=client) as (read, write):
                yield read, write, broken
    finally:
        broken.cancel()


@asynccontextmanager
async def _signed_in(
    server_id: str, spec: Mapping[str, Any], report: Report, notify: Callable[[str], None]
) -> AsyncGenerator[SignIn | None, None]:
    """Yield the authentication of a server's requests, and listen for the browser while a person is asked."""
    known = spec.get("sign_in")
    if known is None:
        yield None
        return

    def keep(kept: str) -> None:
        report("kept", server_id, kept)

    if not known.get("asks"):
        yield SignIn(spec["address"], known, keep=keep, notify=notify)
        return
    receiver = RedirectReceiver()
    async with receiver.listening():
        yield SignIn(
            spec["address"],
            known,
            keep=keep,
            notify=notify,
            browse=lambda page: report("browse", server_id, page),
            receive=receiver.receive,
            redirect=receiver.address,
        )


class _CappedTransport(httpx2.AsyncBaseTransport):
    """Bounds answers that are not streams of events, those about signing in more than others, and refuses what is
    packed. The SDK bounds events by itself."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise httpx2.ReadError("packed, which was not asked for")
        is_sign_in = MARK in request.extensions
        if is_sign_in or not response.headers.get("content-type", "").startswith("text/event-stream"):
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            room = _SIGN_IN_BYTES if is_sign_in else LONGEST_LINE_BYTES
            response.stream = _CappedStream(response.stream, room)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _CappedStream(httpx2.AsyncByteStream):
    """Reads an answer as a whole, which the SDK does too: up to ``room`` bytes, within the bounds of a message."""

    def __init__(self, inner: httpx2.AsyncByteStream, room: int) -> None:
        self._inner = inner
        self._room = room

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = bytearray()
        async with aclosing(cast(AsyncGenerator[bytes, None], aiter(self._inner))) as pieces:
            async for piece in pieces:
                read += piece
                if len(read) > self._room:
                    raise httpx2.ReadError("larger than allowed")
        try:
            yield within_bounds(bytes(read))
        except TooManyValues as error:
            raise httpx2.ReadError(str(error)) from None

    async def aclose(self) -> None:
        await self._inner.aclose()


def _failure_text(error: BaseException) -> str:
    """Return a sentence for the failure that ended a connection; exception groups of the SDK are opened."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    if isinstance(error, ServerBroke):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return f"The program {error.filename} was not found."
    if isinstance(error, PermissionError):
        return f"The program {error.filename} may not be run."
    if isinstance(error, httpx2.ConnectError):
        return "It cannot be reached."
    if isinstance(error, httpx2.HTTPStatusError):
        return f"It answered with status {error.response.status_code}."
    if isinstance(error, MCPError):
        return f"It refused the connection: {error}"
    return f"The connection failed ({type(error).__name__})."
