"""Manages the files of the message being written: the row that shows them, and sending once they are copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.composer.composer_notice import ComposerNotice
from chatdesk.ui.composer.text_editor import TextEditor
from chatdesk.ui.theme.theme import Theme

if TYPE_CHECKING:  # keeps the first paint fast
    from chatdesk.core.domain.attachment import Attachment
    from chatdesk.ui.composer.attachments import AttachmentChips


class ComposerFiles(QObject):
    """The files of the message that is being written. ``chipsMade`` carries the row of attachments, which is created
    when it is first needed. ``changed``: a file came or went. ``ready`` is called when the files of a message that was
    held back are there."""

    chipsMade = Signal(object)
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
        self._chips: AttachmentChips | None = None
        self._to_send = 0  # files that the message being sent still waits for

    @property
    def attached(self) -> tuple[Attachment, ...]:
        """The attachments that go with the text, without those that are still being copied."""
        return () if self._chips is None else self._chips.attached

    @property
    def count(self) -> int:
        """The number of attachments, with those that are still being copied."""
        return 0 if self._chips is None else self._chips.count

    @property
    def is_copying(self) -> bool:
        return self._chips is not None and self._chips.is_copying

    @property
    def height_px(self) -> int:
        """The height of the row; 0 while nothing is attached."""
        return self._chips.minimumHeight() if self._chips is not None and self._chips.count else 0

    def set_attached(self, attachments: Sequence[Attachment]) -> None:
        """Replace all attachments."""
        self._to_send = 0
        if attachments or self._chips is not None:
            self.chips.show_attached(attachments)

    @property
    def chips(self) -> AttachmentChips:
        """The row of attachments, created when it is first needed."""
        if self._chips is None:
            from chatdesk.ui.composer.attachments import AttachmentChips  # after the first paint

            composer, editor = self._composer, self._editor
            self._chips = AttachmentChips(self._theme, composer)
            self._chips.changed.connect(self._on_chips_changed)
            self._chips.heightChanged.connect(self._fit_height)
            self._chips.left.connect(lambda: editor.setFocus(Qt.FocusReason.OtherFocusReason))
            self._chips.hide()
            column = composer.layout()
            assert isinstance(column, QVBoxLayout)
            column.insertWidget(0, self._chips)
            QWidget.setTabOrder(self._chips, editor)
            self.chipsMade.emit(self._chips)
        return self._chips

    def hold_back(self) -> None:
        """Call ``ready`` once all files are copied, unless one is missing then or a note about them is shown."""
        self._to_send = self.count
        self._notice.show_passing(tr("The files are still being copied. The message is sent when they are there."))

    def forget_held_back(self) -> None:
        """Cancel sending once the files are copied: the person sends by hand again."""
        self._to_send = 0

    def _on_chips_changed(self) -> None:
        assert self._chips is not None
        self._chips.setVisible(self._chips.count > 0)
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
        if self._chips is not None and self._chips.note_text():
            self._notice.show_passing(tr("Not sent yet: see the note above your text, then send again."))
        else:
            self._ready()
