"""Shows the attachments of the message being written: a row of chips above its text, and a note below them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.composer.attachment_chip import AttachmentChip, AttachmentNote, NoteAction
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.layouts import bare_column

_GAP_PX = 8
_MOST_ROWS = 2  # more of them scroll


class AttachmentChips(QWidget):
    """The row of attached files above the text. ``changed``: the files, or whether one is being copied; ``left``: the
    focus has to go elsewhere. ``thumbnailWanted`` carries the attachment, ``noteActionRequested`` the name of a link
    behind the note."""

    changed = Signal()
    noteActionRequested = Signal(str)
    removed = Signal(str)  # the key of a file that was being copied
    thumbnailWanted = Signal(object)
    left = Signal()
    heightChanged = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._chips: list[AttachmentChip] = []
        self._count = 0
        self.setObjectName("attachments")
        self.setAccessibleName(tr("Attached files"))
        self._row = QWidget()
        self._area = QScrollArea()
        self._area.setObjectName("attachmentArea")
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.viewport().setAutoFillBackground(False)
        self._area.setWidget(self._row)
        self._row.setAutoFillBackground(False)  # ``setWidget`` has turned it on
        self._note = AttachmentNote(theme)
        self._note.actionRequested.connect(self.noteActionRequested)
        column = bare_column(self, spacing_px=4)
        column.addWidget(self._area)
        column.addWidget(self._note)
        theme.changed.connect(self._arrange)

    @property
    def attached(self) -> tuple[Attachment, ...]:
        return tuple(chip.attachment for chip in self._chips if chip.attachment is not None)

    @property
    def is_copying(self) -> bool:
        return any(chip.attachment is None for chip in self._chips)

    @property
    def count(self) -> int:
        """The number of files, with those that are still being copied."""
        return len(self._chips)

    def show_attached(self, attachments: Sequence[Attachment]) -> None:
        """Show these attachments in place of all that were shown."""
        if not self._chips and not attachments:
            return
        for chip in self._chips:
            chip.hide()
            chip.deleteLater()
        self._chips = []
        for attachment in attachments:
            self._add(attachment.name).set_attachment(attachment)
        self._apply_change()
        for chip in self._chips:
            self._ask_for_thumbnail(chip)

    def add(self, name: str, image: QImage | None = None) -> str:
        """Add a chip for a file that is being copied, or made from ``image``; return its key."""
        chip = self._add(name)
        if image is not None:
            chip.show_image(image)
        self._apply_change()
        return chip.key

    def set_progress(self, key: str, copied_bytes: int, size_bytes: int) -> None:
        chip = self._chip(key)
        if chip is not None:
            chip.set_progress(copied_bytes, size_bytes)

    def finish(self, key: str, attachment: Attachment | None) -> None:
        """End the copy of a file: show its attachment, or remove its chip if that is None."""
        chip = self._chip(key)
        if attachment is None:
            if chip is not None:
                self._drop(chip)
            return
        if any(each.attachment == attachment for each in self._chips):  # the same file again
            if chip is not None:
                self._drop(chip)
            return
        chip = chip or self._add(attachment.name)
        chip.set_attachment(attachment)
        self._apply_change()
        self._ask_for_thumbnail(chip)
        announce(self, tr("{name} is attached", name=attachment.name))

    def replace(self, attachment: Attachment, other: Attachment) -> None:
        """Put another file in the place of one that is attached."""
        for chip in self._chips:
            if chip.attachment == attachment:
                chip.set_attachment(other)
                self._apply_change()

    def set_thumbnail(self, sha256: str, image: QImage) -> None:
        for chip in self._chips:
            if chip.attachment is not None and chip.attachment.sha256 == sha256:
                chip.set_thumbnail(image)

    def set_note(self, text: str, actions: Sequence[NoteAction] = ()) -> None:
        """Show a sentence about the attachments, such as that the model cannot see them, with buttons that act on
        it."""
        if self._note.show_note(text, actions):
            self._arrange()
            announce(self, text)

    def note_text(self) -> str:
        return self._note.text()

    def sizeHint(self) -> QSize:
        return QSize(self.width(), self._height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _add(self, name: str) -> AttachmentChip:
        self._count += 1
        chip = AttachmentChip(self._theme, str(self._count), name, parent=self._row)
        chip.removeRequested.connect(self._on_chip_remove_requested)
        chip.stepRequested.connect(self._step)
        self._chips.append(chip)
        return chip

    def _chip(self, key: str) -> AttachmentChip | None:
        return next((chip for chip in self._chips if chip.key == key), None)

    def _drop(self, chip: AttachmentChip) -> None:
        """Remove a chip and move the focus to the next one, or out of the row."""
        place = self._chips.index(chip)
        had_focus = chip.remove_button.hasFocus()
        self._chips.remove(chip)
        if had_focus and self._chips:
            self._chips[min(place, len(self._chips) - 1)].remove_button.setFocus(Qt.FocusReason.OtherFocusReason)
        elif had_focus:
            self.left.emit()
        chip.hide()
        chip.deleteLater()
        self._apply_change()

    def _on_chip_remove_requested(self, key: str) -> None:
        chip = self._chip(key)
        if chip is not None:
            was_copying = chip.attachment is None
            announce(self, tr("{name} is removed", name=chip.name))
            self._drop(chip)
            if was_copying:
                self.removed.emit(key)

    def _step(self, key: str, step: int) -> None:
        places = [chip.key for chip in self._chips]
        there = places.index(key) + step
        if 0 <= there < len(places):
            button = self._chips[there].remove_button
            button.setFocus(Qt.FocusReason.TabFocusReason)
            self._area.ensureWidgetVisible(button)

    def _ask_for_thumbnail(self, chip: AttachmentChip) -> None:
        if chip.attachment is not None and chip.attachment.is_image:
            self.thumbnailWanted.emit(chip.attachment)

    def _apply_change(self) -> None:
        self._arrange()
        self.changed.emit()

    def _arrange(self) -> None:
        """Place the chips in rows, as many in each as fit."""
        for place, chip in enumerate(self._chips):
            size = chip.sizeHint()
            columns = self._columns(size)
            x = (place % columns) * (size.width() + _GAP_PX)
            if self.layoutDirection() is Qt.LayoutDirection.RightToLeft:
                x = self.width() - x - size.width()
            chip.setGeometry(
                x, place // columns * (size.height() + _GAP_PX), min(size.width(), self.width()), size.height()
            )
            chip.show()
        rows_px = self._rows_px(self._rows())
        self._row.resize(max(self.width(), 1), max(rows_px, 1))
        self._area.setFixedHeight(self._rows_px(min(self._rows(), _MOST_ROWS)))
        if self.maximumHeight() != self._height() or self.minimumHeight() != self._height():
            self.setFixedHeight(self._height())
            self.heightChanged.emit()

    def _columns(self, size: QSize) -> int:
        return max(1, (self.width() + _GAP_PX) // (size.width() + _GAP_PX))

    def _rows(self) -> int:
        return -(-len(self._chips) // self._columns(self._chips[0].sizeHint())) if self._chips else 0

    def _rows_px(self, rows: int) -> int:
        return rows * (self._chips[0].sizeHint().height() + _GAP_PX) - _GAP_PX if rows else 0

    def _height(self) -> int:
        note = self._note.sizeHint().height() + 4 if self._note.text() else 0
        return self._rows_px(min(self._rows(), _MOST_ROWS)) + note
