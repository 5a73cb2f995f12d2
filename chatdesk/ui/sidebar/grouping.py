"""Groups listed threads under headings and folders, and writes their times. Pure: no Qt, no clock of its own.

A row's place is one comparable key, so that the list can find any row by bisection and never has to sort again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from chatdesk.core.moments import is_known, known_or_zero, local_moment
from chatdesk.core.name_order import name_key
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.local_forms import day_text, month_text, number_text, time_text, weekday_name

if TYPE_CHECKING:  # keeps the first paint fast
    from chatdesk.core.domain.thread import Thread

PINNED: Final = 0
TODAY: Final = 1
YESTERDAY: Final = 2
PREVIOUS_7_DAYS: Final = 3
_FIRST_MONTH: Final = 4
_BY_NAME: Final = 1_000_000  # after every month
_FIRST_FOLDER: Final = 2_000_000
_DAY_MS: Final = 24 * 3600 * 1000

_LAST_MONTH_INDEX: Final = 9999 * 12 + 11
_UNKNOWN: Final = _FIRST_MONTH + _LAST_MONTH_INDEX + 1  # after every month: of a stored time that is none

# (group, 0 heading | 1 thread, newest first or the key of the title, id)
RowKey = tuple[int, int, int | str, str]
# ``next_cursor`` of a folder of which nothing was read.
UNREAD: Final = ""


class ThreadView(StrEnum):
    """The set of threads that is listed."""

    ACTIVE = "active"
    ARCHIVE = "archive"
    TRASH = "trash"

    def holds(self, thread: Thread) -> bool:
        if self is ThreadView.TRASH:
            return thread.deleted_at is not None
        if thread.deleted_at is not None:
            return False
        return (thread.archived_at is not None) is (self is ThreadView.ARCHIVE)


class Arrangement(NamedTuple):  # on the way to the first paint, and made in a third of a dataclass's time
    """The order of a list: ``is_trash`` by the moment of deletion, ``by_name`` in one group, else by last activity.
    With ``has_pinned``, pinned threads are above the others. ``folders`` is the place of each project, where threads
    are under their projects."""

    by_name: bool = False
    is_trash: bool = False
    has_pinned: bool = True
    folders: Mapping[str, int] | None = None

    def moment(self, thread: Thread) -> int:
        """Return the time by which a thread is placed and labelled."""
        return thread.deleted_at or 0 if self.is_trash else thread.last_activity_at


ACTIVITY: Final = Arrangement()


@lru_cache(maxsize=1_000)
def local_time(ms: int, zone: tzinfo | None) -> datetime:
    """Return a moment on the reader's wall clock (``zone`` None: the machine's)."""
    return local_moment(ms, zone)


def group_of(thread: Thread, today: date, zone: tzinfo | None, how: Arrangement = ACTIVITY) -> int:
    """Return the group's order from the top; months count backwards, so that newer ones come first."""
    if thread.pinned_at is not None and how.has_pinned:
        return PINNED
    if how.folders is not None:
        return folder_group(how.folders[thread.project_id])
    if how.by_name:
        return _BY_NAME
    if not is_known(how.moment(thread)):
        return _UNKNOWN
    day = local_time(how.moment(thread), zone).date()
    age_days = (today - day).days
    if age_days <= 0:  # a clock set back, or another device ahead of ours, is still today
        return TODAY
    if age_days == 1:
        return YESTERDAY
    if age_days <= 7:
        return PREVIOUS_7_DAYS
    return _FIRST_MONTH + _LAST_MONTH_INDEX - (day.year * 12 + day.month - 1)


def folder_group(place: int) -> int:
    """Return the group of the project that is at ``place`` among the folders."""
    return _FIRST_FOLDER + place


def group_title(group: int) -> str:
    if group == _BY_NAME:
        return tr("By name")
    if group == _UNKNOWN:
        return tr("Unknown time")
    if group < _FIRST_MONTH:
        return (tr("Pinned", "heading"), tr("Today"), tr("Yesterday"), tr("Previous 7 days"))[group]
    year, month = divmod(_LAST_MONTH_INDEX - (group - _FIRST_MONTH), 12)
    return month_text(year, month + 1)


def thread_key(thread: Thread, today: date, zone: tzinfo | None, how: Arrangement = ACTIVITY) -> RowKey:
    place = name_key(thread.title) if how.by_name else -known_or_zero(how.moment(thread))
    return (group_of(thread, today, zone, how), 1, place, thread.id)


def heading_key(group: int) -> RowKey:
    return (group, 0, 0, "")


def days_left(deleted_at_ms: int, now_ms: int, trash_days: int) -> int:
    """Whole days, begun ones counted, until a thread of the trash is gone for good."""
    return max(0, -((now_ms - deleted_at_ms - trash_days * _DAY_MS) // _DAY_MS))


def days_text(days: int) -> str:
    return shown(plural("{count} days", "{count} day", days))


def days_left_text(days: int) -> str:
    return shown(plural("{count} days left", "{count} day left", days))


def short_time(ms: int, today: date, zone: tzinfo | None, *, names_year: bool = True) -> str:
    """Return a time in short: ``14:02`` today, ``Tue`` within a week, ``14 Oct`` this year, else ``Oct 2025``; under a
    heading that names the year, the day."""
    if not is_known(ms):
        return tr("unknown time")
    moment = local_time(ms, zone)
    age_days = (today - moment.date()).days
    if age_days <= 0:
        return time_text(moment)
    if age_days <= 7:
        return weekday_name(moment.weekday(), is_short=True)
    if moment.year == today.year or not names_year:
        return day_text(moment, is_short=True, with_year=False)
    return month_text(moment.year, moment.month, is_short=True)


def spoken_time(ms: int, today: date, zone: tzinfo | None) -> str:
    """Return a time for a screen reader: ``today 14:02``, ``yesterday``, ``Tue``, ``14 Oct``, ``14 Oct 2025``."""
    if not is_known(ms):
        return tr("unknown time")
    age_days = (today - local_time(ms, zone).date()).days
    if age_days <= 0:
        return tr("today {time}", time=short_time(ms, today, zone))
    if age_days == 1:
        return tr("yesterday")
    moment = local_time(ms, zone)
    if age_days <= 7:
        return weekday_name(moment.weekday(), is_short=True)
    return day_text(moment, is_short=True, with_year=moment.year != today.year)


@dataclass(frozen=True, slots=True)
class ThreadFilter:
    """The threads of one view, of one project and with one tag (None: any)."""

    view: ThreadView = ThreadView.ACTIVE
    project_id: str | None = None
    tag: str | None = None

    def holds(self, thread: Thread) -> bool:
        return (
            self.view.holds(thread)
            and self.project_id in (None, thread.project_id)
            and (self.tag is None or self.tag in thread.tags)
        )


@dataclass(slots=True)
class Folder:
    """A project in the list. ``count`` is the number of threads in it when it is open; ``next_cursor`` is where the
    next page begins, None once all threads were read."""

    project_id: str
    title: str
    count: int = 0
    next_cursor: str | None = UNREAD


class PaintedFolder(NamedTuple):
    """The values that are painted of a folder."""

    title: str
    threads: str
    is_open: bool


class Folders:
    """The folders from the top. Which of them are open is kept by project, also for projects that are not listed."""

    def __init__(self, folders: Sequence[Folder], open_ids: set[str]) -> None:
        self._folders = list(folders)
        self._open_ids = open_ids
        self.places: Mapping[str, int] = {folder.project_id: place for place, folder in enumerate(folders)}

    def __iter__(self) -> Iterator[Folder]:
        return iter(self._folders)

    def find(self, project_id: str) -> Folder | None:
        place = self.places.get(project_id)
        return None if place is None else self._folders[place]

    def group_of(self, folder: Folder) -> int:
        return folder_group(self.places[folder.project_id])

    def is_open(self, project_id: str) -> bool:
        return project_id in self._open_ids and project_id in self.places

    def unfinished(self) -> Iterator[Folder]:
        """Open folders of which more can be read, from the top."""
        return (
            folder for folder in self._folders if self.is_open(folder.project_id) and folder.next_cursor is not None
        )

    def update(self, newer: Iterable[Folder]) -> list[Folder] | None:
        """Set titles and counts, and return the folders that changed. Return None and change nothing if ``newer`` has
        other folders than are listed, or another order."""
        news = list(newer)
        if [each.project_id for each in news] != [each.project_id for each in self._folders]:
            return None
        changed = []
        for folder, new in zip(self._folders, news, strict=True):
            if (folder.title, folder.count) != (new.title, new.count):
                folder.title, folder.count = new.title, new.count
                changed.append(folder)
        return changed

    def painted(self, folder: Folder) -> PaintedFolder:
        return PaintedFolder(folder.title, number_text(folder.count), self.is_open(folder.project_id))

    def spoken(self, folder: Folder) -> str:
        return shown(
            plural(
                "{title}, project folder, {count} threads",
                "{title}, project folder, {count} thread",
                folder.count,
                title=folder.title,
            )
        )
