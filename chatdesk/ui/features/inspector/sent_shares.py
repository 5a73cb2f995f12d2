"""Shows in the transcript which attachments of a question its answer's model was not sent, or not whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shiboken6 import isValid

from chatdesk.core.domain.attachment import Attachment, SentShare
from chatdesk.core.events import ProvidersChanged
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.window.window_context import Controller, WindowContext

_Key = tuple[tuple["Attachment", ...], str | None, str | None]
_MOST_KNOWN: Final = 500


class SentShares(Controller):
    """Finds out what became of the attachments in view, once for each question and model that answers it."""

    def __init__(self, context: WindowContext, threads: ThreadBinding) -> None:
        super().__init__(context)
        self._known: dict[_Key, Mapping[Attachment, SentShare]] = {}
        self._wanted: list[_Key] = []
        self._show()
        threads.opened.connect(lambda _thread: self._forget())
        context.subscribe(self, ProvidersChanged, lambda _event: self._forget())

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
                del self._known[next(iter(self._known))]  # it is asked about again when it is seen
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
