"""A real HTTP/1.1 server on loopback that speaks chat completions, and misbehaves on cue.

A script says what happens on each request: it is an async function that gets an ``Exchange`` and writes whatever bytes
it likes, whole, late, broken or never. ``FaultServer`` takes one script or one for each request in turn (the last one
stays). Every request and every connection is recorded, so that tests can count retries and sockets.

    async with FaultServer(answer("Hello")) as server:
        provider = OpenAICompatibleProvider("test", "Test", Endpoint.of(server.base_url))

It can change its mind (``play``), go away and come back on the same port (``go_away``, ``come_back``), and take
connections without ever accepting them (``Unreachable``).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from tests.helpers.waiting import PATIENCE_S

SSE = "text/event-stream"


@dataclass(frozen=True)
class SeenRequest:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Exchange:
    """One request and the socket to answer it on."""

    request: SeenRequest
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_chunked: bool = field(default=False, init=False)
    is_over: bool = field(default=False, init=False)

    async def start(
        self,
        status: int = 200,
        *,
        content_type: str | None = SSE,
        headers: Sequence[tuple[str, str]] = (),
        chunked: bool = True,
        length: int | None = None,
        version: str = "1.1",
    ) -> None:
        """Send the status line and the headers."""
        self.is_chunked = chunked and length is None and version == "1.1"
        lines = [f"HTTP/{version} {status} Whatever"]
        if content_type is not None:
            lines.append(f"Content-Type: {content_type}")
        lines += [f"{name}: {value}" for name, value in headers]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        lines.append("Transfer-Encoding: chunked" if self.is_chunked else "Connection: close")
        await self.send_raw("\r\n".join([*lines, "", ""]).encode())

    async def send_raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def send(self, data: bytes | str) -> None:
        """A piece of the body, framed if the body is chunked."""
        data = data.encode() if isinstance(data, str) else data
        await self.send_raw(b"%x\r\n%b\r\n" % (len(data), data) if self.is_chunked else data)

    async def event(self, payload: object, *, name: str | None = None) -> None:
        """One server-sent event with JSON data."""
        head = f"event: {name}\n" if name else ""
        await self.send(f"{head}data: {json.dumps(payload)}\n\n")

    async def delta(self, **fields: object) -> None:
        """One chunk with this delta."""
        await self.event(chunk(fields))

    async def finish(self, reason: str | None = "stop", *, usage: bool = True, done: bool = True) -> None:
        """The proper end of a stream."""
        if reason is not None:
            await self.event(chunk({}, reason))
        if usage:
            await self.event({"choices": [], "usage": USAGE})
        if done:
            await self.send("data: [DONE]\n\n")
        await self.end()

    async def end(self) -> None:
        """The end of the body; the connection stays open if it may."""
        if self.is_chunked:
            await self.send_raw(b"0\r\n\r\n")
        else:
            self.close()

    def close(self) -> None:
        """An orderly close (FIN)."""
        self.is_over = True
        self.writer.close()

    def reset(self) -> None:
        """A reset (RST), as a crashed server or a dropped network gives."""
        self.is_over = True
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def hang(self) -> None:
        """Do nothing until the client goes away."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            pass
        self.is_over = True


Script = Callable[[Exchange], Awaitable[None]]
USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": 7,
    "total_tokens": 18,
    "prompt_tokens_details": {"cached_tokens": 3},
    "completion_tokens_details": {"reasoning_tokens": 2},
}


def chunk(delta: object, finish_reason: str | None = None) -> dict[str, object]:
    """A chat completion chunk as vendors send it."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "c-1", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}


def answer(text: str = "Hello there", *, usage: bool = True) -> Script:
    """A good answer, a word a chunk."""

    async def script(exchange: Exchange) -> None:
        await exchange.start(headers=[("x-request-id", "req-good")])
        await exchange.delta(role="assistant", content="")
        for word in text.split(" "):
            await exchange.delta(content=word if word == text.split(" ")[0] else f" {word}")
        await exchange.finish(usage=usage)

    return script


def status(
    code: int,
    body: object = None,
    *,
    headers: Sequence[tuple[str, str]] = (),
    content_type: str = "application/json",
) -> Script:
    """An error status with a JSON or text body."""

    async def script(exchange: Exchange) -> None:
        data = body.encode() if isinstance(body, str) else json.dumps(body or {}).encode()
        await exchange.start(code, content_type=content_type, headers=headers, length=len(data))
        await exchange.send_raw(data)

    return script


def models(*ids: str) -> Script:
    """The answer to *list models*."""
    return status(200, {"object": "list", "data": [{"id": model, "object": "model"} for model in ids]})


class FaultServer:
    """See the module text."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self._scripts = list(scripts)
        self._played_from = 0
        self._tls = tls
        self._port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._changed = asyncio.Condition()
        self.requests: list[SeenRequest] = []
        self.open_connections = 0
        self.total_connections = 0
        self.errors: list[BaseException] = []

    @property
    def port(self) -> int:
        return self._port

    @property
    def base_url(self) -> str:
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}/v1"

    def play(self, *scripts: Script) -> None:
        """Other scripts from the next request on."""
        self._scripts, self._played_from = list(scripts), len(self.requests)

    async def go_away(self) -> None:
        """Close the port and every connection: from now on connections are refused."""
        assert self._server is not None
        self._server.close()
        await self._end_connections()

    async def come_back(self, *, tls: ssl.SSLContext | None = None) -> None:
        """Listen on the same port again; ``tls`` replaces the certificate."""
        self._tls = tls or self._tls
        await self._listen()

    async def wait_for_requests(self, count: int = 1) -> None:
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: len(self.requests) >= count), PATIENCE_S)

    async def wait_until_closed(self) -> None:
        """Wait until no client holds a connection; raise ``TimeoutError`` before a deadline of a stream closes one."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: self.open_connections == 0), PATIENCE_S / 2)

    async def __aenter__(self) -> FaultServer:
        await self._listen()
        return self

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._on_connection, "127.0.0.1", self._port, limit=2**20, ssl=self._tls
        )
        self._port = int(self._server.sockets[0].getsockname()[1])

    async def _end_connections(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._end_connections()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _on_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.open_connections += 1
        self.total_connections += 1
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except BaseException as error:
            self.errors.append(error)
            raise
        finally:
            writer.close()
            with contextlib.suppress(Exception):
                await writer.wait_closed()
            self.open_connections -= 1
            await self._notify()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await _read_request(reader)
            if request is None:
                return
            script = self._scripts[min(len(self.requests) - self._played_from, len(self._scripts) - 1)]
            self.requests.append(request)
            await self._notify()
            exchange = Exchange(request, reader, writer)
            await script(exchange)
            if exchange.is_over:
                return


class Unreachable:
    """A port whose connections are never taken: the queue of the socket is full, as behind a firewall that drops."""

    def __init__(self, port: int = 0) -> None:
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))
        self._listener.listen(0)
        self.port = int(self._listener.getsockname()[1])
        self._fillers: list[socket.socket] = []

    def __enter__(self) -> Unreachable:
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(("127.0.0.1", self.port))
            self._fillers.append(filler)
        return self

    def __exit__(self, *_error: object) -> None:
        for each in (*self._fillers, self._listener):
            each.close()


async def _read_request(reader: asyncio.StreamReader) -> SeenRequest | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lines = head.decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return SeenRequest(method, path, headers, body)
