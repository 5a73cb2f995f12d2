"""Rules for the attachments of one message. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from chatdesk.core.domain.attachment import MOST_IN_MESSAGE, Attachment, attachment_from
from chatdesk.core.domain.message import Message, PartType
from chatdesk.core.errors import InvalidInput


def check_count(attachments: Sequence[Attachment]) -> None:
    """Raise ``InvalidInput`` when there are more attachments than a message may have."""
    if len(attachments) > MOST_IN_MESSAGE:
        raise InvalidInput(
            f"At most {MOST_IN_MESSAGE} files go with one message; there are {len(attachments)}.",
            safe="Your text and the attachments are kept.",
            next_step="Remove some, and send them with the next message.",
        )


def attachments_of(message: Message) -> tuple[Attachment, ...]:
    """Return the attachments of a message in their order, without parts stored before files were kept by content."""
    found = (attachment_from(part.content) for part in message.parts if part.type in (PartType.IMAGE, PartType.FILE))
    return tuple(attachment for attachment in found if attachment is not None)


def names_of(attachments: Sequence[Attachment]) -> str:
    """Return the names of the attachments, which stand for the text of a message that has none."""
    return ", ".join(attachment.name for attachment in attachments)
