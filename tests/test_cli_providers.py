"""``chatdesk providers`` and the providers in ``doctor``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatdesk.cli.main import run
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.settings.providers_store import ProvidersStore, StoredProviders
from tests.helpers.fault_server import models
from tests.helpers.threaded_server import serving

KEY = "gsk-marked-0123456789"
GROQ = ProviderProfile("groq", "groq", "Groq", "https://api.groq.com/openai/v1", favourites=("big",))


def _store(folder: Path, *profiles: ProviderProfile) -> None:
    ProvidersStore(folder / "config").save(StoredProviders(profiles))


def test_providers_are_listed_without_a_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    _store(tmp_path, GROQ, ProviderProfile("off", "other", "Old", "http://127.0.0.1:9/v1", is_enabled=False))
    assert run(["providers", "--data-dir", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "* groq  Groq  https://api.groq.com/openai/v1  (key from GROQ_API_KEY)",
        "  openai  OpenAI  https://api.openai.com/v1  (no key)",
        "  off  Old  http://127.0.0.1:9/v1  (switched off)",
        "  offline  Offline demo, without network",
    ]
    assert run(["providers", "--json", "--data-dir", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert KEY not in printed
    rows = {row["id"]: row for row in json.loads(printed)}
    assert rows["groq"]["is_default"]
    assert rows["groq"]["favourites"] == ["big"]
    assert not rows["offline"]["is_default"]


@pytest.mark.parametrize("command", [["providers"], ["ask", "hello"], ["doctor"]])
def test_a_damaged_file_of_providers_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "providers.json").write_text("{")
    run([*command, "--data-dir", str(tmp_path)])
    shown = capsys.readouterr()
    said = shown.out if command == ["doctor"] else shown.err
    assert f"The file of providers {tmp_path / 'config' / 'providers.json'} is damaged" in said
    assert "providers.broken-1.json" in said
    run(["doctor", "--data-dir", str(tmp_path)])
    assert "providers.broken-1.json" in capsys.readouterr().out


def test_a_password_in_an_address_is_not_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:hunter2@127.0.0.1:9/v1")
    assert run(["providers", "--data-dir", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert "http://127.0.0.1:9/v1" in shown.out
    assert "hunter2" not in shown.out + shown.err


def test_a_test_that_fails_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _store(tmp_path, ProviderProfile("openai", "other", "Away", "http://127.0.0.1:9/v1"))
    assert run(["providers", "--test", "--data-dir", str(tmp_path)]) == 1
    assert "refused the connection" in capsys.readouterr().out


def test_a_question_goes_to_the_provider_that_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(models("tiny")) as url:
        _store(tmp_path, ProviderProfile("openai", "openai", "OpenAI", is_enabled=False))
        assert run(["ask", "hi", "--provider", "openai", "--data-dir", str(tmp_path)]) == 1
        assert "OpenAI is switched off" in capsys.readouterr().err
        _store(tmp_path, ProviderProfile("team", "other", "Team", url))
        run(["doctor", "--json", "--data-dir", str(tmp_path)])
        findings = {row["name"]: row for row in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["provider team"]["message"] == "Team answers and offers 1 model."
    assert findings["provider openai"]["level"] == "note"
