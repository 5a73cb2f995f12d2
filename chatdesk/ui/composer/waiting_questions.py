"""Questions that wait above the text for the end of the answer that is being written: a row each, the next first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QSizePolicy, QWidget

from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import IconButton, PillButton
from chatdesk.ui.widgets.elided_label import ElidedLabel
from chatdesk.ui.widgets.layouts import bare_column, bare_row

MOST_ROWS: Final = 3
_GAP_PX: Final = 4


@dataclass(frozen=True, slots=True)
class WaitingQuestionRow:
    """A question that waits for the end of an answer. ``text`` is its beginning, for recognition."""

    id: str
    text: str


class WaitingQuestions(QWidget):
    """The signals carry the id of a question; ``allRequested``: more wait than are shown. The focus stays on the same
    button of the same question while rows come and go, else ``left`` asks the text to take it."""

    sendRequested = Signal(str)
    editRequested = Signal(str)
    upRequested = Signal(str)
    allRequested = Signal()
    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("waitingQuestions")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._theme = theme
        self._shown: tuple[tuple[WaitingQuestionRow, ...], str] = ((), "")
        self._heading = ElidedLabel(theme, role="muted")
        self._heading.setObjectName("waitingQuestionsHeading")
        self._rows: list[QWidget] = []
        self._column = bare_column(self, spacing_px=_GAP_PX)
        self._column.addWidget(self._heading)

    @property
    def words(self) -> str:
        return self._heading.text()

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of the waiting questions, the next one first."""
        return tuple(row.text for row in self._shown[0])

    def show_rows(self, rows: Sequence[WaitingQuestionRow], words: str) -> bool:
        """Show the waiting questions and return whether anything changed. ``words`` say when they are sent."""
        wanted = (tuple(rows), words)
        if wanted == self._shown:
            return False
        self._shown = wanted
        focus = self.focusWidget()
        focused = focus.objectName() if focus is not None and focus.hasFocus() else ""
        self._heading.setText(words)
        self.setAccessibleName(words)
        for each in self._rows:
            self._column.removeWidget(each)
            each.hide()
            each.deleteLater()
        self._rows = [self._row(row, place) for place, row in enumerate(wanted[0][:MOST_ROWS])]
        if len(wanted[0]) > MOST_ROWS:
            self._rows.append(self._rest(len(wanted[0]) - MOST_ROWS))
        for each in self._rows:
            self._column.addWidget(each)
            each.show()  # only visible widgets take the focus
        self.setFixedHeight(self._column.sizeHint().height())
        if focused:
            found = (each.findChild(QWidget, focused) for each in self._rows)
            same = next((each for each in found if each is not None), None)
            if same is None:
                self.left.emit()
            else:
                same.setFocus()
        return True

    def _row(self, row: WaitingQuestionRow, place: int) -> QWidget:
        holder = QWidget(self)
        line = bare_row(holder, spacing_px=8)
        label = ElidedLabel(self._theme, row.text)
        label.setObjectName(f"waitingQuestion-{row.id}")
        line.addWidget(label, 1)
        if place:
            up = IconButton(
                self._theme,
                "arrow-up",
                name=tr("Move up: {text}", text=row.text),
                object_name=f"waitingQuestionUp-{row.id}",
            )
            up.set_name(tr("Move up: {text}", text=row.text), tooltip=tr("Send it before the one above"))
            up.clicked.connect(partial(_emit, self.upRequested, row.id))
            line.addWidget(up)
        for text, kind, signal, tooltip in (
            (tr("Edit"), tr("Edit"), self.editRequested, tr("Take it back into the text below")),
            (tr("Send now"), tr("Send"), self.sendRequested, tr("Stop the answer, keep what came, and ask this")),
        ):
            button = PillButton(self._theme, text, object_name=f"waitingQuestion{kind}-{row.id}")
            button.set_name(f"{text}: {row.text}", tooltip=tooltip)
            button.clicked.connect(partial(_emit, signal, row.id))
            line.addWidget(button)
        return holder

    def _rest(self, count: int) -> QWidget:
        holder = QWidget(self)
        line = bare_row(holder)
        words = shown(plural("{count} more wait…", "{count} more waits…", count))
        button = PillButton(self._theme, words, object_name="waitingQuestionsAll")
        button.clicked.connect(self.allRequested)
        line.addWidget(button)
        line.addStretch(1)
        return holder


def _emit(signal: SignalInstance, question_id: str, _is_checked: bool = False) -> None:
    signal.emit(question_id)
