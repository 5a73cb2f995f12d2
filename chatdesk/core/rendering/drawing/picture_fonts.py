"""Chooses the fonts of drawn pictures, and measures text in them. Runs in the drawing process.

Our own fonts come first; those of the system are loaded only for letters that ours lack, such as Chinese. A letter that
neither has raises ``MissingLetters``: an empty box says nothing, so the source stays instead.
"""

from __future__ import annotations

import io
import unicodedata
from functools import cache, lru_cache
from typing import Any, Final

from chatdesk.core.paths import resources_dir

_FAMILY: Final = "Inter"
_FILES: Final = {False: "Inter-Regular.ttf", True: "Inter-Bold.ttf"}  # by boldness
_NO_LETTER: Final = "\u0378"  # no font has this character
_CELL_PX: Final = 24
_CELLS_A_ROW: Final = 32
_MOST_LETTERS: Final = 1_000
_MOST_REMEMBERED: Final = 4_096
_MEASURED_PX: Final = 64
# Characters that are never drawn alone: combining marks, spaces and format characters.
_UNSEEN: Final = frozenset(("Mn", "Me", "Mc", "Cc", "Cf", "Zs", "Zl", "Zp"))
_WIDE_EM, _EMOJI_EM, _OTHER_EM = 1.0, 1.4, 0.75  # estimates for letters of system fonts, with room to spare
_known_letters: dict[str, bool] = {}


class MissingLetters(ValueError):
    """No font of this computer has a letter of the text."""


def font_options(rasteriser: Any, text: str) -> dict[str, Any]:
    """Return the options of fonts that the rasteriser gets to draw ``text``. Raises ``MissingLetters``."""
    foreign = foreign_letters(text)
    options = {
        "font_dirs": [str(resources_dir() / "fonts")],
        "font_family": _FAMILY,
        "sans_serif_family": _FAMILY,
        "monospace_family": "JetBrains Mono",
        "skip_system_fonts": not foreign,
    }
    if not all(map(_known_letters.get, foreign)):
        if len(foreign) > _MOST_LETTERS:
            raise MissingLetters
        _known_letters.update(_drawn_letters(rasteriser, sorted(foreign), options))
        if not all(map(_known_letters.get, foreign)):
            raise MissingLetters
    return options


def foreign_letters(text: str) -> set[str]:
    """Return the letters that our own font lacks."""
    return {letter for letter in set(text) if unicodedata.category(letter) not in _UNSEEN and not _is_own(letter)}


def width_of(text: str, size: float, *, is_bold: bool) -> float:
    """Return the width of the longest line in the unit of ``size``."""
    return size * max(sum(_width_em(letter, is_bold) for letter in line) for line in text.split("\n"))


@lru_cache(maxsize=_MOST_REMEMBERED)
def _width_em(letter: str, is_bold: bool) -> float:
    if _is_own(letter):
        return float(_font(is_bold).getlength(letter)) / _MEASURED_PX
    if unicodedata.category(letter) in _UNSEEN:
        return 0.0
    if unicodedata.category(letter) == "So":
        return _EMOJI_EM
    return _WIDE_EM if unicodedata.east_asian_width(letter) in "WF" else _OTHER_EM


@lru_cache(maxsize=_MOST_REMEMBERED)
def _is_own(letter: str) -> bool:
    font = _font(False)
    return letter.isascii() or bytes(font.getmask(letter)) != bytes(font.getmask(_NO_LETTER))


@cache
def _font(is_bold: bool) -> Any:
    from PIL import ImageFont

    file = resources_dir() / "fonts" / _FILES[is_bold]
    return ImageFont.truetype(file, _MEASURED_PX, layout_engine=ImageFont.Layout.BASIC)


def _drawn_letters(rasteriser: Any, letters: list[str], options: dict[str, Any]) -> dict[str, bool]:
    """Return for each letter whether it is drawn otherwise than one that no font has: the rasteriser does not tell."""
    from PIL import Image

    cells = [_NO_LETTER, *letters]
    rows = -(-len(cells) // _CELLS_A_ROW)
    places = [(at % _CELLS_A_ROW * 2 * _CELL_PX, at // _CELLS_A_ROW * 2 * _CELL_PX) for at in range(len(cells))]
    texts = (
        f'<text x="{x + _CELL_PX // 2}" y="{y + _CELL_PX * 3 // 2}">&#{ord(letter)};</text>'
        for letter, (x, y) in zip(cells, places, strict=True)
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_CELLS_A_ROW * 2 * _CELL_PX}" height="{rows * 2 * _CELL_PX}"'
        f' font-size="{_CELL_PX}" font-family="{_FAMILY}">{"".join(texts)}</svg>'
    )
    picture = Image.open(io.BytesIO(bytes(rasteriser.svg_to_bytes(svg_string=svg, **options))))
    drawn = [picture.crop((x, y, x + 2 * _CELL_PX, y + 2 * _CELL_PX)).tobytes() for x, y in places]
    nothing = (drawn[0], bytes(len(drawn[0])))
    return {letter: cell not in nothing for letter, cell in zip(letters, drawn[1:], strict=True)}
