"""ContextService: what the model will see of a thread, and everything a reader can do about it.

The names come first and are filled in step by step; a method that is not there yet says so.
"""

from __future__ import annotations

from chatdesk.core.domain.context import ContextMark, ContextPage, ContextReport, ContextTotals
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.model_info import ModelInfo
from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.domain.summary import Summary
from chatdesk.core.domain.thread import Thread
from chatdesk.core.errors import NotPossible


class ContextService:
    """Reached as ``ChatService.context``. Publishes ``ContextChanged(thread_id)`` when a report would differ for a
    reason that no other event tells (marks, start, parameters, summaries)."""

    # What is sent

    async def report(self, thread_id: str, draft: str = "") -> ContextReport:
        """The request that would be made now, with ``draft`` as the next question."""
        raise _not_yet()

    async def entries(self, thread_id: str, start: int = 0, limit: int = 100) -> ContextPage:
        """What happens to the messages of the shown path, from the ``start``-th on, oldest first."""
        raise _not_yet()

    async def totals(self, thread_id: str, draft: str = "") -> ContextTotals:
        """For the meter: cheap enough for every key that is pressed."""
        raise _not_yet()

    async def request_json(self, thread_id: str, draft: str = "") -> bytes:
        """The very bytes that the provider would send."""
        raise _not_yet()

    async def model_info(self, provider: str, model: str) -> ModelInfo:
        raise _not_yet()

    # Steering it

    async def mark_message(self, message_id: str, mark: ContextMark) -> Message:
        """Pin a message into the context, exclude it, or neither."""
        raise _not_yet()

    async def start_at(self, thread_id: str, message_id: str | None) -> Thread:
        """Send nothing before that message; None: from the beginning."""
        raise _not_yet()

    async def parameters(self, thread_id: str) -> Parameters:
        """Those in force: the thread's own over its project's."""
        raise _not_yet()

    async def set_thread_parameters(self, thread_id: str, parameters: Parameters) -> None:
        raise _not_yet()

    async def set_project_parameters(self, project_id: str, parameters: Parameters) -> None:
        raise _not_yet()

    # Summaries

    async def summaries(self, thread_id: str) -> tuple[Summary, ...]:
        """All versions, the newest first."""
        raise _not_yet()

    async def edit_summary(self, summary_id: str, text: str, *, pinned_facts: tuple[str, ...] = ()) -> Summary:
        """A new version with the reader as its author, for the same messages."""
        raise _not_yet()

    async def redo_summary(self, thread_id: str) -> None:
        """Have it made anew in the background."""
        raise _not_yet()

    async def switch_summary(self, summary_id: str, *, is_on: bool) -> Summary:
        raise _not_yet()

    async def switch_thread_summaries(self, thread_id: str, *, is_on: bool) -> None:
        raise _not_yet()

    async def switch_project_summaries(self, project_id: str, *, is_on: bool) -> None:
        raise _not_yet()


def _not_yet() -> NotPossible:
    return NotPossible("This is not there yet.")
