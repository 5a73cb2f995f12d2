"""Shows a notice that stays above the transcript until it is closed or no longer true."""

from __future__ import annotations

from typing import Final, Literal

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QSizePolicy, QWidget

from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.qt.unread_guard import UnreadGuard
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX
from chatdesk.ui.widgets.buttons import IconButton
from chatdesk.ui.widgets.layouts import bare_row
from chatdesk.ui.widgets.painting import paint_box

BannerKind = Literal["warning", "danger", "info"]

_SIGNS: Final = {"warning": "triangle-alert", "danger": "circle-alert", "info": "info"}
_PADDING_PX = 12
_WORDS_LETTERS = 24  # the words are beside the button when they have room for so many in a line


class Banner(QWidget):
    """Hidden until ``show_message``. ``actionTriggered`` and ``otherTriggered`` come from its buttons, ``closed`` from
    its cross. For a moment after another message a mouse can press none of the buttons."""

    actionTriggered = Signal()
    otherTriggered = Signal()
    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._kind: BannerKind = "warning"
        self._shown_labels = ("", "")
        self.setObjectName("banner")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._label = QLabel()
        self._label.setObjectName("bannerText")
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setProperty("textRole", "table")
        self._label.setWordWrap(True)
        self._action = QPushButton()
        self._action.setObjectName("bannerAction")
        self._action.clicked.connect(self.actionTriggered)
        self._other = QPushButton()
        self._other.setObjectName("bannerOther")
        self._other.clicked.connect(self.otherTriggered)
        self._guard = UnreadGuard([self._action, self._other], self)
        self._buttons = QWidget()
        buttons = bare_row(self._buttons, spacing_px=8)
        buttons.addWidget(self._action)
        buttons.addWidget(self._other)
        self._close = IconButton(theme, "x", name=tr("Close this notice"), object_name="bannerClose")
        self._close.clicked.connect(self._on_close_clicked)
        grid = self._grid = QGridLayout(self)
        grid.setSpacing(10)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self._label, 0, 0)
        grid.addWidget(self._buttons, 0, 1)
        grid.addWidget(self._close, 0, 2)
        self.setVisible(False)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def text(self) -> str:
        return self._label.text()

    @property
    def is_unread(self) -> bool:
        """Return whether the message is there too short to be read."""
        return self._guard.is_unread

    def show_message(
        self,
        text: str,
        *,
        kind: BannerKind = "warning",
        action_text: str | None = None,
        other_text: str | None = None,
        is_closable: bool = True,
    ) -> None:
        """Show a message: the event, what is safe and the next step. It replaces the previous message; equal words are
        not announced again."""
        text = shown(text)
        is_news = not self.isVisible() or text != self._label.text()
        self._kind = kind
        labels = (shown(action_text or ""), shown(other_text or ""))
        if is_news or labels != self._shown_labels:
            self._guard.restart()
        self._shown_labels = labels
        self._label.setText(text)
        self.setAccessibleName(text)
        for button, words in ((self._action, action_text), (self._other, other_text)):
            label = shown(words or "")
            button.setText(label.replace("&", "&&"))
            button.setAccessibleName(label)
            button.setVisible(words is not None)
        self._buttons.setVisible(action_text is not None or other_text is not None)
        self._close.setVisible(is_closable)
        self._place_action()
        self.setVisible(True)
        self.update()
        if is_news:
            announce(self, text, is_assertive=kind == "danger")

    def showEvent(self, event: QShowEvent) -> None:
        """Start the unread moment when the banner appears, since its message may be older."""
        super().showEvent(event)
        self._guard.restart()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.LayoutDirectionChange:
            self._on_theme_changed()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_action()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        is_info = self._kind == "info"
        fill = theme.colour("surface" if is_info else f"{self._kind}_tint")
        edge = theme.colour("line" if is_info else self._kind)
        paint_box(painter, QRectF(self.rect()), theme.tokens.radius.code, fill=fill, border=edge)
        side = ICON_PX * max(1.0, theme.scale)
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = self.width() - _PADDING_PX - side if is_mirrored else _PADDING_PX
        sign = theme.colour("muted") if is_info else edge
        paint_icon(painter, QRectF(left, (self.height() - side) / 2, side, side), _SIGNS[self._kind], sign)

    def _place_action(self) -> None:
        """Beside the words, or below them where they would be left too little room."""
        margins = self._grid.contentsMargins()
        taken = self._buttons.sizeHint().width() + self._close.sizeHint().width() + margins.left() + margins.right()
        letters = _WORDS_LETTERS * self._label.fontMetrics().averageCharWidth()
        row, column = (0, 1) if self.width() - taken > letters else (1, 0)
        if self._grid.itemAtPosition(row, column) is None:
            self._grid.removeWidget(self._buttons)
            self._grid.addWidget(self._buttons, row, column, Qt.AlignmentFlag.AlignLeft)
        self._hold_height()

    def _hold_height(self) -> None:
        """Keep the banner as high as its words need at its width: a layout around would make it as low as a label may
        be."""
        height = self._grid.totalHeightForWidth(self.width())
        if height >= 0 and height != self.minimumHeight():
            self.setMinimumHeight(height)

    def _on_close_clicked(self) -> None:
        self.setVisible(False)
        self.closed.emit()

    def _on_theme_changed(self) -> None:
        start = round(_PADDING_PX + ICON_PX * max(1.0, self._theme.scale) + 10)
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        self._grid.setContentsMargins(8 if is_mirrored else start, 8, start if is_mirrored else 8, 8)
        self._hold_height()
        self.update()
