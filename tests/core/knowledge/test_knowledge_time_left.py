"""Tests that a source that is being read says how long its rest takes, and others say nothing."""

from __future__ import annotations

from chatdesk.core.domain.knowledge import KnowledgeSource
from tests.core.knowledge.conftest import Files


async def _half_read(files: Files, *, waiting: int) -> KnowledgeSource:
    """A source of which ten files were read, one each second."""
    source = await files.source()
    for number in range(10):
        files.store.clock.now += 1_000
        await files.keep(source, f"{number}.md", "Text.", has_vectors=False)
    stamps = {each.path: each.stamp for each in await files.repository.files(source.id)}
    await files.repository.list_files(source.id, {**stamps, **{f"new{at}.md": "new" for at in range(waiting)}})
    return source


async def _left(files: Files) -> list[int | None]:
    return [each.seconds_left for each in await files.repository.statuses(files.project_id)]


async def test_the_source_being_read_says_how_long_it_takes_and_the_next_one_nothing(files: Files) -> None:
    await _half_read(files, waiting=60)
    later = await files.source("/later")
    await files.repository.list_files(later.id, {f"{at}.md": "new" for at in range(60)})
    first, second = await _left(files)
    assert first is not None and 58 <= first <= 66 and second is None


async def test_nothing_is_said_when_paused_done_or_at_rest(files: Files) -> None:
    source = await _half_read(files, waiting=60)
    await files.repository.change(source.id, is_paused=True)
    assert await _left(files) == [None]
    await files.repository.change(source.id, is_paused=False)
    assert await _left(files) != [None]
    files.store.clock.now += 600_000
    assert await _left(files) == [None]


async def test_a_damaged_time_ends_the_measurement_alone(files: Files) -> None:
    await _half_read(files, waiting=60)
    await files.store.db.write(lambda conn: conn.exec_driver_sql("UPDATE knowledge_files SET read_at = 'soon'"))
    assert await _left(files) == [None]
