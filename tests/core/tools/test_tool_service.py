"""Tool servers as a person sets them up: what is kept where, what a server gets, what is allowed for how long."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.domain.tools import Answer, Caller, ServerKind, ServerState, Tool, ToolFailed, ToolServer
from chatdesk.core.events import EventBus, ToolServersChanged
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.tools.built_in import BuiltInServer
from chatdesk.core.tools.server_rules import ServerNotUsable
from chatdesk.core.tools.servers_store import FILE_NAME, ServersNotSaved
from chatdesk.core.tools.tool_service import ToolService
from tests.helpers.accounts import MemoryKeyring
from tests.helpers.tools_world import CALLER, make_service, server, tool_service


def _paths(folder: Path) -> AppPaths:
    paths = AppPaths.find(folder / "profile")
    paths.make_directories()
    return paths


async def _echo(service: ToolService) -> Tool:
    return next(each for each in await service.tools(service.servers, CALLER) if each.name == "echo")


async def test_servers_are_kept_with_their_secrets_elsewhere(tmp_path: Path) -> None:
    ring, paths = MemoryKeyring(), _paths(tmp_path)
    first = make_service(paths, keyring=ring)
    await first.save(server(env={"LEVEL": "3"}, env_names=("NOTES_TOKEN",)), {"NOTES_TOKEN": "hidden-value"})
    await first.close()
    text = (paths.config_dir / FILE_NAME).read_text("utf-8")
    assert "hidden-value" not in text and "NOTES_TOKEN" in text
    if os.name == "posix":
        assert (paths.config_dir / FILE_NAME).stat().st_mode & 0o077 == 0
    again = make_service(paths, keyring=ring)
    assert again.servers == first.servers and again.servers[0].is_on
    seen = await again.call(again.servers[0], "environment", {}, caller=CALLER, timeout_s=30)
    env = json.loads(seen.text)["env"]
    assert (env["NOTES_TOKEN"], env["LEVEL"]) == ("hidden-value", "3")
    await again.close()


async def test_a_secret_is_for_the_command_it_was_given_for(tmp_path: Path) -> None:
    async with tool_service(tmp_path) as service:
        await service.save(server(env_names=("TOKEN",)), {"TOKEN": "hidden-value"})
        changed = replace(service.servers[0], argv=(*service.servers[0].argv, "--how", "noise"))
        await service.save(changed)
        with pytest.raises(ToolFailed, match="The value of TOKEN is missing"):
            await service.call(service.servers[0], "echo", {}, caller=CALLER, timeout_s=30)


async def test_the_servers_of_another_data_directory_stay_off(tmp_path: Path) -> None:
    paths = _paths(tmp_path)
    theirs = make_service(paths, keyring=MemoryKeyring())
    await theirs.save(server())
    await theirs.close()
    mine = make_service(paths, keyring=MemoryKeyring())
    assert not mine.servers[0].is_on and "from somebody else" in mine.problem
    assert mine.on_for(thread_id=None, project_id=None) == ()
    await mine.switch("notes", is_on=True)
    assert mine.servers[0].is_on and not mine.problem
    await mine.close()


@pytest.mark.parametrize("text", ["{", "[]", '{"servers": 3}', '{"servers": [' * 3000])
async def test_a_damaged_file_is_kept_aside(tmp_path: Path, text: str) -> None:
    paths = _paths(tmp_path)
    (paths.config_dir / FILE_NAME).write_text(text, "utf-8")
    service = make_service(paths)
    assert not service.servers and "is damaged; it is kept as tools.broken-1.json" in service.problem
    assert (paths.config_dir / "tools.broken-1.json").read_text("utf-8") == text
    await service.close()


async def test_entries_that_cannot_be_used_are_left_out(tmp_path: Path) -> None:
    ring, paths = MemoryKeyring(), _paths(tmp_path)
    service = make_service(paths, keyring=ring)
    await service.save(server())
    await service.close()
    document = json.loads((paths.config_dir / FILE_NAME).read_text("utf-8"))
    row = document["servers"][0]
    bad = [{}, None, {**row, "id": "../x"}, {**row, "argv": []}, {**row, "argv": [1]}, {**row, "kind": "built_in"}]
    document["servers"] += [*bad, {**row, "env": {"A": "x" * 9000}}, row]
    (paths.config_dir / FILE_NAME).write_text(json.dumps(document), "utf-8")
    again = make_service(paths, keyring=ring)
    assert [each.id for each in again.servers] == ["notes"]
    assert "8 tool servers were left out" in again.problem
    await again.close()


async def test_a_file_of_a_newer_chatdesk_is_left_alone(tmp_path: Path) -> None:
    paths = _paths(tmp_path)
    text = json.dumps({"version": 99, "servers": []})
    (paths.config_dir / FILE_NAME).write_text(text, "utf-8")
    service = make_service(paths)
    with pytest.raises(ServersNotSaved, match="newer ChatDesk"):
        await service.save(server())
    assert (paths.config_dir / FILE_NAME).read_text("utf-8") == text
    await service.close()


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (ToolServer("x", " ", ServerKind.COMMAND, ("a",)), "no name"),
        (ToolServer("x", "X", ServerKind.COMMAND, ("",)), "no command"),
        (ToolServer("x", "X", ServerKind.COMMAND, ("a", "b\x00")), "character"),
        (ToolServer("x", "X", ServerKind.ADDRESS, address="ftp://example.org"), "begins with"),
        (ToolServer("x", "X", ServerKind.ADDRESS, address="https://"), "begins with"),
        (
            ToolServer("x", "X", ServerKind.ADDRESS, address="http://example.org/mcp", header_names=("Key",)),
            "over https only",
        ),
    ],
)
async def test_an_unusable_server_is_not_saved(tmp_path: Path, wanted: ToolServer, words: str) -> None:
    async with tool_service(tmp_path) as service:
        with pytest.raises(ServerNotUsable, match=words):
            await service.save(wanted)
        assert not service.servers


async def test_servers_are_on_where_they_were_chosen(tmp_path: Path) -> None:
    async with tool_service(tmp_path) as service:
        for name in ("a", "b", "c"):
            await service.save(server(server_id=name))
        await service.switch("c", is_on=False)

        def on(thread: str | None, project: str | None) -> list[str]:
            return [each.id for each in service.on_for(thread_id=thread, project_id=project)]

        assert on("t", "p") == ["a", "b"]
        await service.choose(Answer.PROJECT, "p", ["b", "c"])
        assert on("t", "p") == ["b"] and on("t", "q") == ["a", "b"] and on(None, "p") == ["b"]
        await service.choose(Answer.THREAD, "t", [])
        assert on("t", "p") == [] and on("u", "p") == ["b"]
        await service.choose(Answer.THREAD, "t", None)
        assert on("t", "p") == ["b"]
        await service.remove("b")
        assert on("t", "p") == [] and [each.id for each in service.servers] == ["a", "c"]


async def test_a_permission_is_for_one_place_one_command_and_one_description(tmp_path: Path) -> None:
    async with tool_service(tmp_path) as service:
        await service.save(server())
        echo, own = await _echo(service), service.servers[0]

        async def allows(
            wanted: ToolServer = own, tool: Tool = echo, thread: str = "t", *, outside: bool = False
        ) -> bool:
            return await service.allows(wanted, tool, thread_id=thread, project_id="p", after_outside_text=outside)

        assert not await allows()
        await service.allow(own, echo, Answer.THREAD, "t")
        assert await allows() and not await allows(thread="u")
        assert not await allows(outside=True)
        assert not await allows(tool=replace(echo, digest="0" * 64))
        assert not await allows(replace(own, argv=(*own.argv, "--more")))
        assert not await allows(replace(own, env={"LEVEL": "4"}))
        await service.allow(own, echo, Answer.PROJECT, "p", only_reads=True)
        assert await allows(thread="u", outside=True)
        for each in await service.permissions():
            await service.revoke(each)
        assert not await allows()
        await service.allow(own, echo, Answer.ALWAYS, "")
        assert await allows(thread="v")
        await service.remove("notes")
        assert not await service.permissions()


async def test_permissions_are_kept_under_a_seal(tmp_path: Path) -> None:
    ring, paths = MemoryKeyring(), _paths(tmp_path)
    first = make_service(paths, keyring=ring)
    await first.save(server())
    await first.allow(first.servers[0], await _echo(first), Answer.THREAD, "t")
    await first.close()
    again = make_service(paths, keyring=ring)
    assert [each.scope_id for each in await again.permissions()] == ["t"]
    await again.close()
    file = paths.config_dir / "tool-permissions.json"
    forged = json.loads(file.read_text("utf-8"))
    forged["permissions"][0]["scope"] = "always"
    forged["permissions"] += [None, {}, {**forged["permissions"][0], "seal": 3}]
    file.write_text(json.dumps(forged), "utf-8")
    after = make_service(paths, keyring=ring)
    assert not await after.permissions()
    await after.close()


async def test_what_a_locked_keyring_cannot_keep_is_said_and_holds_in_this_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own-config"))
    ring, paths = MemoryKeyring(RuntimeError("locked")), _paths(tmp_path)
    first = make_service(paths, keyring=ring, built_in=[BuiltInServer("sums", "Sums", [])])
    with pytest.raises(ServersNotSaved, match="cannot be marked as yours"):
        await first.save(server())
    await first.allow(first.servers[0], await _echo(first), Answer.ALWAYS, "")
    assert await first.permissions()
    for id_ in (server().id, "sums", "sums"):  # again: what holds in this run is off at the next start
        with pytest.raises(ServersNotSaved, match="cannot be marked as yours"):
            await first.switch(id_, is_on=True)
        assert "cannot be marked as yours" in str(first.problem)
    await first.close()
    again = make_service(paths, keyring=ring)
    assert not await again.permissions() and not again.servers
    await again.close()


async def test_where_keys_are_not_put_into_a_keyring_permissions_are_kept_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own-config"))
    paths = _paths(tmp_path)
    first = make_service(paths, place=KeyPlace.MEMORY)
    await first.save(server())
    await first.allow(first.servers[0], await _echo(first), Answer.ALWAYS, "")
    await first.close()
    again = make_service(paths, place=KeyPlace.MEMORY)
    assert await again.permissions() and again.servers[0].is_on
    await again.close()


async def test_changes_are_told(tmp_path: Path) -> None:
    bus, told = EventBus(), []
    bus.subscribe(ToolServersChanged, told.append)
    async with tool_service(tmp_path, bus=bus) as service:
        await service.save(server())
        assert told
        told.clear()
        await service.tools(service.servers, CALLER)
        assert told and [each.state for each in service.statuses()] == [ServerState.READY]
        assert [each.name for each in service.known_tools("notes")][:1] == ["echo"]
        await service.switch("notes", is_on=False)
        assert [each.state for each in service.statuses()] == [ServerState.OFF]
        assert service.known_tools("notes") == () and service.server("nobody") is None


async def test_ids_are_made_from_names(tmp_path: Path) -> None:
    async with tool_service(tmp_path) as service:
        assert service.new_id("GitHub (work)!") == "github-work"
        await service.save(server(server_id="github-work"))
        assert service.new_id("GitHub (work)!") == "github-work-2"
        assert service.new_id("日本") == "server"


async def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    async with tool_service(tmp_path) as service:
        await service.save(server(folder=str(tmp_path / "gone")))
        await service.tools(service.servers, CALLER)
        assert "gone does not exist" in service.statuses()[0].problem
        (tmp_path / "gone").mkdir()
        steps = [each async for each in service.check(service.servers[0])]
        assert all(each.is_well for each in steps)
        seen = await service.call(service.servers[0], "environment", {}, caller=CALLER, timeout_s=30)
        assert json.loads(seen.text)["cwd"] == str(tmp_path / "gone")


async def test_a_program_is_told_of_the_folder_of_the_project_that_calls(tmp_path: Path) -> None:
    async with tool_service(tmp_path) as service:
        await service.save(server())
        (tmp_path / "work").mkdir()
        await service.folders.set("p1", tmp_path / "work")

        async def told(project_id: str) -> list[str]:
            caller = Caller("t", project_id)
            result = await service.call(service.servers[0], "roots", {}, caller=caller, timeout_s=30)
            return list(json.loads(result.text)[1])

        assert await told("p1") == [(tmp_path / "work").as_uri()]
        assert await told("p2") == []
        await service.folders.set("p1", None)
        assert await told("p1") == []
