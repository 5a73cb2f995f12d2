"""Defines why the service refuses a request before anything of the core is asked. ``problems`` has their statuses."""

from __future__ import annotations

from chatdesk.core.errors import ChatDeskError


class ServiceError(ChatDeskError):
    """The base of the refusals of the service. ``retry_after_s``: when it is worth another try."""

    code = "refused"
    status = 400
    safe = "Nothing was changed."
    next_step = ""
    retry_after_s: float | None = None


class MalformedRequest(ServiceError):
    code = "malformed_request"
    what = "This is not a request that the service can read."


class ServiceEnding(ServiceError):
    code = "closing"
    status = 503
    what = "ChatDesk is closing."
    safe = ""
    next_step = "Start it again, then try again."


class NoToken(ServiceError):
    code = "no_token"
    status = 401
    what = "This request has no valid token."
    next_step = "Make one with 'chatdesk tokens new', and send it as 'Authorization: Bearer TOKEN'."


class NotAllowed(ServiceError):
    code = "not_allowed"
    status = 403
    what = "The token does not allow this."
    next_step = "Use a token with the scope that is named, or make one with 'chatdesk tokens new'."


class ForeignOrigin(ServiceError):
    code = "foreign_origin"
    status = 403
    what = "Web pages of other origins may not use this service."


class WrongHost(ServiceError):
    code = "wrong_host"
    status = 421
    what = "The service does not answer under this name."
    next_step = "Use the address that 'chatdesk serve' names."


class UnknownPath(ServiceError):
    code = "unknown_path"
    status = 404
    what = "There is nothing at this address."


class UnknownMethod(ServiceError):
    code = "unknown_method"
    status = 405
    what = "This address does not know that method."


class HeadersTooLarge(ServiceError):
    code = "headers_too_large"
    status = 431
    what = "The headers of the request are larger than the limit."


class BodyTooLarge(ServiceError):
    code = "body_too_large"
    status = 413
    what = "The body of the request is larger than the limit."


class BodyTooSlow(ServiceError):
    code = "body_too_slow"
    status = 408
    what = "The body of the request did not arrive in time."


class AnswerUnread(ServiceError):
    code = "answer_unread"
    status = 408
    what = "The caller did not read its answer."


class CallerLeft(ServiceError):
    code = "caller_left"
    status = 499
    what = "The caller left before its answer was there."


class NotJson(ServiceError):
    code = "not_json"
    status = 415
    what = "The body of the request has to be JSON, with the type application/json and no encoding."


class NotFile(ServiceError):
    code = "not_file"
    status = 415
    what = "The body of the request has to be the bytes of a file, with the type application/octet-stream."


class NoSuchRange(ServiceError):
    code = "no_such_range"
    status = 416
    what = "The file has no such range."
    safe = ""


class UnknownModel(ServiceError):
    code = "model_not_found"
    status = 404
    what = "There is no such model."
    safe = ""
    next_step = "GET /v1/models lists those that there are."


class UnknownJob(ServiceError):
    code = "job_not_found"
    status = 404
    what = "There is no such job."
    next_step = "Jobs are kept until the service ends."


class InvalidRequest(ServiceError):
    """The request does not have the form that its address wants. ``fields`` are pairs of a place and what is wrong
    there; the values themselves are not repeated."""

    code = "invalid_request"
    status = 422
    what = "The request does not have the right form."

    def __init__(self, fields: tuple[tuple[str, str], ...] = ()) -> None:
        self.fields = fields
        super().__init__(next_step=" ".join(f"{place}: {what}." for place, what in fields))


class PreviousResponseUnknown(ServiceError):
    code = "previous_response_not_found"
    what = "No thread keeps the response that this one is to follow."
    safe = ""
    next_step = "Send the whole conversation as input, or ask in a thread, which keeps its responses."


class TooManyRequests(ServiceError):
    code = "too_many_requests"
    status = 429
    what = "This token made too many requests in a minute."

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(next_step=f"Try again in {retry_after_s:.0f} s.")
        self.retry_after_s = retry_after_s


class TokenLimitReached(ServiceError):
    code = "token_limit_reached"
    status = 429
    what = "The limit of this token is reached."

    def __init__(self, what: str, retry_after_s: float) -> None:
        super().__init__(what, next_step=f"Try again in {retry_after_s:.0f} s.")
        self.retry_after_s = retry_after_s


class TooManyAnswers(ServiceError):
    code = "too_many_answers"
    status = 429
    what = "Too many answers that assistants asked for are being written."
    next_step = "Wait until one has ended."
    retry_after_s = 5.0


class UnknownTool(ServiceError):
    code = "unknown_tool"
    status = 404
    what = "There is no such tool."


class KeyUsedOtherwise(ServiceError):
    code = "idempotency_key_used_otherwise"
    status = 422
    what = "This Idempotency-Key was used for another request."
    next_step = "Use a new key for each thing that is to be made."


class RequestRunning(ServiceError):
    code = "request_running"
    status = 409
    what = "A request with this Idempotency-Key is still being carried out."
    next_step = "Ask again in a moment."
    retry_after_s = 1.0


class ConditionNeeded(ServiceError):
    code = "condition_needed"
    status = 400
    what = "If-Match names one version, in quotation marks, or *."
