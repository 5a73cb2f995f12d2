"""Draws thin lines across the column: where a summary ends, where the context starts, where the unread part begins, and
between two parts of a text."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from chatdesk.core.domain.context import SummaryEnd
from chatdesk.core.rendering.blocks import Rule
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.transcript.drawing.card import paint_hairline
from chatdesk.ui.transcript.drawing.item import Button, Item, PaintState
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle

_HEIGHT_PX = 28
_WORDS_GAP_PX = 10
SHOW_SUMMARY = "show-summary"
_UNREAD_HEIGHT_PX = 26
_UNREAD_LABEL = Text("New", "messages")


class LineItem(Item):
    """A line with words; with ``action`` the words are a button named ``label``."""

    kind = "line"
    gap = 6.0

    def __init__(self, words: str, *, action: str = "", label: str = "") -> None:
        super().__init__()
        self.words = words
        self._action = action
        self._label = label
        self._shown = words
        self._area = QRectF()

    def guess(self, style: TranscriptStyle, width: float) -> float:
        return style.px(_HEIGHT_PX)

    def layout(self, style: TranscriptStyle, width: float) -> None:
        self.height = style.px(_HEIGHT_PX)
        self.natural_width = width
        metrics, gap = style.metrics("muted"), style.px(_WORDS_GAP_PX)
        self._shown = metrics.elidedText(self.words, Qt.TextElideMode.ElideRight, max(0.0, width - 4 * gap))
        wide = metrics.horizontalAdvance(self._shown) + 2 * gap
        self._area = QRectF(round((width - wide) / 2), 0, wide, self.height)

    def buttons(self) -> tuple[Button, ...]:
        return (Button(self._action, self._label, self._area),) if self._action else ()

    def paint(self, painter: QPainter, state: PaintState) -> None:
        style = state.style
        middle = round(self.height / 2)
        painter.setPen(style.line_pen)
        painter.drawLine(QPointF(0, middle), QPointF(self._area.left(), middle))
        painter.drawLine(QPointF(self._area.right(), middle), QPointF(self.natural_width, middle))
        is_hovered = bool(self._action) and state.hovered_action == self._action
        painter.setFont(style.font("muted"))
        painter.setPen(style.colour("text" if is_hovered else "muted"))
        painter.drawText(self._area, int(Qt.AlignmentFlag.AlignCenter), self._shown)
        if self._action and state.focused_action == self._action:
            radius = style.tokens.radius.row
            painter.setPen(QPen(style.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self._area.adjusted(1, 1, -1, -1), radius, radius)


def start_line() -> LineItem:
    """Return the line above the first message that is sent to the model."""
    return LineItem(tr("The context starts here"))


def summary_line(end: SummaryEnd) -> LineItem:
    """Return the line below the last message that a summary replaces; it leads to the summary."""
    count = end.message_count
    if end.is_stale:
        words = plural(
            "Summary of {count} messages ends here · out of date and not sent · Show",
            "Summary of {count} message ends here · out of date and not sent · Show",
            count,
        )
        label = plural(
            "Show the summary of {count} messages, out of date and not sent",
            "Show the summary of {count} message, out of date and not sent",
            count,
        )
    else:
        words = plural(
            "Summarised up to here · {count} messages · Show", "Summarised up to here · {count} message · Show", count
        )
        label = plural(
            "Show the summary of {count} messages up to here", "Show the summary of {count} message up to here", count
        )
    return LineItem(shown(words), action=SHOW_SUMMARY, label=shown(label))


class RuleItem(Item):
    """A thin line between two parts of a text."""

    kind = "rule"
    gap = 16.0
    is_structure = True

    def __init__(self, block: Rule) -> None:
        super().__init__()
        self.at = block.at

    def guess(self, style: TranscriptStyle, width: float) -> float:
        return 9.0

    def layout(self, style: TranscriptStyle, width: float) -> None:
        self.height = 9.0
        self.natural_width = width

    def paint(self, painter: QPainter, state: PaintState) -> None:
        left, right = state.style.insets(self.at, self.natural_width)
        paint_hairline(painter, state.style, QPointF(left, 4), self.natural_width - left - right)


class UnreadItem(Item):
    """A line with the word "New" at its end."""

    kind = "unread"
    gap = 0.0

    def guess(self, style: TranscriptStyle, width: float) -> float:
        return style.px(_UNREAD_HEIGHT_PX)

    def layout(self, style: TranscriptStyle, width: float) -> None:
        self.height = style.px(_UNREAD_HEIGHT_PX)
        self.natural_width = width

    def paint(self, painter: QPainter, state: PaintState) -> None:
        style = state.style
        middle = round(style.px(_UNREAD_HEIGHT_PX) * 0.4)
        wide = style.metrics("muted").horizontalAdvance(shown(_UNREAD_LABEL)) + style.px(10)
        painter.setPen(style.colour("accent"))
        start = wide if style.is_mirrored else 0.0
        painter.drawLine(QPointF(start, middle), QPointF(start + self.natural_width - wide, middle))
        painter.setFont(style.font("muted"))
        side = Qt.AlignmentFlag.AlignLeft if style.is_mirrored else Qt.AlignmentFlag.AlignRight
        area = QRectF(0.0 if style.is_mirrored else self.natural_width - wide, 0, wide, 2 * middle)
        painter.drawText(area, int(side | Qt.AlignmentFlag.AlignVCenter), shown(_UNREAD_LABEL))
