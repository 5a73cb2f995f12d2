"""Tries the kept questions of a project: whether each finds the file that should be found, and at which place."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Final

from chatdesk.core.domain.kept_question import NOT_FOUND, KeptQuestion
from chatdesk.core.domain.knowledge import FoundPassage, SourceKind
from chatdesk.core.storage.knowledge.questions import KeptQuestionRepository
from chatdesk.core.texts import Text

GOOD_PLACES: Final = 5
_LOOKED_AT: Final = 10


class KeptQuestions:
    """The kept questions of all projects. ``search(project, question, limit=…)`` finds passages."""

    def __init__(
        self,
        repository: KeptQuestionRepository,
        search: Callable[..., Coroutine[Any, Any, tuple[FoundPassage, ...]]],
    ) -> None:
        self.repository = repository
        self._search = search

    async def place(self, project_id: str, question: str, file: str) -> int:
        """Return at which place a question finds a passage of the file; ``NOT_FOUND`` where it does not. Raises
        ``StorageError``."""
        return place_of(await self._search(project_id, question, limit=_LOOKED_AT), file)

    async def run(self, project_id: str) -> tuple[KeptQuestion, ...]:
        """Try all questions of a project, and note what was found. Raises ``StorageError``."""
        tried = []
        for each in await self.repository.of(project_id):
            place = await self.place(project_id, each.question, each.file)
            tried.append(replace(each, place=place, before=each.place))
        await self.repository.note({each.id: each.place or NOT_FOUND for each in tried})
        return tuple(tried)


def place_of(found: Sequence[FoundPassage], file: str) -> int:
    """Return the place of the first passage of a file, from 1; ``NOT_FOUND`` where there is none. The file is its path
    or the end of it, by whole names."""
    end = "/" + file.strip().replace("\\", "/").strip("/")
    for place, each in enumerate(found, 1):
        is_inside = each.source.kind in (SourceKind.FOLDER, SourceKind.TEAM)
        whole = f"{each.source.place}/{each.file.path}" if is_inside else each.source.place
        if f"/{whole}".replace("\\", "/").rstrip("/").endswith(end):
            return place
    return NOT_FOUND


def outcome_text(kept: KeptQuestion) -> Text:
    """Return the outcome of the last run, with that of the run before where they differ."""
    if kept.place is None:
        return Text("not tried yet")
    now = Text("found at place {place}", place=kept.place) if kept.place else Text("not found")
    if not kept.has_changed:
        return now
    before = Text("at place {place}", place=kept.before) if kept.before else Text("not found")
    return Text("{outcome} (before: {earlier})", outcome=now, earlier=before)


def hits_of(tried: Sequence[KeptQuestion]) -> int:
    """Return how many of the questions found their file among the first places."""
    return sum(1 for each in tried if each.place and each.place <= GOOD_PLACES)
