"""Builds the HTTP client that every protocol uses, with ChatDesk's guards. Importing this takes a tenth of a second: do
it in a worker thread only.

An HTTP client by itself follows redirects with the request body and unpacks any amount of data; both are bounded here.
The guards sit in a response hook, not in a transport, so that proxies from the environment go on working.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import ssl
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, suppress
from functools import cache, lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2

from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.failure_texts import (
    NO_WEB_TEXT,
    NOWHERE_TEXT,
    UNREADABLE_TEXT,
    WITHOUT_BODY_TEXT,
    FailureText,
    elsewhere_text,
)
from chatdesk.core.providers.failures import CompressedAnswerError, RefusedRedirectError
from chatdesk.core.providers.stream_guard import ByteCapError, StreamLimits
from chatdesk.core.providers.vendor_text import plain_excerpt

_MAX_REDIRECTS = 3
_REDIRECTS = {301, 302, 303, 307, 308}
_KEEPING = {307, 308}  # redirects that keep the method and the body
_LONGEST_HOST = 100
_log = logging.getLogger(__name__)
_CHUNKS_A_SLICE = 50
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_MOST_AT_ONCE = 64 * 1024
_PACKINGS = {"gzip", "x-gzip", "deflate"}


class _CappedAnswer(httpx2.AsyncByteStream):
    """Passes on another stream, and fails when that is longer than ``limit`` bytes."""

    def __init__(self, inner: Any, limit: int) -> None:
        self._inner = inner
        self._limit = limit

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        seen = 0
        async with aclosing(aiter(self._inner)) as chunks:
            async for chunk in chunks:
                seen += len(chunk)
                if seen > self._limit:
                    raise ByteCapError("answer")
                yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


class _ErrorBody(httpx2.AsyncByteStream):
    """The beginning of an error's body, as far as it comes in time. Failures while reading it are ignored, for the
    status says enough."""

    def __init__(self, inner: Any, limits: StreamLimits) -> None:
        self._inner = inner
        self._limits = limits

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        room = self._limits.error_bytes
        # Shorter than the patience for a first byte, or that would end first, and the status be lost.
        ends_at = asyncio.get_running_loop().time() + min(self._limits.error_body_s, self._limits.first_byte_s / 2)
        async with aclosing(aiter(self._inner)) as chunks:
            while room > 0:
                try:
                    async with asyncio.timeout_at(ends_at):
                        chunk = await anext(chunks, b"")
                except Exception as error:  # noqa: BLE001 - whatever a server provokes
                    _log.info("the words of an error did not come: %s", type(error).__name__)
                    return
                if not chunk:
                    return
                yield chunk[:room]
                room -= len(chunk)

    async def aclose(self) -> None:
        await self._inner.aclose()


def guarded_http_client(endpoint: Endpoint, limits: StreamLimits) -> httpx2.AsyncClient:
    """Return the HTTP client for a protocol. Answers are capped and unpacked in bounds, redirects stay on the origin,
    no cookie is kept, and proxy and certificates are those of ``endpoint``."""

    async def guard(response: httpx2.Response) -> None:
        refusal = _refused_redirect(response)
        if refusal is not None:
            raise RefusedRedirectError(refusal)
        is_error = response.status_code >= 300
        response.stream = DrainedStream(response.stream)
        unpack(response, is_error=is_error)
        whole = response.stream
        response.stream = _ErrorBody(whole, limits) if is_error else _CappedAnswer(whole, limits.answer_bytes)

    system = endpoint.system_proxy
    return httpx2.AsyncClient(
        event_hooks={"response": [guard]},
        follow_redirects=True,
        max_redirects=_MAX_REDIRECTS,
        timeout=httpx2.Timeout(None, connect=limits.connect_s, pool=limits.connect_s),
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=30.0),
        trust_env=False,
        proxy=system.address if system is not None else endpoint.own_proxy,
        verify=_trust(endpoint),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    )


@cache
def warm_up() -> None:
    """Send one request to nowhere, here in the worker thread and once: the HTTP client loads and compiles the rest of
    itself at the first request, which would hold up the window."""

    async def ask() -> None:
        # Loads the network backend; the port is closed, and nothing is sent.
        with suppress(OSError):
            await anyio.connect_tcp("127.0.0.1", 0)
        async with client_to_nowhere() as client:
            await client.post("http://localhost", content=b"{}")

    asyncio.run(ask())


def client_to_nowhere() -> httpx2.AsyncClient:
    """Return an HTTP client that sends nothing and gets an empty answer, for warming up what uses it."""

    def reply(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=b"data: [DONE]\n\n")

    return httpx2.AsyncClient(transport=httpx2.MockTransport(reply))


def _trust(endpoint: Endpoint) -> ssl.SSLContext:
    """Return the system's certificates and those of the person's own file, which must be unchanged since the key was
    looked up. Raises ``ssl.SSLError``."""
    connection = endpoint.connection
    if not connection.ca_file:
        found = ssl.get_default_verify_paths()
        places = (found.cafile, found.capath, found.openssl_cafile, found.openssl_capath)
        changes = tuple((place, _changed_at(place)) for place in places)
        return _system_trust(changes, reads_environment=endpoint.uses_system_proxy)
    content = Path(connection.ca_file).read_bytes()
    if connection.ca_digest and hashlib.sha256(content).hexdigest() != connection.ca_digest:
        raise ssl.SSLError("the file of certificates was changed meanwhile")
    context = ssl.create_default_context()
    context.load_verify_locations(cadata=content.decode("ascii", "ignore"))
    return context


@lru_cache(maxsize=4)
def _system_trust(_changes: tuple[tuple[str | None, int], ...], *, reads_environment: bool) -> ssl.SSLContext:
    """Return the certificates that the system trusts. Reading them takes 20 ms and a megabyte, so providers share them
    until one of the places they come from has changed."""
    return httpx2.create_ssl_context(trust_env=reads_environment)


def _changed_at(place: str | None) -> int:
    try:
        return Path(place).stat().st_mtime_ns if place else 0
    except OSError:
        return 0


def _refused_redirect(response: httpx2.Response) -> FailureText | None:
    """Return why a redirect is not followed; None if there is none, or if it keeps the method and the origin, so that
    nothing is sent to anyone new."""
    if response.status_code not in _REDIRECTS:
        return None
    location = response.headers.get("location", "").strip()
    if not location:
        return NOWHERE_TEXT
    origin = response.request.url
    try:
        _ = urlsplit(location).port  # stricter than the HTTP client, which makes a name of half an address
        target = origin.join(location)
    except (httpx2.InvalidURL, ValueError):
        return UNREADABLE_TEXT
    if target.scheme not in {"http", "https"} or not target.host:
        return NO_WEB_TEXT
    if (target.scheme, target.host, target.port) != (origin.scheme, origin.host, origin.port):
        host = target.host if target.port is None else f"{target.host}:{target.port}"
        return elsewhere_text(plain_excerpt(host)[:_LONGEST_HOST])
    return None if response.status_code in _KEEPING else WITHOUT_BODY_TEXT


# The HTTP client reads a body through generators of generators, and one of them (``AsyncResponseStream``, as of httpx2
# 2.16) drops the next when it is closed. A dropped generator is finalised by whatever thread collects it, where its own
# clean-up cannot work.
class DrainedStream(httpx2.AsyncByteStream):
    """Passes on the bytes of another stream. Leaving the iteration closes the connection and ends all generators
    below."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        chunks = aiter(self._inner)
        try:
            while (chunk := await anext(chunks, None)) is not None:
                yield chunk
        finally:
            await self._inner.aclose()
            await _run_out(chunks)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _run_out(chunks: AsyncIterator[bytes]) -> None:
    """Read on after the connection was closed: the data received before is yielded, then each generator, the innermost
    first, ends with an error."""
    count = 0
    with suppress(Exception):
        async for _ in chunks:
            count += 1
            if count % _CHUNKS_A_SLICE == 0:
                await asyncio.sleep(0)


# For answers that come compressed although plain ones were asked for: the HTTP client would unpack any amount at once.
class UnpackedStream(httpx2.AsyncByteStream):
    """The unpacked bytes of another stream. Raises ``CompressedAnswerError`` if they cannot be unpacked."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._inflater = zlib.decompressobj(_GZIP_OR_ZLIB)

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(aiter(self._inner)) as chunks:
            async for chunk in chunks:
                for piece in self._unpacked(chunk):
                    yield piece

    def _unpacked(self, data: bytes) -> Iterator[bytes]:
        while data and not self._inflater.eof:
            try:
                piece = self._inflater.decompress(data, _MOST_AT_ONCE)
            except zlib.error:
                raise CompressedAnswerError from None
            data = self._inflater.unconsumed_tail
            if piece:
                yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


def unpack(response: httpx2.Response, *, is_error: bool) -> None:
    """Make ``response`` yield plain bytes. Raises ``CompressedAnswerError`` for an unknown packing, except in an error,
    which is then shown as unreadable at worst."""
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    if packing in _PACKINGS:
        response.stream = UnpackedStream(response.stream)
    elif packing not in {"", "identity"} and not is_error:
        raise CompressedAnswerError
    response.headers.pop("content-encoding", None)
