"""Describes an attached file: its name and kind as a person sees them, and the SHA-256 sum that finds its bytes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chatdesk.core.texts import Text

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_MIME = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,100}\Z")
_LONGEST_NAME = 200
# A name is shown and offered for saving: no separators, and nothing that Windows refuses.
_NOT_IN_NAMES = set('/\\:*?"<>|')
UNKNOWN_MIME = "application/octet-stream"
# Files that go with one message.
MOST_IN_MESSAGE = 20
# The sentence in the place of a picture of an answer until its data have come.
PICTURE_COMING = Text("It did not arrive completely.")
# Images that can be shown and sent. The ending of a name is ignored.
IMAGE_MIMES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"})


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message. ``name`` is clean (``clean_name``), ``mime`` was found in the bytes; sizes in pixels are
    there for images."""

    name: str
    mime: str
    sha256: str
    size_bytes: int
    width: int | None = None
    height: int | None = None

    @property
    def is_image(self) -> bool:
        return self.mime in IMAGE_MIMES and bool(self.width and self.height)

    @property
    def blob_path(self) -> str:
        """The path of the bytes below the folder of blobs."""
        return f"{self.sha256[:2]}/{self.sha256}"

    def as_content(self) -> dict[str, Any]:
        """Return the attachment as JSON data, for a message part or a draft; ``attachment_from`` reads it."""
        content = {"name": self.name, "mime": self.mime, "sha256": self.sha256, "size_bytes": self.size_bytes}
        if self.width is not None and self.height is not None:
            content |= {"width": self.width, "height": self.height}
        return content


@dataclass(frozen=True, slots=True)
class Enclosed:
    """An attachment as a request holds it: in ``tokens`` of the ``whole_tokens`` that all of it would take."""

    attachment: Attachment
    tokens: int
    whole_tokens: int

    @property
    def is_cut(self) -> bool:
        return self.tokens < self.whole_tokens


class Share(StrEnum):
    """The share of an attachment that a model is sent: all of it, what fits, or its name alone."""

    WHOLE = "whole"
    PART = "part"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class SentShare:
    """The share of an attachment that is sent, and the reason where that is not all of it."""

    attachment: Attachment
    share: Share
    reason: str = ""


def attachment_from(content: Mapping[str, Any]) -> Attachment | None:
    """Return the attachment that ``as_content`` wrote; None for content that names no bytes, such as parts older than
    blobs."""
    sha256, size_bytes = content.get("sha256"), content.get("size_bytes")
    if not isinstance(sha256, str) or not _SHA256.match(sha256) or not _is_size(size_bytes):
        return None
    name, mime = content.get("name"), content.get("mime")
    width, height = content.get("width"), content.get("height")
    has_size = _is_size(width) and _is_size(height)
    return Attachment(
        clean_name(name if isinstance(name, str) else ""),
        clean_mime(mime),
        sha256,
        int(size_bytes or 0),
        int(width or 0) if has_size else None,
        int(height or 0) if has_size else None,
    )


def clean_name(name: str) -> str:
    """Return a file's name on one line, without folders and invisible characters; its ending is kept when it is cut."""
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    shown = "".join(
        "_" if character in _NOT_IN_NAMES else character
        for character in unicodedata.normalize("NFC", last)
        if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    )
    trimmed = " ".join(shown.split()).strip(". ")
    if len(trimmed) > _LONGEST_NAME:
        stem, dot, ending = trimmed.rpartition(".")
        is_ending = bool(dot) and len(ending) <= 16
        trimmed = f"{stem[: _LONGEST_NAME - len(ending) - 2]}….{ending}" if is_ending else f"{trimmed[:_LONGEST_NAME]}…"
    return trimmed or "file"


def clean_mime(mime: object) -> str:
    return mime if isinstance(mime, str) and _MIME.match(mime) else UNKNOWN_MIME


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
