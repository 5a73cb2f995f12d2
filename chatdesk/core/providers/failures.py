"""Turns the errors of the SDK, the HTTP client, the sockets and the servers into ``ProviderError``, with sentences of
its own. Only this module does that. No header, key, prompt or answer gets into an error."""

from __future__ import annotations

import errno
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from chatdesk.core.errors import ProviderError
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.base import ChatRequest
from chatdesk.core.providers.failure_texts import (
    CERTIFICATE_TEXTS,
    CIRCLE_TEXT,
    CONTINUE_STEP,
    CONTINUED_KINDS,
    FAILURE_TEXTS,
    KEPT_PARTIAL,
    OVERLOADED_WHAT,
    TOO_MANY_FILES_TEXT,
    FailureText,
    duration_text,
)
from chatdesk.core.providers.image_refusals import IMAGE_KINDS, sees_none
from chatdesk.core.providers.retry import retry_after_s
from chatdesk.core.providers.stream_guard import ByteCapError
from chatdesk.core.providers.vendor_text import code_and_text, plain_excerpt
from chatdesk.core.settings.system_proxy import refusal_text
from chatdesk.core.texts import Sentences, Text

if TYPE_CHECKING:  # a large package, loaded when it is used
    import httpx2


_CONTEXT = re.compile(
    r"context[ _-]?(?:length|window|size)|maximum context|prompt is too long|input is too long|too many tokens"
    r"|(?:exceed\w*|over) .{0,40}(?:token limit|max(?:imum)? (?:number of )?tokens)|reduce the length",
    re.IGNORECASE,
)
_PAYMENT = re.compile(r"insufficient[ _](?:quota|balance|funds)|billing|payment[ _]required|credit", re.IGNORECASE)
_FILTER = re.compile(r"content[ _]?(?:filter|policy)|responsible ?ai|safety system|moderation", re.IGNORECASE)
_NO_MODEL = re.compile(r"model[ _]?not[ _]?found|model.{0,120}(?:not exist|not found|not available)", re.IGNORECASE)
_RATE = re.compile(r"rate[ _]?limit|too many requests", re.IGNORECASE)
_KEY = re.compile(r"invalid[ _](?:api[ _])?key|incorrect api key|authenticat|unauthori[sz]ed", re.IGNORECASE)
# Some servers answer a wrong path with 200.
_NO_PATH = re.compile(
    r"unexpected endpoint|unknown (?:endpoint|path|route|url)|no such (?:endpoint|path)", re.IGNORECASE
)
_PATH_STEP = Text("Check the base URL in Settings, Providers: for most servers it ends in /v1.")
_KEPT = re.compile(r"thinking|thought|signature|reasoning|encrypted|items? with id", re.IGNORECASE)
_NO_THOUGHT = re.compile(
    r"(?:reasoning_content|\]\.thinking)\W.{0,60}(?:missing|required|passed back)|missing thinking block", re.IGNORECASE
)
_REDIRECT_STATUSES = range(300, 400)
# Sentences are filled in by str.format.
_BY_STATUS = {
    400: Kind.BAD_REQUEST,
    401: Kind.UNAUTHORISED,
    402: Kind.PAYMENT,
    403: Kind.FORBIDDEN,
    404: Kind.MODEL_NOT_FOUND,
    405: Kind.MODEL_NOT_FOUND,
    408: Kind.REQUEST_TIMEOUT,
    409: Kind.CONFLICT,
    413: Kind.CONTEXT_TOO_LONG,
    422: Kind.BAD_REQUEST,
    429: Kind.RATE_LIMITED,
}
_NO_NETWORK_ERRNOS = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL}
_RESET_ERRNOS = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ETIMEDOUT}
_OVERLOADED = {503, 529}
# With a proxy, connections go only to the proxy, so these failures are the proxy's.
_BEFORE_PROXY = {Kind.REFUSED, Kind.DNS, Kind.NO_NETWORK, Kind.CONNECT_TIMEOUT}
_OVERLOADED_CODE = "overloaded_error"
_QUOTED_KINDS = {Kind.BAD_REQUEST, Kind.FORBIDDEN, Kind.SERVER, Kind.OTHER, Kind.PAYMENT, Kind.RATE_LIMITED}
_WAITING_KINDS = {Kind.RATE_LIMITED, Kind.SERVER, Kind.CONFLICT, Kind.REQUEST_TIMEOUT}
_QUOTED_KINDS |= {Kind.MODEL_NOT_FOUND, Kind.CONTEXT_TOO_LONG, Kind.UNAUTHORISED, Kind.CONTENT_FILTER, Kind.CONFLICT}
_QUOTED_KINDS |= {Kind.IMAGES_REFUSED, Kind.NOT_A_STREAM, Kind.EMPTY_ANSWER, Kind.INCOMPLETE}


class RefusedRedirectError(Exception):
    """A redirect was not followed; ``text`` says where it led, if that is known."""

    def __init__(self, text: FailureText | None = None) -> None:
        super().__init__("redirect")
        self.text = text


class CompressedAnswerError(Exception):
    """The server compressed an answer that was requested plain, in a way that is not unpacked."""


class RefusedRequestError(Exception):
    """A server answered with another status than success. ``body`` is the decoded JSON, or the text of ``response``,
    which was read."""

    def __init__(self, response: httpx2.Response) -> None:
        super().__init__(f"status {response.status_code}")
        self.response = response
        self.status_code = response.status_code
        self.body: object = response.text
        with suppress(ValueError, RecursionError):
            self.body = response.json()


class FailureTranslator:
    """Makes a ``ProviderError`` from any failure of one provider, whose secrets are kept out of the text."""

    def __init__(self, who: str, secrets: tuple[str, ...] = (), *, begins: str = "", proxy: str = "") -> None:
        """Keep the provider's name for sentences. ``begins`` is the name at the start of a sentence, where that is not
        the name with a capital; ``proxy`` is what stands between, as a person reads it."""
        self._proxy = proxy
        self._who = who
        self._begins = begins or who[:1].upper() + who[1:]
        self._secrets = secrets

    def make(
        self,
        kind: Kind,
        *,
        excerpt: str = "",
        what: str | None = None,
        next_step: str | None = None,
        details: Mapping[str, object] | None = None,
        retry_after: float | None = None,
        seconds: float = 0.0,
    ) -> ProviderError:
        """Return the error of ``kind``; ``excerpt`` is raw vendor text, quoted after clean-up."""
        texts = FAILURE_TEXTS[kind]
        sentence = what or texts.what
        if isinstance(sentence, Text):
            who = self._begins if sentence.source.startswith("{who}") else self._who
            sentence = sentence.filled(who=who, seconds=seconds)
        quoted = plain_excerpt(excerpt, self._secrets) if excerpt and kind in _QUOTED_KINDS else ""
        if quoted:
            stop = "" if quoted.endswith((".", "!", "?", "…")) else "."
            sentence = Sentences.of(sentence, Text("It says: “{quoted}”{stop}", quoted=quoted, stop=stop))
        step = next_step or texts.next_step
        if retry_after is not None and next_step is None:
            step = Text("Try again in {duration}.", duration=duration_text(retry_after))
        return ProviderError(kind, sentence, next_step=step, details=dict(details or {}), retry_after_s=retry_after)

    def from_status(self, status: int, headers: Mapping[str, str], body: object) -> ProviderError:
        """Return the error for an HTTP status other than success; ``body`` is the decoded JSON or the raw text."""
        code, text = code_and_text(body)
        kind = _kind_of_text(code, text, status) or _BY_STATUS.get(status)
        if kind is None:
            kind = Kind.SERVER if status >= 500 else Kind.REDIRECT if status in _REDIRECT_STATUSES else Kind.BAD_REQUEST
        details = self._details(status, headers, code)
        wait = retry_after_s(headers, time.time()) if kind in _WAITING_KINDS else None
        what = OVERLOADED_WHAT if kind is Kind.SERVER and status in _OVERLOADED else None
        return self.make(kind, what=what, excerpt=text, details=details, retry_after=wait)

    def from_event(self, error: object, headers: Mapping[str, str]) -> ProviderError:
        """Return the error for an error object inside a stream that began well."""
        code, text = code_and_text(error)
        status = int(code) if code.isascii() and code.isdigit() and 400 <= int(code[:4]) <= 599 else None
        if _NO_PATH.search(text[:300]):
            return self.make(Kind.BAD_REQUEST, excerpt=text, next_step=_PATH_STEP, details={"code": "no_such_path"})
        kind = _kind_of_text(code, text, status) or (_BY_STATUS.get(status) if status else None) or Kind.SERVER
        what = OVERLOADED_WHAT if kind is Kind.SERVER and code == _OVERLOADED_CODE else None
        return self.make(kind, what=what, excerpt=text, details=self._details(status, headers, code))

    def from_exception(self, exception: BaseException, *, connect_s: float = 0.0) -> ProviderError:
        """Return the error for anything that may be raised while a request runs, apart from cancellation."""
        if isinstance(exception, ProviderError):
            exception.__cause__ = exception.__context__ = None
            return exception
        chain = list(_chain(exception))
        for link in chain:
            refusal = _status_error(link)
            if refusal is not None:
                return self.from_status(refusal.status_code, refusal.response.headers, _body_of(refusal))
        for link in chain:
            kind = _kind_of_own(link)
            if kind is not None:
                texts = CIRCLE_TEXT if _is_circle(link) else getattr(link, "text", None) or FAILURE_TEXTS[kind]
                return self.make(kind, what=texts.what, next_step=texts.next_step)
        if any(isinstance(link, OSError) and link.errno in (errno.EMFILE, errno.ENFILE) for link in chain):
            return self.make(Kind.OTHER, what=TOO_MANY_FILES_TEXT.what, next_step=TOO_MANY_FILES_TEXT.next_step)
        kind = _kind_of_connection(chain) or next(filter(None, map(_kind_of_shape, chain)), Kind.OTHER)
        if self._proxy and kind in _BEFORE_PROXY:
            what, next_step = refusal_text(self._proxy, _answer_of_proxy(chain))
            return self.make(kind, what=what, next_step=next_step)
        certificate = _certificate_text(chain) if kind is Kind.TLS else None
        if certificate is not None:
            return self.make(kind, what=certificate.what, next_step=certificate.next_step)
        return self.make(kind, seconds=connect_s)

    def with_images(self, failure: ProviderError, exception: BaseException, request: ChatRequest) -> ProviderError:
        """Return the error of a request; another error if it has images and the model cannot see images."""
        if not any(each.images for each in request.messages):
            return failure
        refusal = _status_error(exception)
        quoted = "" if refusal is None else code_and_text(_body_of(refusal))[1]
        is_refused = failure.kind in IMAGE_KINDS and sees_none(quoted or failure.what)
        return self.make(Kind.IMAGES_REFUSED, excerpt=quoted, details=failure.details) if is_refused else failure

    def _details(self, status: int | None, headers: Mapping[str, str], code: str) -> dict[str, object]:
        details: dict[str, object] = {}
        if status is not None:
            details["status"] = status
        request_id = headers.get("x-request-id") or headers.get("request-id")  # the second is Anthropic's
        for name, value in (("request_id", request_id), ("code", code)):
            cleaned = plain_excerpt(value or "", self._secrets)[:100]
            if cleaned:
                details[name] = cleaned
        return details


def with_partial(failure: ProviderError) -> ProviderError:
    """Return the same failure, worded for a person who already has a part of the answer."""
    can_go_on = failure.kind in CONTINUED_KINDS and failure.retry_after_s is None
    return ProviderError(
        failure.kind,
        failure.what,
        next_step=CONTINUE_STEP if can_go_on else failure.next_step,
        safe=KEPT_PARTIAL,
        details=failure.details,
        retry_after_s=failure.retry_after_s,
    )


def refused_fields(exception: BaseException, fields: frozenset[str]) -> set[str]:
    """Return those of ``fields`` that a server names while it refuses a request."""
    refusal = _status_error(exception)
    if refusal is None or refusal.status_code not in {400, 422}:
        return set()
    words = str(refusal.body)[:20_000]
    return {name for name in fields if re.search(rf"\b{name}\b", words)}


def refused_thoughts(exception: BaseException) -> Literal["", "lacking", "unwanted"]:
    """Return whether a server refuses a request for the thoughts or signatures in it, or for calls without them."""
    refusal = _status_error(exception)
    words = str(refusal.body)[:20_000] if refusal is not None and refusal.status_code in {400, 404, 422} else ""
    if refusal is not None and refusal.status_code == 404 and "item with id" not in words.lower():
        return ""
    return "lacking" if _NO_THOUGHT.search(words) else "unwanted" if _KEPT.search(words) else ""


def _status_error(exception: Any) -> Any:
    """Return ``exception`` if it reports an HTTP status, else None. Importing the SDK to ask for its class would cost a
    second where another protocol is spoken."""
    is_of_sdk = type(exception).__module__.partition(".")[0] == "openai" and hasattr(exception, "status_code")
    return exception if is_of_sdk or isinstance(exception, RefusedRequestError) else None


def _chain(exception: BaseException, depth: int = 0) -> Iterator[BaseException]:
    """Yield ``exception`` and everything that led to it, groups included."""
    if depth > 12:
        return
    yield exception
    if isinstance(exception, BaseExceptionGroup):
        for member in exception.exceptions[:8]:
            yield from _chain(member, depth + 1)
    cause = exception.__cause__ or exception.__context__
    if cause is not None:
        yield from _chain(cause, depth + 1)


def _kind_of_own(link: BaseException) -> Kind | None:
    import httpx2

    if isinstance(link, ByteCapError | MemoryError):
        return Kind.TOO_LARGE
    if isinstance(link, RefusedRedirectError | httpx2.TooManyRedirects):
        return Kind.REDIRECT
    if isinstance(link, CompressedAnswerError):
        return Kind.MALFORMED
    return None


def _kind_of_connection(chain: list[BaseException]) -> Kind | None:
    """Return the kind of a socket error: the deepest cause decides, but a time-out of the HTTP client goes first."""
    import httpx2

    if any(isinstance(link, httpx2.ConnectTimeout | httpx2.PoolTimeout) for link in chain):
        return Kind.CONNECT_TIMEOUT
    if any(isinstance(link, httpx2.TimeoutException) for link in chain):
        return Kind.SILENCE
    for link in reversed(chain):
        if isinstance(link, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return Kind.RESET
        if isinstance(link, ssl.SSLError):
            return Kind.TLS
        if isinstance(link, socket.gaierror):
            return Kind.NO_NETWORK if link.errno == socket.EAI_AGAIN else Kind.DNS
        if isinstance(link, OSError) and link.errno is not None:
            kind = _kind_of_errno(link.errno)
            if kind is not None:
                return kind
    return None


def _is_circle(link: BaseException) -> bool:
    import httpx2

    return isinstance(link, httpx2.TooManyRedirects)


def _certificate_text(chain: list[BaseException]) -> FailureText | None:
    """Return the text for a rejected certificate, or None if the reason is unknown."""
    for link in chain:
        if isinstance(link, ssl.SSLCertVerificationError):
            return CERTIFICATE_TEXTS.get(link.verify_code)
    return None


def _kind_of_errno(number: int) -> Kind | None:
    if number == errno.ECONNREFUSED:
        return Kind.REFUSED
    if number in _NO_NETWORK_ERRNOS:
        return Kind.NO_NETWORK
    return Kind.RESET if number in _RESET_ERRNOS else None


def _answer_of_proxy(chain: list[BaseException]) -> str:
    import httpx2

    return next((str(link) for link in chain if isinstance(link, httpx2.ProxyError)), "")


def _kind_of_shape(link: BaseException) -> Kind | None:
    """Return the kind of an error that the HTTP client or a decoder raised."""
    import httpx2

    if isinstance(link, httpx2.RemoteProtocolError):
        text = str(link).lower()
        return Kind.RESET if "disconnected" in text or "closed connection" in text else Kind.MALFORMED
    if isinstance(link, httpx2.ProxyError):
        return Kind.NO_NETWORK
    if isinstance(link, httpx2.ConnectError):
        return Kind.REFUSED
    if isinstance(link, httpx2.NetworkError):
        return Kind.RESET
    if isinstance(link, httpx2.DecodingError):
        return Kind.MALFORMED
    if isinstance(link, httpx2.RequestError | httpx2.InvalidURL):
        return Kind.OTHER
    # JSONDecodeError and UnicodeDecodeError are ValueErrors; the others come from answers of a wrong or absurd shape.
    if isinstance(link, ValueError | RecursionError | TypeError | AttributeError | KeyError | IndexError):
        return Kind.MALFORMED
    return None


def _kind_of_text(code: str, text: str, status: int | None) -> Kind | None:
    """Return the kind that the vendor's words name beyond the status, the most specific first."""
    words = f"{code} {text[:2000]}"
    if status in {401, 408}:
        return None
    if status in {None, 400, 413, 422, 500} and _CONTEXT.search(words):
        return Kind.CONTEXT_TOO_LONG
    if (status in {None, 429} and _PAYMENT.search(words)) or (status in {400, 403} and _PAYMENT.search(code)):
        return Kind.PAYMENT
    if (status in {None, 400, 403, 422} and _FILTER.search(code)) or (status == 400 and _FILTER.search(text[:300])):
        return Kind.CONTENT_FILTER
    if status in {None, 400, 403} and _NO_MODEL.search(words):
        return Kind.MODEL_NOT_FOUND
    if status is None and _RATE.search(words):
        return Kind.RATE_LIMITED
    if status is None and _KEY.search(words):
        return Kind.UNAUTHORISED
    return None


def _body_of(error: Any) -> object:
    """Return the JSON of a refusal, or its text. The SDK keeps only what its ``error`` holds."""
    with suppress(ValueError, RecursionError):
        return error.response.json()
    return error.body if error.body is not None else ""
