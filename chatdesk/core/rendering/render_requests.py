"""Defines requests to the rendering worker, as the client keeps them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chatdesk.core.rendering.blocks import Block, Blocks
from chatdesk.core.system.child_process import Wire


@dataclass(frozen=True, slots=True)
class StreamUpdate:
    """A change of a stream's blocks: those from ``first_changed`` on are replaced by ``blocks``."""

    first_changed: int
    blocks: Blocks


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
