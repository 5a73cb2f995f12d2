"""Directories that somebody else made, or changed: a kept key is never sent where its owner did not send it.

Each is opened by the command line and by the window, with the owner's own keyring, before a server that notes all.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatdesk.cli.main import run
from chatdesk.core.chat.provider_setup import provider_service
from chatdesk.core.domain.provider_check import FoundServer
from chatdesk.core.domain.provider_profile import Header, ProviderProfile
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import secrets
from chatdesk.core.settings.schema import Settings
from chatdesk.core.settings.store import SettingsStore
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.accounts import MemoryKeyring, open_book
from tests.helpers.certificates import Authority
from tests.helpers.key_recorder import KeyRecorder, recording
from tests.helpers.window import ask, play

KEYS = {
    "openai": "sk-canary-openai-4711-0815",
    "groq-1": "gsk_canary-groq-4711-0815",
    "team": "canary-team-4711-0815",
}
TOKEN = "canary-header-4711-0815"
OLD_KEY = "sk-canary-earlier-4711-0815"


@dataclass
class Stage:
    """``mine`` is the person's own directory, ``given`` one that they got. The servers note what they are sent."""

    mine: Path
    given: Path
    keyring: MemoryKeyring
    own: KeyRecorder  # where the person's own gateway is
    other: KeyRecorder
    proxy: KeyRecorder  # shows a certificate for OpenAI
    near_proxy: KeyRecorder  # shows one for this computer
    ca_file: Path

    def write(self, folder: Path, *providers: dict[str, object], settings: str = "") -> None:
        config = folder / "config"
        config.mkdir(parents=True, exist_ok=True)
        (config / "providers.json").write_text(json.dumps({"version": 1, "providers": providers}))
        if settings:
            (config / "settings.toml").write_text(settings)

    def change(self, provider: str, **changes: object) -> Path:
        """The person's own file, edited."""
        file = self.mine / "config" / "providers.json"
        document = json.loads(file.read_text())
        for row in document["providers"]:
            if row["id"] == provider:
                row.update(changes)
        file.write_text(json.dumps(document))
        return self.mine


def _entry(name: str, base_url: str, **more: object) -> dict[str, object]:
    return {"id": name, "preset": "other", "label": name, "base_url": base_url, **more}


def _made_by_another(stage: Stage) -> Path:
    stage.write(stage.given, *(_entry(name, f"{stage.other.url}/v1") for name in KEYS))
    return stage.given


def _made_with_secret_headers(stage: Stage) -> Path:
    headers = [{"name": "X-Token", "is_secret": True}, {"name": "Authorization", "is_secret": True}]
    stage.write(stage.given, *(_entry(name, f"{stage.other.url}/v1", headers=headers) for name in KEYS))
    return stage.given


def _made_with_a_copied_profile(stage: Stage) -> Path:
    _made_by_another(stage)
    shutil.copy(stage.mine / "config" / "profile-id", stage.given / "config" / "profile-id")
    return stage.given


def _made_with_settings(stage: Stage) -> Path:
    (stage.given / "config").mkdir(parents=True)
    (stage.given / "config" / "settings.toml").write_text(f'[provider]\nopenai_base_url = "{stage.other.url}/v1"\n')
    return stage.given


def _made_with_a_listening_proxy(stage: Stage) -> Path:
    _made_with_a_copied_profile(stage)
    way = {"proxy": stage.proxy.url, "ca_file": str(stage.ca_file)}
    stage.write(stage.given, _entry("openai", "https://api.openai.com/v1", **way))
    return stage.given


def _edited_address(stage: Stage) -> Path:
    return stage.change("openai", base_url=f"{stage.other.url}/v1")


def _edited_preset_and_address(stage: Stage) -> Path:
    return stage.change("openai", preset="ollama", base_url=f"{stage.other.url}/v1")


def _edited_port(stage: Stage) -> Path:
    return stage.change("team", base_url=f"https://127.0.0.1:{stage.other.port}/v1")


def _edited_scheme(stage: Stage) -> Path:
    return stage.change("team", base_url=f"http://localhost:{stage.other.port}/v1")


def _edited_proxy(stage: Stage) -> Path:
    return stage.change("openai", proxy=stage.proxy.url, ca_file=str(stage.ca_file))


def _edited_proxy_of_the_gateway(stage: Stage) -> Path:
    return stage.change("team", proxy=stage.near_proxy.url)


def _edited_certificates(stage: Stage) -> Path:
    """The same path; what it holds was made by whoever listens."""
    (stage.mine / "own-ca.pem").write_bytes(stage.ca_file.read_bytes() + b"\n# and another\n")
    return stage.change("team", proxy=stage.near_proxy.url)


def _edited_user_in_the_address(stage: Stage) -> Path:
    return stage.change("openai", base_url=f"https://api.openai.com@127.0.0.1:{stage.other.port}/v1")


def _edited_backslash(stage: Stage) -> Path:
    return stage.change("openai", base_url=f"http://127.0.0.1:{stage.other.port}\\.api.openai.com/v1")


def _edited_settings(stage: Stage) -> Path:
    config = stage.mine / "config"
    config.joinpath("providers.json").unlink()
    config.joinpath("settings.toml").write_text(f'[provider]\nopenai_base_url = "{stage.other.url}/v1"\n')
    return stage.mine


def _restored_older_files(stage: Stage) -> Path:
    """A backup of the configuration in which the gateway was somewhere else."""
    backup = stage.mine.with_name("backup")
    shutil.copytree(stage.mine, backup)
    stage.change("team", base_url=f"{stage.other.url}/v1")
    shutil.copy(stage.mine / "config" / "providers.json", backup / "config" / "providers.json")
    shutil.rmtree(stage.mine)
    backup.rename(stage.mine)
    return stage.mine


def _kept_by_an_earlier_version(stage: Stage) -> Path:
    stage.keyring.kept = {"openai": OLD_KEY, "groq-1": OLD_KEY, "team": OLD_KEY, "team/x-token": OLD_KEY}
    return _made_by_another(stage)


MUTATIONS = (
    _made_by_another,
    _made_with_secret_headers,
    _made_with_a_copied_profile,
    _made_with_settings,
    _made_with_a_listening_proxy,
    _edited_address,
    _edited_preset_and_address,
    _edited_port,
    _edited_scheme,
    _edited_proxy,
    _edited_proxy_of_the_gateway,
    _edited_certificates,
    _edited_user_in_the_address,
    _edited_backslash,
    _edited_settings,
    _restored_older_files,
    _kept_by_an_earlier_version,
)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A person with three providers, whose keys they gave, and servers that others run."""

    async def find() -> tuple[FoundServer, ...]:
        return ()

    keyring = MemoryKeyring()
    monkeypatch.setattr(secrets, "system_keyring", lambda: keyring)
    monkeypatch.setattr(provider_service, "find_local_servers", find)
    authority = Authority(tmp_path)
    mine = tmp_path / "mine"
    mine.mkdir()
    with (
        recording(tls=authority.server()) as own,
        recording() as other,
        recording(as_proxy=authority.server("api.openai.com")) as proxy,
        recording(as_proxy=authority.server()) as near_proxy,
    ):
        ca_file = mine / "own-ca.pem"
        shutil.copy(authority.ca_file, ca_file)
        book = open_book(mine / "config", keyring=keyring)
        book.save(ProviderProfile("openai", "openai", "OpenAI", "https://api.openai.com/v1"), key=KEYS["openai"])
        book.save(ProviderProfile("groq-1", "groq", "Groq", "https://api.groq.com/openai/v1"), key=KEYS["groq-1"])
        team = ProviderProfile("team", "other", "Team", f"{own.url}/v1", ca_file=str(ca_file), model="tiny")
        book.save(
            ProviderProfile(**{**_fields(team), "headers": (Header("X-Token", TOKEN, is_secret=True),)}),
            key=KEYS["team"],
        )
        yield Stage(mine, tmp_path / "given", keyring, own, other, proxy, near_proxy, authority.ca_file)


def _fields(profile: ProviderProfile) -> dict[str, object]:
    return {name: getattr(profile, name) for name in ProviderProfile.__dataclass_fields__}


def _ask_by_command(folder: Path) -> None:
    for name in KEYS:
        run(["ask", "hello", "--provider", name, "--model", "tiny", "--data-dir", str(folder)])
    run(["ask", "hello", "--model", "tiny", "--data-dir", str(folder)])
    run(["providers", "--test", "--data-dir", str(folder)])
    run(["doctor", "--data-dir", str(folder)])


def _ask_in_the_window(folder: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        for name in (*KEYS, "auto"):
            await services.apply_settings(Settings(**{**_settings(folder), "provider": name, "openai_model": "tiny"}))
            for provider in services.providers.all():
                with suppress(ChatDeskError):
                    await services.provider_service.models_of(provider, is_asked=True)
            await ask(application, "hello")

    paths = AppPaths.find(folder, {})
    play(paths, script, Settings(**_settings(folder)))


def _settings(folder: Path) -> dict[str, object]:
    loaded = SettingsStore(AppPaths.find(folder, {}).settings_file).load({}).settings
    found = {name: getattr(loaded, name) for name in loaded.__dataclass_fields__}
    return {**found, "offline_speed_tokens_per_s": 0}


def _no_key_left(stage: Stage) -> None:
    """The gateway may have its own, by the way that the person gave it."""
    heard = stage.other.received + stage.proxy.received + stage.near_proxy.received
    assert [key for key in (*KEYS.values(), TOKEN, OLD_KEY) if key.encode() in heard] == []
    assert [key for key in (KEYS["openai"], KEYS["groq-1"], OLD_KEY) if key.encode() in stage.own.received] == []


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: mutate.__name__.strip("_"))
def test_a_changed_directory_gets_no_key(stage: Stage, mutate: Callable[[Stage], Path]) -> None:
    folder = mutate(stage)
    _ask_by_command(folder)
    _no_key_left(stage)
    _ask_in_the_window(folder)
    _no_key_left(stage)


def test_the_own_directory_gets_its_keys(stage: Stage) -> None:
    _ask_by_command(stage.mine)
    assert KEYS["team"].encode() in stage.own.received
    assert TOKEN.encode() in stage.own.received
    assert stage.other.received == stage.proxy.received == b""
    assert b"follow=me" not in stage.own.received.lower().replace(b"set-cookie", b"")


def test_the_listening_proxy_would_have_heard_a_key(stage: Stage) -> None:
    """So that nothing above passes because nobody was listening."""
    book = open_book(stage.mine / "config", keyring=stage.keyring)
    _edited_proxy(stage)
    book.load()
    book.agree("openai")
    run(["ask", "hello", "--provider", "openai", "--model", "tiny", "--data-dir", str(stage.mine)])
    assert KEYS["openai"].encode() in stage.proxy.received


def test_an_address_of_the_environment_takes_no_kept_key(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"{stage.other.url}/v1")
    run(["ask", "hello", "--model", "tiny", "--provider", "openai", "--data-dir", str(stage.mine)])
    assert b"POST /v1/chat/completions" in stage.other.received
    _no_key_left(stage)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-variable")
    run(["ask", "hello", "--model", "tiny", "--provider", "openai", "--data-dir", str(stage.mine)])
    assert b"Bearer sk-of-the-variable" in stage.other.received


@pytest.mark.parametrize("mutate", [_edited_address, _edited_settings, _edited_proxy, _made_by_another])
def test_a_variables_key_goes_to_its_vendor(
    stage: Stage, mutate: Callable[[Stage], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-variable")
    folder = mutate(stage)
    run(["ask", "hello", "--model", "tiny", "--provider", "openai", "--data-dir", str(folder)])
    assert b"sk-of-the-variable" not in stage.other.received + stage.proxy.received


def test_the_command_line_names_both_servers_and_asks(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(_edited_address(stage))
    command = ["ask", "hello", "--model", "tiny", "--provider", "openai", "--data-dir", folder]
    assert run(command) == 1
    said = capsys.readouterr().err
    assert "given for https://api.openai.com. It would be sent to " + stage.other.url in said
    assert "chatdesk providers --agree openai" in said
    assert run(["providers", "--agree", "openai", "--data-dir", folder]) == 1
    assert "--yes" in capsys.readouterr().err
    assert run(["providers", "--agree", "openai", "--yes", "--data-dir", folder]) == 0
    run(command)
    assert KEYS["openai"].encode() in stage.other.received
    assert run(["providers", "--agree", "openai", "--yes", "--data-dir", folder]) == 1
