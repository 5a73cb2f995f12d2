"""What happens to a team over the months: people go and come again, profiles are copied, things are thrown away."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.sharing.team import EndReason, ServerAddress, SharedProject, ShareState, SyncPhase, TeamRole
from chatdesk.core.storage.library import removal
from chatdesk.core.storage.sync import sharing, team
from chatdesk.core.sync.members.membership_errors import AlreadyJoined
from chatdesk.core.sync.status_report import CLIENT_TOO_OLD
from chatdesk.core.sync.team_store.project_shares import ProjectShares
from tests.helpers.postgres import Cluster, TeamDatabase
from tests.helpers.team_world import Desk, desks, invite, until, until_same
from tests.helpers.waiting import wait_until


async def test_who_was_removed_and_is_invited_again_goes_on_where_they_were(
    tmp_path: Path, workspace: TeamDatabase
) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread = await ana.thread(project)
        await ana.ask(thread, "before")
        await ben.ask(await ben.thread(project, "by ben"), "by ben")
        await until_same(project, [ana, ben])
        boss = ana.team.membership.administration
        code = (await boss.invite(ana.workspace_id, "ben", roles={project: TeamRole.EDITOR})).code
        with pytest.raises(AlreadyJoined):
            await ben.team.membership.join(code, "ben", allows_unencrypted=True)
        [me] = await ben.team.records.workspaces()
        await boss.remove_member(me.id, me.member_id)
        await until(lambda: ben.phase is SyncPhase.REFUSED)
        await ben.ask(thread, "while removed")
        await ana.ask(thread, "meanwhile")
        joined = await ben.team.membership.join(code, "ben", allows_unencrypted=True)
        assert joined.member_id != me.member_id
        await until_same(project, [ana, ben])
        await until(lambda: ben.phase is SyncPhase.SYNCED)
        assert await ana.one("SELECT count(*) FROM messages WHERE thread_id = ?", thread) == 6
        [asked] = [each for each in await _questions(ana, thread) if each[0] == "while removed"]
        assert asked[1] == joined.member_id


async def _questions(desk: Desk, thread: str) -> list[tuple[str, str | None]]:
    ids = await desk.database.read(
        lambda conn: conn.exec_driver_sql(
            "SELECT id FROM messages WHERE thread_id = ? AND role = 'user'", (thread,)
        ).all()
    )
    found = [await desk.repositories.messages.get(row[0]) for row in ids]
    return [(each.text, each.author_id) for each in found]


async def test_a_copy_of_a_colleagues_profile_becomes_a_computer_of_its_own(
    tmp_path: Path, workspace: TeamDatabase
) -> None:
    async with desks(tmp_path, workspace, []) as (project, [ana]):
        thread = await ana.thread(project)
        await ana.ask(thread, "by ana")
        await until_same(project, [ana])
        ben = Desk(tmp_path / "copy", name="copy")
        with contextlib.closing(sqlite3.connect(ana.folder / "chatdesk.db")) as conn:
            conn.execute("VACUUM INTO ?", (str(ben.folder / "chatdesk.db"),))
        await ben.database.open()
        try:
            await ben.team.membership.leave(ana.workspace_id)
            assert ben.database.device_id == ana.database.device_id
            code = await ana.team.membership.administration.invite(
                ana.workspace_id, "ben", roles={project: TeamRole.EDITOR}
            )
            await ben.team.membership.join(code.code, "ben", allows_unencrypted=True)
            ben.workspace_id = ana.workspace_id
            await until(lambda: _is_shared(ben, project))
            await ben.ask(thread, "by ben")
            await until_same(project, [ana, ben])
            assert ben.database.device_id != ana.database.device_id
            assert await ana.texts(thread) == await ben.texts(thread)
            [(_, by_ana), (_, by_ben)] = await _questions(ben, thread)
            assert (ben.team.known.member_name(by_ana or ""), by_ben) == ("Olga Owner", None)
        finally:
            await ben.close()


@pytest.mark.parametrize("is_emptied", [False, True])
async def test_what_left_the_trash_is_erased_for_everybody_and_what_others_wrote_below_it_stays(
    tmp_path: Path, workspace: TeamDatabase, is_emptied: bool
) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread, other = await ana.thread(project, "thrown away"), await ana.thread(project, "shortened")
        for each in (thread, other):
            await ana.ask(each, "one")
            _, answer = await ana.ask(each, "two")
        await until_same(project, [ana, ben])
        await ben.team.close()
        await ana.repositories.library.delete([thread])
        await ana.repositories.paths.delete(answer, with_later=False)
        if is_emptied:
            await ana.database.write(lambda conn: removal.mark_gone(conn, None))
        assert await ana.repositories.trash.purge_expired(0 if is_emptied else 2**60) == 0
        listed = await ana.repositories.library.page(ThreadQuery("trash", project_id=project), limit=10)
        assert listed.threads == ()
        for each in (thread, other):
            await ben.ask(each, "three")
        await ben.reopen()
        await until_same(project, [ana, ben])
        await until_same(project, [ana, ben])
        for desk in (ana, ben):
            assert await desk.texts(thread) == ["three", "answer to three"]
            kept = ["one", "answer to one", "two", "three", "answer to three"]
            assert [text for text in await desk.texts(other) if text != "answer to two"] == kept
            assert await desk.titles(project) == ["Untitled", "shortened"]
        await ana.repositories.library.delete([thread])
        await ana.team.sharing.unshare(project)
        assert await ana.repositories.trash.purge_expired(2**60) == 1  # a private copy is one's own


async def test_a_share_that_ended_while_chatdesk_was_closed_is_told_once_at_the_next_start(
    tmp_path: Path, workspace: TeamDatabase
) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        await until_same(project, [ana, ben])
        await ben.close()
        await ana.team.sharing.unshare(project)
        assert [each.ended for each in ana.team.known.pop_ended()] == [EndReason.UNSHARED]
        ben.make_anew()
        await ben.open()
        ended: list[SharedProject] = []
        await until(lambda: ended.extend(ben.team.known.pop_ended()) or ended)
        assert [(each.project_id, each.ended) for each in ended] == [(project, EndReason.DELETED)]
        await ben.reopen()
        await until(lambda: ben.phase is SyncPhase.SYNCED)
        assert ben.team.known.pop_ended() == ()


async def test_who_ends_a_share_is_told_so_also_where_the_server_is_faster(
    tmp_path: Path, workspace: TeamDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desks(tmp_path, workspace, []) as (project, [ana]):
        early: list[SharedProject] = []
        end = ProjectShares.end

        def end_slowly(server: ProjectShares, project_id: str) -> None:
            """Answer only when the synchronisation has heard of the end and written it."""
            end(server, project_id)
            wait_until(lambda: ana.team.known.shared_project(project).state is ShareState.ENDED)
            assert ana.team.known.shared_project(project).ended is EndReason.UNSHARED  # also were this killed now
            early.extend(ana.team.known.pop_ended())

        monkeypatch.setattr(ProjectShares, "end", end_slowly)
        await ana.team.sharing.unshare(project)
        assert early == []
        assert [each.ended for each in ana.team.known.pop_ended()] == [EndReason.UNSHARED]
        # And where it is told afterwards again.
        await ana.database.write(lambda conn: sharing.end(conn, project, EndReason.DELETED))
        assert [each.ended for each in await ana.team.records.projects()] == [EndReason.UNSHARED]


async def test_a_workspace_that_wants_a_newer_chatdesk_keeps_what_waits(
    tmp_path: Path, workspace: TeamDatabase
) -> None:
    def want(*, read: int, write: int) -> None:
        with workspace.as_superuser() as conn:
            conn.execute("UPDATE cd.meta SET min_read = %s, min_write = %s", (read, write))

    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread = await ana.thread(project)
        await ana.ask(thread, "before")
        await until_same(project, [ana, ben])
        await asyncio.to_thread(want, read=2, write=3)
        await ben.ask(thread, "waits")
        await until(lambda: ben.phase is SyncPhase.READ_ONLY)  # at once, also while it is connected
        await until(lambda: ben.team.status(ben.workspace_id).waiting == 2)
        assert await ben.waiting() == 2
        await asyncio.to_thread(want, read=3, write=3)
        await ben.reopen()
        await until(lambda: ben.team.status(ben.workspace_id).code == CLIENT_TOO_OLD)
        assert await ben.waiting() == 2
        await asyncio.to_thread(want, read=2, write=2)
        ben.team.sync_now()
        await until_same(project, [ana, ben])
        assert "waits" in await ana.texts(thread)


async def test_another_database_at_the_old_address_changes_nothing_here(
    tmp_path: Path, workspace: TeamDatabase, postgres: Cluster
) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread = await ana.thread(project)
        await ana.ask(thread, "before")
        await until_same(project, [ana, ben])
        [joined] = await ben.team.records.workspaces()
        for other, words in (
            (postgres.empty_database(), "no workspace of ChatDesk"),
            (postgres.workspace_database(partitions=2), "another team's database"),
        ):
            with other.as_superuser() as conn:
                conn.execute(f"GRANT CONNECT ON DATABASE {other.address.database} TO PUBLIC".encode())
            await _lies_at(ben, replace(joined.address, database=other.address.database))
            await until(lambda: ben.phase is SyncPhase.REFUSED)
            assert words in ben.team.status(ben.workspace_id).problem
            assert await ben.texts(thread) == ["before", "answer to before"]
            assert _is_shared(ben, project)
            await ben.close()
            postgres.drop(other)
            ben.make_anew()
            await ben.open()
        await ben.ask(thread, "meanwhile")
        await _lies_at(ben, joined.address)
        await until_same(project, [ana, ben])


async def _lies_at(desk: Desk, address: ServerAddress) -> None:
    await desk.database.write(lambda conn: team.set_workspace_address(conn, desk.workspace_id, address))
    await desk.reopen()


async def test_whoever_branches_or_shares_again_quotes_the_others_for_everybody(
    tmp_path: Path, workspace: TeamDatabase, postgres: Cluster
) -> None:
    elsewhere = postgres.workspace_database()
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread = await ana.thread(project)
        _, answer = await ana.ask(thread, "by ana")
        await until_same(project, [ana, ben])
        branch = await ben.repositories.paths.branch(answer, "a branch")
        await until_same(project, [ana, ben])
        await ben.team.sharing.unshare(project)
        private = await ben.repositories.paths.branch(answer, "a private branch")
        for copied in (branch, private):
            [(text, author)] = await _questions(ben, copied.id)
            assert author is None and "chatdesk://thread/" in text.splitlines()[0] and "> by ana" in text
        cleo = Desk(tmp_path / "cleo", name="cleo")
        await cleo.open()
        try:
            await ben.join(elsewhere)
            await ben.team.sharing.share(project, elsewhere.workspace_id)
            await cleo.join(await asyncio.to_thread(invite, elsewhere, "cleo", {project: TeamRole.EDITOR}))
            await until(lambda: _is_shared(cleo, project))
            await until_same(project, [ben, cleo])
            assert len(await cleo.titles(project)) == 3
        finally:
            await cleo.close()
    postgres.drop(elsewhere)


def _is_shared(desk: Desk, project: str) -> bool:
    shared = desk.team.known.shared_project(project)
    return shared is not None and shared.state is ShareState.SHARED
