"""Lists threads page by page from an index, never sorted and never counted through.

The conditions are spelt as in the partial indexes, so that SQLite uses them. Threads without a place in the order,
because a stored time or title is invalid, come after all others.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from typing import Any, Final

from sqlalchemy.engine import Connection, Row

from chatdesk.core.domain.library import GONE, ThreadQuery
from chatdesk.core.domain.thread import ThreadPage
from chatdesk.core.errors import InvalidInput
from chatdesk.core.ids import checked_id
from chatdesk.core.moments import LATEST_MS
from chatdesk.core.storage.engine.plain_text import clean, folded
from chatdesk.core.storage.engine.rows import THREAD_COLUMNS, thread_from
from chatdesk.core.texts import Text

_SCOPES: Final = {
    "active": "deleted_at IS NULL AND archived_at IS NULL",
    "archive": "archived_at IS NOT NULL AND deleted_at IS NULL",
    "trash": "deleted_at IS NOT NULL",
}
# Which values of the columns that lists are ordered by have a place in the order. In SQLite, numbers come before texts
# and texts before bytes.
_PLACED: Final = {"title_key": "title_key < x''"} | {
    column: f"{column} <= {LATEST_MS}" for column in ("deleted_at", "last_activity_at")
}
_UNPLACED: Final = {"title_key": "title_key >= x''"} | {
    column: f"{column} > {LATEST_MS}" for column in ("deleted_at", "last_activity_at")
}
_ID_LENGTH: Final = 36
# Up to so many threads of a tag are fetched from the tag and sorted; more than that are close enough together in any
# list to be met on the way through it.
_FEW = 2_000


def page(conn: Connection, query: ThreadQuery, *, limit: int, cursor: str | None) -> ThreadPage:
    """Return at most ``limit`` threads after ``cursor``, the ``next_cursor`` of the page before."""
    rows = _rows(conn, query, cursor, f"{THREAD_COLUMNS}, {sort_key(query)}", limit + 1)
    threads = tuple(thread_from(row[:-1]) for row, _is_placed in rows[:limit])
    return ThreadPage(threads, _cursor(*rows[limit - 1]) if len(rows) > limit else None)


def ids(conn: Connection, query: ThreadQuery, *, limit: int) -> tuple[str, ...]:
    """Return the ids of all threads of a list, up to ``limit``."""
    return tuple(row[0] for row, _is_placed in _rows(conn, query, None, "id", limit))


def count(conn: Connection, query: ThreadQuery) -> int:
    condition, values = _conditions(query, is_rare_tag=True)
    return int(conn.exec_driver_sql(f"SELECT count(*) FROM threads WHERE {condition}", tuple(values)).scalar_one())


def count_by_project(conn: Connection) -> dict[str, int]:
    """Return how many threads each project lists under its name: neither archived, deleted nor pinned."""
    # Two indexes answer this; asked in one for what is not pinned, every row would be read.
    active = _SCOPES["active"]
    counts = dict(_by_project(conn, active))
    for project_id, pinned in _by_project(conn, f"pinned_at IS NOT NULL AND {active}"):
        counts[project_id] -= pinned
    return counts


def _by_project(conn: Connection, condition: str) -> list[tuple[str, int]]:
    sql = f"SELECT project_id, count(*) FROM threads WHERE {condition} GROUP BY project_id"
    return [(row[0], row[1]) for row in conn.exec_driver_sql(sql)]


def _rows(
    conn: Connection, query: ThreadQuery, cursor: str | None, columns: str, limit: int
) -> list[tuple[Row[Any], bool]]:
    """Return the rows of a list after ``cursor``, each with whether it has a place in the order."""
    is_rare = is_rare_tag(conn, query.tag_id)
    found: list[tuple[Row[Any], bool]] = []
    for is_placed in (True, False):
        if cursor is not None and _has_place(cursor) < is_placed:
            continue  # the list is past them
        if len(found) < limit:
            after = cursor if cursor is not None and _has_place(cursor) == is_placed else None
            sql, values = statement(query, after, columns=columns, is_rare_tag=is_rare, is_placed=is_placed)
            rows = conn.exec_driver_sql(sql, (*values, limit - len(found)))
            found += [(row, is_placed) for row in rows]
    return found


def statement(
    query: ThreadQuery,
    cursor: str | None,
    *,
    columns: str = THREAD_COLUMNS,
    is_rare_tag: bool = False,
    is_placed: bool = True,
) -> tuple[str, list[Any]]:
    """Return a list's query without its limit, and the values for it: for the threads that have a place in the order,
    or for those that come after them."""
    condition, values = _conditions(query, is_rare_tag=is_rare_tag)
    key = sort_key(query)
    by_name = key == "title_key"
    condition += f" AND {(_PLACED if is_placed else _UNPLACED)[key]} AND length(id) = {_ID_LENGTH}"
    columns_of_order = (key, "id") if is_placed else ("id",)
    if cursor is not None:
        places = ", ".join("?" * len(columns_of_order))
        condition += f" AND ({', '.join(columns_of_order)}) {'>' if by_name else '<'} ({places})"
        values.extend(_parsed(query, cursor))
    direction = "" if by_name else " DESC"
    order = ", ".join(f"{column}{direction}" for column in columns_of_order)
    return f"SELECT {columns} FROM threads WHERE {condition} ORDER BY {order} LIMIT ?", values


def sort_key(query: ThreadQuery) -> str:
    """Return the column a list is ordered by, besides the id."""
    if query.scope == "trash":
        return "deleted_at"
    return "title_key" if query.order == "name" else "last_activity_at"


def is_rare_tag(conn: Connection, tag_id: str | None) -> bool:
    """Return whether it is cheaper to begin at the tag than at the list."""
    if tag_id is None:
        return False
    found = conn.exec_driver_sql(
        "SELECT count(*) FROM (SELECT 1 FROM thread_tags WHERE tag_id = ? LIMIT ?)", (checked_id(tag_id), _FEW + 1)
    ).scalar_one()
    return int(found) <= _FEW


def _conditions(query: ThreadQuery, *, is_rare_tag: bool) -> tuple[str, list[Any]]:
    conditions = [_SCOPES[query.scope]]
    values: list[Any] = []
    if query.scope == "trash":
        conditions.append(f"deleted_at > {GONE}")
    if query.is_pinned is not None:
        conditions.append("pinned_at IS NOT NULL" if query.is_pinned else "pinned_at IS NULL")
    if query.project_id is not None:
        # A "+" keeps the planner from an index that would have to be sorted.
        conditions.append("project_id = ?" if query.tag_id is None or not is_rare_tag else "+project_id = ?")
        values.append(checked_id(query.project_id))
    if query.tag_id is not None:
        conditions.append(
            "id IN (SELECT thread_id FROM thread_tags WHERE tag_id = ?)"
            if is_rare_tag
            else "EXISTS (SELECT 1 FROM thread_tags j WHERE j.thread_id = threads.id AND j.tag_id = ?)"
        )
        values.append(checked_id(query.tag_id))
    if query.text.strip():
        conditions.append("instr(title_folded, ?) > 0")
        values.append(folded(clean(query.text).strip()))
    return " AND ".join(conditions), values


def _cursor(row: Row[Any], is_placed: bool) -> str:
    return f"{row[0]}:{row[-1]}" if is_placed else str(row[0])


def _has_place(cursor: str) -> bool:
    return ":" in cursor


def _parsed(query: ThreadQuery, cursor: str) -> list[int | str]:
    thread_id, colon, value = cursor.partition(":")
    try:
        key: list[int | str] = [value if sort_key(query) == "title_key" else int(value)] if colon else []
        return [*key, checked_id(thread_id)]
    except (ValueError, InvalidInput):
        raise InvalidInput(
            Text("That is not a place in the list."),
            safe=Text("Nothing was changed."),
            next_step=Text("Start from the first page."),
        ) from None
