"""What fits, by example."""

from __future__ import annotations

from itertools import pairwise

import pytest

from chatdesk.core.context.budget import Candidates, TokenBudget, select
from chatdesk.core.context.group_run import GroupRun, Stretch
from chatdesk.core.context.groups import TOKENS_PER_MESSAGE, make_groups
from chatdesk.core.domain.context import ContextPart, ContextRow, Reason
from chatdesk.core.domain.message import ContextMark, PartType, Role
from chatdesk.core.errors import MessageLargerThanWindow, QuestionExcluded, SystemPromptTooLarge


def _rows(count: int, *, tokens: int = 6, **marks: ContextMark) -> list[ContextRow]:
    """Questions and answers of ``tokens`` each; ``m3=…`` marks the fourth."""
    return [
        ContextRow(
            f"m{position}",
            position,
            Role.ASSISTANT if position % 2 else Role.USER,
            marks.get(f"m{position}", ContextMark.NONE),
            (ContextPart(f"p{position}", PartType.TEXT, f"text {position}", tokens=tokens),),
        )
        for position in range(count)
    ]


def _run(rows: list[ContextRow]) -> Stretch:
    return GroupRun(make_groups(rows)).upto()


def _sent(candidates: Candidates, budget: TokenBudget) -> list[str]:
    selection = select(budget, candidates)
    groups = [*candidates.pinned, *candidates.tail]
    return [row.id for group in groups if selection.reason(group) is Reason.SENT for row in group.rows]


def _budget(messages: int) -> TokenBudget:
    """Tokens for that many messages of ``_rows``."""
    return TokenBudget(window=messages * (6 + TOKENS_PER_MESSAGE), reserved=0)


def test_the_newest_that_fit_are_sent() -> None:
    assert _sent(Candidates(_run(_rows(9))), _budget(3)) == ["m6", "m7", "m8"]


def test_pinned_messages_go_before_newer_ones() -> None:
    candidates = Candidates(_run(_rows(9, m1=ContextMark.PINNED)))
    assert _sent(candidates, _budget(3)) == ["m1", "m7", "m8"]
    assert select(_budget(3), candidates).pinned_count == 1


def test_the_newest_pinned_messages_are_sent_where_not_all_fit() -> None:
    candidates = Candidates(_run(_rows(9, m1=ContextMark.PINNED, m3=ContextMark.PINNED)))
    selection = select(_budget(2), candidates)
    assert _sent(candidates, _budget(2)) == ["m3", "m8"]
    assert selection.reason(list(candidates.tail)[1]) is Reason.DID_NOT_FIT


def test_excluded_messages_make_room_for_older_ones() -> None:
    assert _sent(Candidates(_run(_rows(9, m7=ContextMark.EXCLUDED))), _budget(3)) == ["m5", "m6", "m8"]


def test_nothing_before_the_start_is_sent_though_it_fits() -> None:
    candidates = Candidates(_run(_rows(9)), starts_at=7)
    assert _sent(candidates, _budget(9)) == ["m7", "m8"]
    assert select(_budget(9), candidates).reason(next(iter(candidates.tail))) is Reason.EXCLUDED


def test_a_summary_stands_for_what_it_covers() -> None:
    candidates = Candidates(_run(_rows(9)), summary_tokens=10, summarised_to=5)
    selection = select(_budget(9), candidates)
    assert [selection.reason(group) for group in candidates.tail] == [Reason.SUMMARISED] * 6 + [Reason.SENT] * 3


def test_a_summary_that_does_not_fit_gives_way_to_messages() -> None:
    candidates = Candidates(_run(_rows(9)), summary_tokens=1_000, summarised_to=5)
    selection = select(_budget(9), candidates)
    assert not selection.has_summary
    assert _sent(candidates, _budget(9)) == [f"m{number}" for number in range(9)]


def test_a_draft_pushes_older_messages_out() -> None:
    candidates = Candidates(_run(_rows(8)), question_tokens=30)
    assert _sent(candidates, _budget(5)) == ["m6", "m7"]


def test_a_message_larger_than_the_window_says_so() -> None:
    candidates = Candidates(_run(_rows(1, tokens=100)))
    with pytest.raises(MessageLargerThanWindow, match="104 tokens"):
        select(TokenBudget(window=100, reserved=20), candidates)
    with pytest.raises(MessageLargerThanWindow):
        select(TokenBudget(window=100, reserved=20), Candidates(_run([]), question_tokens=81))


def test_a_system_prompt_that_leaves_no_room_says_so() -> None:
    with pytest.raises(SystemPromptTooLarge, match="95 tokens"):
        select(TokenBudget(window=100, reserved=0), Candidates(_run(_rows(1)), system_tokens=95))


def test_a_question_that_is_excluded_is_not_answered() -> None:
    with pytest.raises(QuestionExcluded):
        select(_budget(9), Candidates(_run(_rows(1, m0=ContextMark.EXCLUDED))))


def test_an_answer_takes_at_most_half_of_the_window() -> None:
    assert TokenBudget.of(8_000, answer=100_000).reserved == 4_000
    assert TokenBudget.of(8_000, answer=1_000).reserved == 1_000


def test_a_model_with_a_higher_count_leaves_less_room() -> None:
    budget = TokenBudget.of(1_000, answer=100, factor=1.5)
    assert budget.counted == 600
    assert budget.scaled(600) == 900
    assert TokenBudget.of(1_000, answer=100).scaled(7) == 7


def test_the_beginning_of_a_request_moves_in_steps_of_at_most_an_eighth() -> None:
    """56 messages fit: a step of 4 is the largest power of two within an eighth of them."""
    firsts = [int(_sent(Candidates(_run(_rows(count))), _budget(56))[0][1:]) for count in range(200, 240)]
    moves = [later - first for first, later in pairwise(firsts) if later != first]
    assert set(moves) == {4}
    assert len(moves) == 10
