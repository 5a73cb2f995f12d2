"""Runs an export in a process of its own (``exports.process``), so that the window does not feel it: a thread beside
the window would make the two take turns in Python.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from chatdesk.core.domain.exports import ExportProgress, ExportReport, Stopped
from chatdesk.core.errors import ChatDeskError, ExportFailed
from chatdesk.core.system import child_process
from chatdesk.core.texts import Text, unpacked

_PATIENCE_S = 15.0


def default_command() -> list[str]:
    """Return the command that starts the process."""
    return child_process.command_of("--export-worker")


class ExportProcess:
    """A running export. ``run`` waits for its end, so call it on a thread that may wait; ``stop`` cancels from any
    thread."""

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._process = child_process.start(command or default_command())

    def run(self, request: dict[str, Any], on_progress: Callable[[ExportProgress], None]) -> ExportReport:
        """Export and return the report. Raises what the export raises, and ``Stopped`` when it was cancelled."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        last: dict[str, Any] = {}
        try:
            with suppress(OSError, ValueError):  # it ended, or was given up before it began
                process.stdin.write(json.dumps(request).encode() + b"\n")
                process.stdin.flush()
            for line in process.stdout:
                last = json.loads(line)
                if "progress" in last:
                    on_progress(ExportProgress(**last["progress"]))
        finally:
            self._end()
        if "report" in last:
            report = last["report"]
            return ExportReport(**report | {"path": Path(report["path"]), "lost": tuple(report["lost"])})
        if "stopped" in last:
            raise Stopped
        raise _error(last.get("error"))

    def stop(self) -> None:
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()

    def _end(self) -> None:
        self.stop()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def _error(data: dict[str, Any] | None) -> ChatDeskError:
    if data is None:
        return ExportFailed(Text("The export ended unexpectedly."), next_step=Text("Try again, or another format."))
    what, safe, next_step = map(unpacked, data["sentences"])
    error = ChatDeskError(what, safe=safe, next_step=next_step)
    error.code = data["code"]
    return error
