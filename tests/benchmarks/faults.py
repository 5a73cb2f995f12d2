"""Rows of failures in the window: answers that are stopped, servers that fail, and the noise that it makes."""

from __future__ import annotations

import json
from pathlib import Path

from chatdesk.core.paths import AppPaths
from tests.benchmarks.processes import python
from tests.benchmarks.table import Row
from tests.helpers.left_streams import Noise, noise_of_cases, noise_of_errors, noise_of_stops


def leaving(folder: Path, is_quick: bool) -> list[Row]:
    """200 stops and 200 errors in a real window against a real server, and an answer that does not end."""
    count = 20 if is_quick else 200
    stops = noise_of_stops(AppPaths.find(folder / "stops"), count)
    errors = noise_of_errors(AppPaths.find(folder / "errors"), count)
    return [
        *_rows(f"{count} stopped answers", stops),
        *_rows(f"{count} errors of servers", errors),
        *_rows("every kind of misbehaviour", noise_of_cases(AppPaths.find(folder / "cases"))),
        *endless(folder, is_quick),
    ]


def endless(folder: Path, is_quick: bool) -> list[Row]:
    """An answer that does not end, up to what is kept of it."""
    megabytes = 20 if is_quick else 60
    rows = []
    for where in ("window", "script"):
        place = str(folder / where)
        found = json.loads(python("-m", "tests.benchmarks.large_answer_probe", where, place, str(megabytes)))
        more, took = found["more_mb"], found["s"]
        rows.append(Row(f"memory for an endless answer, {where}", more, "MB", "at most 100 MB", more <= 100))
        rows.append(Row(f"until it is given up and kept, {where}", took, "s", "at most 15 s", took <= 15))
    return rows


def _rows(what: str, noise: Noise) -> list[Row]:
    figures = {"log lines": len(noise.lines), "dialogs": len(noise.dialogs), "crash reports": noise.reports}
    return [Row(f"{what}: {name}", float(value), "", "0", value == 0) for name, value in figures.items()]
