"""Reads the marks in ChatGPT's texts: citations, names, links and widgets between characters of the private use area.

A mark is ``\\ue200kind\\ue202argument\\ue202argument\\ue201``. The message's ``content_references`` give the text to
show for most marks. No mark removes words: without a reference, its readable parts stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from chatdesk.core.transfer.imports.values import dict_of, list_of, text_of

_DELIMITERS = re.compile("([\ue200-\ue206])")
_OPENS, _CLOSES, _SEPARATES = "\ue200", "\ue201", "\ue202"
# A pointer to a source or to a place in a file. It is meaningless to a reader.
_POINTER = r"(?:turn\d+[a-z_]*\d*|file[-_][\w-]{8,}|L\d+(?:-L?\d+)?)(?:[†:#][\w-]*)*"
_POINTERS = re.compile(rf"\s*{_POINTER}(?:[\s,;]+{_POINTER})*\s*\Z", re.IGNORECASE)
_KIND = re.compile(r"\s*[a-z][a-z0-9_]*\s*\Z")
_READABLE: Final = frozenset(
    ("alt", "caption", "content", "description", "label", "name", "prompt", "query", "question", "text", "title")
)
_ADDRESS = re.compile(r"https?://[^\s()<>]+\Z")
_AFTER_NO_SPACE: Final = (" ", ".", ",", ";", ":", "!", "?", ")", "\n")
_MOST_REFERENCES: Final = 2_000
# A link of this length may stand for many marks; a longer one is used once, so that a text cannot be made to explode.
_LONGEST_REPEATED: Final = 4_000
_LONGEST_MARK: Final = 20_000
_DEEPEST: Final = 8


class Marks:
    """The marks of one message. ``without_words`` counts those that left nothing in the texts read so far."""

    def __init__(self, message: Mapping[str, Any]) -> None:
        self.without_words = 0
        self._shown: dict[str, list[str]] = {}
        references = list_of(dict_of(message.get("metadata")).get("content_references"))
        for each in references[:_MOST_REFERENCES]:
            reference = dict_of(each)
            mark, words = text_of(reference.get("matched_text")).strip(), _words_of_reference(reference)
            if mark.startswith(_OPENS) and words:
                self._shown.setdefault(mark, []).append(words)
        for shown in self._shown.values():
            shown.reverse()

    def readable(self, text: str) -> str:
        """Return ``text`` with each mark replaced by the message's text for it, else by its own words."""
        if text.isascii() or _DELIMITERS.search(text) is None:
            return text
        # the fields of each open mark, as pieces; the text itself comes first
        open_marks: list[list[list[str]]] = [[[]]]
        for token in filter(None, _DELIMITERS.split(text)):
            fields = open_marks[-1]
            if token == _OPENS and len(open_marks) <= _DEEPEST:
                open_marks.append([[]])
            elif token == _SEPARATES and len(open_marks) > 1:
                fields.append([])
            elif token == _CLOSES and len(open_marks) > 1:
                open_marks.pop()
                _add(open_marks[-1][-1], self._words(["".join(pieces) for pieces in fields]))
            elif _DELIMITERS.match(token) is None:
                _add(fields[-1], token)
        while len(open_marks) > 1:  # unclosed marks are plain text
            texts = ["".join(pieces) for pieces in open_marks.pop()]
            _add(
                open_marks[-1][-1],
                " ".join(filter(None, texts[1:] if len(texts) > 1 and _KIND.match(texts[0]) else texts)),
            )
        return "".join(open_marks[0][0])

    def _words(self, fields: list[str]) -> str:
        mark = f"{_OPENS}{_SEPARATES.join(fields)}{_CLOSES}"
        known = self._shown.get(mark, [])
        if len(known) > 1 or (known and len(known[0]) > _LONGEST_REPEATED):
            return known.pop()
        words = known[0] if known else _own_words(fields)
        self.without_words += not words
        return words


def _add(pieces: list[str], more: str) -> None:
    """Append text with correct spaces: a link follows a space, and text after a mark without words follows only one.
    Such a mark is an empty piece."""
    if more.startswith(("([", "[")) and "".join(pieces[-2:])[-1:].isalnum():
        more = f" {more}"
    elif more[:1] in _AFTER_NO_SPACE and len(pieces) > 1 and not pieces[-1] and pieces[-2].endswith(" "):
        pieces[-2] = pieces[-2][:-1]
    pieces.append(more)


def _own_words(fields: list[str]) -> str:
    kind, *arguments = fields
    found = [] if _KIND.match(kind) else [kind]
    found += [words for each in arguments for words in _words_of_argument(kind, each)]
    if len(found) == 2 and _ADDRESS.match(found[1]):
        return f"[{found[0]}]({found[1]})"
    return ", ".join(found)


def _words_of_argument(kind: str, argument: str) -> Iterable[str]:
    if _POINTERS.match(argument) or not argument.strip():
        return ()
    if argument.lstrip()[:1] not in "[{" or len(argument) > _LONGEST_MARK:
        return (argument,)
    try:
        value = json.loads(argument)
        if kind == "entity" and isinstance(value, list) and len(value) > 1:
            value = value[1]  # the name, between its kind and a distinguishing remark
        words = list(_strings(value, only_readable=True)) or list(_strings(value, only_readable=False))
    except (ValueError, RecursionError):
        return (argument,)
    return list(dict.fromkeys(each for each in words if each.strip() and not _POINTERS.match(each)))


def _strings(value: object, *, only_readable: bool) -> Iterator[str]:
    """Yield the texts in data; ``only_readable``: of an object those under a name for readable text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each, only_readable=only_readable)
    elif isinstance(value, dict):
        for name, each in value.items():
            if not only_readable or name in _READABLE or isinstance(each, dict | list):
                yield from _strings(each, only_readable=only_readable)


def _words_of_reference(reference: Mapping[str, Any]) -> str:
    """Return the text of a reference, else its name, else links to the pages that it cites."""
    for name in ("alt", "name", "title"):
        if words := text_of(reference.get(name)).strip():
            return words
    pages = [dict_of(each) for each in list_of(reference.get("items"))]
    links = [
        f"[{text_of(page.get('title')).strip() or page['url']}]({page['url']})"
        for page in pages
        if _ADDRESS.match(text_of(page.get("url")))
    ]
    return f"({', '.join(links)})" if links else ""
