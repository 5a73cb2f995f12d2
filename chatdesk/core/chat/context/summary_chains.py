"""Adds up the cost of a thread's summaries, and decides when a person must agree to more.

A chain is everything from the first request for a thread until its older messages are covered, failures and pauses
included. Pure: it asks nobody itself and knows no storage; it lasts as long as the program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from chatdesk.core.context.summariser import Wanted
from chatdesk.core.domain.summary import ConsentLimits, SummaryPlan, SummaryStage, SummaryWork
from chatdesk.core.domain.usage import CostOf, Spent
from chatdesk.core.errors import SummaryNeedsConsent

# A person agrees to an estimate, and vendors count tokens in different ways. Beyond this multiple the person is asked
# again.
_TOLERANCE = 2.0


@dataclass(slots=True)
class _Chain:
    work: SummaryWork
    wanted: Wanted
    plan: SummaryPlan | None = None
    agreed: SummaryWork | None = None
    requests_before: int = 0
    tokens_before: int = 0
    cost_before: float | None = 0.0


class SummaryChains:
    """The chains of all threads. ``on_changed`` is called with each new state; the last one of a chain is ``MADE``,
    ``STOPPED`` or ``GIVEN_UP``."""

    def __init__(self, cost_of: CostOf, on_changed: Callable[[SummaryWork], None]) -> None:
        self._cost_of = cost_of
        self._on_changed = on_changed
        self._limits = ConsentLimits()
        self._chains: dict[str, _Chain] = {}
        self._declined: set[str] = set()

    def use_limits(self, limits: ConsentLimits) -> None:
        """Use other limits from the next request on."""
        self._limits = limits

    def of(self, thread_id: str) -> SummaryWork | None:
        """Return the work on a summary of a thread, or the question about it; None where there is none."""
        chain = self._chains.get(thread_id)
        return None if chain is None else chain.work

    def is_held(self, thread_id: str) -> bool:
        """Return whether nothing may start unasked: a question waits for its answer, or a person said no."""
        work = self.of(thread_id)
        return thread_id in self._declined or (work is not None and work.stage is SummaryStage.ASKING)

    def admit(self, wanted: Wanted, plan: SummaryPlan, next_tokens: int) -> None:
        """Count on a request of ``next_tokens``, the first of the rest of ``plan``. Raises ``SummaryNeedsConsent``
        where the chain would take more than may be spent unasked, or than was agreed."""
        chain = self._chains.get(wanted.thread_id)
        if chain is None:
            chain = self._chains[wanted.thread_id] = _Chain(_new_work(wanted), wanted)
        work = chain.work
        if plan is not chain.plan:  # begun again, after a pause or with another model
            chain.plan, chain.wanted = plan, wanted
            chain.requests_before, chain.tokens_before, chain.cost_before = work.requests, work.tokens, work.cost_usd
        tokens = max(chain.tokens_before + plan.usage.total_tokens, work.tokens + next_tokens)
        plan_cost = self._cost_of(wanted.provider, wanted.model, plan.usage)
        cost = None if plan_cost is None else max((chain.cost_before or 0.0) + plan_cost, work.cost_usd or 0.0)
        shown = replace(
            work,
            provider=wanted.provider,
            model=wanted.model,
            planned_requests=max(chain.requests_before + plan.requests, work.requests + 1),
            planned_tokens=tokens,
            planned_cost_usd=cost,
        )
        if self._is_too_much(chain, shown):
            self._change(chain, replace(shown, stage=SummaryStage.ASKING))
            raise SummaryNeedsConsent
        self._change(chain, replace(shown, stage=SummaryStage.WORKING))

    def add_spent(self, thread_id: str, spent: Spent) -> None:
        """Add the tokens and costs of one request after it ended."""
        chain, usage = self._chains.get(thread_id), spent.usage
        if chain is None:
            return
        work = chain.work
        is_known = work.cost_usd is not None and (spent.cost_usd is not None or usage is None)
        changed = replace(
            work,
            requests=work.requests + 1,
            tokens=work.tokens + (usage.total_tokens if usage is not None else 0),
            cost_usd=(work.cost_usd or 0.0) + (spent.cost_usd or 0.0) if is_known else None,
        )
        self._change(chain, changed)

    def agree(self, thread_id: str) -> Wanted | None:
        """Record a person's consent. Returns the summary to request now; None if no request awaits consent."""
        chain = self._chains.get(thread_id)
        if chain is None or chain.work.stage is not SummaryStage.ASKING:
            return None
        chain.agreed = chain.work
        self._declined.discard(thread_id)
        self._change(chain, replace(chain.work, stage=SummaryStage.WORKING))
        return replace(chain.wanted, is_agreed=True)

    def decline(self, thread_id: str) -> None:
        """Record a person's no or stop: nothing more is made for the thread until they ask for it."""
        self._declined.add(thread_id)
        self._end(thread_id, SummaryStage.STOPPED)

    def welcome(self, thread_id: str) -> None:
        """Forget an earlier no, because a person asks for a summary."""
        self._declined.discard(thread_id)

    def wait(self, thread_id: str) -> None:
        """Mark a chain as waiting: it failed or reached the limit of the day, and goes on by itself."""
        chain = self._chains.get(thread_id)
        if chain is not None:
            self._change(chain, replace(chain.work, stage=SummaryStage.WAITING))

    def end(self, thread_id: str) -> None:
        """End a chain, because everything is covered or nothing had to be."""
        chain = self._chains.get(thread_id)
        if chain is not None:
            self._end(thread_id, SummaryStage.MADE if chain.work.requests else SummaryStage.STOPPED)

    def _end(self, thread_id: str, stage: SummaryStage) -> None:
        chain = self._chains.pop(thread_id, None)
        if chain is not None:
            self._on_changed(replace(chain.work, stage=stage))

    def _is_too_much(self, chain: _Chain, shown: SummaryWork) -> bool:
        if not self._limits.are_exceeded(shown.planned_tokens, shown.planned_cost_usd):
            return False
        agreed = chain.agreed
        if agreed is None:
            return True
        if shown.planned_tokens > agreed.planned_tokens * _TOLERANCE:
            return True
        known, now = agreed.planned_cost_usd, shown.planned_cost_usd
        return now is not None and known is not None and now > known * _TOLERANCE

    def _change(self, chain: _Chain, work: SummaryWork) -> None:
        if work != chain.work:
            chain.work = work
            self._on_changed(work)


def _new_work(wanted: Wanted) -> SummaryWork:
    return SummaryWork(wanted.thread_id, SummaryStage.WAITING, wanted.provider, wanted.model)
