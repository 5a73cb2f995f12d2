"""What ``chatdesk doctor`` says of teams: from the profile alone, no server is asked."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from chatdesk.cli.main import run
from chatdesk.core.domain.sharing.team import EndReason, ServerAddress, SyncRound, TeamRole, Workspace
from chatdesk.core.ids import new_id
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.storage.sync import parked_workspaces, rounds, sharing, team
from chatdesk.services.owner import open_services

ADDRESS = ServerAddress("db.invalid", 5432, "desk", "cd_4f2a_9c1e")
AT = 1_790_000_000_000


def profile(folder: Path, *played: SyncRound, is_refused: bool = False, is_let_in: bool = False) -> Workspace:
    """In one workspace with two projects shared, of which one change was refused, or one is open again."""
    workspace = Workspace(new_id(), "Blue team", ADDRESS, new_id(), is_owner=True, joined_at=AT)

    async def fill() -> None:
        async with open_services(AppPaths.find(folder), Settings(), mode="cli") as services:
            first = await services.chat.projects.default()
            other = await services.library.projects.create("Plans", "#0B7A75")
            await services.library.projects.create("Private", "#0B7A75")
            await services.chat.create_thread(other.id, "Indexes")

            def write(conn: Connection) -> None:
                team.add_workspace(conn, workspace)
                for project in (first.id, other.id):
                    sharing.start(conn, services.database.origin, project, workspace.id, TeamRole.OWNER, "ch")
                for each in played:
                    rounds.add(conn, each)
                if is_refused:
                    conn.exec_driver_sql(
                        "UPDATE changes SET state = 2 WHERE n = (SELECT max(n) FROM changes WHERE project_id = ?)",
                        (other.id,),
                    )
                if is_let_in:
                    sharing.end(conn, other.id, EndReason.REMOVED)
                    sharing.record_admission(conn, other.id, is_let_in=True)

            await services.database.write(write)

    asyncio.run(fill())
    return workspace


def doctor(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert run(["doctor", "--json", "--data-dir", str(folder)]) == 0
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)["findings"]}
    return {name: each for name, each in found.items() if name.startswith("workspace")}


def test_without_a_workspace_it_says_nothing_of_teams(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(tmp_path, capsys) == {}


def test_a_workspace_is_named_with_what_waits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = profile(tmp_path)
    found = doctor(tmp_path, capsys)["workspace Blue team"]
    assert found["level"] == "ok"
    assert found["message"].startswith("desk on db.invalid; 2 shared, ")
    assert found["message"].endswith("0 refused; nothing was synced yet")
    assert found["details"]["id"] == workspace.id
    assert found["details"]["last_round_at"] is None


def test_what_needs_a_person_is_a_note_and_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = profile(tmp_path / "refused", is_refused=True)
    found = doctor(tmp_path / "refused", capsys)["workspace Blue team"]
    assert (found["level"], found["details"]["refused"]) == ("note", 1)
    assert "1 refused" in found["message"]
    assert "tries again" in found["message"]
    assert workspace.is_owner is found["details"]["is_owner"]

    profile(tmp_path / "open", is_let_in=True)
    found = doctor(tmp_path / "open", capsys)["workspace Blue team"]
    assert found["level"] == "note"
    assert "1 shared" in found["message"]
    assert found["message"].endswith("1 shared with you again; choose Share… to send their copies")


def test_a_team_that_a_restore_parked_is_listed_with_the_way_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = profile(tmp_path)

    def park(conn: Connection) -> None:
        raw = conn.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        parked_workspaces.park_all(raw, AT)

    async def restored() -> None:
        async with open_services(AppPaths.find(tmp_path), Settings(), mode="cli") as services:
            await services.database.write(park)

    asyncio.run(restored())
    found = doctor(tmp_path, capsys)
    assert list(found) == ["workspace Blue team"]
    finding = found["workspace Blue team"]
    assert finding["level"] == "note"
    assert finding["message"].startswith("desk on db.invalid; parked: ")
    assert "Connect again in Settings, Team sync" in finding["message"]
    assert "chatdesk team join" in finding["message"]
    assert finding["details"] == {"id": workspace.id, "is_owner": True, "is_parked": True}


def test_the_newest_line_of_the_log_is_told_with_its_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = profile(tmp_path)

    async def add(*played: SyncRound) -> None:
        async with open_services(AppPaths.find(tmp_path), Settings(), mode="cli") as services:
            for each in played:
                await services.database.write(lambda conn, each=each: rounds.add(conn, each))

    asyncio.run(add(SyncRound(AT, workspace.id, 3, 4, 10)))
    found = doctor(tmp_path, capsys)["workspace Blue team"]
    assert found["message"].endswith("newest line of its log, 2026-09-21 14:13+00:00: 3 sent, 4 received")
    asyncio.run(add(SyncRound(AT + 1, workspace.id, 0, 0, 10, "The password is wrong.")))
    found = doctor(tmp_path, capsys)["workspace Blue team"]
    assert (found["level"], found["details"]["last_problem"]) == ("note", "The password is wrong.")
