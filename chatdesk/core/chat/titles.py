"""Makes titles of threads from the first question, until a model or a person gives a better one."""

from __future__ import annotations

import re

from chatdesk.core.domain.thread import BRANCH_MARK, NEW_THREAD_TITLE
from chatdesk.core.errors import InvalidTitle
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.rendering.answers.thought_splitter import without_thoughts

_LONGEST_AUTOMATIC = 60
_LONGEST = 300
_MARKS = "#>*-`_~|=+ \t"
_QUOTES = "\"'“”„‟‘’‚«»‹›「」『』《》 \t"
_ENDS = ".。:;,"
# A small word of letters alone, before others: no name of a file, a command or a product.
_FIRST_WORD = re.compile(r"^[^\W\d_A-Z]{2,}(?= )")
_LONGEST_READ = 20_000
_LONGEST_ANSWER = 120  # a model that writes more than this does not give a title
_MOST_WORDS = 14
# "Title:" in the languages that spell it much alike.
_LABEL = re.compile(r"^t[ií]t(?:le|el|re|ulo|olo)\s*[:：]\s*", re.IGNORECASE)


def title_from_text(text: str) -> str:
    """Return the first line that says something, without Markdown marks, cut at a word near 60 characters."""
    for line in text.splitlines():
        plain = clean_line(line).strip(_MARKS)
        if plain:
            return _cut(_FIRST_WORD.sub(lambda match: match[0].capitalize(), plain))
    return NEW_THREAD_TITLE


def title_from_answer(answer: str) -> str | None:
    """Return a model's answer as a title; None where it is empty, a speech, or not readable."""
    lines = [line for line in map(clean_line, without_thoughts(answer[:_LONGEST_READ]).splitlines()) if line]
    if len(lines) != 1 or len(lines[0]) > _LONGEST_ANSWER:
        return None
    plain = _LABEL.sub("", lines[0].strip(_MARKS)).strip(_MARKS).strip(_QUOTES).rstrip(_ENDS).strip(_MARKS + _QUOTES)
    if not any(letter.isalnum() for letter in plain) or len(plain.split()) > _MOST_WORDS:
        return None
    return _cut(plain)


def checked_title(title: str) -> str:
    """Return a title as it may be stored: one line of at most 300 characters. Raises ``InvalidTitle``."""
    plain = clean_line(title).strip()
    if not plain:
        raise InvalidTitle
    return plain[:_LONGEST]


def branch_title(title: str) -> str:
    """Return the title of a thread that branched off; the mark is added only once."""
    return title if title.endswith(BRANCH_MARK) else title[: _LONGEST - len(BRANCH_MARK)] + BRANCH_MARK


def _cut(text: str) -> str:
    if len(text) <= _LONGEST_AUTOMATIC:
        return text
    head = text[: _LONGEST_AUTOMATIC - 1]
    at_word = head.rfind(" ")
    return (head[:at_word] if at_word > _LONGEST_AUTOMATIC // 2 else head).rstrip() + "…"
