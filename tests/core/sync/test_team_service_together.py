"""Profiles that share a project through a real PostgreSQL: what one writes, the others have."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from chatdesk.core.domain.sharing.team import (
    EndReason,
    PresenceState,
    SharedProject,
    ShareState,
    SyncPhase,
    TeamRole,
)
from chatdesk.core.errors import NotPossible
from chatdesk.core.events import (
    MessageAdded,
    SharedMessagesArrived,
    SyncStatusChanged,
    TeamChanged,
    ThreadCreated,
    UnreadChanged,
)
from chatdesk.core.storage.sync import team as sync_team
from tests.helpers.postgres import TeamDatabase
from tests.helpers.team_world import Desk, desks, invite, member_of, until, until_same
from tests.helpers.waiting import stays, until_still


async def test_what_one_writes_appears_at_the_other_with_its_author(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread = await ana.thread(project, "Plans")
        question, answer = await ana.ask(thread, "shall we?")
        await until_same(project, [ana, ben])
        assert await ben.texts(thread) == ["shall we?", "answer to shall we?"]
        # They may come in two pages; what follows from them is told after each.
        await until(
            lambda: (
                {id_ for event in ben.heard_of(SharedMessagesArrived) for id_ in event.message_ids}
                == {question, answer}
            )
        )
        await until(lambda: ben.team.known.unread() == {thread: 2})
        assert [event.thread.title for event in ben.heard_of(ThreadCreated)] == ["Plans"]
        asked = await ben.repositories.messages.get(question)
        assert asked.author_id is not None
        name = ben.team.known.member_name(asked.author_id)
        assert ben.heard_of(SharedMessagesArrived)[0].authors == (name,)
        assert ana.team.known.unread() == {}
        assert not ana.heard_of(SharedMessagesArrived)
        ben.heard.clear()
        await ben.team.mark_read(thread)
        assert ben.team.known.unread() == {}
        assert [dict(event.counts) for event in ben.heard_of(UnreadChanged)] == [{}]
        reply, _ = await ben.ask(thread, "yes")
        await until(lambda: any(event.message.id == reply for event in ana.heard_of(MessageAdded)))
        await until_same(project, [ana, ben])
        assert (await ana.texts(thread))[2:] == ["yes", "answer to yes"]


async def test_an_answer_that_one_edited_is_theirs_at_the_other_who_keeps_the_path_they_read(
    tmp_path: Path, workspace: TeamDatabase
) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread = await ana.thread(project, "Plans")
        question, answer = await ana.ask(thread, "shall we?")
        await until_same(project, [ana, ben])
        mine, _thread = await ben.repositories.messages.add_edited_answer(answer, "We shall.")
        assert mine.author_id is None
        await until_same(project, [ana, ben])
        theirs = await ana.repositories.messages.get(mine.id)
        assert (theirs.text, theirs.is_edited_answer, theirs.parent_id) == ("We shall.", True, question)
        assert theirs.author_id is not None
        assert ana.team.known.member_name(theirs.author_id).lower() == "ben"
        assert [each.id for each in await ana.repositories.messages.versions(answer)] == [answer, mine.id]
        assert await ana.texts(thread) == ["shall we?", "answer to shall we?"]
        assert await ben.texts(thread) == ["shall we?", "We shall."]
        # An answer of another member may be edited, too.
        again, _thread = await ana.repositories.messages.add_edited_answer(mine.id, "Perhaps.")
        await until_same(project, [ana, ben])
        assert (await ben.repositories.messages.get(again.id)).version_count == 3


async def test_two_who_wrote_apart_for_days_have_everything_of_both(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread = await ana.thread(project)
        await ana.ask(thread, "start")
        await until_same(project, [ana, ben])
        for desk in (ana, ben):
            await desk.team.close()
        for number in range(5):
            await ana.ask(thread, f"ana {number}")
            await ben.ask(thread, f"ben {number}")
        await ana.thread(project, "by ana")
        await ana.repositories.threads.rename(thread, "named by ana")
        await ben.thread(project, "by ben")
        for desk in (ana, ben):
            await desk.reopen()
        await until_same(project, [ana, ben])
        assert await ana.titles(project) == await ben.titles(project) == ["by ana", "by ben", "named by ana"]
        assert await ana.one("SELECT count(*) FROM messages WHERE thread_id = ?", thread) == 22


async def test_two_computers_of_one_person_work_together(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, []) as (project, [desktop]):
        thread = await desktop.thread(project)
        await desktop.ask(thread, "from the desktop")
        laptop = Desk(tmp_path / "laptop", name="laptop")
        await laptop.open()
        try:
            await laptop.join(workspace)
            await until(lambda: laptop.team.known.shared_project(project) is not None)
            await until_same(project, [desktop, laptop])
            await laptop.ask(thread, "from the laptop")
            await until_same(project, [desktop, laptop])
            assert "from the laptop" in await desktop.texts(thread)
            assert not desktop.heard_of(SharedMessagesArrived)  # one's own words are no news
            desktop.team.sync_now()
            await until(lambda: _knows_devices(desktop, 2))
            devices = await desktop.team.records.devices(desktop.workspace_id)
            assert sorted(device.name for device in devices) == ["laptop", "owner"]
            assert [device.is_this for device in devices if device.name == "owner"] == [True]
        finally:
            await laptop.close()


async def test_a_project_that_was_there_before_goes_up_whole(tmp_path: Path, workspace: TeamDatabase) -> None:
    ana, ben = Desk(tmp_path / "ana", name="ana"), Desk(tmp_path / "ben", name="ben")
    await ana.open()
    await ben.open()
    try:
        project = await ana.project("Old")
        for number in range(3):
            thread = await ana.thread(project, f"thread {number}")
            for each in range(4):
                await ana.ask(thread, f"question {each}")
        count = await ana.team.sharing.share_count(project)
        assert (count.threads, count.messages) == (3, 24)
        await ana.join(workspace)
        await ana.team.sharing.share(project, ana.workspace_id)
        await ben.join(await asyncio.to_thread(invite, workspace, "Ben", {project: TeamRole.VIEWER}))
        await until(lambda: ben.team.known.shared_project(project) is not None)
        await until_same(project, [ana, ben])
        assert await ben.titles(project) == ["thread 0", "thread 1", "thread 2"]
        rounds = await ana.team.records.rounds(ana.workspace_id)
        sent = sum(line.sent for line in rounds)
        assert sent == await ben.one("SELECT count(*) FROM changes WHERE project_id = ?", project) >= 27
    finally:
        await ana.close()
        await ben.close()


async def test_who_may_only_read_is_known_at_once_and_writes_nothing(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, ["ben"], role=TeamRole.VIEWER) as (project, [ana, ben]):
        thread = await ana.thread(project)
        await ana.ask(thread)
        await until_same(project, [ana, ben])
        shared = ben.team.known.shared_project(project)
        assert shared is not None
        assert shared.role is TeamRole.VIEWER
        assert ben.database.log_watch.read_only == {project}
        with pytest.raises(Exception, match="read"):
            await ben.ask(thread, "may I?")
        viewer = await member_of(ana, "ben")
        await ana.team.membership.administration.set_role(project, viewer.id, TeamRole.EDITOR)
        await until(lambda: not ben.database.log_watch.read_only)
        await ben.ask(thread, "now I may")
        await until_same(project, [ana, ben])


async def test_a_copy_of_a_profile_is_told_and_takes_along_what_it_wrote_when_it_joins_again(
    tmp_path: Path, workspace: TeamDatabase
) -> None:
    async with desks(tmp_path, workspace, []) as (project, [desktop]):
        thread = await desktop.thread(project)
        await desktop.ask(thread, "before")
        await until_same(project, [desktop])
        await desktop.close()
        shutil.copytree(desktop.folder, tmp_path / "copy")
        desktop.make_anew()
        await desktop.open()
        await desktop.ask(thread, "by the first")
        await until_same(project, [desktop])
        copy = Desk(tmp_path / "copy", name="copy")
        await copy.database.open()
        copy.workspace_id = desktop.workspace_id
        [joined] = await copy.database.read(sync_team.workspaces)
        copy.passwords.hold(joined.id, workspace.password, joined.address)
        await copy.ask(thread, "by the copy")
        await copy.team.start()
        try:
            await until(lambda: copy.team.status(joined.id).code == "team_parked")
            await until(lambda: copy.team.known.state.workspaces == ())
            assert "by the copy" not in await desktop.texts(thread)
            await copy.ask(thread, "later")
            [parked] = await copy.database.read(sync_team.parked)
            await copy.record_joined(parked)
            await until_same(project, [desktop, copy])
            written = await desktop.one("SELECT group_concat(content) FROM message_parts")
            assert all(text in written for text in ("by the first", "by the copy", "later"))
            assert copy.database.device_id != desktop.database.device_id
        finally:
            await copy.close()


async def test_a_removed_member_stops_at_once_and_keeps_a_private_copy(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread = await ana.thread(project)
        await ana.ask(thread, "before")
        await until_same(project, [ana, ben])
        member = await member_of(ana, "ben")
        await ana.team.membership.administration.remove_member(ana.workspace_id, member.id)
        await until(lambda: ben.phase is SyncPhase.REFUSED)
        await ana.ask(thread, "after")
        await until(lambda: ana.waiting())
        assert ben.team.status(ben.workspace_id).problem
        assert await ben.texts(thread) == ["before", "answer to before"]


async def test_a_project_taken_away_stays_as_a_private_copy(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread = await ana.thread(project)
        await ana.ask(thread, "before")
        await until_same(project, [ana, ben])
        ben.heard.clear()
        await ana.team.sharing.unshare(project)
        mine = ana.team.known.shared_project(project)
        assert mine is not None
        assert (mine.state, mine.ended) == (ShareState.ENDED, EndReason.UNSHARED)

        def has_ended() -> bool:
            shared = ben.team.known.shared_project(project)
            return shared is not None and shared.state is ShareState.ENDED

        await until(has_ended)
        await until(lambda: ben.heard_of(TeamChanged))
        await ben.ask(thread, "mine alone")
        assert await ben.texts(thread) == ["before", "answer to before", "mine alone", "answer to mine alone"]
        assert ben.phase is SyncPhase.SYNCED
        with pytest.raises(NotPossible):
            await ana.team.sharing.unshare(project)


async def test_what_was_written_in_a_private_copy_goes_up_only_when_its_person_shares_it(
    tmp_path: Path, workspace: TeamDatabase
) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread = await ana.thread(project)
        await ana.ask(thread, "before")
        await until_same(project, [ana, ben])
        member = await member_of(ana, "ben")

        def is_there() -> bool:
            shared = ben.team.known.shared_project(project)
            return shared is not None and shared.state is not ShareState.ENDED

        for words in ("", "mine alone"):
            await ana.team.membership.administration.set_role(project, member.id, None)
            await until(lambda: not is_there())
            if words:
                await ben.ask(thread, words)
            await ana.team.membership.administration.set_role(project, member.id, TeamRole.EDITOR)
            if not words:
                await until(is_there)
                await until(lambda: _is_pulled(ben, project))
        home = await ben.project("Private")
        await ben.thread(home, "never shared")
        await asyncio.to_thread(_claim, workspace, home, member.id)
        ben.team.sync_now()
        await ana.ask(thread, "still here?")
        await until(lambda: _has_role(ben, project))
        assert not is_there()
        told: list[SharedProject] = []
        await until(lambda: told.extend(ben.team.known.pop_let_in()) or told)
        assert [(each.project_id, each.is_let_in) for each in told] == [(project, True)]
        assert ben.team.known.shared_project(home) is None
        with workspace.as_superuser() as root:
            assert not root.execute("SELECT FROM cd.change WHERE body::text ~ 'mine alone|never shared'").fetchall()
        await ben.team.sharing.share(project, ben.workspace_id)
        await until_same(project, [ana, ben])
        assert await ana.one("SELECT count(*) FROM messages WHERE thread_id = ?", thread) == 6


def _claim(workspace: TeamDatabase, project: str, member: str) -> None:
    """Somebody who knows the id of another's private project calls it theirs, and gives it to them."""
    with workspace.connect() as conn:
        conn.execute("SELECT cd.create_project(%s)", [project])
        conn.execute("SELECT cd.set_role(%s, %s, 'owner')", [project, member])


async def _is_pulled(desk: Desk, project: str) -> bool:
    return bool(await desk.one("SELECT seq FROM shared_projects WHERE project_id = ? AND state = 'shared'", project))


async def _has_role(desk: Desk, project: str) -> bool:
    """As the server told last."""
    return bool(await desk.one("SELECT count(*) FROM team_roles WHERE project_id = ?", project))


async def test_who_is_here_and_who_types_is_seen(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread = await ana.thread(project)
        await until_same(project, [ana, ben])
        ben.team.set_presence(project, thread, is_typing=True)
        # Who types is heard before the names of the members are pulled.
        await until(lambda: [each.name for each in ana.team.presence(project)] == ["ben"])
        [seen] = ana.team.presence(project)
        assert (seen.name, seen.thread_id, seen.state) == ("ben", thread, PresenceState.TYPING)
        ben.team.set_presence(None, None)
        await until(lambda: not ana.team.presence(project))
        assert ben.team.presence("no project") == ()


async def test_a_quiet_team_tells_nothing_of_people(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, []) as (project, [ana]):
        await until_same(project, [ana])
        ana.team.sync_now()
        await until_still(lambda: len(ana.heard), for_s=0.8)
        ana.heard.clear()
        for _ in range(3):
            ana.team.sync_now()
            await stays(lambda: not ana.heard_of(TeamChanged), for_s=0.5)
        await ana.team.start()  # and nothing is begun again
        assert ana.phase is SyncPhase.SYNCED


async def test_what_is_not_known_has_words(tmp_path: Path, workspace: TeamDatabase) -> None:
    desk = Desk(tmp_path / "alone")
    await desk.open()
    try:
        assert await desk.team.records.workspaces() == ()
        assert desk.team.statuses() == ()
        assert desk.team.status("x").phase is SyncPhase.OFF
        assert desk.team.known.member_name("x") == "Somebody"
        assert desk.team.known.shared_project("x") is None
        assert desk.team.known.file_state("x") == ""
        with pytest.raises(NotPossible):
            await desk.team.checks.check("x")
        with pytest.raises(NotPossible):
            await desk.team.sharing.share(await desk.project(), "x")
        await desk.join(workspace)
        desk.passwords.forget(desk.workspace_id)
        await desk.reopen()
        await until(lambda: desk.phase is SyncPhase.REFUSED)
        assert "password" in desk.team.status(desk.workspace_id).problem
    finally:
        await desk.close()
        await desk.close()


async def _knows_devices(desk: Desk, count: int) -> bool:
    return len(await desk.team.records.devices(desk.workspace_id)) == count


async def test_a_round_that_finds_nothing_reads_nothing_for_the_window(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, ["ben"], poll_s=0.1) as (project, [ana, ben]):
        await ana.ask(await ana.thread(project, "Plans"))
        await until_same(project, [ana, ben])
        await until_still(lambda: ben.team.known.state, for_s=2.0)
        state = ben.team.known.state
        ben.heard.clear()
        await until(lambda: len({each.status.synced_at for each in ben.heard_of(SyncStatusChanged)}) > 3)
        assert ben.team.known.state is state
        assert {type(each) for each in ben.heard} == {SyncStatusChanged}
