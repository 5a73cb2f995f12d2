"""Draws SVG as a picture. Runs in the drawing process, which may be killed.

Nothing outside the text is read: a text that names another resource, brings a picture or declares entities is refused
before resvg sees it.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from struct import Struct
from typing import TYPE_CHECKING, Any

from chatdesk.core.rendering.drawing.picture_fonts import font_options
from chatdesk.core.rendering.drawing.picture_rules import MAX_SIDE_PX, ZOOM, names_another_resource

if TYPE_CHECKING:  # loaded only by the process that does this work
    from xml.etree.ElementTree import Element

LANGUAGE = "svg"
_NAMESPACE = "{http://www.w3.org/2000/svg}"
MAX_SOURCE_CHARS = 500_000
_LENGTH = re.compile(r"\s*(\d{1,6}(?:\.\d{0,6})?)\s*(px|pt|pc|in|cm|mm)?\s*\Z")
_PX = {"px": 1.0, "pt": 96 / 72, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4}
_USUAL_SIZE = (300.0, 150.0)  # the size of an SVG that states none, as in browsers
_GROUND = "#ffffff"  # most drawings assume white, also in a dark window
_DECLARATION = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_DEEPEST = 200
# resvg parses lengths that this module does not, such as 1e4 or 50em, so the size of its result is checked.
_PNG_SIZE, _PNG_SIZE_AT = Struct(">II"), 16
_MOST_PIXELS = ZOOM * MAX_SIDE_PX + 1


@cache
def load() -> Any:
    """Return the rasteriser, None where it is not installed."""
    if find_spec("resvg_py") is None:
        return None
    import resvg_py

    return resvg_py


def draw_svg(source: str) -> tuple[bytes, ...]:
    """Return a PNG; empty if the source is not an SVG, or refers to anything outside itself."""
    rasteriser = load()
    if rasteriser is None or len(source) > MAX_SOURCE_CHARS:
        return ()
    try:
        width, height, text = _checked(source)
        picture = bytes(
            rasteriser.svg_to_bytes(
                svg_string=source,
                background=_GROUND,
                zoom=min(ZOOM, ZOOM * MAX_SIDE_PX / max(width, height)),
                dpi=96,  # else units such as mm have no size
                **font_options(rasteriser, text),
            )
        )
        return (picture,) if max(_PNG_SIZE.unpack_from(picture, _PNG_SIZE_AT)) <= _MOST_PIXELS else ()
    except Exception:  # noqa: BLE001 - third-party parsers over hostile text: whatever they raise, the source stays
        return ()


def _checked(source: str) -> tuple[float, float, str]:
    """Return the width and height in px, and all that is written. Raises ``ValueError`` for what is not to be drawn."""
    from xml.etree import ElementTree  # callers that only need the limits do not load it

    if _DECLARATION.search(source):
        raise ValueError("entities can be declared to grow without bound")
    root = ElementTree.fromstring(source)  # noqa: S314 - without declarations there is nothing to expand or to load
    if root.tag not in ("svg", f"{_NAMESPACE}svg"):
        raise ValueError("this is no SVG")
    if any(map(names_another_resource, root.iter())) or _depth(root) > _DEEPEST:
        raise ValueError("the picture names another resource, or is too deep")
    sides = [_LENGTH.match(root.get(name, "")) for name in ("width", "height")]
    box = root.get("viewBox", "").replace(",", " ").split()
    usual = (float(box[2]), float(box[3])) if len(box) == 4 else _USUAL_SIZE
    lengths = [float(side[1]) * _PX[side[2] or "px"] if side else None for side in sides]
    width, height = (other if side is None else side for side, other in zip(lengths, usual, strict=True))
    if not (0 < width < float("inf") and 0 < height < float("inf")):
        raise ValueError("the picture has no size")
    written = "".join("".join(each.itertext()) for each in root.iter() if each.tag in ("text", f"{_NAMESPACE}text"))
    return width, height, written


def _depth(root: Element) -> int:
    """Return how deep elements are in each other; a renderer that calls itself for each level has a stack."""
    level, depth = [root], 0
    while level and depth <= _DEEPEST:
        level = [child for each in level for child in each]
        depth += 1
    return depth
