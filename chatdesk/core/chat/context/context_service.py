"""ContextService selects the part of a thread that the model sees, reports it, and lets the reader change it.

It is reached as ``ChatService.context``, on the same loop. It listens to the events of threads, so that a request after
one new message costs one small read however long the thread is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from chatdesk.core.chat.context.attachment_payloads import notes_on
from chatdesk.core.chat.context.frames import Frames
from chatdesk.core.chat.context.known_models import KnownModels
from chatdesk.core.chat.context.project_files import ProjectFiles
from chatdesk.core.chat.context.remembered import Remembered
from chatdesk.core.chat.context.shared_choices import SharedChoices
from chatdesk.core.chat.context.steering import ContextSteering, landmarks_of
from chatdesk.core.chat.context.summary_service import SummaryMaking, SummaryService
from chatdesk.core.chat.context.token_learning import TokenLearning
from chatdesk.core.chat.prompts.assistants import Assistants
from chatdesk.core.chat.prompts.prompt_variables import PromptExpansion
from chatdesk.core.chat.task_set import TaskSet
from chatdesk.core.clock import Clock
from chatdesk.core.context.assembler import Assembler, Prepared, tokens_of
from chatdesk.core.context.attachment_counting import AttachmentCounter, NamesOnly, PayloadSource
from chatdesk.core.context.budget import TokenBudget
from chatdesk.core.context.model_data import ModelData
from chatdesk.core.context.options import ContextOptions
from chatdesk.core.context.path_windows import PathWindows
from chatdesk.core.context.reporting import check_page, entries_of, impossible_report, report_of
from chatdesk.core.context.tokens import TokenCount
from chatdesk.core.domain.attachment import Attachment, SentShare
from chatdesk.core.domain.context import (
    ContextFrame,
    ContextLandmarks,
    ContextPage,
    ContextReport,
    ContextTotals,
    PathCounts,
)
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.prompt import PromptSize
from chatdesk.core.domain.sharing.shared_choice import AnotherProvider
from chatdesk.core.domain.thread import Thread
from chatdesk.core.errors import ChatDeskError, DoesNotFit, ProviderErrorKind
from chatdesk.core.events import (
    AnswerFinished,
    ContextChanged,
    EventBus,
    MemoriesChanged,
    MessageAdded,
    MessageChanged,
    PathChanged,
    PromptsChanged,
    ThreadChanged,
    ThreadDeleted,
)
from chatdesk.core.ids import checked_id
from chatdesk.core.providers.base import ChatRequest
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.repositories import Repositories

# A draft longer than this is counted on a thread.
_LONGEST_COUNTED_AT_ONCE = 8_000


class ContextService:
    """The context of all threads of one database: requests, reports, marks, parameters and summaries."""

    def __init__(
        self,
        *,
        repositories: Repositories,
        providers: ProviderRegistry,
        bus: EventBus,
        data: ModelData,
        clock: Clock,
        options: ContextOptions | None = None,
        payloads: PayloadSource | None = None,
        making: SummaryMaking = SummaryMaking(),  # noqa: B008 - frozen
    ) -> None:
        """Create the service over the repositories and rules. ``making``: how summaries are made, if at all."""
        self._contexts = repositories.contexts
        self.project_files, self.remembered = ProjectFiles(repositories.messages, self._changed), Remembered()
        self._providers = providers
        self.choices = SharedChoices(repositories.shared_choices, lambda: self._providers)
        self._bus = bus
        self._counter = data.counter
        self._tasks = TaskSet()
        self._expansion = PromptExpansion(repositories.projects, clock)
        self._options = options or ContextOptions()
        self.use_assistants(Assistants(repositories.prompts, bus))
        self.models = KnownModels(
            providers,
            data.catalogue,
            data.counter,
            self._options,
            tasks=self._tasks,
            on_changed=lambda: self._stale(None),
        )
        self.steering = ContextSteering(self._contexts, bus, on_changed=self._changed)
        self._learning = TokenLearning(repositories.token_counts, self._tasks, lambda: self._stale(None))
        self._payloads = payloads or NamesOnly()
        self._attached = AttachmentCounter(self._payloads, data.counter)
        self._windows = PathWindows(self._contexts, data.counter, self._learning.store, attached=self._attached)
        self._assembler = Assembler(self._windows, data.counter, attached=self._attached)
        self.summaries = SummaryService(
            repositories,
            bus,
            counter=data.counter,
            clock=clock,
            on_changed=self._changed,
            on_due=self._consider_soon,
            cost_of=self.models.cost_of,
            making=making,
        )
        self._latest: dict[str, Prepared] = {}
        self._considered: set[str] = set()
        self._revision = 0
        self._subscriptions = [
            bus.subscribe(MessageAdded, self._on_message_added),
            bus.subscribe(MessageChanged, self._on_message_changed),
            bus.subscribe(AnswerFinished, self._on_answer_finished),
            bus.subscribe(PathChanged, self._on_path_changed),
            bus.subscribe(ThreadChanged, lambda event: self._stale(event.thread.id)),
            bus.subscribe(ThreadDeleted, lambda event: self._forget(event.thread_id)),
            bus.subscribe(PromptsChanged, lambda _event: self._stale(None)),
            bus.subscribe(MemoriesChanged, lambda _event: self._changed(None)),
        ]

    def beside(self, repositories: Repositories, bus: EventBus, clock: Clock) -> ContextService:
        """Return a service with the same rules and models, without summaries, for the threads of another database."""
        beside = ContextService(
            repositories=repositories,
            providers=self._providers,
            bus=bus,
            data=ModelData(self.models.catalogue, self._counter),
            clock=clock,
            options=replace(self._options, has_summaries=False, summary_cron=""),
            payloads=self._payloads,
        )
        beside.use_assistants(self.assistants)
        return beside

    # What is sent

    async def request_for(self, answer: Message) -> ChatRequest:
        """Return the request for a pending answer. Raises a subclass of ``DoesNotFit`` where none is possible."""
        frame = await self._frames.of(answer.thread_id, answer.assistant_id)
        info = self.models.info(answer.provider, answer.model)
        frame, default_prompt = await self._frames.as_sent(frame, info)
        provider = answer.provider or self._providers.default()[0]
        found = await self.project_files.for_answer(answer, frame.project_id, provider, info.context_window)
        prepared = await self._assembler.for_answer(
            frame,
            info,
            answer,
            factor=await self._learning.factor(provider, info.id, self._counter.encoding_for(info.id)),
            default_prompt=default_prompt,
            has_summaries=self._has_summaries(frame),
            found=found,
            offered=await self.remembered.for_request(frame.project_id, provider),
        )
        self._learning.expect(answer.id, prepared)
        return await self._written_out(prepared, provider)

    async def report(
        self, thread_id: str, draft: str = "", *, attachments: Sequence[Attachment] = (), assistant: str | None = None
    ) -> ContextReport:
        """Describe the request that would be made now, with ``draft`` and its attachments as the next question.
        ``assistant``: the id of the one that is asked; None: the thread's."""
        frame = await self._frames.of_next(checked_id(thread_id), assistant)
        provider = frame.provider or self._providers.default()[0]
        try:
            prepared = await self._prepare(frame, draft, attachments, has_files=True)
        except DoesNotFit as error:
            return impossible_report(frame, provider, self.models.info(frame.provider, frame.model), error)

        async def count_between(first: int, last: int) -> PathCounts:
            return await self._contexts.counts(frame.thread_id, first=first, last=last)

        report = await report_of(prepared, provider, count_between)
        return replace(report, notes=notes_on(prepared.request().messages, prepared.info), found=prepared.found)

    async def entries(self, thread_id: str, start: int = 0, limit: int = 100) -> ContextPage:
        """Return the treatment of each message of the shown path from the position ``start`` on, oldest first."""
        check_page(limit)
        prepared = await self._prepared_now(checked_id(thread_id))
        groups = await self._windows.entries(
            thread_id, prepared.reading, first=max(start, 0), last=prepared.frame.end, limit=limit
        )
        entries = [entry for entry in entries_of(prepared, groups) if entry.position >= start]
        return ContextPage(tuple(entries[:limit]), start, prepared.frame.message_count)

    async def totals(self, thread_id: str, draft: str = "", *, attachments: Sequence[Attachment] = ()) -> ContextTotals:
        """Return the tokens for the meter; cheap enough for every key. ``share`` is above 1 where a draft pushes older
        messages out. Raises a subclass of ``DoesNotFit`` where the system prompt alone is too large."""
        prepared = await self._prepared_now(checked_id(thread_id))
        if not draft.strip() and not attachments:
            return prepared.totals()
        if thread_id not in self._considered:  # a question is about to be asked in a thread that was already long
            self._considered.add(thread_id)
            self._consider_soon(thread_id)
        is_long, count, encoding = len(draft) > _LONGEST_COUNTED_AT_ONCE, self._counter.count_in, prepared.encoding
        tokens = await asyncio.to_thread(count, draft, encoding) if is_long else count(draft, encoding)
        enclosed = await self._attached.enclosed(attachments, prepared.reading)
        provider = prepared.frame.provider or self._providers.default()[0]
        found = await self.project_files.for_draft(prepared.frame, draft, provider, prepared.info.context_window)
        found_tokens = await asyncio.to_thread(self._assembler.tokens_found, found, encoding)
        return prepared.with_found(found_tokens).totals_with(tokens, tokens_of(enclosed))

    async def draft_size(self, draft: str) -> TokenCount:
        """Count the tokens of a draft whose thread does not exist yet, for the model that would answer it."""
        return await asyncio.to_thread(self._counter.count, draft, self.models.info(None, None).id)

    async def shares_of(
        self, attachments: Sequence[Attachment], provider: str | None, model: str | None
    ) -> tuple[SentShare, ...]:
        """Return how much of each attachment of one question that model is sent, and why it is not all."""
        info = self.models.info(provider, model)
        return await self._attached.shares(attachments, info, self._counter.encoding_for(info.id).name)

    async def landmarks(self, thread_id: str) -> ContextLandmarks:
        """Return the messages of the shown path at which the context starts and the summaries end."""
        frame = await self._contexts.frame(checked_id(thread_id))
        if not self._has_summaries(frame):
            return ContextLandmarks(frame.starts_at_id)
        return await landmarks_of(frame, self.summaries)

    async def request_json(self, thread_id: str, draft: str = "", *, attachments: Sequence[Attachment] = ()) -> bytes:
        """Return the exact bytes that would be sent to the provider. Raises a subclass of ``DoesNotFit``, or
        ``ProviderError`` where a server has to be asked for its model first."""
        frame = await self._frames.of_next(checked_id(thread_id), None)
        prepared = await self._prepare(frame, draft, attachments, has_files=True)
        provider = frame.provider or self._providers.default()[0]
        request = await self._written_out(prepared, provider)
        return await self._providers.get(provider).wire_body(request)

    @property
    def default_prompt(self) -> str:
        """The system prompt where neither thread nor project has one."""
        return self._options.system_prompt

    async def prompt_size(self, thread: Thread | None, project_id: str, text: str) -> PromptSize:
        """Measure how much of the window a system prompt uses, for the model of ``thread`` or the default one."""
        info = self.models.info(thread.provider, thread.model) if thread else self.models.info(None, None)
        encoding = self._counter.encoding_for(info.id)
        sent = await self._expansion.of_text(text, project_id, info.id)
        tokens = await asyncio.to_thread(self._counter.count_in, sent, encoding.name)
        budget = TokenBudget.of(info.context_window, answer=info.largest_answer)
        return PromptSize(tokens, budget.counted, is_estimate=not encoding.is_exact)

    async def redo_summary(self, thread_id: str) -> None:
        """Start making the summary of a thread again. Raises ``NotPossible``, or ``AnotherProvider`` where it asks."""
        frame = await self._contexts.frame(checked_id(thread_id))
        await self._summarise(frame, is_anew=True)

    # Owners

    def use_assistants(self, assistants: Assistants) -> None:
        """Find assistants there. A database of temporary threads has none of its own."""
        self.assistants = assistants
        self._frames = Frames(self._contexts, assistants, self._expansion, self._in_force)

    def use_providers(self, providers: ProviderRegistry) -> None:
        self._providers = providers
        self.models.use_providers(providers)
        self._stale(None)

    def use_options(self, options: ContextOptions) -> None:
        was_on, self._options = self._options.has_summaries, options
        self.models.use_options(options)
        self.summaries.switch_everywhere(is_on=options.has_summaries)
        self.summaries.use_consent(options.summary_consent)
        self.summaries.schedule(options.summary_cron if options.has_summaries else "", self.summarise_idle)
        self._stale(None)
        if options.has_summaries != was_on:
            self._bus.publish(ContextChanged(None))

    async def close(self) -> None:
        for subscription in self._subscriptions:
            subscription.cancel()
        await self.summaries.close()
        await self._tasks.close()

    # Inside

    def _in_force(self) -> tuple[ProviderRegistry, ContextOptions]:
        return self._providers, self._options

    async def _written_out(self, prepared: Prepared, provider: str) -> ChatRequest:
        request = replace(prepared.request(), cache=self._options.cache)
        request = await self.project_files.allowed(request, prepared.frame.project_id, provider)
        return await self._payloads.write_out(request, prepared.reading)

    def _has_summaries(self, frame: ContextFrame) -> bool:
        return self._options.has_summaries and frame.has_summaries

    async def _prepare(
        self, frame: ContextFrame, draft: str, attachments: Sequence[Attachment] = (), *, has_files: bool = False
    ) -> Prepared:
        info = self.models.info(frame.provider, frame.model)
        frame, default_prompt = await self._frames.as_sent(frame, info)
        provider = frame.provider or self._providers.default()[0]
        found = await self.project_files.for_draft(frame, draft, provider, info.context_window) if has_files else None
        return await self._assembler.for_draft(
            frame,
            info,
            draft,
            factor=await self._learning.factor(provider, info.id, self._counter.encoding_for(info.id)),
            default_prompt=default_prompt,
            has_summaries=self._has_summaries(frame),
            attachments=attachments,
            offered=await self.remembered.for_request(frame.project_id, provider),
            found=found,
        )

    async def _prepared_now(self, thread_id: str) -> Prepared:
        known = self._latest.get(thread_id)
        if known is None:
            revision = self._revision
            known = await self._prepare(await self._frames.of_next(thread_id), "")
            if revision == self._revision:  # else the thread changed in the meantime
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
            return  # a thread without a usable provider gains nothing from a summary
        if self._has_summaries(prepared.frame) and prepared.totals().share >= self._options.summary_share:
            with suppress(AnotherProvider):  # never sends a thread unasked to a provider that a teammate chose
                await self._summarise(prepared.frame)

    async def _summarise(self, frame: ContextFrame, *, is_anew: bool = False) -> None:
        answering = self.models.answering(frame.provider, frame.model)
        asked = self.models.for_tasks(*answering)
        if frame.provider is not None and asked == answering:
            await self.choices.check(frame.provider, project_id=frame.project_id, thread_id=frame.thread_id)
        await self.summaries.make(frame.thread_id, *asked, answered_by=answering, is_anew=is_anew)

    async def summarise_idle(self) -> None:
        """Consider the threads that have been idle for a while."""
        share = self._options.summary_share

        def least_tokens(provider: str | None, model: str | None) -> int:
            return int(self.models.figures(provider, model).context_window * share)

        for thread_id in await self.summaries.long_threads(least_tokens):
            is_known = thread_id in self._latest
            await self._consider(thread_id)
            if not is_known:  # thousands of threads pass here, so only those in use stay in memory
                self._forget(thread_id)

    def _stale(self, thread_id: str | None) -> None:
        """Drop the cached results for the meter of a thread; None: of all threads."""
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
        self._windows.append(event.message)

    def _on_message_changed(self, event: MessageChanged) -> None:
        self._stale(event.message.thread_id)
        self._windows.update(event.message)

    def _on_answer_finished(self, event: AnswerFinished) -> None:
        if event.message.error_type == ProviderErrorKind.IMAGES_REFUSED:
            self.models.record_blind(event.message.provider, event.message.model)
        self._learning.learn_from(event.message)
        self._consider_soon(event.message.thread_id)

    def _on_path_changed(self, event: PathChanged) -> None:
        self._forget(event.thread_id)
