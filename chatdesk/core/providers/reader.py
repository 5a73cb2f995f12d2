"""What reads the chunks of one answer, whatever the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from chatdesk.core.domain.usage import Usage
from chatdesk.core.providers.base import FinishReason, ReasoningDelta, TextDelta, ToolCallDelta

Delta = TextDelta | ReasoningDelta | ToolCallDelta


class Reader(Protocol):
    """State of one answer. ``feed`` it every decoded chunk, then ``finish``; ``finish_reason`` None: it never ended."""

    finish_reason: FinishReason | None
    usage: Usage | None
    has_text: bool

    @property
    def has_tool_calls(self) -> bool: ...

    def feed(self, chunk: object) -> Iterator[Delta]:
        """The events of one chunk. Raises ``WrongShapeError`` and ``ErrorInAnswer``."""
        ...

    def finish(self) -> Iterator[Delta]:
        """What was held back at the very end."""
        ...
