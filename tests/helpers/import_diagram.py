"""The drawing of the import rules in ``docs/imports.md``, made from the contracts of import-linter in pyproject.toml:
``python -m tests.helpers.import_diagram --write``."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from chatdesk.ui.theme.tokens import DARK, LIGHT

ROOT = Path(__file__).parents[2]
PICTURES = {
    "light": ROOT / "docs" / "pictures" / "imports-light.svg",
    "dark": ROOT / "docs" / "pictures" / "imports-dark.svg",
}
_WIDTH, _MARGIN, _GAP, _ROW, _LETTER = 960, 16, 8, 28, 6.9
_CLOSE = 3  # between the lines of one row
_GATEWAYS_TITLE = "Gateways: what one place alone imports"


def drawing(look: str) -> str:
    """The whole picture as SVG: the floors of each package, then the gateways."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    colours = LIGHT if look == "light" else DARK
    top, parts = _MARGIN, []
    for title, rows in _panels(contracts):
        top = _panel(parts, title, rows, top)
    style = (
        f"text{{font:12px Inter,system-ui,sans-serif;fill:{colours.text}}} .title{{font-weight:600}}"
        f" .panel{{fill:{colours.surface};stroke:{colours.line}}}"
        f" .box{{fill:{colours.question};stroke:{colours.line}}} .muted{{fill:{colours.muted}}}"
    )
    size = f'width="{_WIDTH}" height="{top}" viewBox="0 0 {_WIDTH} {top}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>What may import what in ChatDesk</title>'
    return "\n".join((head, f"<style>{style}</style>", *parts, "</svg>", ""))


def _panels(contracts: list[Mapping[str, Any]]) -> Iterator[tuple[str, list[list[str]]]]:
    for contract in contracts:
        if contract["type"] == "layers":
            name = contract["containers"][0].replace(".", "/")
            rows = [[each.strip(" ()") for each in layer.split("|")] for layer in contract["layers"]]
            yield f"{name}: each row may import the rows below it", rows
    gateways = [each for each in contracts if each["type"] == "protected"]
    yield _GATEWAYS_TITLE, [[_gateway(each)] for each in gateways]


def _gateway(contract: Mapping[str, Any]) -> str:
    places = ", ".join(each.removeprefix("chatdesk.").replace(".", "/") for each in contract["allowed_importers"])
    return f"{', '.join(contract['protected_modules'])}  ←  {places}"


def _panel(parts: list[str], title: str, rows: list[list[str]], top: float) -> float:
    """Draw one package below the one before; returns where the next begins."""
    place, start = len(parts), top
    left, right = 2 * _MARGIN, _WIDTH - 2 * _MARGIN
    parts.append(f'<text class="title" x="{left}" y="{top + 24}">{escape(title)}</text>')
    top += 36
    for row in rows:
        columns = _columns(row, right - left)
        width = (right - left - _GAP * (columns - 1)) / columns
        for number, name in enumerate(row):
            if number and number % columns == 0:
                top += _ROW + _CLOSE
            x = left + number % columns * (width + _GAP)
            parts.append(f'<rect class="box" x="{x:.1f}" y="{top}" width="{width:.1f}" height="{_ROW}" rx="6"/>')
            middle = f'x="{x + width / 2:.1f}" y="{top + 18}" text-anchor="middle"'
            parts.append(f"<text {middle}>{escape(name)}</text>")
        top += _ROW + _GAP
    frame = f'x="{_MARGIN}" y="{start}" width="{_WIDTH - 2 * _MARGIN}" height="{top - start + _GAP}" rx="10"'
    parts.insert(place, f'<rect class="panel" {frame}/>')
    return top + _GAP + _MARGIN


def _columns(row: list[str], width: float) -> int:
    """How many boxes of one row are beside each other."""
    widest = max(len(name) for name in row) * _LETTER + 16 + _GAP
    return min(len(row), max(1, int(width / widest)))


if __name__ == "__main__" and "--write" in sys.argv:
    for look, path in PICTURES.items():
        path.write_text(drawing(look), encoding="utf-8")
