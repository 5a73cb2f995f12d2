"""Answers requests that the gate let through: finds the endpoint, checks the request, has it carried out, and writes
the answer. Runs on the service's thread; handlers run on the loop of the services."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route, Router, WebSocketRoute
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope
from starlette.websockets import WebSocket

from chatdesk.core.storage.engine.repeated_request import StaleEdit
from chatdesk.service import forms
from chatdesk.service.allowances import Allowances
from chatdesk.service.caller import Caller
from chatdesk.service.carrying_out import Carried, CarryingOut, Conditions, conditions_of
from chatdesk.service.declaration import FILE, Call, Endpoint, Streamed, UploadedFile
from chatdesk.service.errors import CallerLeft, MalformedRequest, NotFile, NotJson, UnknownMethod, UnknownPath
from chatdesk.service.gate import problem_response, refusal
from chatdesk.service.jobs import Jobs
from chatdesk.service.live.conversation import Conversation, Followed, SocketEndpoint
from chatdesk.service.live.events import LiveEvents
from chatdesk.service.mcp_protocol.asking import Askings
from chatdesk.service.mcp_protocol.http_transport import PATH, HttpTransport
from chatdesk.service.services_loop import ServicesLoop
from chatdesk.service.tokens import TokenWatch
from chatdesk.service.uploads import received_file
from chatdesk.services.services import Services

_JSON: Final = "application/json"
_POLICY_VIOLATION: Final = 1008
_PACKED_FROM_BYTES: Final = 1_024
_PLAIN: Final = ("", "identity")


class Application:
    """An ASGI application made of declarations. ``still_valid`` returns whether a caller's token is still good;
    ``admit`` counts its requests over a WebSocket."""

    def __init__(
        self,
        services: Services,
        loop: ServicesLoop,
        endpoints: Iterable[Endpoint],
        sockets: Sequence[SocketEndpoint] = (),
        *,
        live: LiveEvents,
        allowances: Allowances,
        jobs: Jobs,
        askings: Askings,
    ) -> None:
        self._allowances = allowances
        self._jobs = jobs
        self._services = services
        self._loop = loop
        self._live = live
        self._carrying_out = CarryingOut(_names_version)
        self.still_valid: Callable[[Caller], bool] = lambda _caller: True
        self.admit: Callable[[Caller], None] = lambda _caller: None
        by_path: dict[str, dict[str, Endpoint]] = {}
        for endpoint in endpoints:
            by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
        routes: list[BaseRoute] = [
            Route(path, _Dispatch(partial(self._respond, path, methods))) for path, methods in by_path.items()
        ]
        routes += [WebSocketRoute(each.path, partial(self._converse, each)) for each in sockets]
        self._watch = TokenWatch(self._is_valid)
        self._assistants = HttpTransport(loop, askings, self._call, self._watch)
        routes.append(Route(PATH, self._assistants))
        self._router = Router(routes, redirect_slashes=False, default=_nothing_there)

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        await self._router(scope, receive, send)

    def _is_valid(self, caller: Caller) -> bool:
        return self.still_valid(caller)

    async def close(self) -> None:
        """End the work that runs between requests."""
        await self._assistants.close()

    async def _respond(self, path: str, methods: dict[str, Endpoint], request: Request) -> Response:
        request.state.route = path
        method = "GET" if request.method == "HEAD" else request.method
        endpoint = methods.get(method)
        if endpoint is None:
            response = refusal(UnknownMethod(), request.state.request_id, request.url.path)
            response.headers["allow"] = ", ".join(sorted(methods))
            response.headers["connection"] = "close"
            return response
        caller: Caller = request.state.caller
        caller.require(endpoint.scope)
        query = _query(endpoint, request)
        if not endpoint.takes_file:
            body = await self._body(endpoint, request)
            checked = None if endpoint.body is None else forms.checked_body(endpoint.body, body)
            return await self._answered(endpoint, request, query, checked, body)
        if request.headers.get("content-type") != FILE or request.headers.get("content-encoding", "") not in _PLAIN:
            raise NotFile
        async with received_file(request.stream(), self._services.paths.data_dir) as file:
            return await self._answered(endpoint, request, query, UploadedFile(file), b"")

    def _call(
        self,
        caller: Caller,
        request_id: str,
        body: Any = None,
        *,
        path: Mapping[str, str] = MappingProxyType({}),
        query: Any = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Call[Any, Any]:
        return Call(self._services, caller, path, query, body, self._allowances, self._jobs, headers, request_id)

    async def _answered(self, endpoint: Endpoint, request: Request, query: Any, checked: Any, body: bytes) -> Response:
        state = request.state
        headers = {name.lower(): value for name, value in request.headers.items()}
        path = dict(request.path_params)
        call = self._call(state.caller, state.request_id, checked, path=path, query=query, headers=headers)
        target = f"{request.scope['path']}?{request.scope['query_string'].decode('latin-1')}"
        conditions = conditions_of(endpoint, call, target, request.headers.get)
        try:
            answering = self._answer(endpoint, call, conditions, request)
            return await (_unless_left(request, answering) if endpoint.ends_when_left else answering)
        except StaleEdit as error:
            return _stale(endpoint, error, request, body)

    async def _answer(
        self, endpoint: Endpoint, call: Call[Any, Any], conditions: Conditions, request: Request
    ) -> Response:
        carried = await self._carry_out(endpoint, call, conditions)
        result = carried.result
        if not isinstance(result, Streamed | Followed):
            return self._shown(endpoint, carried, request)
        stream = self._bytes_of(result, call.caller)
        first = await _first_of(stream) if isinstance(result, Streamed) and result.is_held else b""
        return _StreamedResponse(stream, result, endpoint.status, first=first)

    async def _carry_out(self, endpoint: Endpoint, call: Call[Any, Any], conditions: Conditions) -> Carried:
        return await self._loop.call(lambda: self._carrying_out.carry_out(endpoint, call, conditions))

    def _shown(self, endpoint: Endpoint, carried: Carried, request: Request) -> Response:
        again = {"idempotent-replayed": "true"} if carried.is_repeated else {}
        if endpoint.shows is None:
            return Response(status_code=204, headers=again)
        shown = endpoint.shows(carried.result)
        content = forms.as_json(shown)
        etag = _etag(endpoint, carried.result, content)
        if endpoint.method == "GET" and etag in _listed(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers={"etag": etag})
        response = _json_response(content, endpoint.status, etag, request)
        if endpoint.headers is not None:
            response.headers.update(endpoint.headers(carried.result))
        response.headers.update(again)
        return response

    async def _bytes_of(self, result: Streamed | Followed, caller: Caller) -> AsyncGenerator[bytes, None]:
        source: AsyncGenerator[Any, None]
        if isinstance(result, Streamed):
            source, encode = self._loop.stream(result.events), result.encode
        else:
            source, encode = result.content(self._live), bytes
        async with aclosing(source) as items:
            following = asyncio.ensure_future(anext(items))
            is_allowed = True

            def end() -> None:
                nonlocal is_allowed
                is_allowed = False
                following.cancel()

            try:
                with self._watch.over(caller, end):
                    while is_allowed:
                        await asyncio.wait([following])
                        if not self._is_valid(caller):
                            return
                        if not following.cancelled():
                            yield encode(following.result())
                            following = asyncio.ensure_future(anext(items))
            except StopAsyncIteration:
                return
            finally:
                following.cancel()
                await asyncio.wait([following])

    async def _converse(self, endpoint: SocketEndpoint, websocket: WebSocket) -> None:
        websocket.state.route = endpoint.path
        caller: Caller = websocket.state.caller
        caller.require(endpoint.scope)
        call = partial(self._call, caller, websocket.state.request_id)
        conversation = Conversation(
            websocket,
            caller,
            call,
            self._live,
            self._carry_out,
            partial(self.admit, caller),
            partial(self._is_valid, caller),
        )
        handling = asyncio.ensure_future(endpoint.handler(conversation))
        try:
            with self._watch.over(caller, handling.cancel):
                await asyncio.wait([handling])
            if handling.cancelled():
                await websocket.close(_POLICY_VIOLATION)
            else:
                handling.result()
        finally:
            handling.cancel()

    async def _body(self, endpoint: Endpoint, request: Request) -> bytes:
        body = await request.body() if endpoint.writes else b""
        if endpoint.body is None:
            if body:
                raise MalformedRequest("This request has no body.")
            return body
        kind, _, parameters = request.headers.get("content-type", "").partition(";")
        charset = parameters.replace(" ", "").lower()
        if kind.strip().lower() != _JSON or charset not in ("", "charset=utf-8"):
            raise NotJson
        if request.headers.get("content-encoding", "") not in _PLAIN:
            raise NotJson
        return body


def _json_response(content: bytes, status: int, etag: str, request: Request) -> Response:
    """Return an answer, packed where the caller takes that and it is worth it: pages are ids and times for the most
    part. The quickest packing takes a tenth of the time that reading a page takes, and leaves an eighth of it."""
    headers = {"etag": etag, "vary": "accept-encoding"}
    if len(content) >= _PACKED_FROM_BYTES and _takes_gzip(request.headers.get("accept-encoding", "")):
        content = gzip.compress(content, 1, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(content, status, headers, _JSON)


def _takes_gzip(accepted: str) -> bool:
    """Return whether Accept-Encoding allows gzip. Not by a pattern: the caller chooses its length."""
    for each in accepted.lower().split(","):
        name, _, weight = each.replace(" ", "").partition(";")
        if name == "gzip":
            return not weight or weight.strip("q=0.") != ""
    return False


class _Dispatch:
    """An ASGI application for one address, whatever the method is."""

    def __init__(self, respond: Callable[[Request], Any]) -> None:
        self._respond = respond

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive, send))
        await response(scope, receive, send)


class _StreamedResponse(StreamingResponse):
    """An answer that goes on, after ``first``; its source is closed however it ends, also where the caller reads
    nothing."""

    def __init__(
        self, stream: AsyncGenerator[bytes, None], streamed: Streamed | Followed, status: int, *, first: bytes
    ) -> None:
        super().__init__(_after(first, stream), streamed.status or status, streamed.headers, streamed.media_type)
        self._stream = stream

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        # Not with Starlette's own way, which cancels the source again and again while that closes what it holds.
        both = [
            asyncio.ensure_future(work) for work in (self.stream_response(send), self.listen_for_disconnect(receive))
        ]
        async with aclosing(self._stream):
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in both:
                    each.cancel()
                await asyncio.wait(both)
        for each in both:
            if not each.cancelled():
                each.result()


async def _after(first: bytes, stream: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    if first:
        yield first
    async for each in stream:
        yield each


async def _first_of(stream: AsyncGenerator[bytes, None]) -> bytes:
    """Return the first piece of a stream, empty where there is none; the stream is closed if that fails."""
    try:
        return await anext(stream, b"")
    except BaseException:
        await stream.aclose()
        raise


async def _unless_left(request: Request, answering: Coroutine[Any, Any, Response]) -> Response:
    """Return the answer. Raises ``CallerLeft``, once the work for it has ended, where the caller does not wait."""
    working = asyncio.ensure_future(answering)
    leaving = asyncio.ensure_future(request.receive())  # the body is complete, so the next message is the disconnect
    try:
        await asyncio.wait([working, leaving], return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise CallerLeft
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait([working, leaving])


async def _nothing_there(_scope: AsgiScope, _receive: Receive, _send: Send) -> None:
    raise UnknownPath


def _query(endpoint: Endpoint, request: Request) -> Any:
    pairs = request.query_params.multi_items()
    values = dict(pairs)
    if endpoint.resumes and (last := request.headers.get("last-event-id")):
        values["after"] = last
    if len(values) < len(pairs) or (values and endpoint.query is None):
        raise MalformedRequest("The query of this address has a name that it does not know, or one twice.")
    return None if endpoint.query is None else forms.checked_query(endpoint.query, values)


def _stale(endpoint: Endpoint, error: StaleEdit, request: Request, body: bytes) -> Response:
    """Return both versions: the stored one and the caller's."""
    assert endpoint.shows is not None  # it was compared
    import json

    current = forms.as_json(endpoint.shows(error.current))
    response = problem_response(
        error, request.state.request_id, current=json.loads(current), yours=json.loads(body) if body else None
    )
    response.headers["etag"] = _etag(endpoint, error.current, current)
    return response


def _etag(endpoint: Endpoint, thing: Any, content: bytes) -> str:
    """Return the ETag of an answer, which begins with a digest of the fields that If-Match compares."""
    compared = "" if endpoint.compares is None else f"{_digest(forms.as_json(endpoint.compares(thing)))}."
    return f'"{compared}{_digest(content)}"'


def _names_version(etag: str, compared: Any) -> bool:
    """Return whether an ETag was made of this version of a thing."""
    return etag[1:-1].partition(".")[0] == _digest(forms.as_json(compared))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _listed(header: str) -> list[str]:
    return [each.strip().removeprefix("W/") for each in header.split(",")]
