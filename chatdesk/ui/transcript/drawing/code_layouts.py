"""Lays out lines of code when they come into view, and keeps a small number of layouts."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QTextLayout, QTextLine, QTextOption

from chatdesk.ui.transcript.drawing.code_lines import CodeLines
from chatdesk.ui.transcript.drawing.shown_text import to_characters, to_units
from chatdesk.ui.transcript.drawing.text_box import x_of
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle

_MOST = 400  # some screens' worth; the rest is made again when it is seen again
_NO_END = 1e7


class CodeLayouts:
    """The layouts of the lines of a code card.

    Offsets are characters within a line. ``widest`` is the width of the widest line that was laid out.
    """

    def __init__(self, lines: CodeLines) -> None:
        self.widest = 0.0
        self._lines = lines
        self._made: dict[int, QTextLayout] = {}
        self._widths: dict[int, float] = {}  # of the layouts made so far

    def clear(self) -> None:
        self._made.clear()
        self._widths.clear()
        self.widest = 0.0

    def forget_from(self, first: int) -> None:
        """Forget the layouts of the lines from ``first`` on, because those lines have changed."""
        for index in [each for each in self._made if each >= first]:
            del self._made[index], self._widths[index]
        self.widest = max(self._widths.values(), default=0.0)

    def width_of(self, style: TranscriptStyle, index: int) -> float:
        line = self._line(style, index)
        return line.naturalTextWidth() if line.isValid() else 0.0

    def x_of(self, style: TranscriptStyle, index: int, offset: int) -> float:
        """Return the left edge of a letter, from the beginning of its line."""
        line = self._line(style, index)
        return x_of(line, to_units(self._lines.line(index), offset)) if line.isValid() else 0.0

    def offset_at(self, style: TranscriptStyle, index: int, x: float) -> int:
        line = self._line(style, index)
        return to_characters(self._lines.line(index), int(line.xToCursor(x))) if line.isValid() else 0

    def selection(self, style: TranscriptStyle, index: int, start: int, end: int) -> QTextLayout.FormatRange:
        words = self._lines.line(index)
        chosen = QTextLayout.FormatRange()
        chosen.start = to_units(words, start)
        chosen.length = to_units(words, end) - chosen.start
        chosen.format = style.selection
        return chosen

    def layout(self, style: TranscriptStyle, index: int) -> QTextLayout:
        made = self._made.get(index)
        if made is None:
            if len(self._made) > _MOST:
                self._made.clear()
                self._widths.clear()
            made = self._made[index] = self._lay_out(style, index)
            width = self._widths[index] = made.lineAt(0).naturalTextWidth() if made.lineCount() else 0.0
            self.widest = max(self.widest, width)
        return made

    def _line(self, style: TranscriptStyle, index: int) -> QTextLine:
        return self.layout(style, index).lineAt(0)

    def _lay_out(self, style: TranscriptStyle, index: int) -> QTextLayout:
        text = self._lines.line(index)
        layout = QTextLayout(text, style.font("code"))
        layout.setCacheEnabled(True)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.NoWrap)
        # Code reads from left to right, whatever letters are in it.
        option.setTextDirection(Qt.LayoutDirection.LeftToRight)
        option.setTabStopDistance(4 * style.metrics("code").horizontalAdvance(" "))
        layout.setTextOption(option)
        formats = []
        for start, length, kind in self._lines.runs_in(index):
            run = QTextLayout.FormatRange()
            run.start = to_units(text, start)
            run.length = to_units(text, start + length) - run.start
            run.format = style.code_format(kind)
            formats.append(run)
        if formats:
            layout.setFormats(formats)
        layout.beginLayout()
        line = layout.createLine()
        if line.isValid():
            line.setLineWidth(_NO_END)
            line.setPosition(QPointF(0, (style.line_height("code") - line.height()) / 2))
        layout.endLayout()
        return layout
