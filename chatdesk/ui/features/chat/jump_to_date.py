"""Jump to a date of a thread: a field to type it in, and a calendar to point at it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QDate, QDateTime, QEvent, QObject, Qt, QTime, Signal
from PySide6.QtGui import QKeyEvent, QTextCharFormat
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCalendarWidget,
    QDateEdit,
    QWidget,
)

from chatdesk.core.texts import tr
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.theme.theme import Theme

_WIDTH_PX: Final = 360
_CALENDAR_ROWS = 8  # six weeks, the names of their days, and the month


class JumpToDateDialog(FormPanel):
    """``dayChosen`` carries when the chosen day begins here, in milliseconds (UTC). The days offered are those from the
    ``first_ms`` to the ``last_ms`` message; ``current_ms`` is where the reader is."""

    dayChosen = Signal(object)

    def __init__(
        self, theme: Theme, *, first_ms: int, last_ms: int, current_ms: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, tr("Jump to a date"), object_name="jumpToDateDialog", width_px=_WIDTH_PX, parent=parent)
        first, last = _day(first_ms), _day(max(first_ms, last_ms))
        words = tr(
            "From {first} to {last}",
            first=self.locale().toString(first),
            last=self.locale().toString(last),
        )
        self.setAccessibleDescription(words)
        self.field = QDateEdit()
        self.field.setObjectName("dateField")
        self.field.setAccessibleName(tr("Date"))
        self.field.setDateRange(first, last)
        self.field.setDate(_day(current_ms))
        self.field.installEventFilter(self)
        self.calendar = QCalendarWidget()
        self.calendar.setObjectName("dateCalendar")
        self.calendar.setAccessibleName(tr("Calendar"))
        for days in self.calendar.findChildren(QAbstractItemView):
            days.setAccessibleName(tr("Days"))  # what takes the focus in it is the table that Qt made
        self.calendar.setDateRange(first, last)
        self.calendar.setMinimumHeight(theme.target_px(0) * _CALENDAR_ROWS)
        self.calendar.setSelectedDate(self.field.date())
        self.calendar.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
        words_format = QTextCharFormat()
        words_format.setForeground(theme.colour("text"))  # Qt's red of weekends is too faint on dark grounds
        for weekday in (Qt.DayOfWeek.Saturday, Qt.DayOfWeek.Sunday):
            self.calendar.setWeekdayTextFormat(weekday, words_format)
        self.calendar.selectionChanged.connect(self._on_calendar_changed)
        self.calendar.activated.connect(lambda _day: self._go())
        self.field.dateChanged.connect(self.calendar.setSelectedDate)
        self.add_button(push_button(tr("Cancel"), "jumpCancel", self.reject))
        self.go_button = self.add_button(push_button(tr("Go"), "goToDateButton", self._go, is_default=True))
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

    def _on_calendar_changed(self) -> None:
        self.field.setDate(self.calendar.selectedDate())

    def _go(self) -> None:
        begin = QDateTime(self.field.date(), QTime(0, 0)).toMSecsSinceEpoch()
        self.accept()
        self.dayChosen.emit(begin)


def _day(at_ms: int) -> QDate:
    return QDateTime.fromMSecsSinceEpoch(at_ms).date()
