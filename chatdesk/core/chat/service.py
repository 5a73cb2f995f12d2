"""ChatService has the use cases of threads and messages for all front ends.

All methods are coroutines on one loop. A method that writes returns what changed and publishes events after the write
is durable; it happened whole or not at all, also when its caller is cancelled. Ids are checked before storage is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from chatdesk.core.chat.attachment_rules import attachments_of, check_count, names_of
from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.chat.refusing_provider import RefusingProvider
from chatdesk.core.chat.running_turns import MOST_IN_THREAD, RunningTurns
from chatdesk.core.chat.sending_queue import SendingQueue
from chatdesk.core.chat.titles import NEW_THREAD_TITLE, branch_title, checked_title, title_from_text
from chatdesk.core.chat.turn import Turn, TurnContext, expected_usage
from chatdesk.core.chat.uninterruptible import uninterruptible
from chatdesk.core.clock import Clock
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.limits import Expected
from chatdesk.core.domain.message import Message, MessagePage, Role, Status, ThreadSizes
from chatdesk.core.domain.outline import DatedMessage, QuestionPage
from chatdesk.core.domain.project import Project
from chatdesk.core.domain.text_match import MessageMatch, ThreadMatches, needle_of
from chatdesk.core.domain.thread import Draft, Thread, TitleSource
from chatdesk.core.domain.tree import TreeRow
from chatdesk.core.domain.turn import AnswerPlan
from chatdesk.core.domain.waiting import WaitingQuestion
from chatdesk.core.errors import (
    DoesNotFit,
    EmptyMessage,
    InvalidInput,
    LimitReached,
    MessageNotFound,
    MessageTooLarge,
    NotPossible,
    ThreadInTrash,
    TurnInProgress,
)
from chatdesk.core.events import (
    EventBus,
    MessageAdded,
    MessageChanged,
    PathChanged,
    ThreadChanged,
    ThreadCreated,
)
from chatdesk.core.ids import checked_id
from chatdesk.core.providers.base import ChatRequest
from chatdesk.core.usage.limits import UsageLimits

if TYPE_CHECKING:  # loaded on the storage thread, after the window is up
    from chatdesk.core.providers.registry import ProviderRegistry
    from chatdesk.core.storage.repositories import Repositories

DEFAULT_MAX_MESSAGE_BYTES = 1024 * 1024
LARGEST_PAGE = 500
_QUESTION_CHARACTERS = 400
_PREVIEW_CHARACTERS = 120
_MOST_SIZE_GROUPS = 2_000
_LONGEST_SEARCH_MS = 10_000
_NEVER_ASKED = frozenset({*(kind.code for kind in DoesNotFit.__subclasses__()), LimitReached.code})


@dataclass(frozen=True, slots=True)
class Sent:
    """The result of asking a question. ``answer`` is pending when it is returned."""

    thread: Thread
    question: Message
    answer: Message


@dataclass(frozen=True, slots=True)
class Compared:
    """The result of asking several models; the answers are in the order of the models, pending when returned."""

    thread: Thread
    question: Message
    answers: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Noted:
    """The result of writing or editing a note."""

    thread: Thread
    question: Message


@dataclass(frozen=True, slots=True)
class Edited:
    """The result of editing an answer; ``answer`` is the version that the person wrote."""

    thread: Thread
    answer: Message


@dataclass(frozen=True, slots=True)
class Created:
    """A new thread; question and answer are there when it began with a message."""

    thread: Thread
    question: Message | None = None
    answer: Message | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """The messages that went to the trash or came back."""

    thread: Thread
    message_ids: tuple[str, ...]


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
        ends_limits: bool = True,
    ) -> None:
        """Take the repositories and rules. ``is_nobody_writing``: no process can write, so no answer is really being
        written. ``ends_limits``: ``limits`` belong to this service and end with it."""
        self._projects = repositories.projects
        self._threads = repositories.threads
        self._messages = repositories.messages
        self._drafts = repositories.drafts
        self._providers = providers
        self._bus = bus
        self._clock = clock
        self.context = context or ContextService.of_shipped(repositories, providers, bus, clock)
        self.limits = limits or UsageLimits(repositories.usage_limits, clock, bus)
        self.queue = SendingQueue(repositories.waiting, bus, clock, start=self._ask)
        self._turn_context = TurnContext(
            store=repositories.messages,
            bus=bus,
            clock=clock,
            cost_of=self.context.models.cost_of,
            note_rate=self.queue.note_rate,
        )
        self._max_message_bytes = max_message_bytes
        self._is_nobody_writing = is_nobody_writing
        self.turns = RunningTurns()
        self.choices = self.context.choices
        self._starting: set[str] = set()
        self._is_closing = False
        self._ends_limits = ends_limits

    def beside(self, repositories: Repositories, bus: EventBus) -> ChatService:
        """Return a service with the same use cases for the threads of another database, under the same limits."""
        return ChatService(
            repositories=repositories,
            providers=self._providers,
            bus=bus,
            clock=self._clock,
            context=self.context.beside(repositories, bus, self._clock),
            limits=self.limits,
            max_message_bytes=self._max_message_bytes,
            ends_limits=False,
        )

    def set_max_message_bytes(self, size_bytes: int) -> None:
        self._max_message_bytes = size_bytes

    def use_providers(self, providers: ProviderRegistry) -> None:
        """Use other providers from the next turn on."""
        self._providers = providers
        self.context.use_providers(providers)

    # Projects

    async def list_projects(self) -> tuple[Project, ...]:
        return await self._projects.list()

    async def default_project(self) -> Project:
        return await self._projects.default()

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
    ) -> Created:
        """Create a thread in a project (None: the default one), with the project's model unless one is given. An empty
        title is made from the first message."""
        text = None if initial_message is None else self.checked_text(initial_message, attachments)
        project = await (self._projects.default() if project_id is None else self._projects.get(checked_id(project_id)))
        owner = project.id
        if provider is None and model is None:
            provider, model = project.provider, project.model
            if text is not None and provider is not None:
                await self.choices.check(provider, project_id=owner, thread_id=None)
        name = checked_title(title) if title.strip() else title_from_text(text or names_of(attachments))
        source = TitleSource.PERSON if title.strip() else TitleSource.TEXT
        if text is None:
            thread = await self._threads.create(owner, name, provider=provider, model=model, title_source=source)
            self._bus.publish(ThreadCreated(thread))
            return Created(thread)
        plan = self._plan(provider, model)
        thread, question, answer = await self._messages.create_thread_with_question(
            owner,
            name,
            text,
            provider=provider,
            model=model,
            title_source=source,
            with_answer=plan,
            attachments=attachments,
        )
        assert answer is not None  # asked for by with_answer
        self._bus.publish(ThreadCreated(thread))
        self._bus.publish(MessageAdded(question))
        self._bus.publish(MessageAdded(answer))
        await self._start_turn(answer)
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

    async def get_thread_messages(
        self,
        thread_id: str,
        limit: int = 50,
        before: str | None = None,
        after: str | None = None,
        *,
        around: str | None = None,
        at: int | None = None,
    ) -> MessagePage:
        """Return a page of the shown path, oldest first.

        ``before`` and ``after`` are message ids; together they mean the open interval between them, read from its
        oldest end; with neither, the newest page. ``around`` gives a page with that message in its middle, ``at`` one
        around a position on the path.
        """
        _check_limit(limit)
        page = await self._messages.page(
            checked_id(thread_id),
            limit=limit,
            before=None if before is None else checked_id(before),
            after=None if after is None else checked_id(after),
            around=None if around is None else checked_id(around),
            at=at,
        )
        if self._is_nobody_writing():
            return replace(page, messages=tuple(self.with_live_text(message) for message in page.messages))
        return self.turns.overlay_page(page)

    async def get_thread_sizes(self, thread_id: str) -> ThreadSizes:
        """Return the lengths of the messages of the shown path, for a scroll bar that is right before they load."""
        return await self._messages.sizes(checked_id(thread_id), most_groups=_MOST_SIZE_GROUPS)

    async def get_tree(self, thread_id: str) -> tuple[TreeRow, ...]:
        """Return every version of every message, also those in the trash, from top to bottom."""
        return await self._messages.tree(checked_id(thread_id), preview=_PREVIEW_CHARACTERS)

    async def list_questions(self, thread_id: str, *, start: int = 0, limit: int = 500, text: str = "") -> QuestionPage:
        """Return those of the ``limit`` questions of the shown path from ``start`` on that contain every word of
        ``text``."""
        _check_limit(limit)
        return await self._messages.questions(
            checked_id(thread_id),
            start=start,
            limit=limit,
            preview=_QUESTION_CHARACTERS,
            words=needle_of(text).split(),
        )

    async def first_message_since(self, thread_id: str, since_ms: int) -> DatedMessage | None:
        """Return the first message of the shown path that was written at ``since_ms`` or later."""
        return await self._messages.first_since(checked_id(thread_id), since_ms)

    async def time_span(self, thread_id: str) -> tuple[int, int] | None:
        """Return the times (ms UTC) of the oldest and the newest message of the shown path; None where it is empty."""
        return await self._messages.time_span(checked_id(thread_id))

    async def find_in_thread(self, thread_id: str, text: str) -> ThreadMatches:
        """Return every message of the shown path that contains ``text``, without regard to case or styles. Cancel it
        when another text is typed; it stops at the next stretch of the thread."""
        needle = needle_of(text)
        if not needle:
            return ThreadMatches(text)
        found: list[MessageMatch] = []
        start: int | None = 0
        end = self._clock.now_ms() + _LONGEST_SEARCH_MS
        while start is not None and self._clock.now_ms() < end:
            part, start = await self._messages.find(checked_id(thread_id), needle, start=start)
            found += part
        return ThreadMatches(text, tuple(found), is_complete=start is None)

    async def get_message(self, message_id: str) -> Message:
        return self.with_live_text(await self._messages.get(checked_id(message_id)))

    async def list_versions(self, message_id: str) -> tuple[Message, ...]:
        return await self._messages.versions(checked_id(message_id))

    def with_live_text(self, message: Message) -> Message:
        """Return ``message`` with everything published for it so far; storage lags a little behind a stream."""
        if self._is_nobody_writing() and not message.status.is_final:
            return replace(message, status=Status.INTERRUPTED)
        return self.turns.overlay(message)

    def is_answering(self, thread_id: str) -> bool:
        """Return whether an answer is being written in a thread, or waits to be asked for."""
        return bool(self.turns.in_thread(thread_id) or self.queue.in_thread(thread_id))

    @property
    def is_writing(self) -> bool:
        """True while any answer is being written."""
        return self.turns.are_any

    async def all_written(self) -> None:
        """Wait until no answer is being written any more."""
        await self.turns.wait_for_all()

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
    ) -> Sent:
        """Ask below ``parent_id`` (None: at the end of the shown path). Returns when question and answer are on disk;
        the answer then streams as events. ``waited`` is the waiting question that this was until now."""
        checked = checked_id(thread_id)
        parent = None if parent_id is None else checked_id(parent_id)
        question_text = self.checked_text(text, attachments) or names_of(attachments)
        with self._one_turn(checked):
            thread = await self._threads.get(checked)
            if thread.deleted_at is not None:
                raise ThreadInTrash
            plan = await self._plan_in(thread, provider, model)
            ask = partial(
                self._messages.add_question, checked, text, with_answer=plan, attachments=attachments, waited=waited
            )
            question, answer, thread = await (ask() if parent is None else ask(parent_id=parent))
            assert answer is not None  # asked for by with_answer
            if thread.message_count <= 2:
                thread = await self._titled(thread, question_text)
            if parent is not None:
                self._bus.publish(PathChanged(checked, parent))
            self._bus.publish(MessageAdded(question))
            self._bus.publish(MessageAdded(answer))
            self._bus.publish(ThreadChanged(thread))
            await self._start_turn(answer)
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
            raise NotPossible(f"Between 2 and {MOST_IN_THREAD} models can be compared.")
        with self._one_turn(checked):
            plans = [self._plan(provider, model) for provider, model in models]
            question, answers, thread = await self._messages.add_comparison(
                checked, text, plans, attachments=attachments
            )
            if thread.message_count <= 1 + len(answers):
                thread = await self._titled(thread, question_text)
            self._bus.publish(MessageAdded(question))
            self._bus.publish(MessageAdded(answers[0]))
            self._bus.publish(ThreadChanged(thread))
            for answer in answers:
                await self._start_turn(answer)
            return Compared(thread, question, answers)

    @uninterruptible
    async def add_note(self, thread_id: str, text: str, *, attachments: Sequence[Attachment] = ()) -> Noted:
        """Write a note at the end of the shown path. Nobody answers it, and the model does not see it unless the person
        includes it. Not possible while an answer is being written."""
        checked = checked_id(thread_id)
        words = self.checked_text(text, attachments) or names_of(attachments)
        with self._one_turn(checked):
            note, thread = await self._messages.add_note(checked, text, attachments=attachments)
            if thread.message_count <= 1:
                thread = await self._titled(thread, words)
            self._bus.publish(MessageAdded(note))
            self._bus.publish(ThreadChanged(thread))
            return Noted(thread, note)

    @uninterruptible
    async def edit_note(self, message_id: str, text: str, *, attachments: Sequence[Attachment] | None = None) -> Noted:
        """Add another version of a note, which is a note, too; ``attachments`` as for ``edit_message``."""
        old = await self._messages.get(checked_id(message_id))
        kept = attachments_of(old) if attachments is None else tuple(attachments)
        self.checked_text(text, kept)
        if not old.is_note:
            raise NotPossible("That is no note.")
        note, thread = await self._messages.add_note(old.thread_id, text, attachments=kept, instead_of=old.id)
        self._path_changed(thread, note.parent_id)
        return Noted(thread, note)

    @uninterruptible
    async def edit_answer(
        self, message_id: str, text: str, *, attachments: Sequence[Attachment] | None = None
    ) -> Edited:
        """Add a person's own words as another version of an answer; they are sent to the model as what it said. The old
        version stays, with all that came after it. Not possible while an answer is being written in that thread.
        ``attachments`` as for ``edit_message``."""
        old = await self._messages.get(checked_id(message_id))
        kept = attachments_of(old) if attachments is None else tuple(attachments)
        self.checked_text(text, kept)
        with self._one_turn(old.thread_id):
            answer, thread = await self._messages.add_edited_answer(old.id, text, attachments=kept)
            self._path_changed(thread, answer.parent_id)
            return Edited(thread, answer)

    async def keep_version(self, message_id: str) -> Thread:
        """Go on with one of several compared answers. The others stay as versions, and go on being written."""
        return await self.select_version(message_id)

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
            raise NotPossible("Only questions can be edited here.", next_step="Regenerate the answer instead.")
        self._check_room(old.thread_id)
        thread = await self._threads.get(old.thread_id)
        plan = await self._plan_in(thread)
        question, answer, thread = await self._messages.add_question_version(
            checked, text, with_answer=plan, attachments=kept
        )
        assert answer is not None  # asked for by with_answer
        self._path_changed(thread, question.parent_id)
        await self._start_turn(answer)
        return Sent(thread, question, answer)

    @uninterruptible
    async def regenerate_response(
        self, message_id: str, *, provider: str | None = None, model: str | None = None
    ) -> Message:
        """Add another version of an answer, or a first answer to a question that has none."""
        old = await self._messages.get(checked_id(message_id))
        parent_id = old.id if old.role is Role.USER else old.parent_id
        if parent_id is None:
            raise NotPossible("There is no question to answer here.")
        with self._one_turn(old.thread_id):
            thread = await self._threads.get(old.thread_id)
            plan = await self._plan_in(thread, provider, model)
            answer, thread = await self._messages.add_answer(parent_id, plan)
            self._path_changed(thread, parent_id)
            await self._start_turn(answer)
            return answer

    @uninterruptible
    async def continue_message(
        self, message_id: str, *, provider: str | None = None, model: str | None = None
    ) -> Message:
        """Go on with a stopped, interrupted, failed or cut-off answer. Without a provider and model, the ones that
        began it go on, or those of the thread where a file or another member brought the answer. It is continued in
        place, but in a shared project as another version, which is returned: what others have stays as it is."""
        old = await self._messages.get(checked_id(message_id))
        if old.role is not Role.ASSISTANT or not (old.status.can_continue or old.finish_reason == "length"):
            raise NotPossible("This answer is already complete.", next_step="Regenerate it for another version.")
        if self.turns.is_writing(old.id):
            raise TurnInProgress
        self._check_room(old.thread_id)
        thread = await self._threads.get(old.thread_id)
        is_own = old.author_id is None and not await self._messages.were_imported(old.id)
        if is_own:
            provider, model = provider or old.provider, model or old.model
        plan = await self._plan_in(thread, provider, model)
        answer = await self._messages.resume(old.id, plan)
        if answer.id == old.id:
            self._bus.publish(MessageChanged(answer))
        else:
            self._path_changed(await self._threads.get(answer.thread_id), answer.parent_id)
        await self._start_turn(answer)
        return answer

    async def retry_message(
        self, message_id: str, *, provider: str | None = None, model: str | None = None, is_urgent: bool = False
    ) -> Message:
        """Try a failed answer again: in place while it has no text, else as another version. One that was never asked
        for, because it did not fit, is asked of the model that the thread has now. ``is_urgent``: also where the
        provider said that it is too early."""
        old = await self._messages.get(checked_id(message_id))
        if is_urgent:
            self.queue.forget_rate(provider or old.provider, model or old.model)
        if old.role is Role.ASSISTANT and old.status.can_continue and not old.parts:
            if provider is None and old.error_type in _NEVER_ASKED:
                thread = await self._threads.get(old.thread_id)
                plan = await self._plan_in(thread)
                provider, model = plan.provider, plan.model
            return await self.continue_message(old.id, provider=provider, model=model)
        return await self.regenerate_response(old.id, provider=provider, model=model)

    def try_now(self, message_id: str) -> bool:
        """End a provider's wait before it asks for an answer again. Returns whether that answer is being written."""
        return self.turns.hurry(checked_id(message_id))

    async def stop(self, thread_or_message_id: str) -> Message | None:
        """Stop the turns of a thread (or the turn that writes a message), also those that wait; the text so far is
        kept. Returns the last message that ended, or None."""
        checked = checked_id(thread_or_message_id)
        waited = await self.queue.cancel(checked)
        return await self.turns.stop(checked) or waited

    @uninterruptible
    async def delete_message(self, message_id: str, *, with_later: bool = False, end_id: str | None = None) -> Moved:
        """Move a message to the trash, alone or with all below it. ``end_id``: the end of the shown path then."""
        message = await self._messages.get(checked_id(message_id))
        await self.stop(message.thread_id)
        thread, ids = await self._messages.delete(message.id, with_later=with_later, end_id=end_id)
        self._path_changed(thread, message.parent_id)
        return Moved(thread, tuple(ids))

    @uninterruptible
    async def delete_messages(self, message_ids: Sequence[str], *, end_id: str | None = None) -> Moved:
        """Move exactly these messages of one thread to the trash, the topmost first."""
        top = await self._messages.get(checked_id(message_ids[0]))
        await self.stop(top.thread_id)
        thread, ids = await self._messages.delete_these(message_ids, end_id=end_id)
        self._path_changed(thread, top.parent_id)
        return Moved(thread, tuple(ids))

    @uninterruptible
    async def restore_message(self, message_id: str, *, end_id: str | None = None) -> Moved:
        """Restore a message from the trash, with everything that went there in the same step. It is shown unless the
        path is to end at ``end_id``."""
        checked = checked_id(message_id)
        thread, ids = await self._messages.restore(checked, end_id=end_id)
        restored = await self._messages.get(checked)
        self._path_changed(thread, restored.parent_id)
        return Moved(thread, tuple(ids))

    async def look_ahead(self, message_id: str, limit: int = 50) -> MessagePage | None:
        """Return the first messages that will be shown from this one on once it is selected; nothing changes. None
        where selecting it changes more than what is below it."""
        _check_limit(limit)
        page = await self._messages.below(checked_id(message_id), limit=limit)
        return None if page is None else self.turns.overlay_page(page)

    @uninterruptible
    async def select_version(self, message_id: str) -> Thread:
        """Show a version and the path below it."""
        message = await self._messages.get(checked_id(message_id))
        thread = await self._messages.select_version(message.id)
        self._path_changed(thread, message.parent_id)
        return thread

    async def end_of_path(self, message_id: str) -> str | None:
        """Return the id with which ``lead_path_to`` shows again what is shown now in the thread of that message."""
        return await self._messages.end_of_path(checked_id(message_id))

    @uninterruptible
    async def lead_path_to(self, message_id: str) -> Thread:
        """Show the path that ends with a message."""
        thread, last_kept = await self._messages.lead_path_to(checked_id(message_id))
        self._path_changed(thread, last_kept)
        return thread

    @uninterruptible
    async def branch_thread(self, message_id: str) -> Thread:
        """Create a thread that begins with everything from the first message to this one."""
        message = await self._messages.get(checked_id(message_id))
        thread = await self._threads.get(message.thread_id)
        branched = await self._messages.branch(message.id, branch_title(thread.title))
        self._bus.publish(ThreadCreated(branched))
        return branched

    # Drafts

    async def get_draft(self, thread_id: str | None) -> Draft | None:
        return await self._drafts.get(None if thread_id is None else checked_id(thread_id))

    async def save_draft(
        self, thread_id: str | None, text: str, cursor: int, *, attachments: Sequence[Attachment] = ()
    ) -> None:
        """Keep unsent text and what is attached to it; an empty draft is forgotten."""
        checked = None if thread_id is None else checked_id(thread_id)
        if text or attachments:
            await self._drafts.put(checked, text, cursor, attachments=attachments)
        else:
            await self._drafts.delete(checked)

    # The end

    async def close(self) -> None:
        """Interrupt all turns and wait until their text is stored."""
        self._is_closing = True
        await self.queue.close()
        await self.turns.close()
        if self._ends_limits:
            self.limits.close()
        await self.context.close()

    # Inside

    def checked_text(self, text: str, attachments: Sequence[Attachment]) -> str:
        """Return ``text``, which may be blank beside attachments. Raises a ``ChatDeskError`` if it cannot be sent."""
        check_count(attachments)
        if not text.strip() and not attachments:
            raise EmptyMessage
        size_bytes = len(text.encode("utf-8", errors="replace"))
        if size_bytes > self._max_message_bytes:
            raise MessageTooLarge(
                f"The message has {size_bytes:,} bytes; the limit is {self._max_message_bytes:,} bytes."
            )
        return text

    async def _plan_in(self, thread: Thread, provider: str | None = None, model: str | None = None) -> AnswerPlan:
        """Return who answers in a thread: the given provider, or else the thread's. Raises ``AnotherProvider`` where
        somebody else chose that."""
        if provider is None and thread.provider is not None:
            await self.choices.check(thread.provider, project_id=thread.project_id, thread_id=thread.id)
        return self._plan(provider or thread.provider, model or thread.model)

    def _plan(self, provider: str | None, model: str | None) -> AnswerPlan:
        """Return who answers. Raises ``NotPossible`` before anything is written when there is no such provider."""
        if provider is not None:
            self._providers.get(provider)
        return AnswerPlan(*self._providers.resolve(provider, model))

    async def _titled(self, thread: Thread, question: str) -> Thread:
        """Return the thread with a title from its first question, if it has none yet."""
        if thread.title != NEW_THREAD_TITLE:
            return thread
        return await self._threads.retitle(thread.id, title_from_text(question), TitleSource.TEXT) or thread

    def _check_room(self, thread_id: str) -> None:
        """Raise where no further answer may be written in a thread."""
        if self._is_closing:
            raise NotPossible("ChatDesk is closing.")
        if len(self.turns.in_thread(thread_id)) + len(self.queue.in_thread(thread_id)) >= MOST_IN_THREAD:
            raise TurnInProgress

    def _one_turn(self, thread_id: str) -> _Starting:
        if self._is_closing:
            raise NotPossible("ChatDesk is closing.")
        if self.is_answering(thread_id) or thread_id in self._starting:
            raise TurnInProgress
        return _Starting(self._starting, thread_id)

    async def _start_turn(self, answer: Message) -> None:
        """Ask for an answer at once, or when its turn comes."""
        if answer.parent_id is None:
            raise MessageNotFound
        if await self.queue.admit(answer):
            await self._ask(answer)

    async def _ask(self, answer: Message) -> None:
        provider = self._providers.get(answer.provider or self._providers.default()[0])
        try:
            request = await self.context.request_for(answer)
            usage = expected_usage(request)
            expected = Expected(usage.total_tokens, self.context.models.cost_of(provider.name, request.model, usage))
            await self.limits.admit(answer.id, answer.thread_id, provider=provider.name, expected=expected)
        except (DoesNotFit, LimitReached) as error:
            provider, request = RefusingProvider(provider, error), ChatRequest(answer.model or "", ())
        self.turns.start(Turn(self._turn_context, answer=answer, provider=provider, request=request))

    def _changed(self, thread: Thread) -> Thread:
        self._bus.publish(ThreadChanged(thread))
        return thread

    def _path_changed(self, thread: Thread, from_message_id: str | None) -> None:
        self._bus.publish(PathChanged(thread.id, from_message_id))
        self._bus.publish(ThreadChanged(thread))


class _Starting:
    """Marks a thread while a turn is being set up, so that two quick presses do not start two."""

    def __init__(self, starting: set[str], thread_id: str) -> None:
        self._starting = starting
        self._thread_id = thread_id

    def __enter__(self) -> None:
        self._starting.add(self._thread_id)

    def __exit__(self, *_exc: object) -> None:
        self._starting.discard(self._thread_id)


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidInput(
            f"A page holds 1 to {LARGEST_PAGE} rows, not {limit}.", safe="Nothing was changed.", next_step=""
        )
