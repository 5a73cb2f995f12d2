"""Turns a query into SQL: the expression that FTS5 reads, and the conditions that filters put on messages and threads.

Everything that a person typed is bound as a value or is in a quoted string of the expression.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chatdesk.core.domain.search import Filter, FilterName, SearchQuery, Term
from chatdesk.core.storage.engine import search_text
from chatdesk.core.storage.engine.plain_text import folded
from chatdesk.core.texts import Text

# Threads that are in the trash, by themselves or with their project.
TRASHED_THREADS = (
    "SELECT id FROM threads WHERE deleted_at IS NOT NULL"
    " UNION ALL SELECT t.id FROM projects p CROSS JOIN threads t ON t.project_id = p.id WHERE p.deleted_at IS NOT NULL"
)

# A shorter beginning is in too many words to be of help, and takes as long as all of them.
_SHORTEST_BEGINNING = 2
_COSTLY_BEGINNING = 3

_IN_LIST = "IN (SELECT value FROM json_each(?))"
_HAS = {
    "code": "EXISTS (SELECT 1 FROM message_parts h WHERE h.message_id = m.id AND h.type = 'text'"
    " AND instr(h.content, '```') > 0)",
    "image": "EXISTS (SELECT 1 FROM message_parts h WHERE h.message_id = m.id AND h.type = 'image')",
    "file": "EXISTS (SELECT 1 FROM message_parts h WHERE h.message_id = m.id AND h.type = 'file')",
}
_OF_MESSAGES = frozenset({FilterName.ROLE, FilterName.MODEL, FilterName.HAS})


@dataclass(slots=True)
class Conditions:
    """The conditions that a row of ``threads t`` and, where there is one, of ``messages m`` must fulfil."""

    of_threads: list[str] = field(default_factory=list)
    of_messages: list[str] = field(default_factory=list)
    thread_values: list[Any] = field(default_factory=list)
    message_values: list[Any] = field(default_factory=list)
    is_in_trash: bool = False
    # Filters that nothing can fulfil, as sentences.
    unknown: list[str] = field(default_factory=list)

    def thread(self, condition: str, *values: Any) -> None:
        self.of_threads.append(condition)
        self.thread_values.extend(values)

    def message(self, condition: str, *values: Any) -> None:
        self.of_messages.append(condition)
        self.message_values.extend(values)


def expression(query: SearchQuery) -> str | None:
    """Return the expression that FTS5 is asked for; None when no word is wanted."""
    if not query.clauses:
        return None
    wanted = " AND ".join(f"({' OR '.join(map(_quoted, clause))})" for clause in query.clauses)
    return f"({wanted}) NOT ({excluded_expression(query)})" if query.excluded else wanted


def excluded_expression(query: SearchQuery) -> str:
    return " OR ".join(map(_quoted, query.excluded))


def _quoted(term: Term) -> str:
    text = search_text.words(term.text) or ""
    words = text.split()
    may_go_on = term.is_prefix and bool(words) and len(words[-1]) >= _SHORTEST_BEGINNING
    return '"' + text.replace('"', " ") + '"' + "*" * may_go_on


def has_short_beginning(query: SearchQuery) -> bool:
    """Return whether a word is so short a beginning that ranking would have to count half of all messages."""
    return any(
        term.is_prefix
        and _SHORTEST_BEGINNING <= len((search_text.words(term.text) or "").split()[-1]) <= _COSTLY_BEGINNING
        for clause in query.clauses
        for term in clause
    )


def is_about_messages(query: SearchQuery) -> bool:
    """Return whether a filter asks for something that only messages have."""
    return any(each.name in _OF_MESSAGES for each in query.filters)


def conditions(conn: sqlite3.Connection, query: SearchQuery) -> Conditions:
    """Return the conditions that the filters of a query make. Wanted projects are alternatives, and so are roles and
    models; everything else must hold together."""
    made = Conditions()
    made.is_in_trash = any(
        each.name is FilterName.IS and each.value == "trashed" and not each.is_excluded for each in query.filters
    )
    wanted = [each for each in query.filters if not each.is_excluded]
    _add_projects(conn, made, query.filters)
    _add_tags(conn, made, query.filters)
    roles = [role for each in wanted if each.name is FilterName.ROLE for role in each.value.split("|")]
    if roles:
        made.message(f"m.role {_IN_LIST}", json.dumps(roles))
    models = [each.value for each in wanted if each.name is FilterName.MODEL]
    if models:
        test = " OR ".join(["instr(lower(coalesce(m.model, '')), lower(?)) > 0"] * len(models))
        made.message(f"({test})", *models)
    for each in query.filters:
        _add_other(made, each)
    return made


def _add_other(made: Conditions, each: Filter) -> None:
    negation = "NOT " if each.is_excluded else ""
    values = each.value.split("|")
    if each.name is FilterName.ROLE and each.is_excluded:
        made.message(f"m.role NOT {_IN_LIST}", json.dumps(values))
    elif each.name is FilterName.MODEL and each.is_excluded:
        made.message("instr(lower(coalesce(m.model, '')), lower(?)) = 0", each.value)
    elif each.name is FilterName.HAS:
        made.message(f"{negation}({' OR '.join(_HAS[value] for value in values)})")
    elif each.name in (FilterName.BEFORE, FilterName.AFTER):
        is_before = (each.name is FilterName.BEFORE) is not each.is_excluded
        made.message(f"m.created_at {'<' if is_before else '>='} ?", each.moment_ms)
    elif each.name is FilterName.IS and each.value != "trashed":
        made.thread(f"{negation}({' OR '.join(f't.{value}_at IS NOT NULL' for value in values)})")


def _add_projects(conn: sqlite3.Connection, made: Conditions, filters: Iterable[Filter]) -> None:
    rows = [(row[0], folded(row[1])) for row in _lazily(conn, FilterName.PROJECT, filters, "projects")]
    wanted: set[str] = set()
    has_wanted = False
    for each in filters:
        if each.name is not FilterName.PROJECT:
            continue
        found = _named(rows, each.value)
        if each.is_excluded:
            made.thread(f"t.project_id NOT {_IN_LIST}", json.dumps(found))
            continue
        has_wanted = True
        wanted.update(found)
        if not found:
            made.unknown.append(Text("No project is called “{value}”.", value=each.value))
    if has_wanted:
        made.thread(f"t.project_id {_IN_LIST}", json.dumps(sorted(wanted)))


def _add_tags(conn: sqlite3.Connection, made: Conditions, filters: Iterable[Filter]) -> None:
    rows = [(row[0], folded(row[1])) for row in _lazily(conn, FilterName.TAG, filters, "tags")]
    for each in filters:
        if each.name is not FilterName.TAG:
            continue
        found = _named(rows, each.value)
        if not found and not each.is_excluded:
            made.unknown.append(Text("No tag is called “{value}”.", value=each.value))
        negation = "NOT " if each.is_excluded else ""
        made.thread(
            f"{negation}EXISTS (SELECT 1 FROM thread_tags x WHERE x.thread_id = t.id AND x.tag_id {_IN_LIST})",
            json.dumps(found),
        )


def _lazily(conn: sqlite3.Connection, name: FilterName, filters: Iterable[Filter], table: str) -> Sequence[Any]:
    if not any(each.name is name for each in filters):
        return ()
    condition = " WHERE deleted_at IS NULL" if table == "projects" else ""
    return conn.execute(f"SELECT id, name FROM {table}{condition}").fetchall()


def _named(rows: Sequence[tuple[str, str]], value: str) -> list[str]:
    """Return the ids of the rows with this name, or else of the rows whose name begins with it."""
    wanted = folded(value)

    def those(test: Callable[[str], bool]) -> list[str]:
        return sorted(entity for entity, name in rows if test(name))

    return those(lambda name: name == wanted) or those(lambda name: name.startswith(wanted))
