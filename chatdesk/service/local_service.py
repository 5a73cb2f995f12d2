"""Runs the service: a thread with a loop of its own that listens, takes requests and hands them to the services.

uvicorn on the loop of the window was measured to hold it up for half a second and more, and takes over Ctrl+C; here it
only reads and writes HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from uvicorn.config import Config

from chatdesk.core.clock import Clock
from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.core.local_api.instance import remove_socket
from chatdesk.core.local_api.sockets import bind_privately
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text
from chatdesk.service.address_book import ServiceFiles
from chatdesk.service.allowances import Allowances
from chatdesk.service.application import Application
from chatdesk.service.caller import Scope
from chatdesk.service.connections import ConnectionLimits, Connections, LimitedWebSocket, Listening, affordable
from chatdesk.service.declaration import Endpoint
from chatdesk.service.endpoints import ENDPOINTS, SOCKETS
from chatdesk.service.gate import Gate, RequestLimits
from chatdesk.service.jobs import Jobs
from chatdesk.service.live.conversation import SocketEndpoint
from chatdesk.service.live.events import LiveEvents
from chatdesk.service.live.journal import EventJournal
from chatdesk.service.mcp_protocol.asking import Askings
from chatdesk.service.page_origins import PageOrigins
from chatdesk.service.services_loop import ServicesLoop
from chatdesk.service.tokens import TokenBook, digest_of
from chatdesk.service.uploads import UPLOADS
from chatdesk.services.services import Services

_log = logging.getLogger(__name__)

_LOOPBACK: Final = ("127.0.0.1", "::1")
_BACKLOG: Final = 128
_GRACE_S: Final = 2.0
_TRIES: Final = 20
_JOBS: Final = "jobs"


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """The places to listen at, and the limits. ``port`` 0: any that is free. The service also listens at
    ``remote_address``, such as ``192.168.1.5:8443``, with TLS. Pages of ``origins`` may ask, with a token."""

    port: int = 0
    remote_address: str = ""
    certificate: str = ""
    certificate_key: str = ""
    origins: tuple[str, ...] = ()
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)
    requests: RequestLimits = field(default_factory=RequestLimits)


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """The places where the service listens: ``urls`` by TCP, loopback first, and the path of the UNIX socket, empty on
    Windows."""

    urls: tuple[str, ...]
    socket: str


class LocalService:
    """The service over ``services``, from ``start`` to ``close``; both are called on the loop of the services."""

    def __init__(
        self,
        services: Services,
        options: ServiceOptions | None = None,
        *,
        endpoints: Sequence[Endpoint] = ENDPOINTS,
        sockets: Sequence[SocketEndpoint] = SOCKETS,
        on_died: Callable[[], None] = lambda: None,
    ) -> None:
        """Set the services to serve. ``on_died`` is called on the loop of the services when it ends by a fault."""
        self._services = services
        self._options = options or ServiceOptions()
        self._endpoints = endpoints
        self._sockets = sockets
        self._on_died = on_died
        self._files = ServiceFiles.of(services.paths)
        self._journal = EventJournal(services.events)
        self._origins = PageOrigins(())
        self._loop: ServicesLoop | None = None
        self._allowances: Allowances | None = None
        self._jobs: Jobs | None = None
        self._askings: Askings | None = None
        self._thread: threading.Thread | None = None
        self._thread_loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None

    async def start(self) -> ServiceAddress:
        """Listen, and publish the address for other programs of this person. Raises a ``ChatDeskError`` where that is
        not possible."""
        self._origins = PageOrigins(self._options.origins)
        self._loop = ServicesLoop()
        if self._options.remote_address:
            await asyncio.to_thread(_check_tokens, TokenBook(self._files.tokens))
        try:
            await asyncio.to_thread(self._files.prepare)
        except OSError as error:
            raise NotPossible(
                Text(
                    "The folder of the service {path} cannot be written to: {reason}.",
                    path=self._files.directory,
                    reason=reason_text(error),
                ),
                next_step=Text("Check its owner and permissions, or choose another --data-dir."),
            ) from error
        await asyncio.to_thread(_remove_left_files, self._files.directory)
        try:
            bound = await asyncio.to_thread(_bind, self._options, self._files.socket)
        except OSError as error:
            raise NotPossible(
                Text("The service cannot listen: {reason}.", reason=reason_text(error)),
                next_step=Text("Choose another port in the settings, or 0 for any that is free."),
            ) from error
        ready: Future[None] = Future()
        home = asyncio.get_running_loop()
        try:
            token = await asyncio.to_thread(self._files.announce, pid=os.getpid(), urls=bound.urls, socket=bound.path)
        except OSError as error:
            bound.close()
            raise NotPossible(
                Text("The address of the service cannot be written: {reason}.", reason=reason_text(error))
            ) from error
        except BaseException:
            bound.close()
            raise
        self._allowances = Allowances(self._files.tokens, self._services.events, Clock())
        self._jobs = Jobs(self._files.directory / _JOBS, Clock())
        self._askings = Askings()
        self._thread = threading.Thread(
            target=self._run,
            args=(bound, digest_of(token), self._loop, home, ready),
            name="local service",
            daemon=False,
        )
        self._thread.start()
        try:
            await asyncio.wrap_future(ready)
        except BaseException:
            await self.close()
            raise
        return ServiceAddress(bound.urls, bound.path)

    async def close(self) -> None:
        """Let requests end, cut the rest, and remove the address. Safe to call twice."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        await asyncio.to_thread(self._files.retract)
        assert self._loop is not None
        await self._loop.close()
        if self._askings is not None:
            await self._askings.close()
        self._journal.close()
        if self._thread_loop is not None and self._ending is not None:
            with suppress(RuntimeError):
                self._thread_loop.call_soon_threadsafe(self._ending.set)
        await asyncio.to_thread(thread.join)
        if self._jobs is not None and self._allowances is not None:
            await self._jobs.close()
            await self._allowances.close()

    # On the thread of the service.

    def _run(
        self,
        bound: _Bound,
        owner_digest: str,
        loop: ServicesLoop,
        home: asyncio.AbstractEventLoop,
        ready: Future[None],
    ) -> None:
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            try:
                runner.run(self._serve(bound, owner_digest, loop, ready))
            except BaseException as error:  # noqa: BLE001 - the end of a thread: somebody is told of any fault
                if not ready.done():
                    ready.set_exception(error)
                else:
                    _log.exception("the service ended")
                    with suppress(RuntimeError):  # the services have ended as well
                        home.call_soon_threadsafe(self._on_died)
            finally:
                bound.close()

    async def _serve(self, bound: _Bound, owner_digest: str, loop: ServicesLoop, ready: Future[None]) -> None:
        requests = self._options.requests
        assert self._allowances is not None  # made by start
        assert self._jobs is not None
        assert self._askings is not None
        live = LiveEvents(self._services, loop, self._journal, heartbeat_s=requests.heartbeat_s)
        application = Application(
            self._services,
            loop,
            self._endpoints,
            self._sockets,
            live=live,
            allowances=self._allowances,
            jobs=self._jobs,
            askings=self._askings,
        )
        limits = affordable(self._options.connections)
        gate = Gate(
            application,
            tokens=TokenBook(self._files.tokens),
            owner_digest=owner_digest,
            hosts=bound.hosts,
            pages=self._origins,
            clock=Clock(),
            limits=requests,
            file_paths=[each.path for each in self._endpoints if each.takes_file],
        )
        application.still_valid, application.admit = gate.still_valid, gate.admit
        config = Config(
            gate,
            lifespan="off",
            loop="none",
            ws=LimitedWebSocket,
            ws_max_size=requests.body_bytes,
            ws_ping_interval=requests.heartbeat_s,
            ws_ping_timeout=requests.heartbeat_s,
            ws_per_message_deflate=False,  # LimitedWebSocket has its own settings
            log_config=None,
            log_level="critical",  # the gate has a line for each request, without what callers sent
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=limits.idle_s,
            h11_max_incomplete_event_size=requests.header_bytes,
        )
        connections = Connections(config, limits)
        self._thread_loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        connections.open(bound.listening)
        ready.set_result(None)
        try:
            await self._ending.wait()
            await connections.close(within_s=_GRACE_S)
            await application.close()
        finally:  # also where a fault ends this thread
            connections.cut()


@dataclass(frozen=True, slots=True)
class _Bound:
    """Bound sockets, with the values of Host that their callers send."""

    listening: tuple[Listening, ...]
    urls: tuple[str, ...]
    hosts: tuple[str, ...]
    path: str

    def close(self) -> None:
        for each in self.listening:
            each.socket.close()
        if self.path:
            remove_socket(Path(self.path))


def _remove_left_files(folder: Path) -> None:
    """Remove files that a killed service had received or exported; no client can reach them now."""
    for name in (UPLOADS, _JOBS):
        shutil.rmtree(folder / name, ignore_errors=True)


def _bind(options: ServiceOptions, wanted: Path) -> _Bound:
    """Bind all that is to listen, or nothing. Raises ``OSError`` and ``InvalidInput``."""
    remote = _remote(options) if options.remote_address else None
    sockets = _loopback(options.port)
    listening = [Listening(each, "loopback") for each in sockets]
    port = sockets[0].getsockname()[1]
    urls = [f"http://{_in_url(each.getsockname()[0])}:{port}" for each in sockets]
    hosts = [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")]
    path = ""
    try:
        if remote is not None:
            host, remote_port, context = remote
            family, _, _, _, place = socket.getaddrinfo(host, remote_port, type=socket.SOCK_STREAM)[0]
            listening.append(Listening(_tcp(family, place), "remote", context))
            urls.append(f"https://{_in_url(host)}:{remote_port}")
            hosts.append(f"{_in_url(host)}:{remote_port}".lower())
        if sys.platform != "win32":
            private, place_of_socket = bind_privately(wanted)
            listening.append(Listening(private, "socket"))
            path = str(place_of_socket)
    except BaseException:
        for each in listening:
            each.socket.close()
        raise
    return _Bound(tuple(listening), tuple(urls), tuple(hosts), path)


def _check_tokens(tokens: TokenBook) -> None:
    """Raise ``InvalidInput`` where no token may come in from elsewhere: then the settings are not this person's."""
    now_ms = Clock().now_ms()
    if not any(Scope.REMOTE in each.scopes and tokens.is_valid(each.id, now_ms=now_ms) for each in tokens.all()):
        raise InvalidInput(
            Text("The settings name another address for the service, but no token may be used there."),
            safe=Text("The service was not started."),
            next_step=Text("Make one with 'chatdesk tokens new NAME --scope remote', or leave the address empty."),
        )


def _remote(options: ServiceOptions) -> tuple[str, int, ssl.SSLContext]:
    """Return the host, port and TLS of an address other than loopback. Raises ``InvalidInput`` without a certificate:
    tokens and chats never go over a network in the open."""
    host, _, port = options.remote_address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or host in ("0.0.0.0", "::", "*"):  # noqa: S104 - refused
        raise InvalidInput(
            Text("The address of the service must be a name or number of this computer with a port."),
            safe=Text("The service was not started."),
            next_step=Text("For example 192.168.1.5:8443, the address at which others reach this computer."),
        )
    if not options.certificate or not options.certificate_key:
        raise InvalidInput(
            Text("Another address than this computer's own needs TLS."),
            safe=Text("The service was not started."),
            next_step=Text("Name the files of a certificate and its key in the settings, or leave the address empty."),
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(options.certificate, options.certificate_key, password=lambda: "")
    except (OSError, ssl.SSLError) as error:
        raise InvalidInput(
            Text("The certificate of the service cannot be used: {reason}.", reason=reason_text(error)),
            safe=Text("The service was not started."),
            next_step=Text(
                "Both files must be in PEM format and belong together, and the key must have no passphrase."
            ),
        ) from error
    return host, int(port), context


def _loopback(port: int) -> list[socket.socket]:
    """Bind one port on both addresses of this computer; on the first alone without IPv6."""
    for attempt in range(_TRIES):
        first = _tcp(socket.AF_INET, (_LOOPBACK[0], port))
        try:
            return [first, _tcp(socket.AF_INET6, (_LOOPBACK[1], first.getsockname()[1]))]
        except OSError as error:
            import errno

            if error.errno != errno.EADDRINUSE:
                return [first]
            first.close()
            if port or attempt == _TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _tcp(family: int, place: tuple[object, ...]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(place)
        listening.listen(_BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
