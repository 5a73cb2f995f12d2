"""Reads a web page, or a file that is on the web, as text: fetched behind the guard, taken apart in a process that
may be killed."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urldefrag, urlsplit

from chatdesk.core.attachments.file_kinds import HEAD_BYTES, HTML, has_text, is_text, kind_of
from chatdesk.core.attachments.file_reader import FileReader
from chatdesk.core.attachments.text_extraction import NO_TEXT_KIND
from chatdesk.core.errors import InvalidInput
from chatdesk.core.fetching.guarded_fetch import Ask, FetchRules, GuardedFetcher
from chatdesk.core.texts import Sentences, Text

MOST_BYTES: Final = 10 * 1024 * 1024
_ASKED_FOR: Final = "text/html, application/xhtml+xml, text/*;q=0.9, application/pdf;q=0.8, */*;q=0.1"
_PAGES: Final = (HTML, "application/xhtml+xml")
_PAGE_MARKS: Final = (b"<!doctype html", b"<html")
_LONGEST_NAME: Final = 120


@dataclass(frozen=True, slots=True)
class WebPage:
    """The text of a page. ``url`` is the address after all redirects; ``problem`` is a sentence if text is missing."""

    title: str
    url: str
    text: str
    problem: str = ""


class WebPageReader:
    """All methods may block. ``schemes``: an address in another one is asked for in the first of them."""

    def __init__(self, fetcher: GuardedFetcher, reader: FileReader, *, schemes: Sequence[str] = ("https",)) -> None:
        self._fetcher = fetcher
        self._reader = reader
        self._schemes = tuple(schemes)

    def address(self, written: str) -> str:
        """Return the address that is asked for where a model wrote ``written``. Raises ``InvalidInput``."""
        address = urldefrag(written.strip()).url
        scheme, mark, rest = address.partition("://")
        if not mark:
            address = f"{self._schemes[0]}://{address}"
        elif scheme.lower() == "http" and "http" not in self._schemes:
            address = f"{self._schemes[0]}://{rest}"
        try:
            host = urlsplit(address).hostname
        except ValueError:
            host = ""
        if not host or any(character.isspace() for character in address):
            raise InvalidInput(
                Text("This is not the address of a web page."), safe=Text("Nothing was fetched."), next_step=""
            )
        return address

    def read(self, written: str) -> WebPage:
        """Return the text of the page at an address. Raises ``FetchFailed`` and ``InvalidInput``."""
        address = self.address(written)
        rules = FetchRules(MOST_BYTES, schemes=self._schemes, max_redirects=5, stays=False, may_be_packed=True)
        found = self._fetcher.fetch(Ask(address, {"Accept": _ASKED_FOR}), rules)
        name = unquote(urlsplit(found.url).path.rpartition("/")[2])[-_LONGEST_NAME:]
        mime = kind_of(found.body[:HEAD_BYTES], name)
        if is_text(mime) and _is_page(found.mime, found.body):
            mime = HTML
        if not has_text(mime):
            return WebPage(
                name,
                found.url,
                "",
                Sentences.of(Text("There is a file of the type {mime} there.", mime=mime), NO_TEXT_KIND),
            )
        with tempfile.TemporaryDirectory(prefix="chatdesk-page-") as folder:
            path = Path(folder, "page")
            path.write_bytes(found.body)
            if mime == HTML:
                title, text = self._reader.page(path, charset=found.charset, url=found.url)
            else:
                title, text = name, self._reader.text(path, mime)
        return WebPage(title or urlsplit(found.url).hostname or "", found.url, text.text, text.problem or "")

    def close(self) -> None:
        """Abort the running fetch."""
        self._fetcher.close()
        self._reader.close()


def _is_page(mime: str, body: bytes) -> bool:
    return mime in _PAGES or (not mime and body[:HEAD_BYTES].lstrip()[:15].lower().startswith(_PAGE_MARKS))
