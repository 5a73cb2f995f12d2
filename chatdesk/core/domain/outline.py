"""Describes the questions of a thread's shown path, as an outline to navigate by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the outline. ``preview`` is how its text begins, on one line; empty where it has none. ``asked_ms``
    is UTC."""

    message_id: str
    position: int
    asked_ms: int
    preview: str


@dataclass(frozen=True, slots=True)
class QuestionPage:
    """A part of the outline, in the order of the path. ``next_position`` is where the next page begins; None at the
    end."""

    questions: tuple[Question, ...]
    next_position: int | None = None
