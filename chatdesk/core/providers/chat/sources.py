"""Reads the web pages that a server names as the sources of an answer, in every form that servers have for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from chatdesk.core.providers.base import NamedSource
from chatdesk.core.providers.text_repair import repair

# Beside the choices of an answer, or in a choice: in this order, because the text counts the addresses of the first.
_LISTS: Final = (
    "citations",
    "search_results",
    "web_search",
    "web_search_results",
    "sources",
    "references",
    "documents",
    "results",
    "outputs",
    "search_result",
    "web",
    "groundingChunks",
    "grounding_chunks",
)
# Objects, or lists of them, that may contain such a list.
_AROUND: Final = (
    "search_info",
    "context",
    "search_results",
    "executed_tools",
    "groundingMetadata",
    "grounding_metadata",
    "vertex_ai_grounding_metadata",
    "extra_content",
    "google",
    "vertex",
    "provider_specific_fields",
)
_NAMES: Final = frozenset((*_LISTS, *_AROUND))
_ADDRESSES: Final = ("url", "link", "uri", "source")
# Objects in which some servers put the list or the page.
_HOLDERS: Final = ("url_citation", "web", "source", "document")
# Lists in which others put the pages of one passage.
_INNER: Final = ("sources", "metadata")
_DEEPEST: Final = 3
_MOST: Final = 200
_LONGEST: Final = 2000


class NamedSources:
    """The pages that one answer names, each once, in the order in which they came."""

    def __init__(self) -> None:
        self._titles: dict[str, str] = {}

    @property
    def found(self) -> tuple[NamedSource, ...]:
        return tuple(NamedSource(title, url) for url, title in self._titles.items())

    def read_chunk(self, chunk: Mapping[str, Any], *, deep: int = 0) -> None:
        """Read the lists beside the choices, or beside the message of a choice."""
        if _NAMES.isdisjoint(chunk):  # true for nearly every event
            return
        for name in _LISTS:
            self._add_all(chunk.get(name))
        for name in _AROUND if deep < _DEEPEST else ():
            inner = chunk.get(name)
            for each in inner[:_MOST] if isinstance(inner, list) else (inner,):
                if isinstance(each, Mapping):
                    self.read_chunk(each, deep=deep + 1)

    def read_results(self, block: Mapping[str, Any]) -> None:
        """Read the pages that a search of the vendor found, or the one that it fetched."""
        found = block.get("content")
        self._add_all([found] if isinstance(found, Mapping) else found)

    def read_message(self, message: Mapping[str, Any]) -> None:
        """Read the sources in a message, or in a piece of one."""
        self.read_chunk(message)
        self._add_all(message.get("annotations"))
        content = message.get("content")
        if isinstance(content, list):
            for piece in content:
                if isinstance(piece, Mapping):
                    self._add_all(piece.get("annotations"))
                    if piece.get("type") in ("reference", "tool_reference"):
                        self._add(piece)

    def _add_all(self, rows: object) -> None:
        for row in rows[: 2 * _MOST] if isinstance(rows, list) else ():
            self._add(row)

    def _add(self, row: object) -> None:
        for each in _unpacked(row):
            url = each if isinstance(each, str) else next((each[n] for n in _ADDRESSES if n in each), None)
            title = "" if isinstance(each, str) else each.get("title")
            if not isinstance(url, str) or not 0 < len(url) <= _LONGEST:
                continue
            if url in self._titles or len(self._titles) < _MOST:
                words = repair(title[:_LONGEST]) if isinstance(title, str) else ""
                self._titles[repair(url)] = self._titles.get(url) or words


def _unpacked(row: object) -> Iterator[str | Mapping[str, Any]]:
    """Yield a page without the object around it."""
    if isinstance(row, str):
        yield row
    elif isinstance(row, list):
        yield from (each for inner in row[:_MOST] if not isinstance(inner, list) for each in _unpacked(inner))
    elif isinstance(row, Mapping):
        yield next((row[name] for name in _HOLDERS if isinstance(row.get(name), Mapping)), row)
        for inner in (row[name] for name in _INNER if isinstance(row.get(name), list)):
            yield from (
                found
                for each in inner[:_MOST]
                if isinstance(each, Mapping)
                for found in _unpacked({**each, "sources": None, "metadata": None})
            )
