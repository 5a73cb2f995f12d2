"""A secret of the environment goes only where the environment says, to its vendor, or where a person agreed.

A data directory that somebody else made, changed or gave back names other servers in every way that it can.
"""

from __future__ import annotations

import asyncio
import json
import re
import select
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from chatdesk.cli.main import run
from chatdesk.client import NotRunning
from chatdesk.client.target import find_place
from chatdesk.core.chat.provider_setup import provider_service
from chatdesk.core.domain.sharing.team import ServerAddress, Workspace
from chatdesk.core.ids import new_id
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import secrets
from chatdesk.core.settings.presets import PRESETS
from chatdesk.core.settings.schema import Settings
from chatdesk.core.storage.sync import team
from chatdesk.services.owner import open_services
from tests.helpers.accounts import MemoryKeyring
from tests.helpers.certificates import Authority
from tests.helpers.key_recorder import KeyRecorder, recording
from tests.helpers.setting_documents import variables, variables_of_commands

# What of the environment is a secret; a proxy's name and password are for the proxy that the variable names.
SECRETS: Final = sorted(
    each
    for each in variables() | variables_of_commands()
    if re.search("KEY$|PASSWORD|PASSPHRASE|TOKEN$|HEADERS", each) and each != "CHATDESK_SERVICE_CERTIFICATE_KEY"
)
# The place of the person's own server, where a variable names it.
NAMED: Final = ("OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT", "CHATDESK_TEAM_SERVER", "CHATDESK_URL")
AZURE: Final = "attacker.openai.azure.com"


def _canary(variable: str) -> str:
    return f"canary-{variable.lower().replace('_', '-')}-4711"


@dataclass
class Stage:
    """``folder`` is the directory that is opened; the others are what listens to what it says."""

    folder: Path
    other: KeyRecorder
    way: KeyRecorder  # opens the encryption of whoever goes through it to a resource that anybody may own
    vendor: KeyRecorder  # and to OpenAI
    database: socket.socket
    ca_file: Path
    environment: pytest.MonkeyPatch

    def go_through(self, proxy: KeyRecorder) -> None:
        self.environment.setenv("HTTPS_PROXY", f"http://canary-user:canary-proxy@127.0.0.1:{proxy.port}")

    def write(self, name: str, content: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")

    def write_providers(self, *rows: dict[str, object]) -> None:
        self.write("config/providers.json", json.dumps({"version": 1, "providers": rows}))

    def heard(self) -> bytes:
        return self.other.received + self.way.received + self.vendor.received

    def run(self, *words: str) -> int:
        return run([*words, "--data-dir", str(self.folder)])

    def has_been_called(self) -> bool:
        return bool(select.select([self.database], [], [], 0)[0])


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    async def find() -> tuple[()]:
        return ()

    ring = MemoryKeyring()
    monkeypatch.setattr(secrets, "system_keyring", lambda: ring)
    monkeypatch.setattr(provider_service, "find_local_servers", find)
    authority = Authority(tmp_path)
    for variable in SECRETS:
        monkeypatch.setenv(variable, "X-Way: " * variable.endswith("HEADERS") + _canary(variable))
    for variable in NAMED:
        monkeypatch.delenv(variable, raising=False)
    with ExitStack() as stack:
        other = stack.enter_context(recording())
        way = stack.enter_context(recording(as_proxy=authority.server(AZURE)))
        vendor = stack.enter_context(recording(as_proxy=authority.server("api.openai.com")))
        database = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
        made = Stage(tmp_path / "profile", other, way, vendor, database, authority.ca_file, monkeypatch)
        made.go_through(way)
        yield made


def _row(preset: str, base_url: str, **more: object) -> dict[str, object]:
    return {"id": preset, "preset": preset, "label": preset, "base_url": base_url, **more}


def _by_addresses(stage: Stage) -> None:
    stage.write_providers(*(_row(each, f"{stage.other.url}/v1") for each in PRESETS))


def _by_proxies(stage: Stage) -> None:
    way = {"proxy": stage.way.url, "ca_file": str(stage.ca_file)}
    stage.write_providers(*(_row(each.id, each.base_url, **way) for each in PRESETS.values()))


def _by_hosts_of_requests(stage: Stage) -> None:
    stage.go_through(stage.vendor)
    header = [{"name": "hOst", "value": "attacker.example"}]
    stage.write_providers(_row("openai", "https://api.openai.com/v1", headers=header))


def _by_a_resource(stage: Stage) -> None:
    stage.write_providers(_row("azure", f"https://{AZURE}/openai/v1"))


def _by_settings(stage: Stage) -> None:
    stage.environment.delenv("OPENAI_API_KEY")  # the headers are withheld by themselves
    stage.write("config/settings.toml", f'[provider]\nopenai_base_url = "{stage.other.url}/v1"\n')


def _by_an_address_of_the_service(stage: Stage) -> None:
    for address in (f"http://evil.test:{stage.other.port}", "http://127.0.0.1@evil.test", "//evil.test", ""):
        stage.write("service/address.json", json.dumps({"urls": [address]}))
        with pytest.raises(NotRunning):
            find_place(environ={"CHATDESK_DATA_DIR": str(stage.folder), "CHATDESK_TOKEN": "cd_mine"})


def _by_a_workspace(stage: Stage) -> None:
    async def add() -> None:
        host, port = stage.database.getsockname()
        address = ServerAddress(host, port, "team", "me", tls="disable")
        workspace = Workspace(new_id(), "Blue", address, new_id(), is_owner=False, joined_at=1)
        async with open_services(AppPaths.find(stage.folder), Settings()) as services:
            await services.database.write(lambda conn: team.add_workspace(conn, workspace))

    asyncio.run(add())


WAYS: Final = (
    _by_addresses,
    _by_proxies,
    _by_hosts_of_requests,
    _by_a_resource,
    _by_settings,
    _by_an_address_of_the_service,
    _by_a_workspace,
)
TEAM: Final = (
    ("sync",),
    ("members",),
    ("invite", "Ben"),
    ("computer",),
    ("check",),
    ("leave", "--for-good", "--yes"),
)


def _given(stage: Stage, prepare: Callable[[Stage], None]) -> None:
    prepare(stage)


def _edited(stage: Stage, prepare: Callable[[Stage], None]) -> None:
    stage.run("threads")
    prepare(stage)


def _restored(stage: Stage, prepare: Callable[[Stage], None]) -> None:
    stage.run("threads")
    prepare(stage)
    backup = stage.folder.with_name("b.zip")
    assert stage.run("backup", str(backup)) == 0
    config = stage.folder / "config"
    kept = stage.folder.with_name("config")
    if config.exists():
        shutil.copytree(config, kept)
    shutil.rmtree(stage.folder)
    if kept.exists():
        shutil.copytree(kept, config)
    assert stage.run("restore", str(backup), "--yes") == 0


@pytest.mark.parametrize("directory", [_given, _edited, _restored], ids=lambda each: each.__name__.strip("_"))
@pytest.mark.parametrize("prepare", WAYS, ids=lambda each: each.__name__.strip("_"))
def test_an_address_from_a_data_directory_gets_no_secret(
    stage: Stage,
    prepare: Callable[[Stage], None],
    directory: Callable[[Stage, Callable[[Stage], None]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    directory(stage, prepare)
    if prepare is _by_a_workspace:
        for words in TEAM:
            stage.run("team", *words)
    else:
        for name in PRESETS:
            stage.run("ask", "hello", "--provider", name, "--model", "tiny")
        stage.run("ask", "hello", "--model", "tiny")
        stage.run("providers", "--test")
    stage.run("doctor")
    assert not stage.has_been_called()
    assert b"canary-" not in stage.heard()
    said = capsys.readouterr()
    assert "canary-" not in said.out + said.err


def _vendor(stage: Stage) -> list[str]:
    stage.go_through(stage.vendor)
    stage.write_providers(_row("openai", "https://api.openai.com/v1"))
    return ["OPENAI_API_KEY"]


def _address(stage: Stage) -> list[str]:
    stage.environment.setenv("OPENAI_BASE_URL", f"{stage.other.url}/v1")
    return ["OPENAI_API_KEY", "CHATDESK_OPENAI_HEADERS"]


def _resource(stage: Stage) -> list[str]:
    stage.environment.setenv("AZURE_OPENAI_ENDPOINT", f"https://{AZURE}")
    _by_a_resource(stage)
    return ["AZURE_OPENAI_API_KEY"]


def _agreement(stage: Stage) -> list[str]:
    _by_settings(stage)
    assert stage.run("providers", "--agree", "openai", "--yes") == 0
    return ["CHATDESK_OPENAI_HEADERS"]


@pytest.mark.parametrize("name", [_vendor, _address, _resource, _agreement], ids=lambda each: each.__name__.strip("_"))
def test_an_address_from_the_environment_or_a_person_gets_its_own_secret(
    stage: Stage, name: Callable[[Stage], list[str]]
) -> None:
    """So that nothing above passes because nobody was listening."""
    wanted = name(stage)
    provider = "azure" if name is _resource else "openai"
    stage.run("ask", "hello", "--provider", provider, "--model", "tiny")
    heard = stage.heard()
    assert [each for each in SECRETS if _canary(each).encode() in heard] == sorted(wanted)


def test_the_server_of_a_team_that_a_variable_names_is_asked(stage: Stage) -> None:
    _by_a_workspace(stage)
    host, port = stage.database.getsockname()
    stage.environment.setenv("CHATDESK_TEAM_SERVER", f"{host}:{port}/unencrypted")
    stage.environment.setattr("chatdesk.core.sync.team_store.connection.CONNECT_S", 2)
    stage.run("team", "members")
    assert stage.has_been_called()
