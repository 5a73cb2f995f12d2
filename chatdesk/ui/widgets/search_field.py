"""Implements a search field: a glass, the text, and at rest the shortcut that leads to it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX
from chatdesk.ui.widgets.buttons import IconButton
from chatdesk.ui.widgets.painting import paint_box

_HEIGHT_PX = 34
_PADDING_PX = 11


class SearchField(QLineEdit):
    """Esc empties it. ``hint`` is a key sequence in portable form, such as "Ctrl+K"."""

    def __init__(
        self, theme: Theme, *, object_name: str, placeholder: str, hint: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.hint = _key_cap(QKeySequence(hint).toString(QKeySequence.SequenceFormat.NativeText))
        self.setObjectName(object_name)
        self.setProperty("isSearch", True)
        self.setAccessibleName(placeholder)
        self.setPlaceholderText(placeholder)
        self._clear = IconButton(
            theme, "x", name=tr("Clear the search"), object_name=f"{object_name}Clear", parent=self
        )
        self._clear.setVisible(False)
        self._clear.clicked.connect(self.clear)
        self.textChanged.connect(self._on_text_changed)
        self.installEventFilter(self)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def set_hint(self, keys: str) -> None:
        """Set the keys shown in the field, as this system writes them; empty for none."""
        self.hint = _key_cap(keys)
        self._on_theme_changed()

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._theme.target_px(_HEIGHT_PX))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Only a field with text takes Esc from the window.
        is_override = event.type() is QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape and self.text():
            event.accept()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.LayoutDirectionChange:
            self._on_theme_changed()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_clear()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        theme = self._theme
        painter = QPainter(self)
        side = ICON_PX * max(1.0, theme.scale)
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = self.width() - _PADDING_PX - side if is_mirrored else _PADDING_PX
        paint_icon(painter, QRectF(left, (self.height() - side) / 2, side, side), "search", theme.colour("muted"))
        if self.hint and not self.text() and not self.hasFocus():
            self._paint_hint(painter, is_mirrored)

    def _paint_hint(self, painter: QPainter, is_mirrored: bool) -> None:
        theme = self._theme
        font = theme.font("group")
        font.setWeight(font.Weight.Normal)
        painter.setFont(font)
        metrics = painter.fontMetrics()
        width, height = metrics.horizontalAdvance(self.hint) + 12, metrics.height() + 3
        left = _PADDING_PX if is_mirrored else self.width() - _PADDING_PX - width
        area = QRectF(left, (self.height() - height) / 2, width, height)
        radius = theme.tokens.radius.inline_code
        paint_box(painter, area, radius, fill=theme.colour("surface"), border=theme.colour("line"))
        painter.setPen(theme.colour("muted"))
        painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter), self.hint)

    def _on_text_changed(self, text: str) -> None:
        self._clear.setVisible(bool(text))
        self._place_clear()

    def _place_clear(self) -> None:
        size = self._clear.sizeHint()
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = 3 if is_mirrored else self.width() - size.width() - 3
        self._clear.setGeometry(left, (self.height() - size.height()) // 2, size.width(), size.height())

    def _on_theme_changed(self) -> None:
        side = round(ICON_PX * max(1.0, self._theme.scale))
        start, end = side + _PADDING_PX - 1, self._clear.sizeHint().width() - 4
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        if is_mirrored and self.hint:  # words from left to right begin beside the hint here
            hint = QFontMetrics(self._theme.font("group")).horizontalAdvance(self.hint)
            end = max(end, hint + 12 + _PADDING_PX)
        self.setTextMargins(end if is_mirrored else start, 0, start if is_mirrored else end, 0)
        self.setFixedHeight(self.sizeHint().height())
        self.update()


def _key_cap(keys: str) -> str:
    """Written "Ctrl K" as on a key cap; macOS has its own signs."""
    return keys.replace("+", " ")
