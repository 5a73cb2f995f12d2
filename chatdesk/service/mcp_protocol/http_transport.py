"""Answers assistants over HTTP at ``/mcp``, behind the gate as everything else.

The mcp package is imported by the first request. Answers are single JSON documents: nothing is buffered for unread
streams. Runs on the service's thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from starlette.requests import Request
from starlette.types import Message, Receive, Send
from starlette.types import Scope as AsgiScope

from chatdesk.core.system.background_import import import_beside
from chatdesk.service.caller import Caller, Scope
from chatdesk.service.declaration import Call
from chatdesk.service.errors import BodyTooLarge, NotJson, UnknownMethod
from chatdesk.service.gate import refusal
from chatdesk.service.mcp_protocol.asking import Asker, Askings
from chatdesk.service.mcp_protocol.tools import ToolCall
from chatdesk.service.services_loop import ServicesLoop
from chatdesk.service.tokens import TokenWatch

if TYPE_CHECKING:  # a large package, loaded when it is used
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from chatdesk.service.mcp_protocol.server import Context
from collections import Counter
from dataclasses import dataclass

from starlette.datastructures import Headers

T = TypeVar("T")

PATH: Final = "/mcp"
_IDLE_S: Final = 600.0
_MOST_BYTES: Final = 4 * 1024 * 1024
_METHODS: Final = ("POST", "DELETE")


class HttpTransport:
    """An ASGI application for the address. ``make_call`` makes a call of a caller with the id of its request and what
    was sent; ``watch`` ends calls whose token is gone."""

    def __init__(
        self,
        loop: ServicesLoop,
        askings: Askings,
        make_call: Callable[[Caller, str, Any], Call[Any, Any]],
        watch: TokenWatch,
    ) -> None:
        self._loop = loop
        self._askings = askings
        self._make_call = make_call
        self._watch = watch
        self._manager: StreamableHTTPSessionManager | None = None
        self._sessions = Sessions(self._end_session)
        self._starting = asyncio.Lock()
        self._ending = asyncio.Event()
        self._held: asyncio.Task[None] | None = None

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        request.state.route = PATH
        caller: Caller = request.state.caller
        caller.require(Scope.READ)
        if request.method not in _METHODS:
            response = refusal(UnknownMethod(), request.state.request_id, PATH)
            response.headers["allow"] = ", ".join(_METHODS)
            await response(scope, receive, send)
            return
        if request.method == "POST" and not request.headers.get("content-type", "").startswith("application/json"):
            raise NotJson
        body = await request.body()
        if len(body) > _MOST_BYTES:
            raise BodyTooLarge
        manager = await self._started()
        scope["user"] = _user(caller.id)
        handle = partial(manager.handle_request, scope, _replayed(body))
        answering = asyncio.ensure_future(self._sessions.serve(caller.id, request, send, handle))
        leaving = asyncio.ensure_future(receive())  # the body is complete, so the next message is the disconnect
        try:
            await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                answering.result()
        finally:
            for each in (answering, leaving):
                each.cancel()
            await asyncio.wait([answering, leaving])

    async def _end_session(self, token_id: str, session_id: str) -> None:
        """End a session as its owner would."""
        headers = [(HEADER.encode(), session_id.encode())]
        scope = {"type": "http", "method": "DELETE", "path": PATH, "headers": headers, "user": _user(token_id)}
        manager = await self._started()
        await manager.handle_request(scope, _replayed(b""), _unheard)

    # The way to the services

    def asker_of(self, context: Context) -> Asker:
        assert context.request is not None  # each message comes with one
        state = context.request.state
        return Asker(state.caller, state.request_id)

    def watching(self, caller: Caller, end: Callable[[], object]) -> AbstractContextManager[None]:
        return self._watch.over(caller, end)

    async def run(self, asker: Asker, arguments: Any, handler: Callable[[ToolCall], Awaitable[T]]) -> T:
        call = ToolCall(self._make_call(asker.caller, asker.request_id, arguments), self._askings)
        return await self._loop.call(lambda: handler(call))

    async def close(self) -> None:
        """End all sessions."""
        self._ending.set()
        if self._held is not None:
            await asyncio.wait([self._held])

    async def _started(self) -> StreamableHTTPSessionManager:
        async with self._starting:
            if self._manager is None:
                await import_beside("mcp.server.streamable_http_manager", "chatdesk.service.mcp_protocol.server")
                from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

                from chatdesk.service.mcp_protocol.server import make_server

                manager = StreamableHTTPSessionManager(
                    make_server(self),
                    json_response=True,
                    session_idle_timeout=_IDLE_S,
                    max_request_body_size=_MOST_BYTES,
                    max_sessions=None,  # there are as many as ``Sessions`` lets live
                )
                is_running = asyncio.Event()
                self._held = asyncio.ensure_future(self._hold(manager, is_running))
                await is_running.wait()
                self._manager = manager
            return self._manager

    async def _hold(self, manager: StreamableHTTPSessionManager, is_running: asyncio.Event) -> None:
        async with manager.run():
            is_running.set()
            await self._ending.wait()


async def _unheard(_message: Message) -> None:
    """Discard an answer."""


def _user(token_id: str) -> Any:
    """Return the user of a session: the package refuses the session to all others."""
    from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
    from mcp.server.auth.provider import AccessToken

    return AuthenticatedUser(AccessToken(token="", client_id=token_id, scopes=[]))  # none is handed on


def _replayed(body: bytes) -> Receive:
    """Return a ``receive`` that gives a body that was read, and then waits: its caller is watched elsewhere."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop()

    return receive


# Shares the sessions of assistants among the tokens, so that one of them cannot keep the others out.
#
# The mcp package keeps the sessions; this module sees them open and close in its answers, and must not know it.

MOST_SESSIONS: Final = 256
MOST_FOR_TOKEN: Final = 32
HEADER: Final = "mcp-session-id"

# Ends a session, given the id of its token and its own.
EndSession = Callable[[str, str], Awaitable[None]]


@dataclass(slots=True)
class _Session:
    token_id: str
    uses: int = 0


class Sessions:
    """The sessions of all tokens. Where a token has more than its share, the one of its own that was idle longest ends;
    where all have more than there may be, one of the token that has most."""

    def __init__(self, end: EndSession) -> None:
        self._end = end
        self._sessions: dict[str, _Session] = {}  # by id, most recently used last

    async def serve(
        self, token_id: str, request: Request, send: Send, handle: Callable[[Send], Awaitable[None]]
    ) -> None:
        """Handle a token's request within its session, or open one. ``handle`` answers the request."""
        given = request.headers.get(HEADER)
        used = given if given in self._sessions and self._sessions[given].token_id == token_id else None
        if used is not None:
            self._sessions[used].uses += 1

        async def watch(message: Message) -> None:
            nonlocal used
            if message["type"] == "http.response.start":
                is_done = message["status"] < 400
                if used is not None and (message["status"] == 404 or (is_done and request.method == "DELETE")):
                    self._sessions.pop(used, None)
                elif is_done and given is None and (used := Headers(raw=message["headers"]).get(HEADER)) is not None:
                    self._sessions[used] = _Session(token_id, uses=1)
                    await self._end_surplus(token_id)
            await send(message)

        try:
            await handle(watch)
        finally:
            if used is not None and (session := self._sessions.pop(used, None)) is not None:
                session.uses -= 1
                self._sessions[used] = session
            await self._end_surplus(token_id)

    async def _end_surplus(self, token_id: str) -> None:
        while (surplus := self._surplus(token_id)) is not None:
            await self._end(self._sessions.pop(surplus).token_id, surplus)

    def _surplus(self, token_id: str) -> str | None:
        """Return the session that is to end now, if any. Those in use end none; they are looked at after their use."""
        counts = Counter(each.token_id for each in self._sessions.values())
        if counts[token_id] > MOST_FOR_TOKEN:
            crowding = token_id
        elif len(self._sessions) > MOST_SESSIONS:
            crowding = counts.most_common(1)[0][0]
        else:
            return None
        return next((id_ for id_, each in self._sessions.items() if each.token_id == crowding and not each.uses), None)
