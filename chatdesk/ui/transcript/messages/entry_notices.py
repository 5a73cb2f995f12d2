"""The notices of one message: why it waits, when it is tried again, what went wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chatdesk.core.clock import SystemClock
from chatdesk.core.texts import Text, tr
from chatdesk.ui.transcript.items.notice_item import NoticeItem
from chatdesk.ui.transcript.messages.message_facts import MessageFacts
from chatdesk.ui.transcript.messages.notices import CANCEL_WAITING, SEND_FIRST, Action, notice_of, retry_notice

_ANSWER: Action = ("answer", Text("Answer", "verb"))


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
        now_ms = SystemClock().now_ms()
        notice = notice_of(facts.message, person=facts.person, can_continue=facts.can_continue, now_ms=now_ms)
        return [notice] if notice is not None else []
