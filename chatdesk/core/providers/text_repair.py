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


class ReceivedText(SurrogateJoiner):
    """A text that arrives in pieces, and perhaps once more as a whole."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[str] = []
        self._length = 0

    def feed(self, piece: str) -> str:
        """Return the repaired text so far not given; may be empty while half a pair is held back."""
        text = super().feed(piece)
        if text:
            self._pieces.append(text)
            self._length += len(text)
        return text

    @property
    def came(self) -> str:
        """All that came."""
        return "".join(self._pieces)

    @property
    def has_come(self) -> bool:
        """Return whether anything came."""
        return self._length > 0

    def is_same(self, whole: str) -> bool:
        """Return whether ``whole`` is all that came."""
        return len(whole) == self._length and whole == self.came

    def missing(self, whole: str, *, is_whole: bool) -> str:
        """Return the rest of ``whole`` that has not come yet. Where that is not certain to be the whole text
        (``is_whole`` is false) and does not begin with what came, it is the next piece."""
        if is_whole and len(whole) <= self._length:
            return ""
        if whole.startswith(self.came):
            return whole[self._length :]
        return "" if is_whole else whole
