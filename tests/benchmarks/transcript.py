"""Rows of the transcript: opening, scrolling, memory, streaming, typing and hostile text."""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from chatdesk.core.clock import Clock
from chatdesk.core.storage.profile_database import ProfileDatabase
from tests.benchmarks.answers import message_text
from tests.benchmarks.processes import ROOT, python
from tests.benchmarks.table import Row, against
from tests.helpers.bulk_data import load_many

_CPU = "GUI thread, CPU"


def opening(folder: Path, is_quick: bool) -> list[Row]:
    sizes = (100, 2_000) if is_quick else (100, 10_000, 100_000)
    threads = asyncio.run(filled_threads(folder, sizes))
    rounds = 2 if is_quick else 5
    found: dict[int, list[Any]] = {size: [] for size in sizes}
    for _ in range(rounds):
        for size in sizes:
            found[size].append(_result("reading_probe", "open", str(folder), threads[size]))
    medians = {size: statistics.median(each["first_paint_ms"] for each in found[size]) for size in sizes}
    rows = []
    for size in sizes:
        name = f"open a thread of {size:,} messages"
        rows.append(_at_most(f"{name}, first paint ({_CPU})", medians[size], 16))
        settled = statistics.median(each["settled_ms"] for each in found[size])
        rows.append(_at_most(f"{name}, settled after", settled, 60))
        # A slice lasts until the thread waits, a turn until it looks for the next event: a key press waits for a turn.
        for what, key in (("slice", "slices_ms"), ("turn of the loop", "turns_ms")):
            largest = statistics.median(max(each[key]) for each in found[size])
            rows.append(_at_most(f"{name}, largest {what} ({_CPU})", largest, 8))
    small, large = sizes[0], sizes[-1]
    rows.append(
        against(
            f"open {large:,} messages against {small}",
            medians[large],
            medians[small],
            unit="ms",
            most=1.5,
            goal="at most 1.5 times",
        )
    )
    return rows


def scrolling(folder: Path, is_quick: bool) -> list[Row]:
    size = 2_000 if is_quick else 100_000
    thread_id = asyncio.run(filled_threads(folder, (size,)))[size]
    found = _result("reading_probe", "scroll", str(folder), thread_id, "200" if is_quick else "2000")
    steps, bare = found["steps_ms"], found["bare_steps_ms"]
    return [
        _at_most(
            f"scroll step of 120 px, cold, median ({_CPU})", statistics.median(steps), 3, bare=statistics.median(bare)
        ),
        _at_most(f"scroll step of 120 px, cold, p99 ({_CPU})", _p99(steps), 4, bare=_p99(bare)),
        _at_most(f"scroll step of 120 px, cold, worst of {len(steps):,}", max(steps), 8),
        _at_most("slice while scrolling, p99", _p99(found["slices_ms"]), 8),
        _at_most(f"jump anywhere in {size:,} messages, median ({_CPU})", statistics.median(found["jumps_ms"]), 10),
        _at_most(f"resize step, median ({_CPU})", statistics.median(found["resizes_ms"]), 16),
        _at_most(f"resize step, worst ({_CPU})", max(found["resizes_ms"]), 16),
        _at_most(f"memory, {size:,} messages scrolled end to end, above empty", found["memory_mb"], 60, unit="MB"),
    ]


def reading_artifacts(folder: Path, _is_quick: bool) -> list[Row]:
    thread_id = asyncio.run(filled_threads(folder, (10,)))[10]
    found = _result("artifact_probe", str(folder), thread_id)
    bare = found.pop("bare")
    rows = []
    for name, each in found.items():
        steps, usual = each["steps_ms"], bare["table" if "CSV" in name else "text"]
        rows.append(_at_most(f"open {name}, largest turn ({_CPU})", max(each["turns_ms"]), 8))
        rows.append(
            _at_most(
                f"page of {name}, cold, median ({_CPU})", statistics.median(steps), 8, bare=statistics.median(usual)
            )
        )
        rows.append(_at_most(f"page of {name}, cold, worst of {len(steps)}", max(steps), 8, bare=max(usual)))
    return rows


def answering(folder: Path, is_quick: bool) -> list[Row]:
    """50 KB answers of each kind for the frames; 20,000 and 40,000 tokens of mixed text for the processor time."""
    rows = []
    with answer_server() as url:
        for rate in (1000,) if is_quick else (200, 1000):
            for kind in ("mixed", "code", "list", "table"):
                found = _answer("app", folder, url, f"{kind}-{2_000 if is_quick else 12_500}-{rate}")
                name = f"GUI slice (CPU), 50 KB of {kind} at {rate} tokens/s"
                rows.append(_at_most(f"{name}, p99", _p99(found["slices_ms"]), 8))
                rows.append(_at_most(f"{name}, largest", max(found["slices_ms"]), 33))
        many = 2_000 if is_quick else 20_000
        totals: dict[str, float] = {}
        for model in (f"mixed-{many}-{1000 if is_quick else 100}", f"mixed-{many}-0", f"mixed-{2 * many}-0"):
            rounds = 1 if model.endswith("-100") else 3
            ours, bare = (
                statistics.median(_answer(kind, folder, url, model)["cpu_s"] for _ in range(rounds))
                for kind in ("app", "socket")
            )
            totals[model] = ours
            _, count, rate_text = model.split("-")
            speed = f"{rate_text} tokens/s" if rate_text != "0" else "full speed"
            rows.append(
                against(
                    f"process CPU, {int(count):,} tokens at {speed}, workers included",
                    ours,
                    bare,
                    unit="s",
                    most=2.0,
                    goal="at most 2 text fields on a bare socket",
                )
            )
        rows.append(
            against(
                f"process CPU, {2 * many:,} tokens against {many:,}",
                totals[f"mixed-{2 * many}-0"],
                totals[f"mixed-{many}-0"],
                unit="s",
                most=2.3,
                goal="at most 2.3 times",
            )
        )
    return rows


def typing(folder: Path, is_quick: bool) -> list[Row]:
    with answer_server() as url:
        found = _answer("app", folder, url, f"mixed-{3_000 if is_quick else 15_000}-1000", "typing")
    keys = found["keys_ms"]
    return [_at_most(f"key to paint while an answer streams, p99 of {len(keys)}", _p99(keys), 16)]


def hostile(_folder: Path, is_quick: bool) -> list[Row]:
    count = 200 if is_quick else 20_000
    found = _result("hostile_probe", "1", str(count), "65536")
    for problem in (*found["exceptions"], *found["opened"]):
        print(problem, file=sys.stderr)
    slowest = found["worst"][0]
    print(f"slowest batch: {slowest}", file=sys.stderr)
    per_input = found["seconds"] / count * 1000
    return [
        Row("hostile texts, exceptions", len(found["exceptions"]), "", "none", not found["exceptions"]),
        Row("hostile texts, files opened or sockets made", len(found["opened"]), "", "none", not found["opened"]),
        _at_most(f"hostile texts, largest slice of {count:,} ({_CPU})", max(found["slices_ms"]), 50),
        Row("hostile texts, wall time each", per_input, "ms", "bounded", True),
    ]


async def filled_threads(folder: Path, sizes: Sequence[int]) -> dict[int, str]:
    """Thread ids by their number of messages."""
    folder.mkdir(parents=True)
    db = ProfileDatabase(folder / "chatdesk.db", clock=Clock(), backup_dir=folder / "backups")
    await db.open()
    try:
        return {
            size: (await load_many(db, threads=1, messages_per_thread=size, text_of=message_text))[0] for size in sizes
        }
    finally:
        await db.close()


@contextlib.contextmanager
def answer_server() -> Iterator[str]:
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.answer_server"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


def _answer(kind: str, folder: Path, url: str, model: str, *more: str) -> Any:
    data = folder / f"{model}-{time.monotonic_ns()}"
    variables = {"OPENAI_API_KEY": "no-key-needed", "OPENAI_BASE_URL": url}
    return _result("answer_probe", kind, str(data), url, model, *more, more=variables)


def _result(module: str, *arguments: str, more: Mapping[str, str] | None = None) -> Any:
    printed = python("-m", f"tests.benchmarks.{module}", *arguments, more=more)
    return json.loads(printed[printed.index('{"') :])


def _p99(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[int(len(ordered) * 0.99)]


def _at_most(name: str, value: float, most: float, *, unit: str = "ms", bare: float | None = None) -> Row:
    """``bare`` is the same in a bare widget of Qt, in the same run: how fast the machine is just now."""
    ratio = value / bare if bare else None
    return Row(name, value, unit, f"at most {most} {unit}", value <= most, bare, ratio)
