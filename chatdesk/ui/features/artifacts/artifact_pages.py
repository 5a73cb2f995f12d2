"""Gives the text of an artifact to a transcript, as messages of bounded length: only those in view are laid out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QObject, QTimer

from chatdesk.core.domain.artifacts.artifact import ArtifactVersion
from chatdesk.core.domain.artifacts.code_blocks import fenced
from chatdesk.core.domain.message import Message, MessagePage, Part, PartType, Role, Status
from chatdesk.core.rendering.highlighting import MAX_CODE_CHARACTERS

_PIECE_LINES: Final = 400
_MARKDOWN_CHARACTERS: Final = 4_000
_PIECES_AT_ONCE: Final = 3

Pieces = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class PagedText:
    """A text with where its pieces begin and end. ``language``: it is code in that language; None: it is Markdown."""

    text: str
    pieces: Pieces
    language: str | None = None


def paged_code(text: str, language: str) -> PagedText:
    """Cut code into pieces at line ends, and lines that are too long within them: none is too large to be coloured.
    Linear; for a thread."""
    pieces: list[tuple[int, int]] = []
    begin = place = lines = 0
    while place < len(text):
        end = text.find("\n", place) + 1 or len(text)
        is_long = end - place > MAX_CODE_CHARACTERS
        if begin < place and (is_long or lines >= _PIECE_LINES or end - begin > MAX_CODE_CHARACTERS):
            pieces.append((begin, place))
            begin, lines = place, 0
        while is_long and begin < end:
            pieces.append((begin, min(end, begin + MAX_CODE_CHARACTERS)))
            begin = pieces[-1][1]
        place, lines = end, lines + 1
    if begin < len(text) or not pieces:
        pieces.append((begin, len(text)))
    return PagedText(text, pieces, language)


def whole_markdown(text: str) -> PagedText:
    return PagedText(text, ((0, len(text)),))


def paged_markdown(text: str) -> PagedText:
    """Cut a long Markdown text where a heading, or at least a paragraph, begins; code stays whole. Linear; for a
    thread."""
    pieces: list[tuple[int, int]] = []
    begin = place = 0
    fence, is_after_blank = "", False
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        marks = bare[:3]
        if marks in ("```", "~~~") and (not fence or marks == fence):
            fence = "" if fence else marks
        elif not fence and is_after_blank and line[:1] not in " \t\n":
            size = place - begin
            if size > _MARKDOWN_CHARACTERS and (line.startswith("#") or size > 2 * _MARKDOWN_CHARACTERS):
                pieces.append((begin, place))
                begin = place
        is_after_blank = not bare
        place += len(line)
    pieces.append((begin, len(text)))
    return PagedText(text, pieces)


class ArtifactPages(QObject):
    """The pages of a shown artifact, as messages of a thread; a transcript calls ``fetch``."""

    def __init__(self) -> None:
        super().__init__()
        self._key = ""
        self._shown = whole_markdown("")
        self._file: ArtifactVersion | None = None
        self._created_at = 0

    @property
    def key(self) -> str:
        """The name of the shown artifact, which a transcript requests as a thread."""
        return self._key

    def show_text(self, version: ArtifactVersion, text: PagedText) -> None:
        """Set the text of a version for the next pages to show."""
        self._set_version(version)
        self._shown, self._file = text, None

    def show_file(self, version: ArtifactVersion) -> None:
        """Set a version for the next pages to show, as a picture or as the card of a file."""
        self._set_version(version)
        self._shown, self._file = whole_markdown(""), version

    def _set_version(self, version: ArtifactVersion) -> None:
        number = int(self._key.rpartition("#")[2] or 0) + 1
        self._key, self._created_at = f"{version.id}#{number}", version.created_at

    def fetch(
        self,
        thread_id: str,
        *,
        limit: int,
        before: str | None,
        after: str | None,
        around: str | None,
        deliver: Callable[[MessagePage], None],
        at: int | None = None,
    ) -> None:
        """Deliver a page of pieces; ``at`` is the place of one of them. Without a place, the last ones."""

        def answer() -> None:
            if thread_id != self._key:
                return
            count, most = len(self._shown.pieces), min(limit, _PIECES_AT_ONCE)
            if after is not None or around is not None or at is not None:
                first = _place_of(after) + 1 if after is not None else at if at is not None else _place_of(around or "")
                end = min(count, first + most)
            else:
                end = _place_of(before) if before is not None else count
                first = max(0, end - most)
            messages = tuple(self._message(place) for place in range(first, end))
            deliver(MessagePage(thread_id, messages, has_older=first > 0, has_newer=end < count, total=count))

        QTimer.singleShot(0, self, answer)

    def first_id(self) -> str:
        """Return the id of the message at the beginning."""
        return f"{self._key}:0"

    def _message(self, place: int) -> Message:
        id_ = f"{self._key}:{place}"
        return Message(
            id=id_,
            thread_id=self._key,
            parent_id=None,
            role=Role.ASSISTANT,
            status=Status.COMPLETE,
            created_at=self._created_at,
            position=place,
            parts=(self._part(id_, place),),
        )

    def _part(self, message_id: str, place: int) -> Part:
        if self._file is not None:
            file = self._file.file
            kind = PartType.IMAGE if file.is_image else PartType.FILE
            return Part(message_id, message_id, 0, kind, file.as_content())
        start, end = self._shown.pieces[place]
        text, language = self._shown.text[start:end], self._shown.language
        return Part(
            message_id, message_id, 0, PartType.TEXT, {"text": text if language is None else fenced(text, language)}
        )


def _place_of(message_id: str) -> int:
    """Return the number of the piece that a message stands for; 0 for any other message."""
    number = message_id.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0
