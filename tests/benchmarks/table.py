"""Rows of the benchmark table: what was measured, against what, and whether the goal was reached."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """``goal`` is a sentence; ``ratio`` is value / yardstick where there is a yardstick of the same run."""

    name: str
    value: float
    unit: str
    goal: str
    reached: bool
    yardstick: float | None = None
    ratio: float | None = None


def against(name: str, value: float, yardstick: float, *, unit: str, most: float, goal: str) -> Row:
    """A row whose goal is a greatest ratio."""
    ratio = value / yardstick
    return Row(name, value, unit, goal, ratio <= most, yardstick, ratio)


def printed(rows: list[Row]) -> str:
    lines = [f"{'name':58} {'value':>10} {'yardstick':>10} {'ratio':>6}  {'reached':7} goal"]
    for row in rows:
        yardstick = "" if row.yardstick is None else f"{row.yardstick:.2f}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        value = f"{row.value:.2f} {row.unit}"
        lines.append(
            f"{row.name:58} {value:>10} {yardstick:>10} {ratio:>6}  {'yes' if row.reached else 'NO':7} {row.goal}"
        )
    return "\n".join(lines)


def write(rows: list[Row], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
