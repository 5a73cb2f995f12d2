"""Which messages fit: the question always, then the summary, what the reader pinned, and the newest of the others.

Pure. All sizes are tokens as counted here; ``Room`` turns what the model reports into that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from chatdesk.core.context.groups import Group
from chatdesk.core.domain.context import ContextMark, Reason
from chatdesk.core.errors import MessageLargerThanWindow, QuestionExcluded, SystemPromptTooLarge

# However long answers may get, a question has to fit as well.
_LARGEST_SHARE_FOR_ANSWER = 0.5


@dataclass(frozen=True, slots=True)
class Room:
    """A model's window. ``factor``: tokens that the model counts for each one counted here."""

    window: int
    reserved: int
    factor: float = 1.0

    @classmethod
    def of(cls, window: int, *, answer: int, factor: float = 1.0) -> Room:
        return cls(window, min(answer, int(window * _LARGEST_SHARE_FOR_ANSWER)), factor)

    @property
    def counted(self) -> int:
        """Tokens that the whole request may have, as counted here."""
        return int((self.window - self.reserved) / self.factor)

    def scaled(self, tokens: int) -> int:
        """Tokens as the model counts them."""
        return tokens if self.factor == 1.0 else int(-(-tokens * self.factor // 1))


@dataclass(frozen=True, slots=True)
class Offer:
    """What could be sent. ``tail`` is the newest part of the path without gaps, oldest first; ``pinned`` are pinned
    groups from before it. ``question_tokens`` is a question that is no message yet: a draft. ``extra_tokens`` are sent
    in any case, besides the system prompt.
    """

    tail: Sequence[Group]
    pinned: Sequence[Group] = ()
    system_tokens: int = 0
    extra_tokens: int = 0
    question_tokens: int | None = None
    summary_tokens: int | None = None
    summarised_to: int = -1
    starts_at: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """What is sent: everything from ``tail_from`` on that is neither excluded nor empty, and the groups that begin at
    the positions ``chosen``. Token counts are as counted here."""

    tail_from: int
    chosen: frozenset[int]
    has_summary: bool
    summarised_to: int
    starts_at: int
    pinned_tokens: int
    recent_tokens: int
    pinned_count: int
    recent_count: int

    def reason(self, group: Group) -> Reason:
        """Why a group is sent or not; all its messages share it."""
        if group.first in self.chosen:
            return Reason.SENT
        if group.mark is ContextMark.EXCLUDED or group.first < self.starts_at:
            return Reason.EXCLUDED
        if group.is_empty:
            return Reason.EMPTY
        if group.first >= self.tail_from:
            return Reason.SENT
        return Reason.SUMMARISED if self.has_summary and group.first <= self.summarised_to else Reason.DID_NOT_FIT

    def sent(self, groups: Iterable[Group]) -> list[Group]:
        return [group for group in groups if self.reason(group) is Reason.SENT]


def choose(room: Room, offer: Offer) -> Choice:
    """Raises a ``DoesNotFit`` where no request is possible."""
    question = _question(offer)
    left = _left_for_others(room, offer, question)
    has_summary = offer.summary_tokens is not None and offer.summary_tokens <= left
    if has_summary:
        left -= offer.summary_tokens or 0
    chosen = set() if question is None else {question.first}
    pinned_tokens = pinned_count = 0
    for group in chain(reversed(offer.tail), reversed(offer.pinned)):
        if group.mark is ContextMark.PINNED and _can_be_sent(group, offer.starts_at, chosen) and group.tokens <= left:
            chosen.add(group.first)
            left -= group.tokens
            pinned_tokens += group.tokens
            pinned_count += len(group.rows)
    lowest = max(offer.starts_at, offer.summarised_to + 1 if has_summary else 0)
    tail_from, recent_tokens, recent_count = _newest(offer, lowest, chosen, left)
    if question is not None:
        recent_tokens += question.tokens
        recent_count += len(question.rows)
    return Choice(
        tail_from=tail_from,
        chosen=frozenset(chosen),
        has_summary=has_summary,
        summarised_to=offer.summarised_to,
        starts_at=offer.starts_at,
        pinned_tokens=pinned_tokens,
        recent_tokens=recent_tokens,
        pinned_count=pinned_count,
        recent_count=recent_count,
    )


def _question(offer: Offer) -> Group | None:
    """The newest message of the person; None where a draft is going to be it."""
    if offer.question_tokens is not None:
        return None
    question = next((group for group in reversed(offer.tail) if group.is_question and not group.is_empty), None)
    if question is not None and question.mark is ContextMark.EXCLUDED:
        raise QuestionExcluded
    return question


def _left_for_others(room: Room, offer: Offer, question: Group | None) -> int:
    own = offer.question_tokens or 0 if question is None else question.tokens
    if own > room.counted:
        raise MessageLargerThanWindow(
            f"The message has about {room.scaled(own):,} tokens; the model reads {room.window:,} at once"
            f" and {room.reserved:,} of them are kept for the answer."
        )
    left = room.counted - own - offer.system_tokens - offer.extra_tokens
    if left < 0:
        raise SystemPromptTooLarge(
            f"The system prompt has about {room.scaled(offer.system_tokens):,} tokens and leaves no room for the"
            f" message: the model reads {room.window:,} at once and {room.reserved:,} of them are kept for the answer."
        )
    return left


def _can_be_sent(group: Group, starts_at: int, chosen: set[int]) -> bool:
    return group.first >= starts_at and not group.is_empty and group.first not in chosen


def _newest(offer: Offer, lowest: int, chosen: set[int], left: int) -> tuple[int, int, int]:
    """From which position on everything is sent, and the tokens and messages that this adds."""
    tokens = count = 0
    tail_from = offer.tail[-1].last + 1 if offer.tail else lowest
    for group in reversed(offer.tail):
        if group.first < lowest:
            break
        if group.first not in chosen and not group.is_empty and group.mark is not ContextMark.EXCLUDED:
            if tokens + group.tokens > left:
                return tail_from, tokens, count
            tokens += group.tokens
            count += len(group.rows)
        tail_from = group.first
    return tail_from, tokens, count
