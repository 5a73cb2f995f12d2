"""Adds the transcript to a window: imported beside the loop, after the first paint."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from chatdesk.core.domain.message import ThreadSizes
from chatdesk.core.domain.text_match import ThreadMatches
from chatdesk.core.rendering.client import RenderClient
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.window.window_context import Panes


def add_transcript(
    panes: Panes,
    deliver: Callable[[Callable[[], None]], None],
    threads: Callable[[], ThreadBinding],
    is_wanted_soon: bool,
) -> RenderClient:
    """Add the transcript to the window, and return the client that parses its messages. ``deliver`` calls a function on
    the GUI thread, ``threads`` is called when the transcript is told to show a thread; ``is_wanted_soon``: one will be
    opened."""
    renderer = RenderClient(deliver=deliver)
    make_transcript(panes, renderer, threads)
    renderer_start = RendererStart(panes, renderer.warm_up)
    if is_wanted_soon:
        renderer_start.start()
    return renderer


def make_transcript(panes: Panes, renderer: RenderClient, threads: Callable[[], ThreadBinding]) -> None:
    """Make the transcript of a chat, which reads its messages from ``threads``."""

    def fetch_messages(thread_id: str, *, at: int | None = None, **wanted: Any) -> None:
        threads().fetch_messages(thread_id, at=at, **wanted)

    def fetch_sizes(thread_id: str, deliver: Callable[[ThreadSizes], None]) -> None:
        threads().fetch_sizes(thread_id, deliver)

    def find(thread_id: str, text: str, deliver: Callable[[ThreadMatches], None]) -> None:
        threads().find_in_thread(thread_id, text, deliver)

    panes.transcript = TranscriptView(fetch_messages, renderer, panes.theme, sizes=fetch_sizes, find=find)
    panes.transcript.actionRequested.connect(panes.message_handlers.run)
    panes.pane.set_transcript(panes.transcript)


class RendererStart(QObject):
    """Calls ``warm_up`` once, on a thread, and has the transcript load its fonts and icons: when a question is sent,
    the pointer comes to the list of threads, or the focus moves. So all is there before a thread is pressed."""

    def __init__(self, panes: Panes, warm_up: Callable[[], None]) -> None:
        super().__init__(panes.window)
        self._panes = panes
        self._warm_up = warm_up
        self._is_started = False
        panes.composer.sendRequested.connect(self.start)
        panes.sidebar.installEventFilter(self)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self.start)

    def start(self, *_what: object) -> None:
        """Start the renderer now; later calls do nothing."""
        if self._is_started:
            return
        self._is_started = True
        self._panes.sidebar.removeEventFilter(self)
        self._panes.transcript.parts.warm_up.start()
        threading.Thread(target=self._warm_up, name="render-start", daemon=True).start()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Enter:
            self.start()
        return False
