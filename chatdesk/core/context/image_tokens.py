"""Counts the tokens of a picture by the rules that vendors publish; an estimate for all others. Pure.

OpenAI ("Images and vision", Calculating costs) counts tiles of 512 pixels after fitting the picture into 2048 × 2048
and its shorter side to 768, or for smaller models patches of 32 pixels, at most 1,536 of them, times a factor.
Anthropic counts a token for 750 pixels after fitting the longer side to 1568. What nobody documents is counted as for
OpenAI's larger models.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_TILE_PX, _FIT_PX, _SHORT_PX = 512, 2048, 768
_PATCH_PX, _MOST_PATCHES = 32, 1536
_ANTHROPIC_LONGEST_PX, _ANTHROPIC_PIXELS_PER_TOKEN = 1568, 750


@dataclass(frozen=True, slots=True)
class _Tiles:
    base: int
    tile: int

    def tokens(self, width: int, height: int) -> int:
        scale = min(1.0, _FIT_PX / max(width, height))
        wide, high = width * scale, height * scale
        scale = min(1.0, _SHORT_PX / min(wide, high))
        tiles = math.ceil(wide * scale / _TILE_PX) * math.ceil(high * scale / _TILE_PX)
        return self.base + self.tile * tiles


@dataclass(frozen=True, slots=True)
class _Patches:
    factor: float

    def tokens(self, width: int, height: int) -> int:
        patches = math.ceil(width / _PATCH_PX) * math.ceil(height / _PATCH_PX)
        return math.ceil(min(patches, _MOST_PATCHES) * self.factor)


@dataclass(frozen=True, slots=True)
class _Area:
    def tokens(self, width: int, height: int) -> int:
        scale = min(1.0, _ANTHROPIC_LONGEST_PX / max(width, height))
        return math.ceil(width * scale * height * scale / _ANTHROPIC_PIXELS_PER_TOKEN)


_USUAL = _Tiles(85, 170)
# The first that a name begins with.
_RULES: tuple[tuple[re.Pattern[str], _Tiles | _Patches | _Area], ...] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (r"gpt-4o-mini", _Tiles(2833, 5667)),
        (r"gpt-(4\.1|5(\.\d+)?)-mini", _Patches(1.62)),
        (r"gpt-(4\.1|5(\.\d+)?)-nano", _Patches(2.46)),
        (r"gpt-5", _Tiles(70, 140)),
        (r"o4-mini", _Patches(1.72)),
        (r"o[13]", _Tiles(75, 150)),
        (r"claude", _Area()),
    )
)


def image_tokens(model: str, width: int, height: int) -> int:
    """Return the tokens of a picture with that many pixels."""
    name = model.lower().rsplit("/", 1)[-1]
    rule = next((rule for pattern, rule in _RULES if pattern.match(name)), _USUAL)
    return rule.tokens(max(width, 1), max(height, 1))
