"""Cuts the spans of a paragraph at two offsets of its laid-out text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatdesk.core.rendering.blocks import Span
from chatdesk.ui.transcript.drawing.spans import flow_of


def spans_between(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """Return the spans between two offsets, without the characters that the layout adds.

    ``start`` and ``end`` count the text of ``flow_of``, which includes those characters.
    """
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
