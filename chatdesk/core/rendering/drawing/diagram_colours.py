"""Chooses the colours of diagrams, so that every label is legible on its background. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

_WHITE, _BLACK = "#ffffff", "#000000"
# They hold white letters (4.5 to 1), also where merman makes them lighter, and are seen on a dark ground.
DARK_FILLS: Final = (
    "#225587", "#89345e", "#235d37", "#6e4b1b", "#5940a7", "#853e26", "#185a61", "#7e367e", "#4e571d", "#405377",
    "#913030", "#235b4d",
)  # fmt: skip
_DARK_TEXT: Final = "#e6e6e6"
_DARK: Final = {
    **{f"pie{at}": colour for at, colour in enumerate(DARK_FILLS, 1)},
    **{f"cScale{at}": colour for at, colour in enumerate(DARK_FILLS)},
    **{f"cScaleLabel{at}": _WHITE for at in range(len(DARK_FILLS))},
    **{f"git{at}": colour for at, colour in enumerate(DARK_FILLS[:8])},
    **{f"gitBranchLabel{at}": _WHITE for at in range(8)},
    "pieSectionTextColor": _WHITE,
    "pieLegendTextColor": _DARK_TEXT,
    "pieTitleTextColor": _DARK_TEXT,
    "pieOpacity": "1",
    "quadrantPointFill": "#8ab4f8",
    "quadrantPointTextFill": _DARK_TEXT,
    "xyChart": {"backgroundColor": "transparent"},
}
THEMES: Final[tuple[dict[str, Any], ...]] = ({"theme": "default"}, {"theme": "dark", "themeVariables": _DARK})
# "style A,B fill:#f9f,stroke:#333" and "classDef warm fill:#f9f"
_OWN_COLOURS = re.compile(r"^([ \t]*(?:style|classDef)[ \t]+[^\s:]+[ \t]+)([^\n;]*)", re.MULTILINE)
_FILL = re.compile(r"(?:^|,)\s*(?:fill|background-color)\s*:\s*([#\w]+)", re.IGNORECASE)
_COLOUR = re.compile(r"(?:^|,)\s*color\s*:", re.IGNORECASE)
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)


def with_readable_labels(source: str) -> str:
    """Return the source with a colour of letters wherever it fills a shape and names none: the theme's would be light
    on light in one of the themes."""
    return _OWN_COLOURS.sub(_with_colour, source)


def _with_colour(match: re.Match[str]) -> str:
    fill = _FILL.search(match[2])
    colour = "" if fill is None or _COLOUR.search(match[2]) else _readable_on(fill[1])
    return f"{match[0].rstrip().rstrip(',')},color:{colour}" if colour else match[0]


def _readable_on(fill: str) -> str:
    """Return black or white, empty for a colour that is not known."""
    luminance = luminance_of(fill)
    return "" if luminance is None else _BLACK if (luminance + 0.05) ** 2 > 0.0525 else _WHITE


def luminance_of(colour: str) -> float | None:
    """Return how bright ``colour`` is (0 to 1), as contrast is measured; None for a colour that is not known."""
    from PIL import ImageColor  # it knows the names

    if colour.startswith("#") and not _HEX.fullmatch(colour):
        return None
    try:
        parts = [part / 255 for part in ImageColor.getrgb(colour)[:3]]
    except ValueError:
        return None
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
