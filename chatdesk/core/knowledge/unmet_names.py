"""Says which names after an @ lead to nothing that can go with a question, and why, before the question is sent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from chatdesk.core.domain.knowledge import FileState, NamedFile, SourceKind
from chatdesk.core.knowledge import mentions
from chatdesk.core.knowledge.knowledge_service import KnowledgeService
from chatdesk.core.texts import Text, shortened

_LONGEST_NAMED: Final = 40
_MOST_NAMED: Final = 3

_UNKNOWN: Final = Text("No file or folder of the project has this name: {names}.")
_LEFT_OUT: Final = Text("Left out of the project's files: {names}.")
_DENIED: Final = Text("{provider} never gets files of this project: {names}.")
_OF_STATE: Final = {
    FileState.WAITING: Text("Not read yet: {names}."),
    FileState.UNREADABLE: Text("Cannot be read: {names}."),
    FileState.CLOSED: Text("Looks like a secret, and is not read: {names}."),
}


class UnmetNames:
    """Looks for the names of a question among the files of its project, which are kept until they change."""

    def __init__(self, knowledge: KnowledgeService) -> None:
        self._knowledge = knowledge
        self._known: tuple[object, dict[FileState, mentions.Keyed]] = (None, {})

    async def sentences(
        self, project_id: str, text: str, providers: Mapping[str, str], *, writing: str | None = None
    ) -> Sequence[Text]:
        """Return sentences about the names in a question to providers (their names for people, by id); none where
        all lead to a file that is sent. ``writing`` is the name that is still being written. Raises
        ``StorageError``."""
        if "@" not in text:
            return ()
        names = await asyncio.to_thread(mentions.names_in, text)
        sources = await self._knowledge.repository.sources(project_id) if names else ()
        if not sources:
            return ()
        files = await self._files(project_id)
        folders = [Path(each.place) for each in sources if each.kind is SourceKind.FOLDER]
        denied = await self._knowledge.choices.denied(project_id)
        denied_to = next((label for provider, label in providers.items() if provider in denied), "")
        return await asyncio.to_thread(_said, names, files, folders, denied_to, writing)

    async def _files(self, project_id: str) -> dict[FileState, mentions.Keyed]:
        key = project_id, self._knowledge.repository.revision
        if self._known[0] != key:
            found = {state: await self._knowledge.repository.named_files(project_id, state) for state in FileState}
            self._known = key, await asyncio.to_thread(_keyed, found)
        return self._known[1]


def _keyed(found: dict[FileState, tuple[NamedFile, ...]]) -> dict[FileState, mentions.Keyed]:
    return {state: mentions.keyed(files) for state, files in found.items()}


def _said(
    names: Sequence[str],
    files: dict[FileState, mentions.Keyed],
    folders: Sequence[Path],
    denied_to: str,
    writing: str | None,
) -> Sequence[Text]:
    unmet: dict[Text, list[str]] = {}
    for name in names:
        sentence = _sentence(name, files, folders, is_denied=bool(denied_to))
        is_unfinished = writing == name and any(mentions.may_become(name, each) for each in files.values())
        if sentence is not None and not (sentence is _UNKNOWN and is_unfinished):
            unmet.setdefault(sentence, []).append(f"“{shortened(mentions.shown_name(name), _LONGEST_NAMED)}”")
    return [
        sentence.filled(names=(*found[:_MOST_NAMED], *("…" for _ in found[_MOST_NAMED:][:1])), provider=denied_to)
        for sentence, found in unmet.items()
    ]


def _sentence(
    name: str, files: dict[FileState, mentions.Keyed], folders: Sequence[Path], *, is_denied: bool
) -> Text | None:
    if mentions.matching(name, files[FileState.READ]):
        return _DENIED if is_denied else None
    for state, sentence in _OF_STATE.items():
        if mentions.matching(name, files[state]):
            return sentence
    if any(_is_there(folder, name) for folder in folders):
        return _LEFT_OUT
    return None if mentions.is_code(name) else _UNKNOWN


def _is_there(folder: Path, name: str) -> bool:
    """Return whether a folder has a file or folder of this name, whatever it is; nothing outside is looked at."""
    parts = name.rstrip("/").split("/")
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
        return False
    at = folder
    for part in parts[:-1]:
        at /= part
        if at.is_symlink():
            return False
    return os.path.lexists(at / parts[-1])
