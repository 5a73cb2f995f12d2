"""Runs a process that opens hostile files, one at a time, and ends it where a file takes too much of anything.

Everything here waits; call it on a thread.
"""

from __future__ import annotations

import logging
import os
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from chatdesk.core.system import child_process
from chatdesk.core.system.child_process import Wire, read_frame, write_frame
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)

# A process that has kept this much ends, so that the next file may take all that it needs.
_KEPT_BYTES: Final = 180 * 1024 * 1024
LOOKED_EVERY_S: Final = 0.2
# Parsers keep some of what they once needed.
_FILES_A_PROCESS: Final = 2_000
DIED: Final = Text("It needs too much time or memory to be read.")


class LimitedProcess:
    """Runs ``command``, which answers one frame with one, when it is first asked; the limits are for one answer."""

    def __init__(
        self, command: Sequence[str], *, longest_s: float, most_bytes: int, looked_every_s: float = LOOKED_EVERY_S
    ) -> None:
        self._command = command
        self._longest_s = longest_s
        self._most_bytes = most_bytes
        self._looked_every_s = looked_every_s
        self._process: subprocess.Popen[bytes] | None = None
        self._left = 0
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """The id of the process; None while there is none."""
        return None if self._process is None else self._process.pid

    def ask(self, job: Wire) -> Wire | None:
        """Return the answer to a frame, None where the process died of it."""
        with self._asking:
            return self._ask_alone(job)

    def close(self) -> None:
        """End the process now and for good; a file that is being read gets a problem."""
        with self._lock:
            self._is_closed = True
        self.rest()

    def rest(self) -> None:
        """End the process now, until it is asked again."""
        with self._lock:
            process = self._process
        if process is not None:
            process.kill()
            with self._asking:
                if self._process is process:
                    self._end(process)

    def _ask_alone(self, job: Wire) -> Wire | None:
        process = self._started()
        if process is None:
            return None
        done = threading.Event()
        watch = threading.Thread(target=self._watch, args=(process, done), name="knowledge-limits", daemon=True)
        watch.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            write_frame(process.stdin, job)  # type: ignore[arg-type]
            answer = read_frame(process.stdout)  # type: ignore[arg-type]
        except (OSError, ValueError, EOFError, TypeError):
            answer = None
        finally:
            done.set()
        self._left -= 1
        if answer is None or self._left <= 0 or _memory_of(process.pid) > _KEPT_BYTES:
            self._end(process)
        return answer

    def _started(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._is_closed or self._process is not None:
                return None if self._is_closed else self._process
            try:
                self._process = child_process.start(self._command)
            except OSError as error:
                _log.error("the process that reads files cannot be started: %s", type(error).__name__)
            self._left = _FILES_A_PROCESS
            return self._process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        process.wait()
        with self._lock:
            self._process = None

    def _watch(self, process: subprocess.Popen[bytes], done: threading.Event) -> None:
        """Kill the process where a file takes too long or too much memory."""
        end_s = time.monotonic() + self._longest_s
        while not done.wait(self._looked_every_s):
            if time.monotonic() > end_s or _memory_of(process.pid) > self._most_bytes:
                process.kill()
                return


def _memory_of(pid: int) -> int:
    """Return the memory that a process uses, in bytes; 0 where the system does not say."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
