"""Defines the colours, distances and type sizes of the window; no other module contains any.

The numbers come from the design's table. No Qt here: colours are ``#RRGGBB`` strings. Named tuples, because they delay
the first paint a third as long as dataclasses.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

FontRole = Literal["heading", "text", "strong", "header", "table", "code", "muted", "group", "title", "note"]

FOCUS_RING_PX: Final = 2
HIT_TARGET_PX: Final = 28
TOUCH_TARGET_PX: Final = 44
ICON_PX: Final = 16
SWITCH_PX: Final = (36, 20)  # drawn; the clickable area is HIT_TARGET_PX high
SETTINGS_FIELD_PX: Final = 250
SETTINGS_ROW_PX: Final = 44
ICON_STROKE: Final = 1.75

HEADER_HEIGHT_PX: Final = 52
SIDEBAR_WIDTH_PX: Final = 264
SIDEBAR_MIN_PX: Final = 200
SIDEBAR_MAX_PX: Final = 400
SIDEBAR_OVERLAY_BELOW_PX: Final = 720
TRANSCRIPT_WIDTH_PX: Final = 720
COMPOSER_WIDTH_PX: Final = 744
INSPECTOR_WIDTH_PX: Final = 400
THREAD_LEAST_PX: Final = 300  # beside another pane; grows with the text

MIN_SCALE: Final = 0.75
MAX_SCALE: Final = 2.0


class Spaces(NamedTuple):
    """Distances in px, from the tightest to the widest."""

    xs: int = 4
    s: int = 8
    m: int = 12
    l: int = 16  # noqa: E741 - sizes are called as clothes are
    xl: int = 24


class Radii(NamedTuple):
    """Corner radii in px."""

    inline_code: int = 5
    row: int = 8
    code: int = 10
    card: int = 14


class TypeStep(NamedTuple):
    """A size of text: ``size_px`` and ``line_px`` at scale 1, and its weight (400 to 700)."""

    size_px: float
    line_px: float
    weight: int = 400
    is_monospace: bool = False


TYPE: Final[Mapping[FontRole, TypeStep]] = MappingProxyType(
    {
        "text": TypeStep(14, 22),
        "strong": TypeStep(14, 22, 600),
        "header": TypeStep(14, 22, 600),
        "table": TypeStep(13, 20),
        "code": TypeStep(12.5, 20, is_monospace=True),
        "muted": TypeStep(12, 18),
        "note": TypeStep(12.5, 19),
        "group": TypeStep(11, 16, 600),
        "heading": TypeStep(17, 24, 600),
        "title": TypeStep(24, 32, 600),
    }
)


class SyntaxColours(NamedTuple):
    """Colours of code, by the kinds that the highlighter gives."""

    plain: str
    keyword: str
    string: str
    comment: str
    number: str
    name: str
    function: str
    type: str
    operator: str
    inserted: str
    deleted: str

    def of(self, kind: str) -> str:
        """Return the colour of ``kind``; text of an unknown kind is drawn plain."""
        return str(getattr(self, kind, self.plain))


class Tokens(NamedTuple):
    """The design tokens of one look. Light and dark differ in colours only. ``floating`` is the ground of what lies
    over the window, such as menus and toasts; its edge has the colour ``field_line``."""

    background: str
    surface: str
    card: str
    floating: str
    line: str
    field_line: str
    text: str
    muted: str
    question: str
    code: str
    hover: str
    selected: str
    accent: str
    on_accent: str
    accent_hover: str
    warning: str
    danger: str
    warning_tint: str
    danger_tint: str
    shadow: str
    syntax: SyntaxColours
    space: Spaces = Spaces()
    radius: Radii = Radii()


LIGHT: Final = Tokens(
    background="#FFFFFF",
    surface="#F6F6F4",
    card="#FFFFFF",
    floating="#FFFFFF",
    line="#E6E5E1",
    field_line="#CFCEC9",
    text="#1D1D1B",
    muted="#696864",
    question="#EEF3F2",
    code="#F7F7F5",
    hover="#ECEBE7",
    selected="#E3E9E7",
    accent="#0A746F",
    on_accent="#FFFFFF",
    accent_hover="#09655F",
    warning="#8E5E18",
    danger="#BE352C",
    warning_tint="#FBF5E9",
    danger_tint="#FBEDEB",
    shadow="#1D1D1B",
    syntax=SyntaxColours(
        plain="#1D1D1B",
        keyword="#8B2FA0",
        string="#0B6E4F",
        comment="#696864",
        number="#1A56B0",
        name="#1D1D1B",
        function="#1A56B0",
        type="#8A5A00",
        operator="#4A4945",
        inserted="#0B6E4F",
        deleted="#B3261E",
    ),
)

DARK: Final = Tokens(
    background="#1B1C1E",
    surface="#151617",
    card="#202225",
    floating="#2A2C30",
    line="#2C2E31",
    field_line="#4E5157",
    text="#ECECEA",
    muted="#A09F9A",
    question="#253130",
    code="#141516",
    hover="#222427",
    selected="#243735",
    accent="#4FC7BC",
    on_accent="#0C1F1E",
    accent_hover="#74D6CD",
    warning="#E0A94A",
    danger="#F0776C",
    warning_tint="#2B2519",
    danger_tint="#2F1F1E",
    shadow="#000000",
    syntax=SyntaxColours(
        plain="#ECECEA",
        keyword="#D49BE6",
        string="#86D3A8",
        comment="#A09F9A",
        number="#8AB8F5",
        name="#ECECEA",
        function="#8AB8F5",
        type="#E3BE7B",
        operator="#C9C8C4",
        inserted="#86D3A8",
        deleted="#F59A91",
    ),
)

# For people who ask for more contrast: all text at least 7:1 on every ground it is on, lines as strong as hints.
LIGHT_CONTRAST: Final = Tokens(
    background="#FFFFFF",
    surface="#FFFFFF",
    card="#FFFFFF",
    floating="#FFFFFF",
    line="#4A4A4A",
    field_line="#4A4A4A",
    text="#000000",
    muted="#262626",
    question="#E6F0EF",
    code="#F2F2F2",
    hover="#DADADA",
    selected="#CFE3E1",
    accent="#00504C",
    on_accent="#FFFFFF",
    accent_hover="#003B38",
    warning="#5C3A00",
    danger="#8A0F0A",
    warning_tint="#FFF4DC",
    danger_tint="#FDE8E6",
    shadow="#000000",
    syntax=SyntaxColours(
        plain="#000000",
        keyword="#6A1280",
        string="#00513A",
        comment="#404040",
        number="#0A3C8A",
        name="#000000",
        function="#0A3C8A",
        type="#5C3A00",
        operator="#262626",
        inserted="#00513A",
        deleted="#8A0F0A",
    ),
)

DARK_CONTRAST: Final = Tokens(
    background="#000000",
    surface="#000000",
    card="#0D0D0D",
    floating="#0D0D0D",
    line="#B0B0B0",
    field_line="#B0B0B0",
    text="#FFFFFF",
    muted="#E0E0E0",
    question="#1C2B2A",
    code="#0A0A0A",
    hover="#2A2A2A",
    selected="#1F3A38",
    accent="#6FF0E4",
    on_accent="#000000",
    accent_hover="#A5F7EF",
    warning="#FFC766",
    danger="#FFA8A0",
    warning_tint="#241B08",
    danger_tint="#2A1210",
    shadow="#000000",
    syntax=SyntaxColours(
        plain="#FFFFFF",
        keyword="#EAB8FA",
        string="#A5F0C5",
        comment="#D0D0D0",
        number="#B3D4FF",
        name="#FFFFFF",
        function="#B3D4FF",
        type="#FFD98C",
        operator="#E8E8E8",
        inserted="#A5F0C5",
        deleted="#FFA8A0",
    ),
)

# Colours of projects, by name: at least 4.5:1 under a white letter, and 3:1 on every ground of both looks.
PROJECT_COLOURS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Teal": "#0B7A75",
        "Blue": "#3A6FC4",
        "Indigo": "#6061CF",
        "Purple": "#8A55C2",
        "Magenta": "#B0459A",
        "Red": "#C0453C",
        "Orange": "#B45A1E",
        "Olive": "#75701F",
        "Green": "#3B7D3B",
        "Slate": "#5F6F80",
    }
)


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two ``#RRGGBB`` colours, 1 to 21:
    https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def ink_on(ground: str) -> str:
    """Black or white, whichever is read better on a colour that a person chose."""
    return max(("#FFFFFF", "#000000"), key=lambda ink: contrast(ink, ground))


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
