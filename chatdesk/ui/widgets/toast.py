"""Shows a short message over the window's lower edge that disappears by itself, with one action such as *Undo*."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent, QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from chatdesk.core.texts import shown
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.qt.mirroring import set_margins
from chatdesk.ui.qt.unread_guard import UnreadGuard
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.painting import paint_box, paint_floating

TOAST_MS, TOAST_WITH_BUTTON_MS = 4000, 8000
_LETTER_MS = 60  # per character of a long message: a failure may take three sentences
_MAX_WIDTH_PX = 480
_SHADOW_PX = 6
_WORDS_PX, _BUTTON_PX = 16, 7  # around words, around a button


class Toast(QWidget):
    """A toast over ``parent``, whose size it follows. Time stands still while the pointer or the focus is on it,
    and while its window is hidden."""

    actionTriggered = Signal()
    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._bottom_px = 24
        self.setObjectName("toast")
        self._label = QLabel()
        self._label.setObjectName("toastText")
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setProperty("textRole", "table")
        self._action = QPushButton()
        self._action.setObjectName("toastAction")
        self._action.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._action.clicked.connect(self._on_action_clicked)
        self._action.installEventFilter(self)
        self._guard = UnreadGuard([self._action], self)
        self._row = row = QHBoxLayout(self)
        row.setSpacing(12)
        row.addWidget(self._label, 1)
        row.addWidget(self._action)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.dismiss)
        self.setVisible(False)
        parent.installEventFilter(self)
        theme.changed.connect(self._place)

    @property
    def text(self) -> str:
        return self._label.text()

    @property
    def is_unread(self) -> bool:
        """Return whether the message is there too short to be read."""
        return self._guard.is_unread

    def set_bottom(self, bottom_px: int) -> None:
        """Set the distance of its edge, without the shadow, from the parent's, so that it never covers the composer."""
        self._bottom_px = bottom_px - _SHADOW_PX
        self._place()

    def show_message(self, text: str, *, action_text: str | None = None, timeout_ms: int | None = None) -> None:
        """Show a message in place of the one before it; that one counts as closed. A long one stays longer."""
        if self.isVisible():
            self.closed.emit()
        self._guard.restart()
        text, action = shown(text), shown(action_text or "")
        self._label.setText(text)
        self.setAccessibleName(text)
        self._action.setText(action.replace("&", "&&"))
        self._action.setAccessibleName(action)
        self._action.setVisible(action_text is not None)
        end_px = _WORDS_PX if action_text is None else _BUTTON_PX
        set_margins(self._row, *(each + _SHADOW_PX for each in (_WORDS_PX, _BUTTON_PX, end_px, _BUTTON_PX)))
        self.setVisible(True)
        self.raise_()
        self._place()
        if self.isVisible():
            self._timer.start(self._time_ms if timeout_ms is None else timeout_ms)
        announce(self, text)

    def dismiss(self) -> None:
        self._timer.stop()
        if not self.isHidden():
            self.setVisible(False)
            self.closed.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._start_again()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._start_again()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.parent() and event.type() is QEvent.Type.Resize:
            self._place()
        elif watched is self._action and event.type() is QEvent.Type.FocusIn:
            self._timer.stop()
        elif watched is self._action and event.type() is QEvent.Type.FocusOut:
            self._start_again()
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        radius = theme.tokens.radius.code
        shade = theme.colour("shadow")
        body = QRectF(self.rect()).adjusted(_SHADOW_PX, _SHADOW_PX, -_SHADOW_PX, -_SHADOW_PX)
        for spread in range(_SHADOW_PX, 0, -1):
            shade.setAlphaF(0.018)
            paint_box(painter, body.adjusted(-spread, -spread + 2, spread, spread), radius + spread, fill=shade)
        paint_floating(painter, body, radius, theme)

    def _on_action_clicked(self) -> None:
        self.dismiss()
        self.actionTriggered.emit()

    def _start_again(self) -> None:
        if self.isVisible() and not self.underMouse() and not self._action.hasFocus():
            self._timer.start(self._time_ms)

    @property
    def _time_ms(self) -> int:
        least_ms = TOAST_MS if self._action.isHidden() else TOAST_WITH_BUTTON_MS
        return max(least_ms, _LETTER_MS * len(self._label.text()))

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is None or not self.isVisible():
            return
        room = min(parent.width() - 24, round(_MAX_WIDTH_PX * max(1.0, self._theme.scale)))
        self._label.setWordWrap(False)
        layout = self.layout()
        assert layout is not None
        layout.invalidate()
        wanted = layout.sizeHint().width()
        self._label.setWordWrap(wanted > room)
        layout.invalidate()
        width = min(wanted, room)
        height = layout.heightForWidth(width) if layout.hasHeightForWidth() else layout.sizeHint().height()
        left = (parent.width() - width) // 2
        self.setGeometry(left, parent.height() - self._bottom_px - height, width, height)
