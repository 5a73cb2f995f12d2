"""A window and another member at a real PostgreSQL: what one writes, the other sees, with names, marks and places."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtTest import QTest

from chatdesk.core.domain.sharing.team import TeamRole, Workspace
from chatdesk.core.paths import AppPaths
from chatdesk.core.storage.sync import team
from chatdesk.core.sync.members.team_passwords import SERVER_VARIABLE, VARIABLE, server_named
from chatdesk.core.sync.team_store.postgres import connect
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.postgres import TeamDatabase
from tests.helpers.team_world import Desk, Member, invite
from tests.helpers.window import ask, play, until

pytestmark = pytest.mark.usefixtures("qapp")


async def join(services: Any, member: Member) -> None:
    """As a person does, but without the dialogs, which have a test of their own."""

    def hello() -> Workspace:
        server = connect(member.address, member.password)
        try:
            told = server.hello(services.database.device_id, name="Window", version="1")
        finally:
            server.close()
        return Workspace(told.workspace_id, "The team", member.address, told.member_id, told.is_owner, 1)

    found = await asyncio.to_thread(hello)
    await services.database.write(lambda conn: team.add_workspace(conn, found))
    await (await services.load_team()).start()


def test_a_thread_is_written_by_two(tmp_path: Path, workspace: TeamDatabase, monkeypatch) -> None:
    ana = Desk(tmp_path / "ana", name="ana")

    async def script(application: WindowApplication) -> None:
        services, panes = await application.services(), application.panes
        await ana.open()
        try:
            await ana.join(workspace)
            project = await ana.shared()
            thread = await ana.thread(project, "Plans")
            await ana.ask(thread, "shall we?")
            member = await asyncio.to_thread(invite, workspace, "Ben", {project: TeamRole.EDITOR})
            monkeypatch.setenv(VARIABLE, member.password)
            monkeypatch.setenv(SERVER_VARIABLE, server_named(member.address))
            await join(services, member)
            await until(lambda: project in panes.sidebar.shared)
            application.bindings.lists.show_project(project)
            await until(lambda: panes.sidebar.known([thread]))
            await application.threads.open(thread)
            await until(lambda: len(panes.transcript.entries) == 2)
            name = services.team.known.member_name(panes.transcript.entries[0].message.author_id)
            assert panes.transcript.entries[0].facts.author == name
            assert panes.transcript.entries[1].facts.person == name
            # One answers, the other sees it, and back.
            await ask(application, "yes")
            assert panes.transcript.entries[2].facts.author == "You"

            # with the answer, below which she goes on
            async def is_there() -> bool:
                return len(await ana.texts(thread)) == 4

            await until(is_there)
            await ana.ask(thread, "then tomorrow")
            await until(lambda: len(panes.transcript.entries) == 6)
            assert panes.transcript.entries[4].facts.author == name
            await until(lambda: panes.transcript.parts.layout.is_at_end)  # once what came is laid out
            await until(lambda: not services.team.known.unread())  # its end is in view
            # Elsewhere it is marked.
            await application.threads.open(None)
            await ana.ask(thread, "are you there?")
            await until(lambda: panes.sidebar.unread_of(thread) == 2)
            # Who is there, and who types.
            await application.threads.open(thread)
            ana.team.set_presence(project, thread, is_typing=True)
            await until(
                lambda: panes.header.presence is not None and panes.header.presence.text() == f"{name} is typing…"
            )
            QTest.keyClicks(panes.composer.editor, "y")
            await until(lambda: [each.thread_id for each in ana.team.presence(project)] == [thread])
            # The line says that all of it is there.
            await until(lambda: panes.sidebar.lines.team.text().startswith("Synced"))
            # A viewer cannot write any more.
            await ana.team.membership.administration.set_role(project, member.id, TeamRole.VIEWER)
            await until(lambda: panes.composer.editor.placeholderText().startswith("You can read this project; ask "))
            # Who loses the project keeps a copy, and who is removed reads why nothing comes any more.
            await ana.team.membership.administration.set_role(project, member.id, None)
            await until(lambda: "private copy" in panes.window.pane.banner.text)
            await until(lambda: not panes.composer.editor.isReadOnly())
            await ana.team.membership.administration.remove_member(ana.workspace_id, member.id)
            await until(lambda: panes.sidebar.lines.team.tone == "refused")
        finally:
            await ana.close()

    play(AppPaths.find(tmp_path / "ben"), script)
