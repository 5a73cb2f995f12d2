"""The trash and the clock: what is removed for good is removed late rather than early."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from chatdesk.core.chat.trash import TrashService
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.prompt import NewPrompt, PromptKind
from chatdesk.core.domain.summary import NewSummary, SummaryAuthor
from chatdesk.core.events import EventBus
from chatdesk.core.storage.chat.artifacts import ArtifactRepository
from chatdesk.core.storage.engine.connection import connect_to_read
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.storage.search.store import SearchStore
from tests.helpers.checks import search_faults
from tests.helpers.erased_words import files_with, places_with
from tests.helpers.store import PLAN, MovableClock, Store

_HOUR_MS = 3600 * 1000
_DAY_MS = 24 * _HOUR_MS
_NOW_MS = 1_800_000_000_000
_WORD = "Zwetschgen"
_SUM = "0" * 64


async def test_a_clock_that_was_set_forward_removes_nothing_until_it_has_run_on_for_days(tmp_path: Path) -> None:
    clock = MovableClock(_NOW_MS)
    store = Store(tmp_path / "chatdesk.db", clock)
    await store.db.open()
    deleted, archived = await store.thread(), await store.thread()
    await store.library.delete([deleted])
    await store.library.set_flag([archived], "archived_at", clock.now_ms(), "archive")
    prompts = Repositories.of(store.db).prompts
    (prompt,) = await prompts.add([NewPrompt(next(iter(PromptKind)), "Greet", "Hello")])
    await prompts.set_deleted([prompt.id], is_deleted=True)

    async def kept(*, ahead_ms: int) -> list[object]:
        """Sweep at a later time; the threads that are still there, those in the trash among them, and the prompt."""
        clock.now += ahead_ms
        trash = TrashService(Repositories.of(store.db), EventBus())
        await trash.sweep(trash_days=30, archive_days=60)
        rows = await store.db.read(
            lambda conn: conn.exec_driver_sql(
                "SELECT count(*), sum(deleted_at IS NOT NULL), (SELECT max(name) FROM prompts) FROM threads"
            ).one()
        )
        return list(rows)

    all_of_it = [2, 1, "Greet"]
    assert await kept(ahead_ms=0) == all_of_it
    assert await kept(ahead_ms=365 * _DAY_MS) == all_of_it
    await store.reopen()
    for _hour in range(71):
        assert await kept(ahead_ms=_HOUR_MS) == all_of_it
    assert await kept(ahead_ms=-367 * _DAY_MS) == all_of_it  # it is set right
    assert await kept(ahead_ms=7 * _DAY_MS) == all_of_it
    assert await kept(ahead_ms=365 * _DAY_MS) == all_of_it
    assert await kept(ahead_ms=3 * _DAY_MS) == [1, 1, ""]  # nobody was here for a year; the archived one moved
    await store.db.close()


async def test_what_was_deleted_while_the_clock_was_behind_stays_as_long_as_anything_else(tmp_path: Path) -> None:
    clock = MovableClock(_NOW_MS)
    store = Store(tmp_path / "chatdesk.db", clock)
    await store.db.open()
    trash = TrashService(Repositories.of(store.db), EventBus())
    prompts = Repositories.of(store.db).prompts
    thread, _kept = await store.thread(), await store.thread()
    empty = await store.projects.create("Empty")
    (prompt,) = await prompts.add([NewPrompt(next(iter(PromptKind)), "Greet", "Hello")])

    async def deleted() -> tuple[object, ...]:
        """Read what of the project and of the prompt is still there."""
        names = "SELECT (SELECT name FROM projects WHERE deleted_at IS NOT NULL), (SELECT name FROM prompts)"
        return tuple(await store.db.read(lambda conn: conn.exec_driver_sql(names).one()))

    async def gone(*, at_ms: int) -> int:
        clock.now = at_ms
        return await trash.sweep(trash_days=30)

    assert await gone(at_ms=_NOW_MS) == 0
    clock.now = _NOW_MS - 400 * _DAY_MS
    await store.library.delete([thread])
    await store.library.delete_project(empty.id)
    await prompts.set_deleted([prompt.id], is_deleted=True)
    assert await gone(at_ms=_NOW_MS + _HOUR_MS) == 0
    for day in range(1, 30, 5):
        assert await gone(at_ms=_NOW_MS + day * _DAY_MS) == 0
        assert await deleted() == ("Empty", "Greet")
    assert await gone(at_ms=_NOW_MS + 31 * _DAY_MS) == 1
    assert await deleted() == (None, "")
    await store.db.close()


async def _written(store: Store, project_id: str, word: str) -> tuple[str, str]:
    """A thread that holds a word wherever a private one can, and its last question, which holds ``_WORD``."""
    repositories = Repositories.of(store.db)
    thread = (await store.threads.create(project_id, f"{word} first", provider="offline", model="demo")).id
    await store.threads.rename(thread, f"{word} later")
    await repositories.system_prompts.change(threads={thread: f"Be {word}"}, projects={})
    file = Attachment(f"{word}.txt", "text/plain", _SUM, 5)
    question, answer, _ = await store.messages.add_question(thread, f"{word}?", with_answer=PLAN, attachments=(file,))
    assert answer is not None
    await store.answer(answer.id, f"Ripe {word}")
    await repositories.summaries.add(
        NewSummary(thread, question.id, answer.id, f"of {word}", 5, SummaryAuthor.MODEL, "o", "m")
    )
    await ArtifactRepository(store.db).store_text(_SUM, f"read from the {word}", None)
    last, _ = await store.ask(thread, f"more {_WORD}")
    await store.drafts.save(thread, f"unsent {word}", 3)
    return thread, last


@pytest.mark.parametrize("what", ["a message", "a thread", "a project"])
async def test_words_that_are_removed_for_good_are_in_no_file_of_the_profile(tmp_path: Path, what: str) -> None:
    """While it is open, its log included, and though somebody was reading when the log was to be emptied."""
    store = Store(tmp_path / "chatdesk.db", MovableClock(_NOW_MS))
    await store.db.open()
    trash, search = TrashService(Repositories.of(store.db), EventBus()), SearchStore(store.db)
    project = await store.projects.create(f"The {_WORD}" if what == "a project" else "Fruit")
    thread, last = await _written(store, project.id, "Kirschen" if what == "a message" else _WORD)
    for number in range(30):  # the index has several parts, some of which the removal would not touch
        await store.ask(await store.thread(f"Kept {number}"), f"apple {number}")
    if what == "a message":
        await store.paths.delete(last, with_later=True)
    elif what == "a thread":
        await store.library.delete([thread])
        await trash.empty()
    else:
        await store.library.delete_project(project.id)
    store.clock.now += 60_000
    await trash.sweep(trash_days=0)
    await ArtifactRepository(store.db).forget_texts([_SUM])
    with closing(connect_to_read(store.path)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM messages").fetchone()
        while await search.fill_batch() is not None:
            pass
    assert await search.fill_batch() is None
    assert await store.db.read(partial(places_with, word=_WORD)) == set()
    assert files_with(tmp_path, _WORD) == []
    assert await search_faults(store.db) == []
    await search.close()
    await store.db.close()
