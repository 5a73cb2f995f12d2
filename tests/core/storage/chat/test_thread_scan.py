"""Reading through a whole thread: sizes for the scroll bar, and finding words."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat import thread_scan
from tests.helpers.bulk_data import load_many
from tests.helpers.chat_world import chat_world


async def test_sizes_cover_every_message_of_the_path(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread_id = (await load_many(world.database, threads=1, messages_per_thread=50))[0]
        sizes = await world.chat.reader.get_thread_sizes(thread_id)
        assert (sizes.count, sizes.step, sizes.messages) == (50, 1, (1,) * 50)
        assert min(sizes.characters) > 0
        grouped = await world.repositories.outlines.sizes(thread_id, most_groups=7)
        assert (grouped.count, grouped.step) == (50, 8)
        assert grouped.messages == (8, 8, 8, 8, 8, 8, 2)
        assert sum(grouped.characters) == sum(sizes.characters)


async def test_an_empty_thread_has_no_sizes_and_no_matches(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread = (await world.chat.create_thread(None, "T")).thread
        assert (await world.chat.reader.get_thread_sizes(thread.id)).count == 0
        assert (await world.chat.reader.find_in_thread(thread.id, "word")).matches == ()


async def test_words_are_found_over_the_whole_path_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread_scan, "SCAN_STEP", 2)
    async with chat_world(tmp_path) as world:
        thread = (await world.chat.create_thread(None, "T")).thread
        for text in ("A **Bold** word", 'with "quotes" and a \\ and 100%', "Straße ÄPFEL äpfel", "bold BOLD"):
            await world.answer_of(await world.chat.send_message(thread.id, text))

        async def found(text: str) -> list[tuple[int, int]]:
            result = await world.chat.reader.find_in_thread(thread.id, text)
            assert result.is_complete
            assert result.text == text
            return [(match.position, match.count) for match in result.matches]

        assert await found("bold") == [(0, 1), (6, 2)]
        assert await found("bold word") == [(0, 1)]
        assert await found('"quotes"') == [(2, 1)]
        assert await found("a \\ and") == [(2, 1)]
        assert await found("100%") == [(2, 1)]
        assert await found("10_%") == []
        assert await found("äpfel") == [(4, 2)]
        assert await found("**") == []


async def test_only_the_shown_path_is_searched(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        created = await world.chat.create_thread(None, "", "the first wording")
        await world.answer_of(created)
        await world.answer_of(await world.chat.edit_message(created.question.id, "the second one"))
        assert (await world.chat.reader.find_in_thread(created.thread.id, "wording")).matches == ()
        assert len((await world.chat.reader.find_in_thread(created.thread.id, "second")).matches) == 1


async def test_a_search_that_takes_too_long_ends_with_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatdesk.core.chat.message_reader._LONGEST_SEARCH_MS", 0)
    async with chat_world(tmp_path) as world:
        thread = (await world.chat.create_thread(None, "T")).thread
        result = await world.chat.reader.find_in_thread(thread.id, "word")
        assert not result.is_complete


async def test_a_thread_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        assert (await world.chat.reader.find_in_thread(new_id(), "word")).matches == ()


async def test_questions_are_narrowed_by_all_that_they_say(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread = (await world.chat.create_thread(None, "T")).thread
        long = "Straße " + "and so on " * 500 + "the **quince**"
        for text in (long, "pears", "more pears, and a quince"):
            await world.answer_of(await world.chat.send_message(thread.id, text))

        async def found(text: str) -> list[int]:
            positions, start = [], 0
            while start is not None:
                page = await world.chat.reader.list_questions(thread.id, start=start, limit=2, text=text)
                positions += [each.position for each in page.questions]
                assert all(len(each.preview) < 1_000 for each in page.questions)
                start = page.next_position
            return positions

        assert await found("") == [0, 2, 4]
        assert await found("QUINCE") == [0, 4]
        assert await found("quince strasse") == await found("quince STRASSE")
        assert await found("quince pears") == [4]
        assert await found("plums") == []
