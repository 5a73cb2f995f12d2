"""Orders names as people expect them in a list, alike in every language and on every computer."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_RUNS: Final = re.compile(r"\d+|\D+")
# Letters that Unicode does not take apart into a base letter and its mark.
_BASES: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
    # Katakana stand at their hiragana.
    | {chr(each): chr(each - 0x60) for each in range(0x30A1, 0x30F7)}
)


def name_key(name: str) -> str:
    """Return the key by which a name is sorted, in the database too: letters by their base, digits by the number that
    they write. Marks and case decide only between names that are the same otherwise."""
    apart = unicodedata.normalize("NFKD", name.casefold()).translate(_BASES)
    base = "".join(each for each in apart if not unicodedata.combining(each))
    # A name comes before those that go on after it, and a number before any letter.
    return "".join(map(_run_key, _RUNS.findall(base))) + f"\x01{name}"


def _run_key(run: str) -> str:
    """Return the key of a run of digits or of other characters; a number is sorted by its length first."""
    if not run[0].isdecimal():
        return run
    digits = "".join(str(unicodedata.decimal(each)) for each in run).lstrip("0")
    return f"\x02{len(digits):06}{digits}"
