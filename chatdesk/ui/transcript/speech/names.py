"""Names of a message and of its parts for screen readers. This module knows no Qt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from chatdesk.core.domain.message import STATUS_TEXTS, ContextMark
from chatdesk.core.rendering.blocks import DEFINITION
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.local_forms import time_of
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.widgets.words import with_commas

_MARKS = {
    ContextMark.NONE: "",
    ContextMark.PINNED: Text("pinned into the context"),
    ContextMark.EXCLUDED: Text("excluded from the context"),
}
_COUNTED: Mapping[str, Callable[[int], Text]] = {
    "code": lambda count: plural("{count} code blocks", "{count} code block", count),
    "table": lambda count: plural("{count} tables", "{count} table", count),
    "math": lambda count: plural("{count} formulas", "{count} formula", count),
    "image": lambda count: plural("{count} images", "{count} image", count),
    "diagram": lambda count: plural("{count} diagrams", "{count} diagram", count),
}
_CODE = Text("Code")
_MARKERS = {"•": Text("bullet"), "☐": Text("not done"), "☑": Text("done"), DEFINITION: Text("definition")}


def message_name(entry: MessageEntry, total: int) -> str:
    """Return the name of a message, such as "test-model, 14:32, message 5 of 312, stopped".

    In a shared thread the name includes the member who asked, and the author of a version.
    """
    message = entry.message
    parts = [entry.facts.author]
    if message.is_edited_answer:
        parts.append(tr("edited by {person}", person=entry.facts.person or tr("you")))
    elif not entry.facts.is_question and entry.facts.person:
        parts.append(tr("asked by {person}", person=entry.facts.person))
    parts.append(time_of(message.created_at))
    parts.append(tr("message {number} of {count}", number=message.position + 1, count=max(total, message.position + 1)))
    parts.append(entry.facts.version_words)
    parts.append(
        shown(STATUS_TEXTS[message.status][0]) if message.status in STATUS_TEXTS and not entry.facts.is_question else ""
    )
    parts.append(tr("note") if message.is_note else "")
    parts.append(shown(_MARKS[message.context_mark]))
    return with_commas(parts)


def piece_name(text_name: str, place: int, total: int) -> str:
    """Return the name of a piece of a text that is shown alone, such as "notes.md, version 1 of 2, part 3 of 9"."""
    part = tr("part {number} of {count}", number=place + 1, count=total) if total > 1 else ""
    return with_commas((text_name, part))


def message_summary(items: list[Item]) -> str:
    """Return the other contents of a message than text, such as "2 code blocks, 1 table"."""
    counts = Counter(item.kind for item in items if item.kind in _COUNTED and not _goes_on(item))
    return with_commas(shown(_COUNTED[kind](count)) for kind, count in counts.items())


def code_name(language: str, text: str, *, what: str = _CODE) -> str:
    """Return the name of a code block, such as "Code, python, 12 lines"."""
    count = text.rstrip("\n").count("\n") + 1 if text.strip("\n") else 0
    lines = shown(plural("{count} lines", "{count} line", count))
    return with_commas((what, language[:40], lines))


def table_name(columns: int, rows: int, *, first: int, total: int) -> str:
    """Return the name of a table, such as "Table, 3 columns, 2 rows".

    A long table comes in several pieces, whose names say which rows they hold.
    """
    size = shown(plural("Table, {count} columns", "Table, {count} column", columns))
    if total > rows:
        return tr(
            "{table}, rows {first} to {last} of {count}",
            table=size,
            first=first + 1,
            last=first + rows,
            count=total,
        )
    return with_commas((size, shown(plural("{count} rows", "{count} row", total))))


def text_name(text: str, marker: str | None) -> str:
    """Return the name of a paragraph or list item, with its marker in words."""
    said = shown(_MARKERS.get(marker or "", marker or ""))
    return f"{said} {text}" if said else text


def link_name(words: str, target: str) -> str:
    """Return the words of a link; the marks of footnotes are put into words."""
    if target.startswith("#fnref"):
        return tr("Back to the text")
    return tr("Footnote {number}", number=words) if target.startswith("#fn") else words or target


def _goes_on(item: Item) -> bool:
    """Return whether an item is a later piece of a table."""
    return getattr(item, "first", 0) > 0
