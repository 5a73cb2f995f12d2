"""Replaces date, time, project and model variables in a system prompt when it is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chatdesk.core.chat.prompts.prompt_variables import expand_system_prompt
from chatdesk.core.clock import Clock
from chatdesk.core.domain.context import ContextFrame
from chatdesk.core.moments import local_moment
from chatdesk.core.storage.chat.projects import ProjectRepository


class PromptExpansion:
    """Replaces the variables of system prompts. Costs nothing where no prompt has braces, and one small read where one
    has."""

    def __init__(self, projects: ProjectRepository, clock: Clock) -> None:
        self._projects = projects
        self._clock = clock

    async def of_frame(self, frame: ContextFrame, default: str, model: str) -> tuple[ContextFrame, str]:
        """Return the frame and the default prompt with variables replaced, as of now."""
        if "{{" not in frame.system_prompt and "{{" not in default:
            return frame, default
        expanded = await self.of_text(frame.system_prompt, frame.project_id, model)
        return replace(frame, system_prompt=expanded), await self.of_text(default, frame.project_id, model)

    async def of_text(self, text: str, project_id: str, model: str) -> str:
        if "{{" not in text:
            return text
        values = {"project": (await self._projects.get(project_id)).name, "model": model}
        return expand_system_prompt(text, values, local_time(self._clock))


def local_time(clock: Clock) -> datetime:
    """Return the current time in the local time zone."""
    return local_moment(clock.now_ms())
