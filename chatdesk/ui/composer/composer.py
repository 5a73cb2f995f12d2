"""The card at the bottom in which a message is written, sent and stopped.

It never clears itself: the text stays until the caller knows that the message is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt, QTimer, Signal
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

from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.composer.text_editor import TextEditor
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.icons import icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import COMPOSER_WIDTH_PX
from chatdesk.ui.widgets.buttons import IconButton
from chatdesk.ui.widgets.elided_label import ElidedLabel
from chatdesk.ui.widgets.painting import paint_box, paint_focus_ring

if TYPE_CHECKING:
    from chatdesk.core.domain.attachment import Attachment
    from chatdesk.ui.composer.attachments import AttachmentShelf
    from chatdesk.ui.composer.state_bar import StateBar
    from chatdesk.ui.composer.waiting_questions import WaitingQuestionRow, WaitingQuestions

DEFAULT_SIZE_LIMIT_BYTES: Final = 1024 * 1024
_BUTTON_PX = 32
_MIN_LINES = 2  # even in a very low window
_NOTICE_MS = 5000
_UTF8_BYTES_PER_UNIT = 3  # at most, for one UTF-16 unit


class Composer(QWidget):
    """``sendRequested`` carries the text exactly as written; ``attached`` goes with it. ``textChanged`` tells of both.
    ``filesOffered`` carries paths, ``imageOffered`` a ``QImage``: dropped or pasted here."""

    sendRequested = Signal(str)
    noteRequested = Signal(str)
    stopRequested = Signal()
    textChanged = Signal()
    editLastRequested = Signal()
    stateLeft = Signal()
    promptsRequested = Signal()
    parametersRequested = Signal()
    attachRequested = Signal()
    filesOffered = Signal(list)
    imageOffered = Signal(object)
    shelfMade = Signal(object)
    waitingMade = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_streaming = False
        self._is_usable = True
        self._is_too_large = False
        self._offline_words = ""
        self._reminder = ""
        self._refusal = ""
        self._placeholder = ""
        self._has_keyboard_focus = False
        self._size_limit_bytes = DEFAULT_SIZE_LIMIT_BYTES
        self._shelf: AttachmentShelf | None = None
        self._files_to_send = 0  # with a message that waits for them
        self._state: StateBar | None = None
        self._waiting: WaitingQuestions | None = None
        self.setObjectName("composerCard")
        self.setAcceptDrops(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.editor = TextEditor()
        self.editor.setObjectName("composer")
        self.editor.setAccessibleName("Message")
        self.send_button = IconButton(
            theme, "arrow-up", name="Send", object_name="sendButton", is_filled=True, side_px=_BUTTON_PX
        )
        self.stop_button = IconButton(
            theme, "square", name="Stop", object_name="stopButton", is_filled=True, side_px=_BUTTON_PX
        )
        self.stop_button.set_name("Stop the answer", tooltip="Stop the answer (Esc)")
        self.attach_button = IconButton(theme, "paperclip", name="Attach files", object_name="attachButton")
        self.prompts_button = IconButton(theme, "wand", name="Insert a prompt", object_name="promptsButton")
        self.prompts_button.set_name("Insert a prompt", tooltip="Insert a prompt (/ in an empty line)")
        self.parameters_button = IconButton(
            theme, "wrench", name="Parameters: how answers are made", object_name="parametersButton"
        )
        self._notice = ElidedLabel(theme, role="muted")
        self._notice.setObjectName("composerNotice")
        self._tokens = ElidedLabel(theme, role="muted")
        self._tokens.setObjectName("tokenCount")
        self._notice_timer = QTimer(self)
        self._notice_timer.setSingleShot(True)
        self._notice_timer.timeout.connect(self._show_standing_notice)
        self._build()
        self._connect()
        self._fit_to_theme()  # the viewport has the application's font
        self._update_send()

    # Text

    def text(self) -> str:
        return self.editor.written()

    def set_text(self, text: str) -> None:
        """Replace all text; the cursor goes to the end."""
        self.editor.replace_all(text)

    def clear(self) -> None:
        """Text and attachments."""
        self.set_attached(())
        self.editor.replace_all("")

    def insert_text(self, text: str) -> None:
        """Insert text at the cursor, as if typed."""
        self.editor.insert_written(text)

    def insert_quote(self, markdown: str) -> None:
        """Insert a quote as a paragraph of its own at the cursor; what stands there stays, also what is selected."""
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

    # Attachments

    @property
    def attached(self) -> tuple[Attachment, ...]:
        """The attachments that go with the text, without those that are still being copied."""
        return () if self._shelf is None else self._shelf.attached

    @property
    def attached_count(self) -> int:
        """The number of attachments, with those that are still being copied."""
        return 0 if self._shelf is None else self._shelf.count

    def set_attached(self, attachments: Sequence[Attachment]) -> None:
        """Replace all attachments."""
        self._files_to_send = 0
        if attachments or self._shelf is not None:
            self.shelf.show_attached(attachments)

    @property
    def shelf(self) -> AttachmentShelf:
        """The row of attachments, created when it is first needed."""
        if self._shelf is None:
            from chatdesk.ui.composer.attachments import AttachmentShelf

            self._shelf = AttachmentShelf(self._theme, self)
            self._shelf.changed.connect(self._on_shelf_changed)
            self._shelf.heightChanged.connect(self._fit_height)
            self._shelf.left.connect(lambda: self.editor.setFocus(Qt.FocusReason.OtherFocusReason))
            self._shelf.hide()
            column = self.layout()
            assert isinstance(column, QVBoxLayout)
            column.insertWidget(0, self._shelf)
            self.setTabOrder(self._shelf, self.editor)
            self.shelfMade.emit(self._shelf)
        return self._shelf

    # State

    @property
    def is_streaming(self) -> bool:
        return self._is_streaming

    def set_streaming(self, is_streaming: bool) -> None:
        """Show the stop button in the send button's place while an answer arrives; what is sent meanwhile waits for its
        end, so that the send button comes back beside it with the first word."""
        if is_streaming == self._is_streaming:
            return
        had_focus = self.send_button.hasFocus() or self.stop_button.hasFocus()
        self._is_streaming = is_streaming
        self.editor.is_stop_offered = is_streaming
        self._show_buttons()
        self._name_send()
        if had_focus:
            self.editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self._show_standing_notice()

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
        self._show_standing_notice()

    def _lock(self) -> None:
        is_open = self._is_usable and not self._refusal
        self.editor.set_locked(not is_open)
        self.prompts_button.setEnabled(is_open)
        self.attach_button.setEnabled(is_open)
        self._update_send()

    def set_placeholder(self, text: str) -> None:
        self._placeholder = text
        self.editor.setPlaceholderText(self._refusal or text)
        # Qt repaints only when the placeholder appears or goes: the old words would stay below the new ones.
        if self.editor.isVisible():
            self.editor.viewport().update()

    def set_send_on_enter(self, is_sent: bool) -> None:
        """Set whether Enter sends; if not, Ctrl+Enter sends. Shift+Enter always begins a new line."""
        self.editor.is_send_on_enter = is_sent
        self._name_send()

    def set_token_count(self, text: str) -> None:
        """Show a token count such as "1,412 tokens"; empty for none."""
        self._tokens.setText(text)

    def set_offline(self, words: str) -> None:
        """Show a sentence below the text while there is no connection; empty when there is one."""
        if words == self._offline_words:
            return
        if words and not self._offline_words:
            announce(self, words)
        self._offline_words = words
        self._show_standing_notice()

    def set_reminder(self, words: str) -> None:
        """Set what to know before the next question, shown while nothing is more urgent; empty for none."""
        if words == self._reminder:
            return
        if words:
            announce(self, words)
        self._reminder = words
        self._show_standing_notice()

    def set_state(self, text: str, *, leave: str = "") -> None:
        """Show above the text what sending will do when that is unusual; ``leave`` labels the button that ends it.
        Empty means that sending works as usual."""
        if self._state is None:
            if not text:
                return
            from chatdesk.ui.composer.state_bar import StateBar

            self._state = StateBar(self._theme, self)
            self._state.left.connect(self.stateLeft)
            column = self.layout()
            assert isinstance(column, QVBoxLayout)
            column.insertWidget(0, self._state)
            self.setTabOrder(self._state.button, self.editor)
        is_new = bool(text) and text != self._state.text
        self._state.show_state(text, leave=leave)
        self._state.setVisible(bool(text))
        self._fit_height()
        if is_new:
            announce(self, text)

    def set_waiting(self, rows: Sequence[WaitingQuestionRow], words: str) -> None:
        """Show the questions that wait for the end of the answer, above everything, and when they are sent."""
        if self._waiting is None:
            if not rows:
                return
            from chatdesk.ui.composer.waiting_questions import WaitingQuestions

            self._waiting = WaitingQuestions(self._theme, self)
            self._waiting.left.connect(lambda: self.editor.setFocus(Qt.FocusReason.OtherFocusReason))
            column = self.layout()
            assert isinstance(column, QVBoxLayout)
            column.insertWidget(0, self._waiting)
            self.setTabOrder(self._waiting, self.editor)
            self.waitingMade.emit(self._waiting)
        before = len(self._waiting.texts)
        if self._waiting.show_rows(rows, words):
            self._waiting.setVisible(bool(rows))
            self._fit_height()
            if len(rows) > before:
                announce(self, f"{words} {rows[-1].text}")

    def set_size_limit(self, limit_bytes: int) -> None:
        """Set the size above which a message cannot be sent; the composer then says so."""
        self._size_limit_bytes = limit_bytes
        self._update_send()

    def show_notice(self, text: str) -> None:
        """Show a few words below the text for a few seconds."""
        self._set_notice(text, is_danger=False)
        self._notice_timer.start(_NOTICE_MS)
        announce(self, text)

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
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        tools = QHBoxLayout()
        tools.setSpacing(0)
        tools.addWidget(self.attach_button)
        tools.addWidget(self.prompts_button)
        tools.addWidget(self.parameters_button)
        row.addLayout(tools)
        row.addWidget(self._notice, 1)
        row.addWidget(self._tokens)
        row.addWidget(self.send_button)
        row.addWidget(self.stop_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 15, 12, 8)
        column.setSpacing(14)
        column.addWidget(self.editor)
        column.addLayout(row)
        self.setTabOrder(self.editor, self.attach_button)
        self.setTabOrder(self.attach_button, self.prompts_button)
        self.setTabOrder(self.prompts_button, self.parameters_button)
        self.setTabOrder(self.parameters_button, self.send_button)
        self.setTabOrder(self.send_button, self.stop_button)

    def _connect(self) -> None:
        self.editor.sendPressed.connect(self._send)
        self.editor.stopPressed.connect(self.stopRequested)
        self.editor.editLastPressed.connect(self.editLastRequested)
        self.editor.focusChanged.connect(self._on_editor_focus_changed)
        self.editor.writtenChanged.connect(self._on_editor_written_changed)
        self.editor.document().documentLayout().documentSizeChanged.connect(self._fit_height)
        self.editor.filesOffered.connect(self.filesOffered)
        self.editor.imageOffered.connect(self.imageOffered)
        self.attach_button.clicked.connect(self.attachRequested)
        self.prompts_button.clicked.connect(self.promptsRequested)
        self.parameters_button.clicked.connect(self.parametersRequested)
        self.send_button.clicked.connect(self._send)
        self.send_button.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.send_button.customContextMenuRequested.connect(self._open_send_menu)
        self.stop_button.clicked.connect(self.stopRequested)
        self._theme.changed.connect(self._on_theme_changed)
        self.set_send_on_enter(True)

    def _send(self) -> None:
        if self._is_copying():
            self._files_to_send = self.attached_count
            self.show_notice("The files are still being copied. The message is sent when they are there.")
        elif self.send_button.isEnabled():
            self.sendRequested.emit(self.text())

    def add_as_note(self) -> None:
        """Give away what is written as a note, which asks for no answer."""
        if self._is_streaming:
            self.show_notice("Wait for the answer, or press Esc to stop it. Your text is kept.")
        elif self.send_button.isEnabled():
            self.noteRequested.emit(self.text())

    def _open_send_menu(self, place: QPoint) -> None:
        from PySide6.QtWidgets import QMenu

        menu = QMenu(self)
        menu.setObjectName("sendMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(icon("arrow-up", self._theme.colour("muted")), "Send", self._send)
        menu.addAction(icon("pencil", self._theme.colour("muted")), "Add as note", self.add_as_note)
        round_corners(menu, self._theme.tokens.radius.row)
        menu.popup(self.send_button.mapToGlobal(place))

    def _on_editor_focus_changed(self, is_by_keyboard: bool) -> None:
        # While one types a thin line is enough; one who walks by Tab needs the full ring.
        self._has_keyboard_focus = is_by_keyboard
        self.update()

    def _send_after_waiting(self) -> None:
        """Send what was held back while files were being copied, unless there is something to say of them first."""
        wanted = self._files_to_send
        if not wanted or self._is_copying():
            return
        self._files_to_send = 0
        if self.attached_count < wanted:  # one could not be copied, or was taken away: it would be missed
            return
        if self._shelf is not None and self._shelf.note():
            self.show_notice("Not sent yet: see the note above your text, then send again.")
        else:
            self._send()

    def _on_editor_written_changed(self) -> None:
        self._files_to_send = 0  # what is still being written is sent by hand
        self._update_send()
        self.textChanged.emit()

    def _on_shelf_changed(self) -> None:
        assert self._shelf is not None
        self._shelf.setVisible(self._shelf.count > 0)
        self._fit_height()
        self._update_send()
        self.textChanged.emit()
        # Whoever describes the files begins with it in answer to the same signal.
        QTimer.singleShot(0, self._send_after_waiting)

    def _is_copying(self) -> bool:
        return self._shelf is not None and self._shelf.is_copying

    def _update_send(self) -> None:
        size_bytes = self._size_bytes()
        was_too_large, self._is_too_large = self._is_too_large, size_bytes > self._size_limit_bytes
        has_content = bool(self.attached) or not self.editor.is_blank()
        can_send = self._is_usable and not self._refusal and not self._is_too_large and not self._is_copying()
        self.send_button.setEnabled(can_send and has_content)
        self._show_buttons()
        if self._is_too_large or was_too_large or self._refusal:
            self._show_standing_notice()
        if self._is_too_large and not was_too_large:
            announce(self, self._notice.text())

    def _show_buttons(self) -> None:
        """*Stop* never moves while it is there: a press that is meant for it must not send."""
        self.stop_button.setVisible(self._is_streaming)
        self.send_button.setVisible(not self._is_streaming or self.send_button.isEnabled())

    def _name_send(self) -> None:
        keys = "Enter" if self.editor.is_send_on_enter else "Ctrl+Enter"
        name = "Send after the answer" if self._is_streaming else "Send"
        self.send_button.set_name(name, tooltip=f"{name} ({keys})")

    def _size_bytes(self) -> int:
        """Exact near the limit, else a cheap lower bound."""
        length = self.editor.approximate_length()
        if length * _UTF8_BYTES_PER_UNIT <= self._size_limit_bytes:
            return 0
        return len(self.text().encode("utf-8", "surrogatepass"))

    def _show_standing_notice(self) -> None:
        self._notice_timer.stop()
        if self._is_too_large:
            size, limit = (_in_units(value) for value in (self._size_bytes(), self._size_limit_bytes))
            self._set_notice(f"{size} is more than one message can hold ({limit}). Split the text.", is_danger=True)
        else:
            refusal = "" if self.editor.is_blank() else self._refusal
            self._set_notice(refusal or self._offline_words or self._reminder, is_danger=False)

    def _set_notice(self, text: str, *, is_danger: bool) -> None:
        self._notice.setText(text)
        self._notice.setProperty("isDanger", is_danger)
        self._notice.style().unpolish(self._notice)
        self._notice.style().polish(self._notice)

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
        if self._state is not None and not self._state.isHidden():
            rest_px += self._state.height() + layout.spacing()
        if self._waiting is not None and not self._waiting.isHidden():
            rest_px += self._waiting.height() + layout.spacing()
        if self._shelf is not None and self._shelf.count:
            rest_px += self._shelf.minimumHeight() + layout.spacing()
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
        self.editor.viewport().setFont(self._theme.font("text"))  # the placeholder is drawn in it
        self._fit_to_theme()

    def _fit_to_theme(self) -> None:
        self.editor.setFont(self._theme.font("text"))
        self.setMaximumWidth(round(COMPOSER_WIDTH_PX * max(1.0, self._theme.scale)))  # as wide as the thread's text
        self._fit_height()
        self.update()


def _in_units(size_bytes: int) -> str:
    if size_bytes < 1024 * 1024:
        return f"{size_bytes / 1024:.1f} KB"
    return f"{size_bytes / 1024 / 1024:.2f} MB"
