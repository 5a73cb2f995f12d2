"""``chatdesk search`` as a script meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatdesk.cli.main import run


@pytest.fixture(autouse=True)
def _world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CHATDESK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CHATDESK_OFFLINE_SPEED_TOKENS_PER_S", "0")
    assert run(["ask", "How do herons fish?"]) == 0
    capsys.readouterr()


def test_results_are_printed_by_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["search", "herons", "fish"]) == 0
    printed = capsys.readouterr()
    assert "Messages (" in printed.out
    assert "How do herons fish?" in printed.out
    assert "Threads (1)" in printed.out
    assert printed.err == ""
    assert run(["search", "personal"]) == 0
    assert "  Personal" in capsys.readouterr().out


def test_json_has_ids_snippets_and_places(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["search", "herons role:user", "--json", "--limit", "5"]) == 0
    (group,) = json.loads(capsys.readouterr().out)
    (hit,) = group["hits"]
    assert (group["kind"], group["count"], group["is_more"], hit["role"]) == ("message", 1, False, "user")
    start, end = hit["matches"][0]
    assert hit["snippet"][start:end] == "herons"
    assert len(hit["message_id"]) == len(hit["thread_id"]) == 36


def test_nothing_found_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["search", "zebra", "tag:none"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "No tag is called “none”." in printed.err
    assert "Nothing was found." in printed.err


def test_a_minus_leaves_a_word_out_and_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["search", "herons", "-fish", "role:user"]) == 0
    assert "Nothing was found." in capsys.readouterr().err
    assert run(["search", "herons", "-zebra", "--limit", "1", "role:user"]) == 0
    assert "How do herons fish?" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run(["threads", "-zebra"])
