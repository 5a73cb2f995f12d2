"""Implements the tools with which a model reads web pages and searches the web."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from chatdesk.core.attachments.file_reader import FileReader
from chatdesk.core.attachments.web_page import WebPage, WebPageReader
from chatdesk.core.domain.key_origin import KeyOrigin
from chatdesk.core.domain.tools import Caller, ToolResult, ToolSource
from chatdesk.core.errors import ChatDeskError, InvalidInput
from chatdesk.core.fetching.guarded_fetch import GuardedFetcher
from chatdesk.core.texts import Text
from chatdesk.core.tools.built_in import BuiltInServer, BuiltInTool
from chatdesk.core.tools.web_search.choice import WEB
from chatdesk.core.tools.web_search.web_search import WebSearch

_PAGE_CHARACTERS: Final = 8_000
_LONGEST_ADDRESS: Final = 2_000
_LONGEST_QUERY: Final = 1_000
# More would leave other work of the program without a thread.
_MOST_AT_ONCE: Final = 3
_TEXT: Final[Mapping[str, Any]] = {"type": "string"}


def web_tools(search: Callable[[], WebSearch], make_reader: Callable[[], WebPageReader] | None = None) -> BuiltInServer:
    """Return the server of these tools; ``make_reader`` is called for each page."""
    web = _WebTools(search, make_reader or page_reader)
    return BuiltInServer(
        WEB,
        Text("The web"),
        (
            BuiltInTool(
                "search_web",
                Text("Search the web"),
                "Search the web. Results are numbered: cite them in the answer as [1], [2].",
                {"query": {**_TEXT, "description": "words to look for"}},
                ("query",),
                web.search,
                goes_to=lambda _arguments: search().goes_to,
                is_there=lambda: search().choice.engine is not None,
            ),
            BuiltInTool(
                "read_web_page",
                Text("Read a web page"),
                "Read the text of a web page or of a PDF on the web, page by page. It is numbered: cite it as [1].",
                {"address": {**_TEXT, "description": "https://…"}, "page": {"type": "integer", "minimum": 1}},
                ("address",),
                web.read,
                goes_to=web.server_of,
            ),
        ),
        close=web.close,
    )


class _WebTools:
    def __init__(self, search: Callable[[], WebSearch], make_reader: Callable[[], WebPageReader]) -> None:
        self._search = search
        self._make_reader = make_reader
        self._running: set[WebPageReader] = set()
        self._at_once = asyncio.Semaphore(_MOST_AT_ONCE)

    async def search(self, arguments: Mapping[str, Any], _caller: Caller) -> ToolResult:
        query = _argument(arguments, "query", _LONGEST_QUERY)
        async with self._at_once:
            found = await self._search().find(query)
        size = sum(len(f"{each.title}{each.url}{each.text}".encode("utf-8", "replace")) for each in found)
        words = "" if found else "Nothing was found. Try other words."
        return ToolResult(words, sources=found, size_bytes=size or len(words))

    async def read(self, arguments: Mapping[str, Any], _caller: Caller) -> ToolResult:
        address = _argument(arguments, "address", _LONGEST_ADDRESS)
        async with self._at_once:
            reader = await asyncio.to_thread(self._make_reader)
            self._running.add(reader)
            try:
                found = await asyncio.to_thread(reader.read, address)
            finally:  # a cancelled caller ends connection and process
                self._running.discard(reader)
                reader.close()
        text = _page_of(found, arguments.get("page", 1))
        return ToolResult(
            "", sources=(ToolSource(found.title, found.url, text),), size_bytes=len(text.encode("utf-8", "replace"))
        )

    def server_of(self, arguments: Mapping[str, Any]) -> str:
        """Return the server that an address names, for the question whether it may be asked."""
        address = arguments.get("address")
        written = address.strip() if isinstance(address, str) else ""
        try:
            host = urlsplit(written if "://" in written else f"https://{written}").netloc
        except ValueError:
            host = ""
        return KeyOrigin.of(f"https://{host}").server if host else "https://"

    def close(self) -> None:
        for each in tuple(self._running):
            each.close()


def page_reader() -> WebPageReader:
    """Return the reader of one page."""
    return WebPageReader(GuardedFetcher(), FileReader())


def _page_of(found: WebPage, page: object) -> str:
    if not found.text.strip():
        raise _NoText(found.problem or "There is no text on this page.")
    count = -(-len(found.text) // _PAGE_CHARACTERS)
    number = page if isinstance(page, int) and not isinstance(page, bool) else 1
    number = max(1, min(number, count))
    text = found.text[(number - 1) * _PAGE_CHARACTERS : number * _PAGE_CHARACTERS]
    remark = f" {found.problem}" if found.problem else ""
    return text if count == 1 else f"[Page {number} of {count}.{remark}]\n{text}"


class _NoText(ChatDeskError):
    code = "web_page_without_text"
    what = "There is no text on this page."
    safe = ""
    next_step = ""


def _argument(arguments: Mapping[str, Any], name: str, most: int) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or len(value) > most or not value.strip():
        raise InvalidInput(f"“{name}” is to be a short text.", safe="Nothing was sent.", next_step="")
    return value.strip()
