"""Holds a sentence and a next step for every way in which a vendor can fail. ``{who}`` is the provider's label."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from chatdesk.core.errors import ChatDeskError, ProviderError
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.plurals import counted

_log = logging.getLogger(__name__)

KEPT_MESSAGE = "Your message is kept."
KEPT_PARTIAL = "Your message and the part of the answer that arrived are kept."


@dataclass(frozen=True, slots=True)
class FailureText:
    what: str
    next_step: str


FAILURE_TEXTS: Mapping[Kind, FailureText] = {
    Kind.NO_NETWORK: FailureText(
        "There is no network connection to {who}.",
        "Check the network, then try again; the offline model works without.",
    ),
    Kind.DNS: FailureText(
        "The address of {who} could not be found.",
        "Check the network and the spelling of the base URL, then try again.",
    ),
    Kind.REFUSED: FailureText(
        "{who} refused the connection.", "Check that the server is running and that the base URL names the right port."
    ),
    Kind.TLS: FailureText(
        "The connection to {who} is not secure: its certificate or encryption was not accepted.",
        "Check the clock of this computer, the base URL and any proxy; nothing is sent until this is solved.",
    ),
    Kind.BAD_REQUEST: FailureText(
        "{who} did not accept the request.", "Change the message or choose another model, then try again."
    ),
    Kind.UNAUTHORISED: FailureText("{who} did not accept the API key.", "Check the API key in the settings."),
    Kind.PAYMENT: FailureText(
        "The account at {who} has no credit left or has reached its spending limit.",
        "Check the billing page of the account, or choose another provider.",
    ),
    Kind.FORBIDDEN: FailureText(
        "{who} does not allow this API key to do that.", "Choose another model, or ask the owner of the account."
    ),
    Kind.MODEL_NOT_FOUND: FailureText(
        "{who} does not know this model or this address.", "Choose another model, or check the base URL."
    ),
    Kind.REQUEST_TIMEOUT: FailureText(
        "{who} gave up on the request because it took too long.", "Try again, or shorten the message."
    ),
    Kind.CONFLICT: FailureText(
        "{who} could not take the request because another one was in its way.", "Try again in a moment."
    ),
    Kind.CONTEXT_TOO_LONG: FailureText(
        "The thread is too long for this model.", "Start a new thread, shorten the message, or choose a larger model."
    ),
    Kind.RATE_LIMITED: FailureText("{who} is receiving too many requests.", "Wait a moment, then try again."),
    Kind.SERVER: FailureText("{who} had an internal error.", "Try again in a moment or choose another model."),
    Kind.CONNECT_TIMEOUT: FailureText(
        "{who} could not be reached within {seconds} s.", "Check the network and the base URL, then try again."
    ),
    Kind.FIRST_BYTE_TIMEOUT: FailureText(
        "{who} did not begin to answer within {seconds} s.", "Try again or choose another model."
    ),
    Kind.SILENCE: FailureText(
        "{who} fell silent: nothing more of the answer came for {seconds} s.", "Try again or choose another model."
    ),
    Kind.RESET: FailureText("The connection to {who} was lost.", "Try again."),
    Kind.MALFORMED: FailureText(
        "{who} sent something that ChatDesk cannot read.", "Try again; if it stays so, check the base URL."
    ),
    Kind.INCOMPLETE: FailureText(
        "{who} ended the answer without saying that it is finished, so it may be cut off.",
        "Try again.",
    ),
    Kind.NOT_A_STREAM: FailureText(
        "{who} sent a web page or a file instead of an answer.",
        "Check the base URL (it usually ends in /v1), and sign in first if this network has a log-in page.",
    ),
    Kind.EMPTY_ANSWER: FailureText("{who} sent an empty answer.", "Try again or choose another model."),
    Kind.CONTENT_FILTER: FailureText("The content filter of {who} stopped the answer.", "Rephrase the message."),
    Kind.TOO_LARGE: FailureText(
        "{who} sent more data than an answer may have, so the connection was closed.",
        "Ask for a shorter answer, or choose another model.",
    ),
    Kind.REDIRECT: FailureText(
        "{who} wanted to send the request on to another address; ChatDesk did not follow, so nothing was sent there.",
        "Set the base URL to the final address if you trust it.",
    ),
    Kind.NO_KEY: FailureText(
        "There is no API key for {who}.", "Set OPENAI_API_KEY and start ChatDesk again, or choose the offline model."
    ),
    Kind.OTHER: FailureText("The request to {who} failed.", "Try again or choose another model."),
}


OVERLOADED_WHAT = "{who} has more to do than it can do at the moment."

#: What to do once a part of the answer is there, where that differs.
CONTINUE_STEP = "Continue the answer, or try again."
CONTINUED_KINDS = frozenset(
    {Kind.SILENCE, Kind.RESET, Kind.INCOMPLETE, Kind.MALFORMED, Kind.SERVER, Kind.REQUEST_TIMEOUT, Kind.OTHER}
)
CIRCLE_TEXT = FailureText(
    "{who} sent the request round in a circle, so ChatDesk gave it up.", "Check the base URL, then try again."
)

_ASTRAY = "{who} wanted to send the request on "
_CHECK_BASE = "Check the base URL, then try again."
NOWHERE_TEXT = FailureText(_ASTRAY + "and did not say where.", _CHECK_BASE)
UNREADABLE_TEXT = FailureText(_ASTRAY + "to an address that cannot be read.", _CHECK_BASE)
NO_WEB_TEXT = FailureText(_ASTRAY + "to something that is no web address, so nothing was sent there.", _CHECK_BASE)
WITHOUT_BODY_TEXT = FailureText(
    "{who} sent the request on in a way that loses the message, so ChatDesk did not follow.",
    "Check the base URL: a wrong path or a log-in page often does this.",
)


def elsewhere_text(host: str) -> FailureText:
    """Return the text for a redirect to another server; ``host`` is inserted as given."""
    base = FAILURE_TEXTS[Kind.REDIRECT]
    return FailureText(base.what.replace("another address", f"another address ({host})"), base.next_step)


_NOT_SECURE = "The connection to {who} is not secure: its certificate "
_UNTIL_SOLVED = "nothing is sent until this is solved."
_CHECK_CLOCK = "Check the clock of this computer; " + _UNTIL_SOLVED
_CHECK_ADDRESS = "Check the base URL and any proxy; " + _UNTIL_SOLVED
_OWN_SERVER = "If it is your own server, name its certificate's file in Settings, Providers; " + _UNTIL_SOLVED
_UNKNOWN_AUTHORITY = FailureText(
    _NOT_SECURE + "is signed by an authority that this computer does not trust.", _OWN_SERVER
)
#: By OpenSSL's X509_V_ERR codes.
CERTIFICATE_TEXTS: Mapping[int, FailureText] = {
    9: FailureText(_NOT_SECURE + "is not valid yet.", _CHECK_CLOCK),
    10: FailureText(_NOT_SECURE + "has expired.", _CHECK_CLOCK),
    18: FailureText(_NOT_SECURE + "is signed by nobody but itself.", _OWN_SERVER),
    19: _UNKNOWN_AUTHORITY,
    20: _UNKNOWN_AUTHORITY,
    62: FailureText(_NOT_SECURE + "is for another name.", _CHECK_ADDRESS),
    64: FailureText(_NOT_SECURE + "is for another address.", _CHECK_ADDRESS),
}


def duration_text(seconds: float) -> str:
    """Return a waiting time in words, rounded up: ``45 seconds``, ``2 minutes``, ``1 hour``."""
    whole = max(1, -int(-seconds // 1))
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if whole >= size:
            count = -(-whole // size)
            return counted(count, unit)
    return counted(whole, "second")


def slept_sentence(*, has_part: bool) -> str:
    """Return the sentence for a person about an answer that a sleep ended."""
    kept = KEPT_PARTIAL if has_part else KEPT_MESSAGE
    step = CONTINUE_STEP if has_part else "Try again."
    return f"This computer slept while the answer was being written, and the connection was lost. {kept} {step}"


def described(failure: BaseException, *, now_ms: int) -> tuple[str, str, dict[str, object]]:
    """Return what is stored and shown of a failure: sentence, kind, details."""
    if isinstance(failure, ProviderError):
        details: dict[str, object] = {
            **failure.details,
            "what": failure.what,
            "safe": failure.safe,
            "next_step": failure.next_step,
        }
        if failure.retry_after_s is not None:
            details["retry_at"] = now_ms + round(failure.retry_after_s * 1000)
        return failure.sentence, failure.kind.value, details
    if isinstance(failure, ChatDeskError):
        return failure.sentence, failure.code, {}
    _log.error("an answer ended with an unexpected error", exc_info=failure)
    unexpected = ChatDeskError(
        "ChatDesk made a mistake while reading the answer.", next_step="Try again; the log file has the details."
    )
    return unexpected.sentence, "internal", {"exception": type(failure).__name__}
