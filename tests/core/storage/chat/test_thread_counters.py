"""Whatever is done in whatever order: counters equal a recount, and the shown path is a path."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from chatdesk.core.domain.message import PartType, Status
from chatdesk.core.domain.turn import StreamChunk, TurnOutcome
from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import InvalidInput, MessageInTrash, NotFound, NotPossible, TurnInProgress
from tests.helpers.checks import integrity_check
from tests.helpers.counters import recounted
from tests.helpers.examples import examples
from tests.helpers.store import PLAN, MovableClock, Store

_NAMES = [
    "ask",
    "root",
    "below",
    "edit",
    "regenerate",
    "finish",
    "stop",
    "stream",
    "resume",
    "delete",
    "cut",
    "restore",
    "select",
    "purge",
    "restart",
]
_OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(_NAMES),
        st.integers(0, 30),
    ),
    max_size=25,
)


async def _apply(store: Store, thread: str, name: str, pick: int) -> None:
    ids = await store.db.read(
        lambda conn: [row[0] for row in conn.exec_driver_sql("SELECT id FROM messages ORDER BY id")]
    )
    chosen = ids[pick % len(ids)] if ids else ""
    messages = store.messages
    tools = (StreamChunk(1, PartType.TOOL_CALL, "{}", {"name": f"tool{pick % 2}"}), StreamChunk(0, PartType.TEXT, "x"))
    outcome = TurnOutcome(Status.COMPLETE, store.clock.now_ms(), usage=Usage(pick, 2, 1, 1), tail=tools)
    stopped = TurnOutcome(Status.STOPPED, store.clock.now_ms())
    if name in ("ask", "root"):
        await messages.add_question(thread, "q", parent_id="leaf" if name == "ask" else None, with_answer=PLAN)
    elif name == "purge":
        await store.trash.purge_expired(store.clock.now_ms() + 1)
    elif name == "restart":
        await store.reopen()
    elif chosen:
        actions = {
            "below": lambda: messages.add_question(thread, "b", parent_id=chosen, with_answer=None),
            "edit": lambda: messages.add_question_version(chosen, "e", PLAN),
            "regenerate": lambda: messages.add_answer(chosen, PLAN),
            "finish": lambda: messages.finish(chosen, outcome),
            "stop": lambda: messages.finish(chosen, stopped),
            "stream": lambda: messages.append_chunks(chosen, tools),
            "resume": lambda: messages.resume(chosen, PLAN),
            "delete": lambda: store.paths.delete(chosen, with_later=False),
            "cut": lambda: store.paths.delete(chosen, with_later=True),
            "restore": lambda: store.paths.restore(chosen),
            "select": lambda: store.paths.select_version(chosen),
        }
        await actions[name]()


def _path_faults(conn: Connection) -> list[str]:
    rows = conn.exec_driver_sql(
        "SELECT id, parent_id, position, on_path FROM messages ORDER BY on_path DESC, position"
    ).all()
    by_id = {row[0]: row for row in rows}
    faults = [f"place of {row[0]}" for row in rows if row[1] is not None and row[2] != by_id[row[1]][2] + 1]
    parent = None
    for row in rows:
        if row[3]:
            if row[1] != parent:
                faults.append(f"{row[0]} does not follow {parent}")
            parent = row[0]
    children = {row[1] for row in rows}
    if rows and parent is None:
        faults.append("nothing is shown")
    if parent in children:
        faults.append("the path stops before its end")
    shown = conn.exec_driver_sql(
        "SELECT shown_count, (SELECT count(*) FROM messages WHERE on_path = 1 AND deleted_at IS NULL),"
        " current_leaf_id,"
        " (SELECT id FROM messages WHERE on_path = 1 AND deleted_at IS NULL ORDER BY position DESC LIMIT 1)"
        " FROM threads"
    ).one()
    if shown[0] != shown[1] or shown[2] != shown[3]:
        faults.append(f"shown {shown[0]} counted {shown[1]}, leaf {shown[2]} is {shown[3]}")
    return faults


async def _run(operations: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "chatdesk.db", MovableClock())
        await store.db.open()
        try:
            thread = await store.thread()
            for name, pick in operations:
                # What makes no sense at this point is refused, and must change nothing.
                with suppress(InvalidInput, NotFound, MessageInTrash, NotPossible, TurnInProgress):
                    await _apply(store, thread, name, pick)
                assert await recounted(store.db, thread) == await store.threads.get(thread), name
                assert await store.db.read(_path_faults) == [], name
            assert await integrity_check(store.db) == []
        finally:
            await store.db.close()


@given(_OPERATIONS)
@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
def test_counters_and_the_shown_path_hold_after_any_operations(operations: list[tuple[str, int]]) -> None:
    asyncio.run(_run(operations))
