"""Runs an export in a process of its own; ``exports.client`` starts it.

One line of JSON in is the request; when the input ends, even with the window, the export is cancelled. Lines of JSON
out: ``progress``, and last ``report``, ``error`` or ``stopped``.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chatdesk.core.clock import Clock
from chatdesk.core.domain.exports import Choice, ExportFormat
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.system.processes import start_child
from chatdesk.core.texts import packed, use_translations
from chatdesk.core.transfer.exports.export_service import ExportService

_POLITENESS = 5


async def _serve(request: dict[str, Any]) -> None:
    if request["words"]:
        use_translations(request["words"], request["language"])
    service = ExportService(Path(request["database"]), Path(request["blobs"]), Clock(), printing=request["printing"])
    choice = Choice(tuple(request["thread_ids"]), request["project_id"], request["has_trash"])
    loop = asyncio.get_running_loop()
    work = loop.create_task(
        service.export(
            choice,
            ExportFormat(request["kind"]),
            Path(request["target"]),
            on_progress=lambda progress: _report({"progress": asdict(progress)}),
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
        _report({"stopped": True})
    except ChatDeskError as error:
        sentences = [packed(each) for each in (error.what, error.safe, error.next_step)]
        _report({"error": {"code": error.code, "sentences": sentences}})
    else:
        _report({"report": asdict(report) | {"path": str(report.path)}})


def _report(line: dict[str, Any]) -> None:
    with suppress(OSError):  # the parent has gone; the end of the input tells so, too
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
