"""The text after a / that begins a line of the editor: the name of a prompt that is looked for, or a path.

A path is told from a name by its second /, by text after the cursor, and in the end by what the library knows.
"""

from __future__ import annotations

from PySide6 import QtGui  # QTextCursor is built when it is first used
from PySide6.QtWidgets import QPlainTextEdit

_LONGEST = 60


def slash_query(editor: QPlainTextEdit) -> str | None:
    """None when the cursor does not stand at the end of a line that begins with the only / in it."""
    cursor = editor.textCursor()
    if cursor.hasSelection() or not cursor.atBlockEnd():
        return None
    line = cursor.block().text()
    query = line[1:]
    is_name = "/" not in query and not query[:1].isspace() and len(query) <= _LONGEST
    return query if line.startswith("/") and is_name else None


def select_slash_query(editor: QPlainTextEdit) -> bool:
    """Select the / and what was typed after it, so that what is inserted takes their place; whether it is there."""
    if slash_query(editor) is None:
        return False
    cursor = editor.textCursor()
    start, keeping = QtGui.QTextCursor.MoveOperation.StartOfBlock, QtGui.QTextCursor.MoveMode.KeepAnchor
    cursor.movePosition(start, keeping)
    editor.setTextCursor(cursor)
    return True
