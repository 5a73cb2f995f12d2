"""Collects the text and the calls of one step, from the pieces in which a model writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.tools import KEPT, CallStatus
from chatdesk.core.providers.base import (
    CallChanged,
    Kept,
    ReasoningKept,
    RequestMessage,
    StreamFinished,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from chatdesk.core.providers.chat.call_reader import plain_arguments, read_object

LARGEST_ARGUMENTS_CHARACTERS = 1_000_000


@dataclass(slots=True)
class CollectedCall:
    """A call that a model made. ``number`` counts all calls of the answer from 0. ``left`` is its state when ChatDesk
    ended, ``WAITING`` or ``UNKNOWN``; None: it was made just now."""

    number: int
    id: str = ""
    name: str = ""
    arguments: str = ""
    left: CallStatus | None = None
    kept: Kept | None = None

    def read(self) -> dict[str, Any] | None:
        """Return the arguments; None if they are not a JSON object. Such a call is never run."""
        if len(self.arguments) > LARGEST_ARGUMENTS_CHARACTERS:
            return None
        return read_object(self.arguments)

    def written(self) -> ToolCall:
        """Return the call in the form in which it is sent back to the model."""
        return ToolCall(self.id, self.name, self.arguments, self.kept)


class CollectedCalls:
    """The calls of one step; ``first`` is the number of its first one."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._calls: dict[int, CollectedCall] = {}
        self._pieces: dict[int, list[str]] = {}

    def add(self, delta: ToolCallDelta) -> ToolCallDelta:
        """Add a piece, and return it with the number that its call has in the whole answer."""
        call = self._calls.setdefault(delta.index, CollectedCall(self._first + len(self._calls)))
        call.id = delta.call_id or call.id
        call.name = delta.name or call.name
        self._pieces.setdefault(delta.index, []).append(delta.arguments)
        return ToolCallDelta(call.number, delta.call_id, delta.name, delta.arguments)

    def keep(self, kept: ReasoningKept) -> Iterator[CallChanged]:
        """Keep the vendor's own fields with their calls, and yield them for the parts of the calls. The blocks of the
        message are with its first call."""
        blocks = kept.blocks
        for index, call in self._calls.items():
            fields = kept.calls.get(index, {})
            if blocks or fields:
                call.kept = Kept(kept.origin, fields, blocks)
                yield CallChanged(call.number, {KEPT: call.kept.as_content()})
            blocks = ()

    def finished(self) -> tuple[CollectedCall, ...]:
        """Return the calls in their order, each with an id of its own."""
        seen: set[str] = set()
        for index, call in self._calls.items():
            call.arguments = plain_arguments("".join(self._pieces[index]))
            if not call.id or call.id in seen:
                call.id = f"call_{call.number + 1}_{call.id}"[:64]
            seen.add(call.id)
        return tuple(self._calls.values())


class StepText:
    """Collects the text of one step besides its calls. ``text`` is that of the steps before."""

    def __init__(self, text: str) -> None:
        self._texts = [text]
        self.finish: StreamFinished | None = None

    def add(self, event: TextDelta | StreamFinished) -> None:
        match event:
            case TextDelta():
                self._texts.append(event.text)
            case StreamFinished():
                self.finish = event

    def written(self, calls: Sequence[CollectedCall]) -> RequestMessage:
        """Return the message of this step for the next request."""
        return RequestMessage(Role.ASSISTANT, "".join(self._texts), tuple(call.written() for call in calls))
