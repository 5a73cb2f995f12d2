"""SystemPromptService reads and writes the system prompts of threads and projects.

``ContextService`` decides which one is sent, and replaces its variables.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.domain.prompt import LONGEST_TEXT, PromptSize, PromptSource, SystemPrompts
from chatdesk.core.domain.thread import Thread
from chatdesk.core.errors import InvalidInput
from chatdesk.core.events import ContextChanged, EventBus, ProjectChanged, ThreadChanged
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.texts import Text


class SystemPromptService:
    """The system prompts of threads and projects. Reached as ``Services.system_prompts``. An empty text leaves it to
    the next of thread, project and default."""

    def __init__(self, repositories: Repositories, context: ContextService, bus: EventBus) -> None:
        self._threads = repositories.threads
        self._projects = repositories.projects
        self._prompts = repositories.system_prompts
        self._messages = repositories.messages
        self._choices = repositories.shared_choices
        self._context = context
        self._bus = bus

    async def of_thread(self, thread_id: str) -> SystemPrompts:
        """Return the system prompts that concern a thread. Raises ``ThreadNotFound``."""
        thread = await self._threads.get(checked_id(thread_id))
        return await self._of(thread.project_id, thread)

    async def of_project(self, project_id: str) -> SystemPrompts:
        """Return the system prompts that concern a new thread of a project. Raises ``ProjectNotFound``."""
        return await self._of(checked_id(project_id), None)

    async def is_from_file(self, thread_id: str | None, project_id: str | None = None) -> bool:
        """Return whether the next question would send a system prompt that came with an imported thread or project, and
        nobody has asked anything in the thread since; ``thread_id`` None: in a new thread of the project."""
        thread = None if thread_id is None else await self._threads.get(checked_id(thread_id))
        newest = None if thread is None else thread.current_leaf_id
        if newest is not None and not await self._messages.were_imported(newest):
            return False
        if thread is not None and thread.system_prompt.strip():
            return await self._messages.were_imported(thread.id)
        wanted = project_id if thread is None else thread.project_id
        if wanted is None:
            return False
        project = await self._projects.get(checked_id(wanted))
        return bool(project.system_prompt.strip()) and await self._messages.were_imported(project.id)

    async def changed_by_other(self, thread_id: str) -> str | None:
        """Return the other member of the team whose system prompt the next question would send for the first time."""
        thread = await self._threads.get(checked_id(thread_id))
        return await self._choices.prompt_by_other(thread.project_id, thread.id)

    async def set_project(self, project_id: str, text: str) -> None:
        """Set the system prompt of a project. Raises ``InvalidInput``, ``ProjectNotFound``."""
        await self._change({}, {checked_id(project_id): text})

    async def change(self, prompts: SystemPrompts, texts: Mapping[PromptSource, str]) -> None:
        """Set the system prompt of the thread, of its project, or of both in one step."""
        thread, project = texts.get(PromptSource.THREAD), texts.get(PromptSource.PROJECT)
        has_thread = thread is not None and prompts.thread_id is not None
        await self._change(
            {str(prompts.thread_id): str(thread)} if has_thread else {},
            {} if project is None else {prompts.project_id: project},
        )

    async def size(self, prompts: SystemPrompts, text: str) -> PromptSize:
        """Measure how much of the window ``text`` uses there, as it would be sent now."""
        thread = None if prompts.thread_id is None else await self._threads.get(prompts.thread_id)
        return await self._context.prompt_size(thread, prompts.project_id, text)

    async def _change(self, threads: Mapping[str, str], projects: Mapping[str, str]) -> None:
        changed = await self._prompts.change(
            threads={each: _checked(text) for each, text in threads.items()},
            projects={each: _checked(text) for each, text in projects.items()},
        )
        for thread in changed:
            self._bus.publish(ThreadChanged(thread))
            self._bus.publish(ContextChanged(thread.id))
        for project_id in projects:
            self._bus.publish(ProjectChanged(await self._projects.get(project_id)))
            self._bus.publish(ContextChanged(None))

    async def _of(self, project_id: str, thread: Thread | None) -> SystemPrompts:
        project = await self._projects.get(project_id)
        return SystemPrompts(
            None if thread is None else thread.id,
            project.id,
            project.name,
            "" if thread is None else thread.system_prompt,
            project.system_prompt,
            self._context.default_prompt,
            None if thread is None else await self._context.assistants.find(thread.assistant_id),
        )


def _checked(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise InvalidInput(
            Text(
                "The system prompt has {text} characters; the most is {longest_text}.",
                text=len(text),
                longest_text=LONGEST_TEXT,
            ),
            safe=Text("The old one is kept."),
            next_step=Text("Shorten it."),
        )
    return text if text.strip() else ""
