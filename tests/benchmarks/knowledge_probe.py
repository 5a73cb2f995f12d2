"""Times questions over many passages of Zipf words: ``python -m tests.benchmarks.knowledge_probe FOLDER [PASSAGES]``.

With PASSAGES, fills the profile in FOLDER, and beside it a bare database; ``make bench`` takes 100,000, a million are
filled by hand. Without, asks 20 questions of usual words there, and 20 of common ones, and prints what they took.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from chatdesk.core.domain.knowledge import (
    OWN_DIMENSIONS,
    OWN_VECTORS,
    FileState,
    KnowledgeSource,
    Passage,
    SourceKind,
)
from chatdesk.core.knowledge.word_vectors import quantised, signs_of
from tests.benchmarks.knowledge_quality import opened_files
from tests.helpers.zipf_texts import ZipfTexts

_OF_A_FILE = 40
_CHARACTERS = 1_600  # about 400 tokens
_QUESTIONS = 20
_FOUND = 8
_MULTIPLIED = 100_000
# From where to where the words of a question stand among all words, the most common first. Of usual ones, one is in a
# tenth of the passages, two in a hundredth, two in a thousandth; of common ones, each is in a tenth of them or more.
_RANKS = {
    "usual": ((150, 300), (2_000, 4_000), (2_000, 4_000), (20_000, 40_000), (20_000, 40_000)),
    "common": ((20, 65), (20, 65), (65, 200), (65, 200), (65, 200)),
}


async def fill(folder: Path, passages: int) -> None:
    texts, choice = ZipfTexts(characters=_CHARACTERS), np.random.default_rng(7)
    async with opened_files(folder) as (files, projects):
        project = await projects.create("Many files", "#5B7DB1")
        source = await files.repository.add(KnowledgeSource("", project.id, SourceKind.FOLDER, "/many"))
        await files.repository.list_files(source.id, {f"{n:06}.txt": "1" for n in range(passages // _OF_A_FILE)})
        with sqlite3.connect(folder / "bare.db") as bare:
            bare.execute("CREATE TABLE passages (n INTEGER PRIMARY KEY, text, vector)")
            bare.execute(
                "CREATE VIRTUAL TABLE words USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2')"
            )
            for file in await files.repository.files(source.id):
                found = [texts.text() for _ in range(_OF_A_FILE)]
                vectors = quantised(choice.standard_normal((_OF_A_FILE, OWN_DIMENSIONS), np.float32))
                await files.repository.keep_text(
                    replace(file, state=FileState.READ, stamp="1", mime="text/plain", characters=sum(map(len, found))),
                    [Passage(0, len(text), text) for text in found],
                    [row.tobytes() for row in vectors],
                    vectors_by=OWN_VECTORS,
                    signs=signs_of(vectors).tobytes(),
                )
                for text, row in zip(found, vectors, strict=True):
                    number = bare.execute("INSERT INTO passages (text, vector) VALUES (?, ?)", (text, row.tobytes()))
                    bare.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (number.lastrowid, text))
        bare.close()


async def ask(folder: Path) -> dict[str, Any]:
    words, choice = ZipfTexts(characters=_CHARACTERS).words, random.Random(7)
    bare = sqlite3.connect(f"file:{folder / 'bare.db'}?mode=ro", uri=True)
    bare.execute("PRAGMA cache_size=-16000")
    rows = [row[0] for row in bare.execute("SELECT vector FROM passages LIMIT ?", (_MULTIPLIED,))]
    matrix = np.frombuffer(b"".join(rows), np.int8).reshape(len(rows), OWN_DIMENSIONS).astype(np.float32)
    times = bare.execute("SELECT count(*) FROM passages").fetchone()[0] / len(rows)
    asked: dict[str, Any] = {}
    async with opened_files(folder) as (files, projects):
        project = next(each for each in await projects.list() if each.name == "Many files")
        for name, ranks in _RANKS.items():
            ours, ours_cpu, theirs_cpu = [], [], []
            for _ in range(_QUESTIONS + 1):
                some = [choice.choice(words[slice(*each)]) for each in ranks]
                began, cpu = time.perf_counter(), time.process_time()
                found = await files.search(project.id, " ".join(some), limit=_FOUND)
                ours.append(time.perf_counter() - began)
                ours_cpu.append(time.process_time() - cpu)
                assert len(found) == _FOUND
                theirs_cpu.append(_bare_s(bare, some, matrix, times))
            asked[name] = {
                "ms": statistics.median(ours[1:]) * 1000,
                "cpu_ms": statistics.median(ours_cpu[1:]) * 1000,
                "bare_cpu_ms": statistics.median(theirs_cpu[1:]) * 1000,
            }
    bare.close()
    return {
        "asked": asked,
        "database_mb": (folder / "chatdesk.db").stat().st_size / 1e6,
        "bare_mb": (folder / "bare.db").stat().st_size / 1e6,
    }


def _bare_s(bare: sqlite3.Connection, words: list[str], matrix: np.ndarray[Any, Any], times: float) -> float:
    """Return the processor time of the best passages by bare FTS5, and of the products of all vectors with one."""
    began = time.process_time()
    query = " OR ".join(f'"{word}"' for word in words)
    bare.execute("SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT 50", (query,)).fetchall()
    ranked = time.process_time()
    np.argpartition(matrix @ matrix[0], -50)
    return ranked - began + (time.process_time() - ranked) * times


if __name__ == "__main__":
    place = Path(sys.argv[1])
    if len(sys.argv) > 2:
        place.mkdir(parents=True, exist_ok=True)
        asyncio.run(fill(place, int(sys.argv[2])))
    else:
        print(json.dumps(asyncio.run(ask(place))))
