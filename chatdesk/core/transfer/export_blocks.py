"""Blocks of a text for whoever may wait for them: with colours, formulas and diagrams, from a worker of its own."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from types import TracebackType

from chatdesk.core.rendering.blocks import Block
from chatdesk.core.rendering.client import RenderClient
from chatdesk.core.rendering.plain_text import plain_blocks

# The worker has its own limits for what it parses and draws; this is for a machine that stands still.
_PATIENCE_S = 60.0


class BlockSource:
    """Entered before the first text. The worker is killed when it is left."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._client: RenderClient | None = None

    def __enter__(self) -> BlockSource:
        self._client = RenderClient(deliver=self._calls.put)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._client is not None
        self._client.close()

    def blocks(self, text: str) -> tuple[Block, ...]:
        """Everything that can be found out about ``text``; as paragraphs when the worker does not answer."""
        assert self._client is not None
        found: list[tuple[Block, ...]] = []
        ticket = self._client.request(text, found.append)
        give_up_at = time.monotonic() + _PATIENCE_S
        while not ticket.is_done:
            try:
                self._calls.get(timeout=max(0.0, give_up_at - time.monotonic()))()
            except queue.Empty:
                ticket.cancel()
                break
        return found[-1] if found else plain_blocks(text)
