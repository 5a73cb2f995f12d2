"""Selects the messages that fit: the question always, then the summary, pinned messages, and the newest of the others.

Pure. All sizes are tokens as counted here; ``TokenBudget`` converts a model's reported tokens into them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatdesk.core.context.group_run import Stretch
from chatdesk.core.context.groups import Group
from chatdesk.core.domain.context import Reason
from chatdesk.core.domain.message import ContextMark
from chatdesk.core.errors import MessageLargerThanWindow, QuestionExcluded, SystemPromptTooLarge
from chatdesk.core.texts import Text

# However long answers may get, a question has to fit as well.
_LARGEST_SHARE_FOR_ANSWER = 0.5
# a cut may move forward by up to an eighth of the messages, so that successive requests begin at the same one
_PARTS = 8


@dataclass(frozen=True, slots=True)
class TokenBudget:
    """The tokens that a request to a model may have. ``factor``: tokens that the model counts for each one counted
    here."""

    window: int
    reserved: int
    factor: float = 1.0

    @classmethod
    def of(cls, window: int, *, answer: int, factor: float = 1.0) -> TokenBudget:
        return cls(window, min(answer, int(window * _LARGEST_SHARE_FOR_ANSWER)), factor)

    @property
    def counted(self) -> int:
        """The tokens that the whole request may have, as counted here."""
        return int((self.window - self.reserved) / self.factor)

    def scaled(self, tokens: int) -> int:
        """Convert tokens counted here into tokens as the model counts them."""
        return tokens if self.factor == 1.0 else int(-(-tokens * self.factor // 1))


@dataclass(frozen=True, slots=True)
class Candidates:
    """The content that could be sent. ``tail`` is the newest part of the path without gaps, oldest first; ``pinned``
    are pinned groups from before it. ``question_tokens`` is a question that is no message yet: a draft.
    ``extra_tokens`` and ``memory_tokens`` are sent in any case, besides the system prompt."""

    tail: Stretch
    pinned: Sequence[Group] = ()
    system_tokens: int = 0
    memory_tokens: int = 0
    extra_tokens: int = 0
    question_tokens: int | None = None
    summary_tokens: int | None = None
    summarised_to: int = -1
    starts_at: int = 0


@dataclass(frozen=True, slots=True)
class Selection:
    """The content that is sent: everything of the tail from group ``cut`` on, which begins at the position
    ``tail_from``, that is neither excluded nor empty; and the groups that begin at the positions ``chosen``. Tokens are
    as counted here."""

    cut: int
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
        """Return why a group is sent or not; all its messages share the reason."""
        if group.first in self.chosen:
            return Reason.SENT
        if group.mark is ContextMark.EXCLUDED or group.first < self.starts_at:
            return Reason.EXCLUDED
        if group.is_empty:
            return Reason.EMPTY
        if group.first >= self.tail_from:
            return Reason.SENT
        return Reason.SUMMARISED if self.has_summary and group.first <= self.summarised_to else Reason.DID_NOT_FIT

    def sent_alone(self, candidates: Candidates) -> list[Group]:
        """Return the chosen groups from before ``tail_from``, oldest first."""
        question = candidates.tail.newest_question()
        known = [*candidates.pinned, *candidates.tail.pinned, *([question] if question else [])]
        groups = {group.first: group for group in known}
        return [groups[first] for first in sorted(self.chosen) if first < self.tail_from]


def select(budget: TokenBudget, candidates: Candidates) -> Selection:
    """Select the messages and the summary to send. Raises a subclass of ``DoesNotFit`` where no request is possible."""
    question = _question(candidates)
    left = _left_for_others(budget, candidates, question)
    has_summary = candidates.summary_tokens is not None and candidates.summary_tokens <= left
    if has_summary:
        left -= candidates.summary_tokens or 0
    pinned = _fitting(candidates, question, left)
    pinned_tokens = sum(group.tokens for group in pinned)
    chosen = frozenset(group.first for group in pinned) | ({question.first} if question else frozenset())
    lowest = max(candidates.starts_at, candidates.summarised_to + 1 if has_summary else 0)
    cut, tokens, count = _newest(candidates, question, chosen, lowest, left - pinned_tokens)
    return Selection(
        cut=cut,
        tail_from=_position(candidates.tail, cut),
        chosen=chosen,
        has_summary=has_summary,
        summarised_to=candidates.summarised_to,
        starts_at=candidates.starts_at,
        pinned_tokens=pinned_tokens,
        recent_tokens=tokens,
        pinned_count=sum(len(group.rows) for group in pinned),
        recent_count=count,
    )


def _question(candidates: Candidates) -> Group | None:
    """Return the newest message of the person; None where a draft takes its place."""
    if candidates.question_tokens is not None:
        return None
    question = candidates.tail.newest_question()
    if question is not None and question.mark is ContextMark.EXCLUDED:
        raise QuestionExcluded
    return question


def _fitting(candidates: Candidates, question: Group | None, left: int) -> list[Group]:
    """Return pinned groups, the newest first, as long as there are tokens for them."""
    found = []
    for group in reversed([*candidates.pinned, *candidates.tail.pinned]):
        if (
            group is not question
            and group.first >= candidates.starts_at
            and not group.is_empty
            and group.tokens <= left
        ):
            found.append(group)
            left -= group.tokens
    return found


def _newest(
    candidates: Candidates, question: Group | None, chosen: frozenset[int], lowest: int, left: int
) -> tuple[int, int, int]:
    """Return the index of the first group of the tail from which on everything is sent, with the tokens and the number
    of these messages, pinned ones left out."""
    run, end = candidates.tail.run, candidates.tail.end
    is_counted = question is not None and question.mark is ContextMark.NONE
    own_tokens, own_rows = (question.tokens, len(question.rows)) if question else (0, 0)
    cut = run.fitting_from(end, left + (own_tokens if is_counted else 0))
    place = end if question is None else run.index_from(question.first)
    if is_counted and cut > place:  # not even the messages after the question fit beside it
        cut = max(run.fitting_from(end, left), place + 1)
    behind = [run.index_from(group.first) + 1 for group in candidates.tail.pinned if group.first not in chosen]
    cut = max(cut, run.index_from(lowest), *behind)
    if cut > run.index_from(lowest):
        cut = _steadied(candidates, cut, most=place if is_counted else end)
    cut = min(cut, end)
    tokens, rows = run.tokens_between(cut, end), run.rows_between(cut, end)
    if question is not None and not (is_counted and place >= cut):
        tokens, rows = tokens + own_tokens, rows + own_rows
    return cut, tokens, rows


def _steadied(candidates: Candidates, cut: int, *, most: int) -> int:
    """Return the next place at which a request may begin once messages have to stay behind. Such places are few and far
    between, so that the beginning is the same for many turns and a vendor finds it in its cache. At most an eighth of
    what would fit stays behind for that; ``most``: the cut must not come to be after this group."""
    run, end = candidates.tail.run, candidates.tail.end
    if cut >= end:
        return cut
    first, last = run.groups[cut].first, run.groups[end - 1].last
    step = 1 << max((last - first + 1) // _PARTS, 1).bit_length() - 1
    steadied = run.index_from(-(-first // step) * step)
    return steadied if cut <= steadied <= most else cut


def _position(tail: Stretch, index: int) -> int:
    """Return the position at which the group with that index begins; behind the last one where there is none."""
    if index < tail.end:
        return tail.run.groups[index].first
    return tail.run.groups[tail.end - 1].last + 1 if tail.end else 0


def _left_for_others(budget: TokenBudget, candidates: Candidates, question: Group | None) -> int:
    own = candidates.question_tokens or 0 if question is None else question.tokens
    if own > budget.counted:
        raise MessageLargerThanWindow(
            Text(
                "The message has about {scaled} tokens; the model reads {window} at once"
                " and {reserved} of them are kept for the answer.",
                scaled=budget.scaled(own),
                window=budget.window,
                reserved=budget.reserved,
            )
        )
    left = budget.counted - own - candidates.system_tokens - candidates.memory_tokens - candidates.extra_tokens
    if left < 0:
        raise SystemPromptTooLarge(
            Text(
                "The system prompt has about {scaled} tokens and leaves no room for the"
                " message: the model reads {window} at once and {reserved} of them are kept for the"
                " answer.",
                scaled=budget.scaled(candidates.system_tokens),
                window=budget.window,
                reserved=budget.reserved,
            )
        )
    return left
