"""Places footnotes as GitHub does: numbered in the order of their marks, standing at the end, with a way back.

A note that nothing refers to is shown too, behind the others under its label: no text is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.rendering.blocks import Block, Paragraph, Placement, Span

WAY_BACK = "↩"


@dataclass(frozen=True, slots=True)
class Note:
    """The blocks written under ``[^label]:``."""

    label: str
    blocks: tuple[Block, ...]


def note_key(label: str) -> str:
    """Return the form in which labels are compared."""
    return label.casefold()


def is_expected(key: str) -> bool:
    """Return whether a mark is drawn before its note has come: notes are at the end of a text that is still
    coming."""
    return len(key) <= 3 and key.isdecimal()


def place_notes(notes: Sequence[Note], numbers: dict[str, int]) -> list[Block]:
    """Return the blocks of all notes in the order in which they are at the end. The first note of a label counts."""
    numbered: dict[int, list[Block]] = {}
    others: list[Block] = []
    for note in notes:
        number = numbers.get(note_key(note.label))
        if number is None or number in numbered:
            label = visible_controls(note.label)
            others += _marked(_with_label(note.blocks, label), "•", f"fn:{label}")
        else:
            numbered[number] = _with_way_back(_marked(note.blocks, f"{number}.", f"fn-{number}"), number)
    return [block for number in sorted(numbered) for block in numbered[number]] + others


def _marked(blocks: Sequence[Block], marker: str, anchor: str) -> list[Block]:
    first: Block = blocks[0] if blocks else Paragraph((), Placement(list_depth=1))
    if first.at.marker is not None:  # the note begins with a list, whose mark stays
        first = Paragraph((), replace(first.at, list_depth=1, marker=None))
        blocks = (first, *blocks)
    first = replace(first, at=replace(first.at, marker=marker, note=anchor))
    return [first, *blocks[1:]]


def _with_label(blocks: Sequence[Block], label: str) -> list[Block]:
    first = blocks[0] if blocks else None
    if isinstance(first, Paragraph) and first.at.marker is None:
        return [replace(first, spans=(Span(f"[{label}] "), *first.spans)), *blocks[1:]]
    return [Paragraph((Span(f"[{label}]"),), Placement(list_depth=1)), *blocks]


def _with_way_back(blocks: list[Block], number: int) -> list[Block]:
    back = Span(WAY_BACK, note=f"fnref-{number}")
    last = blocks[-1]
    if isinstance(last, Paragraph):
        return [*blocks[:-1], replace(last, spans=(*_with_blank(last.spans), back))]
    at = replace(last.at, list_depth=1, quote_depth=0, marker=None, note=None, quoted_lists=(), quotes=())
    return [*blocks, Paragraph((back,), at)]


def _with_blank(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    if not spans:
        return ()
    last = spans[-1]
    if last == Span(last.text):
        return (*spans[:-1], Span(last.text + " "))
    return (*spans, Span(" "))
