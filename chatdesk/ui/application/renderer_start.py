"""Gets ready for the first thread when somebody begins to do something, not before: the process that renders takes
18 MB."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from chatdesk.ui.window.panes import Panes


class RendererStart(QObject):
    """Calls ``warm_up`` once, on a thread, and has the transcript load its fonts and icons: when a question is sent,
    the pointer comes to the list of threads, or the focus moves. So all is there before a thread is pressed."""

    def __init__(self, panes: Panes, warm_up: Callable[[], None]) -> None:
        super().__init__(panes.window)
        self._panes = panes
        self._warm_up = warm_up
        self._is_begun = False
        panes.composer.sendRequested.connect(self.begin)
        panes.sidebar.installEventFilter(self)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self.begin)

    def begin(self, *_what: object) -> None:
        """Start the renderer now; later calls do nothing."""
        if self._is_begun:
            return
        self._is_begun = True
        self._panes.sidebar.removeEventFilter(self)
        self._panes.transcript.parts.warm_up.begin()
        threading.Thread(target=self._warm_up, name="render-start", daemon=True).start()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Enter:
            self.begin()
        return False
