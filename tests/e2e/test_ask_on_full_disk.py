"""``chatdesk ask`` on a disk that fills up in the middle of the answer: a sentence and an end, never a silence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.signals import heeded_by_children

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="needs to mount a small disk"
)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MB."""
    path = tmp_path / "small"
    path.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m,mode=700", "tmpfs", path], check=False).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


Asking = Callable[[int], "subprocess.Popen[str]"]


@pytest.fixture
def asked(small: Path) -> Iterator[Asking]:
    """Starts ``ask`` in the small disk, with so many tokens in a second."""
    begun: list[subprocess.Popen[str]] = []

    def start(tokens_per_s: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "chatdesk", "--data-dir", str(small), "ask", "/demo long", "--json"]
        environ = {**os.environ, "CHATDESK_OFFLINE_SPEED_TOKENS_PER_S": str(tokens_per_s)}
        with heeded_by_children(signal.SIGINT):
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=-1, stderr=-1, text=True, encoding="utf-8", env=environ
            )
        begun.append(process)
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def _fill(path: Path) -> None:
    """Fill the disk to its last block. ``ask`` may be writing, so nobody can say before how much goes in."""
    with (path / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(64 * 1024))


def _until(process: subprocess.Popen[str], kind: str) -> dict[str, Any]:
    assert process.stdout is not None
    for line in process.stdout:
        event: dict[str, Any] = json.loads(line)
        if event["event"] == kind:
            return event
    raise AssertionError(f"no {kind}")


def _last_answer(path: Path) -> dict[str, Any]:
    def chatdesk(*arguments: str) -> Any:
        command = [sys.executable, "-m", "chatdesk", "--data-dir", str(path), *arguments, "--json"]
        return json.loads(subprocess.run(command, cwd=ROOT, stdout=-1, check=True).stdout)

    answer: dict[str, Any] = chatdesk("show", chatdesk("threads")[0]["id"])["messages"][-1]
    return answer


@pytest.mark.long
def test_it_ends_with_a_sentence_that_says_what_is_safe(small: Path, asked: Asking) -> None:
    process = asked(2_000)
    _until(process, "text")
    _fill(small)
    assert _until(process, "unsaved")["reason"].startswith(f"The disk of {small} is full")
    out, err = process.communicate(timeout=100)
    assert process.returncode == 1
    assert json.loads(out.splitlines()[-1])["code"] == "answer_not_saved"
    said = err.splitlines()[-1]
    assert said.startswith(f"chatdesk: The disk of {small} is full, so this could not be saved. What was saved before")
    assert "window" not in err
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 3
    (small / "filler").unlink()
    assert _last_answer(small)["status"] in ("interrupted", "stopped")


def test_the_first_ctrl_c_ends_it(small: Path, asked: Asking) -> None:
    process = asked(500)
    _until(process, "text")
    _fill(small)
    _until(process, "unsaved")
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_with_room_made_in_time_the_whole_answer_is_stored(small: Path, asked: Asking) -> None:
    process = asked(2_000)
    _until(process, "text")
    _fill(small)
    _until(process, "unsaved")
    (small / "filler").unlink()
    out, _err = process.communicate(timeout=60)
    assert process.returncode == 0
    finish = json.loads(out.splitlines()[-1])
    assert finish["status"] == "complete"
    assert _last_answer(small)["text"] == finish["text"]


def test_a_new_directory_on_a_full_disk_is_named_without_a_traceback(small: Path) -> None:
    _fill(small)
    command = [sys.executable, "-m", "chatdesk", "--data-dir", str(small / "new"), "--debug", "ask", "hello"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "full" in done.stderr.splitlines()[-1]
