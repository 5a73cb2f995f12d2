"""Makes text from and for a server storable: no lone surrogates, no NUL.

JSON may carry half of a surrogate pair (``"\\ud83d"``); SQLite, UTF-8 and Qt all fail on it later. Servers that count
in UTF-16 units even cut a pair in two and send the halves in two events, so one half is held back until the next
arrives.
"""

from __future__ import annotations

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def repair(text: str) -> str:
    """Return ``text`` with surrogate pairs joined, and lone surrogates and NUL replaced by U+FFFD."""
    if "\0" in text:
        text = text.replace("\0", REPLACEMENT)
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class SurrogateJoiner:
    """Repairs a text that arrives in pieces whose borders may split a surrogate pair."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """Return the repaired text so far not given; may be empty while half a pair is held back."""
        text = self._held + piece
        self._held = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            self._held = text[-1]
            text = text[:-1]
        return repair(text)

    def finish(self) -> str:
        """Return a replacement character if half a pair is still held back, else an empty text."""
        held, self._held = self._held, ""
        return REPLACEMENT if held else ""
