"""The popover that explains the context meter, below it; gone with Esc or a click elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QLabel, QVBoxLayout, QWidget

from chatdesk.core.texts import shown, tr
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.widgets.focus_ring import reason_of_press
from chatdesk.ui.widgets.painting import paint_box
from chatdesk.ui.widgets.stray_keys import press_focused

_WIDTH_PX = 280


class ContextPopover(QFrame):
    moreRequested = Signal(object)  # Qt.FocusReason: how it was pressed

    def __init__(self, theme: Theme, sentences: Sequence[str], *, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self._theme = theme
        self.setObjectName("contextPopover")
        self.setAccessibleName(tr("Context of this thread"))
        self.setAccessibleDescription(" ".join(map(shown, sentences)))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        round_corners(self, theme.tokens.radius.row)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        for text, role in ((tr("How full the context is"), "strong"), *((sentence, "table") for sentence in sentences)):
            label = QLabel(shown(text))
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setProperty("textRole", role)
            label.setWordWrap(True)
            column.addWidget(label)
        self.more_button = PillButton(theme, tr("Show what is sent"), object_name="contextMoreButton")
        self.more_button.clicked.connect(self._on_more_button_clicked)
        column.addWidget(self.more_button)
        self.setFixedWidth(round(_WIDTH_PX * max(1.0, theme.scale)))

    def open_below(self, widget: QAbstractButton) -> None:
        reason = reason_of_press(widget)
        self.adjustSize()
        right = widget.mapToGlobal(QPoint(widget.width(), widget.height() + 6))
        left = max(widget.window().mapToGlobal(QPoint(4, 0)).x(), right.x() - self.width())
        self.move(left, right.y())
        self.show()
        self.more_button.setFocus(reason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button, as in dialogs."""
        if not press_focused(self, event):
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = self._theme
        fill, line = theme.colour("floating"), theme.colour("field_line")
        paint_box(painter, QRectF(self.rect()), theme.tokens.radius.row, fill=fill, border=line)
        painter.end()

    def _on_more_button_clicked(self) -> None:
        flag = Qt.FocusReason
        reason = flag.ShortcutFocusReason if self.more_button.shows_ring else flag.MouseFocusReason
        self.close()
        self.moreRequested.emit(reason)
