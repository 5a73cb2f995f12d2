"""Asks for a date of a thread to jump to: a field to type it in, and a calendar to point at it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QDate, QDateTime, QEvent, QLocale, QObject, QSize, Qt, QTime, Signal
from PySide6.QtGui import QIcon, QKeyEvent, QTextCharFormat
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCalendarWidget,
    QDateEdit,
    QToolButton,
    QWidget,
)

from chatdesk.core.moments import known_or_zero
from chatdesk.core.texts import is_translated, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import pad_spin_box
from chatdesk.ui.theme.icons import icon_pixmap
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FOCUS_RING_PX, ICON_PX

_WIDTH_PX: Final = 360
_PAD_PX: Final = 4
_CALENDAR_ROWS = 8  # six weeks, the names of their days, and the month


class JumpToDateDialog(FormPanel):
    """A dialog that asks for a day of the thread. ``dayChosen`` carries when the chosen day begins here, in
    milliseconds (UTC). The days offered are those from the ``first_ms`` to the ``last_ms`` message; ``current_ms`` is
    where the reader is."""

    dayChosen = Signal(object)

    def __init__(
        self, theme: Theme, *, first_ms: int, last_ms: int, current_ms: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, tr("Jump to a date"), object_name="jumpToDateDialog", width_px=_WIDTH_PX, parent=parent)
        first, last = _day(first_ms), _day(max(first_ms, last_ms))
        days = [self.locale().toString(day) for day in (first, last)]
        words = tr("From {first} to {last}", first=days[0], last=days[1]) if first != last else days[0]
        self.setAccessibleDescription(words)
        self.field = QDateEdit()
        pad_spin_box(self.field, theme)
        self.field.setObjectName("dateField")
        self.field.setAccessibleName(tr("Date"))
        if not is_translated():
            self.field.setDisplayFormat("yyyy-MM-dd")  # the format of `local_forms.date_text`
        self.field.setDateRange(first, last)
        self.field.setDate(_day(current_ms))
        self.field.installEventFilter(self)
        self.calendar = named(QCalendarWidget(), "dateCalendar", tr("Calendar"))
        for table in self.calendar.findChildren(QAbstractItemView):
            table.setAccessibleName(tr("Days"))  # Qt's table inside the calendar takes the focus
        self.calendar.setDateRange(first, last)
        self.calendar.setSelectedDate(self.field.date())
        self.calendar.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
        self._dress_calendar()
        rows_px = theme.target_px(0) * _CALENDAR_ROWS
        self.calendar.setMinimumHeight(
            max(rows_px, self.calendar.sizeHint().height() + 2 * FOCUS_RING_PX + 2 * _PAD_PX)
        )
        self.calendar.selectionChanged.connect(self._on_calendar_changed)
        self.calendar.activated.connect(lambda _day: self._go())
        self.field.dateChanged.connect(self.calendar.setSelectedDate)
        self.add_button(push_button(tr("Cancel"), "jumpCancel", self.reject))
        self.add_button(push_button(tr("Go"), "goToDateButton", self._go, is_default=True))
        self.add_text(words)
        self.body.addWidget(self.field)
        self.body.addWidget(self.calendar)
        self.field.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter in the field goes."""
        is_key = isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress
        if watched is self.field and is_key and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):  # type: ignore[attr-defined]
            self.field.interpretText()
            self._go()
            return True
        return super().eventFilter(watched, event)

    def _dress_calendar(self) -> None:
        """Give the calendar, which Qt assembles, the look of the rest."""
        tokens = self.theme.tokens
        heading = QTextCharFormat()
        heading.setForeground(self.theme.colour("muted"))
        heading.setBackground(self.theme.colour("card"))
        self.calendar.setHeaderTextFormat(heading)
        days = [self.locale().dayName(day, QLocale.FormatType.ShortFormat) for day in range(1, 8)]
        room_px = _WIDTH_PX * max(1.0, self.theme.scale) - 2 * tokens.space.xl
        widest_px = max(map(self.calendar.fontMetrics().horizontalAdvance, days)) + tokens.space.s
        if widest_px * len(days) > room_px:
            names = QCalendarWidget.HorizontalHeaderFormat.SingleLetterDayNames
            self.calendar.setHorizontalHeaderFormat(names)
        for weekday in (Qt.DayOfWeek.Saturday, Qt.DayOfWeek.Sunday):
            self.calendar.setWeekdayTextFormat(weekday, QTextCharFormat())  # Qt's red is too faint on dark grounds
        self.calendar.setStyleSheet(
            f"#qt_calendar_navigationbar {{ background: {tokens.card}; }}"
            f"QToolButton {{ background: transparent; color: {tokens.text}; border: none; padding: {_PAD_PX}px 8px;"
            f" border-radius: {tokens.radius.row}px; }}"
            f"QToolButton:hover, QToolButton:pressed {{ background: {tokens.hover}; }}"
            "QToolButton::menu-indicator { image: none; }"
            f"QAbstractItemView {{ background: {tokens.card}; color: {tokens.text}; outline: none;"
            f" border: {FOCUS_RING_PX}px solid {tokens.card}; border-radius: {tokens.radius.row}px;"
            f" selection-background-color: {tokens.accent}; selection-color: {tokens.on_accent}; }}"
            f"QAbstractItemView:focus {{ border-color: {tokens.accent}; }}"
            f"QAbstractItemView:disabled {{ color: {tokens.muted}; }}"
        )
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        size, ratio = round(ICON_PX * max(1.0, self.theme.scale)), self.devicePixelRatioF()
        for name, words, icon, mirrored in (
            ("qt_calendar_prevmonth", tr("Previous month"), "chevron-left", "chevron-right"),
            ("qt_calendar_nextmonth", tr("Next month"), "chevron-right", "chevron-left"),
        ):
            button = self.calendar.findChild(QToolButton, name)
            if button is not None:
                button.setAccessibleName(words)
                button.setToolTip(words)
                drawn = icon_pixmap(mirrored if is_mirrored else icon, tokens.text, size, device_pixel_ratio=ratio)
                button.setIcon(QIcon(drawn))
                button.setIconSize(QSize(size, size))

    def _on_calendar_changed(self) -> None:
        self.field.setDate(self.calendar.selectedDate())

    def _go(self) -> None:
        begin = QDateTime(self.field.date(), QTime(0, 0)).toMSecsSinceEpoch()
        self.accept()
        self.dayChosen.emit(begin)


def _day(at_ms: int) -> QDate:
    return QDateTime.fromMSecsSinceEpoch(known_or_zero(at_ms)).date()
