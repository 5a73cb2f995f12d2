"""A profile with one project, and the stores of its files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chatdesk.core.domain.knowledge import (
    OWN_VECTORS,
    FileState,
    FoundPassage,
    KnowledgeSource,
    KnownFile,
    Passage,
    SourceKind,
)
from chatdesk.core.knowledge.finding import Finder
from chatdesk.core.knowledge.word_vectors import WordVectors, signs_of
from chatdesk.core.paths import encodings_dir
from chatdesk.core.storage.knowledge.passage_index import PassageIndex
from chatdesk.core.storage.knowledge.sources import KnowledgeRepository
from tests.helpers.store import MovableClock, Store


@dataclass
class Files:
    """Puts texts into the files of projects without reading any, and looks for them."""

    store: Store
    repository: KnowledgeRepository
    index: PassageIndex
    finder: Finder
    vectors: WordVectors
    project_id: str

    async def source(self, place: str = "/files", project_id: str | None = None) -> KnowledgeSource:
        return await self.repository.add(KnowledgeSource("", project_id or self.project_id, SourceKind.FOLDER, place))

    async def keep(self, source: KnowledgeSource, path: str, *texts: str, has_vectors: bool = True) -> KnownFile:
        """Store a file with these passages in the place of what was known of it."""
        known = {each.path: each.stamp for each in await self.repository.files(source.id)}
        await self.repository.list_files(source.id, {**known, path: "new"})
        file = next(each for each in await self.repository.files(source.id) if each.path == path)
        ends = [sum(len(text) + 1 for text in texts[: at + 1]) for at in range(len(texts))]
        passages = [Passage(end - len(text) - 1, end - 1, text) for text, end in zip(texts, ends, strict=True)]
        read = replace(file, state=FileState.READ, stamp="new", mime="text/plain", characters=sum(map(len, texts)))
        rows = self.vectors.embed(texts) if has_vectors and texts else None
        await self.repository.keep_text(
            read,
            passages,
            [row.tobytes() for row in rows] if rows is not None else [],
            vectors_by=OWN_VECTORS if rows is not None else "",
            signs=signs_of(rows).tobytes() if rows is not None else b"",
        )
        return read

    async def find(self, question: str, *, limit: int = 5, project_id: str | None = None) -> tuple[FoundPassage, ...]:
        return await self.finder.find(project_id or self.project_id, question, limit=limit)

    async def paths(self, question: str) -> list[str]:
        return [each.file.path for each in await self.find(question)]


@pytest.fixture(scope="session")
def word_vectors() -> WordVectors:
    return WordVectors(encodings_dir())


@pytest.fixture
async def files(tmp_path: Path, word_vectors: WordVectors) -> AsyncIterator[Files]:
    store = Store(tmp_path / "data" / "chatdesk.db", MovableClock())
    await store.db.open()
    repository, index = KnowledgeRepository(store.db), PassageIndex(store.db.path)
    project = await store.projects.create("Files", "#5B7DB1")
    yield Files(
        store, repository, index, Finder(lambda: repository.revision, index, word_vectors), word_vectors, project.id
    )
    await index.close()
    await store.db.close()
