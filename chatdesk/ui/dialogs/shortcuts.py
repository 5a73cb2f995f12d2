"""The keyboard shortcuts, straight from the commands, so that the list is never out of date."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from chatdesk.ui.commands.command import GROUPS
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.theme.theme import Theme

# Keys that belong to one part of the window and are no commands.
_LOCAL_KEYS: Final = (
    ("Send the message", "Enter"),
    ("New line in the composer", "Shift+Enter"),
    ("Walk through threads", "Up or Down in the list"),
    ("Open the thread", "Enter in the list"),
    ("Between messages", "J or K in the thread"),
)


class ShortcutsDialog(Panel):
    def __init__(self, theme: Theme, commands: CommandRegistry, *, parent: QWidget | None = None) -> None:
        super().__init__(theme, "Keyboard shortcuts", parent=parent)
        self.setObjectName("shortcutsDialog")
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 18)
        column.setSpacing(12)
        column.addWidget(plain_label("Keyboard shortcuts", "strong"))
        area = QScrollArea()
        area.setObjectName("shortcutsArea")
        area.setAccessibleName("Keyboard shortcuts")
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setStyleSheet("QScrollArea, #shortcutsPage { background: transparent; }")
        area.setWidget(self._build_page(commands))
        column.addWidget(area, 1)
        close = QPushButton("Close")
        close.setObjectName("shortcutsClose")
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(close)
        column.addLayout(row)
        self.fit(520, 620)
        area.setFocus()

    def _build_page(self, commands: CommandRegistry) -> QWidget:
        page = QWidget()
        page.setObjectName("shortcutsPage")
        grid = QGridLayout(page)
        grid.setContentsMargins(0, 0, 12, 0)
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(0, 1)
        sections = [(group, _lines_of(commands, group)) for group in GROUPS]
        for title, lines in (*sections, ("In place", list(_LOCAL_KEYS))):
            shown = [(name, keys) for name, keys in lines if keys]
            if not shown:
                continue
            heading = plain_label(title, "group")
            heading.setContentsMargins(0, 10, 0, 2)
            grid.addWidget(heading, grid.rowCount(), 0)
            for name, keys in shown:
                row = grid.rowCount()
                grid.addWidget(plain_label(name, "text"), row, 0)
                grid.addWidget(plain_label(keys, "muted"), row, 1, Qt.AlignmentFlag.AlignRight)
        grid.setRowStretch(grid.rowCount(), 1)
        return page


def _lines_of(commands: CommandRegistry, group: str) -> list[tuple[str, str]]:
    return [
        (command.title.rstrip("…"), commands.keys_text(command))
        for command in commands.commands()
        if command.group == group
    ]
