"""The meter in the header: how full the model's context is, live while a question is typed."""

from __future__ import annotations

from PySide6.QtCore import QTimer

from chatdesk.core.domain.context import ContextTotals
from chatdesk.core.errors import ChatDeskError, DoesNotFit
from chatdesk.core.events import AnswerFinished, ContextChanged, MessageAdded, PathChanged
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.inspector.inspector_binding import CONTEXT, InspectorBinding
from chatdesk.ui.widgets.context_popover import ContextPopover
from chatdesk.ui.window.window_context import Controller, WindowContext

_SETTLE_MS = 80
_STALE = Text("The summary is out of date and not sent. Make it again to have it sent.")


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
            context.subscribe(self, kind, lambda _event: self._settle.start())

    def end(self) -> None:
        """Stop counting, because the window closes."""
        self._settle.timeout.disconnect(self._on_settle_timeout)
        self._settle.stop()

    def _on_settle_timeout(self) -> None:
        self._tasks.replace(self._count(), "count context")

    async def _count(self) -> None:
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
