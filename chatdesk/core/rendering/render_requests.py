"""Defines requests to the rendering worker: the caller's handle and the client's record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from chatdesk.core.rendering.blocks import Block, Blocks
from chatdesk.core.system.child_process import Wire


class _Client(Protocol):
    """The methods of the client that its tickets and streams call, with the number of a request."""

    def append(self, number: int, delta: str) -> None: ...

    def finish(self, number: int) -> None: ...

    def forget(self, number: int) -> None: ...

    def is_waited_for(self, number: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class StreamUpdate:
    """A change of a stream's blocks: those from ``first_changed`` on are replaced by ``blocks``."""

    first_changed: int
    blocks: Blocks


class RenderTicket:
    """A handle to cancel a request."""

    def __init__(self, client: _Client, number: int) -> None:
        self._client = client
        self._number = number

    def cancel(self) -> None:
        """Stop all callbacks of this request. Safe to call at any time."""
        self._client.forget(self._number)

    @property
    def is_done(self) -> bool:
        """Return whether all callbacks have come or were cancelled."""
        return not self._client.is_waited_for(self._number)


class RenderStream:
    """A text that arrives piece by piece. Pieces wait here while the worker is busy with the last ones."""

    def __init__(self, client: _Client, number: int) -> None:
        self._client = client
        self._number = number

    def append(self, delta: str) -> None:
        self._client.append(self._number, delta)

    def finish(self) -> None:
        """End the text; the last update and the colours still arrive."""
        self._client.finish(self._number)

    def close(self) -> None:
        """Stop all callbacks. To get the end of the text, call ``finish`` and wait for the last update before."""
        self._client.forget(self._number)


class RenderQuestion:
    """The state of one request: a whole text, or a stream."""

    def __init__(
        self, number: int, text: str | None, callback: Callable[[Any], None], *, is_answer: bool = True
    ) -> None:
        self.number = number
        self.text = text
        self.is_answer = is_answer
        self.callback = callback
        self.blocks: list[Block] = []
        self.blame = 0
        self.is_plain = False
        self.colours_due = 0
        # of a stream
        self.all_text: list[str] = []
        self.waiting: list[str] = []
        self.is_asked = False  # a delta or finish is with the worker
        self.is_finished = False
        self.is_finish_sent = False
        self.is_opened = False
        self.dirty_from: int | None = None

    @property
    def frame(self) -> Wire:
        """The request of a whole text as the worker gets it."""
        return ("text", self.number, self.text, self.is_answer)

    @property
    def cache_key(self) -> str:
        """The text of which the blocks are kept; thoughts are folded only in answers."""
        return f"{'' if self.is_answer else 'question '}{self.text}"
