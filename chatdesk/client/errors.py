"""Defines a client's errors: one class per kind of refusal, made from the problem details of the service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final


class ClientError(Exception):
    """The base of everything that the client raises."""


class NotRunning(ClientError):
    """No service was found: it is off, or the address or the token is missing."""


class Unreachable(ClientError):
    """The service did not answer, also when asked again."""


class AnswerFailed(ClientError):
    """The model's answer ended with an error. ``code`` names it; the text written until then is in the thread."""

    def __init__(self, detail: str, code: str) -> None:
        super().__init__(detail)
        self.code = code


class Problem(ClientError):
    """A refusal of the service. ``code`` is the same as in the window and on the command line; ``fields`` are pairs of
    a place in the request and what is wrong there; ``request_id`` finds it in the log of ChatDesk."""

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after_s: float | None = None) -> None:
        self.status = status
        self.code = _text(problem, "code") or "unknown"
        self.title = _text(problem, "title")
        self.detail = _text(problem, "detail") or self.title or f"The service answered {status}."
        self.request_id = _text(problem, "request_id")
        self.retry_after_s = retry_after_s
        found = problem.get("fields")
        self.fields = tuple(
            (_text(each, "place"), _text(each, "what"))
            for each in (found if isinstance(found, list) else ())
            if isinstance(each, Mapping)
        )
        super().__init__(self.detail)


class BadToken(Problem):
    """The token is missing, wrong, expired or revoked (401)."""


class NotAllowed(Problem):
    """The token does not allow this (403)."""


class NotFound(Problem):
    """The thing does not exist, or the token has no access to it (404)."""


class Conflict(Problem):
    """Something else changed it, or it is not in the right state (409). ``current`` is the version that is there,
    where the request named one."""

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after_s: float | None = None) -> None:
        super().__init__(status, problem, retry_after_s)
        self.current = problem.get("current")


class InvalidRequest(Problem):
    """The request has not the right form (400, 415, 422)."""


class TooLarge(Problem):
    """The request is larger than a limit (413, 431)."""


class TooMany(Problem):
    """A limit is reached (429); ``retry_after_s`` says when it is worth another try, where that is known."""


class ServiceFailed(Problem):
    """The service, its disk or the provider of the model failed (5xx)."""


_KINDS: Final[Mapping[int, type[Problem]]] = {
    400: InvalidRequest,
    401: BadToken,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    415: InvalidRequest,
    422: InvalidRequest,
    429: TooMany,
    431: TooLarge,
}


def problem_of(status: int, body: object, retry_after: str = "") -> Problem:
    """Return the error for an answer of the service, whatever its body is."""
    kind = _KINDS.get(status, ServiceFailed if status >= 500 else Problem)
    wait_s = float(retry_after) if retry_after.isascii() and retry_after.isdecimal() else None
    return kind(status, body if isinstance(body, Mapping) else {}, wait_s)


def _text(problem: Mapping[str, Any], name: str) -> str:
    value = problem.get(name)
    return value if isinstance(value, str) else ""
