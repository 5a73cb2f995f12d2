"""Shows streaming text once a frame: deltas are collected, and only changed blocks are laid out again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer

from chatdesk.core.rendering.blocks import Block
from chatdesk.core.rendering.client import RenderClient, RenderStream
from chatdesk.core.rendering.render_requests import StreamUpdate
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.transcript.messages.sections import TextSection

FRAME_MS = 33
_UNSEEN_FRAME_MS = 250


class _Feed:
    """A growing text: deltas go to the renderer, and its updates wait here for the next frame."""

    def __init__(
        self,
        entry: MessageEntry,
        section: TextSection,
        renderer: RenderClient,
        wake: Callable[[MessageEntry, bool], None],
    ):
        self.entry = entry
        self.section = section
        self._wake = wake
        self._deltas: list[str] = []
        self._is_new = True  # the first words are shown without waiting for a frame
        self._blocks: list[Block] = list(section.blocks or ())
        self._first_changed: int | None = None
        self._stream: RenderStream = renderer.open_stream(self._on_update)

    def add(self, delta: str) -> None:
        self._deltas.append(delta)

    def send(self) -> None:
        if self._deltas:
            delta = "".join(self._deltas)
            self._deltas.clear()
            self._stream.append(delta)

    def show(self) -> bool:
        """Put the blocks that arrived since the last frame into the message; return whether there were any."""
        first, self._first_changed = self._first_changed, None
        if first is None:
            return False
        self._is_new = False
        self.section.set_blocks(tuple(self._blocks), first=first)
        return True

    def close(self) -> None:
        self._stream.cancel()

    def _on_update(self, update: StreamUpdate) -> None:
        first = update.first_changed
        self._blocks[first:] = update.blocks
        self._first_changed = first if self._first_changed is None else min(first, self._first_changed)
        self._wake(self.entry, self._is_new)


class StreamFeeds(QObject):
    """The texts that are being streamed, shown in frames.

    ``on_frame`` gets the messages that changed, at most 30 times a second; only the first words of a text come sooner.
    While the view is hidden, or the end of a message is not in view (``is_seen``), there are four frames a second.
    """

    def __init__(
        self,
        renderer: RenderClient,
        on_frame: Callable[[list[MessageEntry]], None],
        *,
        is_seen: Callable[[MessageEntry], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._renderer = renderer
        self.on_frame = on_frame
        self._is_seen = is_seen
        self._feeds: dict[tuple[str, int], _Feed] = {}
        self._changed: dict[str, MessageEntry] = {}
        self._timer = QTimer(self, singleShot=True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._is_visible = True
        self._shown_at_s = -math.inf
        self._timer.timeout.connect(self.show_frame)

    def set_visible(self, is_visible: bool) -> None:
        """Set whether the view is visible; a hidden view gets fewer, larger batches."""
        self._is_visible = is_visible
        if is_visible and self._timer.isActive():
            self._timer.start(self._wait_ms(FRAME_MS))

    def append(self, entry: MessageEntry, part_index: int, kind: str, delta: str) -> None:
        key = (entry.message.id, part_index)
        feed = self._feeds.get(key)
        section = entry.append(part_index, kind, delta)
        if isinstance(section, TextSection):
            if feed is None or feed.section is not section:
                if feed is not None:
                    feed.close()
                feed = self._feeds[key] = _Feed(entry, section, self._renderer, self._wake)
                section.wants_blocks = False
                feed.add(section.text)
                feed.send()
            else:
                feed.add(delta)
                if self._timer.isActive() or self._wait_ms(self._pace_ms(entry)):
                    self._wake(entry, False)
                else:
                    feed.send()  # its frame follows when the renderer has answered
                return
        self._changed[entry.message.id] = entry
        self._wake(entry, False)

    def finish(self, message_id: str) -> None:
        """Show the blocks that have arrived of a finished message, and close its streams."""
        for key in [each for each in self._feeds if each[0] == message_id]:
            feed = self._feeds.pop(key)
            feed.send()
            feed.show()
            feed.section.wants_blocks = True
            feed.close()
        self._changed.pop(message_id, None)

    def clear(self) -> None:
        for feed in self._feeds.values():
            feed.close()
        self._feeds.clear()
        self._changed.clear()
        self._timer.stop()

    def show_frame(self) -> None:
        self._shown_at_s = time.monotonic()
        changed, self._changed = self._changed, {}
        for feed in self._feeds.values():
            feed.send()
            if feed.show():
                changed[feed.entry.message.id] = feed.entry
        for entry in changed.values():
            entry.show_appended()
        if changed:
            self.on_frame(list(changed.values()))

    def _wake(self, entry: MessageEntry, at_once: bool) -> None:
        wait_ms = self._wait_ms(0 if at_once else self._pace_ms(entry))
        if not self._timer.isActive() or wait_ms < self._timer.remainingTime():
            self._timer.start(wait_ms)

    def _pace_ms(self, entry: MessageEntry) -> int:
        return FRAME_MS if self._is_visible and self._is_seen(entry) else _UNSEEN_FRAME_MS

    def _wait_ms(self, pace_ms: int) -> int:
        """Return the milliseconds until a frame that comes ``pace_ms`` after the last one."""
        since_ms = (time.monotonic() - self._shown_at_s) * 1000
        return math.ceil(pace_ms - since_ms) if since_ms < pace_ms else 0
