"""Rows of a team that does nothing: what fifty idle members cost the server, and a window what 200 shared threads do."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from chatdesk.core.paths import AppPaths
from tests.benchmarks.processes import python
from tests.benchmarks.table import Row
from tests.benchmarks.team_thousand import thousand
from tests.helpers.postgres import TeamDatabase, cluster
from tests.helpers.team_world import Desk, desks, until, until_same

_MEMBERS = 50
_THREADS = 200
_MOST_QUERIES = 0.2
_MOST_LAG_MS = 8.0


def idling(folder: Path, is_quick: bool) -> list[Row]:
    """Each member has a project open, so that they are seen by the others."""
    folder.mkdir(parents=True)
    server = cluster()
    rows: list[Row] = []
    for part in (_thousand, _members, _window):
        team = server.workspace_database()
        try:
            rows += asyncio.run(part(folder / part.__name__, team, 30.0 if is_quick else 120.0))
        finally:
            server.drop(team)
    return rows


async def _thousand(_folder: Path, team: TeamDatabase, seconds: float) -> list[Row]:
    return await asyncio.to_thread(thousand, team, seconds)


async def _members(folder: Path, team: TeamDatabase, seconds: float) -> list[Row]:
    with team.cluster.connect() as conn:
        conn.execute(f"ALTER DATABASE {team.name} SET track_functions = 'pl'".encode())
    async with desks(folder, team, [f"member {number}" for number in range(1, _MEMBERS)]) as (project, members):
        thread = await members[0].thread(project)
        await members[0].ask(thread)
        await until_same(project, members, 60)
        for member in members:
            member.team.set_presence(project, thread)
        await asyncio.sleep(8)  # everybody has seen everybody
        before, connections = await asyncio.to_thread(_statements, team)
        began = time.monotonic()
        await asyncio.sleep(seconds)
        after, _ = await asyncio.to_thread(_statements, team)
        rate = (after - before) / (time.monotonic() - began) / _MEMBERS
    return [
        Row(f"queries a second of each of {_MEMBERS} idle members", rate, "/s", "under 0.2", rate < _MOST_QUERIES),
        Row("their connections", float(connections), "", "at most 60", connections <= 60),
    ]


def _statements(team: TeamDatabase) -> tuple[int, int]:
    """(statements of members so far, their connections). Transactions would count those of the server itself, too; but
    each statement of a member calls one of these once: the policies of a plain SELECT ask for their projects."""
    called = ["hello", "view_since", "push", "poke", "set_presence", "my_projects"]
    with team.as_superuser() as conn:
        row = conn.execute(
            "SELECT coalesce(sum(calls), 0) FROM pg_stat_user_functions WHERE schemaname = 'cd' AND funcname = ANY (%s)",
            [called],
        ).fetchone()
        found = conn.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'ChatDesk'"
        ).fetchone()
    assert row is not None
    assert found is not None
    return int(row[0]), int(found[0])


async def _window(folder: Path, team: TeamDatabase, seconds: float) -> list[Row]:
    """A window with 200 shared threads, first while nothing happens, then while something comes in every thread."""
    async with desks(folder / "made", team, ["looks"]) as (project, both):
        writer, looker = both
        threads = [await writer.thread(project, f"Thread {number}") for number in range(_THREADS)]
        for thread in threads:
            await writer.ask(thread, "How is it going?")
        await until_same(project, both, 60)
        variables = looker.variables()
        await looker.close()
        paths = AppPaths.find(folder / "window")
        paths.make_directories()
        for file in looker.folder.iterdir():
            file.rename(paths.data_dir / file.name)
        signals = folder / "signals"
        signals.mkdir()
        figures = await asyncio.gather(
            asyncio.to_thread(
                python,
                "-m",
                "tests.benchmarks.team_idle_probe",
                str(folder / "window"),
                str(signals),
                str(seconds / 2),
                more=variables,
            ),
            _write(writer, threads, signals, seconds / 2),
        )
    told = json.loads(figures[0])
    return [
        Row(
            f"turns of an idle window's loop with {_THREADS} shared threads (99th percentile)",
            told["idle_ms"],
            "ms",
            f"at most {_MOST_LAG_MS:g} ms",
            told["idle_ms"] <= _MOST_LAG_MS,
        ),
        Row(
            f"the same while others write in all of them ({told['busy_messages']:.0f} messages came)",
            told["busy_ms"],
            "ms",
            f"at most {_MOST_LAG_MS:g} ms",
            told["busy_ms"] <= _MOST_LAG_MS,
        ),
        _quiet("that nobody uses, its caret included", told["shown"], 2.0),
        _quiet("that is hidden", told["hidden"], 0.3),
    ]


def _quiet(which: str, rate: float, most: float) -> Row:
    name = f"a window {which}, with a team and a tool server, is woken"
    return Row(name, rate, "/s", f"at most {most:g} a second", rate <= most)


async def _write(writer: Desk, threads: list[str], signals: Path, seconds: float) -> None:
    await until(lambda: (signals / "busy").exists(), within_s=200)
    for number in range(round(seconds * 2)):
        await writer.ask(threads[number % len(threads)], f"Something new {number}")
        await asyncio.sleep(0.45)
