"""Nobody pays for more summaries than they agreed to, however wrong an estimate was."""

from __future__ import annotations

import pytest

from chatdesk.core.chat.context.summary_chains import SummaryChains
from chatdesk.core.context.summariser import Wanted
from chatdesk.core.domain.summary import ConsentLimits, SummaryPlan, SummaryStage, SummaryWork
from chatdesk.core.domain.usage import Spent, Usage
from chatdesk.core.errors import SummaryNeedsConsent

WANTED = Wanted("thread", "openai", "small")


class Watched:
    """Chains of a model that costs a dollar for a million tokens, or whose price nobody knows."""

    def __init__(self, limits: ConsentLimits, *, price: float | None = 1.0) -> None:
        self.seen: list[SummaryWork] = []
        self._price = price
        self.chains = SummaryChains(lambda _provider, _model, usage: self.cost(usage), self.seen.append)
        self.chains.use_limits(limits)

    def cost(self, usage: Usage) -> float | None:
        return None if self._price is None else usage.total_tokens * self._price / 1_000_000

    def spend(self, tokens: int) -> None:
        usage = Usage(tokens)
        self.chains.add_spent("thread", Spent(usage, cost_usd=self.cost(usage)))


def _plan(tokens: int, requests: int = 4) -> SummaryPlan:
    return SummaryPlan(requests, Usage(tokens))


@pytest.mark.parametrize(
    ("limits", "price", "tokens", "is_asked"),
    [
        (ConsentLimits(), 1.0, 49_000, False),
        (ConsentLimits(), 1.0, 51_000, True),  # more than five cents
        (ConsentLimits(), None, 99_000, False),
        (ConsentLimits(), None, 101_000, True),  # nobody knows the price: the tokens decide
        (ConsentLimits(), 0.01, 101_000, True),
        (ConsentLimits(tokens=0), 0.01, 4_000_000, False),
        (ConsentLimits(cost_usd=0, tokens=0), 50.0, 90_000_000, False),
    ],
)
def test_a_chain_beyond_the_limit_is_asked_about_before_its_first_request(
    limits: ConsentLimits, price: float | None, tokens: int, is_asked: bool
) -> None:
    watched = Watched(limits, price=price)
    if not is_asked:
        watched.chains.admit(WANTED, _plan(tokens), 10_000)
        assert watched.seen[-1].stage is SummaryStage.WORKING
        return
    with pytest.raises(SummaryNeedsConsent):
        watched.chains.admit(WANTED, _plan(tokens), 10_000)
    asked = watched.seen[-1]
    assert (asked.stage, asked.planned_requests, asked.planned_tokens) == (SummaryStage.ASKING, 4, tokens)
    assert watched.chains.is_held("thread")


def test_an_estimate_that_was_too_low_is_noticed_on_the_way() -> None:
    watched = Watched(ConsentLimits(cost_usd=0, tokens=30_000))
    plan = _plan(20_000)
    for _ in range(3):
        watched.chains.admit(WANTED, plan, 10_000)
        watched.spend(10_000)
    with pytest.raises(SummaryNeedsConsent):
        watched.chains.admit(WANTED, plan, 10_000)
    assert (watched.seen[-1].requests, watched.seen[-1].tokens) == (3, 30_000)


def test_failures_count_as_what_they_took() -> None:
    watched = Watched(ConsentLimits(cost_usd=0, tokens=30_000))
    for _ in range(3):  # each attempt has a plan of its own
        watched.chains.admit(WANTED, _plan(10_000, 1), 10_000)
        watched.spend(10_000)
        watched.chains.wait("thread")
    with pytest.raises(SummaryNeedsConsent):
        watched.chains.admit(WANTED, _plan(10_000, 1), 10_000)


def test_what_was_agreed_goes_on_to_its_end_and_is_added_up() -> None:
    watched = Watched(ConsentLimits())
    plan = _plan(200_000)
    with pytest.raises(SummaryNeedsConsent):
        watched.chains.admit(WANTED, plan, 50_000)
    agreed = watched.chains.agree("thread")
    assert agreed is not None
    assert agreed.is_by_person
    for _ in range(4):
        watched.chains.admit(agreed, plan, 50_000)
        watched.spend(50_000)
    watched.chains.end("thread")
    made = watched.seen[-1]
    assert (made.stage, made.requests, made.tokens, made.cost_usd) == (SummaryStage.MADE, 4, 200_000, 0.2)
    assert watched.chains.of("thread") is None


def test_far_more_than_was_agreed_is_asked_about_again() -> None:
    watched = Watched(ConsentLimits())
    plan = _plan(200_000)
    with pytest.raises(SummaryNeedsConsent):
        watched.chains.admit(WANTED, plan, 50_000)
    agreed = watched.chains.agree("thread")
    assert agreed is not None
    watched.chains.admit(agreed, plan, 50_000)
    watched.spend(390_000)
    with pytest.raises(SummaryNeedsConsent):
        watched.chains.admit(agreed, plan, 50_000)


def test_who_said_no_is_not_asked_again_until_they_want_a_summary() -> None:
    watched = Watched(ConsentLimits())
    with pytest.raises(SummaryNeedsConsent):
        watched.chains.admit(WANTED, _plan(200_000), 50_000)
    watched.chains.decline("thread")
    assert watched.seen[-1].stage is SummaryStage.STOPPED
    assert watched.chains.is_held("thread")
    assert watched.chains.agree("thread") is None
    watched.chains.welcome("thread")
    assert not watched.chains.is_held("thread")
