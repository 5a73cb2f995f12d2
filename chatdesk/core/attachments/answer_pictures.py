"""Stores the pictures of answers as files, within bounds, and gives the reason where one is not stored.

What a picture is, its bytes say: the label of a data URL is not read. A picture in a preliminary state is kept too, so
that an answer that ends early has it, until the next one takes its place.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from chatdesk.core.attachments.file_kinds import HEAD_BYTES, kind_of, safe_ending
from chatdesk.core.domain.attachment import IMAGE_MIMES, MOST_IN_MESSAGE, PICTURE_COMING, Attachment, clean_name
from chatdesk.core.errors import AttachmentTooLarge, AttachmentUnusable, ChatDeskError
from chatdesk.core.providers.base import PictureDelta, PictureFault, TextDelta
from chatdesk.core.rendering.picture_data import MAX_PICTURE_BYTES, MAX_PICTURE_LETTERS
from chatdesk.core.texts import Text

# Stores the bytes of a file under a name that is shown. Raises ``AttachmentTooLarge`` and ``AttachmentUnusable``.
KeepFile = Callable[[bytes, str], Awaitable[Attachment]]

_MOST_BYTES: Final = 64 * 1024 * 1024  # for all pictures of an answer, including their previews
_MOST_PARTIAL: Final = 16
_MOST_REPEATED: Final = 2 * MOST_IN_MESSAGE  # some servers send each again; reading one takes a process
_SLICE_LETTERS: Final = 256 * 1024  # a multiple of 4; decoding holds Python's lock
_LONGEST_WORDS: Final = 120


@dataclass(frozen=True, slots=True)
class AnswerPicture:
    """The state of a picture of an answer: a stored file, or the sentence that is in its place. ``item`` tells the
    pictures of the answer apart."""

    item: str
    name: str
    file: Attachment | None = None
    problem: str = ""

    @property
    def content(self) -> Mapping[str, Any]:
        """The content of the part that the picture becomes."""
        return self.file.as_content() if self.file is not None else {"name": self.name, "problem": self.problem}


class AnswerPictures:
    """The pictures of one answer. ``keep`` stores them; None: nothing of the answer is stored, and pictures stay in its
    text. ``count`` is the number of files that the answer has already."""

    def __init__(self, keep: KeepFile | None, *, count: int = 0) -> None:
        self._keep = keep
        self._room = MOST_IN_MESSAGE - count
        self._names: dict[str, str] = {}
        self._first_number = count + 1
        self._sums: dict[str, str] = {}
        self._partial_count = 0
        self._repeated_count = 0
        self._bytes = 0

    async def receive(self, delta: PictureDelta) -> AnswerPicture | TextDelta | None:
        """Add a delta of a picture. Returns the picture's present state in the answer; None if it has not changed."""
        if self._keep is None:
            return _in_text(delta)
        is_new = delta.item not in self._names
        if is_new and len(self._names) > self._room:
            return None  # the limit was already reported
        number = self._first_number + len(self._names)
        name = self._names.setdefault(delta.item, _name_of(delta.words) or f"Picture {number}")
        if is_new and len(self._names) > self._room:
            return AnswerPicture(
                delta.item,
                name,
                problem=Text(
                    "Left out: an answer has at most {most_in_message} pictures.", most_in_message=str(MOST_IN_MESSAGE)
                ),
            )
        if delta.fault is None and not delta.url:
            return AnswerPicture(delta.item, name, problem=PICTURE_COMING) if is_new else None
        if delta.is_partial:
            self._partial_count += 1
            if self._partial_count > _MOST_PARTIAL:
                return None
        elif not is_new:
            self._repeated_count += 1
            if self._repeated_count > _MOST_REPEATED:
                return None
        try:
            file = await self._kept(delta, name, self._keep)
        except ChatDeskError as error:
            return (
                None
                if delta.is_partial
                else AnswerPicture(delta.item, name, problem=Text("Not kept: {reason}", reason=error.what))
            )
        if is_new and file.sha256 in self._sums:
            return None  # some servers send a picture again with the end of an answer
        self._sums.setdefault(file.sha256, delta.item)
        return AnswerPicture(delta.item, name, file)

    async def _kept(self, delta: PictureDelta, name: str, keep: KeepFile) -> Attachment:
        """Store a picture. Raises ``ChatDeskError``."""
        if delta.fault is PictureFault.TOO_LARGE:
            raise AttachmentTooLarge.of(MAX_PICTURE_BYTES)
        data = await asyncio.to_thread(_decoded, delta.url)
        self._bytes += len(data)
        if self._bytes > _MOST_BYTES:
            raise AttachmentTooLarge(
                Text(
                    "The pictures of this answer are larger than {most_bytes} MB together.",
                    most_bytes=str(_MOST_BYTES // 2**20),
                )
            )
        mime = kind_of(data[:HEAD_BYTES], "")
        if mime not in IMAGE_MIMES:
            raise AttachmentUnusable(Text("It is not a picture that can be shown."))
        state = " (unfinished)" if delta.is_partial else ""
        return await keep(data, f"{name}{state}{safe_ending(mime) or ''}")


def _name_of(words: str) -> str:
    return clean_name(words[:_LONGEST_WORDS]) if words.strip() else ""


def _in_text(delta: PictureDelta) -> TextDelta | None:
    """Return a picture as it is in a text; None as long as it is not whole."""
    if delta.written:
        return TextDelta(delta.written)
    return TextDelta(f"\n\n![Picture]({delta.url})\n\n") if delta.url and not delta.is_partial else None


def _decoded(url: str) -> bytes:
    """Return the bytes of a data URL. Raises ``AttachmentTooLarge`` and ``AttachmentUnusable``."""
    letters = url.partition(",")[2]
    if len(letters) > MAX_PICTURE_LETTERS:
        raise AttachmentTooLarge.of(MAX_PICTURE_BYTES)
    letters += "=" * (-len(letters) % 4)
    pieces = range(0, len(letters), _SLICE_LETTERS)
    try:
        data = b"".join(base64.b64decode(letters[at : at + _SLICE_LETTERS], validate=True) for at in pieces)
    except (binascii.Error, ValueError) as error:
        raise AttachmentUnusable(Text("The picture is damaged.")) from error
    if not data:
        raise AttachmentUnusable(Text("The picture is empty."))
    return data
