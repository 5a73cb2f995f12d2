"""Stores every version of a thread's summaries, and finds the newest good one for the shown path."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.message import Status
from chatdesk.core.domain.summary import NewSummary, StaleReason, Summary, SummaryAuthor, SummaryState
from chatdesk.core.domain.usage import Spent, Usage, UsageEvent, UsageKind
from chatdesk.core.errors import SummaryNotFound, SummaryRangeGone
from chatdesk.core.ids import checked_id, new_id
from chatdesk.core.storage.chat.threads import live_thread
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.change_log import SWITCH, Origin, log_change, write_register
from chatdesk.core.storage.engine.connection import insert_row
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import clean
from chatdesk.core.storage.usage import events

_REASONS = frozenset(StaleReason)
_SELECT = """
SELECT s.id, s.thread_id, s.version, s.from_message_id, s.up_to_message_id, s.text, s.token_count, s.provider, s.model,
  s.prompt_version, s.created_at, s.author, s.pinned_facts, s.is_off, s.stale_reason, s.input_tokens, s.output_tokens,
  s.message_count, coalesce(first.position, -1), coalesce(last.position, -1), coalesce(last.on_path, 0),
  s.author_id
FROM summaries s
LEFT JOIN messages first ON first.id = s.from_message_id AND first.purged_at IS NULL
LEFT JOIN messages last ON last.id = s.up_to_message_id AND last.purged_at IS NULL
"""


class SummaryRepository:
    """Reads and writes summaries. Every write is one transaction and returns the summary as it is now."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def list(self, thread_id: str) -> tuple[Summary, ...]:
        """Return all versions, the newest first."""
        wanted = checked_id(thread_id)
        return await self._db.read(lambda conn: tuple(_summary(row) for row in rows_of_thread(conn, wanted)))

    async def get(self, summary_id: str) -> Summary:
        wanted = checked_id(summary_id)
        return await self._db.read(lambda conn: get_summary(conn, wanted))

    async def add(self, new: NewSummary, *, spent: Spent | None = None) -> Summary:
        """Store the next version. One that a model made is also entered into the ledger. Raises ``SummaryRangeGone``
        when the messages are no longer there, or not shown any more."""
        return await self._db.write(lambda conn: _add(conn, self._db.origin, new, spent))

    async def switch(self, summary_id: str, *, is_on: bool) -> Summary:
        wanted = checked_id(summary_id)
        origin = self._db.origin

        def work(conn: Connection) -> Summary:
            summary = get_summary(conn, wanted)
            write_register(
                conn,
                origin,
                tables.summaries,
                wanted,
                project_id=live_thread(conn, summary.thread_id).project_id,
                reg=SWITCH,
                values={"is_off": int(not is_on)},
                body={"is_off": not is_on},
            )
            return get_summary(conn, wanted)

        return await self._db.write(work)


@dataclass(frozen=True, slots=True)
class ForPath:
    """The summary that can be sent for the shown path. ``stale_id`` is a newer one that cannot be sent, because it is
    stale. ``is_off``: the reader switched the newest one off, so that no older one replaces it."""

    summary: Summary | None = None
    stale_id: str | None = None
    is_off: bool = False


def best_for_path(conn: Connection, thread_id: str, starts_at: int) -> ForPath:
    stale = None
    for row in rows_of_thread(conn, thread_id):
        summary = _summary(row)
        is_for_path = bool(row[20]) and starts_at <= summary.from_position
        if is_for_path and summary.state is SummaryState.OFF:
            return ForPath(is_off=True)
        if is_for_path and summary.state is SummaryState.VALID:
            return ForPath(summary, stale)
        if summary.state is SummaryState.STALE and stale is None:
            stale = summary.id
    return ForPath(stale_id=stale)


def rows_of_thread(conn: Connection, thread_id: str) -> Sequence[Sequence[Any]]:
    return conn.exec_driver_sql(
        f"{_SELECT} WHERE s.thread_id = ? AND s.deleted_at IS NULL ORDER BY s.version DESC, s.id DESC", (thread_id,)
    ).all()


def get_summary(conn: Connection, summary_id: str) -> Summary:
    row = conn.exec_driver_sql(f"{_SELECT} WHERE s.id = ? AND s.deleted_at IS NULL", (summary_id,)).first()
    if row is None:
        raise SummaryNotFound
    return _summary(row)


def _add(conn: Connection, origin: Origin, new: NewSummary, spent: Spent | None) -> Summary:
    thread = live_thread(conn, new.thread_id)
    count = _shown_between(conn, new)
    version = conn.exec_driver_sql(
        "SELECT coalesce(max(version), 0) + 1 FROM summaries WHERE thread_id = ?", (new.thread_id,)
    ).scalar_one()
    summary_id, stamp, now = new_id(), origin.stamp(), origin.now()
    shared = {
        "thread_id": new.thread_id,
        "from_message_id": new.from_message_id,
        "up_to_message_id": new.to_message_id,
        "text": clean(new.text),
        "provider": new.provider,
        "model": new.model,
        "prompt_version": new.prompt_version,
        "author": new.author.value,
        "pinned_facts": json.dumps([clean(fact) for fact in new.pinned_facts], ensure_ascii=False),
        "created_at": now,
    }
    insert_row(
        conn,
        tables.summaries,
        id=summary_id,
        version=version,
        token_count=new.tokens,
        message_count=count,
        input_tokens=new.input_tokens,
        output_tokens=new.output_tokens,
        **shared,
        **stamp,
    )
    log_change(
        conn,
        origin,
        project_id=thread.project_id,
        kind="summary",
        op="new",
        entity=summary_id,
        hlc=stamp["hlc"],
        body={
            **shared,
            "token_count": new.tokens,
            "message_count": count,
            "input_tokens": new.input_tokens,
            "output_tokens": new.output_tokens,
        },
    )
    if new.author is SummaryAuthor.MODEL:
        taken = spent or Spent(Usage(new.input_tokens, new.output_tokens))
        events.enter(
            conn,
            origin,
            UsageEvent(UsageKind.SUMMARY, new.thread_id, new.provider, new.model, Status.COMPLETE.value, taken),
        )
    return get_summary(conn, summary_id)


def _shown_between(conn: Connection, new: NewSummary) -> int:
    ends: dict[str, int] = dict(
        conn.exec_driver_sql(
            "SELECT id, position FROM messages WHERE id IN (?, ?) AND thread_id = ? AND on_path = 1"
            " AND deleted_at IS NULL",
            (new.from_message_id, new.to_message_id, new.thread_id),
        ).all()
    )
    first, last = ends.get(new.from_message_id), ends.get(new.to_message_id)
    if first is None or last is None or first > last:
        raise SummaryRangeGone
    return int(
        conn.exec_driver_sql(
            "SELECT count(*) FROM messages WHERE thread_id = ? AND on_path = 1 AND deleted_at IS NULL"
            " AND position >= ? AND position <= ?",
            (new.thread_id, first, last),
        ).scalar_one()
    )


def _summary(row: Sequence[Any]) -> Summary:
    reason = None if row[14] is None else StaleReason(row[14]) if row[14] in _REASONS else StaleReason.EDITED
    state = SummaryState.OFF if row[13] else SummaryState.VALID if reason is None else SummaryState.STALE
    return Summary(
        id=row[0],
        thread_id=row[1],
        version=row[2],
        from_message_id=row[3],
        to_message_id=row[4],
        text=row[5],
        tokens=row[6],
        provider=row[7],
        model=row[8],
        prompt_version=row[9],
        created_at=row[10],
        author=SummaryAuthor.PERSON if row[11] == SummaryAuthor.PERSON else SummaryAuthor.MODEL,
        pinned_facts=facts_of(row[12]),
        state=state,
        stale_reason=reason,
        input_tokens=row[15],
        output_tokens=row[16],
        message_count=row[17],
        from_position=row[18],
        to_position=row[19],
        author_id=row[21],
    )


def facts_of(stored: str) -> tuple[str, ...]:
    """Return the pinned facts of a summary as stored; none if they are damaged."""
    try:
        value = json.loads(stored)
    except ValueError:
        return ()
    return tuple(fact for fact in value if isinstance(fact, str)) if isinstance(value, list) else ()


# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound


_SWITCHED = StaleReason.SWITCHED.value

_MARK = """
UPDATE summaries SET stale_reason = ?
WHERE thread_id = ? AND deleted_at IS NULL AND (stale_reason IS NULL OR stale_reason = 'switched') AND EXISTS (
    SELECT 1 FROM messages first, messages last
    WHERE first.id = summaries.from_message_id AND last.id = summaries.up_to_message_id
    AND last.on_path = ? AND first.position <= ? AND last.position >= ?
)
"""

_IS_SHOWN = "EXISTS (SELECT 1 FROM messages last WHERE last.id = summaries.up_to_message_id AND last.on_path = 1)"


def mark_range_stale(
    conn: Connection, thread_id: str, reason: StaleReason, *, is_on_path: bool, first: int, last: int
) -> None:
    """Mark summaries as stale whose range overlaps the positions from ``first`` to ``last``, on the shown path or
    beside it."""
    conn.exec_driver_sql(_MARK, (reason.value, thread_id, int(is_on_path), last, first))


def mark_message_stale(conn: Connection, message_id: str, reason: StaleReason) -> None:
    row = conn.exec_driver_sql("SELECT thread_id, on_path, position FROM messages WHERE id = ?", (message_id,)).first()
    if row is not None:
        mark_range_stale(conn, row[0], reason, is_on_path=bool(row[1]), first=row[2], last=row[2])


def follow_path(conn: Connection, thread_id: str) -> None:
    """Mark summaries as switched that end beside the shown path now, and those as good that end on it again."""
    conn.exec_driver_sql(
        f"UPDATE summaries SET stale_reason = ? WHERE thread_id = ? AND stale_reason IS NULL AND NOT {_IS_SHOWN}",
        (_SWITCHED, thread_id),
    )
    conn.exec_driver_sql(
        f"UPDATE summaries SET stale_reason = NULL WHERE thread_id = ? AND stale_reason = ? AND {_IS_SHOWN}",
        (thread_id, _SWITCHED),
    )
