from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.core.diagnostics.crashes import CrashReport, CrashReporter
from chatdesk.core.diagnostics.redaction import Redactor

KEY = "sk-canary-0123456789abcdef"


@pytest.fixture
def told() -> list[CrashReport]:
    return []


@pytest.fixture
def reporter(tmp_path: Path, told: list[CrashReport]) -> Iterator[CrashReporter]:
    reporter = CrashReporter(tmp_path / "crashes", Redactor(), on_crash=told.append)
    yield reporter
    reporter.uninstall()


def _error(text: str = "boom") -> RuntimeError:
    secret_local = KEY
    try:
        raise RuntimeError(text)
    except RuntimeError as error:
        assert secret_local
        return error


def test_a_report_names_error_frames_and_versions_but_no_values(
    reporter: CrashReporter, told: list[CrashReport]
) -> None:
    reporter.report(_error(f"bad key {KEY}"), where="here")
    path = told[0].path
    assert path is not None
    text = path.read_text()
    assert "where: here" in text
    assert "ChatDesk 0." in text
    assert "in _error" in text
    assert KEY not in text + told[0].title
    assert path.stat().st_mode & 0o077 == 0


def test_the_same_error_is_told_once_and_another_again(reporter: CrashReporter, told: list[CrashReport]) -> None:
    assert [reporter.report(_error(), where="here") for _ in range(3)] == [True, False, False]
    assert len(told) == 1
    reporter.report(ValueError("other"), where="here")
    assert len(told) == 2


def test_only_the_newest_reports_are_kept(reporter: CrashReporter, tmp_path: Path) -> None:
    (tmp_path / "crashes").mkdir()
    for number in range(40):
        (tmp_path / "crashes" / f"crash-2000{number:04}.txt").write_text("old")
    reporter.report(_error(), where="here")
    kept = sorted(path.name for path in (tmp_path / "crashes").iterdir())
    assert len(kept) == 20
    assert not kept[-1].startswith("crash-2000")


def test_the_main_hook_reports_and_lets_interrupts_through(
    reporter: CrashReporter, told: list[CrashReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    passed: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, _error, _trace: passed.append(kind))
    before = sys.excepthook
    reporter.install()
    error = _error()
    sys.excepthook(type(error), error, error.__traceback__)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    reporter.uninstall()
    assert [(report.title, report.is_of_action) for report in told] == [("RuntimeError: boom", True)]
    assert passed == [KeyboardInterrupt]
    assert sys.excepthook is before


def test_threads_are_reported_and_finalisers_are_logged(
    reporter: CrashReporter, told: list[CrashReport], caplog: pytest.LogCaptureFixture
) -> None:
    reporter.install()

    def fail() -> None:
        raise RuntimeError("in a thread")

    class Failing:
        def __del__(self) -> None:
            raise RuntimeError("in a finaliser")

    thread = threading.Thread(target=fail, name="worker")
    thread.start()
    thread.join()
    for _ in range(3):
        failing = Failing()
        del failing
    reporter.uninstall()
    assert [report.title for report in told] == ["RuntimeError: in a thread"]
    assert not told[0].is_of_action
    logged = [record for record in caplog.records if record.getMessage() == "clean-up failed: in a finaliser"]
    assert [record.exc_info is not None for record in logged] == [True, False, False]


async def test_the_loop_reports_what_no_task_caught(reporter: CrashReporter, told: list[CrashReport]) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(reporter.handle_loop_exception)
    reporter.handle_loop_exception(loop, {"message": "only words"})
    loop.call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [report.title for report in told] == ["ZeroDivisionError <16 characters>"]


def test_a_report_that_cannot_be_written_is_still_told(tmp_path: Path, told: list[CrashReport]) -> None:
    (tmp_path / "crashes").write_text("in the way")
    reporter = CrashReporter(tmp_path / "crashes", Redactor(), on_crash=told.append)
    assert reporter.install() == ()
    reporter.report(_error(), where="here")
    reporter.uninstall()
    assert told[0].path is None


def test_a_listener_that_fails_does_not_make_it_worse(tmp_path: Path) -> None:
    def fail(_report: CrashReport) -> None:
        raise RuntimeError("no window")

    CrashReporter(tmp_path, Redactor(), on_crash=fail).report(_error(), where="here")


def _die(crash_dir: Path, *options: str) -> str:
    """End a process that catches crashes with a segmentation fault. Return what it wrote to stderr."""
    program = (
        "import ctypes, sys; from pathlib import Path\n"
        "from chatdesk.core.diagnostics.crashes import CrashReporter\n"
        "from chatdesk.core.diagnostics.redaction import Redactor\n"
        "CrashReporter(Path(sys.argv[1]), Redactor(), on_crash=print).install()\n"
        "ctypes.string_at(0)\n"
    )
    died = subprocess.run(
        [sys.executable, *options, "-c", program, str(crash_dir)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert died.returncode < 0
    return died.stderr


def test_a_process_that_died_is_told_by_the_next_one(reporter: CrashReporter, tmp_path: Path) -> None:
    assert "Segmentation fault" not in _die(tmp_path / "crashes")
    (report,) = reporter.install()
    assert report.path is not None
    assert "Segmentation fault" in report.path.read_text()
    reporter.uninstall()
    assert reporter.install() == ()  # told once


def test_a_trace_goes_where_who_asked_for_it_before_reads_it(reporter: CrashReporter, tmp_path: Path) -> None:
    assert "Segmentation fault" in _die(tmp_path / "crashes", "-X", "faulthandler")
    assert reporter.install() == ()


def test_the_log_of_a_living_process_is_left_alone(reporter: CrashReporter, tmp_path: Path) -> None:
    (tmp_path / "crashes").mkdir()
    living = tmp_path / "crashes" / f"fatal-{os.getppid()}.log"
    living.write_text("")
    gone = tmp_path / "crashes" / "fatal-999999999.log"
    gone.write_text("")
    assert reporter.install() == ()
    assert living.exists()
    assert not gone.exists()
