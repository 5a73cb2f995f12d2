"""Updates items that change with the time while they are in view, such as the waiting time of an answer."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from chatdesk.core.clock import SystemClock
from chatdesk.ui.transcript.items.notice_item import NoticeItem
from chatdesk.ui.transcript.items.waiting_item import WaitingItem
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout

_TICK_MS = 1_000


class Ticking(QObject):
    """A timer that runs once a second, only while an item in view changes with the time."""

    def __init__(self, viewport_layout: ViewportLayout) -> None:
        super().__init__(viewport_layout)
        self._viewport_layout = viewport_layout
        self._clock = SystemClock()
        self.timer = QTimer(self, interval=_TICK_MS)
        self.timer.timeout.connect(self.tick)
        viewport_layout.laidOut.connect(self._on_viewport_layout_laid_out)

    def tick(self) -> None:
        now_ms = self._clock.now_ms()
        changed = [item for item in self._ticking() if item.tick(now_ms)]
        if changed:
            self._viewport_layout.repaint()

    def _ticking(self) -> list[NoticeItem | WaitingItem]:
        items = (placed.item for placed in self._viewport_layout.layout.placed)
        return [item for item in items if isinstance(item, NoticeItem | WaitingItem) and item.ticks]

    def _on_viewport_layout_laid_out(self) -> None:
        has_any = bool(self._ticking())
        if has_any and not self.timer.isActive():
            self.timer.start()
        elif not has_any:
            self.timer.stop()
