"""Finds the formulas, diagrams and SVG pictures of a block and fills in known drawings. No drawing happens here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, TypeGuard

from chatdesk.core.rendering.blocks import Block, CodeBlock, Heading, MathBlock, Paragraph, Span, Table
from chatdesk.core.rendering.drawing import diagram_drawing, svg_drawing
from chatdesk.core.rendering.drawing.drawing_process import DIAGRAM, FORMULA, SVG
from chatdesk.core.rendering.drawing.math_drawing import MAX_TEX_CHARS
from chatdesk.core.rendering.wire import decode_drawing
from chatdesk.core.system.child_process import Wire
from chatdesk.core.texts import Text

MAX_FORMULAS_A_MESSAGE = 2_000
_MAX_REMEMBERED_BYTES = 16 * 1024 * 1024
_BYTES_PER_ENTRY = 200
_NOT_DRAWN = Text("This diagram could not be drawn")
_CANNOT_DRAW = Text("Diagrams cannot be drawn on this computer")
_SVG_NOT_DRAWN = Text("This picture could not be drawn")


class DrawnBlocks:
    """Remembers the drawing process's results; the least recently used is forgotten first."""

    def __init__(self) -> None:
        self._known: OrderedDict[Wire, Any] = OrderedDict()
        self._bytes = 0

    def apply(self, block: Block) -> Block:
        """Return ``block`` with the drawings that are known."""
        if isinstance(block, Paragraph | Heading):
            spans = self._drawn(block.spans)
            return block if spans is block.spans else replace(block, spans=spans)
        if isinstance(block, MathBlock):
            job = (FORMULA, block.text, True)
            return replace(block, drawing=self._find(job), is_pending=False) if job in self._known else block
        if isinstance(block, Table) and any(True for _ in _jobs_of(block)):
            header = tuple(self._drawn(cell) for cell in block.header)
            return replace(block, header=header, rows=tuple(tuple(map(self._drawn, row)) for row in block.rows))
        if is_diagram(block):
            assert isinstance(block, CodeBlock)
            pictures = self._find(_picture_job(block))
            failed = _SVG_NOT_DRAWN if _is_finished(block, svg_drawing.LANGUAGE) else _NOT_DRAWN
            return replace(block, pictures=pictures or (), remark=failed if pictures == () else "")
        if _is_finished(block, diagram_drawing.LANGUAGE):
            assert isinstance(block, CodeBlock)
            return replace(block, remark=_NOT_DRAWN if _can_draw_diagrams() else _CANNOT_DRAW)
        return block

    def missing(self, block: Block) -> Wire | None:
        """Return the next job that ``block`` needs, None when all its drawings are known."""
        return next((job for job in _jobs_of(block) if job not in self._known), None)

    def remember(self, job: Wire, result: Any) -> None:
        """Remember the result of ``job``; None is remembered too, so that no formula is tried twice."""
        value = decode_drawing(result) if job[0] == FORMULA else tuple(result or ())
        self._known[job] = value
        self._bytes += _size(job, value)
        while self._bytes > _MAX_REMEMBERED_BYTES:
            self._bytes -= _size(*self._known.popitem(last=False))

    def _find(self, job: Wire) -> Any:
        if job in self._known:
            self._known.move_to_end(job)
        return self._known.get(job)

    def _drawn(self, spans: tuple[Span, ...]) -> tuple[Span, ...]:
        if not any(span.is_math for span in spans):
            return spans
        return tuple(
            replace(span, drawing=self._find((FORMULA, span.text, False))) if span.is_math else span for span in spans
        )


def wanted_blocks(blocks: Sequence[Block], drawn: DrawnBlocks) -> list[int]:
    """Return the indexes of the blocks that need drawing. Past the limit of a message the source stays."""
    count = 0
    wanted = []
    for index, block in enumerate(blocks):
        jobs = sum(1 for _ in _jobs_of(block))
        count += jobs
        if jobs and count <= MAX_FORMULAS_A_MESSAGE and drawn.missing(block) is not None:
            wanted.append(index)
    return wanted


def is_diagram(block: Block) -> bool:
    """Return whether ``block`` is finished Mermaid or SVG that can be drawn here."""
    if _is_finished(block, diagram_drawing.LANGUAGE):
        return len(block.text) <= diagram_drawing.MAX_SOURCE_CHARS and _can_draw_diagrams()
    return _is_finished(block, svg_drawing.LANGUAGE) and len(block.text) <= svg_drawing.MAX_SOURCE_CHARS


def _is_finished(block: Block, language: str) -> TypeGuard[CodeBlock]:
    return (
        isinstance(block, CodeBlock) and not block.is_open and block.language.lower() == language and bool(block.text)
    )


def _picture_job(block: CodeBlock) -> Wire:
    return (SVG if _is_finished(block, svg_drawing.LANGUAGE) else DIAGRAM), block.text


@cache
def _can_draw_diagrams() -> bool:
    return diagram_drawing.can_draw()


def _jobs_of(block: Block) -> Iterator[Wire]:
    if isinstance(block, MathBlock):
        if 0 < len(block.text) <= MAX_TEX_CHARS:
            yield FORMULA, block.text, True
    elif is_diagram(block):
        assert isinstance(block, CodeBlock)
        yield _picture_job(block)
    else:
        for span in _spans_of(block):
            if span.is_math and len(span.text) <= MAX_TEX_CHARS:
                yield FORMULA, span.text, False


def _spans_of(block: Block) -> Iterator[Span]:
    if isinstance(block, Paragraph | Heading):
        yield from block.spans
    elif isinstance(block, Table):
        for row in (block.header, *block.rows):
            for cell in row:
                yield from cell


def _size(job: Wire, value: Any) -> int:
    if isinstance(value, tuple):
        return len(job[1]) + sum(map(len, value)) + _BYTES_PER_ENTRY
    return len(job[1]) + (len(value.points) + len(value.operations) if value else 0) + _BYTES_PER_ENTRY
