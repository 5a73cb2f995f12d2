"""Reads an answer in whichever protocol it comes: gateways answer a request of one protocol in the form of another, and
put chunks into objects of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from chatdesk.core.providers.base import ReasoningKept
from chatdesk.core.providers.chat.answer_reader import AnswerReader
from chatdesk.core.providers.reader import ChangingReader, Delta, Late, Reader
from chatdesk.core.providers.readers.anthropic_reader import AnthropicReader
from chatdesk.core.providers.readers.responses_reader import ResponsesReader
from chatdesk.core.providers.vendor_text import is_news

_READERS: Final[Mapping[str, type[Reader]]] = {
    "chat": AnswerReader,
    "responses": ResponsesReader,
    "anthropic": AnthropicReader,
}
_ANTHROPIC: Final = ("message", "message_start", "content_block_start", "content_block_delta", "message_delta")
_LATER: Final = ("content_block_stop", "message_stop", "error")  # read only if Anthropic's protocol was requested
_AROUND: Final = ("data", "result", "response", "body", "output")
_DEEPEST: Final = 2


def protocol_of(chunk: Mapping[str, Any], asked: str) -> str:
    """Return the protocol of a chunk; empty if it is not part of an answer."""
    kind = chunk.get("type")
    if chunk.get("choices"):
        return "chat"
    if chunk.get("object") == "response":
        return "responses"
    if isinstance(kind, str):
        # A failure in the form of another protocol is one amid an answer in this protocol, too.
        if kind.startswith("response.") and (asked == "responses" or not kind.endswith("failed")):
            return "responses"
        if kind in _ANTHROPIC or (asked == "anthropic" and kind in _LATER):
            return "anthropic"
        if is_news(chunk):
            return ""
    has_message = any(isinstance(chunk.get(name), Mapping) for name in ("message", "delta"))
    is_bare = has_message or chunk.get("tool_calls") or isinstance(chunk.get("response"), str)
    return "chat" if is_bare else ""


def chunk_in(document: object, asked: str, *, deep: int = 0) -> Mapping[str, Any] | None:
    """Return the chunk in a document, without the objects around it; None without one."""
    if not isinstance(document, Mapping):
        return None
    if protocol_of(document, asked):
        return document
    inner = (document.get(name) for name in _AROUND if deep < _DEEPEST)
    return next((found for each in inner if (found := chunk_in(each, asked, deep=deep + 1)) is not None), None)


def rows_in(document: object) -> list[object]:
    """Return the documents in a list, which may have an object around it."""
    held = document.get("data") if isinstance(document, Mapping) else document
    return held if isinstance(held, list) else []


class AnyReader(ChangingReader):
    """The reader of the protocol that the first chunk shows. If it differs from the one that was ``asked``, its data
    for later requests could not be sent, and is not kept."""

    def __init__(self, asked: str) -> None:
        super().__init__(_READERS[asked]())
        self._asked = self._found = asked
        self._has_begun = False

    def feed(self, chunk: object) -> Iterator[Delta]:
        """Yield the events of one chunk. Raises ``WrongShapeError`` and ``ErrorInAnswer``."""
        found = protocol_of(chunk, self._asked) if isinstance(chunk, Mapping) and not self._has_begun else ""
        self._has_begun = self._has_begun or bool(found)
        if found and found != self._asked:
            self._found, self._inner = found, _READERS[found]()
        return self._inner.feed(chunk)

    def finish(self) -> Iterator[Late]:
        """Yield the events that were held back until the end of the answer."""
        is_own = self._found == self._asked
        return (each for each in self._inner.finish() if is_own or not isinstance(each, ReasoningKept))
