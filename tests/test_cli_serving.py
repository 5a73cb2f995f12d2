"""The commands that say which programs may use the service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatdesk.cli.main import run
from chatdesk.service import opening


def test_a_token_is_made_listed_without_its_text_and_revoked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--data-dir", str(tmp_path)]
    options = ["--scope", "read", "--scope", "ask", "--project", "Personal", "--days", "3", "--requests", "60"]
    assert run(["tokens", "new", "editor", *options, *where]) == 0
    text = capsys.readouterr().out.strip()
    assert text.startswith("cd_")
    assert run(["tokens", "list", "--json", *where]) == 0
    (token,) = json.loads(capsys.readouterr().out)
    assert (token["name"], token["scopes"], token["requests_per_minute"]) == ("editor", ["read", "ask"], 60)
    assert token["expires_at"] - token["created_at"] == 3 * 24 * 3600 * 1000
    assert len(token["projects"]) == 1
    assert run(["tokens", "list", *where]) == 0
    assert text.rpartition("_")[2] not in capsys.readouterr().out
    assert run(["tokens", "revoke", "editor", *where]) == 0
    assert run(["tokens", "revoke", "editor", *where]) == 1
    assert "There is no such token." in capsys.readouterr().err
    assert run(["tokens", "list", *where]) == 0
    assert capsys.readouterr().out == ""


def test_serving_ends_with_a_sentence_when_the_service_ends_by_a_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = opening.open_service

    async def dying(services: Any, settings: Any, port: int | None, on_died: Callable[[], None]) -> Any:
        found = await opened(services, settings, port, on_died)
        asyncio.get_running_loop().call_soon(on_died)
        return found

    monkeypatch.setattr(opening, "open_service", dying)
    assert run(["serve", "--data-dir", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "Listening on http://127.0.0.1:" in said.out
    assert "ended because of a fault" in said.err


def test_a_token_without_a_scope_only_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--data-dir", str(tmp_path)]
    assert run(["tokens", "new", "reader", *where]) == 0
    capsys.readouterr()
    assert run(["tokens", "list", "--json", *where]) == 0
    assert json.loads(capsys.readouterr().out)[0]["scopes"] == ["read"]
    assert run(["tokens", "new", "reader", *where]) == 1
    assert "already" in capsys.readouterr().err
