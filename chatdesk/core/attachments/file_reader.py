"""Asks the reading process for the text of a file or a web page, the size of a picture, or a copy of one that a model
can take.

Everything here waits; call it on a thread. A process that takes too long is killed, and that is an answer too.
"""

from __future__ import annotations

import json
import logging
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from chatdesk.core.attachments.text_extraction import NO_TEXT_KIND, FileText
from chatdesk.core.domain.attachment import IMAGE_MIMES
from chatdesk.core.system import child_process
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)

TIME_LIMIT_S: Final = 30.0
# OpenAI scales larger ones down itself; more would only take longer to send.
LONGEST_SENT_PX: Final = 2048
_MOST_REPLY_BYTES = 64 * 1024 * 1024
_DIED: Final = Text("It needs too much time or memory to be read.")


@dataclass(frozen=True, slots=True)
class SentImage:
    """A picture in the form for a model; without ``data``, ``problem`` says why."""

    mime: str = ""
    data: bytes = b""
    problem: str | None = None


class FileReader:
    """Starts a reading process for each question. Thread-safe. ``command`` starts the process."""

    def __init__(self, *, command: Sequence[str] | None = None, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._command = list(command) if command is not None else default_command()
        self._time_limit_s = time_limit_s
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def text(self, path: Path, mime: str) -> FileText:
        """Return the text of the file, or a problem where it cannot be read."""
        if mime in IMAGE_MIMES:
            return FileText("", NO_TEXT_KIND)
        head, _ = self._ask({"job": "text", "path": str(path), "mime": mime})
        return _text_of(head)

    def page(self, path: Path, *, charset: str, url: str) -> tuple[str, FileText]:
        """Return title and text of the web page in the file. ``charset`` is what its server said, ``url`` where its
        links begin."""
        head, _ = self._ask({"job": "page", "path": str(path), "charset": charset, "url": url})
        title = head.get("title")
        return title if isinstance(title, str) else "", _text_of(head)

    def measure(self, path: Path) -> tuple[int, int] | str:
        """Return width and height in pixels, or a sentence why the file is not an image."""
        head, _ = self._ask({"job": "measure", "path": str(path)})
        width, height = head.get("width"), head.get("height")
        if isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0:
            return width, height
        return str(head.get("problem") or _DIED)

    def sent_image(self, path: Path) -> SentImage:
        """Return the picture in a size and format that models take."""
        head, data = self._ask({"job": "scale", "path": str(path), "longest_px": LONGEST_SENT_PX})
        mime = head.get("mime")
        if isinstance(mime, str) and data:
            return SentImage(mime, data)
        return SentImage(problem=str(head.get("problem") or _DIED))

    def close(self) -> None:
        """Kill the running processes; their callers get a problem."""
        with self._lock:
            self._is_closed = True
            running = list(self._running)
        for process in running:
            process.kill()

    def _ask(self, job: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        try:
            reply = self._run(json.dumps(job).encode("ascii") + b"\n")
        except OSError as error:
            _log.error("the reading process cannot be started: %s", type(error).__name__)
            reply = b""
        return _taken_apart(reply)

    def _run(self, job: bytes) -> bytes:
        process = child_process.start(self._command)
        with self._lock:
            self._running.add(process)
            is_closed = self._is_closed
        if is_closed:
            process.kill()
        timer = threading.Timer(self._time_limit_s, process.kill)
        timer.daemon = True
        timer.start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with process.stdin as into:
                into.write(job)
            return process.stdout.read(_MOST_REPLY_BYTES)
        except BrokenPipeError:  # killed before it had read its job
            return b""
        finally:
            timer.cancel()
            process.kill()
            process.wait()
            process.stdout.close()
            with self._lock:
                self._running.discard(process)


def default_command() -> list[str]:
    """Return the command that starts the reading process."""
    return child_process.command_of("--reading-process")


def _text_of(head: Mapping[str, Any]) -> FileText:
    text, problem = head.get("text"), head.get("problem")
    return FileText(text if isinstance(text, str) else "", problem if isinstance(problem, str) else None)


def _taken_apart(reply: bytes) -> tuple[dict[str, Any], bytes]:
    """Split a reply into head and body; the head holds a problem where the process died before it could answer."""
    end = 4 + int.from_bytes(reply[:4], "big")
    if len(reply) < 4 or len(reply) < end:
        return {"problem": _DIED}, b""
    head = json.loads(reply[4:end])
    return (head if isinstance(head, dict) else {}), reply[end:]
