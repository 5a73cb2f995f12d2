"""Guesses the encoding of a text that is not Unicode, for tables and short texts too.

Each old encoding is tried. What counts is whether the characters are ordinary: the common ones of a writing system,
whole words in the alphabet of one language, capitals where they belong. General detectors measure how often letters
stand beside each other; in a table of names there are too few.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable
from itertools import islice
from typing import Final, NamedTuple

from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.texts import shortened

_ESCAPED: Final = "iso2022_jp_2"
# The part of a text that is examined.
SAMPLE_BYTES: Final = 64 * 1024
_MOST_TELLING: Final = 4 * 1024
_MOST_WORDS: Final = 3_000
_MOST_READINGS, _LONGEST_SAMPLE = 8, 60
_CJK_PLAIN = re.compile("[\u3000-\u30ff\uff01-\uff60\uffe5\u4e00-\u9fff\uac00-\ud7a3]")
# Double-byte encodings: the codec to read with, the basic character set it extends, and the lead bytes of that set's
# common characters.
_DOUBLE: Final = (
    ("cp932", "shift_jis", range(0x81, 0x98)),
    ("gb18030", "gb2312", range(0xA1, 0xD8)),
    ("big5", "big5", range(0xA1, 0xC7)),
    ("cp949", "euc_kr", range(0xA1, 0xC9)),
    ("euc_jp", "euc_jp", range(0xA1, 0xD0)),
)
# Letters beyond ASCII of each language, by the encodings that have them.
_LATIN: Final = {
    "cp1252": (
        "äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúü", "àáâãçéêíóôúü", "àèéìíîòóùú", "äåöé", "æøåéôòü", "äöåšž", "éëïóöü",
        "éïñèöç", "áðéíóúýþæö", "àçèéíïòóúü",
    ),
    "cp1250": ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíľňóôšťúýž", "áéíóöőúüű", "ăâîșțşţ", "čćđšž", "äöüß"),
    "cp1254": ("çğıöşüâîûİ",),
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž"),
}  # fmt: skip
_HEBREW: Final = "אבגדהוזחטיךכלםמןנסעףפץצקרשת"
_ALPHABETS: Final = {
    **_LATIN,
    "cp1251": (
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
        "абвгдђежзијклљмнњопрстћуфхцчџш",
    ),
    "koi8_r": ("абвгдеёжзийклмнопрстуфхцчшщъыьэюя",),
    "koi8_u": ("абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",),
    "cp866": ("абвгдеёжзийклмнопрстуфхцчшщъыьэюя",),
    "cp1253": ("αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",),
    "mac_cyrillic": ("абвгдеёжзийклмнопрстуфхцчшщъыьэюя",),
    "cp1255": (_HEBREW,),
    "cp862": (_HEBREW,),
    "cp1256": ("ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگ",),
    "cp874": ("".join(map(chr, range(0x0E01, 0x0E3B))) + "".join(map(chr, range(0x0E40, 0x0E5C))),),
    "iso8859_2": _LATIN["cp1250"],
    "iso8859_15": _LATIN["cp1252"],
}
_LEAST_SCORE: Final = 0.5
# Below these a person is asked. Of texts that were not used to find them, 0.4 % are read wrong without a question.
_SURE_SCORE: Final = 0.7
_SURE_LEAD: Final = 0.05
_LEAST_UNMARKED: Final = 8
_SEPARATORS: Final = frozenset("\t\n\r ,;")
_OF_NO_TEXT: Final = frozenset(("Cc", "Cn", "Co", "Cs"))
_NAMES: Final = {
    "cp932": "Shift_JIS",
    "euc_jp": "EUC-JP",
    "gb18030": "GB18030",
    "big5": "Big5",
    "cp949": "EUC-KR",
    "cp874": "Windows-874",
    "iso8859_2": "ISO 8859-2",
    "iso8859_15": "ISO 8859-15",
}
_SIGNS: Final = frozenset("–—‘’“”„‚«»‹›…•·°§©®™€£¥¢¿¡ªº±×÷½¼¾²³µ†‡№\u00a0\u00ad")
_WITHOUT_CASE: Final = frozenset(("cp1255", "cp862", "cp1256", "cp874"))
_WORDS = re.compile(r"[^\W\d_]+", re.UNICODE)
# Letters that are words.
_ALONE: Final = frozenset("авикосуяєійзжбοηὁ")
# The weight of a letter that no text in one language uses, as in a foreign name.
_OTHER_LANGUAGE: Final = 0.5
_COMMON_CYRILLIC: Final = frozenset("оеаинтсрвлкмдпуяії")


class Guess(NamedTuple):
    """An encoding, and how ordinary the text is in it, from 0 to 1."""

    encoding: str
    score: float


class Reading(NamedTuple):
    """A way to read a text: the encoding, its common name, and a line of the text in it."""

    encoding: str
    name: str
    sample: str


class Readings(NamedTuple):
    """The ways to read a text, the likeliest first. ``is_unsure``: the text may well be another one than in the first,
    so that a person has to say."""

    found: tuple[Reading, ...] = ()
    is_unsure: bool = False


def guessed(data: bytes) -> str:
    """Return the most likely encoding of a text that is not Unicode; where no known one makes sense, the one that a
    general detector finds."""
    sample = _telling(data)
    best = max(_guesses(sample), key=_score, default=Guess("cp1252", 0))
    if best.score >= _LEAST_SCORE:
        return best.encoding
    from charset_normalizer import from_bytes

    other = from_bytes(sample).best()
    return best.encoding if other is None else other.encoding


def unmarked_unicode(data: bytes) -> str:
    """Return the encoding of a text of two bytes a character that has no mark at its beginning; empty for other data.
    Its characters are known ones, and among them are spaces, commas or ends of lines, which have a zero byte."""
    sample = data[:SAMPLE_BYTES]
    if b"\0" not in sample or len(sample) < _LEAST_UNMARKED:
        return ""
    found: list[tuple[int, str]] = []
    for encoding, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(sample)
        except UnicodeDecodeError:
            continue
        kinds = {unicodedata.category(each) for each in set(text) - _SEPARATORS}
        if _SEPARATORS & set(text) and not kinds & _OF_NO_TEXT:
            found.append((zeros.count(0), encoding))
    return max(found)[1] if found else ""


def escaped(data: bytes) -> str:
    """Return the encoding of an ASCII text with escape sequences (ISO-2022, as in Japanese mail); empty for other
    data."""
    sample = data[:SAMPLE_BYTES]
    if b"\x1b$" not in sample or not sample.isascii():
        return ""
    try:
        codecs.getincrementaldecoder(_ESCAPED)().decode(sample)
    except UnicodeDecodeError:
        return ""
    return _ESCAPED


def readings(data: bytes) -> Readings:
    """Return how a text that is not Unicode can be read, each way differently; none of Unicode."""
    if _is_unicode(data):
        return Readings()
    sample = _telling(data)
    ranked = _ranked(sample)
    found: dict[str, Reading] = {}
    first = guessed(data)
    for encoding, text in [(first, sample.decode(first, "replace")), *((each.encoding, text) for each, text in ranked)]:
        line = sample_of(text)
        found.setdefault(line, Reading(encoding, name_of(encoding), line))
    (best, text), *others = ranked or [(Guess("", 0), "")]
    next_best = next((guess.score for guess, other in others if other != text), 0)
    is_unsure = best.score < _SURE_SCORE or best.score - next_best < _SURE_LEAD
    return Readings(tuple(found.values())[:_MOST_READINGS], is_unsure)


def sample_of(text: str) -> str:
    """Return the first line with characters beyond ASCII, by which a person sees whether a text is read well; without
    controls and marks of direction, which could make it look like another."""
    line = next((line for line in text.splitlines() if not line.isascii()), "")
    return shortened(clean_line(line), _LONGEST_SAMPLE)


def name_of(encoding: str) -> str:
    """Return the name under which people know an encoding."""
    plain = encoding.upper().replace("_", "-")
    return _NAMES.get(encoding) or plain.replace("CP125", "Windows-125")


def _telling(data: bytes) -> bytes:
    """Return lines from the beginning that show how a text is encoded: those that are not plain ASCII."""
    beginning = data[:SAMPLE_BYTES]
    if len(data) > SAMPLE_BYTES:  # not to the middle of a character
        beginning = beginning[: beginning.rfind(b"\n") + 1] or beginning
    found = bytearray()
    for line in beginning.splitlines(keepends=True):
        if not line.isascii():
            found += line
        if len(found) > _MOST_TELLING:
            break
    return bytes(found)


def _is_unicode(data: bytes) -> bool:
    sample = data[:SAMPLE_BYTES]
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or unmarked_unicode(sample):
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=len(data) <= SAMPLE_BYTES)
    except UnicodeDecodeError:
        return False
    return True


def _score(guess: Guess) -> float:
    return guess.score


def _ranked(sample: bytes) -> list[tuple[Guess, str]]:
    """Return the guesses with the text in each, the likeliest first."""
    best_first = sorted(_guesses(sample), key=_score, reverse=True)
    return [(guess, sample.decode(guess.encoding, "replace")) for guess in best_first]


def _guesses(sample: bytes) -> Iterable[Guess]:
    yield from _double_guesses(sample)
    yield from _single_guesses(sample)


def _double_guesses(data: bytes) -> Iterable[Guess]:
    for encoding, basic, common in _DOUBLE:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        others = [at for at, each in enumerate(text) if not each.isascii()]
        if others:
            # Every syllable of Korean is a common character of Chinese, but seldom the other way round.
            first = 0.01 if encoding == "cp949" else 0
            fitting = sum(_ordinary(text[at], basic, common) * _swallows_none(text, at, basic) for at in others)
            yield Guess(encoding, fitting / len(others) + first)


def _ordinary(character: str, basic: str, common: range) -> float:
    if "\uff61" <= character <= "\uff9f":
        return 0.3  # half-width kana: single bytes, which anything can be read as
    if "\u3040" <= character <= "\u30ff" and basic not in ("shift_jis", "euc_jp"):
        return 0.2  # kana
    try:
        first, *others = character.encode(basic)
    except UnicodeEncodeError:
        return 0.0
    return 1.0 if first in common and len(others) == 1 and _CJK_PLAIN.match(character) else 0.2


def _swallows_none(text: str, at: int, basic: str) -> float:
    """Return whether a character stands among its like; one alone with a plain letter for its second byte is more
    likely a sign before that letter."""
    is_alone = text[at - 1 : at].isascii() and text[at + 1 : at + 2].isascii()
    return 0.4 if is_alone and chr(text[at].encode(basic, "replace")[-1]).isascii() else 1.0


def _single_guesses(data: bytes) -> Iterable[Guess]:
    for place, (encoding, alphabets) in enumerate(_ALPHABETS.items()):
        text = data.decode(encoding, "replace")
        others = [each for each in text if not each.isascii()]
        if "\ufffd" in text or not others:
            continue
        signs = sum(_sign_fits(text, at) for at, each in enumerate(text) if not each.isascii() and not _is_letter(each))
        # The small form of İ has two characters.
        letters = [each.lower() if len(each.lower()) == 1 else each for each in others if _is_letter(each)]
        best = max(sum(map(set(alphabet).__contains__, letters)) for alphabet in alphabets) if letters else 0
        known = sum(map(set("".join(alphabets)).__contains__, letters))
        words = [each for each in islice(_WORDS.finditer(text), _MOST_WORDS) if not each[0].isascii()]
        fits = _length_fits if encoding in _WITHOUT_CASE else _case_fits
        known_alone = _ALONE if any(len(each[0]) > 1 for each in words) else frozenset("")
        cased = sum(fits(each[0]) * _place_fits(each, text, known_alone) for each in words) / max(len(words), 1)
        cased = cased if words else 1.0
        common = 0.03 * sum(each in _COMMON_CYRILLIC for each in letters) / len(others)
        fitting = best + _OTHER_LANGUAGE * (known - best) + signs
        yield Guess(encoding, fitting / len(others) * cased - place * 0.001 + common)


def _is_letter(character: str) -> bool:
    return character.isalpha() or unicodedata.combining(character) > 0


def _sign_fits(text: str, at: int) -> float:
    """Return how well a punctuation mark fits: whether people write it, and write it in this position."""
    sign = text[at]
    if sign not in _SIGNS:
        return 0.0
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if sign in "’‘·\u00ad" or (sign in "–—" and not (before.isalpha() or after.isalpha())):
        return 1.0
    return 0.3 if before.isalpha() and after.isalpha() else 0.2 if sign in "¿¡„‚£" and before.isalpha() else 0.8


def _place_fits(word: re.Match[str], text: str, known: frozenset[str]) -> float:
    """Return whether a letter that stands alone may do so; else it is a sign of another encoding, such as a dash."""
    letter = word[0].lower()
    after = text[word.end() : word.end() + 1]
    is_latin = unicodedata.name(letter[0], "").startswith("LATIN")
    # such as a pound sign before a number
    is_odd = after.isdigit() if is_latin else letter not in known and after != "."
    return 0.5 if len(letter) == 1 and is_odd else 1.0


def _length_fits(word: str) -> float:
    if len({unicodedata.name(each, "?").split()[0] for each in word}) > 1:
        return 0.3
    return 1.05 if len(word) > 1 else 0.5


def _case_fits(word: str) -> float:
    scripts = {unicodedata.name(each, "?").split()[0] for each in word}
    if len(scripts) > 1:
        return 0.3
    if word.islower() or word.istitle() or not (word.isupper() or word.lower() != word):
        return 1.0
    if word.isupper():
        return 0.95 if len(word) > 1 else 1.0
    return 0.5 if word[1:].islower() or (word[:1].isupper() and word[1:].islower()) else 0.4
