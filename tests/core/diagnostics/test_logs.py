from __future__ import annotations

import logging
import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.core.diagnostics.logs import Logs, RedactingHandler, start_logging
from chatdesk.core.diagnostics.redaction import Redactor

KEY = "sk-canary-0123456789abcdef"
DIARY = "dear diary, today I was sad"
own = logging.getLogger("chatdesk.test_logs")
foreign = logging.getLogger("someone_else")


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "chatdesk.log"


@pytest.fixture
def logs(log_file: Path) -> Iterator[Logs]:
    logs = start_logging(log_file, Redactor(), level="info")
    yield logs
    logs.stop()


def test_lines_with_ids_and_sizes_reach_a_private_file(logs: Logs, log_file: Path) -> None:
    own.info("thread %s has %d messages", "0190b3c2", 3)
    own.debug("not at this level")
    logs.stop()
    text = log_file.read_text()
    assert "chatdesk.test_logs: thread 0190b3c2 has 3 messages" in text
    assert "not at this level" not in text
    assert log_file.stat().st_mode & 0o077 == 0


def test_nothing_secret_or_private_reaches_the_file(logs: Logs, log_file: Path) -> None:
    own.warning("request with %s", f"Bearer {KEY}")
    own.warning("headers %s", {"Authorization": KEY})
    own.warning("message %s", DIARY + "\n")
    own.warning(f"ready-made {KEY}")
    foreign.warning(f"prompt was {DIARY}")
    foreign.warning("sent %s to %d", DIARY * 9, 3)
    try:
        raise ValueError(DIARY)
    except ValueError:
        own.exception("failed")
    logs.stop()
    text = log_file.read_text()
    assert KEY not in text
    assert "sad" not in text.replace("raise ValueError(DIARY)", "")
    assert "ValueError <27 characters>" in text
    assert f"sent <{len(DIARY) * 9} characters> to 3" in text


def test_foreign_chatter_below_warning_is_left_out(logs: Logs, log_file: Path) -> None:
    foreign.info("request body: %s", "x")
    logs.stop()
    assert "request body" not in log_file.read_text()


class Apples:
    """Counts as a number, but is described by its kind."""

    def __index__(self) -> int:
        return 3


def test_a_template_that_does_not_fit_is_written_as_it_is(logs: Logs, log_file: Path) -> None:
    own.warning("%d apples", Apples())
    own.warning("%(count)d of %(name)s", {"count": 2, "name": "pears"})
    logs.stop()
    text = log_file.read_text()
    assert "%d apples" in text
    assert "2 of pears" in text


def test_debug_writes_everything_and_to_stderr_too(log_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = start_logging(log_file, Redactor(), level="error", is_debug=True)
    own.debug("a detail")
    logs.stop()
    logs.stop()  # twice is fine
    assert "a detail" in log_file.read_text()
    assert "a detail" in capsys.readouterr().err


@pytest.mark.parametrize("is_debug", [False, True])
def test_a_log_directory_that_cannot_be_made_is_survived_and_errors_go_to_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], is_debug: bool
) -> None:
    (tmp_path / "logs").write_text("in the way")
    logs = start_logging(tmp_path / "logs" / "chatdesk.log", Redactor(), is_debug=is_debug)
    own.error("goes to stderr")
    logs.stop()
    printed = capsys.readouterr().err
    assert "goes to stderr" in printed
    assert ("log file cannot be written" in printed) == is_debug


def test_a_storm_of_lines_costs_lines_not_memory() -> None:
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handler = RedactingHandler(records, Redactor(), most=2)
    for number in range(5):
        handler.handle(logging.makeLogRecord({"name": "chatdesk.x", "msg": "line %d", "args": (number,)}))
    assert records.qsize() == 2


def test_files_rotate_and_stay_private(log_file: Path) -> None:
    logs = start_logging(log_file, Redactor())
    template = "x" * 10_000 + " %d"  # our own words are never shortened
    for number in range(250):
        own.warning(template, number)
    logs.stop()
    files = sorted(log_file.parent.iterdir())
    assert len(files) >= 2
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    most = 1024 * 1024 + len(template) + 200  # the line that fills a file is whole
    assert all(path.stat().st_size <= most for path in files)
