"""Rows of killed computers: two members write and sync, one of them is killed again and again."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.table import Row
from tests.helpers.killed_sync import journaled, run_and_kill
from tests.helpers.postgres import TeamDatabase, cluster
from tests.helpers.team_world import Desk, desks, until_same


@dataclass(frozen=True, slots=True)
class Outcome:
    """``written``: messages that were committed somewhere; ``lost`` and ``twice`` of them, on the server or at a member;
    ``digests``: different ones at the end."""

    written: int
    lost: int
    twice: int
    digests: int


def killing(folder: Path, is_quick: bool) -> list[Row]:
    """200 kills in all."""
    folder.mkdir(parents=True)
    server = cluster()
    team = server.workspace_database()
    kills = 20 if is_quick else 200
    try:
        outcome = kill_often(folder, team, kills)
    finally:
        server.drop(team)
    return [
        Row(
            f"messages written in {kills} lives that ended by SIGKILL",
            float(outcome.written),
            "",
            "some",
            outcome.written > 0,
        ),
        Row("of them lost", float(outcome.lost), "", "0", outcome.lost == 0),
        Row("of them there twice", float(outcome.twice), "", "0", outcome.twice == 0),
        Row("different profiles at the end", float(outcome.digests), "", "1", outcome.digests == 1),
    ]


def kill_often(folder: Path, team: TeamDatabase, kills: int) -> Outcome:
    """Both members live at the same time and are killed at their own moments."""
    project, thread_id, made = asyncio.run(_prepared(folder, team))

    def lives(number: int) -> None:
        place, variables = made[number]
        run_and_kill(place, thread_id, variables, seeds=range(number, kills, len(made)))

    with ThreadPoolExecutor(len(made)) as pool:
        list(pool.map(lives, range(len(made))))
    return asyncio.run(_compared(project, team, made))


async def _prepared(folder: Path, team: TeamDatabase) -> tuple[str, str, list[tuple[Path, dict[str, str]]]]:
    async with desks(folder, team, ["ben"]) as (project, both):
        thread_id = await both[0].thread(project)
        await until_same(project, both)
        return project, thread_id, [(desk.folder, desk.variables()) for desk in both]


async def _compared(project: str, team: TeamDatabase, made: list[tuple[Path, dict[str, str]]]) -> Outcome:
    opened: list[Desk] = []
    try:
        for place, variables in made:
            desk = Desk(place, environ=variables)
            await desk.open()
            opened.append(desk)
        await until_same(project, opened, 60)
        written = [each for place, _ in made for each in journaled(place)]
        counts = [await asyncio.to_thread(_on_server, team)]
        for desk in opened:
            rows = await desk.database.read(
                lambda conn: conn.exec_driver_sql("SELECT id, count(*) FROM messages GROUP BY id").all()
            )
            counts.append({row[0]: row[1] for row in rows})
        digests = {await desk.digest(project) for desk in opened}
    finally:
        for desk in opened:
            await desk.close()
    return Outcome(
        len(written),
        sum(each not in count for count in counts for each in written),
        sum(count.get(each, 0) > 1 for count in counts for each in written),
        len(digests),
    )


def _on_server(team: TeamDatabase) -> dict[str, int]:
    with team.as_superuser() as conn:
        rows = conn.execute(
            "SELECT entity_id::text, count(*) FROM cd.change WHERE kind = 'message' AND op = 'new' GROUP BY entity_id"
        ).fetchall()
    return dict(rows)
