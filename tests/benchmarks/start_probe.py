"""One start, measured from inside: ``bare`` is a Qt window with a text field, ``app`` is ChatDesk.

Prints JSON: seconds from the moment the parent started this process until a key press was in the text field, seconds
of processor time until then, resident memory when idle, and which heavy packages had been imported by then.
"""

from __future__ import annotations

import json
import os
import sys
import time

HEAVY = ("openai", "tiktoken", "pygments", "alembic")
IDLE_S = float(__import__("os").environ.get("BENCH_IDLE_S", "3"))


def memory_mb(pid: int) -> float:
    """Resident memory of a process and of its children."""
    total = 0
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/stat", encoding="ascii") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
            if int(number) == pid or parent == pid:
                with open(f"/proc/{number}/smaps_rollup", encoding="ascii") as file:
                    total += next(int(line.split()[1]) for line in file if line.startswith("Rss:"))
        except (OSError, StopIteration):
            continue
    return total / 1024


def report(started_at: float, typed_at: float, cpu_s: float, imported: list[str]) -> None:
    print(
        json.dumps(
            {
                "seconds": typed_at - started_at,
                "cpu_seconds": cpu_s,
                "memory_mb": memory_mb(os.getpid()),
                "heavy": imported,
            }
        )
    )


def bare(started_at: float) -> None:
    from PySide6.QtCore import QTimer
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication, QPlainTextEdit, QVBoxLayout, QWidget

    app = QApplication(sys.argv[:1])
    window = QWidget()
    field = QPlainTextEdit()
    QVBoxLayout(window).addWidget(field)
    window.resize(1280, 820)
    window.show()
    field.setFocus()
    seen: list[float] = []

    def type_one() -> None:
        QTest.keyClick(field, "x")
        assert field.toPlainText() == "x"
        seen.extend((time.monotonic(), time.process_time()))
        QTimer.singleShot(int(IDLE_S * 1000), finish)

    def finish() -> None:
        report(started_at, seen[0], seen[1], [])
        app.quit()

    QTimer.singleShot(0, type_one)
    app.exec()


def application(started_at: float, data_dir: str) -> None:
    from chatdesk.app import run_window
    from chatdesk.core.paths import AppPaths
    from chatdesk.core.settings.schema import Settings

    async def script(window: object) -> int:
        import asyncio

        from PySide6.QtTest import QTest

        composer = window.panes.composer  # type: ignore[attr-defined]
        before = composer.text()
        QTest.keyClick(composer.editor, "x")
        assert composer.text() == before + "x"
        typed_at, cpu_s = time.monotonic(), time.process_time()
        imported = [name for name in HEAVY if name in sys.modules]
        await window.services()  # type: ignore[attr-defined]
        composer.clear()
        await asyncio.sleep(IDLE_S)
        report(started_at, typed_at, cpu_s, imported)
        return 0

    run_window(
        AppPaths.find(data_dir), Settings(service_on=os.environ.get("CHATDESK_SERVICE_ON") == "1"), script=script
    )


if __name__ == "__main__":
    if sys.argv[1] == "bare":
        bare(float(sys.argv[2]))
    else:
        application(float(sys.argv[2]), sys.argv[3])
