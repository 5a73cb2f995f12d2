"""Reads the content of a message as servers write it: text, nothing, or a list of typed pieces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Fields of a piece that may hold its text, or further pieces.
_OF_THOUGHT: Final = ("thinking", "reasoning", "reasoning_content", "reasoningContent", "reasoningText")
_FIELDS: Final = ("text", *_OF_THOUGHT, "refusal", "summary", "content", "value", "parts")
_DEEPEST: Final = 8


class WrongShapeError(ValueError):
    """A field that must hold text or an object holds something else."""


def read_content(value: object, *, deep: int = 0) -> tuple[str, str]:
    """Return (thoughts, text) of a content. Raises ``WrongShapeError`` where no text can be found in it, so that no
    part of an answer vanishes unnoticed."""
    if value is None:
        return "", ""
    if isinstance(value, str):
        return "", value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "", str(value)
    if deep > _DEEPEST:
        raise WrongShapeError("content")
    if isinstance(value, list):
        thoughts, text = "", ""
        for piece in value:
            more_thoughts, more_text = read_content(piece, deep=deep + 1)
            thoughts, text = thoughts + more_thoughts, text + more_text
        return thoughts, text
    if not isinstance(value, Mapping):
        raise WrongShapeError("content")
    kind = value.get("type")
    name = next((name for name in _FIELDS if value.get(name) is not None), "")
    thoughts, text = read_content(value.get(name), deep=deep + 1)
    is_marked = value.get("thought") is True or (isinstance(kind, str) and ("think" in kind or "reason" in kind))
    is_thought = is_marked or name in _OF_THOUGHT
    return (thoughts + text, "") if is_thought else (thoughts, text)
