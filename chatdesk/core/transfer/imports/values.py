"""Checks and converts values of foreign exports, which may be of any type: texts, numbers, times, keys."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from chatdesk.core.domain.artifacts.code_blocks import fence_for
from chatdesk.core.domain.imported import ImportedMessage
from chatdesk.core.domain.message import PartType, Role
from chatdesk.core.texts import shortened

# Before the first and after the last of these a moment is a mistake: no chat is older than 1990.
EARLIEST_MS: Final = 631_152_000_000
LATEST_MS: Final = 4_102_444_800_000
_LARGEST_SECONDS, _LARGEST_MS, _LARGEST_US = 1e11, 1e14, 1e17
_LONGEST_TITLE = 200
_LONGEST_DERIVED_TITLE = 60
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.:@-]{1,100}\Z")
_LANGUAGE = re.compile(r"[A-Za-z0-9+#._-]{1,30}\Z")
_LARGEST_COUNT = 2**53
_OF_TEXT: Final = ("text", "value", "content", "message", "detail")
_DEEPEST: Final = 6


def text_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def words_of(value: object, *, depth: int = 0) -> str:
    """Return the text that a value holds in one of the shapes in which programs write texts: bare, in a list, or in an
    object."""
    if isinstance(value, str):
        return value
    if depth > _DEEPEST or not isinstance(value, list | dict):
        return ""
    if isinstance(value, list):
        return "\n".join(filter(None, (words_of(each, depth=depth + 1) for each in value)))
    named = (words_of(value.get(name), depth=depth + 1) for name in _OF_TEXT)
    return next(filter(None, named), "")


def dict_of(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def list_of(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def count_of(value: object) -> int | None:
    """Return ``value`` as a whole number that is not negative, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(value) if 0 <= value < _LARGEST_COUNT else None


def moment(value: object) -> int | None:
    """Return milliseconds UTC from seconds, milliseconds or microseconds since 1970, or from ISO 8601; None for
    anything else and for times before 1990 or after 2099."""
    if isinstance(value, str):
        return _iso(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if not 0 < number < _LARGEST_US:  # also false for NaN
        return None
    if number < _LARGEST_SECONDS:
        number *= 1000
    elif number >= _LARGEST_MS:
        number /= 1000
    return _possible(round(number))


def _iso(text: str) -> int | None:
    try:
        found = datetime.fromisoformat(text.strip()[:40])
        return _possible(round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000))
    except (ValueError, OverflowError):
        return None


def _possible(milliseconds: int) -> int | None:
    return milliseconds if EARLIEST_MS <= milliseconds < LATEST_MS else None


def key_of(value: object) -> str:
    """Return a vendor's id as it is kept: unchanged if it is plain, else its fingerprint; empty for none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return key_of(str(value)) if abs(value) < _LARGEST_COUNT else ""
    if not isinstance(value, str) or not value:
        return ""
    return value if _PLAIN_KEY.match(value) else fingerprint(value)


def fingerprint(*texts: str) -> str:
    """Return a key for something that has none: the same content gives the same key."""
    hasher = hashlib.blake2b(digest_size=12)
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        hasher.update(b"%d:" % len(data))
        hasher.update(data)
    return f"hash:{hasher.hexdigest()}"


def title_of(value: object, first_question: str = "") -> str:
    """Return a title on one line; without one, the beginning of the first question."""
    title = " ".join(text_of(value)[: 4 * _LONGEST_TITLE].split())
    if title:
        return title[:_LONGEST_TITLE]
    words = " ".join(first_question[: 8 * _LONGEST_DERIVED_TITLE].split())
    if not words:
        return "Untitled"
    return shortened(words, _LONGEST_DERIVED_TITLE)


def title_source_of(value: object) -> str | None:
    """Return "text" for a missing title, which is made here and may still be improved; None for the vendor's own."""
    return None if text_of(value).strip() else "text"


def fenced(text: str, language: object = "") -> str:
    """Return a code block whose fence is longer than any in the text."""
    fence = fence_for(text)
    name = language if isinstance(language, str) and _LANGUAGE.match(language) else ""
    return f"{fence}{name}\n{text.rstrip()}\n{fence}"


def as_json(value: object) -> str:
    """Return data as text for a reader; a sentence replaces data nested too deeply."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, indent=2, default=str)
    except (RecursionError, ValueError):
        return "(nested too deeply to be shown)"


def document(title: object, text: str, language: object = "", *, is_markdown: bool = False) -> str:
    """Return a document that a model wrote beside the conversation, such as a canvas or an artifact, as text."""
    heading = " ".join(text_of(title)[:_LONGEST_TITLE].split())
    body = text.strip("\n") if is_markdown else fenced(text, language)
    return f"**{heading}**\n\n{body}" if heading else body


def without_empty_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "")}


def marked_stretches(
    text: str, opening: re.Pattern[str], closing: str
) -> Iterator[tuple[str, re.Match[str] | None, str]]:
    """Cut ``text`` at marks: yield (text before, opening mark, text inside), and at last the rest with None and
    nothing. Linear, however often a mark is opened and not closed."""
    at = 0
    while (match := opening.search(text, at)) is not None:
        end = text.find(closing, match.end())
        if end < 0:
            break
        yield text[at : match.start()], match, text[match.end() : end]
        at = end + len(closing)
    yield text[at:], None, ""


def first_text(messages: Iterable[ImportedMessage]) -> str:
    """Return the text of the first question, for a thread without a title."""
    for message in messages:
        if message.role is Role.USER:
            return next((text_of(part.content.get("text")) for part in message.parts if part.type is PartType.TEXT), "")
    return ""
