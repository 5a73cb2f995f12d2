"""ContextService decides what the model sees of a thread, and reports and changes that for the reader.

It is reached as ``ChatService.context``, on the same loop. It listens to the events of threads, so that a request after
one new message costs one small read however long the thread is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chatdesk.core.chat.attachment_payloads import notes_on
from chatdesk.core.chat.prompts.prompt_expansion import PromptExpansion
from chatdesk.core.chat.shared_choices import SharedChoices
from chatdesk.core.chat.summary_service import SummaryService
from chatdesk.core.chat.task_set import TaskSet
from chatdesk.core.chat.token_learning import TokenLearning
from chatdesk.core.clock import Clock
from chatdesk.core.context.assembler import Assembler, Prepared, tokens_of
from chatdesk.core.context.attachment_counting import AttachmentCounter, NamesOnly, PayloadSource
from chatdesk.core.context.budget import TokenBudget
from chatdesk.core.context.catalogue import Figures, ModelCatalogue
from chatdesk.core.context.path_windows import PathWindows
from chatdesk.core.context.reporting import entries_of, report_of
from chatdesk.core.context.tokens import TokenCount, TokenCounter
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.context import (
    ContextFrame,
    ContextLandmarks,
    ContextPage,
    ContextReport,
    ContextTotals,
    PathCounts,
    SummaryEnd,
)
from chatdesk.core.domain.message import ContextMark, Message
from chatdesk.core.domain.model_info import ModelInfo, ModelOverrides
from chatdesk.core.domain.model_ref import ModelRef
from chatdesk.core.domain.parameters import Parameters, checked_parameters
from chatdesk.core.domain.prompt import PromptSize
from chatdesk.core.domain.sharing.shared_choice import AnotherProvider
from chatdesk.core.domain.summary import ConsentLimits, Summary, SummaryState
from chatdesk.core.domain.thread import Thread
from chatdesk.core.domain.usage import CacheLife, Usage
from chatdesk.core.errors import ChatDeskError, DoesNotFit, InvalidInput, NotPossible, ProviderError
from chatdesk.core.events import (
    AnswerFinished,
    ContextChanged,
    EventBus,
    MessageAdded,
    MessageChanged,
    PathChanged,
    SummaryFailed,
    SummaryWorkChanged,
    ThreadChanged,
    ThreadDeleted,
)
from chatdesk.core.ids import checked_id
from chatdesk.core.paths import encodings_dir, resources_dir
from chatdesk.core.usage.budget import BackgroundBudget

if TYPE_CHECKING:  # loaded on the storage thread, after the window is up
    from chatdesk.core.context.summary_worker import OpenSummariser
    from chatdesk.core.providers.base import ChatRequest, ListedModel
    from chatdesk.core.providers.registry import ProviderRegistry
    from chatdesk.core.storage.repositories import Repositories

_LARGEST_PAGE = 500
_OFFLINE = "offline"
# A draft longer than this is counted on a thread.
_LONGEST_COUNTED_AT_ONCE = 8_000


@dataclass(frozen=True, slots=True)
class ContextOptions:
    """The settings that apply to requests. ``summary_share``: how full the window is when a summary is made.
    ``is_counting_exactly``: token encodings are loaded when a model that has one is first used (0.4 s of CPU in a
    thread, 80 MB). ``longest_answer``: in tokens, where neither thread nor project says; ``cache``: how long a vendor
    keeps the beginning of a thread; ``task_model``: the model that makes summaries and titles, None: the one that
    answers; ``summary_consent``: the amounts above which a person is asked before summaries are made."""

    system_prompt: str = ""
    has_summaries: bool = True
    summary_share: float = 0.75
    summary_cron: str = ""
    is_counting_exactly: bool = False
    longest_answer: int | None = None
    cache: CacheLife = CacheLife.OFF
    task_model: ModelRef | None = None
    summary_consent: ConsentLimits = field(default_factory=ConsentLimits)


class ContextService:
    """The context of all threads of one database: requests, reports, marks, parameters and summaries."""

    def __init__(
        self,
        *,
        repositories: Repositories,
        providers: ProviderRegistry,
        bus: EventBus,
        counter: TokenCounter,
        catalogue: ModelCatalogue,
        clock: Clock,
        options: ContextOptions | None = None,
        open_summariser: OpenSummariser | None = None,
        payloads: PayloadSource | None = None,
        budget: BackgroundBudget | None = None,
        can_write: Callable[[], bool] = lambda: True,
    ) -> None:
        """Take the repositories and rules. ``open_summariser``: None where summaries are not made, which also holds
        while ``can_write`` returns False. ``budget``: None is no limit."""
        self._contexts = repositories.contexts
        self._providers = providers
        self.choices = SharedChoices(repositories.shared_choices, lambda: self._providers)
        self._bus = bus
        self._counter = counter
        self._expansion = PromptExpansion(repositories.projects, clock)
        self._catalogue = catalogue
        self._options = options or ContextOptions()
        self._tasks = TaskSet()
        self._learning = TokenLearning(repositories.token_counts, self._tasks, lambda: self._stale(None))
        self._payloads = payloads or NamesOnly()
        self._attached = AttachmentCounter(self._payloads, counter)
        self._windows = PathWindows(self._contexts, counter, self._learning.store, attached=self._attached)
        self._assembler = Assembler(self._windows, counter, attached=self._attached)
        self.summaries = SummaryService(
            repositories,
            counter=counter,
            clock=clock,
            on_changed=self._changed,
            on_failed=lambda thread_id, sentence: bus.publish(SummaryFailed(thread_id, sentence)),
            on_due=self._consider_soon,
            on_work=lambda work: bus.publish(SummaryWorkChanged(work)),
            open_summariser=open_summariser,
            cost_of=self.cost_of,
            budget=budget or BackgroundBudget(repositories.usage, clock),
            can_write=can_write,
        )
        self._latest: dict[str, Prepared] = {}
        self._considered: set[str] = set()
        self._is_learning = False
        self._listed: set[str] = set()
        self._revision = 0
        self._subscriptions = [
            bus.subscribe(MessageAdded, self._on_message_added),
            bus.subscribe(MessageChanged, self._on_message_changed),
            bus.subscribe(AnswerFinished, self._on_answer_finished),
            bus.subscribe(PathChanged, self._on_path_changed),
            bus.subscribe(ThreadChanged, lambda event: self._stale(event.thread.id)),
            bus.subscribe(ThreadDeleted, lambda event: self._forget(event.thread_id)),
        ]

    @classmethod
    def of_shipped(
        cls, repositories: Repositories, providers: ProviderRegistry, bus: EventBus, clock: Clock
    ) -> ContextService:
        """Build the service with the model data and encodings that come with ChatDesk, for scripts."""
        catalogue = ModelCatalogue.of_files(resources_dir() / "models.json")
        counter = TokenCounter(encodings_dir())
        return cls(
            repositories=repositories, providers=providers, bus=bus, counter=counter, catalogue=catalogue, clock=clock
        )

    def beside(self, repositories: Repositories, bus: EventBus, clock: Clock) -> ContextService:
        """Return a service with the same rules and models, without summaries, for the threads of another database."""
        return ContextService(
            repositories=repositories,
            providers=self._providers,
            bus=bus,
            counter=self._counter,
            catalogue=self._catalogue,
            clock=clock,
            options=replace(self._options, has_summaries=False, summary_cron=""),
        )

    # What is sent

    async def request_for(self, answer: Message) -> ChatRequest:
        """Return the request for a pending answer. Raises a subclass of ``DoesNotFit`` where none is possible."""
        frame = await self._contexts.frame(answer.thread_id)
        info = self._info(answer.provider, answer.model)
        frame, default_prompt = await self._as_sent(frame, info)
        provider = answer.provider or self._providers.default()[0]
        prepared = await self._assembler.for_answer(
            frame,
            info,
            answer,
            factor=await self._learning.factor(provider, info.id, self._counter.encoding_for(info.id)),
            default_prompt=default_prompt,
            has_summaries=self._has_summaries(frame),
        )
        self._learning.expect(answer.id, prepared)
        return await self._written_out(prepared)

    async def report(self, thread_id: str, draft: str = "", *, attachments: Sequence[Attachment] = ()) -> ContextReport:
        """Describe the request that would be made now, with ``draft`` and its attachments as the next question."""
        frame = await self._contexts.frame(checked_id(thread_id))
        provider = frame.provider or self._providers.default()[0]
        try:
            prepared = await self._prepare(frame, draft, attachments)
        except DoesNotFit as error:
            info = self._info(frame.provider, frame.model)
            budget = TokenBudget.of(info.context_window, answer=info.largest_answer)
            return ContextReport(
                frame.thread_id,
                provider,
                info.id,
                ContextTotals(budget.window, budget.reserved),
                frame.message_count,
                problem=error.sentence,
            )

        async def count_between(first: int, last: int) -> PathCounts:
            return await self._contexts.counts(frame.thread_id, first=first, last=last)

        report = await report_of(prepared, provider, count_between)
        notes = notes_on(prepared.request().messages, model=prepared.info.label, can_see=prepared.reading.can_see)
        return replace(report, notes=notes) if notes else report

    async def entries(self, thread_id: str, start: int = 0, limit: int = 100) -> ContextPage:
        """Return what is done with each message of the shown path from the position ``start`` on, oldest first."""
        if not 1 <= limit <= _LARGEST_PAGE:
            raise InvalidInput(f"A page holds 1 to {_LARGEST_PAGE} rows.", safe="Nothing was changed.", next_step="")
        prepared = await self._prepared_now(checked_id(thread_id))
        groups = await self._windows.entries(
            thread_id, prepared.reading, first=max(start, 0), last=prepared.frame.end, limit=limit
        )
        entries = [entry for entry in entries_of(prepared, groups) if entry.position >= start]
        return ContextPage(tuple(entries[:limit]), start, prepared.frame.message_count)

    async def totals(self, thread_id: str, draft: str = "", *, attachments: Sequence[Attachment] = ()) -> ContextTotals:
        """Return the tokens for the meter; cheap enough for every key that is pressed. ``share`` is above 1 where a
        draft pushes older messages out. Raises a subclass of ``DoesNotFit`` where the system prompt alone is too large.
        """
        prepared = await self._prepared_now(checked_id(thread_id))
        if not draft.strip() and not attachments:
            return prepared.totals()
        if thread_id not in self._considered:  # somebody is going to ask, in a thread that was long before
            self._considered.add(thread_id)
            self._consider_soon(thread_id)
        if len(draft) > _LONGEST_COUNTED_AT_ONCE:
            tokens = await asyncio.to_thread(self._counter.count_in, draft, prepared.encoding)
        else:
            tokens = self._counter.count_in(draft, prepared.encoding)
        enclosed = await self._attached.enclosed(attachments, prepared.reading)
        return prepared.totals_with(tokens, tokens_of(enclosed))

    async def draft_size(self, draft: str) -> TokenCount:
        """Count the tokens of a draft whose thread does not exist yet, for the model that would answer it."""
        return await asyncio.to_thread(self._counter.count, draft, self._info(None, None).id)

    async def landmarks(self, thread_id: str) -> ContextLandmarks:
        """Return the messages of the shown path at which the context starts and the summaries end."""
        frame = await self._contexts.frame(checked_id(thread_id))
        if not self._has_summaries(frame):
            return ContextLandmarks(frame.starts_at_id)
        found = {} if frame.summary is None else {frame.summary.to_message_id: _end_of(frame.summary)}
        if frame.stale_summary_id is not None:
            versions = await self.summaries.list(thread_id)
            stale = next((each for each in versions if each.id == frame.stale_summary_id), None)
            if stale is not None and stale.to_position >= frame.starts_at:
                found.setdefault(stale.to_message_id, _end_of(stale))
        return ContextLandmarks(frame.starts_at_id, tuple(found.values()))

    async def request_json(self, thread_id: str, draft: str = "", *, attachments: Sequence[Attachment] = ()) -> bytes:
        """Return the exact bytes that would be sent to the provider. Raises a subclass of ``DoesNotFit``, or
        ``ProviderError`` where a server has to be asked for its model first."""
        frame = await self._contexts.frame(checked_id(thread_id))
        prepared = await self._prepare(frame, draft, attachments)
        provider = self._providers.get(frame.provider or self._providers.default()[0])
        return await provider.wire_body(await self._written_out(prepared))

    def cost_of(self, provider: str | None, model: str | None, usage: Usage) -> float | None:
        """Return the dollars for a request at today's prices (None: unknown). The offline model is free."""
        if (provider or self._providers.default()[0]) == _OFFLINE:
            return 0.0
        price = self._catalogue.find(provider or "", model or "").price
        return None if price is None else price.cost(usage)

    def model_info(self, provider: str | None, model: str | None) -> ModelInfo:
        """Return what is known about a model; with None, about the one that answers when nothing is chosen."""
        return self._info(provider, model)

    @property
    def default_prompt(self) -> str:
        """The system prompt where neither thread nor project has one."""
        return self._options.system_prompt

    async def prompt_size(self, thread: Thread | None, project_id: str, text: str) -> PromptSize:
        """Measure how much of the window a system prompt takes, for the model of ``thread`` or the default one."""
        info = self._info(thread.provider, thread.model) if thread else self._info(None, None)
        encoding = self._counter.encoding_for(info.id)
        sent = await self._expansion.of_text(text, project_id, info.id)
        tokens = await asyncio.to_thread(self._counter.count_in, sent, encoding.name)
        budget = TokenBudget.of(info.context_window, answer=info.largest_answer)
        return PromptSize(tokens, budget.counted, is_estimate=not encoding.is_exact)

    async def learn_models(self) -> None:
        """Ask the providers without a list of models for theirs; the lists say how large windows are."""
        for provider in self._providers.all():
            if provider.name in self._listed:
                continue
            try:
                listed = await provider.list_models()
            except ProviderError:
                continue
            self.note_models(provider.name, listed)

    def note_models(self, provider: str, models: Iterable[ListedModel]) -> None:
        """Add what a provider's list says of its models to the catalogue, which it outranks."""
        self._listed.add(provider)
        for model in models:
            figures = Figures(model.context_window, model.largest_answer, model.sees_images, model.price)
            self._catalogue.note_listed(provider, model.id, figures)
        self._stale(None)

    def use_overrides(self, overrides: Mapping[str, Mapping[str, ModelOverrides]]) -> None:
        """Replace what the person says of models, by provider and model; it outranks lists and catalogue."""
        self._catalogue.use_overrides(overrides)
        self._stale(None)

    def known_models(self, provider: str, models: Sequence[str]) -> tuple[ModelInfo, ...]:
        """Return what lists and catalogue say of these models, without the person's overrides. Slow for thousands of
        models: call it in a thread."""
        return tuple(self._catalogue.find_without_overrides(provider, each) for each in models)

    async def learn_to_count(self, model: str) -> None:
        """Load the token encoding of a model; counts are estimates until then."""
        await asyncio.to_thread(self._counter.load, model)
        self._stale(None)

    # Steering it

    async def mark_message(self, message_id: str, mark: ContextMark) -> Message:
        """Pin a message into the context, exclude it from the context, or remove such a mark."""
        message = await self._contexts.mark(checked_id(message_id), mark)
        self._changed(message.thread_id)
        self._bus.publish(MessageChanged(message))
        return message

    async def start_at(self, thread_id: str, message_id: str | None) -> str | None:
        """Send nothing before a message; None: send from the beginning. Returns where it started before."""
        before = await self._contexts.start_at(thread_id, message_id)
        self._changed(thread_id)
        return before

    async def parameters(self, thread_id: str) -> Parameters:
        """Return the parameters in force: the thread's own over those of its project."""
        own, wider = await self._contexts.own_parameters(thread_id)
        return own.over(wider)

    async def own_parameters(self, thread_id: str) -> tuple[Parameters, Parameters]:
        """Return the parameters of a thread and those of its project, for a dialog."""
        return await self._contexts.own_parameters(thread_id)

    async def project_parameters(self, project_id: str) -> Parameters:
        """Return the parameters of a project, which hold where a thread has none of its own."""
        return await self._contexts.project_parameters(project_id)

    async def set_thread_parameters(self, thread_id: str, parameters: Parameters) -> None:
        """Set the parameters of a thread. Raises ``InvalidInput``."""
        await self._contexts.set_thread_parameters(thread_id, checked_parameters(parameters))
        self._changed(thread_id)

    async def set_project_parameters(self, project_id: str, parameters: Parameters) -> None:
        """Set the parameters of a project. Raises ``InvalidInput``."""
        await self._contexts.set_project_parameters(project_id, checked_parameters(parameters))
        self._changed(None)

    async def redo_summary(self, thread_id: str) -> None:
        """Start making the summary of a thread anew in the background. Raises ``NotPossible`` where none can be made,
        and ``AnotherProvider`` where it would go to a provider that another member chose."""
        frame = await self._contexts.frame(checked_id(thread_id))
        await self._summarise(frame, is_anew=True)

    # Owners

    def use_providers(self, providers: ProviderRegistry) -> None:
        self._providers = providers
        self._listed.clear()
        self._stale(None)

    def use_options(self, options: ContextOptions) -> None:
        was_on, self._options = self._options.has_summaries, options
        self.summaries.switch_everywhere(is_on=options.has_summaries)
        self.summaries.use_consent(options.summary_consent)
        self.summaries.schedule(options.summary_cron if options.has_summaries else "", self._summarise_idle)
        self._stale(None)
        if options.has_summaries != was_on:
            self._bus.publish(ContextChanged(None))

    async def close(self) -> None:
        for subscription in self._subscriptions:
            subscription.cancel()
        await self.summaries.close()
        await self._tasks.close()

    # Inside

    def _figures_of(self, provider: str | None, model: str | None) -> ModelInfo:
        return self._catalogue.find(*self._providers.resolve(provider, model))

    def _info(self, provider: str | None, model: str | None) -> ModelInfo:
        info = self._figures_of(provider, model)
        if self._options.is_counting_exactly and not self._is_learning and self._counter.can_be_exact(info.id):
            self._is_learning = True
            self._tasks.start(self._learn_to_count(info.id), f"load the encoding of {info.id}")
        return info

    async def _learn_to_count(self, model: str) -> None:
        try:
            await self.learn_to_count(model)
        finally:
            self._is_learning = False

    async def _as_sent(self, frame: ContextFrame, info: ModelInfo) -> tuple[ContextFrame, str]:
        """Return frame and default prompt with the defaults of the settings filled in and variables of prompts
        replaced."""
        longest = self._options.longest_answer
        if longest is not None and frame.parameters.answer_length is None:
            # Meant for all models: one that is known to write less would refuse the whole request.
            longest = min(longest, info.largest_answer) if info.is_known else longest
            frame = replace(frame, parameters=replace(frame.parameters, answer_length=longest))
        return await self._expansion.of_frame(frame, self._options.system_prompt, info.id)

    async def _written_out(self, prepared: Prepared) -> ChatRequest:
        request = replace(prepared.request(), cache=self._options.cache)
        return await self._payloads.write_out(request, prepared.reading)

    def _has_summaries(self, frame: ContextFrame) -> bool:
        return self._options.has_summaries and frame.has_summaries

    async def _prepare(self, frame: ContextFrame, draft: str, attachments: Sequence[Attachment] = ()) -> Prepared:
        info = self._info(frame.provider, frame.model)
        frame, default_prompt = await self._as_sent(frame, info)
        provider = frame.provider or self._providers.default()[0]
        return await self._assembler.for_draft(
            frame,
            info,
            draft,
            factor=await self._learning.factor(provider, info.id, self._counter.encoding_for(info.id)),
            default_prompt=default_prompt,
            has_summaries=self._has_summaries(frame),
            attachments=attachments,
        )

    async def _prepared_now(self, thread_id: str) -> Prepared:
        known = self._latest.get(thread_id)
        if known is None:
            revision = self._revision
            known = await self._prepare(await self._contexts.frame(thread_id), "")
            if revision == self._revision:  # else something happened while this waited
                self._latest[thread_id] = known
        return known

    def _consider_soon(self, thread_id: str) -> None:
        if self._options.has_summaries and self.summaries.can_be_made:
            self._tasks.start(self._consider(thread_id), f"see whether {thread_id} is full")

    async def _consider(self, thread_id: str) -> None:
        """Have a thread summarised if its window is filling up."""
        try:
            prepared = await self._prepared_now(thread_id)
        except ChatDeskError:
            return  # where no request can be made, no summary would help
        if self._has_summaries(prepared.frame) and prepared.totals().share >= self._options.summary_share:
            with suppress(AnotherProvider):  # nothing of a thread goes unasked to where somebody else pointed it
                await self._summarise(prepared.frame)

    async def _summarise(self, frame: ContextFrame, *, is_anew: bool = False) -> None:
        answering = self._who_answers(frame)
        asked = self.who_does_tasks(*answering)
        if frame.provider is not None and asked == answering:
            await self.choices.check(frame.provider, project_id=frame.project_id, thread_id=frame.thread_id)
        await self.summaries.make(frame.thread_id, *asked, answered_by=answering, is_anew=is_anew)

    def who_does_tasks(self, provider: str, model: str) -> tuple[str, str]:
        """Return the provider and the model that make titles and summaries of a thread in which these answer: the task
        model, if it can be asked. What was said to the offline model is never sent to another one for that."""
        task = self._options.task_model
        if task is None or provider == _OFFLINE:
            return provider, model
        try:
            is_ready = not self._providers.lacks_key(task.provider)
        except NotPossible:
            is_ready = False
        return (task.provider, task.model) if is_ready else (provider, model)

    async def _summarise_idle(self) -> None:
        """Consider the threads that nobody has written in for a while."""
        share = self._options.summary_share

        def least_tokens(provider: str | None, model: str | None) -> int:
            return int(self._figures_of(provider, model).context_window * share)

        for thread_id in await self.summaries.long_threads(least_tokens):
            is_known = thread_id in self._latest
            await self._consider(thread_id)
            if not is_known:  # of thousands that nobody looks at nothing is remembered
                self._forget(thread_id)

    def _who_answers(self, frame: ContextFrame) -> tuple[str, str]:
        return frame.provider or self._providers.default()[0], self._info(frame.provider, frame.model).id

    def _stale(self, thread_id: str | None) -> None:
        """Drop what was worked out for the meter of a thread; None: of all threads."""
        self._revision += 1
        if thread_id is None:
            self._latest.clear()
            self._considered.clear()
        else:
            self._latest.pop(thread_id, None)
            self._considered.discard(thread_id)

    def _forget(self, thread_id: str) -> None:
        self._stale(thread_id)
        self._windows.forget(thread_id)

    def _changed(self, thread_id: str | None) -> None:
        if thread_id is None:
            self._stale(None)
        else:
            self._forget(thread_id)
        self._bus.publish(ContextChanged(thread_id))

    def _on_message_added(self, event: MessageAdded) -> None:
        self._stale(event.message.thread_id)
        self._windows.note_added(event.message)

    def _on_message_changed(self, event: MessageChanged) -> None:
        self._stale(event.message.thread_id)
        self._windows.note_changed(event.message)

    def _on_answer_finished(self, event: AnswerFinished) -> None:
        self._learning.note_finished(event.message)
        self._consider_soon(event.message.thread_id)

    def _on_path_changed(self, event: PathChanged) -> None:
        self._forget(event.thread_id)


def _end_of(summary: Summary) -> SummaryEnd:
    return SummaryEnd(summary.to_message_id, summary.message_count, is_stale=summary.state is SummaryState.STALE)
