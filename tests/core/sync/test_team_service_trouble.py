"""What needs a person: refused changes, two titles at once, what came back, and a check that finds something."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatdesk.core.domain.sharing.team import ShareState, TeamRole
from chatdesk.core.errors import NotPossible
from tests.helpers.postgres import TeamDatabase
from tests.helpers.team_world import Desk, desks, member_of, until, until_same


async def test_a_refused_change_is_kept_shown_copied_tried_again_and_forgotten(
    tmp_path: Path, workspace: TeamDatabase
) -> None:
    async with desks(tmp_path, workspace, ["ben"], role=TeamRole.ADMIN) as (project, [ana, ben]):
        thread = await ana.thread(project, "Ana's title")
        await ana.ask(thread)
        await until_same(project, [ana, ben])
        await ben.team.close()

        member = await member_of(ana, "ben")
        await ana.team.membership.administration.set_role(project, member.id, TeamRole.EDITOR)
        # An editor names only own threads, which this computer does not know of itself yet.
        await ben.repositories.threads.rename(thread, "Ben's title")
        await ben.reopen()
        await until(lambda: _count(ben, 1))
        await until(lambda: ben.team.status(ben.workspace_id).refused == 1)
        [change] = await ben.team.decisions.refused()
        assert (change.thread_id, change.project_id, change.text) == (thread, project, "Ben's title")
        assert change.sentence
        assert (await ben.repositories.threads.get(thread)).title == "Ana's title"
        await ben.team.decisions.retry_refused([change.id])
        await until(lambda: _is_settled(ben))
        [again] = await ben.team.decisions.refused()
        await ben.team.decisions.forget_refused([again.id])
        assert await ben.team.decisions.refused() == ()
        shared = ben.team.known.shared_project(project)
        assert shared is not None
        await until(lambda: _no_refused(ben, project))
        await until_same(project, [ana, ben])


async def test_a_title_of_which_another_took_the_place_is_kept_and_can_be_put_back(
    tmp_path: Path, workspace: TeamDatabase
) -> None:
    async with desks(tmp_path, workspace, ["ben"], role=TeamRole.ADMIN) as (project, [ana, ben]):
        thread = await ana.thread(project, "before")
        await until_same(project, [ana, ben])
        for desk in (ana, ben):
            await desk.team.close()
        await ana.repositories.threads.rename(thread, "from Ana")
        await ben.repositories.threads.rename(thread, "from Ben")
        for desk in (ana, ben):
            await desk.reopen()
        await until_same(project, [ana, ben])
        assert await ana.titles(project) == ["from Ben"], "the later one"
        assert await ben.team.decisions.refused() == ()
        [kept] = await ana.team.decisions.refused()
        assert (kept.text, kept.thread_id) == ("from Ana", thread)

        await ana.team.decisions.retry_refused([kept.id])
        await until_same(project, [ana, ben])
        assert await ben.titles(project) == ["from Ana"]
        assert await ana.team.decisions.refused() == await ben.team.decisions.refused() == ()


async def test_a_kept_title_goes_with_an_erasure(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, ["ben"], role=TeamRole.ADMIN) as (project, [ana, ben]):
        thread = await ana.thread(project, "before")
        await ana.ask(thread, "A question")
        await until_same(project, [ana, ben])
        for desk in (ana, ben):
            await desk.team.close()
        await ana.repositories.threads.rename(thread, "from Ana")
        await ben.repositories.threads.rename(thread, "from Ben")
        for desk in (ana, ben):
            await desk.reopen()
        await until_same(project, [ana, ben])
        [_kept] = await ana.team.decisions.refused()

        await ben.team.erasing.erase_thread(thread)
        await until_same(project, [ana, ben])
        await until(lambda: _none_refused(ana))


async def test_a_deleted_thread_in_which_somebody_wrote_comes_back_with_a_note(
    tmp_path: Path, workspace: TeamDatabase
) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread = await ana.thread(project)
        await ana.ask(thread, "before")
        await until_same(project, [ana, ben])
        await ben.team.close()
        await ben.ask(thread, "I am still here")
        await ana.repositories.library.delete([thread])
        await until(lambda: _nothing_waits(ana))
        await ben.reopen()
        await until_same(project, [ana, ben])
        assert (await ana.repositories.threads.get(thread)).deleted_at is None
        assert "I am still here" in await ana.texts(thread)
        [note] = await ana.team.decisions.notes(thread)
        assert "back" in note.sentence
        await ana.team.decisions.mark_notes_seen(thread)
        assert await ana.team.decisions.notes(thread) == ()


async def test_a_project_is_left_and_what_is_shared_elsewhere_stays_there(
    tmp_path: Path, workspace: TeamDatabase
) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        await until_same(project, [ana, ben])
        await ben.team.sharing.unshare(project)
        mine = ben.team.known.shared_project(project)
        assert mine is not None
        assert mine.state is ShareState.ENDED
        assert {each.project_id for each in await ana.team.records.projects()} == {project}
        kept = ana.team.known.shared_project(project)
        assert kept is not None
        assert kept.state is not ShareState.ENDED
        await ana.database.write(
            lambda conn: conn.exec_driver_sql("UPDATE shared_projects SET workspace_id = 'elsewhere'")
        )
        await ana.team.start()
        with pytest.raises(NotPossible, match="another workspace"):
            await ana.team.sharing.share(project, ana.workspace_id)


async def _count(desk: Desk, count: int) -> bool:
    return len(await desk.team.decisions.refused()) == count


async def _is_settled(desk: Desk) -> bool:
    return not await desk.waiting() and len(await desk.team.decisions.refused()) == 1


async def _nothing_waits(desk: Desk) -> bool:
    return not await desk.waiting()


def _no_refused(desk: Desk, project: str) -> bool:
    shared = desk.team.known.shared_project(project)
    return shared is not None and shared.refused == 0


async def _none_refused(desk: Desk) -> bool:
    return not await desk.team.decisions.refused()
