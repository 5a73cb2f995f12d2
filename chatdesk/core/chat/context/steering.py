"""Steers the context and the answers of a thread: marks, the beginning of the context, parameters."""

from __future__ import annotations

from collections.abc import Callable

from chatdesk.core.chat.context.summary_service import SummaryService
from chatdesk.core.domain.context import ContextFrame, ContextLandmarks, SummaryEnd
from chatdesk.core.domain.message import ContextMark, Message
from chatdesk.core.domain.parameters import Parameters, checked_parameters
from chatdesk.core.domain.summary import Summary, SummaryState
from chatdesk.core.events import EventBus, MessageChanged
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.chat.context_store import ContextRepository


class ContextSteering:
    """Changes the model, parameters and context of a thread or project; ``ContextService.steering`` exposes it.
    ``on_changed`` gets the id of the thread; None: any may have changed."""

    def __init__(self, contexts: ContextRepository, bus: EventBus, *, on_changed: Callable[[str | None], None]) -> None:
        self._contexts = contexts
        self._bus = bus
        self._on_changed = on_changed

    async def mark_message(self, message_id: str, mark: ContextMark) -> Message:
        """Pin a message into the context, exclude it from the context, or remove such a mark."""
        message = await self._contexts.mark(checked_id(message_id), mark)
        self._on_changed(message.thread_id)
        self._bus.publish(MessageChanged(message))
        return message

    async def start_at(self, thread_id: str, message_id: str | None) -> str | None:
        """Send nothing before a message; None: send from the beginning. Returns where it started before."""
        before = await self._contexts.start_at(thread_id, message_id)
        self._on_changed(thread_id)
        return before

    async def own_parameters(self, thread_id: str) -> tuple[Parameters, Parameters]:
        """Return the parameters of a thread and those of its project, for a dialog."""
        return await self._contexts.own_parameters(thread_id)

    async def project_parameters(self, project_id: str) -> Parameters:
        """Return the parameters of a project, which hold where a thread has none of its own."""
        return await self._contexts.project_parameters(project_id)

    async def set_thread_parameters(self, thread_id: str, parameters: Parameters) -> None:
        """Set the parameters of a thread. Raises ``InvalidInput``."""
        await self._contexts.set_thread_parameters(thread_id, checked_parameters(parameters))
        self._on_changed(thread_id)

    async def set_project_parameters(self, project_id: str, parameters: Parameters) -> None:
        """Set the parameters of a project. Raises ``InvalidInput``."""
        await self._contexts.set_project_parameters(project_id, checked_parameters(parameters))
        self._on_changed(None)


async def landmarks_of(frame: ContextFrame, summaries: SummaryService) -> ContextLandmarks:
    """Return where the context starts, and where the summary that is sent and a stale newer one end."""
    found = {} if frame.summary is None else {frame.summary.to_message_id: _end_of(frame.summary)}
    if frame.stale_summary_id is not None:
        versions = await summaries.list(frame.thread_id)
        stale = next((each for each in versions if each.id == frame.stale_summary_id), None)
        if stale is not None and stale.to_position >= frame.starts_at:
            found.setdefault(stale.to_message_id, _end_of(stale))
    return ContextLandmarks(frame.starts_at_id, tuple(found.values()))


def _end_of(summary: Summary) -> SummaryEnd:
    return SummaryEnd(summary.to_message_id, summary.message_count, is_stale=summary.state is SummaryState.STALE)
