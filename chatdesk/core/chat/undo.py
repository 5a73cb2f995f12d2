"""Keeps the undo stack of one window: its changes in order, each with the calls that undo and redo it.

A step uses the service's public methods, so that undoing is a change like any other: stored, published, and seen by
other windows. The reader's place among the versions is recorded as the end of the path.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.context.project_files import ProjectFiles
from chatdesk.core.chat.results import Edited, Moved, Noted, Sent
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.knowledge import PassageChoice, PassagePlace
from chatdesk.core.domain.message import ContextMark, Message, Role
from chatdesk.core.domain.thread import Thread
from chatdesk.core.errors import StorageError
from chatdesk.core.events import MessageAdded, TurnStarted
from chatdesk.core.texts import Text, plural

_MARKING = {ContextMark.PINNED: Text("pin into the context"), ContextMark.EXCLUDED: Text("exclude from the context")}
_UNMARKING = {ContextMark.PINNED: Text("unpin from the context"), ContextMark.EXCLUDED: Text("include in the context")}
_CHOOSING = {
    PassageChoice.PINNED: Text("pin the passage"),
    PassageChoice.LEFT_OUT: Text("leave out the passage"),
}
_UNCHOOSING = {
    PassageChoice.PINNED: Text("unpin the passage"),
    PassageChoice.LEFT_OUT: Text("no longer leave out the passage"),
}
_MOST_STEPS = 100
_MOST_THINGS = 300_000  # a selection may be everything, and its ways back are kept in memory

Act = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A change with the calls that undo and redo it. ``label`` names it, to follow "Undo"; ``size`` counts the things
    whose former state it keeps in memory; ``thread_id`` is the thread in which it can be seen, None for what a list
    shows; ``returning_id`` the thread that it moves to the trash or back."""

    label: str
    undo: Act
    redo: Act
    size: int = 1
    thread_id: str | None = None
    returning_id: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Lasting:
    """A change that cannot be undone, in its place among the steps, so that no older one is taken for it."""

    label: str
    thread_id: str | None = None
    size: int = 0


Change_ = TypeVar("Change_", bound=Step | Lasting)


class BegunChanges:
    """The changes that have begun and are not recorded yet, for which *Undo* waits: they are visible a moment
    earlier."""

    def __init__(self) -> None:
        self._ends: set[asyncio.Future[None]] = set()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Begin a change; it is recorded, or has failed, at the end of the block."""
        end = asyncio.get_running_loop().create_future()
        self._ends.add(end)
        try:
            yield
        finally:
            self._ends.remove(end)
            end.set_result(None)

    async def wait_for_all(self) -> None:
        """Wait until every change that has begun by now is recorded or has failed."""
        if self._ends:
            await asyncio.wait(self._ends)


class UndoStack:
    """The service's changes as one window makes them. Steps run one at a time, however fast the keys are."""

    def __init__(self, chat: ChatService) -> None:
        self._chat = chat
        self._done: list[Step | Lasting] = []
        self._undone: list[Step] = []
        self._awaited: set[str] = set()  # answers that belong to a change which is known already
        self._lock = asyncio.Lock()
        self.begun = BegunChanges()

    def use(self, chat: ChatService) -> None:
        """Make changes through another service from now on; earlier ones are undone where they were made."""
        self._chat = chat

    def forget(self, thread_id: str) -> None:
        """Drop the steps of a thread whose service has ended."""
        self._done[:] = [each for each in self._done if each.thread_id != thread_id]
        self._undone[:] = [each for each in self._undone if each.thread_id != thread_id]

    @property
    def last(self) -> Step | None:
        """The step that ``undo`` would undo."""
        return next((each for each in reversed(self._done) if isinstance(each, Step)), None)

    @property
    def next(self) -> Step | None:
        """The step that ``redo`` would do again."""
        return self._undone[-1] if self._undone else None

    def last_seen_from(self, thread_id: str | None) -> Step | Lasting | None:
        """Return the change that *Undo* means to somebody who looks at a thread (None: a new one): the last one that
        can be seen there or in a list, else the last one anywhere. A change of a list is not taken back past a
        lasting one in any thread, because it may move that thread."""
        seen = _seen_from(thread_id, self._done)
        if seen is None or seen.thread_id is not None:
            return seen
        later = self._done[self._done.index(seen) + 1 :]
        return next((each for each in reversed(later) if isinstance(each, Lasting)), seen)

    def next_seen_from(self, thread_id: str | None) -> Step | None:
        """Return the step of *Redo* for a person who looks at a thread (None: a new one)."""
        return _seen_from(thread_id, self._undone)

    def pass_over(self, lasting: Lasting) -> None:
        """Let the change before ``lasting`` be the next to be undone, now that the person knows that it is older."""
        if lasting in self._done:
            self._done.remove(lasting)

    async def undo(self, step: Step | None = None) -> Step | None:
        """Undo the last change, or ``step`` if it was not undone yet. Returns None without a change to undo. A
        step that fails is dropped, because its objects are gone for good; a step that storage could not write
        stays."""
        async with self._lock:
            chosen = step or self.last
            if chosen is None or chosen not in self._done:
                return None
            await _carry(chosen, chosen.undo, self._done, self._undone)
            return chosen

    async def redo(self, step: Step | None = None) -> Step | None:
        """Redo the change that was undone last, or ``step``; a failure as in ``undo``."""
        async with self._lock:
            if not self._undone or (step is not None and step not in self._undone):
                return None
            chosen = step or self._undone[-1]
            await _carry(chosen, chosen.redo, self._undone, self._done)
            return chosen

    # Threads

    async def rename_thread(self, thread_id: str, title: str) -> Thread:
        with self.begun.change():
            chat, before = self._chat, await self._chat.get_thread(thread_id)
            after = await chat.rename_thread(thread_id, title)
            if after.title != before.title:
                self.record(
                    Text("rename thread"),
                    partial(chat.rename_thread, thread_id, before.title),
                    partial(chat.rename_thread, thread_id, after.title),
                )
            return after

    # Messages

    async def delete_message(self, message_id: str, *, with_later: bool = False) -> Moved:
        with self.begun.change():
            chat = self._chat
            end = await chat.paths.end_of_path(message_id)
            moved = await chat.paths.delete_message(message_id, with_later=with_later)
            self.record(
                plural("delete messages", "delete message", len(moved.message_ids)),
                partial(chat.paths.restore_message, message_id, end_id=end),
                partial(chat.paths.delete_message, message_id, with_later=with_later),
                thread_id=moved.thread.id,
            )
            return moved

    async def restore_message(self, message_id: str) -> Moved:
        with self.begun.change():
            chat = self._chat
            end = await chat.paths.end_of_path(message_id)
            moved = await chat.paths.restore_message(message_id)
            if moved.message_ids:
                self.record(
                    Text("restore message"),
                    partial(chat.paths.delete_messages, moved.message_ids, end_id=end),
                    partial(chat.paths.restore_message, message_id),
                    thread_id=moved.thread.id,
                )
            return moved

    async def select_version(self, message_id: str) -> Thread:
        with self.begun.change():
            chat = self._chat
            end = await chat.paths.end_of_path(message_id)
            thread = await chat.paths.select_version(message_id)
            if end is not None and await chat.paths.end_of_path(message_id) != end:
                self.record(
                    Text("switch version"),
                    partial(chat.paths.lead_path_to, end),
                    partial(chat.paths.select_version, message_id),
                    thread_id=thread.id,
                )
            return thread

    async def edit_message(
        self, message_id: str, text: str, *, attachments: Sequence[Attachment] | None = None
    ) -> Sent | Noted:
        """Edit a question or a note; a note stays one. Undoing it shows the old version again and moves the new one,
        with all that came after it, to the trash."""
        with self.begun.change():
            chat = self._chat
            end = await chat.paths.end_of_path(message_id)
            is_note = (await chat.reader.get_message(message_id)).is_note
            edit = chat.manual_messages.edit_note if is_note else chat.edit_message
            sent: Sent | Noted = await edit(message_id, text, attachments=attachments)
            if isinstance(sent, Sent):
                self._awaited.add(sent.answer.id)
            self._edited(chat, sent.question, end)
            return sent

    async def edit_answer(
        self, message_id: str, text: str, *, attachments: Sequence[Attachment] | None = None
    ) -> Edited:
        """Edit an answer. Undoing it moves the person's version, with all that came after it, to the trash."""
        with self.begun.change():
            chat = self._chat
            end = await chat.paths.end_of_path(message_id)
            edited = await chat.manual_messages.edit_answer(message_id, text, attachments=attachments)
            self._edited(chat, edited.answer, end)
            return edited

    def _edited(self, chat: ChatService, version: Message, end_id: str | None) -> None:
        self.record(
            Text("edit"),
            partial(chat.paths.delete_message, version.id, with_later=True, end_id=end_id),
            partial(chat.paths.restore_message, version.id),
            thread_id=version.thread_id,
        )

    # Context

    async def mark_message(self, message_id: str, mark: ContextMark) -> Message:
        with self.begun.change():
            put = partial(self._chat.context.steering.mark_message, message_id)
            before = (await self._chat.reader.get_message(message_id)).context_mark
            after = await put(mark)
            if before != mark:
                label = _MARKING.get(mark) or _UNMARKING[before]
                self.record(label, partial(put, before), partial(put, mark), thread_id=after.thread_id)
            return after

    async def start_context(self, thread_id: str, message_id: str | None) -> None:
        with self.begun.change():
            start = partial(self._chat.context.steering.start_at, thread_id)
            before = await start(message_id)
            if before != message_id:
                self.record(
                    Text("start of the context"),
                    partial(start, before),
                    partial(start, message_id),
                    thread_id=thread_id,
                )

    def record(
        self,
        label: str,
        undo: Act,
        redo: Act,
        *,
        size: int = 1,
        thread_id: str | None = None,
        returning_id: str | None = None,
    ) -> None:
        """Remember a change, also one that another service made, with the calls that undo and redo it."""
        self._append(Step(label, undo, redo, size, thread_id, returning_id))
        self._undone.clear()

    def record_lasting(self, label: str, *, thread_id: str | None = None) -> None:
        """Remember that something was done that cannot be undone; of several in a row in a thread the last one."""
        seen = _seen_from(thread_id, self._done)
        if isinstance(seen, Lasting) and seen.thread_id == thread_id:
            self._done.remove(seen)
        self._append(Lasting(label, thread_id))
        self._undone[:] = [each for each in self._undone if each.thread_id not in (None, thread_id)]

    def record_event(self, event: MessageAdded | TurnStarted) -> None:
        """Remember that the person added a message at the end of a thread, or asked for an answer."""
        if isinstance(event, MessageAdded):
            self._record_message(event.message)
        else:
            self._record_answer(event.thread_id, event.message_id)

    def _record_message(self, message: Message) -> None:
        if message.author_id is not None:
            return
        if message.role is Role.ASSISTANT:
            self._awaited.add(message.id)
        elif message.role is Role.USER:
            label = Text("add note") if message.is_note else Text("ask a question")
            self.record_lasting(label, thread_id=message.thread_id)

    def _record_answer(self, thread_id: str, message_id: str) -> None:
        if message_id in self._awaited:  # part of a question or an edit
            self._awaited.remove(message_id)
            return
        seen = _seen_from(thread_id, self._done)
        if not (isinstance(seen, Lasting) and seen.thread_id == thread_id):
            self.record_lasting(Text("ask for an answer"), thread_id=thread_id)

    def _append(self, change: Step | Lasting) -> None:
        self._done.append(change)
        del self._done[:-_MOST_STEPS]
        while len(self._done) > 1 and sum(each.size for each in self._done) > _MOST_THINGS:
            del self._done[0]


async def choose_passage(
    stack: UndoStack, files: ProjectFiles, thread_id: str, place: PassagePlace, choice: PassageChoice
) -> None:
    """Pin a passage of the project's files for all questions of a thread, leave it out, or neither."""
    with stack.begun.change():
        choose = partial(files.choose, thread_id, place)
        before = await choose(choice)
        if before != choice:
            label = _CHOOSING.get(choice) or _UNCHOOSING[before]
            stack.record(label, partial(choose, before), partial(choose, choice), thread_id=thread_id)


def _seen_from(thread_id: str | None, steps: Sequence[Change_]) -> Change_ | None:
    seen = (step for step in reversed(steps) if step.thread_id in (None, thread_id))
    return next(seen, steps[-1] if steps else None)


async def _carry(
    step: Step, act: Act, source: list[Step] | list[Step | Lasting], target: list[Step] | list[Step | Lasting]
) -> None:
    """Run ``act`` and move ``step`` from one stack to the other once it is done, not before."""
    try:
        await act()
    except StorageError:
        raise
    except BaseException:
        if step in source:
            source.remove(step)
        raise
    if step in source:  # else a new change has replaced the history in the meantime
        source.remove(step)
    target.append(step)
