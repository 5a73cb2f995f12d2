"""What all dialogs are: a rounded card over a dimmed window, opened and never waited for, closed by Esc."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QLabel, QSizePolicy, QWidget

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FontRole
from chatdesk.ui.widgets.painting import paint_box

_SHADE_ALPHA = 0.35


class Panel(QDialog):
    """A window-modal dialog without a frame. ``top_px`` places it that far below the window's top; otherwise it is
    centred. Where the system cannot blend windows its corners are square, and nothing else changes."""

    def __init__(self, theme: Theme, title: str, *, parent: QWidget | None = None, top_px: int | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self._theme = theme
        self._top_px = top_px
        self._shade: _Shade | None = None
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.finished.connect(self._on_finished)

    @property
    def theme(self) -> Theme:
        return self._theme

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        parent = self.parentWidget()
        if parent is None:
            return
        window = parent.window()
        if self._shade is None:
            self._shade = _Shade(window, self._theme)
        left = (window.width() - self.width()) // 2
        top = self._top_px if self._top_px is not None else (window.height() - self.height()) // 2
        self.move(window.mapToGlobal(QPoint(left, max(0, top))))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        tokens = self._theme.tokens
        fill, line = self._theme.colour("card"), self._theme.colour("line")
        paint_box(painter, QRectF(self.rect()), tokens.radius.card, fill=fill, border=line)
        painter.end()

    def fit(self, width: int, height: int) -> None:
        """Wanted size at scale 1, bounded by the window's."""
        scale = max(1.0, self._theme.scale)
        width, height = round(width * scale), round(height * scale)
        parent = self.parentWidget()
        if parent is not None:
            window = parent.window()
            width, height = min(width, window.width() - 32), min(height, window.height() - 32)
        self.resize(max(240, width), max(120, height))

    def _on_finished(self) -> None:
        if self._shade is not None:
            self._shade.hide()
            self._shade.deleteLater()
            self._shade = None


class _Shade(QWidget):
    """Lies over the window while a dialog is open."""

    def __init__(self, window: QWidget, theme: Theme) -> None:
        super().__init__(window)
        self._theme = theme
        self.setObjectName("dialogShade")
        self.setGeometry(window.rect())
        self.show()
        self.raise_()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colour = QColor(self._theme.colour("shadow"))
        colour.setAlphaF(_SHADE_ALPHA)
        painter = QPainter(self)
        painter.fillRect(self.rect(), colour)
        painter.end()


def plain_label(text: str, role: FontRole, *, parent: QWidget | None = None, wraps: bool = False) -> QLabel:
    """A label that shows ``text`` as it stands."""
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("textRole", role)
    label.setWordWrap(wraps)
    label.setText(text)
    if wraps:
        label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.MinimumExpanding)
    return label
