"""Finds the messages of a shown path at which the context starts or a summary ends."""

from __future__ import annotations

from chatdesk.core.chat.context.summary_service import SummaryService
from chatdesk.core.domain.context import ContextFrame, ContextLandmarks, SummaryEnd
from chatdesk.core.domain.summary import Summary, SummaryState


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
