"""Shows the queue: all messages that wait to be sent, in their order, with the reason and the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import clear_layout, plain_label, thin_line
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.layouts import FlowRow

_WIDTH_PX: Final = 560
_MOST_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One message that waits to be sent. ``message_id`` is the answer's. ``words``: why it waits, and until when.
    ``can_go_first``: others are before it that it could pass."""

    message_id: str
    thread_id: str
    thread_title: str
    question: str
    words: str
    can_go_first: bool = False


class WaitingDialog(TaskPanel):
    """A dialog that lists the messages that wait to be sent. ``openRequested`` has thread and message."""

    openRequested = Signal(str, str)
    cancelRequested = Signal(str)
    firstRequested = Signal(str)

    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        super().__init__(
            theme, tr("Waiting to be sent"), object_name="waitingDialog", width_px=_WIDTH_PX, parent=parent
        )
        self._rows: tuple[WaitingRow, ...] | None = None
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.tokens.space.xs)
        self.body.addLayout(self._list)
        self.close_button = self.add_button(push_button(tr("Close"), "waitingClose", self.accept))
        self.close_button.setFocus()

    def show_rows(self, rows: Sequence[WaitingRow]) -> None:
        """Show the waiting messages, the next one first; those beyond a hundred are counted."""
        wanted = tuple(rows)
        if wanted == self._rows:
            return  # keeps the focus
        focus = self.focusWidget()
        focused = focus.objectName() if focus is not None else ""
        had_rows = self._rows is not None
        count = _count(len(wanted))
        if had_rows and len(wanted) != len(self._rows or ()):
            announce(self, count)
        self._rows = wanted
        clear_layout(self._list)
        self._list.addWidget(plain_label(count, "muted", wraps=True))
        for row in wanted[:_MOST_SHOWN]:
            self._add(row)
        if len(wanted) > _MOST_SHOWN:
            self._list.addWidget(plain_label(tr("… and {count} more.", count=len(wanted) - _MOST_SHOWN), "muted"))
        if had_rows:  # the buttons were rebuilt
            same = self.findChild(QPushButton, focused) if focused else None
            (same or self.close_button).setFocus()

    def _add(self, row: WaitingRow) -> None:
        self._list.addWidget(thin_line())
        self._list.addWidget(plain_label(row.thread_title, "strong", wraps=True))
        if row.question:
            self._list.addWidget(plain_label(row.question, "text", wraps=True))
        self._list.addWidget(plain_label(row.words, "muted", wraps=True))
        buttons = FlowRow(self.theme.tokens.space.s)
        about = f"“{row.question or row.thread_title}”"
        go = partial(self._open, row)
        buttons.addWidget(
            push_button(tr("Go to it"), f"waitingOpen-{row.message_id}", go, name=tr("Go to {about}", about=about))
        )
        if row.can_go_first:
            first = partial(self.firstRequested.emit, row.message_id)
            buttons.addWidget(
                push_button(
                    tr("Send first"),
                    f"waitingFirst-{row.message_id}",
                    first,
                    name=tr("Send first: {about}", about=about),
                    acts=True,
                )
            )
        cancel = partial(self.cancelRequested.emit, row.message_id)
        buttons.addWidget(
            push_button(
                tr("Cancel"),
                f"waitingCancel-{row.message_id}",
                cancel,
                name=tr("Cancel {about}", about=about),
                acts=True,
            )
        )
        self._list.addLayout(buttons)

    def _open(self, row: WaitingRow) -> None:
        self.accept()
        self.openRequested.emit(row.thread_id, row.message_id)


def _count(number: int) -> str:
    if not number:
        return tr("Nothing waits.")
    return shown(
        plural(
            "{count} messages wait. What is cancelled is not sent; the question is kept.",
            "{count} message waits. What is cancelled is not sent; the question is kept.",
            number,
        )
    )
