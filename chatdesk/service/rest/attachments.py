"""Declares the endpoint that receives a file, to be named by a question, a note or a draft; and the answers with
files."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from chatdesk.core.domain.attachment import Attachment, attachment_from, clean_name
from chatdesk.core.errors import AttachmentUnusable
from chatdesk.service.caller import Scope
from chatdesk.service.declaration import FILE, Call, Endpoint, Streamed, UploadedFile
from chatdesk.service.errors import NoSuchRange, UnknownPath
from chatdesk.service.forms import BODY, QUERY

_PIECE_BYTES: Final = 256 * 1024
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True, slots=True)
class AttachmentAnswer:
    """A file. Sent back as it is, it stands for the file in a question, a note or a draft."""

    name: str
    mime: str
    sha256: str
    size_bytes: int
    width: int | None
    height: int | None


@dataclass(frozen=True)
class AttachmentGiven:
    """A file that was sent before, as described in the answer to that request."""

    __pydantic_config__ = BODY
    name: str
    mime: str
    sha256: str
    size_bytes: int
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class FileName:
    """The name of the file."""

    __pydantic_config__ = QUERY
    name: str = "file"


def attachment_answer(attachment: Attachment) -> AttachmentAnswer:
    return AttachmentAnswer(
        attachment.name,
        attachment.mime,
        attachment.sha256,
        attachment.size_bytes,
        attachment.width,
        attachment.height,
    )


async def given_files(call: Call[Any, Any], given: Sequence[AttachmentGiven]) -> tuple[Attachment, ...]:
    """Return the attachments that a request names: files that this token sent, or that it may read where they are
    attached. Raises ``AttachmentUnusable`` for any other, whether its bytes are here or not."""
    found = []
    for each in given:
        named = attachment_from(vars(each))
        attachment = None if named is None else await _reached_file(call, named)
        if attachment is None:
            raise AttachmentUnusable("A file that is named was not sent.", next_step="Send it to /api/v1/attachments.")
        found.append(attachment)
    return tuple(found)


async def _reached_file(call: Call[Any, Any], named: Attachment) -> Attachment | None:
    """Return a file with the name and kind that are stored, not with those that the request claims."""
    caller, files = call.caller, call.services.attachments
    if caller.is_owner:
        return named if await files.has(named.sha256) else None
    sent = call.allowances.file(caller, named.sha256)
    if sent is not None and await files.has(named.sha256):
        return sent
    return await files.attached(named.sha256, caller.projects) if Scope.READ in caller.scopes else None


def streamed_file(path: Path, name: str, wanted: str) -> Streamed:
    """Return an answer with a file, or with the part named by the header Range. Raises ``NoSuchRange``, and
    ``UnknownPath`` if the file is missing."""
    try:
        size = path.stat().st_size
    except OSError:
        raise UnknownPath from None
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}", "accept-ranges": "bytes"}
    bounds = _bounds(wanted, size)
    first, end = (0, size) if bounds is None else bounds
    headers["content-length"] = str(end - first)
    if bounds is not None:
        headers["content-range"] = f"bytes {first}-{end - 1}/{size}"
    pieces = partial(_pieces, path, first, end)
    return Streamed(pieces, bytes, FILE, status=None if bounds is None else 206, headers=headers)


def _bounds(wanted: str, size: int) -> tuple[int, int] | None:
    """Return the first byte and the end of a range; None for the whole, also where the header is of another kind."""
    matched = _RANGE.fullmatch(wanted.strip())
    if matched is None or matched[1] == matched[2] == "":
        return None
    if not matched[1]:
        first, end = max(0, size - int(matched[2])), size
    else:
        first, end = int(matched[1]), min(size, int(matched[2]) + 1) if matched[2] else size
    if first >= end:
        raise NoSuchRange
    return first, end


async def _pieces(path: Path, first: int, end: int) -> AsyncGenerator[bytes, None]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        await asyncio.to_thread(file.seek, first)
        while first < end:
            piece = await asyncio.to_thread(file.read, min(_PIECE_BYTES, end - first))
            if not piece:
                return
            first += len(piece)
            yield piece
    finally:
        file.close()


async def _upload(call: Call[FileName, UploadedFile]) -> Attachment:
    path = call.body.path
    named = path.with_name(clean_name(call.query.name))
    await asyncio.to_thread(path.replace, named)
    attachment = await call.services.attachments.add_file(named)
    call.allowances.keep_file(call.caller, attachment)
    return attachment


ENDPOINTS: Final = (
    Endpoint(
        "POST",
        "/api/v1/attachments",
        _upload,
        "Send a file",
        attachment_answer,
        scope=Scope.WRITE,
        query=FileName,
        body=UploadedFile,
        status=201,
    ),
)
