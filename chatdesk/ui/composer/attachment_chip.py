"""Draws the chip of one attached file above the text: picture or icon, name, size, progress of the copy, and a button
to remove it. A note below the chips names files that are not sent unchanged."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QMimeDatabase, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QPushButton, QWidget

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX
from chatdesk.ui.widgets.buttons import IconButton
from chatdesk.ui.widgets.elided_label import ElidedLabel, set_plain_tooltip
from chatdesk.ui.widgets.layouts import bare_row
from chatdesk.ui.widgets.painting import draw_line, mirrored, paint_box
from chatdesk.ui.widgets.words import size_text, with_commas

CHIP_WIDTH_PX, CHIP_HEIGHT_PX = 226, 48
THUMBNAIL_PX = 36
_PROGRESS_PX = 3
_SHARPEST = 2.0
_BY_NAME = QMimeDatabase.MatchMode.MatchExtension
_STEPS: dict[int, int] = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}
_NOTE_GAP_PX = 10

# The action that a button sends with ``actionRequested``, and its label.
NoteAction = tuple[str, str]


class AttachmentChip(QWidget):
    """A chip for one attached file. ``key`` names it in its row; without an attachment the file is still being
    copied."""

    removeRequested = Signal(str)
    stepRequested = Signal(str, int)

    def __init__(self, theme: Theme, key: str, name: str, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.key = key
        self.name = name
        self.attachment: Attachment | None = None
        self._fraction = 0.0
        self._figures = ""  # while it is copied
        self._is_image = QMimeDatabase().mimeTypeForFile(name, _BY_NAME).name().startswith("image/")
        self._thumbnail: QPixmap | None = None
        self.setObjectName("attachmentChip")
        self.remove_button = _RemoveButton(theme, self)
        self.remove_button.clicked.connect(lambda: self.removeRequested.emit(self.key))
        self.remove_button.stepPressed.connect(lambda step: self.stepRequested.emit(self.key, step))
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._update_names()

    def set_progress(self, copied_bytes: int, size_bytes: int) -> None:
        """Show how much of the file is copied."""
        self._fraction = min(max(copied_bytes / max(size_bytes, 1), 0.0), 1.0)
        self._figures = size_text(size_bytes)
        self.update()

    def show_image(self, image: QImage) -> None:
        """Show a picture that is at hand before its file is."""
        self._figures = f"{image.width()} × {image.height()}"
        # Sharp also on another screen, where the window may go.
        side = round(THUMBNAIL_PX * self._theme.scale * max(_SHARPEST, self.devicePixelRatioF()))
        size = image.size().scaled(side, side, Qt.AspectRatioMode.KeepAspectRatioByExpanding)
        self.set_thumbnail(image.scaled(size))

    def set_attachment(self, attachment: Attachment) -> None:
        self.attachment = attachment
        self.name = attachment.name
        self._update_names()
        self.update()

    def set_thumbnail(self, image: QImage) -> None:
        self._thumbnail = QPixmap.fromImage(image)
        self.update()

    def sizeHint(self) -> QSize:
        scale = self._theme.scale
        return QSize(round(CHIP_WIDTH_PX * scale), round(CHIP_HEIGHT_PX * scale))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        side = self.remove_button.sizeHint()
        area = QRectF(self.width() - side.width() - 6, (self.height() - side.height()) / 2, side.width(), side.height())
        self.remove_button.setGeometry(mirrored(area, QRectF(self.rect()), self.layoutDirection()).toRect())

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, painter = self._theme, QPainter(self)
        whole = QRectF(self.rect())
        radius = theme.tokens.radius.row
        paint_box(painter, whole, radius, fill=theme.colour("surface"), border=theme.colour("line"))
        side = THUMBNAIL_PX * theme.scale
        picture = QRectF(6, (whole.height() - side) / 2, side, side)
        self._paint_picture(painter, mirrored(picture, whole, self.layoutDirection()))
        right = self.width() - self.remove_button.width() - 10
        words = mirrored(
            QRectF(picture.right() + 8, 5, right - picture.right() - 8, whole.height() - 10),
            whole,
            self.layoutDirection(),
        )
        self._paint_words(painter, words)
        if self.attachment is None:
            track = QRectF(words.left(), words.bottom() - _PROGRESS_PX, words.width(), _PROGRESS_PX)
            paint_box(painter, track, _PROGRESS_PX / 2, fill=theme.colour("line"))
            done = QRectF(track.left(), track.top(), track.width() * self._fraction, _PROGRESS_PX)
            paint_box(
                painter, mirrored(done, track, self.layoutDirection()), _PROGRESS_PX / 2, fill=theme.colour("accent")
            )

    def _paint_picture(self, painter: QPainter, area: QRectF) -> None:
        theme = self._theme
        if self._thumbnail is None:
            paint_box(painter, area, theme.tokens.radius.inline_code, fill=theme.colour("hover"))
            side = ICON_PX * theme.scale
            icon = QRectF(area.center().x() - side / 2, area.center().y() - side / 2, side, side)
            is_image = self.attachment.is_image if self.attachment is not None else self._is_image
            paint_icon(painter, icon, "image" if is_image else "file-text", theme.colour("muted"))
            return
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        frame = QPainterPath()
        frame.addRoundedRect(area, theme.tokens.radius.inline_code, theme.tokens.radius.inline_code)
        painter.setClipPath(frame)
        size = self._thumbnail.size().scaled(area.size().toSize(), Qt.AspectRatioMode.KeepAspectRatioByExpanding)
        corner = area.center() - QPointF(size.width() / 2, size.height() / 2)
        painter.drawPixmap(QRectF(corner, size), self._thumbnail, QRectF(self._thumbnail.rect()))
        painter.restore()

    def _paint_words(self, painter: QPainter, area: QRectF) -> None:
        theme = self._theme
        direction = self.layoutDirection()
        half = area.height() / 2
        painter.setFont(theme.font("table"))
        painter.setPen(theme.colour("text"))
        name = painter.fontMetrics().elidedText(self.name, Qt.TextElideMode.ElideMiddle, int(area.width()))
        upper = QRectF(area.left(), area.top(), area.width(), half)
        draw_line(painter, upper, name, direction)
        figures = size_text(self.attachment.size_bytes) if self.attachment is not None else self._figures
        painter.setFont(theme.font("muted"))
        painter.setPen(theme.colour("muted"))
        above_bar = half - (_PROGRESS_PX if self.attachment is None else 0)
        lower = QRectF(area.left(), area.top() + half, area.width(), above_bar)
        draw_line(painter, lower, figures, direction)

    def _update_names(self) -> None:
        attachment = self.attachment
        said = (
            with_commas((self.name, size_text(attachment.size_bytes)))
            if attachment
            else tr("{name}, being copied", name=self.name)
        )
        self.setAccessibleName(said)
        set_plain_tooltip(self, said)
        self.remove_button.set_name(tr("Remove {file}", file=said), tooltip=tr("Remove (Delete)"))

    def _on_theme_changed(self) -> None:
        self.resize(self.sizeHint())
        self.update()


class _RemoveButton(IconButton):
    """Also pressed by Delete and Backspace; the arrows go to the next one."""

    stepPressed = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, "x", name=tr("Remove"), object_name="removeAttachment", parent=parent)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        step = _STEPS.get(key)
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.click()
        elif step is not None:
            is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
            is_sideways = key in (Qt.Key.Key_Left, Qt.Key.Key_Right)
            self.stepPressed.emit(-step if is_mirrored and is_sideways else step)
        else:
            super().keyPressEvent(event)


class AttachmentNote(QWidget):
    """A sentence in one line, and links behind it; hidden without a sentence."""

    actionRequested = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._actions: tuple[NoteAction, ...] = ()
        self._label = ElidedLabel(theme, role="muted")
        self._label.setObjectName("attachmentNote")
        self._row = bare_row(self, spacing_px=_NOTE_GAP_PX)
        self._row.addWidget(self._label)
        self._row.addStretch(1)
        self._buttons: list[QPushButton] = []
        self.hide()

    def text(self) -> str:
        return self._label.text()

    def show_note(self, text: str, actions: Sequence[NoteAction]) -> bool:
        """Show this note and return whether it differs from the one before."""
        if text == self._label.text() and tuple(actions) == self._actions:
            return False
        self._actions = tuple(actions)
        self._label.setText(text)
        had_focus = any(button.hasFocus() for button in self._buttons)
        for button in self._buttons:
            button.hide()
            button.deleteLater()
        self._buttons = [self._button(*each) for each in actions]
        for place, button in enumerate(self._buttons):
            self._row.insertWidget(place + 1, button)
            button.show()  # at once, for the height
        if had_focus and self._buttons:
            self._buttons[0].setFocus()
        self.setVisible(bool(text))
        return True

    def _button(self, name: str, words: str) -> QPushButton:
        button = named(QPushButton(words.replace("&", "&&")), f"attachmentNote_{name}", words)
        button.setAccessibleDescription(self.text())
        button.setProperty("isLink", True)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: self.actionRequested.emit(name))
        return button
