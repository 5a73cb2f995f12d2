"""Describes a question that a person keeps to try a project's files with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LONGEST_QUESTION: Final = 4_000
LONGEST_FILE: Final = 1_000
NOT_FOUND: Final = 0


@dataclass(frozen=True, slots=True)
class KeptQuestion:
    """A question with the ``file`` that should be found: its path, or the end of it. ``place`` is where the last run
    found it, from 1, ``NOT_FOUND`` where it did not, None before the first; ``before`` is that of the run before."""

    id: str
    project_id: str
    question: str
    file: str
    place: int | None = None
    before: int | None = None

    @property
    def has_changed(self) -> bool:
        return self.before is not None and self.before != self.place
