"""``chatdesk demo-data``: threads to try things on, and never among a person's own unless told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chatdesk.cli.demo_threads import DemoThreads
from chatdesk.cli.main import run

NOW_MS = 1_760_000_000_000


def _documents(messages: int, seed: int = 1) -> dict[str, Any]:
    return dict(json.loads("".join(DemoThreads(messages, now_ms=NOW_MS, seed=seed).document())))


def _listed(data: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run(["--data-dir", str(data), "threads", "--limit", "1000", "--json", *options]) == 0
    return list(json.loads(capsys.readouterr().out))


def test_a_new_directory_is_filled_with_the_number_of_messages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--data-dir", str(tmp_path), "demo-data", "--messages", "400"]) == 0
    assert "with 400 messages." in capsys.readouterr().out
    shown = _listed(tmp_path, capsys)
    assert len(shown) > 10
    assert {each["project_id"] for each in shown} == {each["project_id"] for each in shown if each["message_count"]}
    assert _listed(tmp_path, capsys, "--archived")
    assert run(["--data-dir", str(tmp_path), "search", "tag:travel Lisbon"]) == 0
    assert "Four days in Lisbon" in capsys.readouterr().out
    assert run(["--data-dir", str(tmp_path), "doctor"]) == 0


def test_a_directory_with_threads_is_refused_unless_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--data-dir", str(tmp_path), "demo-data", "--messages", "10"]) == 0
    before = _listed(tmp_path, capsys)
    assert run(["--data-dir", str(tmp_path), "demo-data", "--messages", "10"]) == 1
    assert "--add" in capsys.readouterr().err
    assert _listed(tmp_path, capsys) == before
    assert run(["--data-dir", str(tmp_path), "demo-data", "--messages", "10", "--add"]) == 0
    after = _listed(tmp_path, capsys)
    assert len(after) > len(before)
    assert all(each in after for each in before)


def test_too_many_messages_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--data-dir", str(tmp_path), "demo-data", "--messages", "1000001"]) == 1
    assert "At most 1,000,000 messages" in capsys.readouterr().err


@pytest.mark.parametrize("messages", [1, 2, 15, 1_000])
def test_every_message_is_one_of_those_asked_for_and_stands_below_its_parent(messages: int) -> None:
    threads = _documents(messages)["threads"]
    assert sum(len(thread["messages"]) for thread in threads) == messages
    for thread in threads:
        roles: dict[str, str] = {}
        for message in thread["messages"]:
            parent = message.get("parent_id")
            assert parent is None or roles[parent] != message["role"]
            roles[message["id"]] = message["role"]
        assert thread["messages"][0]["role"] == "user"
        assert len(thread["messages"]) == 1 or thread["messages"][-1]["role"] == "assistant"
        assert thread["last_activity_at"] <= NOW_MS
        times = [message["created_at"] for message in thread["messages"]]
        assert times == sorted(times)


def test_some_answers_have_an_earlier_version() -> None:
    parents = [
        message["parent_id"]
        for thread in _documents(1_000)["threads"]
        for message in thread["messages"]
        if message["role"] == "assistant"
    ]
    assert len(set(parents)) < len(parents)


def test_the_same_seed_gives_the_same_words_and_another_others() -> None:
    def words(seed: int) -> list[str]:
        return [thread["title"] for thread in _documents(300, seed)["threads"]]

    assert words(1) == words(1)
    assert words(1) != words(2)
