"""Controls the context of the next request: its fill level, live in the meter of the header while a question is typed,
and the marks and lines of the transcript that show which messages are sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import QPoint, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QLabel, QVBoxLayout, QWidget
from shiboken6 import isValid

from chatdesk.core.domain.attachment import Attachment, SentShare
from chatdesk.core.domain.context import ContextTotals
from chatdesk.core.domain.message import ContextMark
from chatdesk.core.domain.thread import Thread
from chatdesk.core.errors import ChatDeskError, DoesNotFit
from chatdesk.core.events import AnswerFinished, ContextChanged, MessageAdded, PathChanged, ProvidersChanged
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.features.inspector.inspector_binding import CONTEXT, SUMMARY, InspectorBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.widgets.focus_ring import reason_of_press
from chatdesk.ui.widgets.painting import paint_floating
from chatdesk.ui.widgets.stray_keys import press_focused
from chatdesk.ui.window.window_context import Controller, WindowContext

_SETTLE_MS = 80
_STALE = Text("The summary is out of date and not sent. Make it again to have it sent.")
_MARKS = {
    "pin": ContextMark.PINNED,
    "unpin": ContextMark.NONE,
    "exclude": ContextMark.EXCLUDED,
    "include": ContextMark.NONE,
}
_SAID = {
    ContextMark.PINNED: Text("Pinned into the context"),
    ContextMark.EXCLUDED: Text("Excluded from the context"),
    ContextMark.NONE: Text("Sent as it fits"),
}
_Key = tuple[tuple["Attachment", ...], str | None, str | None]
_MOST_KNOWN: Final = 500


class ContextBinding(Controller):
    """Counts once the typing pauses for a moment; a newer count replaces one that is under way."""

    def __init__(self, context: WindowContext, threads: ThreadBinding, inspector: InspectorBinding) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._inspector = inspector
        self._sentences: tuple[str, ...] = ()
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self._on_settle_timeout)
        threads.opened.connect(lambda _thread: self._settle.start())
        panes.composer.textChanged.connect(self._settle.start)
        panes.header.context_meter.clicked.connect(self._explain)
        for kind in (MessageAdded, PathChanged, AnswerFinished, ContextChanged):
            context.events.subscribe(self, kind, lambda _event: self._settle.start())

    def end(self) -> None:
        """Stop counting, because the window closes."""
        self._settle.timeout.disconnect(self._on_settle_timeout)
        self._settle.stop()

    @in_task("count context", replaces=True)
    async def _on_settle_timeout(self) -> None:
        thread_id, meter = self._threads.thread_id, self._panes.header.context_meter
        composer = self._panes.composer
        context = self._open_thread.chat.context
        if thread_id is None:
            meter.set_fraction(None)
            size = await context.draft_size(composer.text())
            composer.set_token_count(_tokens(size.count, is_estimate=size.is_estimate))
            return
        try:
            totals = await context.totals(thread_id, composer.text(), attachments=composer.files.attached)
        except DoesNotFit as error:
            self._sentences = (shown(error.sentence),)
            meter.set_fraction(1.0, shown(error.sentence))
            return
        except ChatDeskError:
            meter.set_fraction(None)  # said where it matters, when a question is sent
            return
        if thread_id == self._threads.thread_id:
            composer.set_token_count(_tokens(totals.draft, is_estimate=totals.is_estimate))
            self._sentences = sentences_of(totals)
            words = self._sentences[0]
            if totals.has_stale_summary:
                words = f"{words} {shown(_STALE)}"
            meter.set_fraction(totals.share, words, note=tr("summary out of date") if totals.has_stale_summary else "")

    def _explain(self) -> None:
        meter = self._panes.header.context_meter

        popover = ContextPopover(self._panes.theme, self._sentences, parent=meter)
        popover.moreRequested.connect(lambda reason: self._inspector.open(CONTEXT, reason=reason))
        popover.open_below(meter)


def _tokens(count: int, *, is_estimate: bool) -> str:
    if not count:
        return ""
    if is_estimate:
        return shown(plural("≈ {count} tokens", "≈ {count} token", count))
    return shown(plural("{count} tokens", "{count} token", count))


def sentences_of(totals: ContextTotals) -> tuple[str, ...]:
    """Return sentences that explain the context meter; the first one is the short form."""
    numbers = {"used": totals.used, "window": totals.window, "reserved": totals.reserved}
    if totals.is_estimate:
        said = [tr("About {used} of {window} tokens are taken; {reserved} are kept for the answer.", **numbers)]
    else:
        said = [tr("{used} of {window} tokens are taken; {reserved} are kept for the answer.", **numbers)]
    if totals.is_draft_too_large:
        said.append(tr("Your message alone does not fit: shorten it, attach it, or choose a larger model."))
    elif totals.pushed_out:
        said.append(
            shown(
                plural(
                    "It is full: {count} older messages stay behind because of what you are writing.",
                    "It is full: {count} older message stays behind because of what you are writing.",
                    totals.pushed_out,
                )
            )
        )
    elif totals.share > 1:
        said.append(tr("It is full: the oldest messages stay behind when you send."))
    else:
        said.append(tr("{free} tokens are free before older messages stay behind.", free=totals.free))
    if totals.has_stale_summary:
        said.append(shown(_STALE))
    if totals.is_estimate:
        said.append(tr("The count is an estimate for this model."))
    return tuple(said)


class TranscriptContext(Controller):
    """Carries out actions on messages that change the context, and keeps the context lines of the transcript up to
    date."""

    def __init__(
        self, context: WindowContext, threads: ThreadBinding, inspector: InspectorBinding, undo: UndoBinding
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._undo = undo
        for name, mark in _MARKS.items():
            panes.message_handlers.bind(name, partial(self.mark, mark=mark))
        panes.message_handlers.bind("start-here", self.start_at)
        panes.message_handlers.bind("start-at-beginning", lambda _message_id: self.start_at(None))
        panes.message_handlers.bind("show-summary", lambda _message_id: inspector.open(SUMMARY))
        threads.opened.connect(self._on_thread_opened)
        context.events.subscribe(self, ContextChanged, lambda event: self._refresh_if_open(event.thread_id))
        context.events.subscribe(self, PathChanged, lambda event: self._refresh_if_open(event.thread_id))

    @in_task("mark message")
    async def mark(self, message_id: str, mark: ContextMark) -> None:
        """Pin a message into the context, exclude it, or neither."""
        await (await self._undo.stack()).mark_message(message_id, mark)
        self._panes.commands.refresh()
        announce(self._panes.transcript, shown(_SAID[mark]))

    @in_task("start context")
    async def start_at(self, message_id: str | None) -> None:
        """Send nothing before that message; None: from the beginning."""
        thread_id = self._threads.thread_id
        if thread_id is not None:
            await (await self._undo.stack()).start_context(thread_id, message_id)
            self._panes.commands.refresh()
            said = (
                tr("The context starts here") if message_id is not None else tr("The context starts at the beginning")
            )
            announce(self._panes.transcript, said)

    def _on_thread_opened(self, thread: Thread | None) -> None:
        if thread is not None:
            self._refresh_if_open(thread.id)

    def _refresh_if_open(self, thread_id: str | None) -> None:
        """Read the landmarks again if the thread ``thread_id`` is open, or for any open thread if it is None."""
        if thread_id in (None, self._threads.thread_id):
            self._tasks.replace(self._read(), "read landmarks")

    async def _read(self) -> None:
        thread_id = self._threads.thread_id
        if thread_id is None:
            return
        landmarks = await self._open_thread.chat.context.landmarks(thread_id)
        if thread_id == self._panes.transcript.thread_id:
            self._panes.transcript.conversation.set_landmarks(landmarks)


class SentShares(Controller):
    """Finds out what became of the attachments in view, once for each question and model that answers it."""

    def __init__(self, context: WindowContext, threads: ThreadBinding) -> None:
        super().__init__(context)
        self._known: dict[_Key, Mapping[Attachment, SentShare]] = {}
        self._wanted: list[_Key] = []
        self._show()
        threads.opened.connect(lambda _thread: self._forget())
        context.events.subscribe(self, ProvidersChanged, lambda _event: self._forget())

    def _forget(self) -> None:
        self._known.clear()
        self._show()

    def _show(self) -> None:
        self._panes.transcript.parts.viewport_layout.set_shares(self._shares_of)

    def _shares_of(
        self, attachments: tuple[Attachment, ...], provider: str | None, model: str | None
    ) -> Mapping[Attachment, SentShare]:
        key = (attachments, provider, model)
        if key not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                del self._known[next(iter(self._known))]  # computed again when it is seen
            self._known[key] = {}
            self._wanted.append(key)
            self._tasks.start_once(self._find_out(), "find out what was sent")
        return self._known[key]

    async def _find_out(self) -> None:
        while self._wanted:
            key = attachments, provider, model = self._wanted.pop()
            shares = await self._open_thread.chat.context.shares_of(attachments, provider, model)
            self._known[key] = {each.attachment: each for each in shares}
        if isValid(self._panes.transcript):  # the window may be closing
            self._show()


_WIDTH_PX = 280


class ContextPopover(QFrame):
    moreRequested = Signal(object)  # Qt.FocusReason: how it was pressed

    def __init__(self, theme: Theme, sentences: Sequence[str], *, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self._theme = theme
        self.setObjectName("contextPopover")
        self.setAccessibleName(tr("Context of this thread"))
        self.setAccessibleDescription(" ".join(map(shown, sentences)))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        round_corners(self, theme.tokens.radius.row)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        for text, role in ((tr("How full the context is"), "strong"), *((sentence, "table") for sentence in sentences)):
            label = QLabel(shown(text))
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setProperty("textRole", role)
            label.setWordWrap(True)
            column.addWidget(label)
        self.more_button = PillButton(theme, tr("Show what is sent"), object_name="contextMoreButton")
        self.more_button.clicked.connect(self._on_more_button_clicked)
        column.addWidget(self.more_button)
        self.setFixedWidth(round(_WIDTH_PX * max(1.0, theme.scale)))

    def open_below(self, widget: QAbstractButton) -> None:
        reason = reason_of_press(widget)
        self.adjustSize()
        right = widget.mapToGlobal(QPoint(widget.width(), widget.height() + 6))
        left = max(widget.window().mapToGlobal(QPoint(4, 0)).x(), right.x() - self.width())
        self.move(left, right.y())
        self.show()
        self.more_button.setFocus(reason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button, as in dialogs."""
        if not press_focused(self, event):
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_floating(painter, QRectF(self.rect()), self._theme.tokens.radius.row, self._theme)
        painter.end()

    def _on_more_button_clicked(self) -> None:
        flag = Qt.FocusReason
        reason = flag.ShortcutFocusReason if self.more_button.shows_ring else flag.MouseFocusReason
        self.close()
        self.moreRequested.emit(reason)
