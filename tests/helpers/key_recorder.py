"""A server that notes every byte it is sent, also as a proxy that opens the encryption of who trusts its authority."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_MODELS = json.dumps({"object": "list", "data": [{"id": "tiny", "object": "model"}]}).encode()
_WAIT_S = 10


class KeyRecorder:
    """``url`` is its address, ``received`` what came, encryption taken off."""

    def __init__(self, tls: ssl.SSLContext | None, as_proxy: ssl.SSLContext | None) -> None:
        self._tls = tls
        self._as_proxy = as_proxy
        self._parts: list[bytes] = []
        self._answering: set[asyncio.Task[object]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def received(self) -> bytes:
        return b"".join(self._parts)

    async def serve(self, ready: threading.Event, ended: asyncio.Event) -> None:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        async with server:
            await ended.wait()
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._answering.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ssl.SSLError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                self._parts.append(head)
                if head.startswith(b"CONNECT ") and self._as_proxy is not None:
                    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                    await writer.drain()
                    await writer.start_tls(self._as_proxy)
                    continue
                lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                if lengths:
                    self._parts.append(await reader.readexactly(int(lengths[0].split(b":")[1])))
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nset-cookie: follow=me; path=/\r\n"
                    + f"content-length: {len(_MODELS)}\r\n\r\n".encode()
                    + _MODELS
                )
                await writer.drain()
        writer.close()


@contextmanager
def recording(*, tls: ssl.SSLContext | None = None, as_proxy: ssl.SSLContext | None = None) -> Iterator[KeyRecorder]:
    """``as_proxy``: the certificate that it shows for the server that it was asked to reach."""
    recorder, ready = KeyRecorder(tls, as_proxy), threading.Event()
    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(recorder.serve(ready, ended)), name="key recorder")
    thread.start()
    try:
        assert ready.wait(_WAIT_S)
        yield recorder
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(_WAIT_S)
        loop.close()
