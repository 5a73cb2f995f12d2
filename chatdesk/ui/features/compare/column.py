"""A column for one of several answers that are compared: a transcript of that answer alone, with its actions below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil

from PySide6.QtCore import QRectF, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from chatdesk.core.domain.message import Message, MessagePage
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import TRANSCRIPT_WIDTH_PX
from chatdesk.ui.transcript.contract import MessageFetcher
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.widgets.painting import paint_box

ViewMaker = Callable[[MessageFetcher], TranscriptView]


_PADDING_PX = 8
_TEXT_PX = 23  # where the answer's text begins


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
