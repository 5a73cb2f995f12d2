"""Turns errors into problem details (RFC 9457), with the same codes and sentences as the command line."""

from __future__ import annotations

import math
from typing import Any, Final

from chatdesk.core import errors
from chatdesk.core.clock import Clock
from chatdesk.core.domain import limits
from chatdesk.core.errors import ChatDeskError, ProviderError, ProviderErrorKind
from chatdesk.core.storage.engine.repeated_request import StaleEdit
from chatdesk.service import errors as refusals
from chatdesk.service.errors import CallerLeft, InvalidRequest, ServiceError

MEDIA_TYPE: Final = "application/problem+json"

# The first match applies; other errors are 500.
_STATUSES: Final[tuple[tuple[type[ChatDeskError], int], ...]] = (
    (errors.MessageTooLarge, 413),
    (errors.AttachmentTooLarge, 413),
    (errors.InvalidInput, 422),
    (errors.NotFound, 404),
    (errors.DoesNotFit, 422),
    (limits.LimitReached, 429),
    (limits.BackgroundLimitReached, 429),
    (errors.SharedReadOnly, 403),
    (errors.SharedNotOwn, 403),
    (StaleEdit, 409),
    (errors.ThreadInTrash, 409),
    (errors.MessageInTrash, 409),
    (errors.TurnInProgress, 409),
    (errors.SummaryRangeGone, 409),
    (errors.SummaryNeedsConsent, 409),
    (errors.AlreadyRunning, 409),
    (errors.NotPossible, 409),
    (errors.StorageFull, 507),
    (errors.StorageError, 503),
    (errors.TeamError, 503),
    (errors.ProviderError, 502),
)
# Statuses for failures of a provider that clients can tell apart; all others are 502.
_VENDOR_STATUSES: Final = {
    ProviderErrorKind.BAD_REQUEST: 400,
    ProviderErrorKind.CONTEXT_TOO_LONG: 400,
    ProviderErrorKind.CONTENT_FILTER: 400,
    ProviderErrorKind.UNAUTHORISED: 401,
    ProviderErrorKind.NO_KEY: 401,
    ProviderErrorKind.PAYMENT: 402,
    ProviderErrorKind.FORBIDDEN: 403,
    ProviderErrorKind.MODEL_NOT_FOUND: 404,
}
_OPENAI_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "invalid_request_error",
    405: "invalid_request_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
    429: "rate_limit_error",
}
_UNEXPECTED: Final = {
    "code": "unexpected",
    "title": "Something unexpected happened.",
    "detail": "Something unexpected happened. The log says more under the id of this request.",
    "status": 500,
}


def status_of(error: ChatDeskError) -> int:
    """Return the HTTP status for an error."""
    if isinstance(error, ProviderError) and error.kind is ProviderErrorKind.RATE_LIMITED:
        return 429
    return error.status if isinstance(error, ServiceError) else _status_of_kind(type(error))


def codes_by_status() -> dict[int, tuple[str, ...]]:
    """Return the codes that a problem may have, by status, without the refusal that never reaches a client."""
    kinds = {
        each
        for module in (errors, limits, refusals)
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, ChatDeskError)
        and each not in (ChatDeskError, ServiceError, CallerLeft)
    }
    found: dict[int, set[str]] = {500: {str(_UNEXPECTED["code"])}, _status_of_kind(StaleEdit): {StaleEdit.code}}
    for kind in kinds:
        status = kind.status if issubclass(kind, ServiceError) else _status_of_kind(kind)
        found.setdefault(status, set()).add(kind.code)
    found[429].add(ProviderError.code)
    return {status: tuple(sorted(codes)) for status, codes in sorted(found.items())}


def _status_of_kind(wanted: type[ChatDeskError]) -> int:
    return next((status for kind, status in _STATUSES if issubclass(wanted, kind)), 500)


def retry_after_s(error: ChatDeskError) -> int | None:
    """Return the whole seconds after which another try makes sense, where they are known."""
    wait: float | None = None
    if isinstance(error, ServiceError | ProviderError):
        wait = error.retry_after_s
    elif isinstance(error, limits.LimitReached | limits.BackgroundLimitReached):
        wait = (error.until_ms - Clock().now_ms()) / 1000
    elif isinstance(error, errors.StorageBusy):
        wait = 1.0
    return None if wait is None else max(1, math.ceil(wait))


def problem_of(error: Exception, request_id: str) -> dict[str, Any]:
    """Return the body for an error. An unexpected error reveals no details."""
    if not isinstance(error, ChatDeskError):
        found = dict(_UNEXPECTED)
    else:
        found = {
            "code": error.code,
            "title": error.what,
            "detail": error.sentence_without_window,
            "status": status_of(error),
        }
        if isinstance(error, InvalidRequest):
            found["fields"] = [{"place": place, "what": what} for place, what in error.fields]
    return {"type": f"urn:chatdesk:problem:{found['code']}", **found, "request_id": request_id}


def openai_error_of(error: Exception, request_id: str) -> tuple[int, dict[str, Any]]:
    """Return the status and the body for an error in OpenAI's form."""
    problem = problem_of(error, request_id)
    status, code = problem["status"], problem["code"]
    if isinstance(error, ProviderError):
        status, code = _VENDOR_STATUSES.get(error.kind, status), error.kind.value
    elif status == InvalidRequest.status:
        status = 400  # OpenAI's only status for bad requests
    body = {
        "message": problem["detail"],
        "type": _OPENAI_TYPES.get(status, "server_error"),
        "param": None,
        "code": code,
    }
    return status, {"error": body}
