"""Lists messages in the trash: their text, their thread, and a way to restore them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QWidget

from chatdesk.core.domain.library import DeletedMessage
from chatdesk.core.moments import moment_text
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.local_forms import day_text, time_text
from chatdesk.ui.theme.theme import Theme

_SIZE_PX: Final = (560, 480)
_EMPTY_PX: Final = (440, 180)
_ID: Final = int(Qt.ItemDataRole.UserRole)


class DeletedMessagesDialog(FormPanel):
    """A dialog that lists deleted messages. ``restoreRequested`` carries the id of a message, ``threadRequested`` that
    of its thread; both close it."""

    restoreRequested = Signal(str)
    threadRequested = Signal(str)

    def __init__(self, theme: Theme, messages: Sequence[DeletedMessage], parent: QWidget | None = None) -> None:
        size_px = _SIZE_PX if messages else _EMPTY_PX
        super().__init__(
            theme, tr("Deleted messages"), object_name="deletedMessagesDialog", size_px=size_px, parent=parent
        )
        words = tr("Restored messages go back to their place.") if messages else tr("No message is in the trash.")
        self.setAccessibleDescription(words)
        self.list = named(QListWidget(), "deletedMessages", tr("Deleted messages"))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setWordWrap(True)
        self.list.setVisible(bool(messages))
        for message in messages:
            self.list.addItem(_item(message))
        self.restore_button = push_button(tr("Restore"), "restoreMessageButton", self._restore, acts=True)
        self.thread_button = push_button(tr("Show the thread"), "showThreadButton", self._show_thread)
        tokens = theme.tokens
        self.list.setStyleSheet(
            "#deletedMessages { background: transparent; border: none; outline: none; }"
            f"#deletedMessages::item {{ padding: {tokens.space.s - 2}px; border-radius: {tokens.radius.row}px;"
            " border: 2px solid transparent; }"
            f"#deletedMessages::item:selected {{ background: {tokens.selected}; color: {tokens.text}; }}"
            f"#deletedMessages::item:selected:focus {{ border: 2px solid {tokens.accent}; }}"
        )
        self.add_text(words)
        self.body.addWidget(self.list, 1)
        if not messages:
            self.body.addStretch(1)
        self.list.itemActivated.connect(lambda _item: self._restore())
        self.list.setCurrentRow(0)
        for button in (self.restore_button, self.thread_button):
            button.setEnabled(bool(messages))
            self.add_button(button, is_first=True)
        close = self.add_button(push_button(tr("Close"), "deletedMessagesClose", self.reject))
        (self.list if messages else close).setFocus()

    def _current(self) -> DeletedMessage | None:
        item = self.list.currentItem()
        message = None if item is None else item.data(_ID)
        return message if isinstance(message, DeletedMessage) else None

    def _restore(self) -> None:
        message = self._current()
        if message is not None:
            self.accept()
            self.restoreRequested.emit(message.message_id)

    def _show_thread(self) -> None:
        message = self._current()
        if message is not None:
            self.accept()
            self.threadRequested.emit(message.thread_id)


def _item(message: DeletedMessage) -> QListWidgetItem:
    where = _where(message, moment_text(message.deleted_at, _day_and_time))
    item = QListWidgetItem("\n".join((message.preview or tr("Without text"), where)))
    item.setData(_ID, message)
    return item


def _day_and_time(moment: datetime) -> str:
    return tr("{day} {time}", day=day_text(moment, is_short=True, with_year=False), time=time_text(moment))


def _where(message: DeletedMessage, when: str) -> str:
    title, more = message.thread_title, message.count - 1
    if more < 1:
        if message.is_question:
            return tr("Question in “{title}”, deleted {when}", title=title, when=when)
        return tr("Answer in “{title}”, deleted {when}", title=title, when=when)
    if message.is_question:
        return tr("Question and {more} more in “{title}”, deleted {when}", more=more, title=title, when=when)
    return tr("Answer and {more} more in “{title}”, deleted {when}", more=more, title=title, when=when)
