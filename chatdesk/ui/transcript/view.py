"""The transcript widget: a scroll area that lays out and paints only the part of a thread that is in view.

The widget knows nothing of where messages are stored, how Markdown is read, or what its signals do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QWidget

from chatdesk.core.domain.context import ContextLandmarks
from chatdesk.core.domain.message import Message, MessagePage
from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.accessibility.interfaces import give_interfaces
from chatdesk.ui.transcript.accessible import tree
from chatdesk.ui.transcript.accessible.accessible_actions import AccessibleActions
from chatdesk.ui.transcript.accessible.view import ReadableView
from chatdesk.ui.transcript.contract import (
    BlockRenderer,
    MessageFetcher,
    ModelName,
    PictureLoaderLike,
    ScrollAnchor,
    SharedWith,
    SizesFetcher,
    ThreadFinder,
)
from chatdesk.ui.transcript.copying.clipboard import Clipboard
from chatdesk.ui.transcript.copying.selection import Selection
from chatdesk.ui.transcript.copying.selection_loader import SelectionLoader
from chatdesk.ui.transcript.drawing.transcript_style import ThemeLike, TranscriptStyle
from chatdesk.ui.transcript.input.actions import Actions
from chatdesk.ui.transcript.input.caret import Caret
from chatdesk.ui.transcript.input.dragging import Dragging
from chatdesk.ui.transcript.input.finding import Finding
from chatdesk.ui.transcript.input.keyboard import command_of
from chatdesk.ui.transcript.input.link_status import LinkStatus
from chatdesk.ui.transcript.input.message_focus import MessageFocus
from chatdesk.ui.transcript.input.mouse import Mouse
from chatdesk.ui.transcript.input.pointer import Pointer
from chatdesk.ui.transcript.input.touch import TOUCH_EVENTS, Touch
from chatdesk.ui.transcript.input.wheel import Wheel
from chatdesk.ui.transcript.layout.answer_progress import AnswerProgress
from chatdesk.ui.transcript.layout.conversation import Conversation
from chatdesk.ui.transcript.layout.flash import Flash
from chatdesk.ui.transcript.layout.pages import Pages
from chatdesk.ui.transcript.layout.pill import JumpPill
from chatdesk.ui.transcript.layout.scroll_bar import ThreadScrollBar
from chatdesk.ui.transcript.layout.scroll_bar_sizes import ScrollBarSizes
from chatdesk.ui.transcript.layout.scrolling import Scrolling
from chatdesk.ui.transcript.layout.thread_end import ThreadEnd
from chatdesk.ui.transcript.layout.ticking import Ticking
from chatdesk.ui.transcript.layout.unread import Unread
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.transcript.painting.canvas import Canvas
from chatdesk.ui.transcript.speech.narration import Narrator, ReadAloud
from chatdesk.ui.transcript.warm_up import WarmUp


class TranscriptView(ReadableView):
    """A scroll area that shows the messages of one thread; ``actionRequested`` asks for what it cannot do itself."""

    copyRequested = Signal(str)  # the text
    quoteRequested = Signal(str)  # Markdown
    actionRequested = Signal(str, str)  # an action of the catalogue or of a notice, and the message
    linkActivated = Signal(str)  # the target
    saveRequested = Signal(str, str)  # a text and a file name
    fileRequested = Signal(str, object)  # what for (file-open, -save, -folder, -copy), and the Attachment
    anchorChanged = Signal()
    announced = Signal(str)  # a sentence for screen readers
    laidOut = Signal()

    def __init__(
        self,
        fetch: MessageFetcher,
        renderer: BlockRenderer,
        theme: ThemeLike,
        parent: QWidget | None = None,
        *,
        sizes: SizesFetcher | None = None,
        find: ThreadFinder | None = None,
    ) -> None:
        super().__init__(parent)
        give_interfaces(TranscriptView, tree.TranscriptAccessible)
        self.setObjectName("transcript")
        self.setAccessibleName("Transcript")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        self._theme = theme
        self._build_rooms(fetch, renderer)
        self._viewport_layout.laidOut.connect(self.laidOut)
        self._finding = Finding(
            self, self._viewport_layout, conversation=self._conversation, scrolling=self._scrolling, find=find
        )
        self._warm_up = WarmUp(lambda: self._viewport_layout.style, self)
        self._flash = Flash(self._viewport_layout, lambda: self._theme.is_motion_reduced)
        Ticking(self._viewport_layout)
        ThreadEnd(self._viewport_layout, self._conversation)
        self._unread = Unread(self, self._viewport_layout, self._conversation)
        self._dragging = Dragging(self, self._viewport_layout, pointer=self._pointer, selection=self._selection)
        self._mouse = Mouse(
            self._viewport_layout,
            pointer=self._pointer,
            dragging=self._dragging,
            message_focus=self._message_focus,
            actions=self._actions,
            link_status=self._link_status,
        )
        self._canvas = Canvas(
            self._viewport_layout,
            selection=self._selection,
            message_focus=self._message_focus,
            finding=self._finding,
            caret=self._caret,
            flash=self._flash,
        )
        self._connect_rooms()
        if sizes is not None:
            ScrollBarSizes(self._viewport_layout, self._conversation, self._scrolling, sizes)
        self._finding.bar.set_style(self._viewport_layout.style)
        self._link_status.set_style(self._viewport_layout.style)
        theme.changed.connect(self._on_theme_changed)

    def _build_rooms(self, fetch: MessageFetcher, renderer: BlockRenderer) -> None:
        viewport_layout = self._viewport_layout = ViewportLayout(
            self, renderer, TranscriptStyle(self._theme, is_mirrored=self.isRightToLeft())
        )
        self._layout = viewport_layout.layout
        self._bar = ThreadScrollBar(viewport_layout.style, self)
        self.setVerticalScrollBar(self._bar)
        self._pill = JumpPill(self, viewport_layout.style)
        self._link_status = LinkStatus(self)  # no child of the viewport: those move when its picture is moved
        pages = Pages(fetch)
        self._scrolling = Scrolling(
            self, viewport_layout, pages, pill=self._pill, is_motion_reduced=lambda: self._theme.is_motion_reduced
        )
        self._narrator = Narrator(renderer, self._announce)
        self._conversation = Conversation(
            viewport_layout, pages, scrolling=self._scrolling, renderer=renderer, narrator=self._narrator
        )
        self._selection = Selection(self._layout)
        self._pointer = Pointer(viewport_layout, self._selection, self._scrolling.by)
        self._message_focus = MessageFocus(self, viewport_layout, scrolling=self._scrolling, pointer=self._pointer)
        self._wheel = Wheel(viewport_layout, self._scrolling, self._pointer)
        self._touch = Touch(self, self._scrolling)
        self._caret = Caret(
            viewport_layout, self._selection, scrolling=self._scrolling, message_focus=self._message_focus
        )
        self._clipboard = Clipboard(self._selection, SelectionLoader(self._layout, fetch, renderer, self))
        self._actions = Actions(
            self,
            viewport_layout,
            conversation=self._conversation,
            scrolling=self._scrolling,
            message_focus=self._message_focus,
            selection=self._selection,
            caret=self._caret,
            clipboard=self._clipboard,
        )
        self.accessible_actions = AccessibleActions(
            viewport_layout,
            message_focus=self._message_focus,
            actions=self._actions,
            scrolling=self._scrolling,
            selection=self._selection,
            caret=self._caret,
        )

    def _connect_rooms(self) -> None:
        self._viewport_layout.overlays = (self._pill, self._finding.bar, self._link_status)
        self._scrolling.rested.connect(self.anchorChanged)
        self._conversation.cleared.connect(self._on_conversation_cleared)
        self._conversation.changed.connect(self._on_conversation_changed)
        self._conversation.stateChanged.connect(lambda entry: tree.busy_changed(self, entry))
        self._touch.tapped.connect(self._on_touch_tapped)
        self._touch.rested.connect(self._show_menu_at)
        self._clipboard.copied.connect(self.copyRequested)
        self._clipboard.announced.connect(self._announce)
        self._finding.announced.connect(self._announce)
        self._actions.linkActivated.connect(self.linkActivated)
        self._actions.saveRequested.connect(self.saveRequested)
        self._actions.fileRequested.connect(self.fileRequested)
        self._actions.caretMoved.connect(lambda: tree.caret_moved(self))
        self._actions.walked.connect(lambda _entry: tree.focus_changed(self))
        self._actions.quoted.connect(self.quoteRequested)
        self._actions.requested.connect(self.actionRequested)

    # What is shown

    @property
    def thread_id(self) -> str | None:
        return self._conversation.thread_id

    @property
    def entries(self) -> tuple[MessageEntry, ...]:
        """The loaded messages, for the accessible tree and for tests."""
        return tuple(self._layout.entries)

    @property
    def whole_height(self) -> float | None:
        """The height of the thread in px, None while part of it is out of view; it changes with ``laidOut``."""
        return self._layout.whole_height

    @property
    def total(self) -> int:
        """The number of messages of the thread, as far as it is known."""
        return len(self._layout.scale)

    def show_thread(self, thread_id: str | None, anchor: ScrollAnchor | None = None) -> None:
        """Show a thread at the place where the reader left it, or at its end; ``None`` clears the view."""
        self._conversation.show_thread(thread_id, anchor)

    def warm_up(self) -> None:
        """Load what messages are drawn with in the background, because a thread will be opened soon."""
        self._warm_up.begin()

    def show_thread_at(self, thread_id: str, message_id: str) -> None:
        """Show a thread from the beginning of one of its messages on."""
        self.show_thread(thread_id, ScrollAnchor(message_id, 0.0, False))

    def add_message(self, message: Message) -> None:
        """Add a message at the end of the shown path."""
        self._conversation.add_message(message)

    def prepare_message(self, message: Message) -> bool:
        """Render a message that will be added soon, so that it is drawn once; return whether it is ready."""
        return self._conversation.prepare(message)

    def change_message(self, message: Message) -> None:
        """Show a newer state of a message; laid-out blocks stay when its text did not change."""
        self._conversation.change_message(message)

    def append_text(self, message_id: str, part_index: int, kind: str, delta: str) -> None:
        """Append a piece of text to a part of a message; it is shown within a frame."""
        self._conversation.append_text(message_id, part_index, kind, delta)

    def show_ahead(self, page: MessagePage, parent_id: str | None) -> bool:
        """Show a page below ``parent_id`` (None: as the whole path) before it is stored; return whether it is shown."""
        self._selection.clear()
        return self._conversation.show_ahead(page, parent_id)

    def confirm_ahead(self) -> None:
        """Treat the page given to ``show_ahead`` as the stored path."""
        self._conversation.confirm()

    def reload_from(self, message_id: str | None) -> None:
        """Load the path again from ``message_id`` on (None: all of it), because it has changed there."""
        self._selection.clear()
        self._conversation.reload_from(message_id)

    def set_landmarks(self, landmarks: ContextLandmarks) -> None:
        """Set the lines between messages that mark where the context starts and where summaries end."""
        self._conversation.set_landmarks(landmarks)

    @property
    def progress(self) -> AnswerProgress:
        """The answers, of any thread, that wait to be requested, were requested, or wait for another attempt."""
        return self._conversation.progress

    def mark_edited(self, message_id: str | None) -> None:
        """Mark the message of which the reader is writing a new version; None removes the mark."""
        self._conversation.mark_edited(message_id)

    def set_model_name(self, model_name: ModelName) -> None:
        """Set the function that names the model above an answer; call again when a name may have changed."""
        self._conversation.set_model_name(model_name)

    def set_shared(self, shared: SharedWith | None) -> None:
        """Set the names and rights of a shared thread; None means that the thread is private."""
        self._conversation.set_shared(shared)

    def set_file_states(self, state_of: Callable[[str], str]) -> None:
        """Set the function that says why the file with a SHA-256 sum is not here: "fetching", "missing", or ""."""
        self._viewport_layout.file_state = state_of
        self._viewport_layout.relayout()

    @property
    def is_at_end(self) -> bool:
        """True while the reader sees the newest message."""
        return self._layout.is_at_end and not self._layout.has_newer

    def set_plain_questions(self, are_plain: bool) -> None:
        """Show questions as they were written instead of as Markdown, or as Markdown again."""
        if are_plain != self._viewport_layout.has_plain_questions:
            self._viewport_layout.has_plain_questions = are_plain
            if self.thread_id is not None:
                self.show_thread(self.thread_id, self.scroll_anchor())

    def set_pictures(self, loader: PictureLoaderLike) -> None:
        """Set the loader of pictures; without one only the empty places of pictures are shown."""
        self._viewport_layout.pictures = loader
        self._viewport_layout.relayout()

    def set_reading(self, mode: ReadAloud) -> None:
        """Set how much of an answer a screen reader is given to say."""
        self._narrator.mode = mode

    def foot_of(self, message_id: str) -> QPoint:
        """Return the point on the screen, below the visible part of a message, where a popup about it opens."""
        entry = self._conversation.find(message_id)
        area = self._viewport_layout.rect_of(entry) if entry is not None else QRect()
        return area.bottomLeft() if not area.isEmpty() else self.viewport().mapToGlobal(self.viewport().rect().center())

    # The reader's place

    def scroll_anchor(self) -> ScrollAnchor:
        return self._scrolling.anchor()

    def current_message_id(self) -> str | None:
        """Return the id of the message that keys act on: the one walked to, else the one at the top of the view."""
        entry = self._message_focus.acting
        return entry.message.id if entry is not None else None

    def jump_to(self, message_id: str) -> None:
        """Bring a message to the top of the view, make it the current one and light it up for a moment."""
        if self.thread_id is not None:
            self._message_focus.walk_to(message_id)
            self._scrolling.to_message(message_id)
            self._flash.start(message_id)

    def show_found(self, message_id: str, text: str) -> None:
        """Show a message that a search found: light it up, make it the current one, and mark ``text`` in it."""
        if self.thread_id is not None:
            self._message_focus.walk_to(message_id)
            self._flash.start(message_id)
            self._finding.show(text, message_id)

    def scroll_to_end(self) -> None:
        self._scrolling.to_end()

    def scroll_by(self, delta: float) -> None:
        """Scroll down by ``delta`` px, or up when it is negative."""
        self._scrolling.by(delta)

    def act(self, *names: str) -> bool:
        """Run the first of these actions that a message offers, the one walked to first; return whether one did."""
        return self._actions.act(*names)

    def offered(self, *names: str) -> str | None:
        """Return the one of these actions that ``act`` would run now, or None."""
        return self._actions.offered(*names)

    def copy_as(self, form: str) -> None:
        """Copy the selection, else the message that keys act on; ``form`` is one of ``clipboard.FORMS``."""
        self._clipboard.copy(self.thread_id, self._message_focus.acting, form=form)

    def quote(self) -> None:
        """Have the selection quoted, else the message that keys act on; parts may have to be fetched first."""
        self._actions.quote()

    def set_quick_actions(self, named: Sequence[tuple[str, str]]) -> None:
        """Set the ids and names of a person's own prompts that an answer offers in its menu and below the last one."""
        self._conversation.set_quick_actions(named)

    def selected_text(self, deliver: Callable[[str], None]) -> None:
        """Deliver the selection as plain text, fetching parts first if need be; empty when nothing is selected."""
        self._clipboard.selected_text(self.thread_id, deliver)

    def open_find(self) -> None:
        """Show the bar that looks for words in this thread."""
        if self.thread_id is not None:
            self._finding.open()

    def find_step(self, step: int) -> None:
        """Go to the next match, or with -1 to the one before."""
        if self.thread_id is not None:
            self._finding.step(step)

    def column_left(self) -> float:
        return self._viewport_layout.column_left

    def message_rect(self, entry: MessageEntry) -> QRect:
        """Return the rectangle of a message on the screen, empty when it is not in view."""
        return self._viewport_layout.rect_of(entry)

    # Qt's events

    def paintEvent(self, event: QPaintEvent) -> None:
        self._canvas.paint(self.viewport(), event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._finding.bar.place(self.viewport().size())
        self._viewport_layout.relayout()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self._scrolling.bar_moved()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._conversation.feeds.set_visible(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._conversation.feeds.set_visible(False)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._viewport_layout.repaint()
        tree.focus_arrived(self)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._viewport_layout.repaint()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._wheel.turn(event)
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() in TOUCH_EVENTS and self._touch.handle(event):  # type: ignore[arg-type]
            event.accept()
            return True
        return bool(super().viewportEvent(event))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._mouse.press(event.position(), extends=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._mouse.move(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._mouse.release(event.position())

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._mouse.leave()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self._show_menu_at(QPointF(event.pos()))

    def event(self, event: QEvent) -> bool:
        is_shortcut = event.type() is QEvent.Type.ShortcutOverride
        if is_shortcut and isinstance(event, QKeyEvent) and command_of(event) not in (None, "escape"):
            event.accept()  # not Esc, which first of all stops an answer
            return True
        if event.type() is QEvent.Type.LayoutDirectionChange:
            self._on_theme_changed()
        if event.type() in (QEvent.Type.WindowActivate, QEvent.Type.WindowDeactivate):
            self._unread.update_timer()
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._viewport_layout.ensure_laid_out()
        command = command_of(event)
        if command is None or not self._actions.run_command(command):
            event.ignore()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab walks through the buttons of the current message before it leaves the transcript."""
        has_stepped = self._message_focus.step_stop(forward=forward)
        self._link_status.show_target(self._message_focus.target)
        if has_stepped:
            tree.focus_changed(self)
            return True
        return bool(super().focusNextPrevChild(forward))

    # What the rooms say

    def _on_conversation_changed(self) -> None:
        tree.children_changed(self)
        if self._message_focus.mend() and self.hasFocus():
            tree.focus_arrived(self)

    def _on_conversation_cleared(self, is_same_thread: bool) -> None:
        self._selection.clear()
        self._clipboard.forget()
        self._flash.stop()
        self._message_focus.forget(keeps_place=is_same_thread)
        tree.children_changed(self)
        if self.hasFocus():
            tree.focus_arrived(self)

    def _on_touch_tapped(self, point: QPointF) -> None:
        hit = self._pointer.hit(point)
        if hit is not None:
            self._actions.press(hit)

    def _show_menu_at(self, point: QPointF) -> None:
        hit = self._pointer.hit(point)
        entry = hit.entry if hit is not None else self._viewport_layout.entry_at(point.y())
        if entry is not None:
            self._actions.show_menu(entry, self._viewport_layout.to_global(point.x(), point.y()))

    def _on_theme_changed(self) -> None:
        style = TranscriptStyle(
            self._theme, device_pixel_ratio=self.devicePixelRatioF(), is_mirrored=self.isRightToLeft()
        )
        self._pill.set_style(style)
        self._bar.set_style(style)
        self._finding.bar.set_style(style)
        self._link_status.set_style(style)
        self._viewport_layout.set_style(style)

    def _announce(self, sentence: str, is_assertive: bool = False) -> None:
        self.announced.emit(sentence)
        announce(self, sentence, is_assertive=is_assertive)
