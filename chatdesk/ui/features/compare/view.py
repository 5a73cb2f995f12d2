"""Shows the answers of several models to one question side by side; in two rows or below each other if there is less
room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from chatdesk.core.domain.message import Message, MessagePage
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import TRANSCRIPT_WIDTH_PX
from chatdesk.ui.transcript.contract import MessageFetcher
from chatdesk.ui.transcript.messages.notices import Retry
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.widgets.painting import paint_box

_COLUMN_PX = 280  # least width of a column
_STACKED_PX = 340  # height of a stacked column
_ROW_PX = 270  # height of a column in a grid of several rows
_GAP_PX = 14
_MARGINS_PX = 48  # left and right together
_LONGEST_QUESTION = 400
_ANY_PX = 16_777_215  # Qt's own greatest height
ViewMaker = Callable[[MessageFetcher], TranscriptView]


_PADDING_PX = 8
_ALL_THE_ROOM = 1_000
_TEXT_PX = 23  # left edge of the answer's text


class CompareView(QWidget):
    """Signals carry the id of an answer. ``closed``: back to the thread without choosing."""

    keepRequested = Signal(str)
    stopRequested = Signal(str)
    closed = Signal()

    def __init__(self, theme: Theme, make_view: ViewMaker, *, live: Callable[[Message], Message]) -> None:
        super().__init__()
        self._theme = theme
        self._make_view = make_view
        self._live = live
        self._columns: list[CompareColumn] = []
        self._least_px = 0
        self.setObjectName("compareView")
        self.setAccessibleName(tr("Compared answers"))
        self._question = _Bubble(theme)
        self.back_button = PillButton(
            theme,
            tr("Back"),
            object_name="closeCompareButton",
            name=tr("Back to the thread; all answers stay as versions"),
            icon_name="chevron-left",
        )
        self.back_button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)  # never cut
        self.back_button.clicked.connect(self.closed)
        top = QHBoxLayout()
        top.addWidget(self.back_button, 0, Qt.AlignmentFlag.AlignTop)
        top.addStretch(1)
        top.addWidget(self._question, _ALL_THE_ROOM)
        self._row = QWidget()
        self._row.setObjectName("compareRow")
        self._grid = QGridLayout(self._row)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_GAP_PX)
        self._in_a_row = 0
        self._fit_timer = QTimer(self, singleShot=True, interval=0)
        self._fit_timer.timeout.connect(self._fit)
        self._scroll = QScrollArea()
        self._scroll.setObjectName("compareScroll")
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self._row)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 12)
        column.setSpacing(_GAP_PX)
        column.addLayout(top)
        column.addWidget(self._scroll, 1)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def columns(self) -> tuple[CompareColumn, ...]:
        return tuple(self._columns)

    def show_answers(self, question: Message, answers: Sequence[Message]) -> None:
        """Show these answers in place of those that were compared before."""
        self.clear()
        self._question.show_text(question.text)
        models = [answer.model for answer in answers]
        for answer in answers:
            says_version = models.count(answer.model) > 1
            column = CompareColumn(self._theme, self._make_view, answer, live=self._live, says_version=says_version)
            column.keepRequested.connect(self.keepRequested)
            column.stopRequested.connect(self.stopRequested)
            column.heightChanged.connect(self._fit_timer.start)
            self._columns.append(column)
        self._in_a_row = 0
        self._arrange()

    def clear(self) -> None:
        columns, self._columns = self._columns, []
        for column in columns:
            self._grid.removeWidget(column)
            column.hide()
            column.deleteLater()

    # Changes of the answers

    def change_message(self, message: Message) -> None:
        column = self._column_of(message.id)
        if column is not None:
            column.change(message)

    def append_text(self, message_id: str, part_index: int, kind: str, delta: str) -> None:
        column = self._column_of(message_id)
        if column is not None:
            column.view.conversation.append_text(message_id, part_index, kind, delta)

    def record_request(self, message_id: str, at_ms: int) -> None:
        column = self._column_of(message_id)
        if column is not None:
            column.view.conversation.progress.record_request(message_id, at_ms)

    def set_retry(self, message_id: str, retry: Retry) -> None:
        column = self._column_of(message_id)
        if column is not None:
            column.view.conversation.progress.set_retry(message_id, retry)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.colour("background"))

    def _column_of(self, message_id: str) -> CompareColumn | None:
        return next((column for column in self._columns if column.answer.id == message_id), None)

    def _arrange(self) -> None:
        count = len(self._columns)
        if not count:
            return
        scale = max(1.0, self._theme.scale)
        most = max(1, int((self.width() - _MARGINS_PX + _GAP_PX) / (_COLUMN_PX * scale + _GAP_PX)))
        rows = -(-count // most)
        in_a_row = -(-count // rows)  # four in two rows of two, where three would have room in one
        height_px = 0 if rows == 1 else _STACKED_PX if in_a_row == 1 else _ROW_PX
        self._least_px = round(height_px * scale)
        for column in self._columns:
            column.setMinimumHeight(self._least_px)
            column.setMaximumHeight(_ANY_PX)
        self._row.setMaximumHeight(_ANY_PX)
        self._fit_timer.start()
        if in_a_row == self._in_a_row:
            return
        self._in_a_row = in_a_row
        for place, column in enumerate(self._columns):
            self._grid.removeWidget(column)
            span = in_a_row - place % in_a_row if place == count - 1 else 1
            self._grid.addWidget(column, place // in_a_row, place % in_a_row, 1, span)
        for place in range(count):
            self._grid.setColumnStretch(place, int(place < in_a_row))
            self._grid.setRowStretch(place, int(place < rows))

    def _fit(self) -> None:
        """Limit answers that are being written to the height of the longest answer beside them."""
        if not self._columns:
            return
        total, is_one_row = -_GAP_PX, len(self._columns) <= self._in_a_row
        for first in range(0, len(self._columns), max(1, self._in_a_row)):
            row = self._columns[first : first + self._in_a_row]
            known = [height for column in row if (height := column.whole_height) is not None]
            most = max(known) if len(known) == len(row) else _ANY_PX
            for column in row:
                column.setMinimumHeight(self._least_px if most == _ANY_PX or is_one_row else most)
                column.setMaximumHeight(most)
            total = min(_ANY_PX, total + most + _GAP_PX)
        self._row.setMaximumHeight(total)

    def _on_theme_changed(self) -> None:
        # Only these two: widgets inside a column have colours of their own.
        fill = self._theme.colour("background").name()
        self._scroll.setStyleSheet(f"#compareScroll, #compareRow {{ background: {fill}; }}")
        self.update()


class _Bubble(QLabel):
    """The question, as the transcript shows it; a long one is cut."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("comparedQuestion")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setContentsMargins(14, 8, 14, 8)
        self.setProperty("textRole", "text")

    def show_text(self, text: str) -> None:
        cut = " ".join(text[: _LONGEST_QUESTION + 1].split())
        self.setText(cut if len(text) <= _LONGEST_QUESTION else f"{cut}…")
        self.setAccessibleName(tr("Your question: {question}", question=cut))
        wide = self.fontMetrics().horizontalAdvance(self.text()) + 32
        self.setMaximumWidth(min(wide, round(480 * max(1.0, self._theme.scale))))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = self._theme
        paint_box(painter, QRectF(self.rect()), theme.tokens.radius.card, fill=theme.colour("question"))
        painter.end()
        super().paintEvent(event)


class CompareColumn(QWidget):
    """One of several compared answers. ``live`` gives a message with everything that was published of it so far."""

    keepRequested = Signal(str)
    stopRequested = Signal(str)
    heightChanged = Signal()

    def __init__(
        self,
        theme: Theme,
        make_view: ViewMaker,
        answer: Message,
        *,
        live: Callable[[Message], Message],
        says_version: bool = False,
    ) -> None:
        super().__init__()
        self._theme = theme
        self._answer = answer
        self._live = live
        self._place = ""
        if says_version:
            self._place = tr("Version {number} of {count}", number=answer.version_index, count=answer.version_count)
        self.setObjectName("compareColumn")
        self.setAccessibleName(self._named(_names_of(answer)[0]))
        self.view = make_view(self._fetch)
        self.view.setAccessibleName(self.accessibleName())
        self.keep_button = PillButton(theme, tr("Keep this one"), object_name="keepButton", icon_name="check")
        self.keep_button.clicked.connect(lambda: self.keepRequested.emit(self._answer.id))
        self.stop_button = PillButton(theme, tr("Stop"), object_name="stopOneButton", icon_name="circle-stop")
        self.stop_button.clicked.connect(lambda: self.stopRequested.emit(self._answer.id))
        row = self._buttons = QHBoxLayout()
        row.addWidget(self.keep_button)
        row.addWidget(self.stop_button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, _PADDING_PX, 1, _PADDING_PX)
        column.addWidget(self.view, 1)
        column.addLayout(row)
        self._show_state()
        # Answers are compared from their beginnings; one that is still being written is followed.
        if answer.status.is_final:
            self.view.show_thread_at(answer.thread_id, answer.id)
        else:
            self.view.show_thread(answer.thread_id)
        theme.changed.connect(self.update)
        self.view.laidOut.connect(self.heightChanged)

    @property
    def whole_height(self) -> int | None:
        """The height in pixels with the whole answer and the buttons; None while it is being written, or some of it out
        of view."""
        text = self.view.whole_height if self._answer.status.is_final else None
        return None if text is None else ceil(text) + self.height() - self.view.viewport().height()

    @property
    def answer(self) -> Message:
        return self._answer

    def change(self, message: Message) -> None:
        """Show a newer state of the answer."""
        self._answer = message
        self.view.conversation.change_message(_alone(message))
        self._show_state()
        self.heightChanged.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the buttons below the text, which is in the middle of a wide column."""
        super().resizeEvent(event)
        side = max(_TEXT_PX, (self.width() - round(TRANSCRIPT_WIDTH_PX * max(1.0, self._theme.scale))) // 2)
        self._buttons.setContentsMargins(side, 0, side, 0)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        fill, border = theme.colour("background"), theme.colour("line")
        paint_box(painter, QRectF(self.rect()), theme.tokens.radius.code, fill=fill, border=border)

    def _fetch(
        self,
        thread_id: str,
        *,
        limit: int,
        before: str | None,
        after: str | None,
        around: str | None,
        deliver: Callable[[MessagePage], None],
    ) -> None:
        def answer() -> None:
            message = _alone(self._live(self._answer))
            is_wanted = before is None and after is None
            deliver(MessagePage(thread_id, (message,) if is_wanted else (), has_older=False, has_newer=False, total=1))

        QTimer.singleShot(0, self, answer)

    def _show_state(self) -> None:
        is_final = self._answer.status.is_final
        _name, stop, keep = _names_of(self._answer)
        self.stop_button.setVisible(not is_final)
        self.stop_button.set_name(self._named(stop))
        self.keep_button.set_name(self._named(keep))
        self.keep_button.setVisible(not is_final or bool(self._answer.parts))  # there is nothing to keep of a failure

    def _named(self, name: Text) -> str:
        """Return a name that tells this answer from the others, by its version where one model wrote several."""
        return ", ".join(filter(None, (shown(name), self._place)))


def _names_of(answer: Message) -> tuple[Text, Text, Text]:
    """Return the name of an answer, and those of the buttons that stop and keep it."""
    if answer.is_edited_answer:
        return Text("Edited answer"), Text("Stop the edited answer"), Text("Keep the edited answer")
    model = answer.model
    if not model:
        return Text("Answer"), Text("Stop the answer"), Text("Keep the answer")
    return (
        Text("Answer of {model}", model=model),
        Text("Stop the answer of {model}", model=model),
        Text("Keep the answer of {model}", model=model),
    )


def _alone(message: Message) -> Message:
    """Return the message without its place among the others: no message before it, and a single version."""
    return replace(message, position=0, version_index=1, version_count=1)
