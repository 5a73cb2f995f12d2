"""Draws Mermaid as pictures, if its packages are installed. Runs in the drawing process, which may be killed.

merman writes an SVG that resvg draws; neither opens a file or a connection because of the source.
Both themes are drawn, since a block does not know in which it will be seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from chatdesk.core.rendering.direction import is_right_to_left
from chatdesk.core.rendering.drawing.diagram_colours import THEMES, with_readable_labels
from chatdesk.core.rendering.drawing.picture_fonts import font_options
from chatdesk.core.rendering.drawing.picture_rules import MAX_SIDE_PX, ZOOM, names_another_resource

if TYPE_CHECKING:  # loaded only by the process that does this work
    from xml.etree.ElementTree import Element

LANGUAGE = "mermaid"
MAX_SOURCE_CHARS = 20_000
_MAX_SVG_CHARS = 2_000_000
_SVG = "{http://www.w3.org/2000/svg}"
# resvg lays every line out from the left, and only moves the apparent beginning of a line down.
_FROM_THE_RIGHT, _END = "\u200e\u2067", "\u2069"
_CUT_OFF, _WHOLE = "overflow:hidden;", "overflow:visible;"


def can_draw() -> bool:
    """Return whether both packages are installed: one of them is not made for every computer."""
    return find_spec("merman") is not None and find_spec("resvg_py") is not None


@cache
def load() -> tuple[Any, Any] | None:
    """Return the two packages (painter, rasteriser), None without them."""
    if not can_draw():
        return None
    import resvg_py

    from chatdesk.core.rendering.drawing import diagram_text  # loaded only by the process that does this work

    return diagram_text.new_painter(), resvg_py


def draw_diagram(source: str) -> tuple[bytes, ...]:
    """Return PNGs for the light and the dark theme; empty when the source is not a diagram that can be drawn."""
    loaded = load()
    if loaded is None or len(source) > MAX_SOURCE_CHARS:
        return ()
    painter, rasteriser = loaded
    try:
        coloured = with_readable_labels(source)
        return tuple(_draw(painter, rasteriser, coloured, theme) for theme in THEMES)
    except Exception:  # noqa: BLE001 - third-party parsers over hostile text: whatever they raise, the source stays
        return ()


def _draw(painter: Any, rasteriser: Any, source: str, theme: dict[str, Any]) -> bytes:
    options = {"svg": {"pipeline": "resvg-safe"}, "site_config": {**theme, "securityLevel": "strict"}}
    svg = painter.render_svg(source, json.dumps(options))
    if len(svg) > _MAX_SVG_CHARS:
        raise ValueError("the diagram is too large")
    root = _checked(svg)
    fonts = font_options(rasteriser, "".join(root.itertext()))
    return bytes(rasteriser.svg_to_bytes(svg_string=_repaired(svg, root), zoom=ZOOM, **fonts))


def _checked(svg: str) -> Element:
    """Return the parsed SVG. Raises ``ValueError`` for a large one and for one that names another resource: resvg would
    open an image's file."""
    from xml.etree import ElementTree

    root = ElementTree.fromstring(svg)  # noqa: S314 - written by merman, not by the message
    width, height = (float(each) for each in root.get("viewBox", "").split()[2:])
    if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX):
        raise ValueError("the diagram is too large")
    if any(map(names_another_resource, root.iter())):
        raise ValueError("the diagram names another resource")
    return root


def _repaired(svg: str, root: Element) -> str:
    """Return the SVG with nothing cut off at the edge of a label, since letters may reach a little beyond it, with no
    label below what it names, and with labels from right to left where they are."""
    from xml.etree import ElementTree

    covered = root.findall(f"{_SVG}g[@class='node-labels']")  # of a Sankey diagram
    turned = [line for line in _lines(root) if is_right_to_left("".join(each.text or "" for each in line))]
    if _CUT_OFF not in svg and not covered and not turned:
        return svg
    for labels in covered:
        root.remove(labels)
        root.append(labels)
    for label in root.iter(f"{_SVG}svg"):
        label.set("style", label.get("style", "").replace(_CUT_OFF, _WHOLE))
    for pieces in turned:
        pieces[0].text = _FROM_THE_RIGHT + (pieces[0].text or "")
        pieces[-1].text = (pieces[-1].text or "") + _END
    return ElementTree.tostring(root, encoding="unicode")


def _lines(root: Element) -> Iterator[list[Element]]:
    """Yield the elements that hold the words of each line of text."""
    for text in root.iter(f"{_SVG}text"):
        rows = [span for span in text.iter(f"{_SVG}tspan") if span.get("x") is not None]
        for row in rows or (text,):
            if pieces := [each for each in row.iter() if each.text]:
                yield pieces
