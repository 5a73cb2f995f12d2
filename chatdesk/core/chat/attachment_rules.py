"""Rules for the attachments of one message. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from chatdesk.core.attachments.attachment_limits import AttachmentLimits as AttachmentLimits
from chatdesk.core.domain.attachment import Attachment, attachment_from
from chatdesk.core.domain.message import Message, PartType
from chatdesk.core.errors import EmptyMessage, MessageTooLarge
from chatdesk.core.texts import Text


def check_question(text: str, attachments: Sequence[Attachment], limits: AttachmentLimits, *, most_bytes: int) -> None:
    """Raise a ``ChatDeskError`` if a text cannot be sent with these files. It may be blank beside them."""
    limits.check_message(attachments)
    if not text.strip() and not attachments:
        raise EmptyMessage
    size_bytes = len(text.encode("utf-8", errors="replace"))
    if size_bytes > most_bytes:
        raise MessageTooLarge(
            Text(
                "The message has {size_bytes} bytes; the limit is {most_bytes} bytes.",
                size_bytes=size_bytes,
                most_bytes=most_bytes,
            )
        )


def attachments_of(message: Message) -> tuple[Attachment, ...]:
    """Return the attachments of a message in their order, without parts stored before files were kept by content."""
    found = (attachment_from(part.content) for part in message.parts if part.type in (PartType.IMAGE, PartType.FILE))
    return tuple(attachment for attachment in found if attachment is not None)


def names_of(attachments: Sequence[Attachment]) -> str:
    """Return the names of the attachments, which stand for the text of a message that has none."""
    return ", ".join(attachment.name for attachment in attachments)
