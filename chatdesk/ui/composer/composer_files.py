"""The files that go with what is written: the row that shows them, and a message that waits until they are copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.composer.composer_notice import ComposerNotice
from chatdesk.ui.composer.text_editor import TextEditor
from chatdesk.ui.theme.theme import Theme

if TYPE_CHECKING:
    from chatdesk.core.domain.attachment import Attachment
    from chatdesk.ui.composer.attachments import AttachmentShelf


class ComposerFiles(QObject):
    """The files of the message that is being written. ``shelfMade`` carries the row of attachments, which is created
    when it is first needed. ``changed``: a file came or went. ``ready`` is called when the files of a message that was
    held back are there."""

    shelfMade = Signal(object)
    changed = Signal()

    def __init__(
        self,
        composer: QWidget,
        editor: TextEditor,
        notice: ComposerNotice,
        theme: Theme,
        *,
        fit_height: Callable[[], None],
        ready: Callable[[], None],
    ) -> None:
        super().__init__(composer)
        self._composer = composer
        self._editor = editor
        self._notice = notice
        self._theme = theme
        self._fit_height = fit_height
        self._ready = ready
        self._shelf: AttachmentShelf | None = None
        self._to_send = 0  # with a message that waits for them

    @property
    def attached(self) -> tuple[Attachment, ...]:
        """The attachments that go with the text, without those that are still being copied."""
        return () if self._shelf is None else self._shelf.attached

    @property
    def count(self) -> int:
        """The number of attachments, with those that are still being copied."""
        return 0 if self._shelf is None else self._shelf.count

    @property
    def is_copying(self) -> bool:
        return self._shelf is not None and self._shelf.is_copying

    @property
    def height_px(self) -> int:
        """The height of the row; 0 while nothing is attached."""
        return self._shelf.minimumHeight() if self._shelf is not None and self._shelf.count else 0

    def set_attached(self, attachments: Sequence[Attachment]) -> None:
        """Replace all attachments."""
        self._to_send = 0
        if attachments or self._shelf is not None:
            self.shelf.show_attached(attachments)

    @property
    def shelf(self) -> AttachmentShelf:
        """The row of attachments, created when it is first needed."""
        if self._shelf is None:
            from chatdesk.ui.composer.attachments import AttachmentShelf

            composer, editor = self._composer, self._editor
            self._shelf = AttachmentShelf(self._theme, composer)
            self._shelf.changed.connect(self._on_shelf_changed)
            self._shelf.heightChanged.connect(self._fit_height)
            self._shelf.left.connect(lambda: editor.setFocus(Qt.FocusReason.OtherFocusReason))
            self._shelf.hide()
            column = composer.layout()
            assert isinstance(column, QVBoxLayout)
            column.insertWidget(0, self._shelf)
            QWidget.setTabOrder(self._shelf, editor)
            self.shelfMade.emit(self._shelf)
        return self._shelf

    def hold_back(self) -> None:
        """Call ``ready`` once all files are copied, unless one is missing then or there is something to say of them."""
        self._to_send = self.count
        self._notice.show_passing(tr("The files are still being copied. The message is sent when they are there."))

    def forget_held_back(self) -> None:
        """Send by hand again what is still being written."""
        self._to_send = 0

    def _on_shelf_changed(self) -> None:
        assert self._shelf is not None
        self._shelf.setVisible(self._shelf.count > 0)
        self._fit_height()
        self.changed.emit()
        # Whoever describes the files begins with it in answer to the same signal.
        QTimer.singleShot(0, self._send_held_back)

    def _send_held_back(self) -> None:
        wanted = self._to_send
        if not wanted or self.is_copying:
            return
        self._to_send = 0
        if self.count < wanted:  # one could not be copied, or was taken away: it would be missed
            return
        if self._shelf is not None and self._shelf.note():
            self._notice.show_passing(tr("Not sent yet: see the note above your text, then send again."))
        else:
            self._ready()
