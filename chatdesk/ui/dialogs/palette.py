"""All commands in one list that narrows while one types."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from chatdesk.ui.commands.command import Command
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.dialogs.panel import Panel
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.painting import paint_box

_TOP_PX = 96
_WIDTH_PX, _HEIGHT_PX = 620, 420
_ROW_PX = 38
_ID_ROLE = int(Qt.ItemDataRole.UserRole)
_KEYS_ROLE = _ID_ROLE + 1


class CommandPalette(Panel):
    """Runs the chosen command after it has closed, so that the command finds the window as it was."""

    def __init__(self, theme: Theme, commands: CommandRegistry, *, parent: QWidget | None = None) -> None:
        super().__init__(theme, "All commands", parent=parent, top_px=_TOP_PX)
        self.setObjectName("commandPalette")
        self._commands = commands
        self.field = QLineEdit()
        self.field.setObjectName("paletteField")
        self.field.setAccessibleName("Find a command")
        self.field.setPlaceholderText("Type a command")
        self.field.setFrame(False)
        self.list = QListWidget()
        self.list.setObjectName("paletteList")
        self.list.setAccessibleName("Commands")
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setMouseTracking(True)
        self.list.setItemDelegate(_CommandDelegate(theme, self.list))
        line = QFrame()
        line.setFixedHeight(1)
        line.setStyleSheet(f"background: {theme.tokens.line};")
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 8, 1, 8)
        column.setSpacing(6)
        column.addWidget(self.field)
        column.addWidget(line)
        column.addWidget(self.list, 1)
        self.setStyleSheet(
            "#paletteField { border: none; background: transparent; padding: 8px 18px; }"
            "#paletteList { background: transparent; border: none; }"
        )
        self.fit(_WIDTH_PX, _HEIGHT_PX)
        self.field.textChanged.connect(self._fill)
        self.field.installEventFilter(self)
        self.list.itemClicked.connect(self._run)
        commands.refresh()
        self._fill("")
        self.field.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run(self.list.currentItem())
                return True
            step = {
                Qt.Key.Key_Down: 1,
                Qt.Key.Key_Up: -1,
                Qt.Key.Key_PageDown: 8,
                Qt.Key.Key_PageUp: -8,
            }.get(Qt.Key(key))
            if step is not None and self.list.count():
                row = self.list.currentRow() + step
                last = self.list.count() - 1
                self.list.setCurrentRow(row % (last + 1) if abs(step) == 1 else max(0, min(last, row)))
                return True
        return super().eventFilter(watched, event)

    def _fill(self, text: str) -> None:
        words = text.casefold().split()
        self.list.clear()
        for command in sorted(self._candidates(words), key=lambda each: _rank(each, words)):
            item = QListWidgetItem(command.title, self.list)
            keys = self._commands.first_keys_text(command)
            item.setData(_ID_ROLE, command.id)
            item.setData(_KEYS_ROLE, keys)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{command.title}, {keys}" if keys else command.title)
        self.list.setCurrentRow(0)
        if not self.list.count():
            item = QListWidgetItem("No command has this in its name.", self.list)
            item.setFlags(Qt.ItemFlag.NoItemFlags)

    def _candidates(self, words: list[str]) -> list[Command]:
        return [
            command
            for command in self._commands.commands()
            if command.is_in_palette
            and self._commands.is_enabled(command.id)
            and all(word in f"{command.title} {command.group}".casefold() for word in words)
        ]

    def _run(self, item: QListWidgetItem | None) -> None:
        command_id = None if item is None else item.data(_ID_ROLE)
        if command_id:
            self.accept()
            self._commands.trigger(str(command_id))


def _rank(command: Command, words: list[str]) -> int:
    """Titles that begin with what was typed come first; the catalogue's order decides the rest."""
    return 0 if words and command.title.casefold().startswith(words[0]) else 1


class _CommandDelegate(QStyledItemDelegate):
    """Title at the left, keys at the right."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, round(_ROW_PX * max(1.0, self._theme.scale)))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        rect = option.rect
        state = option.state
        theme = self._theme
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            paint_box(painter, QRectF(rect), 0, fill=theme.colour("selected"))
        inner = rect.adjusted(18, 0, -18, 0)
        is_usable = bool(index.flags() & Qt.ItemFlag.ItemIsEnabled)
        painter.setFont(theme.font("text"))
        painter.setPen(theme.colour("text" if is_usable else "muted"))
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.drawText(inner, int(middle), str(index.data()))
        painter.setFont(theme.font("muted"))
        painter.setPen(theme.colour("muted"))
        painter.drawText(inner, int(middle | Qt.AlignmentFlag.AlignRight), str(index.data(_KEYS_ROLE) or ""))
        painter.restore()
