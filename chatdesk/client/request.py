"""Describes a request to the service: what it sends, and how its answer is parsed. Nothing here blocks."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

import httpx2

from chatdesk.client.chat_forms import Attachment
from chatdesk.client.errors import ServiceFailed, problem_of
from chatdesk.client.reading import read

T = TypeVar("T")

# Each request that the document of the service has below this has a method.
API: Final = "/api/v1"
_PIECE_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True, repr=False)
class Place:
    """The address of the service and the token for it. ``is_of_owner``: both come from the owner's files, which are
    others after each start of the service."""

    url: str
    token: str
    is_of_owner: bool = False


class FileBody(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A file as the body of a request, for both clients. It is sent in pieces, so that a large one is never in memory
    whole; each try reads it from its beginning."""

    def __init__(self, file: str | os.PathLike[str] | bytes) -> None:
        self._file = file if isinstance(file, bytes) else Path(file)

    @property
    def name(self) -> str:
        """The file's own name; empty for bytes."""
        return "" if isinstance(self._file, bytes) else self._file.name

    @property
    def size_bytes(self) -> int:
        return len(self._file) if isinstance(self._file, bytes) else self._file.stat().st_size

    def __iter__(self) -> Iterator[bytes]:
        if isinstance(self._file, bytes):
            yield self._file
            return
        with self._file.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = iter(self)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One request, which may be sent several times; with a ``key`` a write happens once all the same. ``read`` gets
    the JSON of the answer, or its bytes where ``is_for_file``."""

    method: str
    path: str
    read: Callable[[Any], T]
    query: Mapping[str, str | int | None] = field(default_factory=dict)
    body: Mapping[str, Any] | FileBody | None = None
    key: str = ""
    if_match: str = ""
    is_for_file: bool = False
    bytes_wanted: str = ""

    def sent_to(self, place: Place) -> httpx2.Request:
        """Return the HTTP request to send."""
        headers = {"authorization": f"Bearer {place.token}"}
        if not self.is_for_file:
            headers["accept"] = "application/json"
        for name, value in (
            ("idempotency-key", self.key),
            ("if-match", self.if_match),
            ("range", self.bytes_wanted),
        ):
            if value:
                headers[name] = value
        url = place.url + self.path
        query = {name: value for name, value in self.query.items() if value is not None}
        if isinstance(self.body, FileBody):
            headers |= {
                "host": httpx2.URL(url).netloc.decode(),
                "content-type": "application/octet-stream",
                "content-length": str(self.body.size_bytes),
            }
            return httpx2.Request(self.method, url, params=query, headers=headers, stream=self.body)
        return httpx2.Request(self.method, url, params=query, json=self.body, headers=headers)

    def result_of(self, response: httpx2.Response) -> T:
        """Return the result in a response. Raises the ``Problem`` that it is."""
        if self.is_for_file and response.is_success:
            return self.read(response.content)
        body: Any = None
        if response.content:
            try:
                body = json.loads(response.content)
            except (ValueError, RecursionError):
                body = None
        if not response.is_success:
            raise problem_of(response.status_code, body, response.headers.get("retry-after", ""))
        if isinstance(body, dict):
            body["etag"] = response.headers.get("etag", "")
        try:
            return self.read(body)
        except (ValueError, LookupError, TypeError) as error:
            raise ServiceFailed(response.status_code, {"detail": "The answer is not one of ChatDesk's."}) from error


def nothing(_body: Any) -> None:
    """Read an answer without content."""
    return


def form(of: type[T]) -> Callable[[Any], T]:
    """Return what reads an answer that is one form."""
    return partial(read, of)


def get(path: str, read: Callable[[Any], T], **query: str | int | None) -> Request[T]:
    """Return a request that reads; None values of its query are left out."""
    return Request("GET", API + path, read, query)


def write(
    method: str,
    path: str,
    read: Callable[[Any], T],
    body: Mapping[str, Any] | None = None,
    *,
    key: str = "",
    if_match: str = "",
) -> Request[T]:
    """Return a write with a key of its own, unless it has one; fields that are None are left to the service."""
    given = None if body is None else {name: value for name, value in body.items() if value is not None}
    return Request(method, API + path, read, body=given, key=key or str(uuid.uuid4()), if_match=if_match)


def repeatable(method: str, path: str, read: Callable[[Any], T], **query: str | int | None) -> Request[T]:
    """Return a write without a body that does the same however often it is sent, so that it needs no key."""
    return Request(method, API + path, read, query)


def path_of(kind: str, id_: str, rest: str = "") -> str:
    """Return the path of one thing, or of something below it."""
    return f"/{kind}/{quote(id_, safe='')}{rest}"


def given_files(attachments: Sequence[Attachment]) -> list[dict[str, Any]] | None:
    """Return how files are named in a body."""
    return [asdict(each) for each in attachments] or None
