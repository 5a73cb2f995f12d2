"""Finds secrets repeated in foreign text: in capitals, split by spaces or line ends, or in part.

Only letters and digits are compared, ignoring case and all characters between them. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

HIDDEN = "[hidden]"
_OTHER_SIGNS = re.compile(r"[^0-9A-Za-z]+")
_SHORTEST = 8  # letters and digits; hiding shorter secrets would hide ordinary words
# a value of this length with digits and letters is a key, and a part of that length gives it away
_KEY_LENGTH, _PART_LENGTH = 16, 10
_SHORTEST_BEGINNING = _PROBE_LENGTH = 4
_MOST_HELD = 2000


class EchoedSecrets:
    """The secrets to search for. ``in_answers`` keeps only those that are surely keys, for an answer may hold any
    word."""

    def __init__(self, secrets: Iterable[str], *, in_answers: bool = False) -> None:
        self._windows: dict[int, set[str]] = {}
        self._probes: dict[int, set[str]] = {}
        self._keys: list[str] = []
        for secret in secrets:
            letters = _letters(secret)
            is_key = len(letters) >= _KEY_LENGTH and not letters.isdigit() and not letters.isalpha()
            if len(letters) < _SHORTEST or (in_answers and not is_key):
                continue
            size = _PART_LENGTH if is_key else len(letters)
            found = self._windows.setdefault(size, set())
            found.update(letters[start : start + size] for start in range(len(letters) - size + 1))
            grams = {letters[at : at + _PROBE_LENGTH] for at in range(len(letters) - _PROBE_LENGTH + 1)}
            self._probes.setdefault(size, set()).update(grams)
            self._keys.append(letters)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def hide(self, text: str, mark: str = HIDDEN) -> str:
        """Return ``text`` with ``mark`` in the place of secrets and of telling parts of them."""
        return _without(text, self.find(text), mark)

    def find(self, text: str) -> list[tuple[int, int]]:
        """Return the start and end (exclusive) of each secret in ``text``, in order and without overlaps."""
        letters = _letters(text)
        runs: list[list[int]] = []
        for size, windows in self._windows.items():
            for start in self._candidates(letters, size):
                if letters[start : start + size] in windows:
                    runs.append([start, start + size])
        if not runs:
            return []
        places = [place for place, sign in enumerate(text) if sign.isascii() and sign.isalnum()]
        merged: list[list[int]] = []
        for start, end in sorted(runs):
            if merged and start <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end])
        return [(places[start], places[end - 1] + 1) for start, end in merged]

    def _candidates(self, letters: str, size: int) -> Iterator[int]:
        """Yield every place where a run of ``size`` letters may begin: whichever it is, one of the probes is in
        it."""
        probes = self._probes[size]
        step = size - _PROBE_LENGTH + 1
        tried = 0
        for place in range(0, len(letters) - _PROBE_LENGTH + 1, step):
            if letters[place : place + _PROBE_LENGTH] in probes:
                first = max(tried, place - step + 1)
                tried = min(place + 1, len(letters) - size + 1)
                yield from range(first, tried)

    def begins_at(self, text: str, before: str = "") -> int:
        """Return the place in ``text`` from which it may become a secret when more follows; its length when there is
        none. ``before``: the letters that preceded ``text``."""
        left = self._open_length(before + _letters(text))
        if not left:
            return len(text)
        for place in range(len(text) - 1, -1, -1):
            left -= text[place].isascii() and text[place].isalnum()
            if not left:
                return place
        return 0

    def _open_length(self, letters: str) -> int:
        """Return how many letters at the end are part of a secret that is not complete yet."""
        if len(letters) < _SHORTEST_BEGINNING:
            return 0
        longest = 0
        for key in self._keys:
            size = _SHORTEST_BEGINNING
            while size <= min(len(key), len(letters)) and letters[-size:] in key:
                longest = max(longest, size)
                size += 1
        return longest


class EchoFilter:
    """Hides secrets in text that comes in pieces: the beginning of a possible secret is held until it is clear."""

    def __init__(self, secrets: EchoedSecrets) -> None:
        self._secrets = secrets
        self._held = ""
        self._shown = ""  # the last letters, as many as do not make a beginning yet

    def feed(self, piece: str) -> str:
        """Add a piece and return the text that can be shown by now, which may be empty."""
        if not self._secrets:
            return piece
        text = self._held + piece
        kept = self._secrets.begins_at(text, self._shown)
        echoes = self._secrets.find(text)
        kept = next((start for start, end in echoes if start < kept < end), kept)
        if len(text) - kept > _MOST_HELD:
            kept = len(text)
        self._held = text[kept:]
        self._shown = (self._shown + _letters(text[:kept]))[1 - _SHORTEST_BEGINNING :]
        return _without(text[:kept], [each for each in echoes if each[1] <= kept], HIDDEN)

    def finish(self) -> str:
        """Return the text that was held; nothing follows."""
        text, self._held = self._held, ""
        return self._secrets.hide(text)


def _without(text: str, places: list[tuple[int, int]], mark: str) -> str:
    parts, done = [], 0
    for start, end in places:
        parts += [text[done:start], mark]
        done = end
    return "".join([*parts, text[done:]]) if parts else text


def _letters(text: str) -> str:
    return _OTHER_SIGNS.sub("", text).lower()
