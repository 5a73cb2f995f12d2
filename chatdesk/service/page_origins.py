"""Decides which web pages may send requests, besides the service's own: those of the origins that a person has named.

Such a page still needs a token in each request; cookies and other credentials of a browser are never taken (CORS).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from chatdesk.core.errors import InvalidInput
from chatdesk.core.texts import Text

_ORIGIN: Final = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE)
_NAMES: Final = re.compile(rb"[A-Za-z0-9_, -]{1,1000}")
_METHODS: Final = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_REMEMBERED_S: Final = b"600"
_SHOWN: Final = (
    b"ETag, Location, Retry-After, Content-Disposition, Idempotent-Replayed, Mcp-Session-Id, X-Request-Id,"
    b" X-ChatDesk-Token, X-ChatDesk-Thread, X-ChatDesk-Input-Tokens, X-ChatDesk-Output-Tokens, X-ChatDesk-Cost-USD"
)

Headers = list[tuple[bytes, bytes]]


class PageOrigins:
    """Allows origins of pages. Raises ``InvalidInput`` for an invalid one."""

    def __init__(self, named: Iterable[str]) -> None:
        found = [each.rstrip("/") for each in named]
        wrong = next((each for each in found if not _ORIGIN.fullmatch(each)), None)
        if wrong is not None:
            raise InvalidInput(
                Text("“{origin}” is not the origin of web pages.", origin=wrong),
                safe=Text("The service was not started."),
                next_step=Text("An origin is a scheme, a name and a port if there is one: https://tool.example."),
            )
        self._named = frozenset(each.lower().encode() for each in found)

    def __contains__(self, origin: bytes) -> bool:
        return origin.lower() in self._named


def answer_headers(origin: bytes) -> Headers:
    """Return the headers of each answer to a page of a named origin, so that its browser shows it to the page."""
    return [(b"access-control-allow-origin", origin), (b"access-control-expose-headers", _SHOWN), (b"vary", b"origin")]


def preflight_headers(asked: Headers) -> Headers:
    """Return the answer to a browser that asks whether a page may send a request with these headers."""
    wanted = dict(asked)
    found = [(b"access-control-allow-methods", _METHODS), (b"access-control-max-age", _REMEMBERED_S)]
    names = wanted.get(b"access-control-request-headers", b"")
    if _NAMES.fullmatch(names):
        found.append((b"access-control-allow-headers", names))  # each header is checked when it comes
    if wanted.get(b"access-control-request-private-network") == b"true":
        found.append((b"access-control-allow-private-network", b"true"))  # a page of the Internet, and this computer
    return found


def is_preflight(method: object, asked: Headers) -> bool:
    """Return whether a browser asks for permission before it sends a page's request."""
    return method == "OPTIONS" and any(name == b"access-control-request-method" for name, _value in asked)
