"""The command line where the system lacks what every program takes for granted: a sentence and an exit code."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from chatdesk.cli.main import run
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import Status
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.services.owner import open_services
from tests.helpers.examples import sample

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full, limits and users as Linux has")
ROOT = Path(__file__).parents[1]
_UNKNOWN_USER = "54321"


def _run(
    *command: str | bytes | Path,
    prefix: tuple[str, ...] = (),
    out: str = os.devnull,
    environ: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """The exit code, and what was on stderr."""
    with open(out, "w") as stdout:
        done = subprocess.run(
            [*prefix, sys.executable, "-m", "chatdesk", *command],
            cwd=ROOT,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=None if environ is None else dict(environ),
            timeout=60,
            check=False,
        )
    said = done.stderr.decode("utf-8", "replace")
    assert "Traceback" not in said
    assert "unexpected" not in said
    return done.returncode, said


def _is_open_to_everybody() -> bool:
    """Return whether an unknown user can read this checkout, which may be in somebody's home."""
    return all(each.stat().st_mode & 0o001 for each in (ROOT, *ROOT.parents))


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs to become an unknown user")
@pytest.mark.skipif(not _is_open_to_everybody(), reason="an unknown user cannot read this checkout")
def test_without_any_home_the_way_out_is_named() -> None:
    become = ("setpriv", "--reuid", _UNKNOWN_USER, "--clear-groups")
    code, said = _run("threads", prefix=become, environ={"PATH": os.environ["PATH"]})
    assert code == 1
    assert said.startswith("chatdesk: There is no home directory: HOME is not set")
    assert "--data-dir" in said


def test_a_name_that_is_no_utf_8_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/n\xff"
    code, said = _run("--data-dir", name, "threads")
    assert code == 1
    assert said.startswith("chatdesk: The data directory cannot be used: the name ")
    assert not os.path.exists(name)


@pytest.mark.parametrize(
    "command", sample([["--version"], ["--help"], ["threads"], ["ask", "hello"], ["ask", "hello", "--json"]], 3)
)
def test_an_output_that_takes_nothing_is_named(tmp_path: Path, command: list[str]) -> None:
    assert run(["--data-dir", str(tmp_path), "ask", "hello"]) == 0
    code, said = _run("--data-dir", tmp_path, *command, out="/dev/full")
    assert code == 1
    assert said.startswith("chatdesk: The output could not be written: No space left on device.")
    assert said.count("\n") == 1


async def test_an_answer_that_cannot_be_printed_is_kept(tmp_path: Path) -> None:
    assert _run("--data-dir", tmp_path, "ask", "hello", out="/dev/full")[0] == 1
    async with open_services(AppPaths.find(tmp_path), Settings()) as services:
        (thread,) = (await services.library.list_threads(ThreadQuery())).threads
        answer = (await services.chat.reader.get_thread_messages(thread.id, 5)).messages[-1]
        assert answer.status in (Status.STOPPED, Status.COMPLETE)


def test_full_stdout_and_stderr_are_handled(tmp_path: Path) -> None:
    command = f"{sys.executable} -m chatdesk --data-dir {tmp_path} show 0000 >/dev/full 2>&1"
    assert subprocess.run(["sh", "-c", command], cwd=ROOT, timeout=60, check=False).returncode == 1


@pytest.mark.parametrize(("limit", "is_enough"), [(12, False), (20, True)])
def test_too_few_files_are_told(tmp_path: Path, limit: int, *, is_enough: bool) -> None:
    prefix = ("sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh")
    code, said = _run("--data-dir", tmp_path, "ask", "hello", prefix=prefix)
    if is_enough:
        assert (code, said) == (0, "")
    else:
        assert code == 1
        assert said.startswith("chatdesk: This process may open only 12 files at once, and ChatDesk needs at least 20.")
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EMFILE, "x"), "may not open more files at once"),
        (RuntimeError("can't start new thread"), "no more memory or threads"),
        (MemoryError(), "no more memory or threads"),
    ],
)
def test_a_missing_resource_of_the_system_is_not_reported_as_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, words: str
) -> None:
    def refused(*_arguments: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr("chatdesk.services.owner.open_services", refused)
    assert run(["--data-dir", str(tmp_path), "threads"]) == 1
    said = capsys.readouterr().err
    assert words in said
    assert "unexpected" not in said
    assert list((tmp_path / "logs" / "crashes").iterdir()) == []


def test_a_directory_that_is_gone_is_told(tmp_path: Path) -> None:
    gone = tmp_path / "x"
    gone.mkdir()
    command = f"cd {gone} && rmdir {gone} && exec {sys.executable} -m chatdesk --data-dir y threads"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, env=environ, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("chatdesk: The current directory no longer exists.")
