"""The spans that lie between two offsets of a paragraph as it is laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatdesk.core.rendering.blocks import Span
from chatdesk.ui.transcript.drawing.spans import flow_of


def cut_spans_of(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """``start`` and ``end`` count what ``flow_of`` adds; what is returned is the author's."""
    flow = flow_of(spans)
    cut: list[Span] = []
    place = start
    for each in flow.ranges:
        if each.end <= start or each.start >= end:
            continue
        if each.start > place:
            cut.append(Span(flow.copied(place, each.start)))
        place = min(each.end, end)
        cut.append(replace(each.span, text=flow.copied(max(each.start, start), place)))
    if place < end:
        cut.append(Span(flow.copied(place, end)))
    return [span for span in cut if span.text]
