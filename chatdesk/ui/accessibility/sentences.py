"""Sentences of a text that is still growing, so that it can be read aloud as it comes and never word by word."""

from __future__ import annotations

import re

# A full stop ends a sentence when a space follows; Chinese and Japanese ones are without.
_END = re.compile(r"""[.!?…]+["'”’»)\]]*(?=\s)|[。！？]+["'”’»」』）]*|\n+""")
# Letters before a full stop that ends nothing: "e.g.", "Dr.", the J. in "J. Smith", the number of a list.
_NO_END = re.compile(
    r"(?:^|[\s(])(?:[A-Za-z]|e\.g|i\.e|cf|vs|etc|approx|no|fig|mr|mrs|ms|dr|prof|st|\d{1,3})\.$", re.IGNORECASE
)
_LONGEST = 400  # text without a full stop is cut at a space, or nothing would be heard of it
_LOOK_BACK = 12


def split_sentences(text: str, start: int = 0, *, is_complete: bool) -> tuple[list[str], int]:
    """Return the sentences of ``text`` that begin at ``start`` or later and have ended, and where the next one begins.

    With ``is_complete`` nothing more comes, and what is left is a sentence too.
    """
    sentences: list[str] = []
    begin = start
    for found in _END.finditer(text, start):
        if found.group().startswith(".") and _NO_END.search(
            text[max(begin, found.start() - _LOOK_BACK) : found.start() + 1]
        ):
            continue
        _add(sentences, text[begin : found.end()])
        begin = found.end()
    rest = text[begin:]
    if is_complete:
        _add(sentences, rest)
        return sentences, len(text)
    if len(rest) > _LONGEST and (space := rest.rfind(" ", 0, _LONGEST)) > 0:
        _add(sentences, rest[:space])
        begin += space
    return sentences, begin


def _add(sentences: list[str], text: str) -> None:
    words = " ".join(text.split())
    while len(words) > _LONGEST:
        space = words.rfind(" ", 0, _LONGEST)
        end = space if space > 0 else _LONGEST
        sentences.append(words[:end])
        words = words[end:].strip()
    if any(character.isalnum() for character in words):
        sentences.append(words)
