"""Accepts connections within a budget of descriptors, and gives each its limits before anything is known of its caller.

A flood waits in the system's queue: the next connection is taken when there is room, and those that have shown no token
make room first. Only one's own user gets in by the UNIX socket.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Literal

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

from chatdesk.core.local_api.sockets import peer_of
from chatdesk.service.strict_http import StrictConnection

_log = logging.getLogger(__name__)

# The kind of listener that accepted a caller. ``remote`` is TLS at another address than loopback.
ListenerKind = Literal["socket", "loopback", "remote"]

_UNPROVEN_S: Final = 0.1
_NO_DESCRIPTOR_PAUSE_S: Final = 1.0
# Compression of WebSockets takes 24 KB for a connection: messages are compressed with those before them, as they name
# the same ids again and again. Each that arrives is decompressed by itself.
_COMPRESSION: Final = ServerPerMessageDeflateFactory(
    server_max_window_bits=12, client_no_context_takeover=True, compress_settings={"memLevel": 4}
)
_NO_HANDSHAKE: Final = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits on the connections of the service: ``most`` connections at a time, ``unproven`` of them without a token so
    far, each with ``header_s`` seconds for the headers of a request and ``idle_s`` seconds between two."""

    most: int = 640
    unproven: int = 32
    header_s: float = 5.0
    idle_s: int = 15


def affordable(limits: ConnectionLimits) -> ConnectionLimits:
    """Return the limits as the descriptors of this process allow them: most are for everything else."""
    if os.name != "posix":
        return limits
    import resource

    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = limits.most if soft == resource.RLIM_INFINITY else max(8, min(limits.most, soft - 384))
    return replace(limits, most=most, unproven=min(limits.unproven, max(4, most // 4)))


@dataclass(frozen=True, slots=True)
class Listening:
    """A bound socket and the kind of callers that it accepts."""

    socket: socket.socket
    kind: ListenerKind
    context: ssl.SSLContext | None = None


@dataclass(slots=True, eq=False)
class OpenConnection:
    """A connection that was accepted. ``is_proven`` once one of its requests had a valid token."""

    descriptor: socket.socket
    since_s: float = field(default_factory=time.monotonic)
    is_proven: bool = False
    is_ended: bool = False
    transport: asyncio.Transport | None = None

    @property
    def is_behind(self) -> bool:
        """True while the system has not taken all that was sent, so that more of it may have to wait."""
        return self.transport is None or self.transport.get_write_buffer_size() > 0

    def end(self) -> None:
        """Cut the connection; its transport notices and lets go of it."""
        self.is_ended = True
        try:
            self.descriptor.shutdown(socket.SHUT_RDWR)
        except OSError:
            self.descriptor.close()


class _CountedSocket(socket.socket):
    """A socket that reports when it is closed, because its descriptor is free then."""

    on_close: Callable[[], None] | None = None

    def close(self) -> None:
        super().close()
        on_close, self.on_close = self.on_close, None
        if on_close is not None:
            on_close()


class _LimitedProtocol(H11Protocol):
    """uvicorn's protocol with a strict reader and a limit on the time in which the headers of a request arrive."""

    def __init__(self, header_s: float, config: Config, state: ServerState, app_state: dict[str, Any]) -> None:
        super().__init__(config, state, app_state)
        assert config.h11_max_incomplete_event_size is not None  # the service sets it
        self.conn = StrictConnection(h11.SERVER, config.h11_max_incomplete_event_size)
        self._header_s = header_s
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state["connection"].transport = transport
        self._timer = self.loop.call_later(self._header_s, self._end_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_timer()
        else:
            self._limit_headers()

    def on_response_complete(self) -> None:
        """Handle the bytes behind the request: the next request may already be there, and no more data may come
        to wake it."""
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._limit_headers()

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that is not valid HTTP or that two parsers could understand differently, and end the
        connection."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:  # an answer is on its way already
            self.transport.close()

    def _limit_headers(self) -> None:
        if self._timer is None and not self.transport.is_closing():
            self._timer = self.loop.call_later(self._header_s, self._end_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_slow(self) -> None:
        self._timer = None
        if self.conn.their_state is h11.IDLE:
            self.transport.abort()


class LimitedWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's protocol of WebSockets for callers that may mean harm. Nothing is read from one that does not read: its
    pings would be answered into memory. One that does not answer pings is cut, not waited for. A request for a
    WebSocket that cannot be read as one is refused; uvicorn would wait for another. Messages are compressed within
    little memory."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn.available_extensions = [_COMPRESSION]

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.handshake_initiated and not self.transport.is_closing():
            self.transport.write(_NO_HANDSHAKE)
            self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()


class Connections:
    """Accepts connections from ``open`` to ``close``, on the loop that opened them."""

    def __init__(self, config: Config, limits: ConnectionLimits) -> None:
        self._config = config
        self._limits = limits
        self._state = ServerState()
        self._listening: Sequence[Listening] = ()
        self._open: set[OpenConnection] = set()
        self._handshakes: set[asyncio.Task[None]] = set()
        self._is_waiting = False
        self._timer: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()

    def open(self, listening: Sequence[Listening]) -> None:
        self._listening = listening
        self._listen()

    async def close(self, *, within_s: float) -> None:
        """Stop accepting, let running requests end within a time, then cut the rest."""
        self._pause(None)
        for each in self._listening:
            each.socket.close()
        self._listening = ()
        for protocol in list(self._state.connections):
            protocol.shutdown()
        for task in self._handshakes:
            task.cancel()
        await self._emptied(within_s)
        requests = list(self._state.tasks)
        for request in requests:
            request.cancel()
        if requests:
            await asyncio.wait(requests)
        for connection in list(self._open):
            connection.end()
        await self._emptied(within_s)
        for connection in list(self._open):
            connection.descriptor.close()

    def cut(self) -> None:
        """Abort all open connections without an answer; the next turns of the loop close them."""
        for protocol in list(self._state.connections):
            protocol.transport.abort()

    async def _emptied(self, within_s: float) -> None:
        """Wait until no connection is open, but not for longer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self._open:
                    self._changed.clear()
                    await self._changed.wait()

    def _listen(self) -> None:
        self._timer = None
        if not self._is_waiting:
            self._is_waiting = True
            loop = asyncio.get_running_loop()
            for each in self._listening:
                loop.add_reader(each.socket, self._on_readable, each)

    def _pause(self, seconds: float | None) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is_waiting:
            self._is_waiting = False
            for each in self._listening:
                loop.remove_reader(each.socket)
        if seconds is not None:
            self._timer = loop.call_later(seconds, self._listen)

    def _on_readable(self, listening: Listening) -> None:
        """Accept one connection, so that open ones have their turn before the next."""
        wait_s = self._room_in_s()
        if wait_s > 0:
            self._pause(wait_s)
            return
        try:
            taken, _address = listening.socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:  # no descriptor is left: callers can wait
            _log.warning("a connection was not taken: errno %s", error.errno)
            self._pause(_NO_DESCRIPTOR_PAUSE_S)
            return
        counted = _CountedSocket(fileno=taken.detach())
        counted.setblocking(False)
        if listening.kind == "socket" and not _is_own(counted):
            counted.close()
            return
        if listening.kind != "socket":
            counted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = OpenConnection(counted)
        self._open.add(connection)
        counted.on_close = partial(self._forget, connection)
        task = asyncio.get_running_loop().create_task(self._start(listening, connection), name="begin a connection")
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _start(self, listening: Listening, connection: OpenConnection) -> None:
        app_state = {"listener_kind": listening.kind, "connection": connection}
        make = partial(_LimitedProtocol, self._limits.header_s, self._config, self._state, app_state)
        handshake_s = self._limits.header_s if listening.context is not None else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                make, connection.descriptor, ssl=listening.context, ssl_handshake_timeout=handshake_s
            )
        except (OSError, TimeoutError, asyncio.CancelledError):
            connection.descriptor.close()

    def _forget(self, connection: OpenConnection) -> None:
        self._open.discard(connection)
        self._changed.set()
        if not self._is_waiting and self._listening:
            self._pause(0)

    def _room_in_s(self) -> float:
        """Return the seconds until the next connection may be taken; where too many have shown no token, the oldest of
        them that had its time is ended for it."""
        unproven = [each for each in self._open if not each.is_proven and not each.is_ended]
        is_full = len(self._open) >= self._limits.most
        if not is_full and len(unproven) < self._limits.unproven:
            return 0.0
        if not unproven:
            return _UNPROVEN_S
        oldest = min(unproven, key=lambda each: each.since_s)
        left_s = oldest.since_s + _UNPROVEN_S - time.monotonic()
        if left_s > 0:
            return left_s
        oldest.end()
        return 0.0 if not is_full else 0.01


def _is_own(connection: socket.socket) -> bool:
    try:
        return peer_of(connection).uid == os.geteuid()
    except OSError:
        return False
