"""Turns rows into groups of hits, with snippets. Runs on the thread that searches."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.search import SearchGroup, SearchHit, SearchKind, SearchQuery, Snippet
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.search.snippet import Finder
from chatdesk.core.storage.search import find as search_find
from chatdesk.core.storage.search import store
from chatdesk.core.storage.search.find import MOST_RANKED, Found
from chatdesk.core.texts import Text

_ROLES = {str(role): role for role in Role}


def messages(conn: Any, query: SearchQuery, limit: int, cursor: str | None) -> SearchGroup | None:
    """Return the group of messages; None when it has neither hits nor a note."""
    began = time.perf_counter()
    state = store.state(conn)
    if state.problem is not None:
        return SearchGroup(SearchKind.MESSAGE, (), 0, note=state.problem)
    found = search_find.messages(conn, query, limit=limit, cursor=cursor)
    finder = Finder(query)
    made = tuple(_message(_with_clean_names(row), finder) for row in found.rows)
    notes = list(found.unknown)
    if found.is_late:
        notes.append(Text("Looking further back would take long: only the newest part was searched."))
    elif found.is_more and query.clauses:
        notes.append(Text("The newest {most_ranked} matches were ranked; older ones follow.", most_ranked=MOST_RANKED))
    if not state.is_whole:
        notes.append(Text("Older messages are still being indexed: {percent} %.", percent=str(state.percent)))
    return _group(SearchKind.MESSAGE, made, found, began, " ".join(notes) or None)


def named(
    conn: Any, query: SearchQuery, kinds: Collection[SearchKind], limit: int, cursor: str | None
) -> list[SearchGroup]:
    """Return the groups of everything that has a name."""
    began = time.perf_counter()
    if store.state(conn).problem is not None:
        return []
    entries, is_more = search_find.names(conn, query)
    offset = int((cursor or "0:").partition(":")[0])
    finder = Finder(query)
    groups = []
    for kind in kinds:
        if kind is SearchKind.THREAD:
            found = search_find.threads(conn, query, entries, is_more=is_more, limit=limit, offset=offset)
            made = tuple(_thread(_with_clean_names(row), finder) for row in found.rows)
        elif kind is SearchKind.ARTIFACT:
            found = search_find.artifacts(conn, query, entries, is_more=is_more, limit=limit, offset=offset)
            made = tuple(_artifact(_with_clean_names(row), finder) for row in found.rows)
        elif query.filters:
            continue  # a project or a tag has none of what filters ask for
        else:
            find = search_find.projects if kind is SearchKind.PROJECT else search_find.tags
            found = find(conn, entries.get(kind.value, {}), limit=limit, offset=offset)
            rows = map(_with_clean_names, found.rows)
            made = tuple(
                SearchHit(kind, row["id"], row["name"], title_matches=finder.matches(row["name"])) for row in rows
            )
        group = _group(kind, made, found, began, None)
        began = time.perf_counter()
        if group is not None:
            groups.append(group)
    return groups


def _group(
    kind: SearchKind, made: tuple[SearchHit, ...], found: Found, began: float, note: str | None
) -> SearchGroup | None:
    if not made and note is None:
        return None
    return SearchGroup(
        kind,
        made,
        found.count,
        is_more=found.is_more,
        elapsed_ms=(time.perf_counter() - began) * 1000,
        note=note,
        next_cursor=found.next_cursor,
    )


def _with_clean_names(row: dict[str, Any]) -> dict[str, Any]:
    """Return ``row`` with its titles and names as they may be shown."""
    names = {key: row.get(key) for key in ("thread", "project", "name")}
    return {**row, **{key: clean_line(name) for key, name in names.items() if isinstance(name, str)}}


def _needle(snippet: Snippet) -> str:
    if not snippet.matches:
        return ""
    start, end = snippet.matches[0]
    return snippet.text[start:end]


def _message(row: dict[str, Any], finder: Finder) -> SearchHit:
    snippet = finder.snippet(row["text"] or "")
    return SearchHit(
        SearchKind.MESSAGE,
        row["id"],
        row["thread"],
        snippet=snippet,
        needle=_needle(snippet),
        project_id=row["project_id"],
        project=row["project"],
        thread_id=row["thread_id"],
        message_id=row["id"],
        role=_ROLES[row["role"]],
        model=row["model"],
        at=row["at"],
        is_on_path=bool(row["on_path"]),
        is_archived=bool(row["is_archived"]),
        is_in_trash=bool(row["is_trashed"] or row["is_deleted"]),
    )


def _thread(row: dict[str, Any], finder: Finder) -> SearchHit:
    snippet = finder.snippet(row["text"]) if row["text"] else Snippet("")
    return SearchHit(
        SearchKind.THREAD,
        row["thread_id"],
        row["thread"],
        title_matches=finder.matches(row["thread"]),
        snippet=snippet,
        needle=_needle(snippet),
        project_id=row["project_id"],
        project=row["project"],
        thread_id=row["thread_id"],
        at=row["active_at"],
        is_archived=bool(row["is_archived"]),
        is_in_trash=bool(row["is_trashed"]),
    )


def _artifact(row: dict[str, Any], finder: Finder) -> SearchHit:
    name = row["name"] if isinstance(row["name"], str) else ""
    snippet = finder.snippet(row["text"]) if row["text"] else Snippet("")
    return SearchHit(
        SearchKind.ARTIFACT,
        row["part_id"],
        name,
        title_matches=finder.matches(name),
        snippet=snippet,
        needle=_needle(snippet),
        project_id=row["project_id"],
        project=row["project"],
        thread_id=row["thread_id"],
        message_id=row["message_id"],
        role=_ROLES[row["role"]],
        at=row["at"],
        is_on_path=bool(row["on_path"]),
        is_archived=bool(row["is_archived"]),
        is_in_trash=bool(row["is_trashed"] or row["is_deleted"]),
    )
