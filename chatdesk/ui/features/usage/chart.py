"""Draws a bar chart: one bar per day side by side, or one per model, project or kind below each other.

The arrow keys go from bar to bar; the meaning of a bar is announced, and shown above it. The same numbers are in the
table.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final
from weakref import ref

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QAccessible, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAccessibleWidget, QSizePolicy, QWidget

from chatdesk.core.texts import Sentences, Text, plural, shown, tr
from chatdesk.core.usage.overview import Grouping, Overview, OverviewRow
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.accessibility.interfaces import give_interfaces
from chatdesk.ui.features.usage.figures import MEASURES, Measure, row_name, row_short
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.focus_ring import shows_ring
from chatdesk.ui.widgets.painting import draw_line, paint_box, paint_focus_ring, read_by_letters

_ROWS: Final = {
    "day": Text("day"),
    "week": Text("week"),
    "month": Text("month"),
    "model": Text("model"),
    "project": Text("project"),
    "kind": Text("kind"),
}
_HEIGHT_PX = 190
_PAD_PX = 8
_BAR_PX = 12
_LINE_PX = 26
_WIDEST_NAME = 0.36
_MOST_LINES = 7
_TICKS = 4
_THINNEST_PX = 1.0
_GAP = 0.3


class UsageChart(QWidget):
    """Shows an ``Overview`` by one ``Measure``."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        give_interfaces(UsageChart, _ChartAccessible)
        self._theme = theme
        self._overview: Overview | None = None
        self._measure = MEASURES[0]
        self._current = -1
        self._is_ringed = False
        self.setObjectName("usageChart")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Chart of usage"))
        theme.changed.connect(self._on_theme_changed)

    def show_overview(self, overview: Overview, measure: Measure) -> None:
        self._overview = overview
        self._measure = measure
        self._current = min(self._current, len(overview.rows) - 1)
        words = describe(overview, measure)
        self.setAccessibleName(
            tr(
                "Chart of {measure} by {rows}",
                measure=measure.noun,
                rows=_ROWS.get(overview.rows_are, overview.rows_are),
            )
        )
        self.setAccessibleDescription(
            shown(Sentences.of(words, Text("Arrow keys go from bar to bar; the table below has the same numbers.")))
        )
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(480, round(_HEIGHT_PX * max(1.0, self._theme.scale)))

    @property
    def current_words(self) -> str:
        """The text of the bar that has the focus or is under the pointer; empty without one."""
        rows = self._rows()
        if not 0 <= self._current < len(rows):
            return ""
        row = rows[self._current]
        return tr("{row}: {amount}", row=self._name(row), amount=self._measure.words(row.total))

    # What a person does

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._is_ringed = True
        self.update()
        count = len(self._rows())
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft and self._is_by_day()
        back, on = (Qt.Key.Key_Right, Qt.Key.Key_Left) if is_mirrored else (Qt.Key.Key_Left, Qt.Key.Key_Right)
        steps = {back: -1, on: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        key = Qt.Key(event.key())
        if key in steps and count:
            self._go_to(min(max(self._current + steps[key], 0), count - 1))
        elif key is Qt.Key.Key_Home and count:
            self._go_to(0)
        elif key is Qt.Key.Key_End and count:
            self._go_to(count - 1)
        else:
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = next((at for at, area in enumerate(self._areas()) if area[1].contains(event.position())), -1)
        if found != self._current:
            self._current = found
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        if not self.hasFocus():
            self._current = -1
            self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._is_ringed = shows_ring(event.reason(), before=self._is_ringed)
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._current = -1
        self.update()

    def _go_to(self, place: int) -> None:
        self._current = place
        self.update()
        announce(self, self.current_words)

    # What is drawn

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = self._theme
        read_by_letters(painter)
        painter.setFont(theme.font("muted"))
        if self._is_by_day():
            self._paint_axis(painter)
        accent, chosen = theme.colour("accent"), theme.colour("text")
        for at, (bar, slot) in enumerate(self._areas()):
            if at == self._current:
                paint_box(painter, slot, 4, fill=theme.colour("selected"))
            if bar.isEmpty():
                continue
            painter.fillRect(bar, chosen if at == self._current else accent)
        if not self._is_by_day():
            self._paint_names(painter)
        painter.setPen(theme.colour("text"))
        painter.setFont(theme.font("table"))
        head = QRectF(_PAD_PX, 0, self.width() - 2 * _PAD_PX, self._head_px())
        words = self.current_words or ("" if self._rows() else tr("No requests in these days."))
        draw_line(painter, head, words, self.layoutDirection())
        if self.hasFocus() and self._is_ringed:
            paint_focus_ring(painter, QRectF(self.rect()), theme.tokens.radius.row, theme.colour("accent"))

    def _paint_axis(self, painter: QPainter) -> None:
        plot, top, theme = self._plot(), self._top(), self._theme
        flag = Qt.AlignmentFlag
        for value in self._ticks():
            y = plot.bottom() - plot.height() * value / top
            painter.setPen(theme.colour("line"))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(theme.colour("muted"))
            half = painter.fontMetrics().height() / 2
            area = QRectF(0, y - half, self.width(), 2 * half)
            area.setRight(plot.left() - 6) if not self._is_mirrored() else area.setLeft(plot.right() + 6)
            side = flag.AlignLeft if self._is_mirrored() else flag.AlignRight
            painter.drawText(area, int(side | flag.AlignVCenter), self._measure.short(value))
        rows = self._rows()
        widest = max((painter.fontMetrics().horizontalAdvance(self._short(row)) for row in rows), default=0) + 20
        every = max(1, math.ceil(widest * len(rows) / max(plot.width(), 1)))
        for at, (_bar, slot) in enumerate(self._areas()):
            if at % every == 0 and len(rows) - at >= every / 2:
                area = QRectF(
                    slot.center().x() - widest / 2, plot.bottom() + 2, widest, self.height() - plot.bottom() - 4
                )
                area.moveLeft(min(max(area.left(), plot.left() - 4), plot.right() + 4 - widest))
                painter.drawText(area, int(flag.AlignHCenter | flag.AlignTop), self._short(rows[at]))

    def _paint_names(self, painter: QPainter) -> None:
        theme, metrics, flag = self._theme, painter.fontMetrics(), Qt.AlignmentFlag
        for row, (_bar, slot) in zip(self._rows(), self._areas(), strict=True):
            names, figures = self._name_px(), self._figure_px()
            words, figure = QRectF(slot), QRectF(slot)
            if self._is_mirrored():
                words.setLeft(slot.right() - names)
                figure.setRight(slot.left() + figures)
            else:
                words.setRight(slot.left() + names)
                figure.setLeft(slot.right() - figures)
            painter.setPen(theme.colour("text"))
            name = metrics.elidedText(self._name(row), Qt.TextElideMode.ElideMiddle, round(names) - 2 * _PAD_PX)
            ahead = flag.AlignRight if self._is_mirrored() else flag.AlignLeft
            behind = flag.AlignLeft if self._is_mirrored() else flag.AlignRight
            painter.drawText(words.adjusted(_PAD_PX, 0, -_PAD_PX, 0), int(ahead | flag.AlignVCenter), name)
            painter.setPen(theme.colour("muted"))
            text = self._measure.short(self._measure.of(row.total))
            painter.drawText(figure.adjusted(_PAD_PX, 0, -_PAD_PX, 0), int(behind | flag.AlignVCenter), text)

    # Where everything is

    def _areas(self) -> list[tuple[QRectF, QRectF]]:
        """Return for each row its bar, and the area in which the pointer selects it."""
        rows, top = self._rows(), self._top()
        shares = [self._measure.of(row.total) / top for row in rows]
        plot = self._plot()
        areas = []
        if self._is_by_day():
            step = plot.width() / max(len(rows), 1)
            for at, share in enumerate(shares):
                left = plot.right() - (at + 1) * step if self._is_mirrored() else plot.left() + at * step
                wide = max(_THINNEST_PX, step * (1 - _GAP))
                high = max(_THINNEST_PX, plot.height() * share) if share else 0.0
                bar = QRectF(left + (step - wide) / 2, plot.bottom() - high, wide, high)
                areas.append((bar, QRectF(left, plot.top(), step, plot.height())))
            return areas
        scale = max(1.0, self._theme.scale)
        line = _LINE_PX * scale
        names, figures = self._name_px(), self._figure_px()
        room = self.width() - names - figures
        for at, share in enumerate(shares):
            slot = QRectF(0, self._head_px() + at * line, self.width(), line)
            wide = max(_THINNEST_PX, room * share) if share else 0.0
            left = figures + room - wide if self._is_mirrored() else names
            areas.append((QRectF(left, slot.center().y() - _BAR_PX * scale / 2, wide, _BAR_PX * scale), slot))
        return areas

    def _plot(self) -> QRectF:
        """Return the rectangle in which the bars of days are."""
        metrics = self.fontMetrics()
        figures = [self._measure.short(value) for value in self._ticks()]
        axis = max(24, *(metrics.horizontalAdvance(each) for each in figures)) + 14.0
        left, right = (_PAD_PX, axis) if self._is_mirrored() else (axis, _PAD_PX)
        head, foot = self._head_px() + 4, metrics.height() + 8
        return QRectF(left, head, max(self.width() - left - right, 1), max(self.height() - head - foot, 1))

    def _rows(self) -> tuple[OverviewRow, ...]:
        if self._overview is None:
            return ()
        return self._overview.rows if self._is_by_day() else self._overview.rows[:_MOST_LINES]

    def _name(self, row: OverviewRow) -> str:
        return row_name(row, "day" if self._overview is None else self._overview.step)

    def _short(self, row: OverviewRow) -> str:
        return row_short(row, "day" if self._overview is None else self._overview.step)

    def _top(self) -> float:
        """Return the end of the axis: a round number that no bar exceeds."""
        largest = max((self._measure.of(row.total) for row in self._rows()), default=0.0)
        return round_up(largest) if self._is_by_day() else largest or 1.0

    def _ticks(self) -> tuple[float, ...]:
        if not any(self._measure.of(row.total) for row in self._rows()):
            return (0.0,)
        return axis_values(self._top(), self._measure.short)

    def _is_by_day(self) -> bool:
        return self._overview is not None and self._overview.grouping is Grouping.DAY

    def _is_mirrored(self) -> bool:
        return self.layoutDirection() is Qt.LayoutDirection.RightToLeft

    def _head_px(self) -> float:
        return self._theme.line_px("table") + 4

    def _name_px(self) -> float:
        return self.width() * _WIDEST_NAME

    def _figure_px(self) -> float:
        return 78.0 * max(1.0, self._theme.scale)

    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()


class _ChartAccessible(QAccessibleWidget):
    """The chart for assistive programs: its name and description are in the widget, the current bar is its value."""

    def __init__(self, chart: UsageChart) -> None:
        super().__init__(chart, QAccessible.Role.Chart)
        self._chart = ref(chart)

    def text(self, kind: QAccessible.Text) -> str:
        chart = self._chart()
        if kind is QAccessible.Text.Value and chart is not None:
            return chart.current_words
        return super().text(kind)

    def close(self) -> None:
        """Do nothing: there are no children."""


def axis_values(top: float, short: Callable[[float], str]) -> tuple[float, ...]:
    """Return the values from 0 to ``top`` that lines are drawn at: fewer where two of four would be written alike."""
    for parts in (_TICKS, _TICKS // 2):
        values = tuple(top * tick / parts for tick in range(parts + 1))
        if len(set(map(short, values))) == len(values):
            return values
    return 0.0, top


def round_up(value: float) -> float:
    """Return the next of 1, 2, 4 or 8 times a power of ten, so that quarters of it are short numbers."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (1, 2, 4, 8) if step * power >= value), 10 * power)


def describe(overview: Overview, measure: Measure) -> str:
    """Return the chart in two sentences, for screen readers."""
    if not overview.total.requests:
        return tr("No requests in these days.")
    largest = max(overview.rows, key=lambda row: measure.of(row.total))
    words = plural(
        "In all {amount} in {count} rows. The largest is {row} with {most}.",
        "In all {amount} in {count} row. The largest is {row} with {most}.",
        len(overview.rows),
        amount=measure.words(overview.total),
        row=row_name(largest, overview.step),
        most=measure.words(largest.total),
    )
    return shown(words)
