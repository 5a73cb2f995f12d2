"""Asks the process that reads files for the passages of one file after the other, and ends it where a file takes too
much of anything.

Everything here waits; call it on a thread.
"""

from __future__ import annotations

import logging
import os
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chatdesk.core.domain.knowledge import OWN_DIMENSIONS, OWN_VECTORS, Passage
from chatdesk.core.system import child_process
from chatdesk.core.system.child_process import Wire, read_frame, write_frame
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)

LONGEST_S: Final = 60.0
# The memory of the process, of which the vectors and the libraries take some 100 MB.
MOST_BYTES: Final = 300 * 1024 * 1024
# A process that has kept this much ends, so that the next file may take all that it needs.
_KEPT_BYTES: Final = 180 * 1024 * 1024
_LOOKED_EVERY_S: Final = 0.2
# Parsers keep some of what they once needed.
_FILES_A_PROCESS: Final = 2_000
_LARGEST_NUMBER: Final = 2**31
_DIED: Final = Text("It needs too much time or memory to be read.")


@dataclass(frozen=True, slots=True)
class ReadFile:
    """The content of a file. ``problem`` is a sentence why there is nothing, or not all; ``stamp`` has its size and
    time when it was opened. ``vectors`` has one row for each passage, ``signs`` their signs in one piece."""

    problem: str = ""
    mime: str = ""
    stamp: str = ""
    characters: int = 0
    passages: tuple[Passage, ...] = ()
    vectors: tuple[bytes, ...] = ()
    signs: bytes = b""
    vectors_by: str = OWN_VECTORS


class KnowledgeReader:
    """Reads one file at a time. ``vectors_dir`` has the vectors of words; the limits are for one file."""

    def __init__(
        self,
        vectors_dir: Path,
        *,
        longest_s: float = LONGEST_S,
        most_bytes: int = MOST_BYTES,
        looked_every_s: float = _LOOKED_EVERY_S,
    ) -> None:
        self._command = child_process.command_of("--knowledge-reader", str(vectors_dir))
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

    def read(self, folder: Path, path: str) -> ReadFile:
        """Return the passages of a file below a folder. Where the process dies of it, that is an answer, too."""
        return self._ask(("read", str(folder), path))

    def cut(self, text: str, name: str) -> ReadFile:
        """Return the passages of a text in Markdown that was read elsewhere."""
        return self._ask(("cut", text, name))

    def close(self) -> None:
        """End the process now and wait for its end; a file that is being read gets a problem."""
        with self._lock:
            self._is_closed = True
            process = self._process
        if process is not None:
            process.kill()
        with self._asking:
            if self._process is not None:
                self._end(self._process)

    def _ask(self, job: Wire) -> ReadFile:
        with self._asking:
            return self._ask_alone(job)

    def _ask_alone(self, job: Wire) -> ReadFile:
        process = self._started()
        if process is None:
            return ReadFile(_DIED)
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
        return file_of(answer) if answer is not None else ReadFile(_DIED)

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


def file_of(answer: Wire) -> ReadFile:
    """Return the answer of the process as a value. The process reads hostile files, so nothing of it is believed."""
    try:
        problem, mime, stamp, characters, rows, vectors, signs = answer
        passages = tuple(
            Passage(_number(start), _number(end), _text(text), None if page is None else _number(page), _text(heading))
            for start, end, page, heading, text in rows
        )
        is_whole = len(vectors) == OWN_DIMENSIONS * len(passages) and len(signs) * 8 == len(vectors)
        if not is_whole or not (isinstance(vectors, bytes) and isinstance(signs, bytes)):
            raise ValueError("vectors of another size")
        cut = tuple(vectors[at : at + OWN_DIMENSIONS] for at in range(0, len(vectors), OWN_DIMENSIONS))
        names = _text(problem), _text(mime), _text(stamp)
        return ReadFile(*names, _number(characters), passages, cut, signs)
    except (ValueError, TypeError):
        return ReadFile(Text("It is damaged and cannot be read."))


def _number(value: object) -> int:
    """Return a count or an offset. Raises ``ValueError`` for anything that could not be stored as one."""
    if not isinstance(value, int) or not 0 <= value <= _LARGEST_NUMBER:
        raise ValueError("not a count")
    return value


def _text(value: object) -> str:
    """Return a text. Raises ``ValueError`` for anything that could not be stored as one."""
    if not isinstance(value, str):
        raise ValueError("not a text")
    value.encode("utf-8")
    return value
