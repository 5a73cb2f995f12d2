"""Composes the content of a row of a thread: its title, time, icon and marks, painted and spoken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from PySide6.QtCore import Qt

from chatdesk.core.clock import Clock
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.sidebar.grouping import (
    Arrangement,
    RowKey,
    days_left,
    days_left_text,
    days_text,
    local_time,
    short_time,
    spoken_time,
    thread_key,
)
from chatdesk.ui.widgets.words import with_commas

if TYPE_CHECKING:  # keeps the first paint fast
    from chatdesk.core.domain.thread import Thread


class ThreadRole(IntEnum):
    """The data roles that a row answers besides its text."""

    THREAD_ID = Qt.ItemDataRole.UserRole + 1
    IS_HEADING = Qt.ItemDataRole.UserRole + 2
    IS_PINNED = Qt.ItemDataRole.UserRole + 3
    IS_STREAMING = Qt.ItemDataRole.UserRole + 4
    TIME = Qt.ItemDataRole.UserRole + 5
    TAGS = Qt.ItemDataRole.UserRole + 6
    PAINTED = Qt.ItemDataRole.UserRole + 7  # all that is painted of a thread, as one ``PaintedRow``


class PaintedRow(NamedTuple):
    """A question to a model costs more than its answer, so a row is asked for at once."""

    title: str
    time: str
    has_time_always: bool  # else only under the pointer or with the focus
    is_streaming: bool
    tags: tuple[str, ...]
    unread: int = 0
    icon: str = ""  # the icon before the title
    is_in_folder: bool = False


class RowDisplay:
    """The calendar, the order and the marks that decide how a thread is shown."""

    def __init__(self, clock: Clock, zone: tzinfo | None) -> None:
        self._clock = clock
        self._zone = zone
        self._today = local_time(clock.now_ms(), zone).date()
        self.how = Arrangement()
        self.trash_days = 30
        self.streaming: set[str] = set()
        self.unread: Mapping[str, int] = {}  # by thread; those without any are left out
        self.shared: frozenset[str] = frozenset()  # projects that others are in

    def read_calendar(self) -> bool:
        """Return whether the day changed since it was read last."""
        before, self._today = self._today, local_time(self._clock.now_ms(), self._zone).date()
        return self._today != before

    def key(self, thread: Thread) -> RowKey:
        return thread_key(thread, self._today, self._zone, self.how)

    def data(self, thread: Thread, role: int) -> Any:
        match role:
            case ThreadRole.THREAD_ID:
                return thread.id
            case ThreadRole.IS_PINNED:
                return thread.pinned_at is not None
            case ThreadRole.IS_STREAMING:
                return thread.id in self.streaming
            case ThreadRole.TIME:
                return self._time(thread)
            case ThreadRole.TAGS:
                return thread.tags
            case ThreadRole.PAINTED:
                return PaintedRow(
                    shown(thread.name_without_mark),
                    self._time(thread),
                    self.how.is_trash,
                    thread.id in self.streaming,
                    thread.tags,
                    self.unread.get(thread.id, 0),
                    self._icon(thread),
                    self.how.folders is not None and thread.pinned_at is None,
                )
        return None

    def spoken(self, thread: Thread) -> str:
        words = [shown(thread.name), spoken_time(self.how.moment(thread), self._today, self._zone)]
        if self.how.is_trash:
            words[1:] = [
                tr("deleted {when}", when=words[1]),
                days_left_text(self._days_left(thread)),
            ]
        unread = self.unread.get(thread.id, 0)
        if unread:
            words.append(shown(plural("{count} unread", "{count} unread", unread)))
        if thread.tags:
            words.append(tr("tagged {tags}", tags=with_commas(thread.tags)))
        if thread.pinned_at is not None:
            words.append(tr("pinned", "thread"))
        if thread.project_id in self.shared:
            words.append(tr("shared"))
        if thread.id in self.streaming:
            words.append(tr("answer is being written"))
        return with_commas(words)

    def _time(self, thread: Thread) -> str:
        if self.how.is_trash:
            return days_text(self._days_left(thread))
        names_year = self.how.by_name or self.how.folders is not None
        return short_time(thread.last_activity_at, self._today, self._zone, names_year=names_year)

    def _icon(self, thread: Thread) -> str:
        if thread.pinned_at is not None:
            return "pin"
        if thread.project_id in self.shared:
            return "users"
        return "git-branch" if thread.is_branch else ""

    def _days_left(self, thread: Thread) -> int:
        return days_left(thread.deleted_at or 0, self._clock.now_ms(), self.trash_days)
