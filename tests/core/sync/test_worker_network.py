"""A network that cuts, stalls, throttles and swallows, and a server that is away: nothing is lost, nothing comes twice,
and how things are is said truthfully."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.team import SyncPhase, TeamRole
from tests.helpers.postgres import Cluster, TeamDatabase
from tests.helpers.tcp_proxy import TcpProxy, tcp_proxy
from tests.helpers.team_world import Desk, desks, invite, until, until_same
from tests.helpers.waiting import paced, stays


@asynccontextmanager
async def apart(
    folder: Path, team: TeamDatabase, *, stuck_s: float = 40.0
) -> AsyncIterator[tuple[str, Desk, Desk, TcpProxy]]:
    """(project, a desk beside the server, a desk behind the proxy, the proxy)."""
    with tcp_proxy(team.address.port) as proxy:
        async with desks(folder, team, []) as (project, [near]):
            far = Desk(folder / "far", name="far", stuck_s=stuck_s)
            await far.open()
            try:
                login = await asyncio.to_thread(invite, team, "far", {project: TeamRole.EDITOR})
                await far.join(login, address=replace(team.address, user=login.address.user, port=proxy.port))
                await until(lambda: far.team.known.shared_project(project) is not None)
                yield project, near, far, proxy
            finally:
                await far.close()


async def test_connections_that_are_cut_again_and_again_lose_nothing(tmp_path: Path, workspace: TeamDatabase) -> None:
    chance = random.Random(7)
    async with apart(tmp_path, workspace) as (project, near, far, proxy):
        mine, yours = await far.thread(project, "mine"), await near.thread(project, "yours")
        async for number in paced(range(6), every_s=0.05):
            proxy.faults.cut_after = chance.randrange(200, 6_000)
            await far.ask(mine, f"far {number}")
            await near.ask(yours, f"near {number}")
            far.team.sync_now()
        proxy.heal()
        far.team.sync_now()
        await until_same(project, [near, far])
        for desk in (near, far):
            assert len(await desk.texts(mine)) == len(set(await desk.texts(mine))) == 12
            assert len(await desk.texts(yours)) == 12
        assert proxy.connections > 2


async def test_a_network_that_swallows_everything_is_noticed(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with apart(tmp_path, workspace, stuck_s=0.4) as (project, near, far, proxy):
        thread = await far.thread(project)
        await until_same(project, [near, far])
        proxy.faults.is_swallowing = True
        await far.ask(thread, "into the hole")
        await until(lambda: far.phase is SyncPhase.OFFLINE)
        status = far.team.status(far.workspace_id)
        assert status.problem
        await until(lambda: far.team.status(far.workspace_id).waiting == 2)
        proxy.heal()
        far.team.sync_now()
        await until_same(project, [near, far])
        assert len(await near.texts(thread)) == 2


async def test_a_slow_and_a_stalled_line_only_take_longer(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with apart(tmp_path, workspace) as (project, near, far, proxy):
        proxy.faults.bytes_per_s = 60_000
        thread = await near.thread(project)
        for number in range(5):
            await near.ask(thread, f"{number} {'x' * 2_000}")
        proxy.faults.is_stalled = True
        await far.thread(project, "meanwhile")
        await stays(far.waiting, for_s=0.3)
        proxy.faults.is_stalled = False
        await until_same(project, [near, far])
        assert len(await far.texts(thread)) == 10


async def test_a_server_that_is_away_is_waited_for(tmp_path: Path, workspace: TeamDatabase, postgres: Cluster) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread = await ana.thread(project)
        await until_same(project, [ana, ben])
        try:
            await asyncio.to_thread(postgres.stop)
            await ana.ask(thread, "while it was away")
            await until(lambda: ana.phase is SyncPhase.OFFLINE)
            await until(lambda: ana.team.status(ana.workspace_id).waiting == 2)
            assert ana.team.status(ana.workspace_id).next_try_at is not None
        finally:
            await asyncio.to_thread(postgres.start)
        for desk in (ana, ben):
            desk.team.sync_now()
        await until_same(project, [ana, ben])
        await until(lambda: ana.phase is SyncPhase.SYNCED)
        assert await ben.texts(thread) == ["while it was away", "answer to while it was away"]
        lines = await ana.team.records.rounds(ana.workspace_id)
        assert any(line.problem for line in lines)


async def test_closing_takes_no_time_when_nothing_answers(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with apart(tmp_path, workspace) as (project, near, far, proxy):
        await until_same(project, [near, far])
        proxy.faults.is_swallowing = True
        await far.thread(project, "never sent in this run")
        await stays(far.waiting, for_s=0.1)
        began = time.monotonic()
        await far.team.close()
        assert time.monotonic() - began < 15
        proxy.heal()
        await far.reopen()
        await until_same(project, [near, far])
        assert await near.titles(project) == ["never sent in this run"]


async def test_once_the_computer_has_slept_it_syncs(tmp_path: Path) -> None:
    class SleepyClock(Clock):
        slept_s = 0.0

        def now_ms(self) -> int:
            return super().now_ms() + round(self.slept_s * 1000)

    clock, asked = SleepyClock(), list[bool]()
    desk = Desk(tmp_path / "desk", clock=clock, stuck_s=0.2)
    desk.team.sync_now = lambda: asked.append(True)  # type: ignore[method-assign]
    await desk.open()
    try:
        await stays(lambda: not asked, for_s=0.3)
        clock.slept_s = 3600
        await until(lambda: bool(asked))
        assert "team-watch" in _threads(), "it wakes no thread that has other work"
    finally:
        await desk.close()
    await until(lambda: "team-watch" not in _threads())


def _threads() -> list[str]:
    return [each.name for each in threading.enumerate()]
