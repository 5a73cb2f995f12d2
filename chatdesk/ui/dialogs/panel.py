"""Defines the base of all dialogs: a rounded card over a dimmed window, opened without blocking, closed by Esc."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QDialog,
    QFrame,
    QLabel,
    QLayout,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.texts import shown
from chatdesk.ui.qt.handing_over import handing_over
from chatdesk.ui.qt.mirroring import align_to_start
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FontRole
from chatdesk.ui.widgets.painting import paint_box
from chatdesk.ui.widgets.stray_keys import press_focused

_SHADE_ALPHA = 0.35
_MARGIN_PX = 32
_FORM_MARGINS_PX, _FORM_GAP_PX = (24, 24, 24, 24), 12
_ROUND_PX = 6  # above and below the scrolled content, so that it stays within the round corners
# Where a new window gets the keyboard some time after it is shown.
_LATE_PLATFORMS = ("xcb", "wayland", "wayland-egl", "offscreen")
_HANGS_ABOVE = 6  # this part of the window's height is left above a dialog that hangs from the top


class Panel(QDialog):
    """A window-modal dialog without a frame, moved by any empty place of it. ``top_px`` places it that far below the
    window's top; otherwise it is centred. It stays within the window when that becomes smaller."""

    ground = "card"  # the colour that it is painted on

    def __init__(self, theme: Theme, title: str, *, parent: QWidget | None = None, top_px: int | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self._theme = theme
        self._top_px = top_px
        self._shade: _Shade | None = None
        self._is_fitted = False  # fitted to the window behind, while shown
        self._width_px: int | None = None  # set for a panel whose text decides its height
        self._grip: QPoint | None = None  # the point where the mouse holds the panel
        self._is_dragged = False
        self._was_moved = False  # by the person: the panel keeps that place
        self.setWindowTitle(shown(title))
        self.setAccessibleName(shown(title))
        self.setWindowModality(Qt.WindowModality.WindowModal)
        round_corners(self, theme.tokens.radius.card)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.finished.connect(self._on_finished)

    @property
    def theme(self) -> Theme:
        return self._theme

    def open(self) -> None:
        """Show the dialog, which has every key from now on. Qt would throw away the keys that still come to a blocked
        window, so the window behind is not blocked: it is covered, its keys come here, and it does not close."""
        if QGuiApplication.platformName() in _LATE_PLATFORMS:
            self.setWindowModality(Qt.WindowModality.NonModal)
            self.show()
            self.setWindowModality(Qt.WindowModality.WindowModal)  # for screen readers; Qt blocks while showing only
        else:
            self.show()
        self.activateWindow()
        handing_over().opened(self)

    def dim(self) -> None:
        """Dim the window behind. Showing does it, too; done a turn of the loop before, the window and the dialog are
        not painted in the same turn."""
        parent = self.parentWidget()
        if self._shade is None and parent is not None:
            self._shade = _Shade(parent.window(), self._theme)

    def undim(self) -> None:
        if self._shade is not None:
            self._shade.hide()
            self._shade.deleteLater()
            self._shade = None

    def setVisible(self, visible: bool) -> None:
        """Place the dialog before the system makes its window: a manager of windows may put one that is moved between
        being made and being shown into the corner of the screen."""
        parent = self.parentWidget()
        if visible and parent is not None and not self.isVisible():
            self.resize(self.size().boundedTo(self._room(parent.window())))
            self._centre(parent.window())
        super().setVisible(visible)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refit()  # only now the words have their fonts
        parent = self.parentWidget()
        if parent is None:
            return
        window = parent.window()
        if not self._is_fitted:
            self._is_fitted = True
            window.installEventFilter(self)
            room = self._room(window)
            if self.minimumWidth() > room.width():
                self.setMinimumWidth(0)
                self.setMaximumWidth(room.width())
            self._scroll_if_too_large(room)
            self.resize(self.size().boundedTo(room))
        self.dim()
        self._centre(window)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the window below the dialog: resize the shade and the dialog with it, and pass activation and closing
        to the dialog first."""
        is_behind = event.type() is QEvent.Type.WindowActivate and watched is QApplication.activeWindow()
        if is_behind and handing_over().went_behind(self):
            self.activateWindow()
        if event.type() is QEvent.Type.Close and self.isVisible() and event.spontaneous():
            event.ignore()
            return True
        if event.type() is QEvent.Type.Resize and self._shade is not None and isinstance(watched, QWidget):
            self._shade.setGeometry(watched.rect())
            self.resize(self.size().boundedTo(self._room(watched)))
            self._centre(watched)
        return super().eventFilter(watched, event)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.WindowActivate:
            handing_over().activated(self)
        if event.type() is QEvent.Type.LayoutRequest:
            self.refit()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button that has the focus, whatever the default button is; held, it presses once."""
        is_held = event.isAutoRepeat() and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if not press_focused(self, event) and not is_held:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Hold the dialog by a press that no field or button accepts."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._grip = event.globalPosition().toPoint() - self.pos()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the dialog once the mouse is dragged: a system that is asked at a mere click may miss its end."""
        if self._grip is None:
            return
        moved = event.globalPosition().toPoint() - self._grip - self.pos()
        if not self._is_dragged and moved.manhattanLength() >= QApplication.startDragDistance():
            self._is_dragged = self._was_moved = True
            handle = self.windowHandle()
            if handle is not None and handle.startSystemMove():
                self._let_go()
                return
        if self._is_dragged:
            self.move(self.pos() + moved)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._let_go()

    def _let_go(self) -> None:
        self._grip, self._is_dragged = None, False

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        tokens = self._theme.tokens
        fill, line = self._theme.colour(self.ground), self._theme.colour("field_line")
        paint_box(painter, QRectF(self.rect()), tokens.radius.card, fill=fill, border=line)
        painter.end()

    def form_column(self) -> QVBoxLayout:
        """Lay the dialog out as a column with the margins and gaps that all forms have."""
        column = QVBoxLayout(self)
        column.setContentsMargins(*_FORM_MARGINS_PX)
        column.setSpacing(_FORM_GAP_PX)
        return column

    def fit(self, width: int, height: int) -> None:
        """Wanted size at scale 1, bounded by the window's."""
        scale = max(1.0, self._theme.scale)
        width, height = round(width * scale), round(height * scale)
        parent = self.parentWidget()
        if parent is not None:
            room = self._room(parent.window())
            width, height = min(width, room.width()), min(height, room.height())
        self.resize(max(240, width), max(120, height))

    def fit_height(self, width: int) -> None:
        """Set the width, given at scale 1, and make the dialog as high as its content needs at this width, now and
        whenever that changes."""
        self._width_px = width
        self.refit()

    def refit(self) -> None:
        """Make a dialog of a given width as high as its content needs, as far as the window has room."""
        layout, parent = self.layout(), self.parentWidget()
        if self._width_px is None or layout is None:
            return
        width = max(round(self._width_px * max(1.0, self._theme.scale)), layout.totalMinimumSize().width())
        room = None if parent is None else self._room(parent.window())
        self.setFixedWidth(width if room is None else min(width, room.width()))
        layout.activate()  # a scroll area knows its width only after this
        width = self.width()
        wraps = layout.hasHeightForWidth()
        height = layout.totalHeightForWidth(width) if wraps else layout.totalSizeHint().height()
        height = height if room is None else min(height, room.height())
        if height != self.height():
            self.resize(width, height)
            if parent is not None and self.isVisible() and not self._was_moved:
                self._centre(parent.window())

    def _scroll_if_too_large(self, room: QSize) -> None:
        """Make the contents scroll where the window has no room for all of them, as with large text."""
        layout = self.layout()
        if layout is None:
            return
        width = min(max(self.width(), layout.totalMinimumSize().width()), room.width())
        height = layout.totalMinimumHeightForWidth(width) if layout.hasHeightForWidth() else 0
        height = max(height, layout.totalMinimumSize().height())
        if layout.totalMinimumSize().width() <= room.width() and height <= room.height():
            return
        focus = self.focusWidget()
        content, scroll = QWidget(), QScrollArea()
        content.setLayout(layout)  # takes the layout's widgets over, too
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its children take the focus and scroll into view
        scroll.setWidgetResizable(True)
        scroll.setWidget(content)
        for ground in (content, scroll.viewport()):
            ground.setAutoFillBackground(False)
        around = QVBoxLayout(self)
        around.setContentsMargins(1, _ROUND_PX, 1, _ROUND_PX)
        around.addWidget(scroll)
        self.setMinimumSize(0, 0)
        self.setMaximumSize(room)
        self.resize(width, min(height + 2 * _ROUND_PX, room.height()))
        if focus is not None:
            focus.setFocus()

    def _top_in(self, window: QWidget) -> int:
        """Return where a dialog that hangs from the top begins: higher up in a low window."""
        return min(self._top_px or 0, window.height() // _HANGS_ABOVE)

    def _room(self, window: QWidget) -> QSize:
        """Return how large the dialog may be to stay within ``window``."""
        above = _MARGIN_PX if self._top_px is None else self._top_in(window) + _MARGIN_PX // 2
        return QSize(window.width() - _MARGIN_PX, window.height() - above)

    def _centre(self, window: QWidget) -> None:
        left = (window.width() - self.width()) // 2
        top = self._top_in(window) if self._top_px is not None else (window.height() - self.height()) // 2
        self.move(window.mapToGlobal(QPoint(left, max(0, top))))

    def _on_finished(self) -> None:
        handing_over().closed(self)
        parent = self.parentWidget()
        if parent is not None:
            parent.window().removeEventFilter(self)
        self._is_fitted = False
        self.undim()


class _Shade(QWidget):
    """The shade over the window while a dialog is open."""

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


def plain_label(text: str, role: FontRole, *, name: str = "", wraps: bool = False) -> QLabel:
    """Return a label that shows ``text`` as it is; ``name`` is its object name."""
    label = QLabel()
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    align_to_start(label)
    label.setProperty("textRole", role)
    label.setWordWrap(wraps)
    label.setText(shown(text))
    if wraps:
        label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.MinimumExpanding)
    return label


def thin_line() -> QFrame:
    """Return a thin line between rows; the style sheet of the dialog colours it."""
    line = QFrame()
    line.setObjectName("settingsLine")
    line.setFixedHeight(1)
    return line


def clear_layout(layout: QLayout) -> None:
    """Delete all widgets of a layout."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
        elif inner is not None:
            clear_layout(inner)


def pad_spin_box(box: QAbstractSpinBox, theme: Theme) -> None:
    """Keep the text of a spin box away from its border: no padding of a stylesheet reaches the line in it."""
    side = theme.tokens.space.s
    box.lineEdit().setTextMargins(side, 0, side, 0)
