"""Tools that come with ChatDesk, as the service of tool servers offers them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.clock import Clock
from chatdesk.core.domain.tools import Answer, Caller, ServerKind, ServerState, ToolFailed
from chatdesk.core.errors import NotPossible
from chatdesk.core.events import EventBus
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.profile_id import ProfileId
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import SecretStore
from chatdesk.core.texts import Text
from chatdesk.core.tools.built_in import BuiltInServer, BuiltInTool
from chatdesk.core.tools.tool_service import ToolService
from chatdesk.core.tools.web_search.choice import SearchChoice, SearchEngine
from tests.helpers.accounts import MemoryKeyring
from tests.helpers.tools_world import CALLER, server


async def _shout(arguments: Mapping[str, Any], _caller: Caller) -> str:
    return str(arguments["text"]).upper()


async def _hang(_arguments: Mapping[str, Any], _caller: Caller) -> str:
    await asyncio.Event().wait()
    return ""


def _own() -> BuiltInServer:
    return BuiltInServer(
        "own",
        "Own tools",
        (
            BuiltInTool(
                "shout",
                Text("Make letters large"),
                "Makes letters large.",
                {"text": {"type": "string"}},
                ("text",),
                _shout,
            ),
            BuiltInTool("hang", Text("Take long"), "Takes long.", {}, (), _hang),
        ),
    )


def _service(folder: Path, ring: MemoryKeyring) -> ToolService:
    paths = AppPaths.find(folder / "profile")
    paths.make_directories()
    secrets = SecretStore(
        register=lambda _value: None, environ={}, load_backend=lambda: ring, profile=ProfileId(paths.config_dir)
    )
    place = lambda: KeyPlace.KEYRING  # noqa: E731
    return ToolService(paths, secrets, place, bus=EventBus(), clock=Clock(), built_in=(_own(),))


async def test_they_are_off_until_switched_on_and_stay_on(tmp_path: Path) -> None:
    ring = MemoryKeyring()
    service = _service(tmp_path, ring)
    assert [(each.server.id, each.state) for each in service.statuses()] == [("own", ServerState.OFF)]
    assert service.on_for(thread_id="t", project_id="p") == ()
    await service.switch("own", is_on=True)
    again = _service(tmp_path, ring)
    (found,) = again.on_for(thread_id="t", project_id="p")
    assert (found.id, found.kind, again.statuses()[0].tool_count) == ("own", ServerKind.BUILT_IN, 2)
    with pytest.raises(NotPossible):
        await again.remove("own")
    assert again.server("own") is not None
    await again.switch("own", is_on=False)
    assert _service(tmp_path, ring).on_for(thread_id="t", project_id="p") == ()


async def test_a_foreign_directory_switches_nothing_on(tmp_path: Path) -> None:
    await _service(tmp_path, MemoryKeyring()).switch("own", is_on=True)
    assert _service(tmp_path, MemoryKeyring()).on_for(thread_id="t", project_id="p") == ()


async def test_the_search_engine_stays_and_a_foreign_directory_chooses_none(tmp_path: Path) -> None:
    ring = MemoryKeyring()
    service = _service(tmp_path, ring)
    assert service.search.choice == SearchChoice()
    await service.search.choose(SearchChoice(SearchEngine.SEARXNG, "searx.example.org/"))
    kept = SearchChoice(SearchEngine.SEARXNG, "https://searx.example.org")
    assert _service(tmp_path, ring).search.choice == kept
    assert _service(tmp_path, MemoryKeyring()).search.choice == SearchChoice()
    file = tmp_path / "profile" / "config" / "tools.json"
    for damage in ('"searxng"', '"google"'), ("searx.example.org", "evil.example.org"):
        written = file.read_text("utf-8")
        file.write_text(written.replace(*damage), "utf-8")
        assert _service(tmp_path, ring).search.choice == SearchChoice()
        file.write_text(written, "utf-8")
    assert _service(tmp_path, ring).search.choice == kept


async def test_they_are_listed_and_called_like_others_and_never_allowed_for_longer(tmp_path: Path) -> None:
    service = _service(tmp_path, MemoryKeyring())
    await service.switch("own", is_on=True)
    (own,) = service.on_for(thread_id="t", project_id="p")
    shout, hang = await service.tools((own,), CALLER)
    assert (shout.full_name, shout.schema["required"], shout.hints.is_read_only) == ("own__shout", ["text"], True)
    result = await service.call(own, "shout", {"text": "é"}, caller=CALLER, timeout_s=5)
    assert (result.text, result.size_bytes, result.is_error) == ("É", 2, False)
    assert (await service.call(own, "none", {}, caller=CALLER, timeout_s=5)).is_error
    with pytest.raises(ToolFailed, match="too long"):
        await service.call(own, hang.name, {}, caller=CALLER, timeout_s=0.05)
    asked = {"thread_id": "t", "project_id": "p", "after_outside_text": False}
    assert not await service.allows(own, shout, **asked)
    await service.allow(own, shout, Answer.ALWAYS, "")
    assert not await service.allows(own, shout, **asked), "they are asked about each time"
    assert [(step.is_well, step.tool_count) async for step in service.check(own)] == [(True, 2)]


async def test_a_server_of_the_person_cannot_take_their_place(tmp_path: Path) -> None:
    service = _service(tmp_path, MemoryKeyring())
    await service.save(server(server_id="own"))
    assert [each.kind for each in service.servers] == [ServerKind.BUILT_IN]
    assert service.new_id("own") != "own"
    stored = json.loads((tmp_path / "profile" / "config" / "tools.json").read_text("utf-8"))
    assert stored["built_in"] == []
