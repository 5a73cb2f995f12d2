"""The code that reading and writing inline Markdown share, without the parser, which the window does not load."""

from __future__ import annotations

import re
import unicodedata

MAX_MATH_CHARS = 1000
CJK = re.compile(
    "[\u1100-\u11ff\u2e80-\u303f\u3040-\u30ff\u3100-\u31ff\u3200-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
)


def is_punctuation(sign: str) -> bool:
    """Return whether ``sign`` is punctuation by CommonMark: punctuation and symbols of Unicode, which all of ASCII's
    are."""
    return unicodedata.category(sign)[0] in "PS"
