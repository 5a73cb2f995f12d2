"""Counts the tokens of attachments for a model and decides how much of each is sent.

The bytes are behind a protocol: this module does not know where files are kept.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from chatdesk.core.context.image_tokens import image_tokens
from chatdesk.core.context.reading import Reading, shared_out
from chatdesk.core.context.tokens import TokenCounter
from chatdesk.core.domain.attachment import Attachment, Enclosed
from chatdesk.core.domain.context import ContextRow
from chatdesk.core.providers.base import ChatRequest

_MOST_REMEMBERED = 512
# As long a text is counted on a thread.
_LONGEST_COUNTED_AT_ONCE = 8_000


class PayloadSource(Protocol):
    """Turns attachments into the content of a request. Implemented by ``core.chat``."""

    async def text_for(self, attachment: Attachment, reading: Reading) -> str:
        """Return the words that are sent for an attachment when there is room for all of it."""
        ...

    async def write_out(self, request: ChatRequest, reading: Reading) -> ChatRequest:
        """Return the request with the contents of its attachments written into the messages. Never raises for a bad
        file."""
        ...


class NamesOnly:
    """Sends only the names of attachments, where there are no files."""

    async def text_for(self, attachment: Attachment, reading: Reading) -> str:
        return name_line(attachment)

    async def write_out(self, request: ChatRequest, reading: Reading) -> ChatRequest:
        messages = (
            replace(message, files=tuple(name_line(each.attachment) for each in message.enclosed))
            if message.enclosed
            else message
            for message in request.messages
        )
        return replace(request, messages=tuple(messages))


class AttachmentCounter:
    """Counts attachments, on one loop."""

    def __init__(self, source: PayloadSource, counter: TokenCounter) -> None:
        self._source = source
        self._counter = counter
        self._known: OrderedDict[tuple[str, str, Reading], int] = OrderedDict()

    async def enclosed(
        self, attachments: Sequence[Attachment], reading: Reading, *, known: Sequence[int | None] = ()
    ) -> tuple[Enclosed, ...]:
        """Return how much of each attachment of one message is sent. ``known``: the tokens of each as a whole, None
        where they were not counted yet."""
        wholes = [
            await self._whole(attachment, reading) if stored is None else stored
            for attachment, stored in zip(attachments, known or [None] * len(attachments), strict=True)
        ]
        files = [place for place, attachment in enumerate(attachments) if not attachment.is_image]
        shares = dict(zip(files, shared_out([wholes[place] for place in files], reading.file_tokens), strict=True))
        return tuple(
            Enclosed(attachment, shares.get(place, wholes[place]), wholes[place])
            for place, attachment in enumerate(attachments)
        )

    async def counted(self, row: ContextRow, reading: Reading) -> tuple[ContextRow, dict[str, int]]:
        """Return ``row`` with tokens for its attachments, and the new counts that are to be stored, by part id."""
        waiting = [part for part in row.parts if part.attachment is not None]
        attachments = [part.attachment for part in waiting if part.attachment is not None]
        known = [part.whole_tokens for part in waiting]
        enclosed = await self.enclosed(attachments, reading, known=known)
        found = {part.id: each for part, each in zip(waiting, enclosed, strict=True)}
        new = {
            part.id: found[part.id].whole_tokens
            for part in waiting
            if part.whole_tokens is None and not found[part.id].attachment.is_image
        }
        parts = tuple(
            replace(part, tokens=found[part.id].tokens, whole_tokens=found[part.id].whole_tokens)
            if part.id in found
            else part
            for part in row.parts
        )
        return replace(row, parts=parts), new

    async def _whole(self, attachment: Attachment, reading: Reading) -> int:
        # What a file takes is the same for all models that count alike.
        asked = reading if attachment.is_image else Reading(reading.encoding)
        key = (attachment.sha256, attachment.name, asked)
        known = self._known.get(key)
        if known is None:
            text = await self._source.text_for(attachment, reading)
            if len(text) > _LONGEST_COUNTED_AT_ONCE:
                known = await asyncio.to_thread(self._counter.count_in, text, reading.encoding)
            else:
                known = self._counter.count_in(text, reading.encoding)
            if attachment.is_image and reading.can_see:
                known += image_tokens(reading.model, attachment.width or 1, attachment.height or 1)
            self._known[key] = known
            while len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)
        return known


def name_line(attachment: Attachment) -> str:
    """Return the line that stands for an attachment where nothing of it is sent."""
    return f'[Attached: "{attachment.name}"]'
