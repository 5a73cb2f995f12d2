"""The server really lost rows of a log: an owner lets the project go on, who comes new gets what is left, whoever wrote
what is lost sends it again, and what nobody sends stays where it was."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from chatdesk.core.domain.sharing.lost_changes import LostChanges
from chatdesk.core.domain.sharing.team import SyncPhase, TeamRole
from chatdesk.core.sync.errors import TeamError
from tests.helpers.postgres import TeamDatabase
from tests.helpers.team_world import Desk, desks, invite, until, until_same


async def lose(team: TeamDatabase, desk: Desk, *titles: str) -> None:
    """Remove what made these threads from the server's tables, and all that hangs on it."""
    found = [await desk.one("SELECT id FROM threads WHERE title = ?", title) for title in titles]

    def remove() -> None:
        with team.as_superuser() as root:
            root.execute(
                "DELETE FROM cd.change WHERE entity_id = ANY(%s::uuid[]) OR body ->> 'thread_id' = ANY(%s)",
                [found, found],
            )

    await asyncio.to_thread(remove)


async def newcomer(folder: Path, team: TeamDatabase, project: str) -> Desk:
    desk = Desk(folder / "cyd", poll_s=0.2, name="cyd")
    await desk.open()
    await desk.join(await asyncio.to_thread(invite, team, "cyd", {project: TeamRole.VIEWER}))
    return desk


async def lost_at(desk: Desk) -> LostChanges:
    [found] = (await desk.team.checks.check(desk.workspace_id)).lost
    return found


async def say(desk: Desk, project: str, *titles: str) -> None:
    for title in titles:
        await desk.ask(await desk.thread(project, title))


def misfit(desk: Desk, project: str) -> str:
    shared = desk.team.known.shared_project(project)
    return "" if shared is None else shared.misfit


async def has_titles(desk: Desk, project: str, wanted: Sequence[str]) -> bool:
    return await desk.titles(project) == sorted(wanted)


@pytest.mark.parametrize("gone", [("first",), ("second",), ("first", "second")], ids=" and ".join)
async def test_a_newcomer_gets_what_comes_after_the_gap_and_the_author_sends_again(
    tmp_path: Path, workspace: TeamDatabase, gone: tuple[str, ...]
) -> None:
    async with desks(tmp_path, workspace, ["ben"], poll_s=0.2) as (project, [ana, ben]):
        await say(ben, project, "first", "second")
        await until_same(project, [ana, ben])
        await say(ana, project, "third")
        await until_same(project, [ana, ben])
        await lose(workspace, ana, *gone)
        cyd = await newcomer(tmp_path, workspace, project)
        try:
            await until(lambda: misfit(cyd, project) != "")
            assert "third" not in await cyd.titles(project)
            lost = await lost_at(ana)
            assert (lost.project_id, lost.name, lost.may_accept) == (project, "Together", True)
            assert not (await lost_at(cyd)).may_accept
            check = await ana.team.checks.check(ana.workspace_id)
            assert check.lost == (lost,)
            await ana.team.checks.accept(lost)
            await until_same(project, [ana, ben, cyd])
            await until(lambda: cyd.phase is SyncPhase.SYNCED and misfit(cyd, project) == "")
            assert await cyd.titles(project) == ["first", "second", "third"]
            for desk in (ana, ben, cyd):
                said = await desk.team.checks.check(desk.workspace_id)
                assert said.lost == ()
                [accepted] = said.accepted
                assert f"without {lost.count} changes" in accepted
        finally:
            await cyd.close()


async def test_changes_not_sent_again_stay_in_place(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, ["ben"], poll_s=0.2) as (project, [ana, ben]):
        await say(ben, project, "of Ben")
        await until_same(project, [ana, ben])
        await say(ana, project, "of Ana")
        await until_same(project, [ana, ben])
        await ben.close()
        await lose(workspace, ana, "of Ben")
        cyd = await newcomer(tmp_path, workspace, project)
        try:
            await ana.team.checks.accept(await lost_at(ana))
            await until(lambda: has_titles(cyd, project, ["of Ana"]))
            mine = "SELECT count(*) FROM changes c JOIN threads t ON t.id = c.entity WHERE t.title = 'of Ben'"
            # She was in step before as well: the new history is compared in a round of its own.
            await until(lambda: ana.one(f"{mine} AND c.seq IS NULL AND c.state NOT IN (0, 4)"))
            await until(lambda: ana.phase is SyncPhase.SYNCED)
            assert await has_titles(ana, project, ["of Ana", "of Ben"])
            assert await ana.one(f"{mine} AND c.seq IS NOT NULL") == 0
            ben.make_anew()
            await ben.open()
            await until_same(project, [ana, ben, cyd])
            assert await has_titles(cyd, project, ["of Ana", "of Ben"])
        finally:
            await cyd.close()


async def test_an_editor_accepts_no_loss(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, ["ben"], poll_s=0.2) as (project, [ana, ben]):
        await say(ana, project, "first", "second")
        await until_same(project, [ana, ben])
        await lose(workspace, ana, "first")
        lost = await lost_at(ben)
        assert not lost.may_accept
        with pytest.raises(TeamError):
            await ben.team.checks.accept(lost)
        assert (await lost_at(ana)).ranges == lost.ranges
        assert await has_titles(ben, project, ["first", "second"])


async def test_words_that_were_erased_do_not_come_back_with_a_loss(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, ["ben"], poll_s=0.2) as (project, [ana, ben]):
        await say(ben, project, "secret", "open")
        await until_same(project, [ana, ben])
        erased = await ben.one("SELECT id FROM threads WHERE title = 'secret'")
        await ben.repositories.erasures.erase_thread(erased)
        await until_same(project, [ana, ben])
        await say(ana, project, "last")
        await until_same(project, [ana, ben])
        await lose(workspace, ana, "open")
        cyd = await newcomer(tmp_path, workspace, project)
        try:
            await ana.team.checks.accept(await lost_at(ana))
            await until_same(project, [ana, ben, cyd])
            assert await cyd.titles(project) == ["last", "open"]
            for desk in (ana, ben, cyd):
                assert await desk.one("SELECT count(*) FROM changes WHERE body LIKE '%secret%'") == 0
        finally:
            await cyd.close()
