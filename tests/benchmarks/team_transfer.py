"""Rows of a shared project on its way: the first push and the first pull against a real PostgreSQL, beside bare COPY."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.sharing.team import TeamRole
from tests.benchmarks.table import Row
from tests.helpers.bulk_data import load_many
from tests.helpers.postgres import TeamDatabase, cluster
from tests.helpers.team_world import Desk, invite

_PUSH_A_SECOND, _PULL_A_SECOND, _USABLE_S = 3_000, 10_000, 2.0
_IN_A_THREAD = 100
_MOST_LAG_MS = 8.0
_NAP_S = 0.004  # shorter ones cost what is measured


def transferring(folder: Path, is_quick: bool) -> list[Row]:
    """10,000 messages go up; 100,000 come down at a new member's (10,000 with ``is_quick``)."""
    folder.mkdir(parents=True)
    return asyncio.run(_transfer(folder, 10_000, 10_000 if is_quick else 100_000))


async def _transfer(folder: Path, up: int, down: int) -> list[Row]:
    server = cluster()
    rows: list[Row] = []
    counts = [up] if up == down else [up, down]
    for count in counts:
        team = await asyncio.to_thread(server.workspace_database)
        try:
            sender = Desk(folder / f"sender {count}")
            await sender.open()
            try:
                await load_many(sender.database, threads=count // _IN_A_THREAD, messages_per_thread=_IN_A_THREAD)
                project = (await sender.repositories.projects.default()).id
                await sender.join(team)
                push_s, enter_s = await _push(sender, project)
            finally:
                await sender.close()
            sizes = await asyncio.to_thread(_sizes, team)
            if count == up:
                copied_s = await asyncio.to_thread(_copy_in, team, sizes)
                rows += _push_rows(count, push_s, enter_s, copied_s)
            if count == down:
                rows += await _pull(folder, team, project, count)
        finally:
            await asyncio.to_thread(server.drop, team)
    return rows


async def _push(sender: Desk, project: str) -> tuple[float, float]:
    """(seconds from the first change that is sent to the last that is confirmed, seconds of entering before that)."""
    began = time.perf_counter()
    await sender.team.sharing.share(project, sender.workspace_id)
    first = 0.0
    while True:
        state = await sender.one("SELECT state FROM shared_projects WHERE project_id = ?", project)
        if not first and state == "shared":
            first = time.perf_counter()
        if first and not await sender.waiting():
            return time.perf_counter() - first, first - began
        await asyncio.sleep(0.02)


def _push_rows(count: int, push_s: float, enter_s: float, copied_s: float) -> list[Row]:
    rate, bare = count / push_s, count / copied_s
    return [
        Row(
            f"{count:,} messages of a private project entered into its log",
            count / enter_s,
            "/s",
            "at least 5,000 a second",
            count / enter_s >= 5_000,
        ),
        Row(
            f"{count:,} messages pushed, until they are confirmed",
            rate,
            "/s",
            f"at least {_PUSH_A_SECOND:,} a second; yardstick: COPY of the same bodies",
            rate >= _PUSH_A_SECOND,
            bare,
            rate / bare,
        ),
    ]


async def _pull(folder: Path, team: TeamDatabase, project: str, count: int) -> list[Row]:
    copied_s = await asyncio.to_thread(_copy_out, team, project)
    member = await asyncio.to_thread(invite, team, "new", {project: TeamRole.EDITOR})
    desk = Desk(folder / "new member")
    await desk.open()
    try:
        lag = _Lag()
        began, worked = time.perf_counter(), time.process_time()
        await desk.join(member)
        usable_s = 0.0
        watching = asyncio.create_task(lag.watch())

        head = await asyncio.to_thread(_head, team, project)
        # Cheap questions, and few: they share the cores with what is measured.
        while (got := await desk.one("SELECT seq FROM shared_projects WHERE project_id = ?", project) or 0) < head:
            if not usable_s and got > 200:
                page = await desk.repositories.library.page(ThreadQuery(project_id=project), limit=20)
                first = await desk.repositories.messages.page(page.threads[0].id, limit=50)
                usable_s = time.perf_counter() - began if first.messages else 0.0
            await asyncio.sleep(0.02)
        took_s, worked_s = time.perf_counter() - began, time.process_time() - worked
        lag.is_over = True
        await watching
        found = await desk.one("SELECT count(*) FROM search_index WHERE search_index MATCH 'migrations'")
        rate, bare = count / took_s, count / copied_s
        return [
            Row(
                f"first pull of {count:,} messages, connection and search index included",
                rate,
                "/s",
                f"at least {_PULL_A_SECOND:,} a second; yardstick: COPY of the same log to the client",
                rate >= _PULL_A_SECOND,
                bare,
                rate / bare,
            ),
            Row("processor time of it for each message, all threads", worked_s * 1e6 / count, "µs", "told only", True),
            Row(
                "its first threads can be read after", usable_s, "s", f"at most {_USABLE_S:g} s", usable_s <= _USABLE_S
            ),
            Row("messages of it that are found by a word", float(found), "", "all", found == count),
            Row(
                "the loop lags meanwhile by (99th percentile)",
                lag.p99_ms,
                "ms",
                f"at most {_MOST_LAG_MS:g} ms",
                lag.p99_ms <= _MOST_LAG_MS,
            ),
        ]
    finally:
        await desk.close()


class _Lag:
    """How late a short nap ends."""

    def __init__(self) -> None:
        self.is_over = False
        self._late: list[float] = []

    async def watch(self) -> None:
        while not self.is_over:
            began = time.perf_counter()
            await asyncio.sleep(_NAP_S)
            self._late.append((time.perf_counter() - began - _NAP_S) * 1000)

    @property
    def p99_ms(self) -> float:
        return sorted(self._late)[int(len(self._late) * 0.99)]


def _sizes(team: TeamDatabase) -> list[str]:
    with team.as_superuser() as conn:
        return [row[0] for row in conn.execute("SELECT body::text FROM cd.change WHERE kind = 'message'").fetchall()]


def _head(team: TeamDatabase, project: str) -> int:
    with team.as_superuser() as conn:
        row = conn.execute("SELECT max(seq) FROM cd.change WHERE project_id = %s", (project,)).fetchone()
        assert row is not None
        return int(row[0])


def _copy_in(team: TeamDatabase, bodies: list[str]) -> float:
    with team.as_superuser() as conn:
        conn.execute("CREATE TEMP TABLE bare (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), body jsonb)")

        def work() -> None:
            with conn.cursor() as cursor, cursor.copy("COPY bare (body) FROM STDIN") as copy:
                for body in bodies:
                    copy.write_row((json.dumps(json.loads(body)),))

        return _timed(work)


def _copy_out(team: TeamDatabase, project: str) -> float:
    with team.as_superuser() as conn:

        def work() -> None:
            count = 0
            with conn.cursor() as cursor:
                query = "COPY (SELECT * FROM cd.change WHERE project_id = '{}' ORDER BY seq) TO STDOUT"
                with cursor.copy(query.format(project)) as copy:  # type: ignore[call-overload] - an id of ours
                    for _ in copy:
                        count += 1

        return _timed(work)


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
