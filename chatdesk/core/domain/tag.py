"""Defines tags: short words that a person puts on threads, in every project."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag. ``thread_count`` counts threads that are not in the trash."""

    id: str
    name: str
    created_at: int
    thread_count: int = 0
