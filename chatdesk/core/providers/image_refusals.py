"""Recognises the words in which servers say that a model sees no images. Pure."""

from __future__ import annotations

import re
from typing import Final

from chatdesk.core.errors import ProviderErrorKind as Kind

# The kinds of the refusals in which such words are found.
IMAGE_KINDS: Final = frozenset({Kind.BAD_REQUEST, Kind.MODEL_NOT_FOUND, Kind.SERVER, Kind.OTHER})
_LONGEST_READ = 2_000
_NO_IMAGES = re.compile(
    r"\b(?:not?|n't|cannot|unable|unsupported|only)\b.{0,80}(?:image|vision|multi-?modal|visual)"
    r"|(?:image|vision|multi-?modal|visual).{0,80}(?:\bnot\b|n't|\bonly\b|unsupported|disabled|unavailable)"
    r"|at most 0 image|mmproj|unknown variant .{0,3}image"
    r"|content.{0,80}(?:must be|should be|expected).{0,30}string|input should be a valid string",
    re.IGNORECASE | re.DOTALL,
)
# Faults of one image; the server accepts others.
_BAD_IMAGE = re.compile(
    r"too (?:large|big|small|many)|exceed|(?:larger|bigger|more|smaller) than|(?:image|file) (?:format|type|size)|mime"
    r"|media.?type|corrupt|decode\b|could not process|download|base64|invalid image|valid image",
    re.IGNORECASE,
)


def sees_none(words: str) -> bool:
    """Return whether a server refuses every image, and not only one that is too large or damaged."""
    read = words[:_LONGEST_READ]
    return bool(_NO_IMAGES.search(read)) and not _BAD_IMAGE.search(read)
