"""Checks every request before anything reads it: limits, Host, Origin and token, in this order. Writes one line to the
log for each.

An ASGI application around another one. What passes has a ``Caller`` and an id of the request in its state. Nothing that
a caller sent is logged but the method, the pattern of the address and sizes.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import time
from collections import deque
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from chatdesk.core.clock import Clock
from chatdesk.core.diagnostics.event_log import log_event
from chatdesk.core.errors import ChatDeskError
from chatdesk.service.caller import NOBODY, OWNER, Caller, Scope
from chatdesk.service.errors import (
    AnswerUnread,
    BodyTooLarge,
    BodyTooSlow,
    CallerLeft,
    ForeignOrigin,
    HeadersTooLarge,
    MalformedRequest,
    NotAllowed,
    NoToken,
    ServiceError,
    TooManyRequests,
    WrongHost,
)
from chatdesk.service.page_origins import PageOrigins, answer_headers, is_preflight, preflight_headers
from chatdesk.service.problems import MEDIA_TYPE, openai_error_of, problem_of, retry_after_s
from chatdesk.service.tokens import TokenBook, digest_of

_log = logging.getLogger(__name__)

_SECURITY: Final = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
_HSTS: Final = (b"strict-transport-security", b"max-age=31536000")
_OWN_SITE: Final = (b"none", b"same-origin")
_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"))
_MINUTE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Limits on the size and the time of one request: ``header_bytes`` for the headers of a request, ``body_bytes`` and
    ``body_s`` seconds for its body, or ``body_bytes`` for a message of a WebSocket; ``file_bytes`` and ``file_s`` hold
    for a body that is a file. A caller that reads nothing of its answer for ``unread_s`` is put off. Whoever follows
    events hears something every ``heartbeat_s``."""

    header_bytes: int = 32 * 1024
    body_bytes: int = 20 * 1024 * 1024
    body_s: float = 60.0
    file_bytes: int = 1024 * 1024 * 1024
    file_s: float = 900.0
    unread_s: float = 30.0
    heartbeat_s: float = 20.0


class RequestRates:
    """Counts the requests of each token in the last minute."""

    def __init__(self) -> None:
        self._made: dict[str, deque[float]] = {}

    def admit(self, token_id: str, most: int) -> None:
        """Count a request. Raises ``TooManyRequests`` where the last minute had ``most`` already."""
        now_s = time.monotonic()
        made = self._made.setdefault(token_id, deque())
        while made and made[0] <= now_s - _MINUTE_S:
            made.popleft()
        if len(made) >= most:
            raise TooManyRequests(made[0] + _MINUTE_S - now_s)
        made.append(now_s)


class Gate:
    """Lets requests through to ``application``. ``hosts`` are the values of Host that are answered by TCP, and
    ``pages`` the origins of other pages than its own that may ask; by the UNIX socket, which no page reaches, any Host
    will do. The digest of the owner's token changes with every start."""

    def __init__(
        self,
        application: ASGIApp,
        *,
        tokens: TokenBook,
        owner_digest: str,
        hosts: Iterable[str],
        pages: PageOrigins,
        clock: Clock,
        limits: RequestLimits,
        file_paths: Iterable[str] = (),
    ) -> None:
        self._application = application
        self._tokens = tokens
        self._owner_digest = owner_digest
        self._hosts = frozenset(host.encode() for host in hosts)
        self._origins = frozenset(scheme + host for host in self._hosts for scheme in (b"http://", b"https://"))
        self._pages = pages
        self._clock = clock
        self._limits = limits
        self._file_paths = frozenset(file_paths)
        self._rates = RequestRates()

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return
        answer = _Answer(scope, send, self._limits.unread_s)
        state = scope["state"]
        state["request_id"] = answer.request_id
        caller = NOBODY
        try:
            self._check_sender(scope)
            if "page" in state and is_preflight(scope.get("method"), scope["headers"]):
                await answer.send(
                    {"type": "http.response.start", "status": 204, "headers": preflight_headers(scope["headers"])}
                )
                await answer.send({"type": "http.response.body"})
                return
            caller = self._admitted(scope)
            state["caller"] = caller
            answer.caller_id = caller.id
            await self._application(scope, self._limited(scope, receive), answer.send)
        except ClientDisconnect:  # in the middle of a body, or after bytes that are no HTTP
            await answer.refuse(CallerLeft())
        except Exception as error:  # noqa: BLE001 - the edge of a request: its caller is told, and nobody else
            if not isinstance(error, ChatDeskError):
                _log.exception("a request failed: %s", answer.request_id)
            await answer.refuse(error)
        finally:
            log_event(
                "service_request",
                id=answer.request_id,
                who=caller.id or "nobody",
                by=state["listener_kind"],
                method=scope.get("method", "WEBSOCKET") if scope.get("method") in (*_METHODS, None) else "other",
                path=state.get("route", "unknown"),
                status=answer.status,
                bytes=answer.size_bytes,
                took_ms=round((time.monotonic() - answer.began_s) * 1000),
            )

    def still_valid(self, caller: Caller) -> bool:
        """Return whether the caller's token still lets it in: a long answer or a WebSocket ends with its token."""
        return caller.id == "" or caller.is_owner or self._tokens.is_valid(caller.id, now_ms=self._clock.now_ms())

    def admit(self, caller: Caller) -> None:
        """Count a request of a token, or an operation over its WebSocket. Raises ``TooManyRequests``."""
        if caller.requests_per_minute:
            self._rates.admit(caller.id, caller.requests_per_minute)

    def _check_sender(self, scope: AsgiScope) -> None:
        """Raise a ``ServiceError`` where the request, the address that it was sent to or the page that sent it is none
        that is answered. The origin of a page that a person has named is in the state then."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        kind = scope["state"]["listener_kind"]
        self._check_form(scope, headers)
        if kind != "socket" and _only(headers, b"host").lower() not in self._hosts:
            raise WrongHost
        origin = _only(headers, b"origin")
        if origin in self._pages and kind != "socket":
            scope["state"]["page"] = origin
            return
        if origin and (kind == "socket" or origin.lower() not in self._origins):
            raise ForeignOrigin
        site = _only(headers, b"sec-fetch-site")
        if site and site not in _OWN_SITE:
            raise ForeignOrigin

    def _admitted(self, scope: AsgiScope) -> Caller:
        """Return the caller. Raises a ``ServiceError`` for a caller without the right."""
        caller = self._caller(_only(scope["headers"], b"authorization"), scope["state"]["listener_kind"])
        if caller is not NOBODY:
            scope["state"]["connection"].is_proven = True
        return caller

    def _check_form(self, scope: AsgiScope, headers: list[tuple[bytes, bytes]]) -> None:
        """Refuse a request that two readers could understand differently, or that is too large from the start."""
        if sum(len(name) + len(value) for name, value in headers) > self._limits.header_bytes:
            raise HeadersTooLarge
        names = [name for name, _value in headers]
        has_length, has_encoding = b"content-length" in names, b"transfer-encoding" in names
        if has_length and has_encoding:
            raise MalformedRequest("A request has either Content-Length or Transfer-Encoding.")
        if has_encoding and _only(headers, b"transfer-encoding").lower() != b"chunked":
            raise MalformedRequest("The only Transfer-Encoding is chunked.")
        length = _only(headers, b"content-length")
        if length and int(length) > self._most_bytes(scope):
            raise BodyTooLarge
        if scope.get("method") in ("GET", "HEAD") and (has_encoding or length not in (b"", b"0")):
            raise MalformedRequest("A request that only reads has no body.")

    def _most_bytes(self, scope: AsgiScope) -> int:
        return self._limits.file_bytes if scope["path"] in self._file_paths else self._limits.body_bytes

    def _caller(self, authorization: bytes, kind: str) -> Caller:
        if not authorization:
            # The system has said that it is the owner's own process, which could read the owner's token as well.
            if kind == "remote":
                raise NoToken
            return OWNER if kind == "socket" else NOBODY
        scheme, _, text = authorization.decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            raise NoToken
        text = text.strip()
        if hmac.compare_digest(digest_of(text), self._owner_digest):
            if kind == "remote":
                raise NotAllowed("The owner's own token is for this computer only.")
            return OWNER
        token = self._tokens.find(text, now_ms=self._clock.now_ms())
        if token is None:
            raise NoToken
        caller = token.caller
        if kind == "remote":
            caller.require(Scope.REMOTE)
        self.admit(caller)
        return caller

    def _limited(self, scope: AsgiScope, receive: Receive) -> Receive:
        """Return ``receive`` with the limits on the body of an HTTP request."""
        if scope["type"] != "http":
            return receive
        is_file = scope["path"] in self._file_paths
        end_s = time.monotonic() + (self._limits.file_s if is_file else self._limits.body_s)
        most_bytes = self._most_bytes(scope)
        size_bytes = 0
        is_read = False

        async def limited() -> Message:
            nonlocal size_bytes, is_read
            if is_read:
                return await receive()
            try:
                async with asyncio.timeout(max(0.0, end_s - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                raise BodyTooSlow from None
            size_bytes += len(message.get("body", b""))
            if size_bytes > most_bytes:
                raise BodyTooLarge
            is_read = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        return limited


class _Answer:
    """The answer to one request: its common headers and its line in the log."""

    def __init__(self, scope: AsgiScope, send: Send, unread_s: float) -> None:
        self._scope = scope
        self._unread_s = unread_s
        self._send = send
        self.request_id = secrets.token_hex(8)
        self.caller_id = ""
        self.began_s = time.monotonic()
        self.status = 0
        self.size_bytes = 0

    async def send(self, message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            self.status = message["status"]
            self._complete(message)
        elif message["type"] == "websocket.accept":
            self.status = 101
            self._complete(message)
        elif message["type"] == "http.response.body":
            self.size_bytes += len(message.get("body", b""))
        if not self._scope["state"]["connection"].is_behind:  # nothing to wait for, and a limit has its price
            await self._send(message)
            return
        try:
            async with asyncio.timeout(self._unread_s):
                await self._send(message)
        except TimeoutError:
            raise AnswerUnread from None

    async def refuse(self, error: Exception) -> None:
        """Answer with the problem, unless an answer has begun; then cut the connection, so that the part is not taken
        for the whole."""
        if self.status:
            self._scope["state"]["connection"].end()
            return
        if self._scope["type"] == "websocket":
            self.status = 403
            await self._send({"type": "websocket.close", "code": 1008})
            return
        response = refusal(error, self.request_id, self._scope["path"])
        response.headers["connection"] = "close"

        async def nothing() -> Message:
            return {"type": "http.disconnect"}

        await response(self._scope, nothing, self.send)

    def _complete(self, message: MutableMapping[str, Any]) -> None:
        headers = list(message.get("headers", ()))
        present = {name for name, _value in headers}
        more = _SECURITY if self._scope.get("scheme") not in ("https", "wss") else (*_SECURITY, _HSTS)
        headers += [(name, value) for name, value in more if name not in present]
        if (page := self._scope["state"].get("page")) is not None:
            headers += answer_headers(page)
        headers.append((b"x-request-id", self.request_id.encode()))
        if self.caller_id:
            headers.append((b"x-chatdesk-token", self.caller_id.encode()))  # the token's id, not its secret
        message["headers"] = headers


def problem_response(error: Exception, request_id: str, **more: Any) -> JSONResponse:
    """Return the answer for an error; ``more`` goes into its body."""
    body = problem_of(error, request_id) | more
    return _with_headers(JSONResponse(body, body["status"], media_type=MEDIA_TYPE), error)


def refusal(error: Exception, request_id: str, path: str) -> JSONResponse:
    """Return the answer for an error in the form that callers of ``path`` know."""
    if not path.startswith("/v1/"):
        return problem_response(error, request_id)
    status, body = openai_error_of(error, request_id)
    response = _with_headers(JSONResponse(body, status), error)
    if not isinstance(error, ServiceError):
        response.headers["x-should-retry"] = "false"  # the service itself made all retries that make sense
    return response


def _with_headers(response: JSONResponse, error: Exception) -> JSONResponse:
    if isinstance(error, ChatDeskError) and (wait_s := retry_after_s(error)) is not None:
        response.headers["retry-after"] = str(wait_s)
    if response.status_code == 401:
        response.headers["www-authenticate"] = "Bearer"
    return response


def _only(headers: list[tuple[bytes, bytes]], name: bytes) -> bytes:
    """Return the value of a header; empty if it is missing. Raises ``MalformedRequest`` if it occurs several times."""
    found = [value for each, value in headers if each == name]
    if len(found) > 1:
        raise MalformedRequest("A header that may come once came twice.")
    return found[0] if found else b""
