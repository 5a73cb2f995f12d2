"""Collects the text and the calls of one step, from the pieces in which a model writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.tools import CallStatus
from chatdesk.core.providers.base import (
    ReasoningKept,
    RequestMessage,
    StreamFinished,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)

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

    def read(self) -> dict[str, Any] | None:
        """Return the arguments; None where they are no JSON object. Such a call is never run."""
        if len(self.arguments) > LARGEST_ARGUMENTS_CHARACTERS:
            return None
        try:
            value = json.loads(self.arguments or "{}", object_pairs_hook=_each_once, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    def written(self) -> ToolCall:
        """Return the call in the form in which it is sent back to the model."""
        return ToolCall(self.id, self.name, self.arguments if self.read() is not None else "{}")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object. A name that is twice is refused: readers differ in which of the values they take, so a
    person could be shown another one than the tool gets."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


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

    def finished(self) -> tuple[CollectedCall, ...]:
        """Return the calls in their order, each with an id of its own."""
        seen: set[str] = set()
        for index, call in self._calls.items():
            call.arguments = "".join(self._pieces[index])
            if not call.id or call.id in seen:
                call.id = f"call_{call.number + 1}_{call.id}"[:64]
            seen.add(call.id)
        return tuple(self._calls.values())


class StepText:
    """Collects the text of one step besides its calls. ``text`` is that of the steps before."""

    def __init__(self, text: str) -> None:
        self._texts = [text]
        self._reasoning: tuple[Mapping[str, Any], ...] = ()
        self.finish: StreamFinished | None = None

    def add(self, event: TextDelta | ReasoningKept | StreamFinished) -> None:
        match event:
            case TextDelta():
                self._texts.append(event.text)
            case ReasoningKept():
                self._reasoning = event.blocks
            case StreamFinished():
                self.finish = event

    def written(self, calls: Sequence[CollectedCall]) -> RequestMessage:
        """Return the message of this step for the next request."""
        made = tuple(call.written() for call in calls)
        return RequestMessage(Role.ASSISTANT, "".join(self._texts), made, reasoning=self._reasoning)
