"""The bar that shows what fills the model's context, and a line of words for each part of it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from chatdesk.core.domain.context import ContextReport
from chatdesk.core.plurals import counted
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.painting import mirrored, paint_box

_BAR_PX = 9
_LINE_PX = 27
_SWATCH_PX = 9


class ContextBar(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._window = 1
        self._parts: tuple[tuple[str, int, str], ...] = ()
        self.setObjectName("contextBar")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._on_theme_changed)

    def show_report(self, report: ContextReport) -> None:
        self._window = max(1, report.totals.window)
        self._parts = parts_of(report)
        self.setAccessibleName("What the model will see")
        self.setAccessibleDescription("; ".join(f"{name}: {tokens:,} tokens" for name, tokens, _ in self._parts))
        self._on_theme_changed()

    def sizeHint(self) -> QSize:
        scale = max(1.0, self._theme.scale)
        return QSize(200, round((_BAR_PX + 6 + _LINE_PX * len(self._parts)) * scale))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        scale = max(1.0, self._theme.scale)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_bar(painter, QRectF(0, 0, self.width(), _BAR_PX * scale))
        top = (_BAR_PX + 6) * scale
        for name, tokens, colour in self._parts:
            line = QRectF(0, top, self.width(), _LINE_PX * scale)
            self._paint_line(painter, line, name=name, tokens=tokens, ink=colour)
            top += _LINE_PX * scale

    def _paint_bar(self, painter: QPainter, area: QRectF) -> None:
        path = QPainterPath()
        path.addRoundedRect(area, 4, 4)
        painter.save()
        painter.setClipPath(path)
        painter.fillRect(area, self._theme.colour("line"))
        left = 0.0
        for _name, tokens, ink in self._parts:
            wide = area.width() * tokens / self._window
            piece = QRectF(left, area.top(), wide, area.height())
            painter.fillRect(mirrored(piece, area, self.layoutDirection()), self._colour(ink))
            left += wide
        painter.restore()

    def _paint_line(self, painter: QPainter, area: QRectF, *, name: str, tokens: int, ink: str) -> None:
        theme, scale = self._theme, max(1.0, self._theme.scale)
        side = _SWATCH_PX * scale
        swatch = QRectF(area.left(), area.center().y() - side / 2, side, side)
        paint_box(painter, mirrored(swatch, area, self.layoutDirection()), 3, fill=self._colour(ink))
        painter.setFont(theme.font("table"))
        painter.setPen(theme.colour("text"))
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        start, end = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        if is_mirrored:
            start, end = end, start
        upright = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignAbsolute  # or the painter mirrors once more
        words = mirrored(area.adjusted(side + 8, 0, 0, 0), area, self.layoutDirection())
        painter.drawText(words, int(start | upright), name)
        painter.setPen(theme.colour("muted"))
        painter.drawText(area, int(end | upright), f"{tokens:,}")

    def _colour(self, name: str) -> QColor:
        syntax = self._theme.tokens.syntax
        by_name = {"system": syntax.keyword, "pinned": syntax.type, "draft": syntax.number}
        return QColor(by_name[name]) if name in by_name else self._theme.colour(name)

    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()


def parts_of(report: ContextReport) -> tuple[tuple[str, int, str], ...]:
    """Name, tokens and colour of everything that takes room, in the order of the request; the answer's room last."""
    totals = report.totals
    parts = (
        ("System prompt", totals.system, "system"),
        (f"Summary of {counted(report.summarised_count, 'message')}", totals.summary, "warning"),
        (f"Pinned · {counted(report.pinned_count, 'message')}", totals.pinned, "pinned"),
        (f"Recent · {counted(report.recent_count, 'message')}", totals.recent, "accent"),
        ("Your draft", totals.draft, "draft"),
    )
    return (*(part for part in parts if part[1]), ("Room for the answer", totals.reserved, "field_line"))
