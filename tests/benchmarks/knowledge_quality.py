"""Rows of finding in a project's files: how often a passage with the answer is found, against words alone, how fast.

``python -m tests.benchmarks.knowledge_quality`` measures the quality alone, and prints which questions missed their
answer, but for those that are kept aside.
"""

from __future__ import annotations

import asyncio
import json
import math
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from chatdesk.core.clock import Clock
from chatdesk.core.domain.knowledge import FoundPassage, SourceKind
from chatdesk.core.events import EventBus
from chatdesk.core.knowledge.knowledge_service import KnowledgeService
from chatdesk.core.paths import AppPaths, encodings_dir
from chatdesk.core.storage.chat.projects import ProjectRepository
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.services.web_tools import page_reader
from tests.benchmarks.processes import python
from tests.benchmarks.table import Row, against, printed
from tests.helpers.knowledge_collections import KINDS, Question, make_collections, plain, questions

_FIRST = 5
_RANKED = 10
_MOST_FOUND = 50
_LEAST_HITS = 0.85
_LEAST_GAIN = 1.10
_ANSWERS = 3  # the grade of a passage with the answer; another one of the right file has 1


@dataclass(frozen=True, slots=True)
class Judged:
    """The grades of what a question found, the best first: by all, and by words alone. ``ideal`` is the best order of
    all passages that either found, and of one with the answer."""

    question: Question
    by_all: list[int]
    by_words: list[int]
    ideal: list[int]


def measuring(folder: Path, is_quick: bool) -> list[Row]:
    folder.mkdir(parents=True)
    rows = quality_rows(asyncio.run(judged_questions(folder / "quality")))
    rows += _speed_rows(folder / "speed", 10_000 if is_quick else 100_000)
    return rows + _window_rows(folder / "window", 1 if is_quick else 5)


async def judged_questions(folder: Path) -> list[Judged]:
    """Ask each question in a project that has its collection."""
    collections = make_collections(folder / "collections")
    async with opened_files(folder / "data") as (files, projects):
        project_ids = {}
        for name, collection in collections.items():
            project_ids[name] = (await projects.create(name, "#5B7DB1")).id
            await files.add(project_ids[name], SourceKind.FOLDER, str(collection))
        await files.wait_until_read()
        for name, collection in collections.items():
            (status,) = await files.statuses(project_ids[name])
            assert status.read == sum(path.is_file() for path in collection.rglob("*")), status
        return [await _judged(files, project_ids[each.collection], each) for each in questions()]


@asynccontextmanager
async def opened_files(data: Path) -> AsyncIterator[tuple[KnowledgeService, ProjectRepository]]:
    """Open the files of projects of a new or a filled profile."""
    paths = AppPaths.find(str(data))
    database = ProfileDatabase(data / "chatdesk.db", clock=Clock(), backup_dir=data / "backups")
    await database.open()
    files = KnowledgeService(database, paths, EventBus(), vectors_dir=encodings_dir(), make_pages=page_reader)
    try:
        yield files, ProjectRepository(database)
    finally:
        await files.close()
        await database.close()


async def _judged(files: KnowledgeService, project_id: str, question: Question) -> Judged:
    by_all = await files.search(project_id, question.question, limit=_RANKED)
    more = await files.search(project_id, question.question, limit=_MOST_FOUND)
    ranks = {each.by_words: each for each in more if each.by_words is not None}
    by_words = [ranks[rank] for rank in sorted(ranks)][:_RANKED]
    seen = [_grade(question, each) for each in {each.id: each for each in (*by_all, *more)}.values()]
    ideal = sorted(seen if _ANSWERS in seen else [_ANSWERS, *seen], reverse=True)
    return Judged(
        question,
        [_grade(question, each) for each in by_all],
        [_grade(question, each) for each in by_words],
        ideal[:_RANKED],
    )


def _grade(question: Question, found: FoundPassage) -> int:
    if found.file.path != question.file:
        return 0
    return _ANSWERS if plain(question.answer) in plain(found.passage.text) else 1


def quality_rows(judged: Sequence[Judged]) -> list[Row]:
    """Return rows over all questions, those kept aside and the others, with goals; and over collections and kinds."""
    aside = [each for each in judged if each.question.is_kept_aside]
    parts = {"all": judged, "kept aside": aside, "not kept aside": [each for each in judged if each not in aside]}
    rows = [row for name, part in parts.items() for row in _rows_over(name, part, _LEAST_HITS, _LEAST_GAIN)]
    collections = sorted({each.question.collection for each in judged})
    for name in (*collections, *KINDS):
        rows += _rows_over(name, [each for each in judged if name in (each.question.collection, each.question.kind)])
    return rows


def _rows_over(name: str, judged: Sequence[Judged], least_hits: float = 0, least_gain: float = 0) -> list[Row]:
    """Return rows of hits and of nDCG, each against words alone. A goal of 0 is none."""
    hits, hits_by_words = _hits(judged, _ANSWERS)
    files, files_by_words = _hits(judged, 1)
    gain = _mean(_gain(each.by_all) / _gain(each.ideal) for each in judged)
    gain_by_words = _mean(_gain(each.by_words) / _gain(each.ideal) for each in judged)
    hit_goal = f"at least {least_hits}" if least_hits else "no goal"
    gain_goal = f"at least {least_gain:.2f} times words alone" if least_gain else "no goal"
    is_better = gain >= least_gain * gain_by_words
    return [
        _row(f"{name}: hit@{_FIRST}, {len(judged)} questions", hits, hits_by_words, hit_goal, hits >= least_hits),
        _row(f"{name}: right file among {_FIRST}", files, files_by_words, "no goal", reached=True),
        _row(f"{name}: nDCG@{_RANKED}", gain, gain_by_words, gain_goal, is_better),
    ]


def _row(name: str, value: float, by_words: float, goal: str, reached: bool) -> Row:
    return Row(name, value, "", goal, reached, by_words, value / max(by_words, 1e-9))


def _hits(judged: Sequence[Judged], least: int) -> tuple[float, float]:
    """Return in which share of questions something of at least this grade is among the first: by all, by words."""
    by_all, by_words = (
        _mean(max(grades[:_FIRST], default=0) >= least for grades in lists)
        for lists in ([each.by_all for each in judged], [each.by_words for each in judged])
    )
    return by_all, by_words


def _gain(grades: Sequence[int]) -> float:
    return sum((2**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades, 1))


def _mean(values: Iterable[float]) -> float:
    kept = list(values)
    return sum(kept) / len(kept)


def _speed_rows(folder: Path, passages: int) -> list[Row]:
    """Questions over many passages, in a process that did not fill the profile."""
    python("-m", "tests.benchmarks.knowledge_probe", str(folder), str(passages))
    found = json.loads(python("-m", "tests.benchmarks.knowledge_probe", str(folder)).splitlines()[-1])
    most_ms = 60 if passages <= 100_000 else 250
    rows = []
    for words, took in found["asked"].items():
        name = f"a question of {words} words, {passages:,} passages"
        rows.append(Row(name, took["ms"], "ms", f"at most {most_ms} ms", took["ms"] <= most_ms))
        goal = "at most 1.5 times FTS5 and a product of all vectors"
        rows.append(against(f"{name}, CPU", took["cpu_ms"], took["bare_cpu_ms"], unit="ms", most=1.5, goal=goal))
    size, bare_size = found["database_mb"], found["bare_mb"]
    goal = "at most 1.2 times rows, index and vectors"
    return [*rows, against(f"database of {passages:,} passages", size, bare_size, unit="MB", most=1.2, goal=goal)]


def _window_rows(folder: Path, megabytes: int) -> list[Row]:
    """The slices of the window's thread while 300 mixed files and a folder of texts are read."""
    data, files = folder / "data", folder / "files"
    said = python("-m", "tests.benchmarks.knowledge_window_probe", str(data), str(files), str(megabytes))
    slices = sorted(json.loads(said.splitlines()[-1])["cpu_ms"])
    p99 = slices[int(len(slices) * 0.99)]
    name = f"window's slices (CPU) while 300 files and {megabytes} MB of text are read"
    return [
        Row(f"{name}, median", statistics.median(slices), "ms", "told only", True),
        Row(f"{name}, p99", p99, "ms", "at most 8 ms", p99 <= 8),
        Row(f"{name}, largest", slices[-1], "ms", "told only", True),
    ]


def _print_quality() -> None:
    with tempfile.TemporaryDirectory(prefix="chatdesk-bench-") as folder:
        judged = asyncio.run(judged_questions(Path(folder)))
    print(printed(quality_rows(judged)))
    for each in judged:
        if not each.question.is_kept_aside and _ANSWERS not in each.by_all[:_FIRST]:
            print(f"missed: {each.question.question} ({each.question.file}; {each.question.answer}): {each.by_all}")


if __name__ == "__main__":
    sys.exit(_print_quality())
