"""Renders texts as blocks for callers that may wait: with colours, formulas and diagrams, from workers of their own.

What is asked for one text after the other would have all processes wait for each other in turn; so the texts that come
next are with the workers already while one is written.
"""

from __future__ import annotations

import os
import queue
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from chatdesk.core.rendering.blocks import Block
from chatdesk.core.rendering.client import RenderClient, RenderTicket
from chatdesk.core.rendering.plain_text import plain_blocks

T = TypeVar("T")
# The worker has its own limits for what it parses and draws; this is for a machine that stands still.
_PATIENCE_S = 60.0
_MOST_WORKERS: Final = 4
# Texts, and characters of them, that are with the workers at once.
_AHEAD, _AHEAD_CHARS = 64, 512 * 1024
_BUSY: Final = 8  # texts with each worker before another one is started, which takes as long as parsing hundreds


@dataclass(slots=True)
class _Worker:
    client: RenderClient
    unanswered: int = 0


@dataclass(slots=True)
class _Answer:
    """The result for ``text``: some blocks at first, all colours and drawings last."""

    text: str
    worker: _Worker
    blocks: tuple[Block, ...] | None = None
    ticket: RenderTicket | None = field(default=None, repr=False)


class BlockSource:
    """Renders texts with several workers. The workers are killed when it is closed."""

    def __init__(self, most_workers: int = _MOST_WORKERS) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._workers: list[_Worker] = []
        self._most_workers = min(most_workers, os.cpu_count() or 1)
        self._asked: deque[_Answer] = deque()

    def close(self) -> None:
        for worker in self._workers:
            worker.client.close()

    def read_ahead(
        self, things: Iterable[T], texts_of: Callable[[T], Sequence[str]], *, is_answer: Callable[[T], bool]
    ) -> Iterator[T]:
        """Yield ``things``, each once the workers have the texts of some that follow. The caller must then ask for all
        texts of that thing, in their order."""
        waiting: deque[tuple[T, int, int]] = deque()
        count = size = 0
        for thing in things:
            texts = texts_of(thing)
            self._asked.extend(self._ask(text, is_answer=is_answer(thing)) for text in texts)
            waiting.append((thing, len(texts), sum(map(len, texts))))
            count, size = count + waiting[-1][1], size + waiting[-1][2]
            while count > _AHEAD or size > _AHEAD_CHARS or len(waiting) > _AHEAD:
                yield waiting[0][0]
                _, texts_less, chars_less = waiting.popleft()
                count, size = count - texts_less, size - chars_less
        while waiting:
            yield waiting.popleft()[0]

    def blocks(self, text: str, *, is_answer: bool) -> tuple[Block, ...]:
        """Return the blocks of ``text`` with colours and drawings; plain paragraphs when the worker does not answer."""
        is_asked = bool(self._asked) and self._asked[0].text == text
        answer = self._asked.popleft() if is_asked else self._ask(text, is_answer=is_answer)
        assert answer.ticket is not None
        give_up_at = time.monotonic() + _PATIENCE_S
        while not answer.ticket.is_done:
            try:
                self._calls.get(timeout=max(0.0, give_up_at - time.monotonic()))()
            except queue.Empty:
                answer.ticket.cancel()
        answer.worker.unanswered -= 1
        return answer.blocks if answer.blocks is not None else plain_blocks(text)

    def _ask(self, text: str, *, is_answer: bool) -> _Answer:
        answer = _Answer(text, self._free_worker())

        def receive(blocks: tuple[Block, ...]) -> None:
            answer.blocks = blocks

        answer.worker.unanswered += 1
        answer.ticket = answer.worker.client.request(text, receive, is_answer=is_answer)
        return answer

    def _free_worker(self) -> _Worker:
        least = min(self._workers, key=lambda worker: worker.unanswered, default=None)
        is_busy = least is not None and least.unanswered >= _BUSY
        if least is None or (is_busy and len(self._workers) < self._most_workers):
            least = _Worker(RenderClient(deliver=self._calls.put))
            self._workers.append(least)
        return least
