"""A name that grants something is that of one thing of one kind and owner.

Whatever has the same name, looks the same or is called by its id gets nothing, and a name with two meanings is refused.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from chatdesk.cli.main import run
from chatdesk.core.domain.prompt import AssistantSetup, PromptKind
from chatdesk.core.domain.sharing.team import ServerAddress, Workspace
from chatdesk.core.domain.sharing.team_setup import Invitation
from chatdesk.core.ids import new_id
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import secrets
from chatdesk.core.settings.schema import Settings
from chatdesk.core.storage.sync import team
from chatdesk.core.sync.members.administering import WorkspaceAdministration
from chatdesk.core.sync.members.membership import Membership
from chatdesk.services.owner import open_services
from chatdesk.services.services import Services
from tests.helpers.accounts import MemoryKeyring
from tests.helpers.fault_server import Exchange
from tests.helpers.threaded_server import serving

NAME: Final = "Alpha"
# What has another owner, by how it is called beside ``NAME``; "{id}" is the id of the right one.
TWINS: Final = {
    "same": NAME,
    "other case": "ALPHA",
    "look-alike": "\u0410lpha",
    "full-width": "\uff21lpha",
    "hidden": "Al\u200bpha",
    "longer": "Alpha (2)",
    "its id": "{id}",
}
# The names of these kinds may be written as their twins are.
MEANS_BOTH: Final = {"same", "other case", "hidden"}


async def _echo(exchange: Exchange) -> None:
    await exchange.start()
    await exchange.delta(content=json.dumps(exchange.request.json["messages"], ensure_ascii=False))
    await exchange.finish()


class TeamServer:
    """Notes what it is asked about workspaces."""

    def __init__(self) -> None:
        self.asked_about: set[str] = set()

    def answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def note(_self: object, *about: Any, **_named: Any) -> Any:
            self.asked_about.update(each for each in about if isinstance(each, str))
            return 1

        async def invite(_self: object, workspace_id: str, *_about: Any, **_named: Any) -> Invitation:
            self.asked_about.add(workspace_id)
            return Invitation("code", "link", "text", 1, new_id(), "Eve")

        monkeypatch.setattr(WorkspaceAdministration, "invite", invite)
        monkeypatch.setattr(Membership, "leave", note)


@pytest.fixture(autouse=True)
def team_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[TeamServer]:
    ring, server = MemoryKeyring(), TeamServer()
    monkeypatch.setattr(secrets, "system_keyring", lambda: ring)
    server.answer(monkeypatch)
    with serving(_echo) as address:
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
        monkeypatch.setenv("CHATDESK_MODEL", "small")
        yield server


class Desk:
    """A profile with things of several kinds. ``ids`` has those of each kind."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], team_server: TeamServer) -> None:
        self.folder, self._capsys, self._team_server = folder, capsys, team_server

    def run(self, *arguments: str) -> tuple[int, str]:
        code = run([arguments[0], *arguments[1:], "--data-dir", str(self.folder / "profile")])
        return code, self._capsys.readouterr().out

    def make(self, kind: str, name: str) -> str:
        if kind == "token":
            self.run("tokens", "new", name)
            return next((row["id"] for row in self.tokens() if row["name"] == name), "")

        async def made() -> str:
            async with open_services(AppPaths.find(self.folder / "profile"), Settings()) as services:
                return await _made(services, kind, name)

        return asyncio.run(made())

    def tokens(self) -> list[dict[str, Any]]:
        return list(json.loads(self.run("tokens", "list", "--json")[1]))

    def granted(self, verb: str, name: str, ids: list[str]) -> tuple[int, set[str]]:
        """Run what gives something to the thing of this name, and return its exit code and the ids of what got it."""
        if verb == "tokens of a project":
            code, _ = self.run("tokens", "new", "for a test", "--project", name)
            return code, {each for row in self.tokens() if row["name"] == "for a test" for each in row["projects"]}
        if verb == "folder of a project":
            (self.folder / "work").mkdir()
            code, _ = self.run("tools", "folder", name, str(self.folder / "work"))
            return code, {each for each in ids if self.run("tools", "folder", each)[0] == 0}
        if verb == "assistant of a question":
            code, said = self.run("ask", "hello", "--assistant", name)
            return code, {each for each in ids if each in said}
        if verb in _OF_TEAM:
            code, _ = self.run("team", *(name if each == "NAME" else each for each in _OF_TEAM[verb]))
            return code, self._team_server.asked_about & set(ids)
        code, _ = self.run("tokens", "revoke", name)
        return code, set(ids) - {row["id"] for row in self.tokens()}


async def _made(services: Services, kind: str, name: str) -> str:
    if kind == "project":
        return (await services.library.projects.create(name)).id
    if kind == "workspace":
        workspace = Workspace(new_id(), name, ServerAddress("db.test", 1, "d", "me"), new_id(), False, joined_at=1)
        await services.database.write(lambda conn: team.add_workspace(conn, workspace))
        return workspace.id
    made = await services.prompts.create(PromptKind.ASSISTANT, name, "You are x.", AssistantSetup())
    await services.prompts.edit(made.id, PromptKind.ASSISTANT, name, f"You are {made.id}.", AssistantSetup())
    return made.id


_OF_TEAM: Final = {
    "end of a workspace": ("leave", "NAME", "--for-good", "--yes"),
    "invitation to a workspace": ("invite", "Eve", "--workspace", "NAME"),
}
VERBS: Final = {
    **{verb: verb.rpartition(" ")[2] for verb in _OF_TEAM},
    "tokens of a project": "project",
    "folder of a project": "project",
    "assistant of a question": "assistant",
    "end of a token": "token",
}


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("verb", VERBS)
def test_only_what_is_meant_gets_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], team_server: TeamServer, verb: str, twin: str
) -> None:
    desk, kind = Desk(tmp_path, capsys, team_server), VERBS[verb]
    for each in sorted({*VERBS.values()} - {kind, "workspace"}):
        desk.make(each, NAME)
    right = desk.make(kind, NAME)
    other = desk.make(kind, TWINS[twin].format(id=right))
    code, granted = desk.granted(verb, right if twin == "its id" else NAME, [each for each in (right, other) if each])
    assert granted <= (set() if twin == "same" and other not in ("", right) else {right})
    assert (code == 0) == (granted == {right})
    assert granted or twin in MEANS_BOTH or twin == "its id"
