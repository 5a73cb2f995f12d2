"""SummaryService makes the summaries of threads in the background and lets the reader edit and switch them.

It is reached as ``ChatService.context.summaries``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from chatdesk.core.chat.context.summary_chains import SummaryChains
from chatdesk.core.clock import Clock
from chatdesk.core.context.summariser import SummaryOwner, Wanted
from chatdesk.core.context.summary_schedule import SummarySchedule
from chatdesk.core.context.summary_worker import OpenSummariser, SummaryWorker
from chatdesk.core.context.tokens import CHARACTERS, TokenCounter
from chatdesk.core.diagnostics.event_log import log_event
from chatdesk.core.domain.message import Status
from chatdesk.core.domain.summary import (
    ConsentLimits,
    NewSummary,
    Summary,
    SummaryAuthor,
    SummaryPlan,
    SummarySwitches,
    SummaryWork,
)
from chatdesk.core.domain.usage import CHARACTERS_PER_TOKEN, CostOf, Spent, UsageEvent, UsageKind
from chatdesk.core.errors import InvalidInput, NotPossible, SummaryRangeGone
from chatdesk.core.events import EventBus, SummaryFailed, SummaryWorkChanged
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.texts import Text
from chatdesk.core.usage.limits import BackgroundBudget

_IDLE_MS = 10 * 60_000
_MOST_FACTS, _LONGEST_FACT = 50, 500


@dataclass(frozen=True, slots=True)
class SummaryMaking:
    """The means of making summaries in the background. ``open_summariser``: None where none are made, which also holds
    while ``can_write`` returns False. ``budget``: None is no limit."""

    open_summariser: OpenSummariser | None = None
    budget: BackgroundBudget | None = None
    can_write: Callable[[], bool] = lambda: True


class SummaryService:
    """The summaries of all threads, on the services' loop. ``on_changed`` is called with the thread whose summary
    differs (None: any), ``on_due`` with one that failed and may be tried again."""

    def __init__(
        self,
        repositories: Repositories,
        bus: EventBus,
        *,
        counter: TokenCounter,
        clock: Clock,
        on_changed: Callable[[str | None], None],
        on_due: Callable[[str], None],
        cost_of: CostOf,
        making: SummaryMaking,
    ) -> None:
        self._summaries = repositories.summaries
        self._contexts = repositories.contexts
        self._usage = repositories.usage
        self._counter = counter
        self._clock = clock
        self._on_changed = on_changed
        self._cost_of = cost_of
        self._budget = making.budget or BackgroundBudget(repositories.usage, clock)
        self._chains = SummaryChains(cost_of, lambda work: bus.publish(SummaryWorkChanged(work)))
        self._is_on_everywhere = True
        self._can_write = making.can_write
        self._worker: SummaryWorker | None = None
        self._schedule: SummarySchedule | None = None
        if making.open_summariser is not None:
            self._worker = SummaryWorker(
                making.open_summariser,
                SummaryOwner(self._keep, self._record_failed, self._allow),
                on_ended=self._ended,
                on_waiting=self._chains.wait,
                on_failed=lambda thread_id, sentence: bus.publish(SummaryFailed(thread_id, sentence)),
                on_due=on_due,
                clock=clock,
            )

    @property
    def can_be_made(self) -> bool:
        return self._worker is not None and self._can_write()

    @property
    def pending(self) -> frozenset[str]:
        """The ids of the threads whose summary is being made or waits for its turn."""
        return frozenset() if self._worker is None else self._worker.pending

    @property
    def waits_for_tomorrow(self) -> bool:
        """True while the day's limit for work in the background is reached."""
        return self._worker is not None and self._clock.now_ms() < self._worker.rests_until_ms

    def wake(self) -> None:
        """Continue the waiting summaries, because the day's limit has changed."""
        if self._worker is not None:
            self._worker.wake()

    async def list(self, thread_id: str) -> tuple[Summary, ...]:
        """Return all versions of a thread's summary, the newest first."""
        return await self._summaries.list(checked_id(thread_id))

    def work_on(self, thread_id: str) -> SummaryWork | None:
        """Return the summary that is being made for a thread or waits for a person's answer; None where there is
        none."""
        return self._chains.of(thread_id)

    def use_consent(self, limits: ConsentLimits) -> None:
        """Set the amounts above which a person is asked, from the next request on."""
        self._chains.use_limits(limits)

    def agree(self, thread_id: str) -> None:
        """Make the summary that was asked about, whatever it costs at that estimate."""
        wanted = self._chains.agree(thread_id)
        if wanted is not None and self._worker is not None:
            self._worker.ask(wanted)

    def stop(self, thread_id: str) -> None:
        """Stop making summaries of a thread until a person asks for one; existing ones stay."""
        if self._worker is not None:
            self._worker.stop(thread_id)
        self._chains.decline(thread_id)
        self._budget.release(UsageKind.SUMMARY)

    async def make(
        self,
        thread_id: str,
        provider: str,
        model: str,
        *,
        answered_by: tuple[str, str] | None = None,
        is_anew: bool = False,
    ) -> None:
        """Summarise the messages that should be covered in the background, for the answering model (``answered_by``;
        None: the same). ``is_anew``: includes messages that are covered already."""
        if self._worker is None or not self.can_be_made:
            raise NotPossible(Text("Summaries cannot be made here."))
        if is_anew:
            self._chains.welcome(thread_id)
        elif self._chains.is_held(thread_id):
            return
        newest = next(iter(await self.list(thread_id)), None)
        wanted = Wanted(thread_id, provider, model, answered_by, is_anew=is_anew)
        if newest is not None:
            end = newest.to_position if is_anew else -1
            wanted = replace(wanted, pinned_facts=newest.pinned_facts, at_least=end)
        self._worker.ask(wanted)

    async def edit(self, summary_id: str, text: str, *, pinned_facts: tuple[str, ...] | None = None) -> Summary:
        """Add a version written by the reader, for the same messages. ``pinned_facts``: None keeps them. Raises
        ``SummaryRangeGone`` where those messages are gone or not shown."""
        if not text.strip():
            raise InvalidInput(
                Text("A summary needs some text."),
                safe=Text("The old one is kept."),
                next_step=Text("Or switch it off."),
            )
        old = await self._summaries.get(checked_id(summary_id))
        facts = old.pinned_facts if pinned_facts is None else _checked_facts(pinned_facts)
        made = await self._summaries.add(
            NewSummary(
                old.thread_id,
                old.from_message_id,
                old.to_message_id,
                text.strip(),
                self._counter.count_in(text, CHARACTERS),
                SummaryAuthor.PERSON,
                pinned_facts=facts,
            )
        )
        self._on_changed(made.thread_id)
        return made

    async def switch(self, summary_id: str, *, is_on: bool) -> Summary:
        """Switch the sending of one version on or off."""
        summary = await self._summaries.switch(checked_id(summary_id), is_on=is_on)
        self._on_changed(summary.thread_id)
        return summary

    async def switch_thread(self, thread_id: str, *, is_on: bool) -> None:
        """Set whether a thread is summarised and its summary sent."""
        await self._contexts.switch_thread_summaries(thread_id, is_on=is_on)
        self._on_changed(thread_id)

    async def switches(self, thread_id: str) -> SummarySwitches:
        """Return the switches that decide whether a thread is summarised."""
        switches = await self._contexts.summary_switches(checked_id(thread_id))
        return replace(switches, is_on_everywhere=self._is_on_everywhere)

    def switch_everywhere(self, *, is_on: bool) -> None:
        """Set whether the setting allows summaries at all."""
        self._is_on_everywhere = is_on

    async def switch_project(self, project_id: str, *, is_on: bool) -> None:
        await self._contexts.switch_project_summaries(project_id, is_on=is_on)
        self._on_changed(None)

    async def long_threads(self, least_tokens: Callable[[str | None, str | None], int]) -> tuple[str, ...]:
        """Return all idle threads that may need a summary. ``least_tokens`` returns how many tokens count as many for a
        provider and a model, which are None where a thread has none of its own."""
        return await self._contexts.long_threads(
            least_characters=lambda provider, model: least_tokens(provider, model) * CHARACTERS_PER_TOKEN,
            idle_since=self._clock.now_ms() - _IDLE_MS,
        )

    def schedule(self, cron: str, work: Callable[[], Awaitable[None]]) -> bool:
        """Check idle threads at the times of ``cron``. Returns whether these were understood."""
        if self._worker is None:
            return True
        if self._schedule is None:
            self._schedule = SummarySchedule(work)
        return self._schedule.set(cron)

    async def close(self) -> None:
        """Stop making summaries, within a second."""
        if self._schedule is not None:
            self._schedule.close()
        if self._worker is not None:
            await self._worker.close()

    def _ended(self, thread_id: str, newest: Summary | None) -> None:
        self._chains.end(thread_id)
        if newest is not None:
            self._on_changed(thread_id)

    async def _allow(self, wanted: Wanted, plan: SummaryPlan, tokens: int) -> None:
        self._chains.admit(wanted, plan, tokens)
        await self._budget.reserve(
            UsageKind.SUMMARY, tokens, provider=wanted.provider or "", thread_id=wanted.thread_id
        )

    async def _keep(self, new: NewSummary, spent: Spent) -> Summary:
        priced = self._priced(new.provider, new.model, spent)
        try:
            made = await self._summaries.add(new, spent=priced)
            self._budget.release(UsageKind.SUMMARY)
            self._chains.add_spent(new.thread_id, priced)
            log_event(
                "summary.made",
                thread=made.thread_id,
                summary=made.id,
                provider=new.provider,
                model=new.model,
                **_spent_fields(spent),
            )
            return made
        except SummaryRangeGone:  # the thread moved on while it was made, which was paid for all the same
            await self._enter_failed(new.thread_id, new.provider, new.model, priced)
            raise

    async def _record_failed(self, wanted: Wanted, spent: Spent) -> None:
        priced = self._priced(wanted.provider, wanted.model, spent)
        await self._enter_failed(wanted.thread_id, wanted.provider, wanted.model, priced)

    async def _enter_failed(self, thread_id: str, provider: str | None, model: str | None, spent: Spent) -> None:
        await self._usage.add(UsageEvent(UsageKind.SUMMARY, thread_id, provider, model, Status.ERROR.value, spent))
        self._budget.release(UsageKind.SUMMARY)
        self._chains.add_spent(thread_id, spent)

    def _priced(self, provider: str | None, model: str | None, spent: Spent) -> Spent:
        usage = spent.usage
        return spent if usage is None else replace(spent, cost_usd=self._cost_of(provider, model, usage))


def _spent_fields(spent: Spent) -> dict[str, Any]:
    usage = spent.usage
    return {
        "input_tokens": None if usage is None else usage.input_tokens,
        "output_tokens": None if usage is None else usage.output_tokens,
        "latency_ms": spent.latency_ms,
        "first_token_ms": spent.time_to_first_token_ms,
    }


def _checked_facts(facts: tuple[str, ...]) -> tuple[str, ...]:
    kept = tuple(" ".join(fact.split()) for fact in facts if fact.strip())
    if len(kept) > _MOST_FACTS or any(len(fact) > _LONGEST_FACT for fact in kept):
        raise InvalidInput(
            Text(
                "There may be {most_facts} facts of at most {longest_fact} characters.",
                most_facts=str(_MOST_FACTS),
                longest_fact=str(_LONGEST_FACT),
            ),
            safe=Text("The old ones are kept."),
            next_step="",
        )
    return kept
