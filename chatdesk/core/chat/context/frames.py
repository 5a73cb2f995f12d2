"""Reads the state of a thread that decides about its requests, with its assistant, the defaults of the settings and the
variables of prompts filled in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chatdesk.core.chat.prompts.assistants import Assistants, model_of
from chatdesk.core.chat.prompts.prompt_variables import PromptExpansion
from chatdesk.core.context.options import ContextOptions
from chatdesk.core.domain.context import ContextFrame
from chatdesk.core.domain.model_info import ModelInfo
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.chat.context_store import ContextRepository


class Frames:
    """The frames of all threads of one database. ``in_force`` returns the providers and options that hold now."""

    def __init__(
        self,
        contexts: ContextRepository,
        assistants: Assistants,
        expansion: PromptExpansion,
        in_force: Callable[[], tuple[ProviderRegistry, ContextOptions]],
    ) -> None:
        self._contexts = contexts
        self._assistants = assistants
        self._expansion = expansion
        self._in_force = in_force

    async def of(self, thread_id: str, assistant_id: str | None) -> ContextFrame:
        """Return the frame of a thread, with the parts that its assistant or ``assistant_id`` replaces."""
        frame = await self._contexts.frame(thread_id)
        assistant = await self._assistants.find(assistant_id or frame.assistant_id)
        if assistant is None:
            return frame
        return replace(
            frame,
            system_prompt=assistant.instructions,
            parameters=assistant.setup.parameters.over(frame.parameters),
            files=assistant.setup.files,
        )

    async def of_next(self, thread_id: str, assistant_id: str | None = None) -> ContextFrame:
        """Return the frame for the next question of a thread, asked of an assistant (None: the thread's)."""
        frame = await self.of(thread_id, assistant_id)
        provider, model = model_of(
            await self._assistants.find(assistant_id or frame.assistant_id),
            self._in_force()[0],
            chosen=(frame.provider, frame.model),
            is_for_question=assistant_id not in (None, frame.assistant_id),
        )
        return replace(frame, provider=provider, model=model)

    async def as_sent(self, frame: ContextFrame, info: ModelInfo) -> tuple[ContextFrame, str]:
        """Return frame and default prompt with the defaults of the settings filled in and variables of prompts
        replaced."""
        options = self._in_force()[1]
        longest = options.longest_answer
        if longest is not None and frame.parameters.answer_length is None:
            # Meant for all models: one that is known to write less would refuse the whole request.
            longest = min(longest, info.largest_answer) if info.is_known else longest
            frame = replace(frame, parameters=replace(frame.parameters, answer_length=longest))
        return await self._expansion.of_frame(frame, options.system_prompt, info.id)
