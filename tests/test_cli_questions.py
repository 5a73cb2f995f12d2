"""Questions at a terminal: Ctrl+D is a no, and Ctrl+C and signals end the waiting at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.cli.main import run
from tests.helpers.signals import heeded_by_children

if sys.platform != "win32":
    import pty

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
ROOT = Path(__file__).parents[1]
_QUESTION = b"[y/N] "


class Asked:
    """``restore`` that waits for an answer at a terminal of its own."""

    def __init__(self, data_dir: Path) -> None:
        self._master, slave = pty.openpty()
        command = [sys.executable, "-m", "chatdesk", "--data-dir", str(data_dir), "restore", str(data_dir / "b.zip")]
        with heeded_by_children(signal.SIGINT, signal.SIGTERM):
            self.process = subprocess.Popen(command, cwd=ROOT, stdin=slave, stdout=-1, stderr=-1)
        os.close(slave)
        assert self.process.stderr is not None
        said = b""
        while not said.endswith(_QUESTION):
            piece = self.process.stderr.read(1)
            assert piece, said
            said += piece

    def type(self, data: bytes) -> None:
        os.write(self._master, data)

    def end(self) -> tuple[int, str]:
        _out, err = self.process.communicate(timeout=60)
        return self.process.returncode, err.decode()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        os.close(self._master)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    assert run(["--data-dir", str(tmp_path), "ask", "hello"]) == 0
    assert run(["--data-dir", str(tmp_path), "backup", str(tmp_path / "b.zip")]) == 0
    return tmp_path


@pytest.fixture
def asked(data_dir: Path) -> Iterator[Asked]:
    asked = Asked(data_dir)
    yield asked
    asked.close()


@pytest.mark.parametrize("typed", [b"\x04", b"\n", b"n\n", b"maybe\n"])
def test_any_answer_but_yes_changes_nothing(asked: Asked, data_dir: Path, typed: bytes) -> None:
    asked.type(typed)
    code, said = asked.end()
    assert code == 1
    assert said.strip() == "chatdesk: nothing was changed"
    assert list((data_dir / "logs" / "crashes").iterdir()) == []


def test_a_yes_restores(asked: Asked) -> None:
    asked.type(b"Y\n")
    assert asked.end()[0] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_waiting(asked: Asked, number: signal.Signals) -> None:
    asked.process.send_signal(number)
    assert asked.end() == (128 + number, "")
