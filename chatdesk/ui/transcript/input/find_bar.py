"""Shows the bar for finding words in the thread: a field, the number of matches, and buttons to walk through them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.qt.mirroring import set_margins
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.layout.pill import ROOM_PX

_WIDTH_PX = 380
_HEIGHT_PX = 44
_MARGIN_PX = 12


class FindBar(QFrame):
    """The bar for finding words; ``stepped`` carries 1 for the next match and -1 for the previous one."""

    textChanged = Signal(str)
    stepped = Signal(int)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._is_low = False
        self.setObjectName("findBar")
        self.field = named(QLineEdit(self), "findField", tr("Find in thread"))
        self.field.setPlaceholderText(tr("Find in thread"))
        self.field.textChanged.connect(self.textChanged)
        self.field.installEventFilter(self)
        self._count = QLabel(self)
        self._count.setObjectName("findCount")
        self._count.setTextFormat(Qt.TextFormat.PlainText)
        self._buttons = {
            "arrow-up": self._button("findPrevious", tr("Previous match (Shift+Enter)"), lambda: self.stepped.emit(-1)),
            "arrow-down": self._button("findNext", tr("Next match (Enter)"), lambda: self.stepped.emit(1)),
            "x": self._button("findClose", tr("Close (Esc)"), self.closed.emit),
        }
        row = QHBoxLayout(self)
        set_margins(row, 12, 4, 6, 4)
        row.setSpacing(2)
        row.addWidget(self.field, 1)
        row.addWidget(self._count)
        for button in self._buttons.values():
            row.addWidget(button)
        self.hide()

    def show_count(self, current: int, total: int, *, is_more: bool = False) -> None:
        """Show the number of the current match and of all matches.

        ``current`` counts from 1 and is 0 when no match is shown. ``is_more`` says that the search stopped before the
        end of the thread.
        """
        if not self.field.text().strip():
            text = ""
        elif total == 0:
            text = tr("Nothing found")
        else:
            text = _count_text(current, total, is_more=is_more)
        self._count.setText(text)
        for name in ("arrow-up", "arrow-down"):
            self._buttons[name].setEnabled(total > 0)

    @property
    def covered_px(self) -> float:
        """The height in px that the bar covers at the top of the view."""
        return self.height() + 2 * _MARGIN_PX

    @property
    def count_text(self) -> str:
        return self._count.text()

    def place(self, area: QSize, *, is_low: bool | None = None) -> None:
        """Move the bar to the upper right of an area of that size, or to the lower right, above the way to the newest
        message, if ``is_low``.

        Without ``is_low`` the bar keeps the corner it was given last.
        """
        self._is_low = self._is_low if is_low is None else is_low
        scale = self._scale
        wide, high = min(round(_WIDTH_PX * scale), area.width() - 2 * _MARGIN_PX), round(_HEIGHT_PX * scale)
        top = area.height() - high - _MARGIN_PX - round(ROOM_PX * scale) if self._is_low else _MARGIN_PX
        self.setGeometry(area.width() - wide - _MARGIN_PX, top, wide, high)

    def set_style(self, style: TranscriptStyle) -> None:
        tokens = style.tokens
        self._scale = style.scale
        self.field.setFont(style.font("text"))
        self._count.setFont(style.font("muted"))
        side = round(28 * style.scale)
        for name, button in self._buttons.items():
            button.setIcon(QIcon(style.icon(name, "muted")))
            button.setIconSize(QSize(round(16 * style.scale), round(16 * style.scale)))
            button.setFixedSize(side, side)
        self.setStyleSheet(
            f"#findBar {{ background: {tokens.floating}; border: 1px solid {tokens.field_line};"
            f" border-radius: {tokens.radius.card}px; }}"
            f" #findField {{ background: transparent; border: none; color: {tokens.text};"
            f" selection-background-color: {tokens.accent}; selection-color: {tokens.on_accent}; }}"
            f" #findCount {{ color: {tokens.muted}; background: transparent; padding: 0 8px; }}"
            f" QToolButton {{ background: transparent; border: 2px solid transparent;"
            f" border-radius: {tokens.radius.row}px; }}"
            f" QToolButton:hover {{ background: {tokens.hover}; }}"
            f" QToolButton:focus {{ border-color: {tokens.accent}; }}"
        )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kinds = (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride)
        if watched is self.field and event.type() in kinds and isinstance(event, QKeyEvent):
            return self._handle_key(event)
        return bool(super().eventFilter(watched, event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._handle_key(event):
            super().keyPressEvent(event)

    def _handle_key(self, event: QKeyEvent) -> bool:
        is_back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        is_ours = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F3, Qt.Key.Key_Escape)
        if not is_ours:
            return False
        event.accept()
        if event.type() == QEvent.Type.ShortcutOverride:  # claimed; it comes again as a press
            return False
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            self.stepped.emit(-1 if is_back else 1)
        return True

    def _button(self, name: str, label: str, run: object) -> QToolButton:
        button = named(QToolButton(self), name, label)
        button.setToolTip(label)
        button.clicked.connect(run)
        return button

    _scale = 1.0


def _count_text(current: int, total: int, *, is_more: bool) -> str:
    if current:
        if is_more:
            return tr("{number} of {count}+", number=current, count=total)
        return tr("{number} of {count}", number=current, count=total)
    if is_more:
        return tr("{count}+ found", count=total)
    return shown(plural("{count} found", "{count} found", total))
