"""Finds the assistants of the library that answer in threads. They are cached until the library changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chatdesk.core.chat.task_set import uninterruptible
from chatdesk.core.domain.prompt import Assistant
from chatdesk.core.domain.thread import Thread
from chatdesk.core.errors import PromptNotFound
from chatdesk.core.events import EventBus, PromptsChanged, ThreadChanged
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.chat.threads import ThreadRepository
from chatdesk.core.storage.library.prompts import PromptRepository

# Finds an assistant by its id; none for None and for one that is not there.
FindAssistant = Callable[[str | None], Awaitable[Assistant | None]]


class Assistants:
    """Shared by all threads of a profile, also by temporary ones."""

    def __init__(self, prompts: PromptRepository, bus: EventBus) -> None:
        self._prompts = prompts
        self._known: dict[str, Assistant | None] = {}
        self._revision = 0
        bus.subscribe(PromptsChanged, lambda _event: self._forget())

    async def find(self, assistant_id: str | None) -> Assistant | None:
        """Return an assistant as it is now; None for one that was deleted or never was here."""
        if assistant_id is None:
            return None
        if assistant_id not in self._known:
            revision = self._revision
            found = await self._read(assistant_id)
            if revision != self._revision:  # the library changed while this waited
                return found
            self._known[assistant_id] = found
        return self._known[assistant_id]

    async def _read(self, assistant_id: str) -> Assistant | None:
        try:
            prompt = await self._prompts.get(assistant_id)
        except PromptNotFound:
            return None
        if prompt.setup is None or prompt.deleted_at is not None:
            return None
        return Assistant(prompt.id, prompt.name, prompt.text, prompt.setup)

    def _forget(self) -> None:
        self._revision += 1
        self._known.clear()


class ThreadAssistants:
    """Chooses the assistants of threads. Reached as ``ChatService.assistants``."""

    def __init__(self, threads: ThreadRepository, find: FindAssistant, bus: EventBus) -> None:
        self._threads = threads
        self.find = find
        self._bus = bus

    async def of(self, thread_id: str) -> Assistant | None:
        """Return the assistant that answers in a thread."""
        return await self.find((await self._threads.get(thread_id)).assistant_id)

    @uninterruptible
    async def choose(self, thread_id: str, assistant_id: str | None) -> Thread:
        """Set the assistant that answers in a thread from the next turn on; None: no assistant. One that has a model
        of its own answers with that until another model is chosen. Raises ``PromptNotFound``."""
        assistant = await self.find(assistant_id)
        if assistant_id is not None and assistant is None:
            raise PromptNotFound
        if assistant is not None and assistant.setup.provider is not None:
            await self._threads.set_model(thread_id, None, None)
        thread = await self._threads.set_assistant(thread_id, assistant_id)
        self._bus.publish(ThreadChanged(thread))
        return thread


def model_of(
    assistant: Assistant | None,
    providers: ProviderRegistry,
    *,
    chosen: tuple[str | None, str | None],
    is_for_question: bool,
) -> tuple[str | None, str | None]:
    """Return the provider and the model that answer: for one question those of the assistant, in its threads what was
    ``chosen`` there since; ``chosen`` too where the assistant has none, or names a provider that is not set up."""
    setup = None if assistant is None else assistant.setup
    if setup is None or setup.provider is None or not (is_for_question or chosen[0] is None):
        return chosen
    is_set_up = any(each.name == setup.provider for each in providers.all())
    return (setup.provider, setup.model) if is_set_up else chosen
