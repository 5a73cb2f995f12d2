"""An export in a process of its own, so that a window feels nothing of it: on a thread beside the window, Python would
make the two take turns.

One line of JSON in says what is wanted; when the input ends, also because the window is gone, the export is given up.
Lines of JSON out: ``progress``, and last ``report``, ``error`` or ``stopped``.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chatdesk.core import child_process
from chatdesk.core.clock import SystemClock
from chatdesk.core.domain.export_choice import Choice
from chatdesk.core.errors import ChatDeskError, ExportFailed
from chatdesk.core.processes import start_child
from chatdesk.core.transfer.exporting import ExportFormat, ExportProgress, ExportReport, ExportService, Stopped

_POLITENESS = 5
_PATIENCE_S = 15.0


def default_command() -> list[str]:
    """The command that starts the process."""
    return child_process.command_of("chatdesk.core.transfer.export_process", "--export-worker")


class ExportProcess:
    """One export. ``run`` waits for its end, on a thread that may; ``stop`` gives it up, from any thread."""

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._process = child_process.start(command or default_command())

    def run(self, request: dict[str, Any], tell: Callable[[ExportProgress], None]) -> ExportReport:
        """Raises what the export raises, ``Stopped`` when it was given up."""
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
                    tell(ExportProgress(**last["progress"]))
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


def _error(data: dict[str, str] | None) -> ChatDeskError:
    if data is None:
        return ExportFailed("The export ended unexpectedly.", next_step="Try again, or another format.")
    error = ChatDeskError(data["what"], safe=data["safe"], next_step=data["next_step"])
    error.code = data["code"]
    return error


async def _serve(request: dict[str, Any]) -> None:
    service = ExportService(
        Path(request["database"]), Path(request["blobs"]), SystemClock(), printing=request["printing"]
    )
    choice = Choice(tuple(request["thread_ids"]), request["project_id"], request["has_trash"])
    loop = asyncio.get_running_loop()
    work = loop.create_task(
        service.export(
            choice,
            ExportFormat(request["kind"]),
            Path(request["target"]),
            on_progress=lambda progress: _say({"progress": asdict(progress)}),
        ),
        name="export",
    )

    def watch() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(work.cancel)

    threading.Thread(target=watch, name="input", daemon=True).start()
    try:
        report = await work
    except asyncio.CancelledError:
        _say({"stopped": True})
    except ChatDeskError as error:
        words = {"code": error.code, "what": error.what, "safe": error.safe, "next_step": error.next_step}
        _say({"error": words})
    else:
        _say({"report": asdict(report) | {"path": str(report.path)}})


def _say(line: dict[str, Any]) -> None:
    with suppress(OSError):  # nobody listens any more; the end of the input says so, too
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def main() -> None:
    start_child()
    if hasattr(os, "nice"):
        os.nice(_POLITENESS)
    asyncio.run(_serve(json.loads(sys.stdin.buffer.readline())))
    sys.stdout.flush()
    os._exit(0)  # the thread that waits for the end of the input holds it


if __name__ == "__main__":
    main()
