"""Defines the protocol of readers, which turn the chunks of one answer into events for any vendor, and judges the
complete answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from chatdesk.core.domain.echoed_secrets import EchoedSecrets, EchoFilter
from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.base import (
    ChatRequest,
    FinishReason,
    PictureDelta,
    ReasoningDelta,
    ReasoningKept,
    SourcesNamed,
    TextDelta,
    ToolCallDelta,
)
from chatdesk.core.providers.failures import FailureTranslator
from chatdesk.core.providers.text_repair import ReceivedText
from chatdesk.core.providers.vendor_text import words_in
from chatdesk.core.texts import Text

Delta = TextDelta | ReasoningDelta | PictureDelta | ToolCallDelta
Late = Delta | ReasoningKept | SourcesNamed
_OF_REQUEST = ("instructions", "tools", "input", "prompt", "model")  # fields of the request, which some servers repeat


class Reader(Protocol):
    """The state of one answer. ``feed`` it every decoded chunk, then ``finish``; ``finish_reason`` is None if no end
    came. ``has_text`` is also true of an answer of pictures alone. ``is_at_end``: nothing but usage is still expected,
    so silence and a lost connection are an end too."""

    @property
    def finish_reason(self) -> FinishReason | None: ...

    @property
    def usage(self) -> Usage | None: ...

    @property
    def has_text(self) -> bool: ...

    @property
    def is_at_end(self) -> bool: ...

    @property
    def has_tool_calls(self) -> bool: ...

    def feed(self, chunk: object) -> Iterator[Delta]:
        """Yield the events of one chunk. Raises ``WrongShapeError`` and ``ErrorInAnswer``."""
        ...

    def finish(self) -> Iterator[Late]:
        """Yield the events that were held back until the end of the answer."""
        ...


class VendorReader:
    """A ``Reader`` of a vendor's chunks without its ``feed``: it joins the halves of characters, which may come in
    pieces of their own."""

    def __init__(self) -> None:
        self.finish_reason: FinishReason | None = None
        self.usage: Usage | None = None
        self.has_text = False
        self._text = ReceivedText()
        self._reasoning = ReceivedText()

    @property
    def is_at_end(self) -> bool:
        """True once the protocol's last event came."""
        return self.finish_reason is not None

    def finish(self) -> Iterator[Late]:
        """Yield a replacement character for each half surrogate pair that was still held back."""
        tail = self._reasoning.finish()
        if tail:
            yield ReasoningDelta(tail)
        tail = self._text.finish()
        if tail:
            yield TextDelta(tail)

    def _add_text(self, raw: str) -> Iterator[Delta]:
        text = self._text.feed(raw)
        if text:
            self.has_text = True
            yield TextDelta(text)

    def _add_reasoning(self, raw: str) -> Iterator[Delta]:
        text = self._reasoning.feed(raw)
        if text:
            yield ReasoningDelta(text)


class ChangingReader:
    """A ``Reader`` that changes the events of another reader and judges nothing itself."""

    def __init__(self, inner: Reader) -> None:
        self._inner = inner

    @property
    def finish_reason(self) -> FinishReason | None:
        return self._inner.finish_reason

    @property
    def usage(self) -> Usage | None:
        return self._inner.usage

    @property
    def has_text(self) -> bool:
        return self._inner.has_text

    @property
    def is_at_end(self) -> bool:
        return self._inner.is_at_end

    @property
    def has_tool_calls(self) -> bool:
        return self._inner.has_tool_calls


class SecretHidingReader(ChangingReader):
    """Hides ``secrets``, which were sent along with the request, in the events of another reader."""

    def __init__(self, inner: Reader, secrets: Iterable[str]) -> None:
        super().__init__(inner)
        self._secrets = EchoedSecrets(secrets, in_answers=True)
        self._filter = EchoFilter(self._secrets)
        self._kind: type[TextDelta] | type[ReasoningDelta] = TextDelta

    def feed(self, chunk: object) -> Iterator[Delta]:
        """Yield the cleaned events of one chunk. Raises ``WrongShapeError`` and ``ErrorInAnswer``."""
        return self._cleaned(self._inner.feed(chunk))

    def finish(self) -> Iterator[Late]:
        """Yield the cleaned events that were held back until the end of the answer. Data kept for the vendor is sent
        back to it alone, unchanged."""
        late = list(self._inner.finish())
        yield from self._cleaned(each for each in late if not isinstance(each, ReasoningKept | SourcesNamed))
        yield from self.rest()
        yield from (each for each in late if isinstance(each, ReasoningKept | SourcesNamed))

    def rest(self) -> Iterator[Delta]:
        """Yield the text that was held back as a possible beginning of a key; call it when an answer breaks off."""
        text = self._filter.finish()
        if text:
            yield self._kind(text)

    def _cleaned(self, deltas: Iterable[Delta]) -> Iterator[Delta]:
        for delta in deltas:
            if not self._secrets or not isinstance(delta, TextDelta | ReasoningDelta):
                yield delta
                continue
            if type(delta) is not self._kind:
                yield from self.rest()
                self._kind = type(delta)
            text = self._filter.feed(delta.text)
            if text:
                yield replace(delta, text=text)


def letters_of(delta: Late) -> int:
    """Return how much of an answer's text an event has; pictures have limits of their own."""
    match delta:
        case TextDelta() | ReasoningDelta():
            return len(delta.text)
        case ToolCallDelta():
            return len(delta.arguments)
    return 0


def judged(
    reader: Reader, failures: FailureTranslator, request: ChatRequest, unread: Sequence[Mapping[str, Any]] = ()
) -> FinishReason:
    """Return the finish reason of a complete answer. Raises ``ProviderError`` if it is cut, filtered or empty, or has
    nothing but calls that ``request`` did not allow: nobody is going to answer those. The words in ``unread`` chunks
    of an empty answer, and of one that was cut, are quoted."""
    reason = reader.finish_reason
    said = " ".join(dict.fromkeys(words_in(list(unread), but=_OF_REQUEST)))
    if reason is None:
        raise failures.make(Kind.INCOMPLETE, excerpt=said)
    if reason is FinishReason.CONTENT_FILTER:
        raise failures.make(Kind.CONTENT_FILTER)
    if reader.has_text or request.continue_text or (reader.has_tool_calls and request.allows_calls):
        return reason
    if reason is FinishReason.LENGTH:
        raise failures.make(
            Kind.EMPTY_ANSWER, what=Text("{who} reached the length limit before it wrote any of the answer.")
        )
    if reader.has_tool_calls:
        raise failures.make(
            Kind.EMPTY_ANSWER, what=Text("{who} called a tool that it was not offered, and wrote no answer.")
        )
    raise failures.make(Kind.EMPTY_ANSWER, excerpt=said)
