"""Defines the limits of attached files: number, sizes of one file, a message and a day, and kinds. Pure.

All code that accepts or sends files applies these limits and their sentences: the window, the command line, the local
service, assistants, imports and the results of tools.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.errors import AttachmentTooLarge, AttachmentUnusable, InvalidInput
from chatdesk.core.texts import Text, size_text

_MIB: Final = 2**20
# An export may have files of other programs, which take larger ones.
LARGEST_IMPORTED_BYTES: Final = 100 * _MIB
_NEXT_STEP: Final = Text(
    "Remove some and send them with the next message, or raise the limit in Settings, Usage and limits."
)


@dataclass(frozen=True, slots=True)
class AttachmentLimits:
    """Limits on the number, the size and the kinds of attached files. ``number`` and ``message_bytes`` are for one
    message, ``file_bytes`` for one file, ``day_bytes`` for all that a person attaches in a local day (0: no limit).
    ``refused`` are kinds as their bytes have them, such as ``application/pdf`` or ``video/*``."""

    number: int = 20
    file_bytes: int = 20 * _MIB
    message_bytes: int = 100 * _MIB
    day_bytes: int = 0
    refused: tuple[str, ...] = ()

    def refuses(self, mime: str) -> bool:
        """Return whether files of a kind are kept out."""
        return any(mime == each or (each.endswith("/*") and mime.startswith(each[:-1])) for each in self.refused)

    def check_kind(self, name: str, mime: str) -> None:
        """Raise ``AttachmentUnusable`` for a file of a kind that is kept out."""
        if self.refuses(mime):
            raise AttachmentUnusable(
                Text("“{name}” is of a kind that may not be attached: {mime}.", name=name, mime=mime),
                next_step=Text("Choose another file, or change the kinds in Settings, Usage and limits."),
            )

    def check_size(self, name: str, size_bytes: int) -> None:
        """Raise ``AttachmentTooLarge`` for a file that is too large."""
        if size_bytes > self.file_bytes:
            raise AttachmentTooLarge.of(self.file_bytes, name)

    def check_message(self, attachments: Sequence[Attachment]) -> None:
        """Raise ``InvalidInput`` where these files do not go with one message."""
        if len(attachments) > self.number:
            what = Text(
                "A message can have at most {number} files; there are {attachments}.",
                number=self.number,
                attachments=len(attachments),
            )
            raise InvalidInput(what, safe=Text("Your text and the attachments are kept."), next_step=_NEXT_STEP)
        total = sum(each.size_bytes for each in attachments)
        if total > self.message_bytes:
            what = Text(
                "The files of one message can have at most {limit} together; these have {total}.",
                limit=size_text(self.message_bytes),
                total=size_text(total),
            )
            raise InvalidInput(what, safe=Text("Your text and the attachments are kept."), next_step=_NEXT_STEP)

    def check_day(self, name: str, size_bytes: int, *, before_bytes: int) -> None:
        """Raise ``InvalidInput`` if a file would exceed the daily limit of attachments, of which ``before_bytes`` are
        used."""
        if self.day_bytes and before_bytes + size_bytes > self.day_bytes:
            raise InvalidInput(
                Text(
                    "With “{name}”, the files attached today would have {total}; the limit for a day is {limit}.",
                    name=name,
                    total=size_text(before_bytes + size_bytes),
                    limit=size_text(self.day_bytes),
                ),
                safe=Text("Your text and the other attachments are kept."),
                next_step=Text("Attach it tomorrow, or raise the limit in Settings, Usage and limits."),
            )

    def left_out(self, count: int) -> str:
        """Return the sentence for ``count`` files that are left out because a message has enough."""
        return Text("A message can have {number} files; {number_2} were left out.", number=self.number, number_2=count)


def kinds_of(text: str) -> Iterator[str]:
    """Yield the kinds in a person's text: types with commas or spaces between them, in any case."""
    for word in text.replace(",", " ").split():
        kind, _, detail = word.lower().partition("/")
        if kind and detail:
            yield f"{kind}/{detail}"
