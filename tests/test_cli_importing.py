"""``chatdesk import`` as a script meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatdesk.cli.main import run
from tests.helpers.export_samples import plain_chatgpt, write_json


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHATDESK_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def test_it_prints_a_line_a_thread(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_json(folder / "conversations.json", [plain_chatgpt("one", 2)])
    assert run(["import", str(path)]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "Imported 1 new thread with 4 messages."
    assert "Chat one (4 messages)" in out
    assert run(["import", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "1 thread was here already."
    assert run(["threads", "--json"]) == 0
    assert [thread["title"] for thread in json.loads(capsys.readouterr().out)] == ["Chat one"]


def test_json_a_project_and_a_dry_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_json(folder / "conversations.json", [plain_chatgpt("one", 2)])
    assert run(["import", str(path), "--json", "--dry-run"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["is_dry_run"], report["counts"]["new"], report["messages"]) == (True, 1, 4)
    assert run(["import", str(path), "--json", "--project", "Old"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["source"] == "ChatGPT"
    assert report["lines"][0]["thread_id"]


@pytest.mark.parametrize("content", ["", "hello", "[]", "{", "[1, 2]"])
def test_an_invalid_import_fails_with_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    path = folder / "x.json"
    path.write_text(content)
    assert run(["import", str(path)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Nothing was changed." in printed.err
    assert "Traceback" not in printed.err


def test_memories_are_taken_only_when_asked_for_and_memory_is_on(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_json(folder / "memories.json", [{"conversations_memory": "Ana keeps bees.\nAna sings."}])

    def kept() -> list[str]:
        assert run(["memory", "list", "--json"]) == 0
        return sorted(each["text"] for each in json.loads(capsys.readouterr().out))

    assert run(["import", str(path)]) == 0
    out = capsys.readouterr().out
    assert "The export contains 2 memories. None was taken" in out
    assert "Memory: Ana keeps bees." in out
    assert "Memory is off. Once it is on, --memories keeps them" in out
    assert run(["import", str(path), "--memories"]) == 1
    assert "Memory is off" in capsys.readouterr().err
    monkeypatch.setenv("CHATDESK_MEMORY", "1")
    assert run(["import", str(path), "--memories", "--dry-run"]) == 0
    assert "None was taken" in capsys.readouterr().out
    assert kept() == []
    for taken in ("2 of them are", "0 of them are"):
        assert run(["import", str(path), "--memories"]) == 0
        assert f"{taken} remembered now." in capsys.readouterr().out
        assert kept() == ["Ana keeps bees.", "Ana sings."]
