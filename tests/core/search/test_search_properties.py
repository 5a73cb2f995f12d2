"""Searches agree with reading everything; the index agrees with the texts after any sequence of changes."""

from __future__ import annotations

import asyncio
import random
import re
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from chatdesk.core.domain.search import SearchKind
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.ids import new_id
from tests.core.search.conftest import SearchWorld
from tests.helpers.examples import examples
from tests.helpers.store import MovableClock

WORDS = ("gull", "tern", "heron", "Stork", "ÉGRET", "塔京", "京塔", "a-b", "c++")
PROJECTS = ("Work", "Home")
TAGS = ("api", "apiary")
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # each example fills a database: shrinking takes minutes


@dataclass(frozen=True)
class _Row:
    words: frozenset[str]
    text: str
    role: str
    project: str
    tags: frozenset[str]
    is_pinned: bool
    is_archived: bool
    is_trashed: bool
    has_code: bool


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


class _Library:
    """A small database of random content, and the same as plain rows."""

    def __init__(self, world: SearchWorld, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.rows: list[_Row] = []

    async def fill(self) -> None:
        world, rng = self.world, self.random
        projects = [(await world.projects.create(name)).id for name in PROJECTS]
        tags = {name: new_id() for name in TAGS}
        await world.db.write(lambda conn: _add_tags(conn, tags))
        for number in range(8):
            place = rng.randrange(2)
            thread = (await world.threads.create(projects[place], f"T{number}", provider=None, model=None)).id
            of_thread = frozenset(name for name in TAGS if rng.random() < 0.4)
            await world.db.write(
                lambda conn, thread=thread, names=of_thread: [
                    conn.exec_driver_sql("INSERT INTO thread_tags VALUES (?, ?)", (thread, tags[name]))
                    for name in names
                ]
            )
            pending = []
            for _ in range(rng.randrange(5)):
                words = rng.choices(WORDS, k=rng.randrange(1, 5))
                has_code = rng.random() < 0.3
                text = " ".join(words) + (" ```x```" if has_code else "")
                question, _ = await world.ask(thread, text)
                is_deleted = rng.random() < 0.2
                if is_deleted:
                    await world.paths.delete(question, with_later=False)
                pending.append((text, "user", is_deleted, has_code))
                pending.append((f"answer to {text}", "assistant", False, has_code))
            is_pinned, is_archived, is_trashed = (rng.random() < 0.3 for _ in range(3))
            if is_pinned:
                await world.library.set_flag([thread], "pinned_at", 1_800_000_000_000, "pinned")
            if is_archived:
                await world.library.set_flag([thread], "archived_at", 1_800_000_000_000, "archived")
            if is_trashed:
                await world.library.delete([thread])
            self.rows += [
                _Row(
                    _words(text), text, role, PROJECTS[place], of_thread, is_pinned, is_archived,
                    is_trashed or is_deleted, has_code,
                )
                for text, role, is_deleted, has_code in pending
            ]  # fmt: skip


class _Libraries:
    """Databases by seed, each filled when it is first asked for; searching changes none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[int, list[_Row]] = {}

    def of(self, seed: int) -> tuple[Path, list[_Row]]:
        path = self._folder / str(seed) / "chatdesk.db"
        if seed not in self._rows:
            _run(self._fill(path, seed))
        return path, self._rows[seed]

    async def _fill(self, path: Path, seed: int) -> None:
        world = SearchWorld(path, MovableClock())
        await world.db.open()
        try:
            library = _Library(world, seed)
            await library.fill()
            self._rows[seed] = library.rows
        finally:
            await world.close()


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> _Libraries:
    return _Libraries(tmp_path_factory.mktemp("libraries"))


def _add_tags(conn: Connection, tags: dict[str, str]) -> None:
    for name, tag in tags.items():
        conn.exec_driver_sql(
            "INSERT INTO tags (id, name, name_folded, created_at) VALUES (?, ?, ?, 1)", (tag, name, name)
        )


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W_]+", text.lower().replace("é", "e")))


def _holds(row: _Row, term: str) -> bool:
    if term in ("京", "塔", "塔京", "京塔"):
        return term in re.sub(r"[\W_]", "", row.text)  # a line's end does not part such a word
    return all(word in row.words for word in _words(term))


_TERMS = st.sampled_from(["gull", "tern", "HERON", "stork", "egret", "Égret", "京", "塔京", "missing"])
_FILTERS = {
    "project:work": lambda row: row.project == "Work",
    "-project:home": lambda row: row.project != "Home",
    "project:w": lambda row: row.project == "Work",
    "tag:api": lambda row: "api" in row.tags,
    "tag:apia": lambda row: "apiary" in row.tags,
    "-tag:api": lambda row: "api" not in row.tags,
    "role:user": lambda row: row.role == "user",
    "-role:user": lambda row: row.role != "user",
    "is:pinned": lambda row: row.is_pinned,
    "-is:pinned": lambda row: not row.is_pinned,
    "is:archived": lambda row: row.is_archived,
    "is:trashed": lambda row: row.is_trashed,
    "has:code": lambda row: row.has_code,
    "-has:code": lambda row: not row.has_code,
    "before:2100": lambda row: True,
    "after:2100": lambda row: False,
    "model:demo": lambda row: row.role == "assistant",
}


@settings(max_examples=examples(25), deadline=None, phases=_PHASES)
@given(
    seed=st.integers(0, 5),
    queries=st.lists(
        st.tuples(
            st.lists(_TERMS, max_size=2),
            st.lists(_TERMS, max_size=1),
            st.lists(st.sampled_from(sorted(_FILTERS)), max_size=3, unique=True),
        ),
        min_size=5,
        max_size=15,
    ),
)
def test_filters_and_words_find_what_reading_everything_finds(
    libraries: _Libraries, seed: int, queries: list[tuple[list[str], list[str], list[str]]]
) -> None:
    path, rows = libraries.of(seed)

    async def work() -> None:
        world = SearchWorld(path, MovableClock())
        await world.db.open()
        try:
            for words, excluded, filters in queries:
                await _compare(world, rows, words, excluded, filters)
            assert await world.faults() == []
        finally:
            await world.close()

    _run(work())


async def _compare(
    world: SearchWorld, rows: list[_Row], words: list[str], excluded: list[str], filters: list[str]
) -> None:
    text = " ".join([*words, *(f"-{word}" for word in excluded), *filters])
    wanted_projects = [name for name in filters if name.startswith("project:")]

    def fits(row: _Row) -> bool:
        return (
            (row.is_trashed if "is:trashed" in filters else not row.is_trashed)
            and all(_holds(row, word) for word in words)
            and not any(_holds(row, word) for word in excluded)
            and all(_FILTERS[name](row) for name in filters if name not in wanted_projects)
            and (not wanted_projects or any(_FILTERS[name](row) for name in wanted_projects))
        )

    expected = [] if not words and not filters else [row for row in rows if fits(row)]
    group = (await world.groups(text, limit=500, kinds={SearchKind.MESSAGE})).get(SearchKind.MESSAGE)
    count = 0 if group is None else group.count
    assert count == len(expected), text


@settings(max_examples=examples(12), deadline=None, phases=_PHASES)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 50), st.text(max_size=12)), max_size=25))
def test_the_index_holds_the_texts_after_any_changes(steps: list[tuple[int, int, str]]) -> None:
    async def work() -> None:
        with tempfile.TemporaryDirectory() as folder:
            world = SearchWorld(Path(folder) / "data" / "chatdesk.db", MovableClock())
            await world.db.open()
            try:
                threads = [await world.thread("One"), await world.thread("Two")]
                messages = list(await world.ask(threads[0], "the first"))
                for kind, place, text in steps:
                    try:
                        await _step(world, threads, messages, kind, place, text)
                    except ChatDeskError:
                        continue  # what cannot be done changes nothing, which is what is looked at
                assert await world.faults() == []
                await world.groups(" ".join(text for _, _, text in steps), is_typing=True)
            finally:
                await world.close()

    _run(work())


async def _step(world: SearchWorld, threads: list[str], messages: list[str], kind: int, place: int, text: str) -> None:
    thread, message = threads[place % len(threads)], messages[place % len(messages)]
    if kind <= 2:
        messages += await world.ask(thread, text or "words")
    elif kind == 3:
        await world.threads.rename(thread, text or "A title")
    elif kind == 4:
        await world.paths.delete(message, with_later=bool(place % 2))
    elif kind == 5:
        await world.library.delete([thread])
        await world.trash.purge_expired(world.clock.now + 1)
        threads.append(await world.thread(text or "Another"))
    elif kind == 6:
        threads.append((await world.paths.branch(message, text or "Branch")).id)
    elif kind == 7:
        await world.rebuild()
        await world.search.fill(pause=0)
    else:
        await world.paths.restore(message)
