"""Rows of exporting and keeping safe: messages a second, memory, packing a backup, and kills in the middle."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from tests.benchmarks.processes import python
from tests.benchmarks.table import Row, against

# Code, a table and two formulas; no two messages have the same.
RICH = """{n}. **Rich** text with `code` and $x_{n}^2$ in it.

```python
def step_{n}(rows):
    return sum(row * {n} for row in rows if row)  # all of them
```

| name | value |
|------|------:|
| a    | {n}   |
| b    | 2     |

$$\\int_0^{n} \\frac{{x}}{{1 + x}} dx$$
"""


def exporting(folder: Path, is_quick: bool) -> list[Row]:
    folder.mkdir(parents=True)
    threads = 20 if is_quick else 100
    found = json.loads(python("-c", _EXPORT, str(folder), str(threads)))
    count = threads * 1000
    rows = []
    for kind in ("json", "zip", "md", "html"):
        per_second = found[kind]["messages"] / found[kind]["seconds"]
        name = f"export of {found[kind]['messages']:,} messages as {kind}"
        rows.append(Row(name, per_second, "/s", "at least 5,000 a second", per_second >= 5000))
    pages = found["pdf"]
    rows += [
        Row(
            "export of 1,000 messages with code, a table and formulas as pdf",
            pages["seconds"],
            "s",
            "at most 3 s",
            pages["seconds"] <= 3,
        ),
        Row("processor time of it for each message, all processes", pages["worked_ms"], "ms", "told only", True),
    ]
    rows.append(
        Row(
            f"memory that exporting {count:,} messages adds",
            found["memory_mb"],
            "MB",
            "at most 64 MB",
            found["memory_mb"] <= 64,
        )
    )
    rows.append(
        against(
            f"backup of {found['size_mb']:.0f} MB, packed and read back",
            found["backup_s"],
            found["copy_s"],
            unit="s",
            most=10,
            goal="at most 10 bare copies by SQLite",
        )
    )
    return rows


def killing(folder: Path, is_quick: bool) -> list[Row]:
    cycles = 10 if is_quick else 50
    rows = []
    for kind in ("backup", "restore", "purge", "upgrade"):
        tally = json.loads(
            python("-m", "tests.helpers.killed_upkeep", str(folder / kind), kind, str(cycles), str(int(time.time())))
        )
        for problem in tally["problems"][:10]:
            print(problem, file=sys.stderr)
        lost = len(tally["problems"])
        name = f"kill -9 during {kind} x {cycles}, {tally['killed']} before its end"
        rows.append(Row(name, lost, "lost", "nothing lost", lost == 0))
    return rows


_EXPORT = """
import asyncio, itertools, json, sqlite3, sys, time
from contextlib import closing
from pathlib import Path
from chatdesk.core.clock import Clock
from chatdesk.core.domain.exports import Choice
from chatdesk.core.storage.upkeep.backup_directory import BackupDirectory
from chatdesk.core.domain.exports import ExportFormat
from chatdesk.core.transfer.exports.export_service import ExportService
from chatdesk.services.parts import printing_command
from tests.benchmarks.export import RICH
from tests.benchmarks.processes import adopt_orphans, peak_mb, worked_s
from tests.helpers.bulk_data import make_database

TEXT = "a question about **migrations** and an answer with `code`, a list and some more words; " * 7

async def main(folder, threads):
    path = folder / "chatdesk.db"
    number = itertools.count()  # no text twice: the renderer remembers
    text_of = lambda n: f"{next(number)}: {TEXT}"
    ids = await make_database(path, threads=threads, messages_per_thread=1000, text_of=text_of)
    service = ExportService(path, folder / "blobs", Clock(), printing=["false"])
    found = {}
    await service.export(Choice(thread_ids=(ids[0],)), ExportFormat.JSON, folder / "warm.json")
    before = peak_mb()
    for kind, target in (("json", folder / "a.json"), ("zip", folder / "a.zip"), ("md", folder)):
        began = time.perf_counter()
        report = await service.export(Choice(), ExportFormat.MARKDOWN if kind == "md" else ExportFormat.JSON, target)
        found[kind] = {"messages": report.messages, "seconds": time.perf_counter() - began}
    found["memory_mb"] = peak_mb() - before
    began = time.perf_counter()
    report = await service.export(Choice(thread_ids=tuple(ids[:10])), ExportFormat.HTML, folder)
    found["html"] = {"messages": report.messages, "seconds": time.perf_counter() - began}
    rich = folder / "rich.db"
    number = itertools.count()
    only = await make_database(rich, threads=1, messages_per_thread=1000, text_of=lambda n: RICH.format(n=next(number)))
    printer = ExportService(rich, folder / "blobs", Clock(), printing=printing_command())
    worked, began = worked_s(), time.perf_counter()
    report = await printer.export(Choice(thread_ids=tuple(only)), ExportFormat.PDF, folder / "rich.pdf")
    seconds = time.perf_counter() - began
    found["pdf"] = {"seconds": seconds, "worked_ms": (worked_s() - worked) * 1000 / report.messages}
    with closing(sqlite3.connect(path)) as conn:
        began = time.perf_counter()
        with closing(sqlite3.connect(folder / "copy.db")) as copy:
            conn.backup(copy)
        found["copy_s"] = time.perf_counter() - began
        began = time.perf_counter()
        made = BackupDirectory(folder / "backups", "chatdesk", daily=1, weekly=0).add(conn, Clock().now_ms())
        found["backup_s"] = time.perf_counter() - began
    found["size_mb"] = path.stat().st_size / 1e6
    print(json.dumps(found))

adopt_orphans()
asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""
