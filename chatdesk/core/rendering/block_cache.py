"""Keeps the blocks of texts that were parsed lately."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from chatdesk.core.rendering.blocks import Block, Blocks, CodeBlock, Heading, ImagePlaceholder, MathBlock, Paragraph

# A block tree takes several times its text in memory.
_BYTES_PER_CHAR = 6
_BYTES_PER_BLOCK = 300
_BYTES_PER_ENTRY = 2000


class BlockCache:
    """A cache of parsed texts; the least recently used leave first. Not thread-safe by itself."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: OrderedDict[bytes, tuple[Blocks, int]] = OrderedDict()

    def get(self, text: str) -> Blocks | None:
        key = _digest(text)
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, text: str, blocks: Blocks) -> None:
        size = (
            len(text) * _BYTES_PER_CHAR
            + len(blocks) * _BYTES_PER_BLOCK
            + _BYTES_PER_ENTRY
            + sum(map(_drawn_bytes, blocks))
        )
        if size > self._max_bytes // 4:
            return
        old = self._entries.pop(key := _digest(text), None)
        self._bytes += size - (old[1] if old else 0)
        self._entries[key] = (blocks, size)
        while self._bytes > self._max_bytes:
            _, (_, freed) = self._entries.popitem(last=False)
            self._bytes -= freed


def _drawn_bytes(block: Block) -> int:
    """Return the size of a block's pictures and outlines in bytes; a table's formulas are not counted."""
    if isinstance(block, CodeBlock):
        return sum(map(len, block.pictures))
    if isinstance(block, ImagePlaceholder):
        return len(block.data)
    if isinstance(block, Paragraph | Heading):
        return sum(len(span.drawing.points) for span in block.spans if span.drawing is not None)
    return len(block.drawing.points) if isinstance(block, MathBlock) and block.drawing is not None else 0


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
