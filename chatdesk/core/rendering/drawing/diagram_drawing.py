"""Draws Mermaid as pictures, if its packages are installed. Runs in the drawing process, which may be killed.

merman writes an SVG that resvg draws with our own fonts; neither opens a file or a connection because of the source.
Both themes are drawn, since a block does not know in which it will be seen.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from typing import Any

from chatdesk.core.paths import resources_dir
from chatdesk.core.rendering.drawing.picture_rules import MAX_SIDE_PX, ZOOM, names_another_resource

LANGUAGE = "mermaid"
MAX_SOURCE_CHARS = 20_000
_MAX_SVG_CHARS = 2_000_000
_THEMES = ("default", "dark")


def can_draw() -> bool:
    """Return whether both packages are installed: one of them is not made for every computer."""
    return find_spec("merman") is not None and find_spec("resvg_py") is not None


@cache
def load() -> tuple[Any, Any] | None:
    """Return the two packages (painter, rasteriser), None without them."""
    if not can_draw():
        return None
    import merman
    import resvg_py

    return merman.Merman(), resvg_py


def draw_diagram(source: str) -> tuple[bytes, ...]:
    """Return PNGs for the light and the dark theme; empty when the source is not a diagram that can be drawn."""
    loaded = load()
    if loaded is None or len(source) > MAX_SOURCE_CHARS:
        return ()
    painter, rasteriser = loaded
    try:
        return tuple(_draw(painter, rasteriser, source, theme) for theme in _THEMES)
    except Exception:  # noqa: BLE001 - third-party parsers over hostile text: whatever they raise, the source stays
        return ()


def _draw(painter: Any, rasteriser: Any, source: str, theme: str) -> bytes:
    options = {"svg": {"pipeline": "resvg-safe"}, "site_config": {"theme": theme, "securityLevel": "strict"}}
    svg = painter.render_svg(source, json.dumps(options))
    if len(svg) > _MAX_SVG_CHARS:
        raise ValueError("the diagram is too large")
    _check(svg)
    return bytes(
        rasteriser.svg_to_bytes(
            svg_string=svg,
            zoom=ZOOM,
            skip_system_fonts=True,
            font_dirs=[str(resources_dir() / "fonts")],
            font_family="Inter",
            sans_serif_family="Inter",
        )
    )


def _check(svg: str) -> None:
    """Raise ``ValueError`` for a large SVG and for one that names another resource: resvg would open an image's
    file."""
    from xml.etree import ElementTree

    root = ElementTree.fromstring(svg)  # noqa: S314 - written by merman, not by the message
    width, height = (float(each) for each in root.get("viewBox", "").split()[2:])
    if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX):
        raise ValueError("the diagram is too large")
    if any(map(names_another_resource, root.iter())):
        raise ValueError("the diagram names another resource")
