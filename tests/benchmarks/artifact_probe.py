"""Large artifacts through the whole application: opening each, and reading through it for the first time.

``artifact_probe DATA THREAD``; prints, as JSON, for each kind of artifact the turns of the window's loop and the steps of
a page, in ms of the GUI thread's processor, and the same steps in a bare table and a bare text view of Qt.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import chatdesk.ui  # noqa: F401 - it imports PySide, as in the program, before the probe does
from chatdesk.app import run_window
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from tests.benchmarks.loop_probe import LoopProbe

_MB = 1_000_000
_SETTLED_S = 1.5
_STEPS = 60
_PACE_S = 1 / 60


def _texts() -> dict[str, tuple[str, str]]:
    """Language and text of each artifact."""
    row = "{0},customer {0},{0}.50,2026-01-{1:02},a few words about it"
    rows = "\n".join(row.format(number, number % 28 + 1) for number in range(100_000))
    line = "    value_{0} = compute(first={0}, second='text {0}')  # comment\n"
    words = "## Part {0}\n\nSome **words** about `part {0}`, with a list:\n\n- one\n- two\n\n"
    return {
        "5 MB of code": ("python", "".join(map(line.format, range(5 * _MB // len(line)))) + "\n"),
        "5 MB in one line": ("json", '{"values": [' + ", ".join(map(str, range(5 * _MB // 8))) + "]}\n"),
        "2 MB of Markdown": ("markdown", "".join(map(words.format, range(int(1.9 * _MB) // len(words))))),
        "a CSV of 100,000 rows": ("csv", f"number,name,amount,day,note\n{rows}\n"),
    }


async def measure(application: Any) -> dict[str, Any]:
    from PySide6.QtWidgets import QApplication

    from chatdesk.core.rendering.blocks import CodeBlock

    thread_id = sys.argv[2]
    await application.services()
    await application.threads.open(thread_id)
    await asyncio.sleep(_SETTLED_S)
    transcript = application.panes.transcript
    message_id = transcript.entries[-1].message.id
    transcript.parts.actions.artifactRequested.emit(message_id, CodeBlock("python", "print(1)\n"))  # builds the tab
    await asyncio.sleep(_SETTLED_S)
    found: dict[str, Any] = {}
    for name, (language, text) in _texts().items():
        with LoopProbe() as probe:
            transcript.parts.actions.artifactRequested.emit(message_id, CodeBlock(language, text))
            await asyncio.sleep(2 * _SETTLED_S)
        steps = [await _step(_page_down(application)) for _ in range(_STEPS)]
        found[name] = {"turns_ms": probe.turns_ms, "slices_ms": probe.cpu_ms, "steps_ms": steps}
    found["bare"] = await _bare(application.panes.window.size())
    QApplication.clipboard().clear()
    return found


def _page_down(application: Any) -> Callable[[], None]:
    """Return what moves the shown artifact on by a page."""
    from chatdesk.ui.features.artifacts.artifact_view import ArtifactView

    view = application.panes.window.findChild(ArtifactView)
    shown = view.table if view.table.isVisible() else view.reader
    assert shown.isVisible()
    bar = shown.verticalScrollBar()
    if shown is view.table:
        return lambda: bar.setValue(bar.value() + bar.pageStep())
    return lambda: shown.scrolling.by(float(shown.viewport().height()))


async def _step(move: Callable[[], None]) -> float:
    from PySide6.QtCore import QCoreApplication, QEvent

    began = time.thread_time()
    move()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.UpdateRequest)  # what is to be painted, and nothing else
    took = time.thread_time() - began
    await asyncio.sleep(_PACE_S)
    return took * 1000


async def _bare(size: Any) -> dict[str, Any]:
    """The same pages in Qt's own widgets: what this machine can do today."""
    from PySide6.QtWidgets import QPlainTextEdit, QTableWidget, QTableWidgetItem

    table = QTableWidget(_STEPS * 40, 5)
    for row in range(table.rowCount()):
        for column in range(5):
            table.setItem(row, column, QTableWidgetItem(f"{row} {column} words"))
    field = QPlainTextEdit(readOnly=True)
    field.setPlainText("\n".join(f"    value_{row} = compute(first={row})" for row in range(_STEPS * 60)))
    found = {}
    for name, widget in (("table", table), ("text", field)):
        widget.resize(size)
        widget.show()
        await asyncio.sleep(0.3)
        bar = widget.verticalScrollBar()
        found[name] = [
            await _step(lambda bar=bar: bar.setValue(bar.value() + bar.pageStep()))  # type: ignore[misc]
            for _ in range(_STEPS)
        ]
        widget.close()
    return found


async def _script(application: Any) -> int:
    json.dump(await measure(application), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(run_window(AppPaths.find(sys.argv[1]), Settings(provider="offline"), script=_script))
