"""Removes pictures from the text of an answer: ``![words](data:image/png;base64,…)``, as some models write them.

The base64 is held back until the picture is complete, so that megabytes of it are never laid out, stored or counted as
text. Pictures inside code stay text. Pure; nothing is decoded here.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from chatdesk.core.providers.base import PictureDelta, PictureFault, TextDelta
from chatdesk.core.providers.reader import ChangingReader, Delta, Late, SecretHidingReader
from chatdesk.core.rendering.answers.code_tracker import CodeTracker
from chatdesk.core.rendering.picture_data import MAX_PICTURE_LETTERS

# The beginning of a picture with some of its letters, and any prefix of such a beginning.
_BEGINNING = re.compile(r"!\[([^\[\]\n]{0,300})\]\(<?data:image/[a-zA-Z0-9.+-]{1,20};base64,(?=[A-Za-z0-9+/]{16})")
_MAYBE = re.compile(
    r"!(?:\[(?:[^\[\]\n]{0,300}(?:\](?:\((?:<?[a-zA-Z0-9.+:;/-]{0,40}(?:,[A-Za-z0-9+/]{0,16})?)?)?)?)?)?\Z"
)
_LONGEST_MAYBE = 380
_END = re.compile(r'>?(?: "[^"\n]{0,300}")?\)')
_MAY_END = re.compile(r'>?(?: (?:"[^"\n]{0,300}"?)?)?\Z')
_NOT_LETTERS = ')> \n"'


@dataclass(slots=True)
class _UnfinishedPicture:
    """A picture whose letters are still arriving; letters beyond the limit are dropped."""

    item: str
    words: str
    beginning: str
    letters: list[str] = field(default_factory=list)
    count: int = 0
    end: str = ""  # the text after the letters, while the picture may still continue

    def add(self, letters: str) -> None:
        self.count += len(letters)
        if self.count <= MAX_PICTURE_LETTERS:
            self.letters.append(letters)
        else:
            self.letters.clear()

    def whole(self, end: str, *, is_closed: bool) -> PictureDelta:
        """Return the picture with its base64 letters, or the problem with it."""
        if self.count > MAX_PICTURE_LETTERS:
            return PictureDelta(self.item, words=self.words, fault=PictureFault.TOO_LARGE)
        at = self.beginning.index("data:image/")
        url = "".join((self.beginning[at:], *self.letters))  # once: it may have megabytes
        fault = None if is_closed else PictureFault.DAMAGED
        return PictureDelta(self.item, url, words=self.words, fault=fault, around=(self.beginning[:at], end))


class PictureSplitter:
    """Cuts the text of one answer, which comes in pieces, into texts and pictures. A picture has two events: one
    without its data when it begins, one when it is whole."""

    def __init__(self) -> None:
        self._held = ""  # text that may be the start of a picture
        self._coming: _UnfinishedPicture | None = None
        self._count = 0
        self._code = CodeTracker()

    def feed(self, text: str) -> Iterator[TextDelta | PictureDelta]:
        """Yield the parts that this piece of text completes."""
        rest = text
        while rest:
            coming = self._coming
            rest = yield from self._read_text(rest) if coming is None else self._read_picture(coming, rest)

    def finish(self) -> Iterator[TextDelta]:
        """Yield the text that was held back as the possible beginning of a picture; call it when an answer ends."""
        held, self._held = self._held, ""
        if held:
            yield TextDelta(held)

    def _read_text(self, piece: str) -> Generator[TextDelta | PictureDelta, None, str]:
        """Yield text up to a picture. Returns the text after its beginning."""
        text, self._held = self._held + piece, ""
        place = 0
        while "![" in text and (found := _BEGINNING.search(text, place)) is not None:
            self._code.follow(text[place : found.start()])
            place = found.end()
            if self._code.is_in_code:
                self._code.follow(found[0])
                continue
            if found.start():
                yield TextDelta(text[: found.start()])
            self._count += 1
            self._coming = _UnfinishedPicture(f"text-{self._count}", found[1], found[0])
            yield PictureDelta(self._coming.item, words=found[1])
            return text[place:]
        maybe = text.rfind("!", max(place, len(text) - _LONGEST_MAYBE))
        if maybe >= 0 and _MAYBE.match(text, maybe) is not None:
            text, self._held = text[:maybe], text[maybe:]
        self._code.follow(text[place:])
        if text:
            yield TextDelta(text)
        return ""

    def _read_picture(self, coming: _UnfinishedPicture, piece: str) -> Generator[TextDelta | PictureDelta, None, str]:
        """Read the letters and the end of a picture. Returns the text that follows."""
        if not coming.end:
            ends = [place for mark in _NOT_LETTERS if (place := piece.find(mark)) >= 0]
            coming.add(piece[: min(ends)] if ends else piece)
            if not ends:
                return ""
            piece = piece[min(ends) :]
        text = coming.end + piece
        closed = _END.match(text)
        if closed is None and _MAY_END.match(text) is not None:
            coming.end = text
            return ""
        end = "" if closed is None else closed[0]
        self._coming = None
        self._code.follow("!")
        yield coming.whole(end, is_closed=closed is not None)
        return text[len(end) :]


class PictureReader(ChangingReader):
    """Wraps a reader and turns the pictures in its texts into events."""

    def __init__(self, inner: SecretHidingReader) -> None:
        super().__init__(inner)
        self._hiding = inner
        self._splitter = PictureSplitter()

    def feed(self, chunk: object) -> Iterator[Delta]:
        """Yield the events of one chunk. Raises ``WrongShapeError`` and ``ErrorInAnswer``."""
        return self._split(self._inner.feed(chunk))

    def finish(self) -> Iterator[Late]:
        """Yield the events that were held back until the end of the answer."""
        for late in self._inner.finish():
            if isinstance(late, TextDelta):
                yield from self._splitter.feed(late.text)
            else:
                yield late
        yield from self._splitter.finish()

    def rest(self) -> Iterator[Delta]:
        """Yield the text that was held back; call it when an answer breaks off."""
        yield from self._split(self._hiding.rest())
        yield from self._splitter.finish()

    def _split(self, deltas: Iterator[Delta]) -> Iterator[Delta]:
        for delta in deltas:
            if isinstance(delta, TextDelta):
                yield from self._splitter.feed(delta.text)
            else:
                yield delta
