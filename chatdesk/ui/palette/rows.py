"""The rows that the palette lists: headings, choices and sentences; plain data, made from hits and commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Final

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.search import SearchGroup, SearchHit, SearchKind
from chatdesk.core.domain.thread import Thread
from chatdesk.core.plurals import counted

Marks = tuple[tuple[int, int], ...]

#: The order of the groups from top to bottom; commands come last.
ORDER: Final = (SearchKind.MESSAGE, SearchKind.THREAD, SearchKind.PROJECT, SearchKind.TAG, SearchKind.ARTIFACT)
_TITLES: Final = {
    SearchKind.MESSAGE: ("Messages", "message", "message-square"),
    SearchKind.THREAD: ("Threads", "thread", "messages-square"),
    SearchKind.PROJECT: ("Projects", "project", "folder"),
    SearchKind.TAG: ("Tags", "tag", "tag"),
    SearchKind.ARTIFACT: ("Files", "file", "file-text"),
}
_ROLES: Final = {Role.USER: "Question", Role.ASSISTANT: "Answer", Role.SYSTEM: "System prompt", Role.TOOL: "Tool"}
_LONGEST_TITLE = 28


class RowKind(StrEnum):
    HEADING = "heading"
    HIT = "hit"
    COMMAND = "command"
    COMPLETION = "completion"
    MORE = "more"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class NextPage:
    kind: SearchKind
    cursor: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list. ``marks`` are ranges of ``text``; ``aside`` stands at its end; ``spoken`` is the whole row
    for a screen reader. ``key`` tells rows apart while the list changes. ``value`` is what choosing means: a hit, a
    command's id, a completed text or a ``NextPage``."""

    kind: RowKind
    key: str
    text: str
    marks: Marks = ()
    aside: str = ""
    icon: str = ""
    spoken: str = ""
    value: object = None

    @property
    def is_choosable(self) -> bool:
        return self.kind not in (RowKind.HEADING, RowKind.NOTE)


def group_title(kind: SearchKind) -> str:
    return _TITLES[kind][0]


def rows_of_group(group: SearchGroup, *, now: datetime) -> list[Row]:
    """Return a heading with the count, the hits, and what else is to be said."""
    if not group.hits and group.note is None:
        return []
    title = group_title(group.kind)
    rows = [Row(RowKind.HEADING, f"heading {group.kind}", f"{title}{_count_text(group)}")]
    rows.extend(_row_of_hit(hit, now) for hit in group.hits)
    if group.next_cursor is not None:
        more = Row(RowKind.MORE, f"more {group.kind}", f"More {title.lower()}…", icon="chevron-down")
        rows.append(_speaking(more, value=NextPage(group.kind, group.next_cursor)))
    if group.note is not None:
        rows.append(Row(RowKind.NOTE, f"note {group.kind}", group.note))
    return rows


def rows_of_threads(threads: Sequence[Thread], *, now: datetime) -> list[Row]:
    """Return rows of the threads that were used last, for a box in which nothing stands yet."""
    if not threads:
        return []
    rows = [Row(RowKind.HEADING, "heading recent", "Recent threads")]
    for thread in threads:
        hit = SearchHit(SearchKind.THREAD, thread.id, thread.title, thread_id=thread.id, at=thread.last_activity_at)
        rows.append(_row_of_hit(hit, now))
    return rows


def summary_of(groups: Sequence[SearchGroup], commands: int) -> str:
    """Return a sentence for screen readers on how much was found."""
    found = [(group.count, *_TITLES[group.kind][:2], group.is_more) for group in groups if group.count]
    parts = [
        f"{'more than ' if is_more else ''}{counted(count, name, title.lower())}"
        for count, title, name, is_more in found
    ]
    if commands:
        parts.append(counted(commands, "command"))
    return ", ".join(parts) if parts else "Nothing found"


def when_text(at_ms: int, now: datetime) -> str:
    """Today, yesterday, the day of the week, then the date."""
    at = datetime.fromtimestamp(at_ms / 1000, now.tzinfo)
    days = (now.date() - at.date()).days
    if days == 0:
        return "today"
    if days == 1:
        return "yesterday"
    if 1 < days < 7:
        return at.strftime("%a")
    return f"{at.day} {at.strftime('%b')}" if at.year == now.year else f"{at.day} {at.strftime('%b %Y')}"


def local_now(zone: tzinfo | None = None) -> datetime:
    return datetime.now(zone).astimezone(zone)


def _row_of_hit(hit: SearchHit, now: datetime) -> Row:
    _, name, icon = _TITLES[hit.kind]
    when = when_text(hit.at, now) if hit.at else ""
    place = "in the trash" if hit.is_in_trash else "archived" if hit.is_archived else ""
    if hit.kind is SearchKind.MESSAGE:
        text, marks = hit.snippet.text, hit.snippet.matches
        version = "" if hit.is_on_path else "another version"
        aside = _joined(_shortened(hit.title), version, place, when)
        who = _ROLES[hit.role] if hit.role is not None else ""
        spoken = _joined(text, who and f"{who}, in {hit.title}", hit.project, version, place, when)
    else:
        text, marks = hit.title, hit.title_matches
        aside = _joined(hit.project if hit.kind is SearchKind.THREAD else "", place, when)
        spoken = _joined(f"{name} {text}", hit.project, place, when)
    icon = "image" if hit.kind is SearchKind.ARTIFACT and _is_image(hit.title) else icon
    return Row(RowKind.HIT, f"{hit.kind} {hit.id}", text, marks, aside, icon, spoken, hit)


def _speaking(row: Row, *, value: object) -> Row:
    return Row(row.kind, row.key, row.text, row.marks, row.aside, row.icon, row.text.rstrip("…"), value)


def _count_text(group: SearchGroup) -> str:
    shown = len(group.hits)
    if group.kind is SearchKind.MESSAGE and group.count:
        took = max(1, round(group.elapsed_ms))
        return f" · {'more than ' if group.is_more else ''}{group.count:,} found in {took:,} ms"
    if group.count > shown or group.is_more:
        return f" · {'more than ' if group.is_more else ''}{group.count:,} found"
    return ""


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _shortened(title: str) -> str:
    return title if len(title) <= _LONGEST_TITLE else title[: _LONGEST_TITLE - 1].rstrip() + "…"


def _is_image(name: str) -> bool:
    return name.casefold().endswith((".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".avif", ".tiff"))
