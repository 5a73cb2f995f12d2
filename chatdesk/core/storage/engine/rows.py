"""Turns database rows into domain objects, in as few queries as a page needs."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar

from sqlalchemy.engine import Connection

from chatdesk.core.domain.attachment import clean_name
from chatdesk.core.domain.library import GONE
from chatdesk.core.domain.message import FILE_PARTS, ContextMark, Message, Part, PartType, Role, Status
from chatdesk.core.domain.thread import Thread
from chatdesk.core.errors import MessageNotFound, ThreadNotFound
from chatdesk.core.name_order import name_key
from chatdesk.core.storage.engine import message_columns
from chatdesk.core.storage.engine.connection import driver, fetch_all
from chatdesk.core.storage.engine.plain_text import content_from, from_json, shown_name

T = TypeVar("T")
# SQLite takes 32,766 parameters; far fewer are as fast.
_BATCH = 500
# Looking a member up is three times as fast as asking its class.
_ROLES: Final[Mapping[str, Role]] = {each.value: each for each in Role}
_STATUSES: Final[Mapping[str, Status]] = {each.value: each for each in Status}
_PART_TYPES: Final[Mapping[str, PartType]] = {each.value: each for each in PartType}
_MARKS: Final[Mapping[str, ContextMark]] = {each.value: each for each in ContextMark}
# By their values: a member of an enumeration is hashed by Python code.
_FINAL: Final = frozenset(each.value for each in Status if each.is_final)
_FILE_TYPES: Final = frozenset(each.value for each in FILE_PARTS)

THREAD_COLUMNS = (
    "id, project_id, title, system_prompt, provider, model, created_at, last_activity_at, archived_at, pinned_at,"
    " deleted_at, current_leaf_id, message_count, total_input_tokens, total_output_tokens, total_cached_tokens,"
    " total_reasoning_tokens, total_tool_time_ms, tool_counts,"
    " (SELECT group_concat(g.name, char(31)) FROM thread_tags j JOIN tags g ON g.id = j.tag_id"
    "  WHERE j.thread_id = threads.id), author_id, assistant_id"
)
_NUMBERS: Final = (6, 7, *range(12, 18))  # times and counts that each thread has
TAG_MARK = "\x1f"  # stands between the names of a thread's tags, and in none of them

_MESSAGE_FIELDS = tuple(field.name for field in fields(Message))
_ACCEPTED_AT = (
    "CASE WHEN m.author_id IS NOT NULL THEN (SELECT c.at FROM changes c WHERE c.entity = m.id AND c.reg = 'content'"
    " AND c.kind = 'message' AND c.op = 'new' AND c.seq IS NOT NULL) END"
)
# A column for each field of ``Message``, in their order; NULL where the field is none and is filled in later.
MESSAGE_COLUMNS = ", ".join(
    f"m.{name}" if name in message_columns.BY_NAME else _ACCEPTED_AT if name == "accepted_at" else "NULL"
    for name in _MESSAGE_FIELDS
)
_ID, _THREAD, _PARENT, _ROLE, _STATUS, _DETAILS, _MARK = map(
    _MESSAGE_FIELDS.index, ("id", "thread_id", "parent_id", "role", "status", "error_details", "context_mark")
)
_PART_LIST, _VERSION, _VERSIONS, _COST, _WRITTEN = map(
    _MESSAGE_FIELDS.index, ("parts", "version_index", "version_count", "cost_usd", "written_tokens")
)


@dataclass(frozen=True, slots=True)
class _AnswerCost:
    """The cost of one answer: dollars, None where any part of them is not known, and tokens that went into a cache."""

    cost_usd: float | None = None
    written_tokens: int = 0


_NO_COST = _AnswerCost()
_PART_COLUMNS = (
    "id, message_id, part_index, type, content, step_index, started_at, completed_at, tool_name, tool_call_id,"
    " tool_duration_ms"
)


def thread_from(row: Sequence[Any]) -> Thread:
    """Return a thread from a row of ``THREAD_COLUMNS``, read from ``threads`` under that name."""
    values = list(row)
    for place in _NUMBERS:
        values[place] = values[place] or 0  # None: an empty text was in its place
    values[2] = shown_name(values[2])
    values[18] = from_json(values[18])
    values[19] = tuple(sorted(map(shown_name, values[19].split(TAG_MARK)), key=name_key)) if values[19] else ()
    return Thread(*values)


def get_thread(conn: Connection, thread_id: str) -> Thread:
    row = conn.exec_driver_sql(
        f"SELECT {THREAD_COLUMNS} FROM threads WHERE id = ? AND deleted_at IS NOT {GONE}", (thread_id,)
    ).first()
    if row is None:
        raise ThreadNotFound
    return thread_from(row)


def get_message(conn: Connection, message_id: str) -> Message:
    rows = fetch_all(conn, f"SELECT {MESSAGE_COLUMNS} FROM messages m WHERE m.id = ?", (message_id,))
    if not rows:
        raise MessageNotFound
    return messages_from(conn, rows)[0]


def messages_from(conn: Connection, rows: Sequence[Sequence[Any]], *, has_versions: bool = True) -> list[Message]:
    """Return whole messages, in the order of ``rows`` (of ``MESSAGE_COLUMNS``): parts, streamed text and places among
    versions are fetched for all of them at once. ``has_versions`` is False where each is known to be the only one."""
    if not rows:
        return []
    ids = [row[_ID] for row in rows]
    parts = _parts(conn, ids, [row[_ID] for row in rows if row[_STATUS] not in _FINAL])
    siblings = _live_siblings(conn, rows) if has_versions else {}
    costs = _answer_costs(conn, [row[_ID] for row in rows if row[_ROLE] == Role.ASSISTANT])
    return [_message(row, parts.get(row[_ID], ()), siblings, costs.get(row[_ID], _NO_COST)) for row in rows]


def _message(
    row: Sequence[Any], parts: Iterable[Part], siblings: Mapping[tuple[str, str], list[str]], cost: _AnswerCost
) -> Message:
    values = list(row)  # by their places: naming every field takes twice the time, and pages have thousands
    # No message is hidden by a word that is none of ours.
    values[_ROLE] = _ROLES.get(values[_ROLE], Role.USER)
    values[_STATUS] = _STATUSES.get(values[_STATUS], Status.INTERRUPTED)
    values[_DETAILS] = from_json(values[_DETAILS])
    values[_MARK] = _MARKS.get(values[_MARK], ContextMark.NONE)  # only a newer ChatDesk knows others
    values[_PART_LIST] = tuple(parts)
    values[_VERSION] = values[_VERSIONS] = 1
    if siblings:
        versions = siblings.get((values[_PARENT] or values[_THREAD], row[_ROLE]), ())
        values[_VERSION] += sum(map(values[_ID].__gt__, versions))
        values[_VERSIONS] = max(len(versions), values[_VERSION])
    values[_COST], values[_WRITTEN] = cost.cost_usd, cost.written_tokens
    return Message(*values)


def _answer_costs(conn: Connection, message_ids: Sequence[str]) -> dict[str, _AnswerCost]:
    """Return the cost of answers by message id, continuing them included, as the ledger has it."""
    found: dict[str, _AnswerCost] = {}
    for batch in id_batches(message_ids):
        for message_id, cost, written in driver(conn).execute(
            "SELECT message_id, CASE WHEN count(*) = count(cost_usd) THEN sum(cost_usd) END, sum(written_tokens)"
            f" FROM usage_events WHERE message_id IN ({marks(batch)}) GROUP BY message_id",
            tuple(batch),
        ):
            found[message_id] = _AnswerCost(None if cost is None else float(cost), int(written))
    return found


def _parts(conn: Connection, message_ids: Sequence[str], unfinished: Sequence[str]) -> dict[str, list[Part]]:
    streamed = streamed_text(conn, unfinished)
    parts: dict[str, list[Part]] = defaultdict(list)
    for batch in id_batches(message_ids):
        for id_, message_id, index, type_, stored, *rest in fetch_all(
            conn,
            f"SELECT {_PART_COLUMNS} FROM message_parts WHERE message_id IN ({marks(batch)})"
            " ORDER BY message_id, part_index",
            batch,
        ):
            kind = _PART_TYPES.get(type_, PartType.TEXT)
            content = content_from(stored)
            if streamed and (message_id, index) in streamed:
                content = appended(kind, content, streamed[message_id, index])
            if type_ in _FILE_TYPES and isinstance(content.get("name"), str):
                content["name"] = clean_name(content["name"])  # shown and offered for saving, from any author
            parts[message_id].append(Part(id_, message_id, index, kind, content, *rest))
    return parts


def streamed_text(conn: Connection, message_ids: Sequence[str]) -> dict[tuple[str, int], str]:
    """Return text that is stored in pieces, by message id and part index."""
    pieces: dict[tuple[str, int], list[str]] = defaultdict(list)
    for batch in id_batches(message_ids):
        for message_id, index, text in driver(conn).execute(
            f"SELECT message_id, part_index, text FROM part_chunks WHERE message_id IN ({marks(batch)})"
            " ORDER BY message_id, part_index, n",
            tuple(batch),
        ):
            pieces[message_id, index].append(text)
    return {key: "".join(texts) for key, texts in pieces.items()}


def appended(kind: PartType, content: dict[str, Any], text: str) -> dict[str, Any]:
    """Return ``content`` with ``text`` appended to its streamed text."""
    field = "arguments" if kind is PartType.TOOL_CALL else "text"
    return {**content, field: str(content.get(field, "")) + text}


def _live_siblings(conn: Connection, rows: Sequence[Sequence[Any]]) -> dict[tuple[str, str], list[str]]:
    """Return the ids of live versions in order, by parent (of roots: by thread) and role; of a parent with one child
    nothing."""
    siblings: dict[tuple[str, str], list[str]] = defaultdict(list)
    for batch in id_batches(_with_several_children(conn, {row[_PARENT] for row in rows if row[_PARENT] is not None})):
        for message_id, parent_id, role in fetch_all(
            conn,
            f"SELECT id, parent_id, role FROM messages WHERE parent_id IN ({marks(batch)}) AND deleted_at IS NULL",
            batch,
        ):
            siblings[parent_id, role].append(message_id)
    for batch in id_batches(sorted({row[_THREAD] for row in rows if row[_PARENT] is None})):
        for message_id, thread_id, role in fetch_all(
            conn,
            f"SELECT id, thread_id, role FROM messages WHERE thread_id IN ({marks(batch)})"
            " AND parent_id IS NULL AND deleted_at IS NULL",
            batch,
        ):
            siblings[thread_id, role].append(message_id)
    return siblings


def _with_several_children(conn: Connection, parent_ids: Iterable[str]) -> list[str]:
    """Return the messages with more than one child, in order. The index alone shows that most have one; reading all
    children of a page would double the time."""
    found: list[str] = []
    for batch in id_batches(sorted(parent_ids)):
        statement = f"SELECT parent_id FROM messages WHERE parent_id IN ({marks(batch)})"
        found += [row[0] for row in fetch_all(conn, f"{statement} GROUP BY parent_id HAVING count(*) > 1", batch)]
    return found


def batches(values: Sequence[T]) -> Iterable[Sequence[T]]:
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]


def id_batches(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    """Yield batches for ``IN`` whose sizes are powers of two, the last id repeated: for statements that a window reads
    with at every turn, because a connection keeps each of them as often as it was asked for another number of ids."""
    for batch in batches(ids):
        yield [*batch, *[batch[-1]] * ((1 << (len(batch) - 1).bit_length()) - len(batch))]


def marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
