"""Finds the passages of a project's files that go with a question, and keeps to a person's choices."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from chatdesk.core.domain.knowledge import (
    EnclosedPassages,
    FilesQuestion,
    FoundPassage,
    NamedFile,
    PassageChoice,
    PassagePlace,
)
from chatdesk.core.knowledge import enclosing, mentions
from chatdesk.core.knowledge.knowledge_service import MOST_FOUND, KnowledgeService

_MOST_OF_A_FILE: Final = 1_000
# Files that a question names: so many go whole, or with their beginning where nothing of them was found.
_MOST_NAMED: Final = 10


class FileQuestions:
    """Answers for the questions of threads: passages, and a person's choices about them."""

    def __init__(self, knowledge: KnowledgeService) -> None:
        self._knowledge = knowledge

    async def has_files(self, project_id: str) -> bool:
        """Return whether anything of a project's files can be found."""
        return await self._knowledge.repository.has_passages(project_id)

    async def are_denied(self, project_id: str, provider: str) -> bool:
        """Return whether a provider never gets what is in the files of a project."""
        return provider in await self._knowledge.choices.denied(project_id)

    async def choose(self, thread_id: str, place: PassagePlace, choice: PassageChoice) -> PassageChoice:
        """Pin a place for all questions of a thread, leave it out, or neither. Returns the choice before."""
        return await self._knowledge.choices.choose(thread_id, place, choice)

    async def for_question(self, asked: FilesQuestion) -> EnclosedPassages:
        """Return the passages that go with a question into its request. Raises ``StorageError``."""
        choices = await self._choices(asked)
        room = enclosing.room_in(asked.window_tokens)
        named, text = await self._named(asked)
        if named:
            found = await self._found_in(named, asked, text)
            choices = replace(choices, is_named=True)
        else:
            wanted = enclosing.wanted_by(asked.text, asked.earlier)
            found = await self._knowledge.search(asked.project_id, wanted, has_far=True, stays_here=asked.is_draft)
        whole: dict[int, Sequence[FoundPassage]] = {}
        for each in found[: _MOST_NAMED if named else 1]:
            if each.file.characters <= room and not each.is_far:
                whole[each.file.id] = await self._knowledge.around(each.file.id, 0, _MOST_OF_A_FILE)
        return enclosing.enclosed(found, whole, room, choices)

    async def _named(self, asked: FilesQuestion) -> tuple[Sequence[NamedFile], str]:
        """Return the files that a question names after an @, and the question without these names."""
        names = await asyncio.to_thread(mentions.names_in, asked.text) if "@" in asked.text else ()
        if not names:
            return (), asked.text
        files = await self._knowledge.repository.named_files(asked.project_id)

        def meant() -> tuple[Sequence[NamedFile], str]:
            keyed = mentions.keyed(files)
            found = {name: mentions.matching(name, keyed) for name in names}
            kept = {each.id: each for some in found.values() for each in some}
            return tuple(kept.values()), mentions.without_names(asked.text, [name for name in names if found[name]])

        return await asyncio.to_thread(meant)

    async def _found_in(self, named: Sequence[NamedFile], asked: FilesQuestion, text: str) -> Sequence[FoundPassage]:
        """Return the passages that a question finds in the files that it names, the best first. Where nothing is found
        in one, its beginning stands for it: the person asks about it."""
        ids = {each.id for each in named}
        wanted = enclosing.wanted_by(text, asked.earlier)
        found = await self._knowledge.search(
            asked.project_id, wanted, limit=MOST_FOUND, has_far=True, stays_here=asked.is_draft
        )
        kept = [replace(each, is_far=False) for each in found if each.file.id in ids]
        known = {each.file.id for each in kept}
        for file in named[:_MOST_NAMED]:
            if file.id not in known:
                kept += await self._knowledge.around(file.id, 0, 0)
        return kept

    async def _choices(self, asked: FilesQuestion) -> enclosing.Choices:
        chosen = await self._knowledge.choices.of_thread(asked.thread_id)
        pinned, gone = [], []
        for place in (place for place, choice in chosen if choice is PassageChoice.PINNED):
            parts = await self._at(place)
            if not parts:
                gone.append(place)
            elif parts[0].source.project_id == asked.project_id:  # else the thread has been moved
                pinned.append(parts)
        return enclosing.Choices(
            left_out=[place for place, choice in chosen if choice is PassageChoice.LEFT_OUT],
            pinned=pinned,
            gone=gone,
            is_forbidden=await self.are_denied(asked.project_id, asked.provider),
        )

    async def _at(self, place: PassagePlace) -> Sequence[FoundPassage]:
        """Return the passages at a place: those of the same text, or else what stands there now."""
        near = await self._knowledge.around_place(place.source_id, place.path, place.start)
        if not near:
            return ()
        parts = await self._knowledge.around(near[0].file.id, 0, _MOST_OF_A_FILE)
        if place.is_whole_file:
            return parts
        same = [each for each in parts if enclosing.place_of(each).digest == place.digest]
        nearest = min(same or near, key=lambda each: abs(each.passage.start - place.start))
        return (nearest,)
