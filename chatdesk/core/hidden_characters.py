"""Handles characters that have no picture of their own: they hide, turn a line round, or command a terminal.

In text that others wrote they are spelt out, and in names they are removed. Pure text in, text out.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

_SURROGATES = re.compile("[\ud800-\udfff]")

# Characters without a picture of their own: C0 and C1 controls, soft hyphen, fillers, zero-width and bidi controls,
# line and paragraph separators, variation selectors, annotation marks, non-characters, shorthand and musical controls,
# and the tags block with the reserved range after it.
_SUSPECTS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
_FLAGS = re.compile(
    "\U0001f3f4\U000e0067\U000e0062"
    "(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f"
)
# Letters of scripts in which a joiner or non-joiner changes the shape: Arabic and kin, Syriac to Thaana, Indic to
# Khmer, Mongolian.
_JOINING = re.compile(
    "[\u0600-\u07ff\u0840-\u08ff\u0900-\u0dff\u0e00-\u0fff\u1000-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc]"
)
# Scripts without blanks between words, where a zero-width space lets a line break: Thai, Lao, Myanmar, Khmer.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\ua9e0-\ua9ff\uaa60-\uaa7f]")
_PICTURE = re.compile("[\u00a9\u00ae\u203c-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff\ufe0f]")
_KEYCAP = re.compile("[#*0-9]\ufe0f\u20e3")
# What Unicode lists variants of besides pictures and ideographs: mathematical signs, Myanmar, Phags-pa, Manichaean,
# punctuation of East Asia.
_VARYING = re.compile("[\u1000-\u109f\u2200-\u2aff\u3000-\u30ff\ua840-\ua877\uff00-\uffef\U00010ac0-\U00010aff]")
_IDEOGRAPH = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")

_LETTERS = re.compile(r"[^\W\d_]{2,}")
_LOOK_ALIKES = frozenset(("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU", "FULLWIDTH", "MATHEMATICAL"))
# Signs that look like others in nearly every font: as they are written, and in lower case.
_ALIKE_AS_WRITTEN = str.maketrans("ВНКМТУΒΗΚΜΝΡΤΥΧΖΙІӀI|10", "BHKMTYBHKMNPTYXZllllllO")
_ALIKE = str.maketrans("аеорсухіјѕԁһԛԝӏαοινρκτυχ", "aeopcyxijsdhqwlaoivpktux")


def visible_controls(text: str) -> str:
    """Return ``text`` with invisible and direction-changing characters spelt out as ``⟦U+202E⟧``.

    Kept as they are: tab and newline, joiners inside emoji and inside scripts that need them, zero-width spaces between
    letters of scripts without blanks, one variation selector after a character that has variants, and the tag sequences
    of the three flags that Unicode lists. Lone surrogates become U+FFFD.
    """
    if text.isascii():
        if text.isprintable():
            return text
    else:
        text = _SURROGATES.sub("\ufffd", text)
    if _SUSPECTS.search(text) is None:
        return text
    flags = [match.span() for match in _FLAGS.finditer(text)]

    def spell(match: re.Match[str]) -> str:
        at = match.start()
        if _is_legitimate(text, at) or any(start < at < end for start, end in flags):
            return match[0]
        return f"⟦U+{ord(match[0]):04X}⟧"

    return _SUSPECTS.sub(spell, text)


def _is_legitimate(text: str, at: int) -> bool:
    character = text[at]
    before = text[at - 1] if at else ""
    after = text[at + 1] if at + 1 < len(text) else ""
    if not before:
        return False
    if character == "\u200d":
        if _PICTURE.match(before) or 0x1F3FB <= ord(before) <= 0x1F3FF:
            return bool(_PICTURE.match(after))
        return bool(_JOINING.match(before))
    if character == "\u200b":
        return bool(_UNSPACED.match(before)) and bool(_UNSPACED.match(after))
    if character == "\u200c":
        return bool(_JOINING.match(before)) and bool(_JOINING.match(after))
    if character in "\ufe0e\ufe0f":
        return bool(_PICTURE.match(before) and before != "\ufe0f") or bool(_KEYCAP.match(text, at - 1))
    if "\ufe00" <= character <= "\ufe0d":
        return bool(_VARYING.match(before) or _IDEOGRAPH.match(before))
    if "\U000e0100" <= character <= "\U000e01ef":
        return bool(_IDEOGRAPH.match(before))
    return "\u180b" <= character <= "\u180d" and "\u1820" <= before <= "\u18aa"


# Characters that only affect line breaks, joining or glyphs; and line separators.
_ADVICE = frozenset("\xad\u034f\u200b\u200c\u200d\u2028\u2029\u2060\u2061\u2062\u2063\u2064\ufeff") | frozenset(
    map(chr, range(0xFE00, 0xFE10))
)
_DIRECTION_MARKS = frozenset("\u061c\u200e\u200f")
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_RUNS_OF_SUSPECTS = re.compile(f"{_SUSPECTS.pattern}+")
# A longer run than a person types hides a message.
_MOST_ADVICE = 2


def readable_prose(text: str, *, turns: bool | None = None) -> str:
    """Return running text in readable form: deceptive characters are spelt out as in ``visible_controls``, and
    characters that only affect the layout are left out. Marks of direction stay around right-to-left letters, according
    to ``turns`` for the paragraph (None: by ``text`` itself). Colours of a terminal are left out, and line separators
    become line ends."""
    if text.isascii():
        if text.isprintable():
            return text
    else:
        text = _SURROGATES.sub("\ufffd", text)
    if _SUSPECTS.search(text) is None:
        return text
    if "\x1b" in text:
        text = _TERMINAL_COLOURS.sub("", text)
    keeps_marks = has_right_to_left(text) if turns is None else turns
    flags = [match.span() for match in _FLAGS.finditer(text)]

    def soften(match: re.Match[str]) -> str:
        run, start = match[0], match.start()
        kept = [
            _is_legitimate(text, at) or any(first < at < end for first, end in flags)
            for at in range(start, match.end())
        ]
        is_advice = [sign in _ADVICE or sign in _DIRECTION_MARKS for sign in run]
        hides = sum(advises and not stays for advises, stays in zip(is_advice, kept, strict=True)) > _MOST_ADVICE
        made = []
        for sign, stays, advises in zip(run, kept, is_advice, strict=True):
            if stays or (sign in _DIRECTION_MARKS and keeps_marks and not hides):
                made.append(sign)
            elif hides or not advises:
                made.append(f"⟦U+{ord(sign):04X}⟧")
            elif sign in "\u2028\u2029":
                made.append("\n")
        return "".join(made)

    return _RUNS_OF_SUSPECTS.sub(soften, text)


def has_right_to_left(text: str) -> bool:
    """Return whether any letter of ``text`` is of a script that is written from right to left."""
    return not text.isascii() and _RIGHT_TO_LEFT.search(text) is not None


# Sequences that only colour a terminal's text, or clear the rest of its line.
_TERMINAL_COLOURS = re.compile("\x1b\\[[0-9;:]{0,40}[mK]")
_HALF_A_COLOUR = re.compile("\x1b(?:\\[[0-9;:]{0,40})?$")


def visible_code(text: str, *, is_whole: bool = True) -> str:
    """Return ``text`` of code as it is shown: without the colours of a terminal, other controls spelt out. Unless it
    ``is_whole``, an incomplete colour sequence at its end is left out."""
    if "\x1b" in text:
        text = _TERMINAL_COLOURS.sub("", text)
        if not is_whole:
            text = _HALF_A_COLOUR.sub("", text)
    return visible_controls(text)


def escaped_in_json(document: str) -> str:
    """Return a JSON document with the same value in which all invisible and direction-changing characters are written
    as JSON's own escapes, so that a reader sees its true content."""
    return _SUSPECTS.sub(lambda match: json.dumps(match[0])[1:-1], document)


def has_hidden(text: str) -> bool:
    """Return whether any character in ``text`` has no picture of its own, legitimate or not."""
    return _SUSPECTS.search(text) is not None


def distinct_name(text: str) -> str:
    """Return a name on one line that cannot pass for another: hidden characters are spelt out, and in a word with Latin
    letters those of scripts that have the same shapes."""
    line = " ".join(visible_controls(text).split())
    return line if line.isascii() else _LETTERS.sub(_spell_look_alikes, line)


def look_of(name: str) -> str:
    """Return a key that is equal for names that look the same to a person, whatever their case, marks and blanks."""
    if name.isascii() and name.isprintable():
        return name.translate(_ALIKE_AS_WRITTEN).replace(" ", "").casefold()
    written = unicodedata.normalize("NFKD", name).translate(_ALIKE_AS_WRITTEN)
    bare = (each for each in written if not (unicodedata.combining(each) or each.isspace() or _SUSPECTS.match(each)))
    return "".join(bare).casefold().translate(_ALIKE)


def told_apart(names: Mapping[str, str]) -> dict[str, str]:
    """Return names by id, the oldest first, as a person chooses among them: where several look the same, as
    ``distinct_name``, and all but the first of those that look the same still with a number."""
    looks = {each: look_of(name) for each, name in names.items()}
    count = Counter(looks.values())
    shown: dict[str, str] = {}
    taken: set[str] = set()
    numbers: Counter[str] = Counter()
    for each, name in names.items():
        made = kept = distinct_name(name) if count[looks[each]] > 1 else clean_line(name)
        # Counted by the look: thousands of names may look the same and be spelt each in its own way.
        look = first = looks[each] if kept == name else look_of(kept)
        while look in taken:
            numbers[first] += 1
            made = f"{kept} ({numbers[first] + 1})"
            look = look_of(made)
        taken.add(look)
        shown[each] = made
    return shown


def strangers_name(text: str, longest: int) -> str:
    """Return the name that a stranger chose, at most ``longest`` characters of it, as ``distinct_name`` and without
    private or unknown characters."""
    line = distinct_name(text[: 4 * longest])
    if not line.isprintable():
        line = "".join(sign if sign.isprintable() or _SUSPECTS.match(sign) else " " for sign in line)
    return " ".join(line.split())[:longest]


def _spell_look_alikes(word: re.Match[str]) -> str:
    scripts = [unicodedata.name(letter, "").partition(" ")[0] for letter in word[0]]
    if "LATIN" not in scripts:
        return word[0]
    pairs = zip(word[0], scripts, strict=True)
    return "".join(f"⟦U+{ord(letter):04X}⟧" if script in _LOOK_ALIKES else letter for letter, script in pairs)


def clean_line(text: str) -> str:
    """Return ``text`` on one line for a title or a name: controls become blanks; format characters (direction, zero
    width, tags), surrogates and private characters are removed. Joiners stay: emoji and several scripts need them."""
    if not text.isprintable():
        text = "".join(filter(None, map(_in_a_line, text)))
    return " ".join(text.split())


def _in_a_line(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    return "" if category in ("Cs", "Co") or (category == "Cf" and character not in "\u200c\u200d") else character
