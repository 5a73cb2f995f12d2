"""Keeps a thread's counters by adding and subtracting, and counts them afresh to verify them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection

from chatdesk.core.storage.engine.plain_text import from_json, json_value, to_json
from chatdesk.core.storage.engine.rows import batches, marks


@dataclass(slots=True)
class Tally:
    """The counts that some messages add to their thread."""

    message_count: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    tool_time_ms: int = 0
    tool_counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, other: Tally, sign: int = 1) -> None:
        self.message_count += sign * other.message_count
        self.input_tokens += sign * other.input_tokens
        self.output_tokens += sign * other.output_tokens
        self.cached_tokens += sign * other.cached_tokens
        self.reasoning_tokens += sign * other.reasoning_tokens
        self.tool_time_ms += sign * other.tool_time_ms
        for name, count in other.tool_counts.items():
            self.tool_counts[name] += sign * count


_SUMS = (
    "SELECT count(*), coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0),"
    " coalesce(sum(cached_tokens), 0), coalesce(sum(reasoning_tokens), 0) FROM messages WHERE"
)
# Counted are results of calls that ran, as ``domain.tools.is_counted`` says. Those of an answer that is still being
# written are counted when it ends.
_TOOLS = (
    "SELECT coalesce(p.tool_name, ''), sum(p.type = 'tool_result'"  # noqa: S608
    f" AND (p.tool_duration_ms IS NOT NULL OR {json_value('p.content', 'status')} IS NULL)),"
    " coalesce(sum(p.tool_duration_ms), 0)"
    " FROM message_parts p JOIN messages m ON m.id = p.message_id"
    " WHERE (p.type = 'tool_result' OR p.tool_duration_ms IS NOT NULL)"
    " AND m.status NOT IN ('pending', 'streaming') AND"
)


def of_messages(conn: Connection, message_ids: Sequence[str]) -> Tally:
    """Return the counts that these messages add, as long as they are live."""
    total = Tally()
    for batch in batches(message_ids):
        total.add(_tally(conn, f"id IN ({marks(batch)})", f"m.id IN ({marks(batch)})", tuple(batch)))
    return total


def of_thread(conn: Connection, thread_id: str) -> Tally:
    """Return the counts of all live messages of a thread, counted afresh."""
    return _tally(
        conn, "thread_id = ? AND deleted_at IS NULL", "m.thread_id = ? AND m.deleted_at IS NULL", (thread_id,)
    )


def _tally(conn: Connection, condition: str, joined_condition: str, values: tuple[str, ...]) -> Tally:
    tally = Tally(*conn.exec_driver_sql(f"{_SUMS} {condition}", values).one())
    for name, count, duration in conn.exec_driver_sql(f"{_TOOLS} {joined_condition} GROUP BY 1", values):
        tally.tool_time_ms += duration
        if count:
            tally.tool_counts[name] += count
    return tally


def change_by_difference(conn: Connection, thread_id: str, before: Tally, after: Tally) -> None:
    """Change the counters of a thread for messages that added ``before`` and now add ``after``."""
    delta = Tally()
    delta.add(after)
    delta.add(before, -1)
    change(conn, thread_id, delta)


def count_in(conn: Connection, thread_id: str, tally: Tally, sign: int, shown: int) -> None:
    """Add messages to the counters of a thread, or subtract them where ``sign`` is -1; ``shown`` are on its path."""
    delta = Tally()
    delta.add(tally, sign)
    change(conn, thread_id, delta)
    conn.exec_driver_sql("UPDATE threads SET shown_count = shown_count + ? WHERE id = ?", (sign * shown, thread_id))


def change(conn: Connection, thread_id: str, delta: Tally) -> None:
    """Add ``delta`` to the counters of a thread."""
    conn.exec_driver_sql(
        "UPDATE threads SET message_count = message_count + ?, total_input_tokens = total_input_tokens + ?,"
        " total_output_tokens = total_output_tokens + ?, total_cached_tokens = total_cached_tokens + ?,"
        " total_reasoning_tokens = total_reasoning_tokens + ?, total_tool_time_ms = total_tool_time_ms + ?"
        " WHERE id = ?",
        (
            delta.message_count,
            delta.input_tokens,
            delta.output_tokens,
            delta.cached_tokens,
            delta.reasoning_tokens,
            delta.tool_time_ms,
            thread_id,
        ),
    )
    if delta.tool_counts:
        stored = conn.exec_driver_sql("SELECT tool_counts FROM threads WHERE id = ?", (thread_id,)).scalar()
        counts = Counter({str(name): int(count) for name, count in from_json(stored).items()})
        counts.update(delta.tool_counts)
        conn.exec_driver_sql(
            "UPDATE threads SET tool_counts = ? WHERE id = ?",
            (to_json({name: count for name, count in counts.items() if count}), thread_id),
        )
