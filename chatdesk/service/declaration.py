"""Describes the endpoints of the service: one declaration each, from which requests are checked, handed over and
answered.

A handler is a coroutine that runs on the loop of the services, as the window's own do, and returns what they return.
``shows`` converts that into the answer on the service's thread, and its annotation is the form of the answer. Forms are
dataclasses, strict and closed: an unknown field is an error.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, Literal, TypeVar

from chatdesk.core.storage.engine.repeated_request import DoneRequest
from chatdesk.service.allowances import Allowances
from chatdesk.service.caller import Caller, Scope
from chatdesk.service.jobs import Jobs
from chatdesk.services.services import Services

B = TypeVar("B")
Q = TypeVar("Q")


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """One checked request. ``query`` and ``body`` are of the forms that the endpoint declares, else None; names of
    ``headers`` are in lower case. ``allowances`` and ``jobs`` belong to the loop of the services."""

    services: Services
    caller: Caller
    path: Mapping[str, str]
    query: Q
    body: B
    allowances: Allowances
    jobs: Jobs
    headers: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Streamed:
    """The result of a handler that goes on answering: ``events`` runs on the loop of the services, ``encode`` turns
    each of its items into bytes on the service's thread. ``status`` None: that of the endpoint. Where ``is_held``, the
    answer begins with the first item, so that an error before it has its own status."""

    events: Callable[[], AsyncGenerator[Any, None]]
    encode: Callable[[Any], bytes]
    media_type: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Repeated:
    """The result of a request that was carried out before, as it is now."""

    result: Any


# The type of a body that is the bytes of a file: no form of a web page can send it.
FILE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """The body of a request that is a file, on disk until the handler returns; the handler may move it away."""

    path: Path


Handler = Callable[[Call[Any, Any]], Awaitable[Any]]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address and method. ``scope`` None: for everybody on this computer, without a token.

    ``again`` makes the result of a write again, from the request and the ids of what it made; such a write takes
    an Idempotency-Key. ``has_own_keys``: the handler takes one itself, and returns ``Repeated`` for what it knows.
    ``guards`` is the kind of thing that the path stands for (its id is the last name in it), where it may
    be changed under If-Match; ``shows`` is what its ETag is made of. ``compares`` returns the part of a thing that a
    write replaces, where the answer also shows what changes by itself: If-Match compares that part alone.
    ``headers`` are for an answer, made of the result.
    ``resumes``: the header Last-Event-ID means the same as ``after`` of its query. ``ends_when_left``: the handler is
    cancelled when its caller leaves.

    An answer without ``shows`` has no body, or is a stream of ``media_type``, in parts by Range where ``has_ranges``.
    One with both is a stream where the request asks for that.
    """

    method: Method
    path: str
    handler: Handler
    summary: str
    shows: Callable[[Any], Any] | None = None
    scope: Scope | None = Scope.READ
    query: type[Any] | None = None
    body: type[Any] | None = None
    status: int = 200
    again: Callable[[Call[Any, Any], DoneRequest], Awaitable[Any]] | None = None
    has_own_keys: bool = False
    guards: Literal["project", "thread", "draft", "summary", "tag", "prompt", "memory", "limits"] | None = None
    compares: Callable[[Any], Any] | None = None
    headers: Callable[[Any], Mapping[str, str]] | None = None
    ends_when_left: bool = False
    resumes: bool = False
    media_type: str = ""
    has_ranges: bool = False

    @property
    def shown_path(self) -> str:
        """The address as people read it. A last name with ``:path`` may have slashes in it."""
        return self.path.replace(":path}", "}")

    @property
    def takes_key(self) -> bool:
        return self.again is not None or self.has_own_keys

    @property
    def takes_file(self) -> bool:
        return self.body is UploadedFile

    @property
    def writes(self) -> bool:
        return self.method != "GET"
