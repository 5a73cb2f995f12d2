"""Receives the answer of a sign-in from the person's browser: on the loopback interface, once, for a limited time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from html import escape
from typing import Final
from urllib.parse import parse_qs, urlsplit

from mcp.shared.auth import AuthorizationCodeResult

from chatdesk.core.texts import Text, language_tag, shown
from chatdesk.core.tools.host.stdio import ServerBroke
from chatdesk.core.tools.sign_in_pages import DECLINED, DONE, NOT_AWAITED, NOTHING_HERE

PATH: Final = "/callback"
_HEAD_BYTES: Final = 16_384
_HEAD_S: Final = 10.0
_PAGE: Final = (
    "<!doctype html><html lang={language}><meta charset=utf-8><title>ChatDesk</title>"
    "<body style='font:16px system-ui;margin:4em auto;max-width:32em'><p dir=auto>{words}</p></body></html>"
)


class RedirectReceiver:
    """Listens for one answer. A request with another state is refused and changes nothing: any page could send it."""

    def __init__(self) -> None:
        self._state = ""
        self._answer: asyncio.Future[AuthorizationCodeResult] = asyncio.get_running_loop().create_future()
        self._port = 0

    @property
    def address(self) -> str:
        """The address that the browser is sent back to."""
        return f"http://127.0.0.1:{self._port}{PATH}"

    async def receive(self, state: str) -> AuthorizationCodeResult:
        """Wait for the answer with this state. Raises ``ServerBroke`` where the sign-in was declined."""
        self._state = state
        return await self._answer

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[None]:
        """Listen as long as the block runs."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_HEAD_BYTES)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            self._answer.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_HEAD_S):
                head = await reader.readuntil(b"\r\n\r\n")
                status, words = self._handle(head.decode("latin-1"))
                body = _PAGE.format(language=language_tag(), words=escape(shown(words))).encode()
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
                    "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nContent-Security-Policy: "
                    "default-src 'none'; style-src 'unsafe-inline'\r\nConnection: close\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _handle(self, head: str) -> tuple[str, str]:
        line, *headers = head.split("\r\n")
        method, _, rest = line.partition(" ")
        target = urlsplit(rest.rpartition(" ")[0])
        hosts = [each.partition(":")[2].strip() for each in headers if each.lower().startswith("host:")]
        if method != "GET" or target.path != PATH or hosts != [f"127.0.0.1:{self._port}"]:
            return "404 Not Found", NOTHING_HERE
        try:
            values = parse_qs(target.query, max_num_fields=20)
        except ValueError:
            values = {}
        state = values.get("state", [])
        if not self._state or state != [self._state] or self._answer.done():
            return "400 Bad Request", NOT_AWAITED
        codes = values.get("code", [])
        if len(codes) != 1 or len(values.get("iss", [])) > 1:
            self._answer.set_exception(ServerBroke(Text("The sign-in was declined.")))
            return "200 OK", DECLINED
        issuers = values.get("iss", [None])
        self._answer.set_result(AuthorizationCodeResult(code=codes[0], state=state[0], iss=issuers[0]))
        return "200 OK", DONE
