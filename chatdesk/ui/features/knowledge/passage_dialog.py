"""Shows a passage of a project's file where it stands: on its page, or in the text around it, with the passage lit."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeySequence, QShortcut, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QStackedLayout, QWidget

from chatdesk.core.domain.knowledge import FoundPassage
from chatdesk.core.domain.pdf_page import PdfPage
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.features.knowledge.page_view import PageView
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import IconButton

_SIZE_PX = (680, 560)
_PAGE_SIZE_PX = (760, 820)
_GAP_PX = 8
_LEAST_ZOOM, _MOST_ZOOM, _ZOOM_STEP = 50, 300, 25


class PassageDialog(FormPanel):
    """A dialog for the passages ``around`` the ``lit`` characters, from one to another. ``openRequested`` asks for the
    file in the program that the system has for it; ``can_open``: it is one that may be opened. A ``reader`` shows the
    text in its place. With ``has_pages`` the dialog shows pages and their text: ``pageRequested(number, width in
    pixels)`` asks for one, which ``show_page`` shows."""

    openRequested = Signal()
    pageRequested = Signal(int, int)

    def __init__(
        self,
        theme: Theme,
        title: str,
        around: Sequence[FoundPassage],
        *,
        lit: tuple[int, int],
        can_open: bool,
        reader: QWidget | None = None,
        has_pages: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        size = _PAGE_SIZE_PX if has_pages else _SIZE_PX
        super().__init__(theme, title, object_name="passageDialog", size_px=size, parent=parent)
        self.text = named(QPlainTextEdit(), "passageText", shown(title))
        self.text.setReadOnly(True)
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.page = PageView(theme, shown(title))
        self.reader = reader
        self._number, self._total, self._zoom = 1, 0, 100  # a total of 0: not known yet
        self._is_turned_back = self._has_failed = False
        self._views = QStackedLayout()
        for view in (self.text, self.page, *([reader] if reader is not None else [])):
            self._views.addWidget(view)
        self._light = QTextCharFormat()
        ground = QColor(theme.tokens.accent)
        ground.setAlphaF(0.25)
        self._light.setBackground(ground)
        start, end = lit
        self._write(around, start, end)
        if has_pages:
            self._add_page_row()
            pages = [each.passage.page or 1 for each in around if each.passage.start < end and each.passage.end > start]
            self._number = min(pages, default=1)
            self._views.setCurrentWidget(self.page)
            QTimer.singleShot(0, self.page, self._request)  # once its width is known
        elif reader is not None:
            self._views.setCurrentWidget(reader)
        self.body.addLayout(self._views, 1)
        if can_open:
            self.add_button(push_button(tr("Open the file"), "passageOpen", self.openRequested.emit), is_first=True)
        self.add_button(push_button(tr("Close"), "passageClose", self.reject, is_primary=True))
        (self.page if has_pages else reader or self.text).setFocus()

    def _add_page_row(self) -> None:
        icons = ("chevron-right", "chevron-left") if self.isRightToLeft() else ("chevron-left", "chevron-right")
        self.back_button = IconButton(
            self.theme, icons[0], name=tr("Previous page"), object_name="pageBack", repeats=True
        )
        self.back_button.clicked.connect(lambda: self._turn(-1))
        self.on_button = IconButton(self.theme, icons[1], name=tr("Next page"), object_name="pageOn", repeats=True)
        self.on_button.clicked.connect(lambda: self._turn(1))
        self.where = plain_label("", "muted", name="pageNumber")
        smaller = push_button("−", "pageSmaller", lambda: self._rescale(-1), name=tr("Smaller"))
        larger = push_button("+", "pageLarger", lambda: self._rescale(1), name=tr("Larger"))
        self.text_button = push_button(tr("Text"), "pageText", self._switch, name=tr("Show the text of the page"))
        row = QHBoxLayout()
        row.setSpacing(_GAP_PX)
        for each in (self.back_button, self.where, self.on_button):
            row.addWidget(each)
        row.addStretch(1)
        for button in (smaller, larger, self.text_button):
            row.addWidget(button)
        self.body.addLayout(row)
        self.page.turned.connect(self._turn)
        self.page.zoomed.connect(self._rescale)
        for keys, by in (("Ctrl+PgUp", -1), ("Ctrl+PgDown", 1)):
            QShortcut(QKeySequence(keys), self, lambda by=by: self._turn(by))
        self._show_place()

    # Pages

    def show_page(self, page: PdfPage, note: str = "") -> None:
        """Show a page that was asked for; ``note`` says what is missing on it. One that was left meanwhile is not
        shown."""
        if page.number != min(self._number, page.total):
            return
        self._number, self._total = page.number, page.total
        self.page.show_page(page, is_turned_back=self._is_turned_back)
        self.text.clear()
        cursor = QTextCursor(self.text.document())
        start, end = page.lit_text
        for words, style in (
            (page.text[:start], QTextCharFormat()),
            (page.text[start:end], self._light),
            (page.text[end:], QTextCharFormat()),
        ):
            cursor.insertText(visible_controls(words), style)
        self._go_to(len(visible_controls(page.text[:start])))
        self._show_place()
        self.show_problem(note)
        if self._has_failed:
            self._switch()

    def show_failure(self, number: int, sentence: str) -> None:
        """Say why a page cannot be shown; the text that was read stands in its place."""
        if number != self._number:
            return
        if self._total:  # it has the text of the page before
            self.text.clear()
        self.show_problem(sentence)
        if self._views.currentWidget() is self.page:
            self._has_failed = True
            self._switch()

    def _request(self) -> None:
        self.pageRequested.emit(self._number, round(self.page.wanted_px * self._zoom / 100))

    def _turn(self, by: int) -> None:
        number = min(max(1, self._number + by), max(self._number, self._total))
        if number != self._number:
            self._number, self._is_turned_back = number, by < 0
            self._show_place()
            announce(self.page, self.where.text())
            self._request()

    def _rescale(self, steps: int) -> None:
        zoom = min(max(_LEAST_ZOOM, self._zoom + steps * _ZOOM_STEP), _MOST_ZOOM)
        if zoom != self._zoom:
            self._zoom, self._is_turned_back = zoom, False
            self._request()

    def _switch(self) -> None:
        is_text = self._views.currentWidget() is self.page
        before, view = (self.page, self.text) if is_text else (self.text, self.page)
        had_focus = before.hasFocus()
        self._views.setCurrentWidget(view)
        self.text_button.setText(tr("Page") if is_text else tr("Text"))
        named(self.text_button, "pageText", tr("Show the page") if is_text else tr("Show the text of the page"))
        self._has_failed = is_text and self._has_failed
        if had_focus:
            view.setFocus()

    def _show_place(self) -> None:
        known = tr("Page {page} of {total}", page=self._number, total=self._total) if self._total else ""
        self.where.setText(known)
        self.back_button.setEnabled(self._number > 1)
        self.on_button.setEnabled(self._number < self._total)

    # Text

    def _write(self, around: Sequence[FoundPassage], start: int, end: int) -> None:
        cursor = QTextCursor(self.text.document())
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
        self._go_to(max(first, 0))

    def _go_to(self, place: int) -> None:
        self.text.document().setModified(False)
        cursor = QTextCursor(self.text.document())
        cursor.setPosition(min(place, self.text.document().characterCount() - 1))
        self.text.setTextCursor(cursor)
        QTimer.singleShot(0, self.text, self.text.centerCursor)
