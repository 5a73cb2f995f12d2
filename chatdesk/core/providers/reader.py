"""Defines the protocol of a reader that turns the chunks of one answer into events, whatever the vendor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from chatdesk.core.domain.usage import Usage
from chatdesk.core.providers.base import FinishReason, ReasoningDelta, TextDelta, ToolCallDelta

Delta = TextDelta | ReasoningDelta | ToolCallDelta


class Reader(Protocol):
    """The state of one answer. ``feed`` it every decoded chunk, then ``finish``; ``finish_reason`` is None if no end
    came."""

    finish_reason: FinishReason | None
    usage: Usage | None
    has_text: bool

    @property
    def has_tool_calls(self) -> bool: ...

    def feed(self, chunk: object) -> Iterator[Delta]:
        """Yield the events of one chunk. Raises ``WrongShapeError`` and ``ErrorInAnswer``."""
        ...

    def finish(self) -> Iterator[Delta]:
        """Yield the events that were held back until the end of the answer."""
        ...
