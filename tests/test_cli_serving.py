"""The commands that say which programs may use the service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatdesk.cli.main import run


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


def test_a_token_without_a_scope_only_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--data-dir", str(tmp_path)]
    assert run(["tokens", "new", "reader", *where]) == 0
    capsys.readouterr()
    assert run(["tokens", "list", "--json", *where]) == 0
    assert json.loads(capsys.readouterr().out)[0]["scopes"] == ["read"]
    assert run(["tokens", "new", "reader", *where]) == 1
    assert "already" in capsys.readouterr().err
