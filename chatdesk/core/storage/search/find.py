"""Finds the rows that fit a query, best first, within bounds of number and time.

FTS5 takes more than a second to rank all hits of a common word, so the newest ``MOST_RANKED`` are ranked and no more.
What a filter has to look at one by one ends after ``LONGEST_S``. ``Found.is_more`` reports both.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from chatdesk.core.domain.search import FilterName, SearchQuery
from chatdesk.core.storage.search import match
from chatdesk.core.storage.search.match import TRASHED_THREADS, Conditions

MOST_RANKED = 2_000
LONGEST_S = 2.0
_INTERRUPTED = 9
_STEPS_BETWEEN_LOOKS = 20_000
# Fewer messages than this are gathered from their threads, more are met soon enough on the way from the newest.
_FEW_MESSAGES = 20_000
_FEW_IN_TRASH = 1_000

_COLUMNS = (
    "t.id AS thread_id, t.title AS thread, t.archived_at IS NOT NULL AS is_archived, t.last_activity_at AS active_at,"
    " t.deleted_at IS NOT NULL OR p.deleted_at IS NOT NULL AS is_trashed, p.id AS project_id, p.name AS project"
)
_MESSAGE = (
    "m.role AS role, m.model AS model, m.created_at AS at, m.on_path AS on_path, m.deleted_at IS NOT NULL AS is_deleted"
)
_TEXT = (
    "(SELECT substr(group_concat(words, char(10)), 1, 1000000) FROM (SELECT CASE WHEN json_valid(content)"
    " THEN json_extract(content, '$.text') END AS words FROM message_parts WHERE message_id = m.id AND type = 'text'"
    " ORDER BY part_index)) AS text"
)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of rows, best first. ``count`` is that of all hits; ``is_more``: there are or may be more; ``is_late``:
    time ran out. ``next_cursor`` is None at the end. ``unknown``: filters that nothing can fulfil."""

    rows: tuple[Row, ...] = ()
    count: int = 0
    is_more: bool = False
    is_late: bool = False
    next_cursor: str | None = None
    unknown: tuple[str, ...] = ()


def messages(conn: sqlite3.Connection, query: SearchQuery, *, limit: int, cursor: str | None = None) -> Found:
    """Find messages in all versions. With words by rank, the newer first among equals; else the newest first."""
    limits = match.conditions(conn, query)
    if limits.unknown:
        return Found(unknown=tuple(limits.unknown))
    offset, below = _place(cursor)
    sql, values = _candidates(conn, query, limits, below)
    ranked, is_late = _gather(conn, sql, values)
    is_more = is_late or len(ranked) > MOST_RANKED
    ranked = ranked[:MOST_RANKED]
    oldest = min((row[0] for row in ranked), default=0)
    ranked.sort(key=lambda row: (row[1], -row[0]))
    page = [row[0] for row in ranked[offset : offset + limit]]
    following = None
    if offset + limit < len(ranked):
        following = f"{offset + limit}:{'' if below is None else below}"
    elif is_more and ranked:
        following = f"0:{oldest}"
    return Found(_messages_of(conn, page), len(ranked), is_more, is_late, following)


def _candidates(
    conn: sqlite3.Connection, query: SearchQuery, limits: Conditions, below: int | None
) -> tuple[str, list[Any]]:
    """Return a statement that gives numbers and scores, the newest first, and its values."""
    wanted = match.expression(query)
    # While the first letters of a word are typed, newest first will do.
    score = "0" if match.has_short_beginning(query) else "bm25(search_index)"
    if wanted is not None and not query.filters:
        trashed = _few_in_trash(conn)
        if trashed is not None:
            return _unfiltered(wanted, trashed, below, score)
    tests, values = list(limits.of_messages), list(limits.message_values)
    if limits.is_in_trash:
        tests.append(f"(m.deleted_at IS NOT NULL OR m.thread_id IN ({TRASHED_THREADS}))")
    else:
        tests.append(f"m.deleted_at IS NULL AND m.thread_id NOT IN ({TRASHED_THREADS})")
    if below is not None:
        tests.append("m.search_n < ?" if wanted is None else "f.rowid < ?")
        values.append(below)
    join = ""
    if limits.of_threads:
        join = " CROSS JOIN threads t ON t.id = m.thread_id"
        tests += limits.of_threads
        values += limits.thread_values
    if wanted is not None:
        sql = (
            f"SELECT f.rowid, {score} FROM search_index f CROSS JOIN messages m ON m.search_n = f.rowid"
            f"{join} WHERE search_index MATCH ? AND {' AND '.join(tests)} ORDER BY f.rowid DESC LIMIT {MOST_RANKED + 1}"
        )
        return sql, [wanted, *values]
    tests.append("m.search_n IS NOT NULL")
    if query.excluded:
        tests.append("m.search_n NOT IN (SELECT rowid FROM search_index WHERE search_index MATCH ?)")
        values.append(match.excluded_expression(query))
    source = f"messages m{join}"
    if limits.of_threads and _messages_in(conn, limits) < _FEW_MESSAGES:
        source = "threads t CROSS JOIN messages m ON m.thread_id = t.id"
    sql = (
        f"SELECT m.search_n, -m.created_at FROM {source} WHERE {' AND '.join(tests)}"
        f" ORDER BY m.search_n DESC LIMIT {MOST_RANKED + 1}"
    )
    return sql, values


def _unfiltered(wanted: str, trashed: Sequence[int], below: int | None, score: str) -> tuple[str, list[Any]]:
    """Return a statement that reads the index alone: looking up a message for each hit takes as long as ranking it."""
    tests = ["search_index MATCH ?"]
    values: list[Any] = [wanted]
    if trashed:
        tests.append("rowid NOT IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(list(trashed)))
    if below is not None:
        tests.append("rowid < ?")
        values.append(below)
    sql = (
        f"SELECT rowid, {score} FROM search_index WHERE {' AND '.join(tests)}"
        f" ORDER BY rowid DESC LIMIT {MOST_RANKED + 1}"
    )
    return sql, values


def _few_in_trash(conn: sqlite3.Connection) -> list[int] | None:
    """Return the numbers of all messages in the trash; None when they are many."""
    rows = conn.execute(
        f"SELECT m.search_n FROM ({TRASHED_THREADS}) t CROSS JOIN messages m ON m.thread_id = t.id"
        f" UNION ALL SELECT search_n FROM messages WHERE deleted_at IS NOT NULL LIMIT {_FEW_IN_TRASH + 1}"
    ).fetchall()
    return None if len(rows) > _FEW_IN_TRASH else [row[0] for row in rows if row[0] is not None]


def _messages_in(conn: sqlite3.Connection, limits: Conditions) -> int:
    """Return how many messages the wanted threads have."""
    row = conn.execute(
        f"SELECT coalesce(sum(t.message_count), 0) FROM threads t WHERE {' AND '.join(limits.of_threads)}",
        limits.thread_values,
    ).fetchone()
    return int(row[0])


def _gather(conn: sqlite3.Connection, sql: str, values: Sequence[Any]) -> tuple[list[tuple[int, float]], bool]:
    """Return the rows, or those that came before the time ran out, and whether it ran out."""
    rows: list[tuple[int, float]] = []
    with _deadline(conn) as is_over:
        try:
            rows.extend(conn.execute(sql, values))  # rows read before an interrupt stay in the list
        except sqlite3.OperationalError as error:
            if not (is_interrupt(error) and is_over()):
                raise
            return rows, True
    return rows, False


@contextmanager
def _deadline(conn: sqlite3.Connection) -> Iterator[Any]:
    end = time.monotonic() + LONGEST_S

    def is_over() -> bool:
        return time.monotonic() > end

    conn.set_progress_handler(is_over, _STEPS_BETWEEN_LOOKS)
    try:
        yield is_over
    finally:
        conn.set_progress_handler(None, 0)


def is_interrupt(error: BaseException) -> bool:
    return getattr(error, "sqlite_errorcode", None) == _INTERRUPTED


def _place(cursor: str | None) -> tuple[int, int | None]:
    """Return how many of the ranked rows were shown already, and the number below which the ranked ones are."""
    offset, _, below = (cursor or "0:").partition(":")
    return int(offset), int(below) if below else None


def _messages_of(conn: sqlite3.Connection, numbers: Sequence[int]) -> tuple[Row, ...]:
    rows = _dicts(
        conn,
        f"SELECT m.id AS id, {_MESSAGE}, {_COLUMNS}, {_TEXT} FROM json_each(?) j"
        " CROSS JOIN messages m ON m.search_n = j.value JOIN threads t ON t.id = m.thread_id"
        " JOIN projects p ON p.id = t.project_id ORDER BY j.key",
        [json.dumps(list(numbers))],
    )
    return tuple(rows)


def names(conn: sqlite3.Connection, query: SearchQuery) -> tuple[dict[str, dict[str, float]], bool]:
    """Find entries with a name or a text of their own that fit the words. Returns scores by kind of entry and id, and
    whether there is more."""
    wanted = match.expression(query)
    found: dict[str, dict[str, float]] = {}
    if wanted is None:
        return found, False
    rows = conn.execute(
        "SELECT e.kind, e.entity, bm25(search_names) FROM search_names f CROSS JOIN search_entries e ON e.n = f.rowid"
        f" WHERE search_names MATCH ? ORDER BY f.rowid DESC LIMIT {MOST_RANKED + 1}",
        (wanted,),
    ).fetchall()
    for kind, entity, score in rows[:MOST_RANKED]:
        found.setdefault(kind, {})[entity] = score
    return found, len(rows) > MOST_RANKED


def threads(
    conn: sqlite3.Connection,
    query: SearchQuery,
    named: dict[str, dict[str, float]],
    *,
    is_more: bool,
    limit: int,
    offset: int,
) -> Found:
    """Find threads, by title first, then by summary; with filters alone those with the newest activity first."""
    limits = match.conditions(conn, query)
    if limits.unknown or match.is_about_messages(query):
        return Found()
    tests, values = _thread_tests(query, limits)
    if not query.clauses:
        found = conn.execute(
            f"SELECT t.id FROM threads t WHERE {' AND '.join(tests)} ORDER BY t.last_activity_at DESC, t.id DESC"
            f" LIMIT {MOST_RANKED + 1}",
            values,
        ).fetchall()
        ids = [row[0] for row in found[:MOST_RANKED]]
        return _page(ids, _threads_of(conn, ids[offset : offset + limit], {}), len(found) > MOST_RANKED, limit, offset)
    titles = named.get("thread", {})
    summaries = _threads_of_summaries(conn, named.get("summary", {}))
    candidates = json.dumps(sorted({*titles, *summaries}))
    live = conn.execute(
        "SELECT t.id, t.last_activity_at FROM json_each(?) j CROSS JOIN threads t ON t.id = j.value"
        f" WHERE {' AND '.join(tests)}",
        [candidates, *values],
    ).fetchall()
    live.sort(key=lambda row: (row[0] not in titles, titles.get(row[0], summaries.get(row[0], (0, ""))[0]), -row[1]))
    ids = [row[0] for row in live]
    texts = {thread: text for thread, (_, text) in summaries.items()}
    return _page(ids, _threads_of(conn, ids[offset : offset + limit], texts), is_more, limit, offset)


def _page(ids: Sequence[str], rows: tuple[Row, ...], is_more: bool, limit: int, offset: int) -> Found:
    following = f"{offset + limit}:" if offset + limit < len(ids) else None
    return Found(rows, len(ids), is_more, False, following)


def _thread_tests(query: SearchQuery, limits: Conditions) -> tuple[list[str], list[Any]]:
    tests, values = list(limits.of_threads), list(limits.thread_values)
    tests.append(f"t.id {'' if limits.is_in_trash else 'NOT '}IN ({TRASHED_THREADS})")
    for each in query.filters:
        if each.name in (FilterName.BEFORE, FilterName.AFTER):
            is_before = (each.name is FilterName.BEFORE) is not each.is_excluded
            tests.append(f"t.last_activity_at {'<' if is_before else '>='} ?")
            values.append(each.moment_ms)
    return tests, values


def _threads_of_summaries(conn: sqlite3.Connection, found: dict[str, float]) -> dict[str, tuple[float, str]]:
    """Return the best score and the summary's text, by thread."""
    best: dict[str, tuple[float, str]] = {}
    for summary, thread, text in conn.execute(
        "SELECT s.id, s.thread_id, substr(s.text, 1, 100000) FROM json_each(?) j"
        " CROSS JOIN summaries s ON s.id = j.value",
        [json.dumps(list(found))],
    ):
        if thread not in best or found[summary] < best[thread][0]:
            best[thread] = (found[summary], text)
    return best


def _threads_of(conn: sqlite3.Connection, ids: Sequence[str], texts: dict[str, str]) -> tuple[Row, ...]:
    rows = _dicts(
        conn,
        f"SELECT {_COLUMNS} FROM json_each(?) j CROSS JOIN threads t ON t.id = j.value"
        " JOIN projects p ON p.id = t.project_id ORDER BY j.key",
        [json.dumps(list(ids))],
    )
    return tuple(row | {"text": texts.get(row["thread_id"], "")} for row in rows)


def projects(conn: sqlite3.Connection, found: dict[str, float], *, limit: int, offset: int) -> Found:
    return _simple(conn, "SELECT id, name FROM projects WHERE deleted_at IS NULL AND id IN", found, limit, offset)


def tags(conn: sqlite3.Connection, found: dict[str, float], *, limit: int, offset: int) -> Found:
    return _simple(conn, "SELECT id, name FROM tags WHERE id IN", found, limit, offset)


def _simple(conn: sqlite3.Connection, select: str, found: dict[str, float], limit: int, offset: int) -> Found:
    rows = _dicts(conn, f"{select} (SELECT value FROM json_each(?))", [json.dumps(list(found))])
    rows.sort(key=lambda row: (found[row["id"]], row["name"]))
    return _page([row["id"] for row in rows], tuple(rows[offset : offset + limit]), False, limit, offset)


def artifacts(
    conn: sqlite3.Connection,
    query: SearchQuery,
    named: dict[str, dict[str, float]],
    *,
    is_more: bool,
    limit: int,
    offset: int,
) -> Found:
    """Find files by name, then by content. Each is found at the newest message that has it."""
    limits = match.conditions(conn, query)
    if limits.unknown or not query.clauses or match.is_about_messages(query):
        return Found()
    files, texts = named.get("file", {}), named.get("attachment", {})
    tests, values = [*limits.of_threads, *limits.of_messages], [*limits.thread_values, *limits.message_values]
    gone = f"(m.deleted_at IS NOT NULL OR t.id IN ({TRASHED_THREADS}))"
    tests.append(gone if limits.is_in_trash else f"NOT {gone}")
    rows = _dicts(
        conn,
        "WITH found (part, sha256) AS (SELECT value, NULL FROM json_each(?)"
        " UNION SELECT a.part_id, a.sha256 FROM json_each(?) j CROSS JOIN artifacts a ON a.sha256 = j.value"
        " WHERE a.document_id IS NULL)"
        f" SELECT c.id AS part_id, m.id AS message_id, {_MESSAGE}, {_COLUMNS},"
        " CASE WHEN json_valid(c.content) THEN json_extract(c.content, '$.name') END AS name, found.sha256,"
        " substr(x.text, 1, 100000) AS text"
        " FROM found CROSS JOIN message_parts c ON c.id = found.part CROSS JOIN messages m ON m.id = c.message_id"
        " JOIN threads t ON t.id = m.thread_id JOIN projects p ON p.id = t.project_id"
        f" LEFT JOIN artifact_texts x ON x.sha256 = found.sha256 WHERE {' AND '.join(tests)}",
        [json.dumps(list(files)), json.dumps(list(texts)), *values],
    )
    rows.sort(key=lambda row: -row["at"])
    kept: dict[str, Row] = {}
    for row in rows:
        kept.setdefault(row["sha256"] or row["part_id"], row)
    known = {row["part_id"] for row in kept.values() if row["sha256"] is not None}
    hits = [row for row in kept.values() if row["sha256"] is not None or row["part_id"] not in known]
    hits.sort(key=lambda row: (row["part_id"] not in files, files.get(row["part_id"], texts.get(row["sha256"], 0.0))))
    return _page([row["part_id"] for row in hits], tuple(hits[offset : offset + limit]), is_more, limit, offset)


def _dicts(conn: sqlite3.Connection, sql: str, values: Sequence[Any]) -> list[Row]:
    found = conn.execute(sql, values)
    names_of_columns = [column[0] for column in found.description]
    return [dict(zip(names_of_columns, row, strict=True)) for row in found]
