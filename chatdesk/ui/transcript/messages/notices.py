"""Makes the notices below a message: why it waits, when it is tried again or why it failed, with a button for each
remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import UNREADABLE_TEXT, Message, Part, PartType, Role, Status
from chatdesk.core.domain.tools import CallStatus, open_calls
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.rendering.plain_text import is_too_long
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.local_forms import clock_time_of
from chatdesk.ui.transcript.items.notice_item import Countdown, NoticeItem
from chatdesk.ui.transcript.messages.message_facts import MessageFacts

Action = tuple[str, str]  # its name and its label

_RETRY: Action = ("retry", Text("Try again"))
_CONTINUE: Action = ("continue", Text("Continue"))
_TRY_NOW: Action = ("retry-now", Text("Try now"))
_OTHER_MODEL: Action = ("answer-with", Text("Choose another model…"))
_LARGER_MODEL: Action = ("answer-with", Text("Choose a larger model…"))
_EDIT: Action = ("shorten", Text("Edit the message"))
_SHORTEN: Action = ("shorten", Text("Shorten"))
_KEY: Action = ("open-provider", Text("Change the key…"))
_ADD_KEY: Action = ("open-provider", Text("Check the key…"))
_PROVIDER: Action = ("open-provider", Text("Open the provider…"))
_CHOOSE_MODEL: Action = ("choose-model", Text("Choose a larger model"))

# What helps, beside trying again, by the kind of the failure: the codes of ``core.errors.ProviderErrorKind`` and, where
# no request could be made, of ``DoesNotFit`` and ``LimitReached``.
_WAYS_OUT: Mapping[str, tuple[Action, ...]] = {
    "unauthorised": (_KEY,),
    "no_key": (_ADD_KEY, _OTHER_MODEL),
    "forbidden": (_OTHER_MODEL, _KEY),
    "payment": (_OTHER_MODEL,),
    "model_not_found": (_OTHER_MODEL, _PROVIDER),
    "bad_request": (_OTHER_MODEL, _EDIT),
    "images_refused": (("send-without-images", Text("Send without the image")), _OTHER_MODEL),
    "context_too_long": (_LARGER_MODEL, _SHORTEN),
    "rate_limited": (_OTHER_MODEL,),
    "server": (_OTHER_MODEL,),
    "no_network": (_OTHER_MODEL,),
    "dns": (_PROVIDER,),
    "refused": (_PROVIDER,),
    "connect_timeout": (_PROVIDER,),
    "tls": (_PROVIDER,),
    "redirect": (_PROVIDER,),
    "not_a_stream": (_PROVIDER,),
    "malformed": (_PROVIDER,),
    "first_byte_timeout": (_OTHER_MODEL,),
    "silence": (_OTHER_MODEL,),
    "empty_answer": (_OTHER_MODEL,),
    "too_large": (_OTHER_MODEL,),
    "content_filter": (_EDIT,),
    "other": (_OTHER_MODEL,),
    "message_larger_than_window": (("send-excerpt", Text("Send as attachment excerpt")), _CHOOSE_MODEL, _SHORTEN),
    "system_prompt_too_large": (("edit-system-prompt", Text("Edit the system prompt")), _CHOOSE_MODEL),
    "question_excluded": (("include-question", Text("Include it and ask")),),
    "limit_reached": (("send-anyway", Text("Send anyway once")), ("raise-limit", Text("Raise limit…"))),
}
CANCEL_WAITING: Action = ("cancel-waiting", Text("Cancel"))
SEND_FIRST: Action = ("send-first", Text("Send first"))
TRY_AT_ONCE: Action = ("try-at-once", Text("Try now"))
_SENTENCE_END = re.compile(r"[.!?…؟][”\"’)»]*(?=\s)|[。！？][」』”）]*(?=.)")
_LONGEST_LEAD = 240
_ANSWER: Action = ("answer", Text("Answer", "verb"))


def notice_of(message: Message, *, person: str, can_continue: bool, now_ms: int) -> NoticeItem | None:
    """Return the notice below an answer, or None when there is nothing to say.

    ``person`` is the name of the other member whose answer it is, empty for one's own.
    """
    if message.status is Status.ERROR:
        text = shown(message.error_sentence) or tr("Something went wrong. Your message is kept.")
        return NoticeItem(text, _actions_of(message, now_ms=now_ms), lead=lead_of(text))
    if message.is_damaged:
        return NoticeItem(shown(UNREADABLE_TEXT), (), tone="warning")
    if message.role is not Role.ASSISTANT:
        return None
    open_ = open_calls(message)
    if open_:
        return _open_calls_notice(open_)
    if message.status is Status.INTERRUPTED:
        text = shown(message.error_sentence) or _interrupted_text(person)
        return NoticeItem(text, (_CONTINUE, _RETRY), tone="warning", lead=lead_of(text))
    if message.status is Status.STOPPED:
        stopped = tr("{person} stopped this answer.", person=person) if person else tr("You stopped this answer.")
        go_on = _CONTINUE if message.parts else _RETRY
        return NoticeItem(stopped, (go_on,), tone="line")
    if can_continue:
        return NoticeItem(tr("The answer reached its maximum length."), (_CONTINUE,), tone="line")
    return None


def _interrupted_text(person: str) -> str:
    if person:
        return tr(
            "ChatDesk of {person} was closed before this answer was complete. Everything that had arrived is kept.",
            person=person,
        )
    return tr("ChatDesk was closed before this answer was complete. Everything that had arrived is kept.")


def _open_calls_notice(calls: Sequence[Part]) -> NoticeItem:
    ran = [call for call in calls if call.content.get("status") == CallStatus.UNKNOWN.value]
    if not ran:
        waited = plural(
            "ChatDesk was closed while {count} calls waited for your approval. Nothing was run.",
            "ChatDesk was closed while {count} call waited for your approval. Nothing was run.",
            len(calls),
        )
        text = shown(waited)
        return NoticeItem(text, (("ask-calls", tr("Decide…")), _CONTINUE), tone="warning", lead=lead_of(text))
    if len(ran) == 1:
        text = tr(
            "ChatDesk ended while {tool} ran. Nobody knows what it did, and it is not repeated unless you say so.",
            tool=clean_line(str(ran[0].content.get("tool") or ran[0].tool_name)),
        )
    else:
        several = plural(
            "ChatDesk ended while {count} calls ran. Nobody knows what it did, and it is not repeated unless you say "
            "so.",
            "ChatDesk ended while {count} call ran. Nobody knows what it did, and it is not repeated unless you say "
            "so.",
            len(calls),
        )
        text = shown(several)
    return NoticeItem(text, (("ask-calls", tr("Run again…")), _CONTINUE), tone="warning", lead=lead_of(text))


def retry_notice(reason: str, *, attempt: int, due_ms: int) -> NoticeItem:
    """Return the notice that counts down to the next attempt and offers to try at once."""
    reason = shown(reason)
    lead = reason[: len(lead_of(f"{reason} "))]
    return NoticeItem(
        reason,
        (TRY_AT_ONCE,),
        tone="line",
        lead=lead,
        countdown=Countdown(due_ms, attempt=attempt),
    )


def lead_of(text: str) -> str:
    """Return the first sentence of a text, which says what happened; empty when it is the only sentence."""
    found = _SENTENCE_END.search(text, 0, _LONGEST_LEAD)
    return text[: found.end()] if found is not None else ""


def _actions_of(message: Message, *, now_ms: int) -> tuple[Action, ...]:
    kind = message.error_type or ""
    ways_out = _WAYS_OUT.get(kind, ())
    if message.text:
        return (_CONTINUE, _RETRY, *ways_out[:1])
    retry_at = message.error_details.get("retry_at")
    if kind == "rate_limited" and isinstance(retry_at, int) and retry_at > now_ms:
        return (("retry", tr("Try at {time}", time=clock_time_of(retry_at))), _TRY_NOW, *ways_out)
    return (*ways_out, _RETRY)


@dataclass(frozen=True, slots=True)
class Retry:
    """The next attempt at an answer: the reason to wait, its number, and its time in milliseconds UTC."""

    reason: str
    attempt: int
    due_ms: int


class EntryNotices:
    """The notices below a message; ``MessageEntry.notices`` exposes it. ``on_changed`` is called when something is
    shown otherwise."""

    def __init__(self, facts: MessageFacts, on_changed: Callable[[], None]) -> None:
        self._facts = facts
        self._on_changed = on_changed
        self._text = ""
        self._actions: tuple[Action, ...] = ()
        self._retry: Retry | None = None

    @property
    def is_held(self) -> bool:
        """True while the answer waits to be requested, or to be requested again."""
        return bool(self._actions) or self._retry is not None

    def forget(self) -> None:
        self._text, self._actions, self._retry = "", (), None

    def set_waiting(self, text: str, *, before: int) -> None:
        """Show why this answer is not requested yet; ``before`` others come first. An empty text shows nothing."""
        self._text = text
        self._actions = ((SEND_FIRST, CANCEL_WAITING) if before else (CANCEL_WAITING,)) if text else ()
        self._on_changed()

    def set_retry(self, retry: Retry | None) -> None:
        """Set the next attempt at this answer; None means that there is none."""
        self._retry = retry
        self._on_changed()

    def items(self, *, is_unanswered: bool) -> list[NoticeItem]:
        """Return the notices to show, without actions that are refused to the reader."""
        facts = self._facts
        if facts.shared is None or facts.shared.can_write or self._text:
            return self._all(is_unanswered=is_unanswered)
        return [
            each.with_actions(tuple(way for way in each.actions if not facts.refusal_of(way[0])))
            for each in self._all(is_unanswered=is_unanswered)
        ]

    def _all(self, *, is_unanswered: bool) -> list[NoticeItem]:
        facts = self._facts
        if self._text:
            return [NoticeItem(self._text, self._actions, tone="line")]
        if self._retry is not None:
            return [retry_notice(self._retry.reason, attempt=self._retry.attempt, due_ms=self._retry.due_ms)]
        if is_unanswered and facts.message.status.is_final:
            return [NoticeItem(tr("This question has no answer."), (_ANSWER,), tone="line", is_selectable=False)]
        now_ms = Clock().now_ms()
        notice = notice_of(facts.message, person=facts.person, can_continue=facts.can_continue, now_ms=now_ms)
        notices = [notice] if notice is not None else []
        if any(part.type is PartType.TEXT and is_too_long(part.text) for part in facts.message.parts):
            words = tr("This text has more than 1 MB, so it is not formatted. Copy it to read it elsewhere.")
            notices.append(NoticeItem(words, tone="line", is_selectable=False))
        return notices
