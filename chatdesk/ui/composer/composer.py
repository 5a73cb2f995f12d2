"""Shows the card at the bottom in which a message is written, sent and stopped.

It never clears itself: the text stays until the caller knows that the message is stored.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.composer.composer_files import ComposerFiles
from chatdesk.ui.composer.composer_notice import ComposerNotice
from chatdesk.ui.composer.rows_above import RowsAbove
from chatdesk.ui.composer.text_editor import TextEditor
from chatdesk.ui.qt.mirroring import set_margins
from chatdesk.ui.qt.unread_guard import UnreadGuard
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import COMPOSER_WIDTH_PX
from chatdesk.ui.widgets.buttons import ComposerChip, IconButton
from chatdesk.ui.widgets.danger_menu import DangerMenu
from chatdesk.ui.widgets.elided_label import ElidedLabel
from chatdesk.ui.widgets.layouts import bare_row
from chatdesk.ui.widgets.painting import paint_box, paint_focus_ring
from chatdesk.ui.widgets.words import exact_size_text

DEFAULT_SIZE_LIMIT_BYTES: Final = 1024 * 1024
_BUTTON_PX = 32
_MIN_LINES = 2  # even in a very low window
_UTF8_BYTES_PER_UNIT = 3  # at most, for one UTF-16 unit


class Composer(QWidget):
    """The input area of a chat. ``sendRequested`` carries the text exactly as written; ``files.attached`` goes with it.
    ``textChanged`` reports both. ``filesOffered`` carries paths, ``imageOffered`` a ``QImage``: dropped or pasted
    here."""

    sendRequested = Signal(str)
    noteRequested = Signal(str)
    stopRequested = Signal()
    textChanged = Signal()
    editLastRequested = Signal()
    addRequested = Signal()
    filesOffered = Signal(list)
    imageOffered = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.is_streaming = False
        self._is_usable = True
        self._refusal = ""
        self._placeholder = ""
        self._has_keyboard_focus = False
        self._last_chip: QWidget
        self._size_limit_bytes = DEFAULT_SIZE_LIMIT_BYTES
        self.setObjectName("composerCard")
        self.setAcceptDrops(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.editor = named(TextEditor(), "composer", tr("Message"))
        self.send_button = IconButton(
            theme, "arrow-up", name=tr("Send"), object_name="sendButton", is_filled=True, side_px=_BUTTON_PX
        )
        self.stop_button = IconButton(
            theme, "square", name=tr("Stop"), object_name="stopButton", is_filled=True, side_px=_BUTTON_PX
        )
        self.stop_button.set_name(tr("Stop the answer"), tooltip=tr("Stop the answer (Esc)"))
        self.add_button = IconButton(
            theme, "plus", name=tr("Files, prompts, parameters and tools"), object_name="addButton"
        )
        self.notice = ComposerNotice(theme, self)
        self._tokens = ElidedLabel(theme, role="muted")
        self._tokens.setObjectName("tokenCount")
        self.above = RowsAbove(self, self.editor, theme, fit_height=self._fit_height)
        self.files = ComposerFiles(self, self.editor, self.notice, theme, fit_height=self._fit_height, ready=self._send)
        self._build()
        self._connect()
        self._fit_to_theme()  # the viewport has the application's font
        self._update_send()
        # Each takes the place of the other as an answer begins or ends.
        self.guard = UnreadGuard([self.send_button, self.stop_button], self)

    # Text

    def text(self) -> str:
        return self.editor.written()

    def set_text(self, text: str) -> None:
        """Replace all text; the cursor goes to the end."""
        self.editor.replace_all(text)

    def clear(self) -> None:
        """Remove the text and the attachments."""
        self.files.set_attached(())
        self.editor.replace_all("")

    def insert_text(self, text: str) -> None:
        """Insert text at the cursor, as if typed."""
        self.editor.insert_written(text)

    def insert_quote(self, markdown: str) -> None:
        """Insert a quote as its own paragraph at the cursor. All text stays, a selection too."""
        cursor = self.editor.textCursor()
        cursor.setPosition(cursor.selectionEnd())
        self.editor.setTextCursor(cursor)
        before = self.text()[: self.cursor_position()]
        gap = "" if not before or before.endswith("\n\n") else "\n" if before.endswith("\n") else "\n\n"
        lines = (f"> {line}".rstrip() for line in markdown.strip("\n").split("\n"))
        self.insert_text(f"{gap}{chr(10).join(lines)}\n\n")

    def cursor_position(self) -> int:
        """Return the position of the cursor in characters of ``text()``."""
        return self.editor.written_position()

    def set_cursor_position(self, position: int) -> None:
        self.editor.set_written_position(position)

    # State

    def set_streaming(self, is_streaming: bool) -> None:
        """Show the stop button in the send button's place while an answer arrives. A question sent in the meantime
        waits for its end, so the send button comes back beside it with the first word."""
        if is_streaming == self.is_streaming:
            return
        had_focus = self.send_button.hasFocus() or self.stop_button.hasFocus()
        self.is_streaming = is_streaming
        self.editor.is_stop_offered = is_streaming
        self.guard.restart()
        self._show_buttons()
        self._name_send()
        if had_focus:
            self.editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self.notice.show_standing()

    def set_enabled(self, is_enabled: bool) -> None:
        """Enable the composer; one that is not enabled shows its text but accepts none."""
        self._is_usable = is_enabled
        self._lock()

    @property
    def refusal(self) -> str:
        """The sentence that ``set_refusal`` was given."""
        return self._refusal

    def set_refusal(self, sentence: str) -> None:
        """Set why nothing can be written here, shown in the text's place or below a draft; empty when it can."""
        if sentence == self._refusal:
            return
        self._refusal = sentence
        self.editor.setAccessibleDescription(sentence)
        self.set_placeholder(self._placeholder)
        self._lock()
        self._show_refusal()

    @property
    def can_write(self) -> bool:
        """Return whether anything can be written or added here."""
        return self._is_usable and not self._refusal

    def _lock(self) -> None:
        self.editor.set_locked(not self.can_write)
        self._update_send()

    def set_placeholder(self, text: str) -> None:
        self._placeholder = text
        # Qt repaints only when the placeholder appears or goes: without this the old words would stay below the new
        # ones. To ask for the viewport, which Qt made, has PySide build all its classes of widgets.
        self.editor.setPlaceholderText("")
        self.editor.setPlaceholderText(self._refusal or text)

    def set_send_on_enter(self, is_sent: bool) -> None:
        """Set whether Enter sends; if not, Ctrl+Enter sends. Shift+Enter always begins a new line."""
        self.editor.is_send_on_enter = is_sent
        self._name_send()

    def add_chip(self, name: str, icon_name: str) -> ComposerChip:
        """Return a new chip beside the button that adds, for something that is on; it is hidden until that is so."""
        chip = ComposerChip(self._theme, "", object_name=name, icon_name=icon_name)
        chip.hide()
        self._chips.addWidget(chip)
        self.setTabOrder(self._last_chip, chip)
        self.setTabOrder(chip, self.send_button)
        self._last_chip = chip
        return chip

    def set_token_count(self, text: str) -> None:
        """Show a token count such as "1,412 tokens"; empty for none."""
        self._tokens.setText(text)

    def set_size_limit(self, limit_bytes: int) -> None:
        """Set the size above which a message cannot be sent; the composer then says so."""
        self._size_limit_bytes = limit_bytes
        self._update_send()

    # Qt

    def setFocus(self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason) -> None:
        """Focus the text. A focus proxy would do the same, but Tab took the card for one more stop before its editor
        and never left the composer."""
        self.editor.setFocus(reason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.window().installEventFilter(self)
        self._fit_height()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and watched is self.window():
            self._fit_height()
        return super().eventFilter(watched, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        # The whole card looks like one field and acts like one.
        self.editor.setFocus(Qt.FocusReason.MouseFocusReason)
        super().mousePressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.editor.can_attach(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if self.editor.attach_from(event.mimeData()):
            event.acceptProposedAction()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        area, radius = QRectF(self.rect()), theme.tokens.radius.card
        paint_box(
            painter,
            area,
            radius,
            fill=theme.colour("card"),
            border=theme.colour("accent" if self.editor.hasFocus() else "line"),
        )
        if self._has_keyboard_focus:
            paint_focus_ring(painter, area, radius, theme.colour("accent"))

    def _build(self) -> None:
        self.stop_button.hide()
        row = bare_row(spacing_px=12)
        self._chips = QHBoxLayout()
        self._chips.setSpacing(6)
        self._chips.addWidget(self.add_button)
        self._last_chip = self.add_button
        row.addLayout(self._chips)
        row.addWidget(self.notice, 1)
        row.addWidget(self._tokens)
        row.addWidget(self.send_button)
        row.addWidget(self.stop_button)
        column = QVBoxLayout(self)
        set_margins(column, 16, 15, 12, 8)
        column.setSpacing(14)
        column.addWidget(self.editor)
        column.addLayout(row)
        self.setTabOrder(self.editor, self.add_button)
        self.setTabOrder(self.add_button, self.send_button)
        self.setTabOrder(self.send_button, self.stop_button)

    def _connect(self) -> None:
        self.editor.sendPressed.connect(self._send)
        self.editor.stopPressed.connect(self.stopRequested)
        self.editor.editLastPressed.connect(self.editLastRequested)
        self.editor.focusChanged.connect(self._on_editor_focus_changed)
        self.editor.writtenChanged.connect(self._on_editor_written_changed)
        self.editor.document().documentLayout().documentSizeChanged.connect(self._fit_height)
        self.files.changed.connect(self._on_files_changed)
        self.editor.filesOffered.connect(self.filesOffered)
        self.editor.imageOffered.connect(self.imageOffered)
        self.add_button.clicked.connect(self.addRequested)
        self.send_button.clicked.connect(self._send)
        self.send_button.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.send_button.customContextMenuRequested.connect(self._open_send_menu)
        self.stop_button.clicked.connect(self.stopRequested)
        self._theme.changed.connect(self._on_theme_changed)
        self.set_send_on_enter(True)

    def _send(self) -> None:
        if self.files.is_copying:
            self.files.hold_back()
        elif self.send_button.isEnabled():
            self.sendRequested.emit(self.text())

    def add_as_note(self) -> None:
        """Emit the written text as a note, which asks for no answer."""
        if self.is_streaming:
            self.notice.show_passing(tr("Wait for the answer, or press Esc to stop it. Your text is kept."))
        elif self.send_button.isEnabled():
            self.noteRequested.emit(self.text())

    def _open_send_menu(self, place: QPoint) -> None:
        menu = DangerMenu(self._theme.colour, self.send_button)
        menu.setObjectName("sendMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.set_icon(menu.addAction(tr("Send"), self._send), "arrow-up")
        menu.set_icon(menu.addAction(tr("Add as note"), self.add_as_note), "pencil")
        round_corners(menu, self._theme.tokens.radius.row)
        menu.popup(self.send_button.mapToGlobal(place))

    def _on_editor_focus_changed(self, is_by_keyboard: bool) -> None:
        # While one types a thin line is enough; one who walks by Tab needs the full ring.
        self._has_keyboard_focus = is_by_keyboard
        self.update()

    def _on_editor_written_changed(self) -> None:
        self.files.forget_held_back()
        self._update_send()
        self.textChanged.emit()

    def _on_files_changed(self) -> None:
        self._update_send()
        self.textChanged.emit()

    def _update_send(self) -> None:
        size_bytes = self._size_bytes()
        is_too_large = size_bytes > self._size_limit_bytes
        has_content = bool(self.files.attached) or not self.editor.is_blank()
        can_send = self.can_write and not is_too_large and not self.files.is_copying
        self.send_button.setEnabled(can_send and has_content)
        self._show_buttons()
        size, limit = exact_size_text(size_bytes), exact_size_text(self._size_limit_bytes)
        words = tr("{size} is more than one message can hold ({limit}). Split the text.", size=size, limit=limit)
        self.notice.set_too_large(words if is_too_large else "")
        if self._refusal:
            self._show_refusal()

    def _show_refusal(self) -> None:
        self.notice.set_refusal("" if self.editor.is_blank() else self._refusal)

    def _show_buttons(self) -> None:
        """Show *Stop* and *Send*. *Stop* never moves while it is shown: a press that is meant for it must not send."""
        self.stop_button.setVisible(self.is_streaming)
        self.send_button.setVisible(not self.is_streaming or self.send_button.isEnabled())

    def _name_send(self) -> None:
        keys = "Enter" if self.editor.is_send_on_enter else "Ctrl+Enter"
        name = tr("Send after the answer") if self.is_streaming else tr("Send")
        self.send_button.set_name(name, tooltip=f"{name} ({keys})")

    def _size_bytes(self) -> int:
        """Exact near the limit, else a cheap lower bound."""
        length = self.editor.approximate_length()
        if length * _UTF8_BYTES_PER_UNIT <= self._size_limit_bytes:
            return 0
        return len(self.text().encode("utf-8", "surrogatepass"))

    def _fit_height(self, *_size: object) -> None:
        """Make the composer as tall as its text, up to a third of the window; then the editor scrolls."""
        line_px = self.editor.fontMetrics().lineSpacing()
        # A plain text document measures its height in lines.
        lines = max(1, round(self.editor.document().size().height()))
        layout = self.layout()
        assert layout is not None
        margins = layout.contentsMargins()
        button_px = self.send_button.sizeHint().height()
        rest_px = margins.top() + margins.bottom() + layout.spacing() + button_px
        for row_px in (*self.above.heights_px, self.files.height_px):
            rest_px += row_px + layout.spacing() if row_px else 0
        most_lines = max(_MIN_LINES, (self.window().height() // 3 - rest_px) // line_px)
        is_scrolled = lines > most_lines
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if is_scrolled else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        if self.editor.verticalScrollBarPolicy() is not policy:
            self.editor.setVerticalScrollBarPolicy(policy)
        height_px = min(lines, most_lines) * line_px + 2
        if self.editor.height() != height_px or self.height() != height_px + rest_px:
            self.editor.setFixedHeight(height_px)
            self.setFixedHeight(height_px + rest_px)
            self.editor.ensureCursorVisible()

    def _on_theme_changed(self) -> None:
        self.editor.viewport().setFont(self._theme.font("text"))  # for the placeholder
        self._fit_to_theme()

    def _fit_to_theme(self) -> None:
        self.editor.setFont(self._theme.font("text"))
        # as wide as the column of the thread
        self.setMaximumWidth(round(COMPOSER_WIDTH_PX * max(1.0, self._theme.scale)))
        self._fit_height()
        self.update()
