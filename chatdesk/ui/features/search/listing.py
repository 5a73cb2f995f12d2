"""Builds the whole list of the palette from the typed text, the hits and the commands that are available now."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from chatdesk.core.domain.search import HAS_VALUES, IS_VALUES, FilterName, SearchGroup, SearchKind
from chatdesk.core.domain.thread import Thread
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.commands.command import Command, group_name
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.widgets.found.rows import (
    ORDER,
    FoundRow,
    ListedCommand,
    RowKind,
    rows_of_commands,
    rows_of_group,
    rows_of_threads,
)
from chatdesk.ui.widgets.words import with_commas

_SIGN: Final = ">"
ONLY_COMMANDS: Final = f"{_SIGN} "
_MOST_COMMANDS = 6
_MEANINGS: Final = {
    FilterName.PROJECT: Text("in one project"),
    FilterName.TAG: Text("in threads with a tag"),
    FilterName.ROLE: Text("written by you or by the model"),
    FilterName.MODEL: Text("answered by a model"),
    FilterName.BEFORE: Text("before a day: 2026-05-01, yesterday, 7d"),
    FilterName.AFTER: Text("from a day on: 2026-05-01, yesterday, 7d"),
    FilterName.HAS: Text("with code, an image or a file"),
    FilterName.IS: Text("pinned, archived or trashed"),
}
_FIXED: Final[Mapping[FilterName, Sequence[str]]] = {
    FilterName.HAS: HAS_VALUES,
    FilterName.IS: IS_VALUES,
    FilterName.ROLE: ("user", "assistant", "system", "tool"),
    FilterName.BEFORE: ("today", "yesterday", "7d", "30d"),
    FilterName.AFTER: ("today", "yesterday", "7d", "30d"),
}
_LAST_WORD = re.compile(r'(?:^|(?<=\s))(-?)(?:(\w+):("?)([^"\s]*|[^"]*)|(\w{2,}))$')
_MOST = 8
HELP: Final = Text(
    "Narrow with project: tag: role: model: before: after: has: is: and leave out with -word. > lists commands."
)


@dataclass(frozen=True, slots=True)
class Listed:
    """The values that a list is made of. ``commands`` are those that make sense now. ``has_all_threads``: also those
    after the best. With ``is_over`` no more results are awaited, so that an empty list means that there are none."""

    text: str
    groups: Mapping[SearchKind, SearchGroup] = field(default_factory=dict)
    recent: Sequence[Thread] = ()
    names: Mapping[FilterName, Sequence[str]] = field(default_factory=dict)
    commands: Sequence[ListedCommand] = ()
    has_all_threads: bool = False
    note: str = ""
    is_over: bool = False


def wants_commands_only(text: str) -> bool:
    return text.lstrip().startswith(_SIGN)


def offered_commands(registry: CommandRegistry) -> list[ListedCommand]:
    """Return the commands that make sense now, each found by the words that are shown or by their English ones."""
    return [_listed(each, registry.keys.first_text(each)) for each in registry.offered() if each.is_in_palette]


def _listed(command: Command, keys: str) -> ListedCommand:
    title = shown(command.title)
    searched = f"{title} {group_name(command.group)} {command.title} {command.group}".casefold()
    return ListedCommand(command.id, title, searched, command.icon or "terminal", keys)


def rows_of(listed: Listed, *, now: datetime) -> list[FoundRow]:
    """Return the rows of the list from top to bottom."""
    only_commands = wants_commands_only(listed.text)
    text = listed.text.replace(_SIGN, " ", 1) if only_commands else listed.text
    words = text.casefold().split()
    is_empty = not words and not only_commands
    rows: list[FoundRow] = []
    if is_empty:
        rows.extend(rows_of_threads(listed.recent, now=now))
    elif not only_commands:
        filters = _completion_rows(text, listed.names)
        # "Files of the project" also ends with the beginning of a filter.
        is_command = len(words) > 1 and any(
            each.title.casefold().startswith(" ".join(words)) for each in listed.commands
        )
        commands = rows_of_commands(listed.commands, words, limit=_MOST_COMMANDS)
        rows.extend([*commands, *filters] if is_command else filters)
        for kind in ORDER:
            if kind in listed.groups:
                rows.extend(rows_of_group(listed.groups[kind], now=now, is_whole=listed.has_all_threads))
    if is_empty or only_commands:
        rows.extend(rows_of_commands(listed.commands, words, limit=None if only_commands else _MOST_COMMANDS))
    elif not is_command:
        rows.extend(commands)
    if listed.note:
        rows.append(FoundRow(RowKind.NOTE, "note", shown(listed.note)))
    if only_commands and not rows:
        rows.append(FoundRow(RowKind.NOTE, "nothing", tr("No command matches.")))
    elif listed.is_over and not rows:
        rows.append(FoundRow(RowKind.NOTE, "nothing", tr("Nothing was found.")))
    if is_empty:
        rows.append(FoundRow(RowKind.NOTE, "help", shown(HELP)))
    return rows


def _completion_rows(text: str, names: Mapping[FilterName, Sequence[str]]) -> list[FoundRow]:
    found = completions(text, names)
    if not found:
        return []
    rows = [FoundRow(RowKind.HEADING, "heading filters", tr("Filters"))]
    for each in found:
        spoken = with_commas((tr("Filter {filter}", filter=each.shown), each.meaning))
        key, icon = f"completion {each.whole}", "search"
        rows.append(FoundRow(RowKind.COMPLETION, key, each.shown, (), each.meaning, icon, spoken, each.whole))
    return rows


@dataclass(frozen=True, slots=True)
class Completion:
    """A completion of a search filter. ``whole`` is the text with the filter in it, ``shown`` the filter alone."""

    whole: str
    shown: str
    meaning: str = ""


def completions(text: str, names: Mapping[FilterName, Sequence[str]]) -> list[Completion]:
    """Return the completions of the filter that is being typed; ``names`` are those of projects, tags and models."""
    found = _LAST_WORD.search(text)
    if found is None:
        return []
    minus, name, _quote, value, word = found.groups()
    head = text[: found.start()] + minus
    if word is not None:
        wanted = word.casefold()
        return [
            Completion(f"{head}{each}:", f"{minus}{each}:", shown(meaning))
            for each, meaning in _MEANINGS.items()
            if each.value.startswith(wanted)
        ]
    try:
        known = FilterName(name.casefold())
    except ValueError:
        return []
    typed = value.casefold()
    values = [*_FIXED.get(known, ()), *names.get(known, ())]
    fitting = [each for each in values if each.casefold().startswith(typed) and each.casefold() != typed]
    filters = [f"{known}:{_quoted(each)}" for each in fitting[:_MOST]]
    return [Completion(f"{head}{each} ", f"{minus}{each}") for each in filters]


def _quoted(value: str) -> str:
    return f'"{value}"' if re.search(r"\s", value) else value
