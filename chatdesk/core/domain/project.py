"""Defines projects: the folders that hold threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DEFAULT_COLOUR: Final = "#5B7DB1"


@dataclass(frozen=True, slots=True)
class Project:
    """A project. Times are milliseconds UTC; ``last_chat_at`` is the newest activity of its threads that are not in
    the trash. ``provider`` and ``model`` are those of its new threads."""

    id: str
    name: str
    colour: str
    system_prompt: str
    provider: str | None
    model: str | None
    created_at: int
    last_chat_at: int | None
    deleted_at: int | None = None
    archived_at: int | None = None
