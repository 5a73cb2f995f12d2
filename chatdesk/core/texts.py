"""Holds sentences for people as a template and its fields, so that the edge of the program can show them in another
language.

Core makes a ``Text``, which is the English sentence for whatever keeps or compares it: a log, a file, a script. The
window and the command line show it with ``shown``, and their own words with ``tr``. What translates is installed once
at the start (``use_translation``); without it everything is English.

The catalogues are read out of the source by Qt's ``lupdate`` (``make translations``), which knows ``Text``, ``plural``
and ``tr`` by name. So their first argument is always written out, and ``tr`` is in no f-string.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, Final, Self, TypeGuard

# Returns the translation of a source, "" where there is none. The second argument is the English singular of a plural
# source, else what the text is about, the third its number, else -1.
Translate = Callable[[str, str, int], str]

_MIB = 2**20
# The least sum that is written as a number.
LEAST_COST_USD = 0.000_1
# Limits for a packed text, which may come from others: the longest template, sentence and number.
_LONGEST_SOURCE = 2_000
_LONGEST_SENTENCE = 100_000
_LARGEST_NUMBER = 2**63
_MOST_LISTED = 100
_FIELD = re.compile(r"\{(\w+)\}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
# The blank between two sentences where the first ends with a wide sign, which has its blank in itself.
_AFTER_WIDE_STOP = re.compile(r"(?<=[。！？]) (?=\S)")
_RIGHT_TO_LEFT_MARK: Final = "\u200f"


_translate: Translate | None = None
_number_text: Callable[[str], str] = str
_language_tag = "en"
_is_from_the_right = False


def use_translation(
    translate: Translate | None, number_text: Callable[[str], str] = str, language_tag: str = "en"
) -> None:
    """Translate from now on with ``translate``, None for English. ``number_text`` writes a number of the form
    ``1,234.5`` as the language does; ``language_tag`` names the language as web pages do, such as ``pt-BR``."""
    global _translate, _number_text, _language_tag, _is_from_the_right
    _translate, _number_text, _language_tag, _is_from_the_right = translate, number_text, language_tag, False


def read_from_the_right() -> None:
    """Show each line of the language in use as one that runs from right to left, also where its first letters are
    Latin: a label takes the direction of its first letter for that of the whole. ``use_translation`` ends it."""
    global _is_from_the_right  # noqa: PLW0603 - as the language itself
    _is_from_the_right = True


def use_translations(translations: Mapping[str, str], language_tag: str) -> None:
    """Translate from now on with the result of ``translations_of`` in another process."""
    use_translation(lambda source, about, _count: translations.get(f"{source}\0{about}", ""), language_tag=language_tag)


def translations_of(texts: Iterable[str]) -> dict[str, str]:
    """Return the translations of these texts, fields unfilled, for ``use_translations`` in another process; nothing
    while the program speaks English."""
    if _translate is None:
        return {}
    made = [text for text in texts if isinstance(text, Text)]
    return {f"{text.source}\0{text.singular}": _translate(text.source, text.singular, text.number) for text in made}


def language_tag() -> str:
    """Return the language of the program as web pages name it, such as ``pt-BR``."""
    return _language_tag


def is_translated() -> bool:
    """Return whether the program speaks another language than English."""
    return _translate is not None


class Text(str):
    """An English sentence that remembers how it was made.

    ``source`` is a template with fields in braces, ``{name}``. Numbers among the fields are written as the language
    does (give an id, a port or a year as ``str``), fractions with three digits, a ``Decimal`` with all of its places. A
    field may be a ``Text`` itself, or a tuple of strings, which is written as a list: "Ana, Ben and Cleo". ``about``
    tells texts apart that are the same in English only, such as the archive and to archive; it is the comment of the
    entry in the catalogues.
    """

    __slots__ = ("fields", "number", "singular", "source")
    source: str
    fields: Mapping[str, object]
    singular: str
    number: int

    def __new__(cls, source: str, about: str = "", /, **fields: object) -> Self:
        return cls._made(source, about, -1, fields)

    @classmethod
    def _made(cls, source: str, singular: str, count: int, fields: Mapping[str, object]) -> Self:
        text = super().__new__(cls, _filled(singular if count == 1 else source, fields, _english) if fields else source)
        text.source, text.singular, text.number, text.fields = source, singular, count, fields
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (type(self), self.source, self.singular, self.number, self.fields)

    def filled(self, **fields: object) -> Text:
        """Return the same sentence with more of its fields filled."""
        return Text._made(self.source, self.singular, self.number, {**self.fields, **fields})

    def translated(self) -> str:
        """Return the sentence in the language of the program."""
        if _translate is None:
            return str(self)
        template = _translate(self.source, self.singular, self.number)
        if not template:
            template = self.singular if self.number == 1 else self.source
        elif _is_from_the_right:
            template = _begun_from_the_right(template)
        return _filled(template, self.fields, _in_language) if self.fields else template


class Sentences(Text):
    """Several sentences in a row, separated by spaces; each is translated by itself."""

    __slots__ = ()

    @classmethod
    def of(cls, *parts: str) -> Sentences:
        """Join the parts that are not empty."""
        kept = {str(place): part for place, part in enumerate(filter(None, parts))}
        return cls._made(" ".join(f"{{{place}}}" for place in kept), "", -1, kept)

    def translated(self) -> str:
        row = _filled(self.source, self.fields, _in_language)
        return row if _translate is None else _AFTER_WIDE_STOP.sub("", row)


def plural(many: str, one: str, count: int, /, **fields: object) -> Text:
    """Return the text for a number of things: ``plural("{count} messages", "{count} message", 2)``. ``{count}`` is
    filled with the number; a language has as many forms as it needs."""
    return Text._made(many, one, count, {"count": count, **fields})


def cost_text(cost_usd: float) -> Text:
    """Return dollars for a person: with cents from one dollar on, else two significant digits, four places at most. A
    sum above zero is never shown as zero."""
    if cost_usd == 0:
        return _dollars("0")
    if cost_usd >= 0.995:
        return _dollars(f"{cost_usd:.2f}")
    if cost_usd < LEAST_COST_USD:
        return Text("under {amount}", amount=_dollars(f"{LEAST_COST_USD:.4f}"))
    places = 2
    while cost_usd < 10.0 ** (1 - places) and places < 4:
        places += 1
    text = f"{cost_usd:.{places}f}"
    return _dollars(text.rstrip("0") if places > 2 else text)


def _dollars(amount: str) -> Text:
    return Text("${amount}", amount=Decimal(amount))


def size_text(size_bytes: int) -> Text:
    """Return a size in megabytes, a small one in bytes."""
    if size_bytes >= _MIB:
        return Text("{megabytes} MB", megabytes=size_bytes / _MIB)
    return plural("{count} bytes", "{count} byte", size_bytes)


def shortened(text: str, most: int) -> str:
    """Return ``text``, or its beginning with an ellipsis where it has more than ``most`` characters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def tr(source: str, about: str = "", /, **fields: object) -> str:
    """Return a sentence in the language of the program; the arguments are those of ``Text``. Called when something
    is shown, never while a module is imported."""
    if _translate is None:
        return _filled(source, fields, _english) if fields else source
    template = _translate(source, about, -1) or source
    if _is_from_the_right:
        template = _begun_from_the_right(template)
    return _filled(template, fields, _in_language) if fields else template


def shown(text: str) -> str:
    """Return the words for a person: a ``Text`` in the language of the program, any other string as it is."""
    return text.translated() if isinstance(text, Text) else text


def packed(text: str) -> object:
    """Return a string in the types of JSON, from which ``unpacked`` makes it again: a ``Text`` stays one in another
    process and in the database."""
    if not isinstance(text, Text):
        return text
    fields = {name: _packed_field(value) for name, value in text.fields.items()}
    kind = {"parts": True} if isinstance(text, Sentences) else {}
    return {"source": text.source, "singular": text.singular, "number": text.number, "fields": fields, **kind}


def unpacked(data: object, *, depth: int = 4) -> str:
    """Return the packed string; "" for anything else, and for one that is nested too deeply or too long. The data may
    be foreign: a source without a translation is only shown as it is."""
    if isinstance(data, str) or depth == 0:
        return data if isinstance(data, str) else ""
    source = data.get("source") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not _is_template(source):
        return ""
    given, number, singular = data.get("fields"), data.get("number"), data.get("singular")
    fields = {
        str(name): _unpacked_field(value, depth=depth - 1)
        for name, value in (given.items() if isinstance(given, Mapping) else ())
    }
    if sum(len(str(fields.get(name, ""))) for name in _FIELD.findall(source)) > _LONGEST_SENTENCE:
        return ""
    made = Sentences if data.get("parts") is True else Text
    if _is_template(singular) and isinstance(number, int) and not isinstance(number, bool):
        return made._made(source, singular, number, fields)
    return made._made(source, "", -1, fields)


def _is_template(source: object) -> TypeGuard[str]:
    if not isinstance(source, str) or len(source) > _LONGEST_SOURCE:
        return False
    try:
        source.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unpacked_number(value: float) -> float | str:
    return value if -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER else ""


def _packed_field(value: object) -> object:
    if isinstance(value, tuple):
        return [packed(str(each)) for each in value]
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    return packed(value) if isinstance(value, str) else value if isinstance(value, (int, float)) else str(value)


def _unpacked_field(value: object, *, depth: int) -> object:
    if isinstance(value, (list, tuple)):
        return tuple(unpacked(each, depth=depth) for each in value[:_MOST_LISTED])
    decimal = value.get("decimal") if isinstance(value, Mapping) else None
    if isinstance(decimal, str) and _DECIMAL.fullmatch(decimal):
        return Decimal(decimal)
    return _unpacked_number(value) if isinstance(value, (int, float)) else unpacked(value, depth=depth)


@cache  # there are as many as the catalogue has
def _begun_from_the_right(template: str) -> str:
    """Return a template with a mark before each line that is written from right to left and begins otherwise, or may,
    with a field."""
    return "\n".join(map(_marked, template.split("\n")))


def _marked(line: str) -> str:
    ways = [way for each in _FIELD.sub("a", line) if (way := unicodedata.bidirectional(each)) in ("L", "R", "AL")]
    return _RIGHT_TO_LEFT_MARK + line if ways[:1] == ["L"] and ways.count("L") < len(ways) else line


def _listed(words: Sequence[str], comma: str, last: str) -> str:
    if len(words) < 2:
        return "".join(words)
    return _FIELD.sub(lambda found: words[-1] if found[1] == "last" else comma.join(words[:-1]), last)


def _filled(template: str, fields: Mapping[str, object], value_text: Callable[[object], str]) -> str:
    return _FIELD.sub(lambda found: value_text(fields[found[1]]) if found[1] in fields else found[0], template)


def _english(value: object) -> str:
    if isinstance(value, tuple):
        return _listed(value, ", ", "{others} and {last}")
    if isinstance(value, float):
        decimals = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
        whole, point, decimal = f"{value:,.{decimals}f}".partition(".")
        return f"{whole}{point}{decimal}".rstrip("0").rstrip(".") if point else whole
    return f"{value:,}" if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else str(value)


def _in_language(value: object) -> str:
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return _number_text(_english(value))
    if isinstance(value, tuple):
        words = [_in_language(each) for each in value]
        return _listed(words, _COMMA.translated(), _LISTED.translated())
    return value.translated() if isinstance(value, Text) else str(value)


_COMMA, _LISTED = Text(", "), Text("{others} and {last}")


def _unpickled(cls: type[Text], source: str, singular: str, count: int, fields: Mapping[str, object]) -> Text:
    return cls._made(source, singular, count, fields)
