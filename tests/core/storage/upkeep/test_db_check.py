"""A check tells what is in the file, also to a connection that was open while others wrote."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.storage.engine.connection import driver, open_to_read
from chatdesk.core.storage.upkeep.db_check import check_database
from tests.helpers.store import Store

_WORDS = 400


def _hits(conn: Connection) -> list[list[int]]:
    query = "SELECT rowid FROM search_index WHERE search_index MATCH ? ORDER BY rowid"
    return [[row[0] for row in driver(conn).execute(query, (f"word{n}",))] for n in range(_WORDS)]


def _checked(conn: Connection) -> list[str]:
    return [str(each) for thorough in (False, True) for each in check_database(conn, is_thorough=thorough)]


def _nothing(_conn: Connection) -> None:
    pass


@pytest.mark.parametrize("before", [_checked, _hits, _nothing])
async def test_what_others_wrote_is_sound_and_found(store: Store, before: Callable[[Connection], object]) -> None:
    thread = await store.thread()

    async def write(first: int, last: int) -> None:
        for number in range(first, last):  # long enough for segments of the index to be merged into others
            await store.ask(thread, " ".join(f"word{(number + n) % _WORDS} only{number}x{n}" for n in range(1500)))

    await write(0, 4)
    with open_to_read(store.path) as old:
        with old.begin():
            before(old)
        await write(4, 9)
        with old.begin(), open_to_read(store.path) as new, new.begin():
            assert _checked(old) == []
            assert _hits(old) == _hits(new)
            assert sum(map(len, _hits(new))) == 9 * 2 * _WORDS
            assert _checked(new) == []
