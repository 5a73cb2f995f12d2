"""The table of vendors, protocols and kinds: which cells the recorded forms show, and which they have to show.

``python -m tests.helpers.dialect_table`` prints it. The rows come from the presets, the kinds from what a form holds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from chatdesk.core.settings.presets import PRESETS
from tests.helpers.dialects import FORMS

_GAPS: Final = Path(__file__).parents[1] / "data" / "dialect_gaps.json"
_OK: Final = 200
_Form = Mapping[str, Any]


def _statuses(form: _Form) -> list[int]:
    return [each.get("status", _OK) for each in form["server"]]


def _is_whole(form: _Form) -> bool:
    return form["gets"].get("status") == "complete"


# What shows that a form is of a kind. ``tools`` are several calls at once and a further step after them.
KINDS: Final[Mapping[str, Callable[[_Form], bool]]] = {
    "text": lambda form: _is_whole(form) and bool(form["gets"].get("text")),
    "thought": lambda form: bool(form["gets"].get("thought")),
    "tools": lambda form: len(form["gets"].get("runs", ())) > len(form["server"]) - 1 >= 2,
    "pictures": lambda form: bool(form["gets"].get("pictures")),
    "sources": lambda form: bool(form["gets"].get("sources")),
    "usage": lambda form: bool(form["gets"].get("usage")),
    "refused": lambda form: "error" in form["gets"] and _statuses(form)[-1] != _OK,
    "broken": lambda form: "error" in form["gets"] and _statuses(form)[-1] == _OK and bool(form["gets"].get("text")),
    "late": lambda form: _is_whole(form) and _mentions_an_error(form),
}


def _mentions_an_error(form: _Form) -> bool:
    """Return whether the last that the server sends is an error."""
    last = json.dumps(form["server"][-1].get("sends", [""])[-1])
    return "error" in last or "insufficient" in last


def cells() -> list[tuple[str, str]]:
    """Return each row of the table with each of its kinds."""
    rows = [f"{preset.id}/{api.value}" for preset in PRESETS.values() for api in preset.apis]
    return [(row, kind) for row in rows for kind in KINDS]


def gaps() -> dict[str, list[str]]:
    """Return the kinds that vendors do not have."""
    written: dict[str, list[str]] = json.loads(_GAPS.read_text(encoding="utf-8"))
    return {row: kinds for row, kinds in written.items() if row != "about"}


def shown(files: Iterable[Path]) -> dict[tuple[str, str], list[str]]:
    """Return the names of the forms that show each cell."""
    found: dict[tuple[str, str], list[str]] = {}
    for path in files:
        form = json.loads(path.read_text(encoding="utf-8"))
        row = f"{form.get('preset', 'other')}/{form.get('api', 'chat')}"
        for kind, is_of in KINDS.items():
            if is_of(form):
                found.setdefault((row, kind), []).append(path.stem)
    return found


def _written() -> str:
    found, lacking = shown(sorted(FORMS.rglob("*.json"))), gaps()
    lines = ["vendor/protocol".ljust(24) + " ".join(kind.ljust(8) for kind in KINDS)]
    for row in dict.fromkeys(row for row, _ in cells()):
        marks = [str(len(found.get((row, kind), ()))) if kind not in lacking.get(row, ()) else "-" for kind in KINDS]
        lines.append(row.ljust(24) + " ".join(mark.ljust(8) for mark in marks))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(_written() + "\n")
