"""Holds a sentence and a next step for every way in which a vendor can fail. ``{who}`` is the provider's label."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from chatdesk.core.errors import ChatDeskError, ProviderError
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.texts import Sentences, Text, packed, plural

_log = logging.getLogger(__name__)

KEPT_MESSAGE = Text("Your message is kept.")
KEPT_PARTIAL = Text("Your message and the part of the answer that arrived are kept.")


@dataclass(frozen=True, slots=True)
class FailureText:
    what: Text
    next_step: Text


FAILURE_TEXTS: Mapping[Kind, FailureText] = {
    Kind.NO_NETWORK: FailureText(
        Text("There is no network connection to {who}."),
        Text("Check the network, then try again; the offline model works without one."),
    ),
    Kind.DNS: FailureText(
        Text("The address of {who} could not be found."),
        Text("Check the network and the spelling of the base URL, then try again."),
    ),
    Kind.REFUSED: FailureText(
        Text("{who} refused the connection."),
        Text("Check that the server is running and that the base URL names the right port."),
    ),
    Kind.TLS: FailureText(
        Text("The connection to {who} is not secure: its certificate or encryption was not accepted."),
        Text("Check the clock of this computer, the base URL and any proxy; nothing is sent until this is solved."),
    ),
    Kind.BAD_REQUEST: FailureText(
        Text("{who} did not accept the request."), Text("Change the message or choose another model, then try again.")
    ),
    Kind.UNAUTHORISED: FailureText(
        Text("{who} did not accept the API key."), Text("Check the API key in the settings.")
    ),
    Kind.PAYMENT: FailureText(
        Text("The account at {who} has no credit left or has reached its spending limit."),
        Text("Check the billing page of the account, or choose another provider."),
    ),
    Kind.FORBIDDEN: FailureText(
        Text("{who} does not allow this API key to do that."),
        Text("Choose another model, or ask the owner of the account."),
    ),
    Kind.MODEL_NOT_FOUND: FailureText(
        Text("{who} does not know this model or this address."), Text("Choose another model, or check the base URL.")
    ),
    Kind.REQUEST_TIMEOUT: FailureText(
        Text("{who} gave up on the request because it took too long."), Text("Try again, or shorten the message.")
    ),
    Kind.CONFLICT: FailureText(
        Text("{who} refused the request because it conflicts with another one."), Text("Try again in a moment.")
    ),
    Kind.CONTEXT_TOO_LONG: FailureText(
        Text("The thread is too long for this model."),
        Text("Start a new thread, shorten the message, or choose a larger model."),
    ),
    Kind.RATE_LIMITED: FailureText(
        Text("{who} is receiving too many requests."), Text("Wait a moment, then try again.")
    ),
    Kind.SERVER: FailureText(
        Text("{who} had an internal error."), Text("Try again in a moment or choose another model.")
    ),
    Kind.CONNECT_TIMEOUT: FailureText(
        Text("{who} could not be reached within {seconds} s."),
        Text("Check the network and the base URL, then try again."),
    ),
    Kind.FIRST_BYTE_TIMEOUT: FailureText(
        Text("{who} did not begin to answer within {seconds} s."),
        Text("Try again, or give it more time: “First word” of this provider, or provider.first_byte_timeout_s."),
    ),
    Kind.SILENCE: FailureText(
        Text("{who} stopped sending: no more of the answer arrived for {seconds} s."),
        Text("Try again or choose another model."),
    ),
    Kind.RESET: FailureText(Text("The connection to {who} was lost."), Text("Try again.")),
    Kind.MALFORMED: FailureText(
        Text("{who} sent something that ChatDesk cannot read."), Text("Try again; if it stays so, check the base URL.")
    ),
    Kind.INCOMPLETE: FailureText(
        Text("{who} ended the answer without saying that it is finished, so it may be cut off."),
        Text("Try again."),
    ),
    Kind.NOT_A_STREAM: FailureText(
        Text("{who} sent a web page or a file instead of an answer."),
        Text("Check the base URL (it usually ends in /v1), and sign in first if this network has a log-in page."),
    ),
    Kind.EMPTY_ANSWER: FailureText(Text("{who} sent an empty answer."), Text("Try again or choose another model.")),
    Kind.CONTENT_FILTER: FailureText(
        Text("The content filter of {who} stopped the answer."), Text("Rephrase the message.")
    ),
    Kind.IMAGES_REFUSED: FailureText(
        Text("{who} did not accept the image: it says that this model sees none."),
        Text("Send the question without the image, or choose another model."),
    ),
    Kind.TOO_LARGE: FailureText(
        Text("{who} sent more data than an answer may have, so the connection was closed."),
        Text("Ask for a shorter answer, or choose another model."),
    ),
    Kind.REDIRECT: FailureText(
        Text("{who} redirected the request to another address; ChatDesk did not follow, so nothing was sent there."),
        Text("Set the base URL to the final address if you trust it."),
    ),
    Kind.NO_KEY: FailureText(
        Text("There is no API key for {who}."),
        Text("Set OPENAI_API_KEY and start ChatDesk again, or choose the offline model."),
    ),
    Kind.OTHER: FailureText(Text("The request to {who} failed."), Text("Try again or choose another model.")),
}


OVERLOADED_WHAT = Text("{who} is overloaded at the moment.")

# The next step after part of an answer has arrived, for the kinds that need another one.
CONTINUE_STEP = Text("Continue the answer, or try again.")
CONTINUED_KINDS = frozenset(
    {Kind.SILENCE, Kind.RESET, Kind.INCOMPLETE, Kind.MALFORMED, Kind.SERVER, Kind.REQUEST_TIMEOUT, Kind.OTHER}
)
# This process failed, not the server.
TOO_MANY_FILES_TEXT = FailureText(
    Text("This process may not open more files at once."), Text("Raise the limit (ulimit -n 256), then try again.")
)
CIRCLE_TEXT = FailureText(
    Text("{who} redirected the request in a circle, so ChatDesk gave up."),
    Text("Check the base URL, then try again."),
)

_CHECK_BASE = Text("Check the base URL, then try again.")
NOWHERE_TEXT = FailureText(Text("{who} redirected the request without saying where to."), _CHECK_BASE)
UNREADABLE_TEXT = FailureText(Text("{who} redirected the request to an address that cannot be read."), _CHECK_BASE)
NO_WEB_TEXT = FailureText(
    Text("{who} redirected the request to something that is not a web address, so nothing was sent there."),
    _CHECK_BASE,
)
WITHOUT_BODY_TEXT = FailureText(
    Text("{who} redirected the request in a way that would lose the message, so ChatDesk did not follow."),
    Text("Check the base URL: a wrong path or a log-in page often causes this."),
)
_ELSEWHERE = Text(
    "{who} redirected the request to another address ({host}); ChatDesk did not follow, so nothing was sent there."
)


def elsewhere_text(host: str) -> FailureText:
    """Return the text for a redirect to another server; ``host`` is inserted as given."""
    return FailureText(_ELSEWHERE.filled(host=host), FAILURE_TEXTS[Kind.REDIRECT].next_step)


_CHECK_CLOCK = Text("Check the clock of this computer; nothing is sent until this is solved.")
_CHECK_ADDRESS = Text("Check the base URL and any proxy; nothing is sent until this is solved.")
_OWN_SERVER = Text(
    "If it is your own server, name its certificate's file in Settings, Providers; nothing is sent until this is "
    "solved."
)
_UNKNOWN_AUTHORITY = FailureText(
    Text(
        "The connection to {who} is not secure: its certificate is signed by an authority that this computer does not "
        "trust."
    ),
    _OWN_SERVER,
)
# Keyed by OpenSSL's X509_V_ERR codes.
CERTIFICATE_TEXTS: Mapping[int, FailureText] = {
    9: FailureText(Text("The connection to {who} is not secure: its certificate is not valid yet."), _CHECK_CLOCK),
    10: FailureText(Text("The connection to {who} is not secure: its certificate has expired."), _CHECK_CLOCK),
    18: FailureText(Text("The connection to {who} is not secure: its certificate is self-signed."), _OWN_SERVER),
    19: _UNKNOWN_AUTHORITY,
    20: _UNKNOWN_AUTHORITY,
    62: FailureText(
        Text("The connection to {who} is not secure: its certificate is for another name."), _CHECK_ADDRESS
    ),
    64: FailureText(
        Text("The connection to {who} is not secure: its certificate is for another address."), _CHECK_ADDRESS
    ),
}


def duration_text(seconds: float) -> str:
    """Return a waiting time in words, rounded up: ``45 seconds``, ``2 minutes``, ``1 hour``."""
    whole = max(1, -int(-seconds // 1))
    if whole >= 86_400:
        return plural("{count} days", "{count} day", -(-whole // 86_400))
    if whole >= 3_600:
        return plural("{count} hours", "{count} hour", -(-whole // 3_600))
    if whole >= 60:
        return plural("{count} minutes", "{count} minute", -(-whole // 60))
    return plural("{count} seconds", "{count} second", whole)


def slept_sentence(*, has_part: bool) -> str:
    """Return the sentence for a person about an answer that a sleep ended."""
    kept = KEPT_PARTIAL if has_part else KEPT_MESSAGE
    step = CONTINUE_STEP if has_part else Text("Try again.")
    slept = Text("This computer slept while the answer was being written, and the connection was lost.")
    return Sentences.of(slept, kept, step)


def described(failure: BaseException, *, now_ms: int) -> tuple[str, str, dict[str, object]]:
    """Return the sentence, kind and details that are stored and shown for a failure. The details hold the sentence
    again, packed, so that a window in another language can translate it."""
    if isinstance(failure, ProviderError):
        details: dict[str, object] = {
            **failure.details,
            "what": failure.what,
            "safe": failure.safe,
            "next_step": failure.next_step,
            "sentence": packed(failure.sentence),
        }
        if failure.retry_after_s is not None:
            details["retry_at"] = now_ms + round(failure.retry_after_s * 1000)
        return failure.sentence, failure.kind.value, details
    if isinstance(failure, ChatDeskError):
        return failure.sentence, failure.code, {"sentence": packed(failure.sentence)}
    _log.error("an answer ended with an unexpected error", exc_info=failure)
    unexpected = ChatDeskError(
        Text("ChatDesk made a mistake while reading the answer."),
        next_step=Text("Try again; the log file has the details."),
    )
    details = {"exception": type(failure).__name__, "sentence": packed(unexpected.sentence)}
    return unexpected.sentence, "internal", details
