"""Implements the field that a message is typed into: plain text only, fast with any paste, careful with input
methods."""

from __future__ import annotations

from PySide6 import QtCore, QtGui  # QDir, QUrl and QTextCursor are built when they are first used
from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QGuiApplication, QInputMethodEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

from chatdesk.ui.qt.composing_field import ComposingField
from chatdesk.ui.widgets.local_files import path_here
from chatdesk.ui.widgets.long_lines import break_long_lines, join_long_lines

# A slice of a large paste: keeps the GUI thread below 16 ms, even when every character is a line of its own.
_SLICE_CHARACTERS = 4096
# Lines that GNOME puts before the files.
_MARKS_OF_FILE_MANAGERS = frozenset(("x-special/nautilus-clipboard", "copy", "cut"))
_CARET_PX = 1
_AT_ONCE_CHARACTERS = 16_384
_STEP_MS = 1_000  # one undo takes back the typing of this time

_KEYBOARD_REASONS = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


class TextEditor(ComposingField):
    """The plain-text editor of the composer. ``written()`` is what the person wrote. A large paste arrives in slices;
    ``written()`` has all of it at once."""

    sendPressed = Signal()
    stopPressed = Signal()
    editLastPressed = Signal()
    focusChanged = Signal(bool)  # whether it came by keyboard
    writtenChanged = Signal()
    filesOffered = Signal(list)
    imageOffered = Signal(object)  # QImage
    slashTyped = Signal()  # in an empty line
    atTyped = Signal()  # at the beginning of a word

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.is_stop_offered = False
        self.is_send_on_enter = True
        self._last_key_ms = self._step_began_ms = 0
        self._is_locked = False
        self._waiting = ""  # the part of a large paste that is not in the document yet
        self._slice_cursor: QtGui.QTextCursor | None = None
        self._feeder = QTimer(self, interval=0)
        self._feeder.timeout.connect(self._on_feeder_timeout)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(0)
        self.installEventFilter(self)
        self.textChanged.connect(self._on_text_changed)
        self._align()

    # Text

    def written(self) -> str:
        held = self.toPlainText()
        if self._slice_cursor is not None:
            place = _characters(held, self._slice_cursor.position())
            held = held[:place] + self._waiting + held[place:]
        return join_long_lines(held)

    def is_blank(self) -> bool:
        block = self.document().firstBlock()
        while block.isValid():
            if block.text().strip():
                return False
            block = block.next()
        return not self._waiting.strip()

    def approximate_length(self) -> int:
        """Return the number of characters, without building the text."""
        return self.document().characterCount() - 1 + len(self._waiting)

    def replace_all(self, text: str) -> None:
        """Replace all text; this cannot be undone, so that an old draft does not come back in another thread."""
        self._end_feeding()
        held = break_long_lines(text)
        self.setPlainText(held[:_AT_ONCE_CHARACTERS])
        self.moveCursor(QtGui.QTextCursor.MoveOperation.End)
        self._feed(held[_AT_ONCE_CHARACTERS:])

    def insert_written(self, text: str) -> None:
        """Type ``text`` at the cursor, in place of the selection, as one step to undo."""
        self._finish_feeding()
        held = break_long_lines(text)
        self.textCursor().insertText(held[:_AT_ONCE_CHARACTERS])
        self._feed(held[_AT_ONCE_CHARACTERS:])
        self.ensureCursorVisible()

    def written_position(self) -> int:
        """Return the position of the cursor in characters of ``written()``."""
        held = self.toPlainText()
        return len(join_long_lines(held[: _characters(held, self.textCursor().position())]))

    def set_written_position(self, position: int) -> None:
        self._finish_feeding()
        held = self.toPlainText()
        place = min(position, len(held))
        # The marks of broken lines are before the place: go on until as many written characters are before it.
        while place < len(held) and (missing := position - len(join_long_lines(held[:place]))) > 0:
            place = min(len(held), place + missing)
        cursor = self.textCursor()
        cursor.setPosition(len(held[:place].encode("utf-16-le", "surrogatepass")) // 2)
        self.setTextCursor(cursor)

    def set_locked(self, is_locked: bool) -> None:
        self._is_locked = is_locked
        self.setReadOnly(is_locked or self._feeder.isActive())

    # Keys

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Esc stops an answer before any shortcut of the window sees it.
        is_override = event.type() is QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Escape and self.is_stop_offered:
                event.accept()
            elif self._has_nothing_to(event):
                # Then the window may have something: Qt's editor would keep the keys all the same.
                event.ignore()
                return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = event.key(), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._press_enter(modifiers)
        elif key == Qt.Key.Key_Escape and self.is_stop_offered:
            self.stopPressed.emit()
        elif key == Qt.Key.Key_Escape:
            event.ignore()
        elif key == Qt.Key.Key_Up and not modifiers and self._is_empty():
            self.editLastPressed.emit()
        else:
            self._part_undo_steps(event)
            super().keyPressEvent(event)
            self._emit_typed_mark(event.text())

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        super().inputMethodEvent(event)
        self._emit_typed_mark(event.commitString())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.LayoutDirectionChange:
            self._align()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focusChanged.emit(event.reason() in _KEYBOARD_REASONS)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focusChanged.emit(False)

    # Clipboard and dropping

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() or self.can_attach(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        if self.attach_from(source) or self.isReadOnly():
            return
        if source.hasText():
            self.insert_written(source.text())

    def can_attach(self, source: QMimeData) -> bool:
        """Return whether there are files or a picture, and not just text: a table copied from an office program is
        text, and so is a text that brings a file along, which nobody sees coming."""
        return not self._is_locked and (bool(_files_in(source)) or (source.hasImage() and not source.hasText()))

    def attach_from(self, source: QMimeData) -> bool:
        """Offer the files or the picture in ``source`` as attachments; False where it has none."""
        if not self.can_attach(source):
            return False
        files = _files_in(source)
        if files:
            self.filesOffered.emit(files)
        else:
            self.imageOffered.emit(source.imageData())
        return True

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        data.setText(join_long_lines(self.textCursor().selection().toPlainText()))
        return data

    def _has_nothing_to(self, event: QKeyEvent) -> bool:
        """Return whether the keys are undo or redo while no typing can be undone or redone."""
        document = self.document()
        if event.matches(QKeySequence.StandardKey.Undo):
            return not document.isUndoAvailable()
        is_redo = event.matches(QKeySequence.StandardKey.Redo)
        return is_redo and not document.isRedoAvailable() and not document.isUndoAvailable()

    def _press_enter(self, modifiers: Qt.KeyboardModifier) -> None:
        if self.has_preedit:
            # The Enter that ends a composition belongs to the input method, on every platform.
            QGuiApplication.inputMethod().commit()
            return
        has_control = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        is_bare = modifiers == Qt.KeyboardModifier.NoModifier
        if has_control or (is_bare and self.is_send_on_enter):
            self.sendPressed.emit()
        elif not self.isReadOnly():
            # Qt's own Shift+Enter puts a line separator, which is not the same text.
            self.textCursor().insertBlock()
            self.ensureCursorVisible()

    def _part_undo_steps(self, event: QKeyEvent) -> None:
        """Begin another step to undo after a pause, and with a word where the step is a second old: Qt would make one
        of all that is typed without moving the cursor."""
        now_ms = event.timestamp()
        has_paused = now_ms - self._last_key_ms > _STEP_MS
        self._last_key_ms = now_ms
        is_word = event.text().isalnum() and self.textCursor().positionInBlock() > 0
        if has_paused or (is_word and now_ms - self._step_began_ms > _STEP_MS and self._is_behind_space()):
            self._step_began_ms = now_ms
            # Qt joins a change to the one before only where the document counts as modified.
            self.document().setModified(False)

    def _is_behind_space(self) -> bool:
        cursor = self.textCursor()
        return cursor.block().text()[: cursor.positionInBlock()][-1:].isspace()

    def _emit_typed_mark(self, text: str) -> None:
        if text == SLASH and not self.isReadOnly() and mark_query(self, SLASH) == "":
            self.slashTyped.emit()
        elif text == AT and not self.isReadOnly() and mark_query(self, AT) == "":
            self.atTyped.emit()

    def _is_empty(self) -> bool:
        return self.document().isEmpty() and not self.has_preedit

    # Large pastes

    def _feed(self, held: str) -> None:
        if not held:
            return
        self._waiting = held
        self._slice_cursor = self.textCursor()
        self.setReadOnly(True)
        self._feeder.start()

    def _on_feeder_timeout(self) -> None:
        assert self._slice_cursor is not None
        taken, self._waiting = self._waiting[:_SLICE_CHARACTERS], self._waiting[_SLICE_CHARACTERS:]
        self._slice_cursor.joinPreviousEditBlock()
        self._slice_cursor.insertText(taken)
        self._slice_cursor.endEditBlock()
        if not self._waiting:
            self._end_feeding()
            self.ensureCursorVisible()
            self.writtenChanged.emit()

    def _finish_feeding(self) -> None:
        while self._slice_cursor is not None:
            self._on_feeder_timeout()

    def _end_feeding(self) -> None:
        self._feeder.stop()
        self._waiting = ""
        self._slice_cursor = None
        self.setReadOnly(self._is_locked)

    def _align(self) -> None:
        """Align text that runs from right to left at the right, with room for the caret: Qt's plain text is always
        aligned left."""
        document = self.document()
        direction = self.layoutDirection() if document.isEmpty() else document.firstBlock().textDirection()
        is_mirrored = direction is Qt.LayoutDirection.RightToLeft
        side = Qt.AlignmentFlag.AlignRight if is_mirrored else Qt.AlignmentFlag.AlignLeft
        option = document.defaultTextOption()
        if option.alignment() != side:
            option.setAlignment(side)
            document.setDefaultTextOption(option)
            document.setDocumentMargin(_CARET_PX if is_mirrored else 0)

    def _on_text_changed(self) -> None:
        self._align()
        if self._slice_cursor is None:
            self.writtenChanged.emit()


def _files_in(source: QMimeData) -> list[str]:
    """Return the paths of files on this computer, where nothing else comes with them: file managers add the same paths
    as text, and any other text is what was copied. ``file://host/share`` would be asked from another computer, with
    one's name."""
    if not source.hasUrls():
        return []
    urls = source.urls()
    files = [path for url in urls if (path := path_here(url))]
    lines = [line.strip() for line in source.text().splitlines() if line.strip()]
    known = {form for url in urls for form in _forms(url)} | _MARKS_OF_FILE_MANAGERS
    return files if all(line in known for line in lines) else []


def _forms(url: QtCore.QUrl) -> tuple[str, ...]:
    """Return the ways in which a file manager writes a file as text."""
    path = url.toLocalFile()
    encoded = bytes(url.toEncoded().data()).decode("ascii", "replace")
    return url.toString(), url.toDisplayString(), encoded, path, QtCore.QDir.toNativeSeparators(path), url.fileName()


def _characters(text: str, utf16_position: int) -> int:
    """Return a position of Qt's, which counts UTF-16 units, in Python's characters."""
    if text.isascii():
        return utf16_position
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * utf16_position].decode("utf-16-le", "surrogatepass"))


SLASH, AT = "/", "@"
_LONGEST = 60


def mark_query(editor: QPlainTextEdit, mark: str) -> str | None:
    """Return the text between the mark and the cursor; None where the cursor is not behind one."""
    cursor = editor.textCursor()
    if cursor.hasSelection() or not cursor.atBlockEnd():
        return None
    line = cursor.block().text()
    start = 0 if mark == SLASH else line.rfind(mark)
    query = line[start + 1 :]
    begins = start >= 0 and line[start : start + 1] == mark and not line[max(start - 1, 0) : start].strip()
    is_name = mark not in query and not query[:1].isspace() and len(query) <= _LONGEST
    return query if begins and is_name else None


def select_mark_query(editor: QPlainTextEdit, mark: str) -> bool:
    """Select the mark and the text typed after it, so that inserted text replaces both. Return whether the mark is
    there."""
    query = mark_query(editor, mark)
    if query is None:
        return False
    cursor = editor.textCursor()
    left, keeping = QtGui.QTextCursor.MoveOperation.Left, QtGui.QTextCursor.MoveMode.KeepAnchor
    cursor.movePosition(left, keeping, len(mark + query))
    editor.setTextCursor(cursor)
    return True
