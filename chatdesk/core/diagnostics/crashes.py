"""Catches unhandled exceptions and finds dead processes: each is written to one file and reported once; the program
continues if possible.

Independent of the window, which passes ``on_crash`` to show reports.
"""

from __future__ import annotations

import asyncio
import faulthandler
import hashlib
import logging
import os
import platform
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from chatdesk import __version__
from chatdesk.core.diagnostics.redaction import Redactor
from chatdesk.core.moments import utc_moment
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)

_REPORTS_KEPT = 20
# No link is followed, and no pipe may block: the directory may be foreign.
_WRITTEN = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True, slots=True)
class CrashReport:
    """The report of one crash. ``path`` is None when it could not be written. ``is_of_action``: it happened while a
    person was answered, not in the background."""

    title: str
    path: Path | None
    is_of_action: bool = False


class CrashReporter:
    """Catches exceptions that nothing else caught. ``on_crash`` may be called in any thread, once for each distinct
    error."""

    def __init__(self, crash_dir: Path, redactor: Redactor, *, on_crash: Callable[[CrashReport], None]) -> None:
        self._dir = crash_dir
        self._redactor = redactor
        self._on_crash = on_crash
        self._seen: set[str] = set()
        self._lock = threading.Lock()
        self._fatal_file: IO[bytes] | None = None
        self._before: tuple[Any, Any, Any] | None = None

    def install(self) -> tuple[CrashReport, ...]:
        """Replace the hooks of the interpreter. Returns the crashes that ended earlier runs and were not reported
        yet."""
        if self._before is not None:
            return ()
        self._before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception
        sys.unraisablehook = self._on_unraisable
        try:
            self._dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            earlier = self._collect_fatal()
            if not faulthandler.is_enabled():  # a test runner may have enabled it, and reads the trace elsewhere
                path = self._dir / f"fatal-{os.getpid()}.log"
                descriptor = os.open(path, _WRITTEN, 0o600)
                self._fatal_file = open(descriptor, "wb", buffering=0)  # noqa: SIM115 - open until uninstall
                faulthandler.enable(self._fatal_file)
        except OSError as error:
            _log.warning("crash directory cannot be used: %s", error.strerror)
            return ()
        return earlier

    def uninstall(self) -> None:
        """Restore the hooks; an empty fatal log is removed."""
        if self._before is None:
            return
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._before
        self._before = None
        file, self._fatal_file = self._fatal_file, None
        if file is not None:
            faulthandler.disable()
            file.close()
            Path(self._dir / f"fatal-{os.getpid()}.log").unlink(missing_ok=True)

    def handle_loop_exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Report an error of the loop, as its exception handler. A context without exception is logged by its message
        alone."""
        error = context.get("exception")
        if isinstance(error, BaseException):
            self.report(error, where="event loop")
        else:
            _log.error("event loop: %s", context.get("message", ""))

    def report(
        self, error: BaseException, *, where: str, trace: TracebackType | None = None, is_of_action: bool = False
    ) -> bool:
        """Log an unhandled error, and the first time write it to a file and call ``on_crash``. Return whether it was
        the first time. Never raises."""
        try:
            _log.error("unhandled in %s", where, exc_info=(type(error), error, trace or error.__traceback__))
            fingerprint = _fingerprint(error, trace)
            if self._is_known(fingerprint):
                return False
            path = self._write(self._text(error, where, trace), fingerprint)
            self._on_crash(CrashReport(self._redactor.describe_error(error), path, is_of_action=is_of_action))
        except Exception:  # noqa: BLE001 - the last line of defence must not fail itself
            _log.error("a crash could not be reported")
            return False
        return True

    def _is_known(self, fingerprint: str) -> bool:
        with self._lock:
            if fingerprint in self._seen:
                return True
            self._seen.add(fingerprint)
            return False

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, Exception):  # Ctrl+C and exits are the caller's business
            before = self._before[0] if self._before else sys.__excepthook__
            before(kind, error, trace)
            return
        self.report(error, where="main thread", trace=trace, is_of_action=True)

    def _on_thread_exception(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None and not isinstance(arguments.exc_value, SystemExit):
            name = arguments.thread.name if arguments.thread else "a thread"
            self.report(arguments.exc_value, where=f"thread {name}", trace=arguments.exc_traceback)

    def _on_unraisable(self, arguments: Any) -> None:
        """Log a failed clean-up, in full the first time. No action of the person waits for it, so ``on_crash``
        is not called."""
        error, trace = arguments.exc_value, arguments.exc_traceback
        if error is None:
            return
        try:
            is_known = self._is_known(_fingerprint(error, trace))
            _log.warning("clean-up failed: %s", error, exc_info=None if is_known else (type(error), error, trace))
        except Exception:  # noqa: BLE001 - the last line of defence must not fail itself
            _log.error("a failed clean-up could not be logged")

    def _text(self, error: BaseException, where: str, trace: TracebackType | None) -> str:
        return "\n".join(
            [
                "ChatDesk crash report. It holds no messages and no keys.",
                f"when: {datetime.now(UTC).isoformat(timespec='seconds')}",
                f"where: {where}",
                f"versions: {versions_line()}",
                "",
                self._redactor.describe_traceback(error, trace),
            ]
        )

    def _write(self, text: str, fingerprint: str) -> Path | None:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        path = self._dir / f"crash-{stamp}-{fingerprint}.txt"
        try:
            self._dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, _WRITTEN, 0o600)
            with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
            for old in sorted(self._dir.glob("crash-*.txt"))[:-_REPORTS_KEPT]:
                old.unlink(missing_ok=True)
        except OSError as error:
            _log.error("crash report not written: %s", error.strerror)
            return None
        return path

    def _collect_fatal(self) -> tuple[CrashReport, ...]:
        """Return the reports of faulthandler for processes that have ended."""
        reports: list[CrashReport] = []
        for path in sorted(self._dir.glob("fatal-*.log")):
            pid = path.stem.removeprefix("fatal-")
            if pid.isdecimal() and int(pid) != os.getpid() and _is_alive(int(pid)):
                continue
            if path.stat().st_size == 0:
                path.unlink(missing_ok=True)
                continue
            stamp = utc_moment(path.stat().st_mtime_ns // 1_000_000).strftime("%Y%m%d-%H%M%S")
            kept = path.replace(self._dir / f"crash-{stamp}-fatal{pid}.txt")
            reports.append(CrashReport(Text("ChatDesk ended unexpectedly."), kept))
        return tuple(reports)


def versions_line() -> str:
    """Return the versions that matter for a report, without importing anything for it."""
    qt = sys.modules.get("PySide6")
    return ", ".join(
        [
            f"ChatDesk {__version__}",
            f"Python {platform.python_version()}",
            f"PySide6 {getattr(qt, '__version__', 'not loaded')}",
            platform.platform(),
        ]
    )


def _fingerprint(error: BaseException, trace: TracebackType | None) -> str:
    """Return the same text for errors of the same type from the same lines."""
    frames = traceback.extract_tb(trace or error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno}" for frame in frames]
    return hashlib.sha256("|".join([type(error).__qualname__, *places]).encode()).hexdigest()[:12]


def _is_alive(pid: int) -> bool:
    if os.name != "posix":
        return False  # a process that lives keeps its file open there, and it cannot be moved
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
