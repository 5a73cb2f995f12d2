"""Shows a passage of a project's file where it stands: the text around it, with the passage lit."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from chatdesk.core.domain.knowledge import FoundPassage
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.theme.theme import Theme

_SIZE_PX = (680, 560)


class PassageDialog(FormPanel):
    """A dialog for the passages ``around`` the characters from ``start`` to ``end``. ``openRequested`` asks for the
    file in the program that the system has for it; ``can_open``: it is one that may be opened."""

    openRequested = Signal()

    def __init__(
        self,
        theme: Theme,
        title: str,
        around: Sequence[FoundPassage],
        *,
        start: int,
        end: int,
        can_open: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, title, object_name="passageDialog", size_px=_SIZE_PX, parent=parent)
        self.page = named(QPlainTextEdit(), "passageText", shown(title))
        self.page.setReadOnly(True)
        self.page.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.body.addWidget(self.page, 1)
        self._light = QTextCharFormat()
        ground = QColor(theme.tokens.accent)
        ground.setAlphaF(0.25)
        self._light.setBackground(ground)
        self._write(around, start, end)
        if can_open:
            self.add_button(push_button(tr("Open the file"), "passageOpen", self.openRequested.emit), is_first=True)
        self.add_button(push_button(tr("Close"), "passageClose", self.reject, is_primary=True)).setFocus()

    def _write(self, around: Sequence[FoundPassage], start: int, end: int) -> None:
        cursor = QTextCursor(self.page.document())
        first = -1
        page: int | None = None
        for each in around:
            if cursor.position():
                cursor.insertText("\n\n", QTextCharFormat())
            if each.passage.page is not None and each.passage.page != page:
                page = each.passage.page
                cursor.insertText(tr("Page {page}", page=page) + "\n", QTextCharFormat())
            is_lit = each.passage.start < end and each.passage.end > start
            if is_lit and first < 0:
                first = cursor.position()
            cursor.insertText(visible_controls(each.passage.text), self._light if is_lit else QTextCharFormat())
        self.page.document().setModified(False)
        cursor.setPosition(max(first, 0))
        self.page.setTextCursor(cursor)
        QTimer.singleShot(0, self.page, self.page.centerCursor)
