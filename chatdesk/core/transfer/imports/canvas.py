"""Follows ChatGPT's canvas: the document that calls of ``canmore`` make and change, as text.

A change selects the replaced text by a regular expression from a model. Only the forms that occur in practice are
followed (plain words, with ``.*`` between them), because any other could take for ever; a change that is not followed
stays a call, with its text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from chatdesk.core.transfer.imports.values import dict_of, document, list_of, text_of

_PREFIX: Final = "canmore."
_MOST_UPDATES, _LONGEST, _MOST_WORK = 200, 2_000_000, 20_000_000
_ANYTHING = re.compile(r"\^?\(?(?:\.|\[\\s\\S\]|\[\\S\\s\])[*+]\??\)?\$?")
_SPECIAL = frozenset(".^$*+?{}[]|()")
_LETTERS = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Canvas:
    """A canvas document after a call."""

    name: str
    kind: str
    text: str

    @property
    def as_text(self) -> str:
        """The document for the reader: code in a fence, everything else as it is."""
        if not self.text.strip():
            return ""
        is_markdown = not self.kind.startswith("code")
        return document(self.name, self.text, self.kind.removeprefix("code/"), is_markdown=is_markdown)


def after_call(recipient: str, text: str, before: Canvas | None) -> tuple[Canvas | None, bool]:
    """Return the document after a call with these arguments, and whether the call holds all of it. ``before`` is the
    document that earlier calls left; it is returned if the call changes nothing, or says nothing of a document."""
    if not recipient.startswith(_PREFIX):
        return before, False
    try:
        data = dict_of(json.loads(text))
    except (ValueError, RecursionError):
        return before, False
    if recipient == f"{_PREFIX}create_textdoc":
        made = Canvas(text_of(data.get("name")), text_of(data.get("type")), text_of(data.get("content")))
        return made, bool(made.as_text)
    if recipient != f"{_PREFIX}update_textdoc":
        return before, False
    updates = [dict_of(each) for each in list_of(data.get("updates"))][:_MOST_UPDATES]
    kind = text_of(data.get("type"))
    if len(updates) == 1 and _ANYTHING.fullmatch(text_of(updates[0].get("pattern"))):
        known = before or Canvas("", "document", "")
        made = replace(known, kind=kind or known.kind, text=text_of(updates[0].get("replacement")))
        return made, bool(made.as_text)
    return _updated(before, updates), False


def _updated(before: Canvas | None, updates: list[dict[str, Any]]) -> Canvas | None:
    if before is None or len(before.text) * len(updates) > _MOST_WORK:
        return before
    text = before.text
    for update in updates:
        changed = _replaced(text, update)
        if changed is None:
            return before
        text = changed
    return replace(before, text=text)


def _replaced(text: str, update: Mapping[str, Any]) -> str | None:
    pattern, replacement = text_of(update.get("pattern")), text_of(update.get("replacement"))
    pieces = _pieces(pattern)
    if pieces is None or re.search(r"\\(?:\d|g<)", replacement):
        return None
    new = _filled(replacement)
    out: list[str] = []
    at = 0
    while True:
        found = _find(text, pieces, at)
        if found is None:
            break
        start, end = found
        out += (text[at:start], new)
        if len(out) * len(new) > _LONGEST:
            return None
        at = end
        if update.get("multiple") is not True:
            break
    if not out:
        return None
    out.append(text[at:])
    return "".join(out)


def _pieces(pattern: str) -> list[tuple[str, bool]] | None:
    """Return the words of ``pattern``, each with whether the gap before it is as short as possible; None for a
    pattern that is not followed."""
    pieces: list[tuple[str, bool]] = []
    literal: list[str] = []
    is_lazy = True
    at = 0
    while at < len(pattern):
        anything = _ANYTHING.match(pattern, at)
        if anything is not None and not anything.group().startswith("^") and not anything.group().endswith("$"):
            pieces.append(("".join(literal), is_lazy))
            literal, is_lazy = [], "?" in anything.group()
            at = anything.end()
        elif pattern[at] == "\\" and at + 1 < len(pattern):
            letter = pattern[at + 1]
            if letter.isalnum() and letter not in _LETTERS:
                return None
            literal.append(_LETTERS.get(letter, letter))
            at += 2
        elif pattern[at] in _SPECIAL:
            return None
        else:
            literal.append(pattern[at])
            at += 1
    pieces.append(("".join(literal), is_lazy))
    # Which of several ends a greedy one in the middle would take is not worth knowing.
    return pieces if pieces[0][0] and all(lazy for _words, lazy in pieces[1:-1]) else None


def _find(text: str, pieces: list[tuple[str, bool]], at: int) -> tuple[int, int] | None:
    start = text.find(pieces[0][0], at)
    if start < 0:
        return None
    end = start + len(pieces[0][0])
    for words, is_lazy in pieces[1:]:
        place = text.find(words, end) if is_lazy else text.rfind(words, end)
        if place < 0:
            return None
        end = place + len(words)
    return start, end


def _filled(replacement: str) -> str:
    """Return the text that a replacement template stands for, in which a backslash escapes a sign."""
    return re.sub(r"\\(\\|n|t|r)", lambda match: {"\\": "\\", **_LETTERS}[match.group(1)], replacement)
