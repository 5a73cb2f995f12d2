"""A notification of the desktop, and what shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Notice:
    """Plain text. ``message_id`` is where a press leads."""

    thread_id: str
    message_id: str
    title: str
    text: str


class NoticeDoor(Protocol):
    """The desktop's own way. What it cannot do it raises as ``OSError``."""

    async def show(self, notice: Notice) -> None: ...
    async def withdraw(self, thread_id: str) -> None: ...
    async def close(self) -> None: ...
