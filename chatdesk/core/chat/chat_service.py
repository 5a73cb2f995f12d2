"""ChatService has the use cases of threads and messages for all front ends.

All methods are coroutines on one loop. A method that writes returns what changed and publishes events after the write
is durable; it takes effect completely or not at all, even if its caller is cancelled. Ids are checked before storage is
asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chatdesk.core.chat.answer_starter import AnswerStarter
from chatdesk.core.chat.attachment_rules import AttachmentLimits, attachments_of, check_question, names_of
from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.chat.context.shipped import shipped_context
from chatdesk.core.chat.drafts import Drafts
from chatdesk.core.chat.manual_messages import ManualMessages
from chatdesk.core.chat.message_reader import MessageReader
from chatdesk.core.chat.path_changes import PathChanges, changed_path
from chatdesk.core.chat.projects import ProjectService
from chatdesk.core.chat.prompts.assistants import ThreadAssistants
from chatdesk.core.chat.results import Compared, Created, Sent
from chatdesk.core.chat.running_turns import MOST_IN_THREAD
from chatdesk.core.chat.task_set import uninterruptible
from chatdesk.core.chat.titles import checked_title, title_from_text
from chatdesk.core.chat.tool_calls.tool_calls import ToolCalls
from chatdesk.core.clock import Clock
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.limits import LimitReached
from chatdesk.core.domain.message import Message, Role
from chatdesk.core.domain.thread import NEW_THREAD_TITLE, Thread, TitleSource
from chatdesk.core.domain.waiting import WaitingQuestion
from chatdesk.core.errors import DoesNotFit, NotPossible, ThreadInTrash, TurnInProgress
from chatdesk.core.events import (
    EventBus,
    MessageAdded,
    MessageChanged,
    PathChanged,
    ThreadChanged,
    ThreadCreated,
)
from chatdesk.core.ids import checked_id
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.chat.messages import LEAF
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.texts import Text
from chatdesk.core.usage.limits import UsageLimits

DEFAULT_MAX_MESSAGE_BYTES = 1024 * 1024
_NEVER_ASKED = frozenset({*(kind.code for kind in DoesNotFit.__subclasses__()), LimitReached.code})


class ChatService:
    """The use cases of chatting. Built once for a process and shared by all its front ends."""

    def __init__(
        self,
        *,
        repositories: Repositories,
        providers: ProviderRegistry,
        bus: EventBus,
        clock: Clock,
        context: ContextService | None = None,
        limits: UsageLimits | None = None,
        max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES,
        is_nobody_writing: Callable[[], bool] = lambda: False,
    ) -> None:
        """Create the service over the repositories and rules. ``is_nobody_writing``: no process can write, so no answer
        is really being written. ``limits`` are their owner's to close."""
        self.projects = ProjectService(repositories.projects, bus, clock)
        self._threads = repositories.threads
        self._messages = repositories.messages
        self._providers = providers
        self._bus = bus
        self._clock = clock
        self.context = context or shipped_context(repositories, providers, bus, clock)
        self.limits = limits or UsageLimits(repositories.usage_limits, clock, bus)
        self.assistants = ThreadAssistants(repositories.threads, self.context.assistants.find, bus)
        self.tools = ToolCalls(repositories.threads, bus, clock, self.context.models.cost_of)
        self._starter = AnswerStarter(
            repositories, providers, bus, clock, context=self.context, limits=self.limits, tools=self.tools
        )
        self.queue = self._starter.queue
        self.turns = self._starter.turns
        self.reader = MessageReader(repositories, self.turns, clock, is_nobody_writing=is_nobody_writing)
        self.paths = PathChanges(repositories, bus, stop=self.stop)
        self.manual_messages = ManualMessages(
            repositories.messages, self._starter, self.paths, bus, checked_text=self.checked_text, titled=self._titled
        )
        self.drafts = Drafts(repositories.drafts)
        self._max_message_bytes = max_message_bytes
        self.attachment_limits = AttachmentLimits()
        self.choices = self.context.choices
        self._has_own_limits = limits is None

    def beside(self, repositories: Repositories, bus: EventBus) -> ChatService:
        """Return a service with the same use cases for the threads of another database, under the same limits."""
        beside = ChatService(
            repositories=repositories,
            providers=self._providers,
            bus=bus,
            clock=self._clock,
            context=self.context.beside(repositories, bus, self._clock),
            limits=self.limits,
            max_message_bytes=self._max_message_bytes,
        )
        beside.tools.use_same(self.tools)
        beside.attachment_limits = self.attachment_limits
        return beside

    def use_message_limits(self, most_bytes: int, attachments: AttachmentLimits) -> None:
        """Use other limits for the text and the files of a message, from the next one on."""
        self._max_message_bytes, self.attachment_limits = most_bytes, attachments

    def use_providers(self, providers: ProviderRegistry) -> None:
        """Use other providers from the next turn on."""
        self._providers = providers
        self._starter.use_providers(providers)
        self.context.use_providers(providers)

    # Threads

    @uninterruptible
    async def create_thread(
        self,
        project_id: str | None,
        title: str,
        initial_message: str | None = None,
        *,
        provider: str | None = None,
        model: str | None = None,
        attachments: Sequence[Attachment] = (),
        assistant_id: str | None = None,
    ) -> Created:
        """Create a thread in a project (None: the default one), with the project's model unless one is given. An empty
        title is made from the first message. ``assistant_id``: the assistant that answers in it."""
        text = None if initial_message is None else self.checked_text(initial_message, attachments)
        project = await (self.projects.default() if project_id is None else self.projects.get(checked_id(project_id)))
        owner, assistant = project.id, await self.assistants.find(assistant_id)
        if provider is None and model is None:
            provider, model = await self._starter.usual_in(project, assistant, is_asking=text is not None)
        name = checked_title(title) if title.strip() else title_from_text(text or names_of(attachments))
        source = TitleSource.PERSON if title.strip() else TitleSource.TEXT
        if text is None:
            thread = await self._threads.create(
                owner, name, provider=provider, model=model, title_source=source, assistant_id=assistant_id
            )
            self._bus.publish(ThreadCreated(thread))
            return Created(thread)
        plan = self._starter.plan_of((provider, model), assistant)
        thread, question, answer = await self._messages.create_thread_with_question(
            owner,
            name,
            text,
            provider=provider,
            model=model,
            title_source=source,
            with_answer=plan,
            attachments=attachments,
            assistant_id=assistant_id,
        )
        assert answer is not None  # asked for by with_answer
        shown = (ThreadCreated(thread), MessageAdded(question), MessageAdded(answer))
        await self._starter.start(answer, events=shown)
        return Created(thread, question, answer)

    async def get_thread(self, thread_id: str) -> Thread:
        return await self._threads.get(checked_id(thread_id))

    @uninterruptible
    async def rename_thread(self, thread_id: str, title: str) -> Thread:
        return self._changed(await self._threads.rename(checked_id(thread_id), checked_title(title)))

    @uninterruptible
    async def set_thread_model(self, thread_id: str, provider: str, model: str) -> Thread:
        """Set the provider and model for the next turns of a thread."""
        self._providers.get(provider)
        return self._changed(await self._threads.set_model(checked_id(thread_id), provider, model))

    # Messages

    def is_answering(self, thread_id: str) -> bool:
        """Return whether an answer is being started or written in a thread, or waits to be asked for."""
        return self._starter.is_answering(thread_id)

    @property
    def is_writing(self) -> bool:
        """True while any answer is being written."""
        return self.turns.are_any

    @uninterruptible
    async def send_message(
        self,
        thread_id: str,
        text: str,
        *,
        parent_id: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        attachments: Sequence[Attachment] = (),
        waited: WaitingQuestion | None = None,
        assistant_id: str | None = None,
    ) -> Sent:
        """Ask below ``parent_id`` (None: at the end of the shown path). Returns when question and answer are on disk;
        the answer then streams as events. ``waited`` is the waiting question that this was until now, ``assistant_id``
        the assistant that answers this one (None: the thread's)."""
        checked = checked_id(thread_id)
        parent = LEAF if parent_id is None else checked_id(parent_id)
        question_text = self.checked_text(text, attachments) or names_of(attachments)
        with self._starter.room_in(checked, is_alone=True) as room:
            thread = await self._threads.get(checked)
            if thread.deleted_at is not None:
                raise ThreadInTrash
            plan = await self._starter.plan_in(thread, provider, model, assistant_id=assistant_id)
            question, answer, thread = await self._messages.add_question(
                checked, text, parent_id=parent, with_answer=plan, attachments=attachments, waited=waited
            )
            assert answer is not None  # asked for by with_answer
            if thread.message_count <= 2:
                thread = await self._titled(thread, question_text)
            moved = () if parent == LEAF else (PathChanged(checked, parent),)
            shown = (*moved, MessageAdded(question), MessageAdded(answer), ThreadChanged(thread))
            await self._starter.start(answer, events=shown, room=room)
            return Sent(thread, question, answer)

    @uninterruptible
    async def compare(
        self,
        thread_id: str,
        text: str,
        models: Sequence[tuple[str, str]],
        *,
        attachments: Sequence[Attachment] = (),
    ) -> Compared:
        """Ask two to four (provider, model) at once, at the end of the shown path. Their answers are versions of each
        other, each with a turn of its own; the first is shown until ``keep_version`` says otherwise."""
        checked = checked_id(thread_id)
        question_text = self.checked_text(text, attachments) or names_of(attachments)
        if not 2 <= len(models) <= MOST_IN_THREAD:
            raise NotPossible(
                Text("Between 2 and {most_in_thread} models can be compared.", most_in_thread=str(MOST_IN_THREAD))
            )
        with self._starter.room_in(checked, answers=len(models), is_alone=True) as room:
            assistant = await self.assistants.of(checked)
            plans = [self._starter.plan(provider, model, assistant) for provider, model in models]
            question, answers, thread = await self._messages.add_comparison(
                checked, text, plans, attachments=attachments
            )
            if thread.message_count <= 1 + len(answers):
                thread = await self._titled(thread, question_text)
            shown = (MessageAdded(question), MessageAdded(answers[0]), ThreadChanged(thread))
            await self._starter.start(*answers, events=shown, room=room)
            return Compared(thread, question, answers)

    @uninterruptible
    async def edit_message(
        self, message_id: str, text: str, *, attachments: Sequence[Attachment] | None = None
    ) -> Sent:
        """Add another version of a question, with an answer of its own; the old version stays. Two who edit the same
        question at once get a version each, also while an answer is being written. ``attachments``: None for those that
        the old version has."""
        checked = checked_id(message_id)
        old = await self._messages.get(checked)
        kept = attachments_of(old) if attachments is None else tuple(attachments)
        self.checked_text(text, kept)
        if old.role is not Role.USER:
            raise NotPossible(
                Text("Only questions can be edited here."), next_step=Text("Regenerate the answer instead.")
            )
        with self._starter.room_in(old.thread_id) as room:
            thread = await self._threads.get(old.thread_id)
            plan = await self._starter.plan_in(thread)
            question, answer, thread = await self._messages.add_question_version(
                checked, text, with_answer=plan, attachments=kept
            )
            assert answer is not None  # asked for by with_answer
            await self._starter.start(answer, events=changed_path(thread, question.parent_id), room=room)
            return Sent(thread, question, answer)

    @uninterruptible
    async def regenerate_response(
        self, message_id: str, *, provider: str | None = None, model: str | None = None
    ) -> Message:
        """Add another version of an answer, or a first answer to a question that has none."""
        old = await self._messages.get(checked_id(message_id))
        parent_id = old.id if old.role is Role.USER else old.parent_id
        if parent_id is None:
            raise NotPossible(Text("There is no question to answer here."))
        with self._starter.room_in(old.thread_id, is_alone=True) as room:
            thread = await self._threads.get(old.thread_id)
            plan = await self._starter.plan_in(thread, provider, model, assistant_id=old.assistant_id)
            answer, thread = await self._messages.add_answer(parent_id, plan)
            await self._starter.start(answer, events=changed_path(thread, parent_id), room=room)
            return answer

    @uninterruptible
    async def continue_message(
        self, message_id: str, *, provider: str | None = None, model: str | None = None, asks_again: bool = False
    ) -> Message:
        """Continue a stopped, interrupted, failed or cut-off answer. Without a provider and model, the ones that
        started it continue it, or those of the thread where a file or another member brought the answer. In a shared
        project it continues as another version, which is returned. ``asks_again``: the person is asked about its open
        calls."""
        old = await self._messages.get(checked_id(message_id))
        if old.role is not Role.ASSISTANT or not (old.status.can_continue or old.finish_reason == "length"):
            raise NotPossible(
                Text("This answer is already complete."), next_step=Text("Regenerate it for another version.")
            )
        if self.turns.is_writing(old.id):
            raise TurnInProgress
        with self._starter.room_in(old.thread_id) as room:
            thread = await self._threads.get(old.thread_id)
            is_own = old.author_id is None and not await self._messages.were_imported(old.id)
            if is_own:
                provider, model = provider or old.provider, model or old.model
            plan = await self._starter.plan_in(thread, provider, model, assistant_id=old.assistant_id)
            answer = await self._messages.resume(old.id, plan)
            if asks_again and is_own:
                self.tools.ask_again(answer.id)
            shown: tuple[object, ...] = (MessageChanged(answer),)
            if answer.id != old.id:
                shown = changed_path(await self._threads.get(answer.thread_id), answer.parent_id)
            await self._starter.start(answer, events=shown, room=room)
            return answer

    async def retry_message(
        self, message_id: str, *, provider: str | None = None, model: str | None = None, is_urgent: bool = False
    ) -> Message:
        """Try a failed answer again: in place while it has no text, else as another version. One that did not fit is
        asked of the model that the thread has now. ``is_urgent``: also where the provider said it is too early."""
        old = await self._messages.get(checked_id(message_id))
        if is_urgent:
            self.queue.forget_rate(provider or old.provider, model or old.model)
        if old.role is Role.ASSISTANT and old.status.can_continue and not old.parts:
            if provider is None and old.error_type in _NEVER_ASKED:
                thread = await self._threads.get(old.thread_id)
                plan = await self._starter.plan_in(thread)
                provider, model = plan.provider, plan.model
            return await self.continue_message(old.id, provider=provider, model=model)
        return await self.regenerate_response(old.id, provider=provider, model=model)

    def try_now(self, message_id: str) -> bool:
        """End a provider's wait before it asks for an answer again. Returns whether that answer is being written."""
        return self.turns.hurry(checked_id(message_id))

    async def stop(self, thread_or_message_id: str) -> Message | None:
        """Stop the turns of a thread, or of a message, also those that wait or are only being started. Returns the last
        message that ended."""
        return await self._starter.stop(checked_id(thread_or_message_id))

    # The end

    async def close(self) -> None:
        """Interrupt all turns and wait until their text is stored."""
        await self._starter.close()
        if self._has_own_limits:
            self.limits.close()
        await self.context.close()

    # Inside

    def checked_text(self, text: str, attachments: Sequence[Attachment]) -> str:
        """Return ``text``, which may be blank beside attachments. Raises a ``ChatDeskError`` if it cannot be sent."""
        check_question(text, attachments, self.attachment_limits, most_bytes=self._max_message_bytes)
        return text

    async def _titled(self, thread: Thread, question: str) -> Thread:
        """Return the thread with a title from its first question, if it has none yet."""
        if thread.title != NEW_THREAD_TITLE:
            return thread
        return await self._threads.retitle(thread.id, title_from_text(question), TitleSource.TEXT) or thread

    def _changed(self, thread: Thread) -> Thread:
        self._bus.publish(ThreadChanged(thread))
        return thread
