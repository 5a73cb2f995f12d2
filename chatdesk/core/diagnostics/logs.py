"""Writes the log: a rotating file, written by a thread of its own, through redaction.

Code logs with ``logging.getLogger(__name__)`` and knows nothing of this module.
"""

from __future__ import annotations

import copy
import logging
import logging.handlers
import os
import queue
import sys
import time
from contextlib import suppress
from pathlib import Path

from chatdesk.core.diagnostics.redaction import Redactor
from chatdesk.core.hidden_characters import visible_controls

OWN_LOGGERS = "chatdesk"
_FILE_BYTES = 1024 * 1024
_FILES_KEPT = 5
# No link is followed, and no pipe may block: the directory may be foreign.
_APPENDED = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
# A storm of errors must cost log lines, not memory.
_QUEUE_RECORDS = 10_000


class Logs:
    """Logging while it is on; ``stop`` writes the waiting lines and restores the root logger."""

    def __init__(
        self, root: logging.Logger, handler: logging.Handler, listener: logging.handlers.QueueListener
    ) -> None:
        self._root = root
        self._handler = handler
        self._listener = listener
        self._is_on = True
        self._raised_before = logging.raiseExceptions
        logging.raiseExceptions = False  # a full disk must not print tracebacks

    def stop(self) -> None:
        if not self._is_on:
            return
        self._is_on = False
        self._root.removeHandler(self._handler)
        self._listener.stop()
        for handler in self._listener.handlers:
            with suppress(OSError):  # the last lines do not fit on the disk
                handler.close()
        self._handler.close()
        logging.raiseExceptions = self._raised_before
        logging.getLogger(OWN_LOGGERS).setLevel(logging.NOTSET)


def start_logging(log_file: Path, redactor: Redactor, *, level: str = "info", is_debug: bool = False) -> Logs:
    """Log to ``log_file`` (made 0600, rotated) and, with ``is_debug``, to stderr as well.

    Other libraries log warnings and worse only: at lower levels some of them print requests.
    """
    handlers: list[logging.Handler] = []
    problem: OSError | None = None
    try:
        log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handlers.append(_PrivateFileHandler(log_file))
    except OSError as error:  # a full or read-only disk must not keep the window from opening
        problem = error
    if is_debug or not handlers:
        handlers.append(logging.StreamHandler(sys.stderr))
        handlers[-1].setLevel(logging.NOTSET if is_debug else logging.ERROR)
    formatter = _Formatter("%(asctime)s %(levelname)s %(process)d %(threadName)s %(name)s: %(message)s")
    for handler in handlers:
        handler.setFormatter(formatter)
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(records, *handlers, respect_handler_level=True)
    handler = RedactingHandler(records, redactor)
    root = logging.getLogger()
    root.addHandler(handler)
    logging.getLogger(OWN_LOGGERS).setLevel("DEBUG" if is_debug else level.upper())
    listener.start()
    if problem is not None:
        # Not an error: stderr belongs to the running command, which reports its own failures.
        logging.getLogger(__name__).warning("log file cannot be written: %s", problem.strerror)
    return Logs(root, handler, listener)


class _Formatter(logging.Formatter):
    """Spells out characters that could command a terminal, for logs are read there."""

    _second = 0
    _second_text = ""

    def formatTime(self, record: logging.LogRecord, _datefmt: str | None = None) -> str:  # noqa: N802 - the library's
        """Return the time in UTC; the text of a second is made once."""
        second = int(record.created)
        if second != self._second:
            self._second, self._second_text = second, time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))
        return f"{self._second_text}.{int(record.msecs):03d}Z"

    def format(self, record: logging.LogRecord) -> str:
        return visible_controls(super().format(record))


class RedactingHandler(logging.handlers.QueueHandler):
    """Makes each record harmless in the thread that logged it, before anything can write it. ``most``: records that may
    wait to be written; those that come while so many wait are counted and dropped."""

    def __init__(
        self, records: queue.SimpleQueue[logging.LogRecord], redactor: Redactor, *, most: int = _QUEUE_RECORDS
    ) -> None:
        super().__init__(records)
        self._records = records
        self._redactor = redactor
        self._most = most
        self._dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        safe = copy.copy(record)
        safe.msg = self._message(record)
        if record.exc_info and record.exc_info[1] is not None:
            trace = self._redactor.describe_traceback(record.exc_info[1], record.exc_info[2])
            safe.msg = f"{safe.msg}\n{trace.rstrip()}"
        safe.message = safe.msg
        safe.args = None
        safe.exc_info = None
        safe.exc_text = None
        safe.stack_info = None
        return safe

    def enqueue(self, record: logging.LogRecord) -> None:
        # The queue itself has no limit: one that has takes three locks and a wake-up for each line, and refuses the
        # mark that ends the thread which writes.
        if self._records.qsize() >= self._most:
            self._dropped += 1
            return
        self._records.put(record)
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            logging.getLogger(__name__).warning("%d log lines were dropped: too many at once", dropped)

    def _message(self, record: logging.LogRecord) -> str:
        """Return the template with described arguments. A foreign message that comes ready-made may quote anything:
        only its place in the code is kept."""
        is_own = record.name.split(".", 1)[0] == OWN_LOGGERS
        if not is_own and not record.args:
            return f"<{len(str(record.msg))} characters> at {record.module}.{record.funcName}:{record.lineno}"
        arguments, text = record.args, str(record.msg)
        try:
            if isinstance(arguments, dict):
                text %= {key: self._redactor.describe(value) for key, value in arguments.items()}
            elif arguments:
                text %= tuple(self._redactor.describe(value) for value in arguments)
        except (TypeError, ValueError):  # a template that needs a number and got a description
            pass
        return self._redactor.redact(text)


class _PrivateFileHandler(logging.Handler):
    """Writes each line by one call. Begins a new file after 1 MiB and keeps five; every file is its owner's only."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._descriptor: int | None = None
        self._size_bytes = 0
        self._opened()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = f"{self.format(record)}\n".encode("utf-8", "replace")
            if self._size_bytes >= _FILE_BYTES:
                self._set_aside()
            self._size_bytes += os.write(self._opened(), line)
        except Exception:  # noqa: BLE001 - as the library does: no line of the log may end the program
            self.handleError(record)

    def close(self) -> None:
        super().close()
        self._end()

    def _opened(self) -> int:
        """Return the descriptor of the file, which is opened unless it is."""
        if self._descriptor is None:
            self._descriptor = os.open(self._path, _APPENDED, 0o600)
            self._size_bytes = os.fstat(self._descriptor).st_size
        return self._descriptor

    def _end(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _set_aside(self) -> None:
        self._end()
        files = [self._path, *(Path(f"{self._path}.{number}") for number in range(1, _FILES_KEPT + 1))]
        for number in range(_FILES_KEPT, 0, -1):
            if os.path.lexists(files[number - 1]):
                files[number - 1].replace(files[number])
