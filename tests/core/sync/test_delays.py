"""Notifications are followed, and nobody who sends them without end makes anybody ask without end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chatdesk.core.sync.delays import CALM_S, FREE, MOST_S, PEOPLE_S, NotifyThrottle
from tests.helpers.postgres import TeamDatabase
from tests.helpers.team_world import desks, until


def test_hints_that_bring_nothing_are_followed_ever_later() -> None:
    throttle = NotifyThrottle()
    waits = [throttle.delay_s(1.0) for _ in range(30)]
    assert waits[:FREE] == [0.0] * FREE
    assert waits == sorted(waits)
    assert waits[FREE] > 0
    assert waits[-1] == MOST_S
    assert throttle.delay_s(2.0 + CALM_S) == 0.0
    for _ in range(9):
        throttle.delay_s(13.0)
    throttle.reset()
    assert throttle.delay_s(13.0) == 0.0


def test_presence_is_requested_at_a_limited_rate() -> None:
    throttle = NotifyThrottle()
    assert throttle.presence_due_s(5.0) is None
    throttle.want_presence()
    assert throttle.presence_due_s(5.0) == 0.0
    throttle.presence_was_read(5.0)
    assert throttle.presence_due_s(5.0) is None
    throttle.want_presence()
    assert throttle.presence_due_s(5.0) == pytest.approx(PEOPLE_S)


async def test_a_flood_of_notifications_costs_the_server_little_and_holds_up_no_message(
    tmp_path: Path, workspace: TeamDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    execute = psycopg.Cursor.execute

    def counted(cursor: psycopg.Cursor[Any], query: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal asked
        asked += "pg_notify" not in str(query)
        return execute(cursor, query, *arguments, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", counted)
    async with desks(tmp_path, workspace, ["ben"], poll_s=600.0) as (project, [ana, ben]):
        thread = await ana.thread(project)
        await ana.ask(thread)
        await until(lambda: _is_whole(ben, thread, 2))
        asked = 0
        await asyncio.to_thread(_flood, workspace, 1_500)
        assert asked < 150
        await ana.ask(thread)
        await until(lambda: _is_whole(ben, thread, 4))


def _flood(workspace: TeamDatabase, count: int) -> None:
    with workspace.connect() as conn:
        row = conn.execute("SELECT channel FROM cd.project").fetchone()
        assert row is not None
        for number in range(count):
            conn.execute("SELECT pg_notify(%s, %s)", [row[0], ("c:9", "p", "'; DROP", "")[number % 4]])


async def _is_whole(desk: Any, thread: str, count: int) -> bool:
    return bool(await desk.one("SELECT count(*) FROM messages WHERE thread_id = ?", thread) == count)
