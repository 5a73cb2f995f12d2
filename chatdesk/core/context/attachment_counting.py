"""Counts the tokens of attachments for a model and decides how much of each is sent.

The bytes are behind a protocol: this module does not know where files are kept.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from chatdesk.core.context.budget import TokenBudget
from chatdesk.core.context.reading import Reading, shared_out
from chatdesk.core.context.tokens import TokenCounter
from chatdesk.core.domain.attachment import Attachment, Enclosed, SentShare, Share
from chatdesk.core.domain.context import ContextRow
from chatdesk.core.domain.model_info import ModelInfo
from chatdesk.core.providers.base import ChatRequest

_MOST_REMEMBERED = 512
# Longer texts are counted on a worker thread.
_LONGEST_COUNTED_AT_ONCE = 8_000
_TILE_PX, _FIT_PX, _SHORT_PX = 512, 2048, 768
_PATCH_PX, _MOST_PATCHES = 32, 1536
_ANTHROPIC_LONGEST_PX, _ANTHROPIC_PIXELS_PER_TOKEN = 1568, 750


class PayloadSource(Protocol):
    """Turns attachments into the content of a request. Implemented by ``core.chat``."""

    async def text_for(self, attachment: Attachment, reading: Reading) -> str:
        """Return the words that are sent for an attachment when there is room for all of it."""
        ...

    async def write_out(self, request: ChatRequest, reading: Reading) -> ChatRequest:
        """Return the request with the contents of its attachments written into the messages. Never raises for a bad
        file."""
        ...

    async def share_of(self, enclosed: Enclosed, reading: Reading) -> SentShare:
        """Return how much of an attachment of a question ``write_out`` writes, and why it is not all."""
        ...


class NamesOnly:
    """Sends only the names of attachments, without a store of files."""

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

    async def share_of(self, enclosed: Enclosed, reading: Reading) -> SentShare:
        return SentShare(enclosed.attachment, Share.NAME)


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

    async def shares(self, attachments: Sequence[Attachment], info: ModelInfo, encoding: str) -> tuple[SentShare, ...]:
        """Return how much of each attachment of one question a model is sent."""
        reading = Reading.of(encoding, info, TokenBudget.of(info.context_window, answer=info.largest_answer))
        enclosed = await self.enclosed(attachments, reading)
        return tuple([await self._source.share_of(each, reading) for each in enclosed])

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
        # The tokens of a file are the same for all models with the same tokeniser.
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
    """Return the line that replaces an attachment whose content is not sent."""
    return f'[Attached: "{attachment.name}"]'


# The tokens of a picture, by the rules that vendors publish.
# OpenAI ("Images and vision", Calculating costs) counts tiles of 512 pixels after fitting the picture into 2048 × 2048
# and its shorter side to 768, or for smaller models patches of 32 pixels, at most 1,536 of them, times a factor.
# Anthropic counts a token for 750 pixels after fitting the longer side to 1568. An undocumented vendor is counted like
# OpenAI's larger models.
@dataclass(frozen=True, slots=True)
class _Tiles:
    base: int
    tile: int

    def tokens(self, width: int, height: int) -> int:
        scale = min(1.0, _FIT_PX / max(width, height))
        wide, high = width * scale, height * scale
        scale = min(1.0, _SHORT_PX / min(wide, high))
        tiles = math.ceil(wide * scale / _TILE_PX) * math.ceil(high * scale / _TILE_PX)
        return self.base + self.tile * tiles


@dataclass(frozen=True, slots=True)
class _Patches:
    factor: float

    def tokens(self, width: int, height: int) -> int:
        patches = math.ceil(width / _PATCH_PX) * math.ceil(height / _PATCH_PX)
        return math.ceil(min(patches, _MOST_PATCHES) * self.factor)


@dataclass(frozen=True, slots=True)
class _Area:
    def tokens(self, width: int, height: int) -> int:
        scale = min(1.0, _ANTHROPIC_LONGEST_PX / max(width, height))
        return math.ceil(width * scale * height * scale / _ANTHROPIC_PIXELS_PER_TOKEN)


_USUAL = _Tiles(85, 170)
# The first that a name begins with.
_RULES: tuple[tuple[re.Pattern[str], _Tiles | _Patches | _Area], ...] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (r"gpt-4o-mini", _Tiles(2833, 5667)),
        (r"gpt-(4\.1|5(\.\d+)?)-mini", _Patches(1.62)),
        (r"gpt-(4\.1|5(\.\d+)?)-nano", _Patches(2.46)),
        (r"gpt-5", _Tiles(70, 140)),
        (r"o4-mini", _Patches(1.72)),
        (r"o[13]", _Tiles(75, 150)),
        (r"claude", _Area()),
    )
)


def image_tokens(model: str, width: int, height: int) -> int:
    """Return the tokens of a picture with that many pixels."""
    name = model.lower().rsplit("/", 1)[-1]
    rule = next((rule for pattern, rule in _RULES if pattern.match(name)), _USUAL)
    return rule.tokens(max(width, 1), max(height, 1))
