"""Shows one artifact: its versions, their differences, and the actions on it.

Independent of services and of the drawing of text: its controller passes the ``reader`` that shows text and pictures,
and fills it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.domain.artifacts.table_rows import TableRows
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.features.artifacts.artifact_table import ArtifactTable
from chatdesk.ui.features.inspector.rows import plain_label
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import IconButton, PillButton
from chatdesk.ui.widgets.elided_label import ElidedLabel
from chatdesk.ui.widgets.layouts import FlowRow
from chatdesk.ui.widgets.long_lines import break_long_lines, join_long_lines

# A text above this is edited with another program: an editor lays out all of its lines.
MOST_CHARACTERS: Final = 400_000
_AT_ONCE: Final = 8_000  # characters that are put in before the window gets its next turn


class ArtifactEditor(QPlainTextEdit):
    """A text editor for one artifact. ``saveRequested`` and ``cancelled`` come from its keys: Ctrl+Enter and Esc."""

    saveRequested = Signal()
    cancelled = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._waiting = ""
        self._original = ""
        self.setObjectName("artifactEditor")
        self.setAccessibleName(tr("Text of the artifact"))
        self.setAccessibleDescription(tr("Ctrl+Enter saves a version, Esc leaves. Tab writes a tab."))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._on_timer_timeout)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def is_loading(self) -> bool:
        """Return whether parts of the text are still to be put in; it can be read until then."""
        return self._timer.isActive()

    @property
    def is_changed(self) -> bool:
        return not self.is_loading and self.text() != self._original

    def load(self, text: str, *, original: str) -> None:
        """Show a text to be edited, a piece at a time. ``original`` is the version that it began from."""
        self._original = original
        self._waiting = break_long_lines(text)
        self.setUndoRedoEnabled(False)
        self.setReadOnly(True)
        self.clear()
        self._timer.start()

    def text(self) -> str:
        return join_long_lines(self.toPlainText())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_control = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier == Qt.KeyboardModifier.ControlModifier
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and is_control:
            self.saveRequested.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def _on_timer_timeout(self) -> None:
        piece, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(piece)
        if not self._waiting:
            self._timer.stop()
            self.setReadOnly(False)
            self.setUndoRedoEnabled(True)
            self.moveCursor(QTextCursor.MoveOperation.Start)

    def _on_theme_changed(self) -> None:
        theme, tokens = self._theme, self._theme.tokens
        self.setFont(theme.font("code"))
        self.setTabStopDistance(4 * self.fontMetrics().horizontalAdvance(" "))
        self.setStyleSheet(
            f"#artifactEditor {{ background: {tokens.card}; color: {tokens.text}; padding: 6px;"
            f" border: 1px solid {tokens.field_line}; border-radius: {tokens.radius.row}px;"
            f" selection-background-color: {tokens.accent};"
            f" selection-color: {tokens.on_accent}; }}"
            f"#artifactEditor:focus {{ border: 2px solid {tokens.accent}; padding: 5px; }}"
        )


_GAP_PX = 6
# Action, words, icon; in the order of the buttons.
_ACTIONS = (
    ("ask", Text("Ask for a change"), "sparkles"),
    ("edit", Text("Edit"), "pencil"),
    ("copy", Text("Copy"), "copy"),
    ("save", Text("Save…"), "download"),
    ("open", Text("Open"), "external-link"),
    ("jump", Text("Show in the thread"), "message-square"),
    ("remove", Text("Remove from the list"), "trash-2"),
)


class Face(Enum):
    """The sides from which a version is seen."""

    DRAWN = "drawn"
    SOURCE = "source"
    DIFFERENCE = "difference"


@dataclass(frozen=True, slots=True)
class ShownArtifact:
    """The words about the shown version; ``place`` of ``count`` counts from 1. ``actions`` are those that it offers."""

    name: str
    about: str
    place: int
    count: int
    face: Face
    has_source: bool
    actions: frozenset[str]


class ArtifactView(QWidget):
    """Shows one version of an artifact, or its editor."""

    backRequested = Signal()
    versionRequested = Signal(int)  # a step, -1 or 1
    faceRequested = Signal(object)
    actionRequested = Signal(str)
    editSaved = Signal(str)
    editLeft = Signal()

    def __init__(self, theme: Theme, reader: QWidget) -> None:
        super().__init__()
        self._theme = theme
        self._face = Face.DRAWN
        self.reader = reader
        self.table = ArtifactTable(theme)
        self.editor = ArtifactEditor(theme)
        self._build_head()
        self._build_actions()
        self._stack = QStackedWidget()
        for widget in (reader, self.table, self.editor):
            self._stack.addWidget(widget)
        self.note = plain_label("", "muted")
        self.note.setObjectName("artifactNote")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(_GAP_PX)
        column.addLayout(self._head)
        column.addWidget(self.about)
        column.addWidget(self._versions)
        column.addWidget(self.note)
        column.addWidget(self._stack, 1)
        column.addWidget(self._buttons)
        column.addWidget(self._edit_buttons)
        self.editor.saveRequested.connect(self._on_save_requested)
        self.editor.cancelled.connect(self.editLeft)
        self.setTabOrder(self.diff_button, reader)
        self._show_editing(is_editing=False)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _build_head(self) -> None:
        theme = self._theme
        self.back_button = IconButton(theme, "chevron-left", name=tr("All artifacts"), object_name="artifactBackButton")
        self.back_button.clicked.connect(self.backRequested)
        self.name = ElidedLabel(theme, role="strong")
        self.name.setObjectName("artifactName")
        self._head = QHBoxLayout()
        self._head.addWidget(self.back_button)
        self._head.addWidget(self.name, 1)
        self.about = plain_label("", "muted")
        self.about.setObjectName("artifactAbout")
        self.older_button = IconButton(
            theme,
            "chevron-left",
            name=tr("Previous version of the artifact"),
            object_name="artifactOlderButton",
            repeats=True,
        )
        self.newer_button = IconButton(
            theme,
            "chevron-right",
            name=tr("Next version of the artifact"),
            object_name="artifactNewerButton",
            repeats=True,
        )
        self.older_button.clicked.connect(lambda: self.versionRequested.emit(-1))
        self.newer_button.clicked.connect(lambda: self.versionRequested.emit(1))
        self.place = QLabel()
        self.place.setObjectName("artifactPlace")
        self.place.setProperty("textRole", "muted")
        self.source_button = self._pill(tr("Source"), "artifactSourceButton", "code")
        self.source_button.clicked.connect(self._on_source_button_clicked)
        self.diff_button = self._pill(tr("Differences"), "artifactDiffButton", "history")
        self.diff_button.clicked.connect(self._on_diff_button_clicked)
        self._versions = _Row(self.older_button, self.place, self.newer_button, self.source_button, self.diff_button)

    def _build_actions(self) -> None:
        self.buttons: dict[str, PillButton] = {}
        for action, words, icon in _ACTIONS:
            button = self._pill(words, f"artifact-{action}", icon)
            button.clicked.connect(lambda _checked=False, chosen=action: self.actionRequested.emit(chosen))
            self.buttons[action] = button
        self._buttons = _Row(*self.buttons.values())
        self.save_button = self._pill(tr("Save as version"), "artifactSaveButton", "check")
        self.save_button.clicked.connect(self._on_save_requested)
        self.leave_button = self._pill(tr("Cancel"), "artifactLeaveButton", "undo-2")
        self.leave_button.clicked.connect(self.editLeft)
        self._edit_buttons = _Row(self.save_button, self.leave_button)

    def _pill(self, words: str, object_name: str, icon: str) -> PillButton:
        return PillButton(self._theme, words, object_name=object_name, icon_name=icon)

    @property
    def is_editing(self) -> bool:
        return self._stack.currentWidget() is self.editor

    def show_version(self, artifact: ShownArtifact) -> None:
        """Show the heading of a version; its content comes by ``show_reader``, ``show_table`` or ``show_note``."""
        self._face = artifact.face
        self.name.setText(artifact.name)
        self.about.setText(artifact.about)
        self.place.setText(tr("{number} / {count}", number=artifact.place, count=artifact.count))
        self.place.setAccessibleName(tr("Version {number} of {count}", number=artifact.place, count=artifact.count))
        has_versions = artifact.count > 1
        for widget in (self.older_button, self.place, self.newer_button):
            widget.setVisible(has_versions)
        self.older_button.setEnabled(artifact.place > 1)
        self.newer_button.setEnabled(artifact.place < artifact.count)
        self.diff_button.setVisible(artifact.place > 1)
        is_difference = artifact.face is Face.DIFFERENCE
        self.diff_button.setText(tr("Hide differences") if is_difference else tr("Differences"))
        self.diff_button.set_name(
            tr("Hide the differences")
            if is_difference
            else tr("Show what changed since version {number}", number=artifact.place - 1)
        )
        self.source_button.setVisible(artifact.has_source and not is_difference)
        is_source = artifact.face is Face.SOURCE
        self.source_button.setText(tr("Drawn") if is_source else tr("Source"))
        self.source_button.set_name(tr("Show it drawn") if is_source else tr("Show its source"))
        self.source_button.set_icon("eye" if is_source else "code")
        for action, button in self.buttons.items():
            button.setVisible(action in artifact.actions)
        self._versions.setVisible(has_versions or artifact.has_source)
        self.reader.setAccessibleName(
            tr("{name}, version {number} of {count}", name=artifact.name, number=artifact.place, count=artifact.count)
        )

    def show_note(self, words: str) -> None:
        """Show a line above the content; an empty text hides it."""
        self.note.setText(shown(words))
        self.note.setVisible(bool(words))

    def show_reader(self) -> None:
        self._show(self.reader)

    def show_table(self, rows: TableRows) -> None:
        self.table.show_rows(rows)
        self._show(self.table)

    def start_editing(self, text: str, *, original: str) -> None:
        """Show the editor; ``original`` is the text of the version that is edited."""
        self.editor.load(text, original=original)
        self._stack.setCurrentWidget(self.editor)
        self._show_editing(is_editing=True)
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def end_editing(self) -> None:
        """Leave the editor; the reader is shown."""
        if self.is_editing:
            had_focus = self.editor.hasFocus()
            self._stack.setCurrentWidget(self.reader)
            self._show_editing(is_editing=False)
            if had_focus:
                self.buttons["edit"].setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go back to the list with Esc."""
        if event.key() == Qt.Key.Key_Escape and not self.is_editing:
            self.backRequested.emit()
        else:
            super().keyPressEvent(event)

    def _show(self, widget: QWidget) -> None:
        before = self._stack.currentWidget()
        if before is not None and before.hasFocus():
            widget.setFocus(Qt.FocusReason.OtherFocusReason)
        self._stack.setCurrentWidget(widget)
        self._show_editing(is_editing=False)

    def _show_editing(self, *, is_editing: bool) -> None:
        self._buttons.setVisible(not is_editing)
        self._edit_buttons.setVisible(is_editing)
        self._versions.setEnabled(not is_editing)

    def _on_theme_changed(self) -> None:
        # keeps it vertically centred between the buttons
        self.place.setMinimumHeight(self.diff_button.sizeHint().height())

    def _on_save_requested(self) -> None:
        if not self.editor.is_loading:
            self.editSaved.emit(self.editor.text())

    def _on_source_button_clicked(self) -> None:
        self.faceRequested.emit(Face.DRAWN if self._face is Face.SOURCE else Face.SOURCE)

    def _on_diff_button_clicked(self) -> None:
        self.faceRequested.emit(Face.DRAWN if self._face is Face.DIFFERENCE else Face.DIFFERENCE)


class _Row(QWidget):
    """A row of widgets that wraps into further lines."""

    def __init__(self, *widgets: QWidget) -> None:
        super().__init__()
        self._flow = FlowRow(_GAP_PX)
        self.setLayout(self._flow)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        for widget in widgets:
            self._flow.addWidget(widget)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.heightForWidth(self.width()))
