"""A data directory from somebody else may hold pipes and links in the place of files: no command waits for one, and no
file of the person is written over through one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chatdesk.cli.main import run

NAMES = (
    "config/settings.toml",
    "config/providers.json",
    "config/profile-id",
    "config/models.json",
    "config/tools.json",
    "config/keys.json",
    "chatdesk.db.mark",
    "chatdesk.db.mark.new",
    "chatdesk.db.checked",
    "instance.json",
    "model-lists.json",
    "window.json",
    "logs/chatdesk.log",
)


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chatdesk", "--data-dir", str(folder), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "CHATDESK_PROVIDER": "offline", "CHATDESK_OFFLINE_SPEED_TOKENS_PER_S": "0"},
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    given = tmp_path / "given"
    monkeypatch.setenv("CHATDESK_PROVIDER", "offline")
    assert run(["--data-dir", str(given), "ask", "How do herons fish?"]) == 0
    for name in NAMES:
        (given / name).parent.mkdir(parents=True, exist_ok=True)
        (given / name).unlink(missing_ok=True)
    return given


@pytest.mark.parametrize("words", [("threads",), ("ask", "And kingfishers?"), ("doctor",)], ids=lambda each: each[0])
def test_no_command_waits_for_a_pipe(folder: Path, words: tuple[str, ...]) -> None:
    for name in NAMES:
        os.mkfifo(folder / name)
    ended = _run(folder, *words)
    assert "Traceback" not in ended.stderr
    assert ended.stdout or words[0] == "doctor", ended.stderr


def test_nothing_is_written_through_a_link(folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("kept")
    for name in NAMES:
        (folder / name).symlink_to(mine)
    for words in (("ask", "And kingfishers?"), ("threads",), ("doctor",)):
        _run(folder, *words)
    assert mine.read_text() == "kept"


@pytest.mark.parametrize("words", [("threads",), ("doctor",)], ids=lambda each: each[0])
def test_no_command_reads_a_device(folder: Path, words: tuple[str, ...]) -> None:
    for name in NAMES:
        (folder / name).symlink_to("/dev/zero")
    assert "Traceback" not in _run(folder, *words).stderr
