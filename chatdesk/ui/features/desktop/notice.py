"""Defines a notification of the desktop, and the protocol of the backend that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Notice:
    """A desktop notification in plain text. A press leads to ``message_id``."""

    thread_id: str
    message_id: str
    title: str
    text: str


class NoticeBackend(Protocol):
    """The desktop's own way to show notices. Failures raise ``OSError``."""

    async def show(self, notice: Notice) -> None: ...
    async def withdraw(self, thread_id: str) -> None: ...
    async def close(self) -> None: ...
