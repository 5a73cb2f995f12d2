"""The text after a / that begins a line of the editor, or after an @ that begins a word: a name that is looked for.

A path is told from a name by its second /, by text after the cursor, and in the end by what the library knows.
"""

from __future__ import annotations

from PySide6 import QtGui  # QTextCursor is built when it is first used
from PySide6.QtWidgets import QPlainTextEdit

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
