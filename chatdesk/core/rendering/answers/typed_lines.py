"""Keeps the line breaks that a person typed: in Markdown a single one is no more than a space."""

from __future__ import annotations

from chatdesk.core.domain.message import Message, Part, Role
from chatdesk.core.rendering.answers.code_tracker import CodeTracker

_HARD = "  "


def source_of(message: Message, part: Part) -> str:
    """Return the Markdown of a part of a message: what a person typed with its line breaks, a model's as it is."""
    return with_line_breaks(part.text) if message.role is Role.USER else part.text


def with_line_breaks(text: str) -> str:
    """Return Markdown in which each line break of ``text`` is a hard one. Code stays, and lines keep their numbers."""
    lines = text.split("\n")
    tracker = CodeTracker()
    for number, line in enumerate(lines[:-1]):
        was_in_fence = tracker.is_in_fence
        tracker.follow(f"{line}\n")
        is_code = was_in_fence or tracker.is_in_fence
        is_inside = bool(line.strip()) and bool(lines[number + 1].strip())
        if is_inside and not is_code and not line.endswith((_HARD, "\\")):
            lines[number] = line.rstrip("\r") + _HARD
    return "\n".join(lines)
