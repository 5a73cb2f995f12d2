"""The first words of a message for a list of one line each, without the marks of Markdown."""

from __future__ import annotations

import re
from typing import Final

# A preview is one line, so what began a line may be within it.
_FIRST_MARKS: Final = re.compile(r"^(?:#{1,6}\s+|>\s?|[-*+]\s+(?:\[[ xX]\]\s+)?)")
_INNER_MARKS: Final = re.compile(r"(?<!\S)(?:#{2,6}\s+|(?:```+|~~~+)\w*\s?)")
_LINK: Final = re.compile(r"!?\[([^\]\n]{0,200})\]\([^()\s]{0,500}\)")
_PAIRS: Final = re.compile(r"(\*\*|~~|`)(?=\S)([^\n]{1,300}?)(?<=\S)\1")


def plain_preview(text: str) -> str:
    """Return ``text`` without Markdown marks; what only looks like a mark, such as ``2 * 3``, stays."""
    plain = _LINK.sub(r"\1", _INNER_MARKS.sub("", _FIRST_MARKS.sub("", text.strip())))
    return _PAIRS.sub(r"\2", plain).strip() or text.strip()
