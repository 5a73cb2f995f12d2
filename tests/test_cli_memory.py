"""Tests ``chatdesk memory`` from the first fact to the last, with memory on and off."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatdesk.cli.main import run


@pytest.fixture(autouse=True)
def _on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATDESK_MEMORY", "1")


def _run(tmp_path: Path, *words: str) -> int:
    return run(["--data-dir", str(tmp_path / "data"), *words])


def test_a_fact_is_kept_changed_exported_and_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(tmp_path, "projects", "add", "Bees") == 0
    assert _run(tmp_path, "memory", "add", "Ana", "keeps", "bees.") == 0
    memory_id = capsys.readouterr().out.split()[-1]
    assert _run(tmp_path, "memory", "add", "ana keeps bees.") == 0
    said = capsys.readouterr()
    assert said.out.split() == [memory_id] and "already" in said.err
    assert _run(tmp_path, "memory", "add", "--project", "Bees", "The", "hives", "are", "blue.") == 0
    assert _run(tmp_path, "memory", "edit", memory_id, "Ana keeps hens.") == 0
    capsys.readouterr()
    assert _run(tmp_path, "memory", "list") == 0
    said = capsys.readouterr()
    assert f"{memory_id}  Ana keeps hens.  (everywhere)" in said.out and "blue.  (Bees)" in said.out
    assert _run(tmp_path, "memory", "list", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    out = tmp_path / "out.json"
    assert _run(tmp_path, "memory", "export", str(out)) == 0
    assert len(json.loads(out.read_text())["memories"]) == 2
    assert _run(tmp_path, "memory", "remove", memory_id) == 0
    assert _run(tmp_path, "memory", "remove", memory_id) == 1
    assert _run(tmp_path, "memory", "remove", "--all") == 0
    capsys.readouterr()
    assert _run(tmp_path, "memory", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_while_it_is_off_nothing_is_kept_and_all_can_be_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _run(tmp_path, "memory", "add", "Ana keeps bees.") == 0
    memory_id = capsys.readouterr().out.split()[-1]
    monkeypatch.setenv("CHATDESK_MEMORY", "0")
    assert _run(tmp_path, "memory", "add", "Ana keeps hens.") == 1
    assert "Memory is off" in capsys.readouterr().err
    assert _run(tmp_path, "memory", "edit", memory_id, "Ana keeps hens.") == 1
    capsys.readouterr()
    assert _run(tmp_path, "memory", "list") == 0
    said = capsys.readouterr()
    assert "Ana keeps bees." in said.out and "off" in said.err
    assert _run(tmp_path, "memory", "remove", memory_id) == 0
