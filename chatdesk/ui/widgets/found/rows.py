"""Builds the rows of results: headings, hits and sentences; plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.search import SearchGroup, SearchHit, SearchKind
from chatdesk.core.domain.thread import Thread, title_text
from chatdesk.core.moments import is_known, local_moment
from chatdesk.core.texts import Text, plural, shortened, shown, tr
from chatdesk.ui.local_forms import day_text, weekday_name
from chatdesk.ui.widgets.words import with_commas

Marks = tuple[tuple[int, int], ...]

# The order of the groups from top to bottom; commands come last.
ORDER: Final = (SearchKind.THREAD, SearchKind.MESSAGE, SearchKind.PROJECT, SearchKind.TAG, SearchKind.ARTIFACT)
_TITLES: Final = {
    SearchKind.MESSAGE: (Text("Messages"), Text("More messages…"), "message-square"),
    SearchKind.THREAD: (Text("Threads"), Text("More threads…"), "messages-square"),
    SearchKind.PROJECT: (Text("Projects"), Text("More projects…"), "folder"),
    SearchKind.TAG: (Text("Tags"), Text("More tags…"), "tag"),
    SearchKind.ARTIFACT: (Text("Files"), Text("More files…"), "file-text"),
}
_COUNTED: Final[Mapping[SearchKind, Callable[[int], Text]]] = {
    SearchKind.MESSAGE: lambda count: plural("{count} messages", "{count} message", count),
    SearchKind.THREAD: lambda count: plural("{count} threads", "{count} thread", count),
    SearchKind.PROJECT: lambda count: plural("{count} projects", "{count} project", count),
    SearchKind.TAG: lambda count: plural("{count} tags", "{count} tag", count),
    SearchKind.ARTIFACT: lambda count: plural("{count} files", "{count} file", count),
}
_ROLES: Final = {
    Role.USER: Text("Question"),
    Role.ASSISTANT: Text("Answer"),
    Role.SYSTEM: Text("System prompt"),
    Role.TOOL: Text("Tool"),
}
_MOST_THREADS: Final = 5  # before the messages, until the others are asked for
_MOST_IN_SIDEBAR: Final = 8  # of each kind
_MOST_COMMANDS_IN_SIDEBAR: Final = 4
_LONGEST_SHOWN: Final = 60


class RowKind(StrEnum):
    HEADING = "heading"
    HIT = "hit"
    COMMAND = "command"
    COMPLETION = "completion"
    MORE = "more"
    ALL = "all"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class NextPage:
    """The next hits of one kind; with an empty cursor those that were found already and are not listed."""

    kind: SearchKind
    cursor: str


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A line of the list. ``marks`` are ranges of ``text``; ``aside`` is at its end, ``below`` an excerpt under it with
    marks of its own; ``spoken`` is the whole row for a screen reader. ``key`` tells rows apart while the list changes.
    ``value`` is what choosing means: a hit, a command's id, a completed or searched text, or a ``NextPage``."""

    kind: RowKind
    key: str
    text: str
    marks: Marks = ()
    aside: str = ""
    icon: str = ""
    spoken: str = ""
    value: object = None
    below: str = ""
    below_marks: Marks = ()

    @property
    def is_choosable(self) -> bool:
        return self.kind not in (RowKind.HEADING, RowKind.NOTE)


@dataclass(frozen=True, slots=True)
class ListedCommand:
    """A command that makes sense now: its title and keys as they are shown, and the small-lettered text in which words
    are searched."""

    id: str
    title: str
    searched: str
    icon: str = ""
    keys: str = ""


def group_title(kind: SearchKind) -> str:
    return shown(_TITLES[kind][0])


def rows_of_group(group: SearchGroup, *, now: datetime, is_whole: bool = False) -> list[FoundRow]:
    """Return a heading with the count, the hits, and the note of the group. ``is_whole`` lists all threads that are
    known, and not only the best."""
    if not group.hits and group.note is None:
        return []
    title = group_title(group.kind)
    rows = [FoundRow(RowKind.HEADING, f"heading {group.kind}", _joined(title, _count_text(group)))]
    is_cut = group.kind is SearchKind.THREAD and not is_whole and len(group.hits) > _MOST_THREADS
    rows.extend(_row_of_hit(hit, now) for hit in (group.hits[:_MOST_THREADS] if is_cut else group.hits))
    if is_cut or group.next_cursor is not None:
        more = shown(_TITLES[group.kind][1])
        page = NextPage(group.kind, "" if is_cut else group.next_cursor or "")
        rows.append(FoundRow(RowKind.MORE, f"more {group.kind}", more, (), "", "chevron-down", more.rstrip("…"), page))
    if group.note is not None:
        rows.append(FoundRow(RowKind.NOTE, f"note {group.kind}", shown(group.note)))
    return rows


def rows_of_sidebar(
    text: str,
    groups: Mapping[SearchKind, SearchGroup],
    commands: Sequence[ListedCommand] = (),
    *,
    now: datetime,
    is_over: bool,
) -> list[FoundRow]:
    """Return the rows for the narrow list of the sidebar: threads by title, messages, commands, and the way to all
    results."""
    rows: list[FoundRow] = []
    for kind, title in ((SearchKind.THREAD, tr("Titles")), (SearchKind.MESSAGE, group_title(SearchKind.MESSAGE))):
        group = groups.get(kind)
        # A thread that only its summary names is among all results.
        hits = [] if group is None else [hit for hit in group.hits if hit.title_matches or not hit.snippet.text]
        hits = hits if kind is SearchKind.THREAD or group is None else list(group.hits)
        if hits:
            rows.append(FoundRow(RowKind.HEADING, f"heading {kind}", title))
            rows.extend(_row_of_hit(hit, now, is_narrow=True) for hit in hits[:_MOST_IN_SIDEBAR])
        elif group is not None and group.note is not None:
            rows.append(FoundRow(RowKind.NOTE, f"note {kind}", shown(group.note)))
    words = text.casefold().split()
    rows.extend(rows_of_commands(commands, words, limit=_MOST_COMMANDS_IN_SIDEBAR, is_narrow=True))
    if is_over and not rows:
        rows.append(FoundRow(RowKind.NOTE, "nothing", tr("Nothing was found.")))
    every = tr("All results for “{query}”", query=shortened(text.strip(), _LONGEST_SHOWN))
    rows.append(FoundRow(RowKind.ALL, "all", every, spoken=every, value=text))
    return rows


def rows_of_commands(
    commands: Sequence[ListedCommand], words: list[str], *, limit: int | None, is_narrow: bool = False
) -> list[FoundRow]:
    """Return rows of the commands that have every one of the small-lettered ``words``; titles that begin with the
    first of them come first. In a narrow list a title has the room of the keys, which a screen reader still says."""
    fitting = [each for each in commands if all(word in each.searched for word in words)]
    found = sorted(fitting, key=lambda each: 1 if words and _begins(each.title, words[0]) else 2)[:limit]
    if not found:
        return []
    rows = [FoundRow(RowKind.HEADING, "heading commands", tr("Commands"))]
    for each in found:
        marks, spoken = _marks_of(each.title, words), with_commas((each.title, each.keys))
        key, aside = f"command {each.id}", "" if is_narrow else each.keys
        rows.append(FoundRow(RowKind.COMMAND, key, each.title, marks, aside, each.icon, spoken, each.id))
    return rows


def rows_of_threads(threads: Sequence[Thread], *, now: datetime) -> list[FoundRow]:
    """Return rows of the threads that were used last, for a box in which nothing is yet."""
    if not threads:
        return []
    rows = [FoundRow(RowKind.HEADING, "heading recent", tr("Recent threads"))]
    for thread in threads:
        hit = SearchHit(
            SearchKind.THREAD,
            thread.id,
            shown(thread.name),
            thread_id=thread.id,
            at=thread.last_activity_at,
        )
        rows.append(_row_of_hit(hit, now))
    return rows


def summary_of(groups: Sequence[SearchGroup], commands: int) -> str:
    """Return a sentence for screen readers on how much was found."""
    parts = []
    for group in groups:
        if group.count:
            found = shown(_COUNTED[group.kind](group.count))
            parts.append(tr("more than {found}", found=found) if group.is_more else found)
    if commands:
        parts.append(shown(plural("{count} commands", "{count} command", commands)))
    return with_commas(parts) if parts else tr("Nothing found")


def when_text(at_ms: int, now: datetime) -> str:
    """Today, yesterday, the day of the week, then the date."""
    if not is_known(at_ms):
        return tr("unknown time")
    at = local_moment(at_ms, now.tzinfo)
    days = (now.date() - at.date()).days
    if days == 0:
        return tr("today")
    if days == 1:
        return tr("yesterday")
    if 1 < days < 7:
        return weekday_name(at.weekday(), is_short=True)
    return day_text(at, is_short=True, with_year=at.year != now.year)


def _row_of_hit(hit: SearchHit, now: datetime, *, is_narrow: bool = False) -> FoundRow:
    """Return the row of a hit: its title, and below it the excerpt in which the words were found, if they were not
    found in the title. In a narrow list a title has the room of project and time, which a screen reader still says."""
    icon = _TITLES[hit.kind][2]
    when = when_text(hit.at, now) if hit.at else ""
    place = tr("in the trash") if hit.is_in_trash else tr("archived") if hit.is_archived else ""
    excerpt, marks = ("", ()) if hit.title_matches else (hit.snippet.text, hit.snippet.matches)
    if hit.kind is SearchKind.MESSAGE:
        version = "" if hit.is_on_path else tr("another version")
        text = shown(title_text(hit.title))
        aside = _joined(version, place, "" if is_narrow else when)
        who = "" if hit.role is None else tr("{what}, in {thread}", what=_ROLES[hit.role], thread=text)
        spoken = _joined(excerpt, who, hit.project, version, place, when)
    else:
        text = hit.title
        project = hit.project if hit.kind is SearchKind.THREAD else ""
        aside = place if is_narrow else _joined(project, place, when)
        spoken = _joined(_named(hit.kind, text), excerpt, hit.project, place, when)
    icon = "image" if hit.kind is SearchKind.ARTIFACT and _is_image(hit.title) else icon
    key = f"{hit.kind} {hit.id}"
    return FoundRow(RowKind.HIT, key, text, hit.title_matches, aside, icon, spoken, hit, excerpt, marks)


def _named(kind: SearchKind, name: str) -> str:
    """Return the name of a hit for a screen reader: the kind of thing and its name."""
    match kind:
        case SearchKind.THREAD:
            return tr("thread {name}", name=name)
        case SearchKind.PROJECT:
            return tr("project {name}", name=name)
        case SearchKind.TAG:
            return tr("tag {name}", name=name)
    return tr("file {name}", name=name)


def _begins(title: str, word: str) -> bool:
    return title.casefold().startswith(word)


def _marks_of(title: str, words: list[str]) -> Marks:
    folded = title.casefold()
    if len(folded) != len(title):
        return ()
    found = sorted((start, start + len(word)) for word in words if (start := folded.find(word)) >= 0)
    marks: list[tuple[int, int]] = []
    for start, end in found:
        if marks and start <= marks[-1][1]:
            marks[-1] = (marks[-1][0], max(end, marks[-1][1]))
        else:
            marks.append((start, end))
    return tuple(marks)


def _count_text(group: SearchGroup) -> str:
    if group.kind is SearchKind.MESSAGE and group.count:
        took = max(1, round(group.elapsed_ms))
        if group.is_more:
            return shown(
                plural(
                    "more than {count} found in {took} ms",
                    "more than {count} found in {took} ms",
                    group.count,
                    took=took,
                )
            )
        return shown(plural("{count} found in {took} ms", "{count} found in {took} ms", group.count, took=took))
    if group.is_more:
        return tr("more than {count} found", count=group.count)
    if group.count > len(group.hits):
        return shown(plural("{count} found", "{count} found", group.count))
    return ""


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _is_image(name: str) -> bool:
    return name.casefold().endswith((".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".avif", ".tiff"))
