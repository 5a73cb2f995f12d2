"""Tests ``chatdesk knowledge`` from adding a folder to forgetting it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatdesk.cli.main import run
from tests.helpers.embedding_server import embeds
from tests.helpers.threaded_server import serving


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "leave.md").write_text("# Leave\n\nEach employee has thirty days of paid holiday.")
    (folder / "travel.txt").write_text("Receipts are handed in within a month.")
    (folder / "scan.pdf").write_bytes(b"%PDF-1.4\nbroken")
    return folder


def _run(tmp_path: Path, *words: str) -> int:
    return run(["--data-dir", str(tmp_path / "data"), "knowledge", *words])


def test_a_secret_is_named_and_read_only_when_it_is_meant(
    tmp_path: Path, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / ".env").write_text("PASSWORD=correct horse battery")
    assert run(["--data-dir", str(tmp_path / "data"), "projects", "add", "Work"]) == 0
    assert _run(tmp_path, "add", "Work", str(files)) == 0
    assert "1 looks like a secret, not read" in capsys.readouterr().err
    assert _run(tmp_path, "list", "Work") == 0
    assert ".env: looks like a secret, not read" in capsys.readouterr().err
    assert _run(tmp_path, "add", "Work", str(files / ".env")) == 1
    assert "“.env” looks like a secret." in capsys.readouterr().err
    assert _run(tmp_path, "search", "Work", "correct horse battery") in (0, 1)
    assert "horse" not in capsys.readouterr().out
    assert _run(tmp_path, "add", "Work", str(files / ".env"), "--secret") == 0
    assert "1 file read" in capsys.readouterr().err
    assert _run(tmp_path, "search", "Work", "correct horse battery") == 0
    assert "horse" in capsys.readouterr().out


def test_a_folder_is_added_searched_tried_and_forgotten(
    tmp_path: Path, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--data-dir", str(tmp_path / "data"), "projects", "add", "Work"]) == 0
    assert _run(tmp_path, "add", "Work", str(files), "--exclude", "travel.*") == 0
    said = capsys.readouterr()
    source_id = said.out.split()[-1]
    assert "1 file read, 1 cannot be read" in said.err

    assert _run(tmp_path, "list", "Work", "--json") == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["id"], listed["read"], listed["unreadable"]) == (source_id, 1, 1)
    assert listed["seconds_left"] is None
    assert _run(tmp_path, "list", "Work") == 0
    said = capsys.readouterr()
    assert str(files) in said.out and "scan.pdf" in said.err

    assert _run(tmp_path, "search", "Work", "how", "many", "days", "off") == 0
    assert "1. leave.md — Leave" in capsys.readouterr().out
    assert _run(tmp_path, "search", "Work", "holiday", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["file"] == "leave.md"

    questions = tmp_path / "questions.json"
    questions.write_text(json.dumps([{"question": "holiday", "file": "leave.md"}, {"question": "x", "file": "no.md"}]))
    assert _run(tmp_path, "test", "Work", str(questions)) == 1
    said = capsys.readouterr()
    assert "  1  leave.md  holiday" in said.out and "1 of 2" in said.err
    assert _run(tmp_path, "test", "Work", str(questions), "--json") == 1
    assert [row["place"] for row in json.loads(capsys.readouterr().out)] == [1, None]

    assert _run(tmp_path, "test", "Work") == 1
    assert "No questions are kept" in capsys.readouterr().err
    assert _run(tmp_path, "test", "Work", "--keep") == 1
    assert "no file of questions" in capsys.readouterr().err
    assert _run(tmp_path, "test", "Work", str(questions), "--keep") == 1
    assert "1 of 2" in capsys.readouterr().err
    assert _run(tmp_path, "test", "Work", "--json") == 1
    rows = json.loads(capsys.readouterr().out)
    assert [(row["file"], row["place"], row["before"]) for row in rows] == [("leave.md", 1, 1), ("no.md", None, None)]

    assert _run(tmp_path, "remove", "Work", "elsewhere") == 1
    assert _run(tmp_path, "remove", "Work", source_id) == 0
    capsys.readouterr()
    assert _run(tmp_path, "search", "Work", "holiday") == 0
    said = capsys.readouterr()
    assert said.out == "" and "Nothing was found." in said.err
    assert _run(tmp_path, "test", "Work") == 1
    assert "  –  leave.md  holiday  not found (before: at place 1)" in capsys.readouterr().out


def test_a_model_of_a_provider_is_taken_after_its_cost_was_told_and_left_again(
    tmp_path: Path, files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(embeds()) as address:
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        assert run(["--data-dir", str(tmp_path / "data"), "projects", "add", "Work"]) == 0
        assert _run(tmp_path, "add", "Work", str(files)) == 0
        capsys.readouterr()
        assert _run(tmp_path, "embedding", "Work") == 0
        assert capsys.readouterr().out == "Found by meaning with the vectors that come with ChatDesk.\n"

        assert _run(tmp_path, "embedding", "Work", "--model", "nobody/e") == 1
        assert "nobody" in capsys.readouterr().err
        assert _run(tmp_path, "embedding", "Work", "--model", "openai/e") == 1
        said = capsys.readouterr().err
        assert "2 passages" in said and "1 request" in said and "The price of e is not known." in said
        assert "Nothing was sent or changed." in said

        assert _run(tmp_path, "embedding", "Work", "--model", "openai/e", "--yes") == 0
        assert "e of openai" in capsys.readouterr().out
        assert _run(tmp_path, "search", "Work", "vacation") == 0
        said = capsys.readouterr()
        assert "leave.md" in said.out and said.err == ""
    assert _run(tmp_path, "search", "Work", "holiday") == 0
    said = capsys.readouterr()
    assert (
        "leave.md" in said.out and "The last question was compared by the vectors that come with ChatDesk" in said.err
    )
    assert _run(tmp_path, "embedding", "Work", "--own", "--json") == 0
    assert json.loads(capsys.readouterr().out)["answering"] is None


def test_a_provider_that_never_gets_the_files_is_named_and_taken_back(
    tmp_path: Path, files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert run(["--data-dir", str(tmp_path / "data"), "projects", "add", "Work"]) == 0
    assert _run(tmp_path, "add", "Work", str(files)) == 0
    capsys.readouterr()

    def denied(*words: str) -> list[str]:
        assert _run(tmp_path, "providers", "Work", *words, "--json") == 0
        return [row["provider"] for row in json.loads(capsys.readouterr().out) if not row["gets_files"]]

    assert denied() == []
    assert denied("--never", "openai") == ["openai"] == denied()
    assert _run(tmp_path, "providers", "Work") == 0
    assert any(line.startswith("openai") and line.endswith("never") for line in capsys.readouterr().out.splitlines())
    assert _run(tmp_path, "embedding", "Work", "--model", "openai/e", "--yes") == 1
    assert "never sent to this provider" in capsys.readouterr().err
    assert denied("--send", "openai") == []
    assert _run(tmp_path, "providers", "Work", "--never", "nobody") == 1
    assert "nobody" in capsys.readouterr().err
