"""Converts a flow of text into QTextLayout's units: UTF-16, with one character in place of each drawn formula.

Python counts characters, so an emoji is one here and two there; a formula is its whole source here and one character
there.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from chatdesk.core.rendering.blocks import Drawing
from chatdesk.ui.transcript.drawing.math_paths import pieces_of, width_px
from chatdesk.ui.transcript.drawing.spans import Flow

# Neutral in direction and breaking like a letter. It is not seen: its format gives it the width of the formula.
FORMULA_SIGN = "*"
# In place of a piece of a formula: pieces run from left to right in every text.
_PIECE_SIGN = "n"
_LAST_SHORT = "\uffff"


@dataclass(frozen=True, slots=True)
class ShownFormula:
    """A formula, or a piece of one, at ``position`` of the layout; the whole stands for the text from ``start`` to
    ``end``."""

    position: int
    start: int
    end: int
    drawing: Drawing
    sign: str = FORMULA_SIGN


class ShownText:
    """The text that is laid out for a flow.

    Formulas wider than ``room`` are broken where a line may end. One that still does not fit stays source, because it
    would be cut off.
    """

    def __init__(self, flow: Flow, *, em: float = 0.0, room: float = 0.0) -> None:
        drawn = [
            (each.start, each.end, pieces)
            for each in flow.ranges
            if each.span.drawing is not None and (pieces := _fitting(each.span.drawing, em, room))
        ]
        self.formulas: tuple[ShownFormula, ...] = ()
        self.text = flow.text
        # Where a stretch begins that counts otherwise than the one before: here and in the layout.
        self._starts = [0]
        self._positions = [0]
        self._is_same = not drawn and (flow.text.isascii() or max(flow.text, default="") <= _LAST_SHORT)
        if not self._is_same:
            self._build(flow, drawn)

    def to_layout(self, offset: int) -> int:
        if self._is_same:
            return offset
        place = bisect_right(self._starts, offset) - 1
        start, position = self._starts[place], self._positions[place]
        if place + 1 < len(self._positions):
            return min(position + offset - start, self._positions[place + 1])
        return position + offset - start

    def cover(self, start: int, end: int) -> tuple[int, int]:
        """Return the smallest range of the layout that has all characters from ``start`` to ``end``.

        A formula is covered as a whole.
        """
        around, behind = self._around(start), self._around(end)
        return self.to_layout(around.start if around else start), self.to_layout(behind.end if behind else end)

    def _around(self, offset: int) -> ShownFormula | None:
        return next((each for each in self.formulas if each.start < offset < each.end), None)

    def to_flow(self, position: int) -> int:
        """Return the offset in the flow of a position in the layout, rounded down inside a character, and up inside a
        formula."""
        if self._is_same:
            return position
        place = bisect_right(self._positions, position) - 1
        start = self._starts[place]
        if place + 1 < len(self._starts) and self._starts[place + 1] - start == 1:
            return start  # inside a character of two units
        offset = start + position - self._positions[place]
        around = self._around(offset)
        return offset if around is None else around.end

    def _build(self, flow: Flow, drawn: list[tuple[int, int, tuple[Drawing, ...]]]) -> None:
        pieces: list[str] = []
        formulas: list[ShownFormula] = []
        done = position = 0
        for start, end, parts in (*drawn, (len(flow.text), len(flow.text), ())):
            position = self._add_words(flow.text, done, start, position)
            pieces.append(flow.text[done:start])
            done = end
            if parts:
                sign = FORMULA_SIGN if len(parts) == 1 else _PIECE_SIGN
                self._add_run(start, position)
                formulas += [ShownFormula(position + at, start, end, each, sign) for at, each in enumerate(parts)]
                position += len(parts)
                self._add_run(end, position)
                pieces.append(sign * len(parts))
        self.text = "".join(pieces)
        self.formulas = tuple(formulas)

    def _add_words(self, text: str, start: int, end: int, position: int) -> int:
        shift = position - start
        for offset in [place for place in range(start, end) if text[place] > _LAST_SHORT]:
            self._add_run(offset, offset + shift)
            shift += 1
            self._add_run(offset + 1, offset + 1 + shift)
        return end + shift

    def _add_run(self, start: int, position: int) -> None:
        if self._starts[-1] == start:
            self._positions[-1] = position
        else:
            self._starts.append(start)
            self._positions.append(position)


def _fitting(drawing: Drawing, em: float, room: float) -> tuple[Drawing, ...]:
    """Return a formula in pieces that fit into a line, or nothing where one does not."""
    pieces = (drawing,) if width_px(drawing, em) <= room else pieces_of(drawing)
    return pieces if all(0 < width_px(each, em) <= room for each in pieces) else ()


def to_units(text: str, offset: int) -> int:
    """Return the offset in UTF-16 units of the character at ``offset`` of ``text``."""
    return offset if text.isascii() else len(text[:offset].encode("utf-16-le", "surrogatepass")) // 2


def to_characters(text: str, units: int) -> int:
    """Return the offset in characters of a position in UTF-16 units."""
    if text.isascii():
        return units
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "ignore"))
