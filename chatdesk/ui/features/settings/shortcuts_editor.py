"""Shows the keyboard shortcuts of all commands, and lets a person change them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QSizePolicy,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named, open_selected
from chatdesk.ui.commands.command import GROUPS, Command, group_name
from chatdesk.ui.commands.command_keys import refusal
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.elided_label import plain_tooltip
from chatdesk.ui.widgets.focus_ring import FocusFrame
from chatdesk.ui.widgets.layouts import bare_column
from chatdesk.ui.widgets.words import with_commas

# Keys that belong to one part of the window and are no commands.
_LOCAL_KEYS: Final = (
    (Text("Send the message"), Text("Enter")),
    (Text("New line in the composer"), Text("Shift+Enter")),
    (Text("Walk through threads"), Text("Up or Down in the list")),
    (Text("Open the thread"), Text("Enter in the list")),
    (Text("Mark threads"), Text("Shift+Down or Ctrl+Space in the list")),
    (Text("Menu of a thread"), Text("Menu in the list")),
    (Text("Between messages"), Text("Ctrl+Down or Ctrl+Up in the thread")),
    (Text("Links and buttons"), Text("Tab in the thread")),
    (Text("Menu of the message"), Text("Enter or Menu in the thread")),
    (Text("Walk through the text"), Text("F7 in the thread")),
    (Text("Next group of results"), Text("Tab in the search")),
)
_LIST_PX: Final = 380  # at least; the page of the settings then needs no scroll bar besides the list's
_ID = int(Qt.ItemDataRole.UserRole)


class ShortcutsEditor(QWidget):
    """The list of shortcuts, the field that narrows it, and below it the field for new keys. Changes take effect at
    once; the registry signals them for storing."""

    def __init__(self, theme: Theme, commands: CommandRegistry) -> None:
        super().__init__()
        self._commands = commands
        self._recorded_for: Command | None = None
        self._build(theme)
        commands.keys.changed.connect(self._fill)
        self.filter.textChanged.connect(self._fill)
        self.filter.installEventFilter(self)
        self.tree.installEventFilter(self)
        open_selected(self.tree)
        self.tree.currentItemChanged.connect(lambda _now, _before: self._show_state())
        self.tree.itemDoubleClicked.connect(lambda _item, _column: self.record())
        self.recorder.keySequenceChanged.connect(self._on_recorder_changed)
        self._fill()
        self._end_recording()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = Qt.Key(event.key())
            if watched is self.filter and key == Qt.Key.Key_Down:
                self.tree.setFocus(Qt.FocusReason.OtherFocusReason)
                return True
            if watched is self.tree and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.record()
                return True
            if watched is self.tree and key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
                self._remove()
                return True
        return super().eventFilter(watched, event)

    # Changing

    def record(self) -> None:
        """Wait for new keys for the current command."""
        command = self._current()
        if command is None:
            return
        self._recorded_for = command
        self._question.setText(tr("Press the new keys for “{name}”.", name=_name(command)))
        self._record_row.setVisible(True)
        self.use_button.setEnabled(False)
        self.recorder.clear()
        self.recorder.setFocus(Qt.FocusReason.OtherFocusReason)
        announce(self.recorder, self._question.text())

    def _on_recorder_changed(self, sequence: QKeySequence) -> None:
        command = self._recorded_for
        if command is None or sequence.isEmpty():
            return
        keys = sequence.toString()
        keys_text = sequence.toString(QKeySequence.SequenceFormat.NativeText)
        problem = refusal(keys)
        owner = None if problem else self._commands.keys.owner_of(keys)
        use = tr("Use these")
        if problem:
            text = problem
        elif owner is not None and owner.id != command.id:
            text = tr("{keys} belongs to “{name}”, which would lose it.", keys=keys_text, name=_name(owner))
            use = tr("Take over")
        else:
            text = tr("{keys} is free.", keys=keys_text)
        self._question.setText(text)
        self.use_button.setText(use)
        self.use_button.setAccessibleName(use)
        self.use_button.setEnabled(not problem)
        announce(self.recorder, text)

    def _use(self) -> None:
        command, sequence = self._recorded_for, self.recorder.keySequence()
        if command is not None and not sequence.isEmpty():
            self._end_recording()
            self._commands.keys.set(command.id, (sequence.toString(),))
            self.tree.setFocus(Qt.FocusReason.OtherFocusReason)

    def _end_recording(self) -> None:
        had_focus = self._record_row.isAncestorOf(self.focusWidget() or self)
        self._recorded_for = None
        self._record_row.setVisible(False)
        if had_focus:
            self.tree.setFocus(Qt.FocusReason.OtherFocusReason)

    def _remove(self) -> None:
        command = self._current()
        if command is not None:
            self._commands.keys.set(command.id, ())

    def _reset(self) -> None:
        command = self._current()
        if command is not None:
            self._commands.keys.reset(command.id)

    # Showing

    def _fill(self) -> None:
        """List the commands again; the current one stays current."""
        current = self._current()
        words = self.filter.text().casefold().split()
        self.tree.clear()
        own = self._commands.keys.own()
        for group in GROUPS:
            commands = [each for each in self._commands.commands() if each.group == group and not each.is_own]
            lines = [(_name(each), self._commands.keys.text(each), each) for each in commands]
            self._add_group(group_name(group), lines, words)
        self._add_group(tr("In place"), [(shown(name), shown(keys), None) for name, keys in _LOCAL_KEYS], words)
        for item in self._items():
            command = item.data(0, _ID)
            if command is not None and command.id in own:
                item.setText(2, tr("changed"))
                item.setData(2, int(Qt.ItemDataRole.AccessibleTextRole), tr("changed keys"))
            if command is not None and current is not None and command.id == current.id:
                self.tree.setCurrentItem(item)
        if self.tree.currentItem() is None and self._items():
            self.tree.setCurrentItem(self._items()[0])
        self._show_state()

    def _add_group(self, title: str, lines: Sequence[tuple[str, str, Command | None]], words: list[str]) -> None:
        found = [line for line in lines if all(word in f"{line[0]} {line[1]}".casefold() for word in words)]
        if not found:
            return
        heading = QTreeWidgetItem(self.tree, [title])
        heading.setFlags(Qt.ItemFlag.ItemIsEnabled)
        heading.setFont(0, self._theme.font("group"))
        for column in range(1, self.tree.columnCount()):  # empty cells, which an outside program reads as well
            heading.setData(column, int(Qt.ItemDataRole.AccessibleTextRole), title)
        heading.setForeground(0, self._theme.colour("muted"))
        for name, keys, command in found:
            item = QTreeWidgetItem(heading, [name, keys])
            item.setData(0, _ID, command)
            item.setForeground(1, self._theme.colour("muted"))
            item.setToolTip(1, plain_tooltip(keys))
            item.setForeground(2, self._theme.colour("accent"))
            keys_heard = keys or tr("no keys")
            spoken = with_commas((name, keys_heard))
            for column, heard in enumerate((spoken, keys_heard, item.text(2) or tr("usual keys"))):
                item.setData(column, int(Qt.ItemDataRole.AccessibleTextRole), heard)
        heading.setExpanded(True)

    def _items(self) -> list[QTreeWidgetItem]:
        tops = (self.tree.topLevelItem(number) for number in range(self.tree.topLevelItemCount()))
        found = (top.child(number) for top in tops if top is not None for number in range(top.childCount()))
        return [item for item in found if item is not None]

    def _current(self) -> Command | None:
        item = self.tree.currentItem()
        command = None if item is None else item.data(0, _ID)
        return command if isinstance(command, Command) else None

    def _show_state(self) -> None:
        command = self._current()
        own = self._commands.keys.own()
        self.change_button.setEnabled(command is not None)
        self.remove_button.setEnabled(command is not None and bool(self._commands.keys.of(command.id)))
        self.reset_button.setEnabled(command is not None and command.id in own)
        self.reset_all_button.setEnabled(bool(own))

    def _build(self, theme: Theme) -> None:
        self._theme = theme
        self.filter = named(QLineEdit(), "shortcutsFilter", tr("Find a command or keys"))
        self.filter.setPlaceholderText(tr("Find a command or keys"))
        self.tree = named(QTreeWidget(), "shortcutsList", tr("Commands and their keys"))
        self.tree.setAccessibleDescription(tr("Enter changes the keys, Delete takes them away"))
        self.tree.setColumnCount(3)
        self.tree.setHeaderLabels([tr("Command"), tr("Keys"), tr("State")])
        self.tree.setHeaderHidden(True)
        self.tree.setMinimumHeight(_LIST_PX)
        FocusFrame(theme, self.tree)
        self.tree.setFrameShape(QFrame.Shape.NoFrame)
        self.tree.setRootIsDecorated(False)
        self.tree.setIndentation(0)
        self.tree.setItemsExpandable(False)
        self.tree.header().setStretchLastSection(False)
        for column in (0, 2):
            self.tree.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)  # long keys are cut, no command is
        colours = theme.tokens
        self.tree.setStyleSheet(
            "QTreeWidget { background: transparent; } QTreeWidget::item { padding: 5px 2px; }"
            f"QTreeWidget::item:selected {{ background: {colours.selected}; color: {colours.text}; }}"
        )
        self.change_button = push_button(tr("Change keys…"), "shortcutsChange", self.record)
        self.remove_button = push_button(tr("Take away"), "shortcutsRemove", self._remove)
        self.reset_button = push_button(tr("Reset"), "shortcutsReset", self._reset)
        self.reset_all_button = push_button(tr("Reset all"), "shortcutsResetAll", self._commands.keys.reset)
        self.buttons = QHBoxLayout()
        for button in (self.change_button, self.remove_button, self.reset_button, self.reset_all_button):
            self.buttons.addWidget(button)
        self.buttons.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        column_layout = bare_column(self, spacing_px=10)
        column_layout.addWidget(self.filter)
        column_layout.addWidget(self.tree, 1)
        column_layout.addWidget(self._build_recorder())
        column_layout.addLayout(self.buttons)

    def _build_recorder(self) -> QWidget:
        self._record_row = QWidget()
        self._record_row.setObjectName("shortcutsRecorder")
        self._question = plain_label("", "text", wraps=True, name="shortcutsQuestion")
        self.recorder = named(QKeySequenceEdit(), "shortcutsKeys", tr("New keys"))
        self.recorder.setMaximumSequenceLength(1)
        self.use_button = push_button(tr("Use these"), "shortcutsUse", self._use)
        cancel = push_button(tr("Cancel"), "shortcutsCancel", self._end_recording)
        keys = QHBoxLayout()
        keys.addWidget(self.recorder, 1)
        keys.addWidget(self.use_button)
        keys.addWidget(cancel)
        rows = bare_column(self._record_row)
        rows.addWidget(self._question)
        rows.addLayout(keys)
        return self._record_row


def _name(command: Command) -> str:
    return shown(command.title).rstrip("…")
