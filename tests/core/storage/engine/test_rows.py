"""Reading rows in batches."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatdesk.core.storage.chat.context_store import ContextRepository
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.rows import id_batches
from tests.helpers.store import MovableClock, Store


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 64, 65, 499, 500, 501, 1_200])
def test_every_id_is_in_a_batch_and_no_other(count: int) -> None:
    ids = [str(number) for number in range(count)]
    found = list(id_batches(ids))
    assert [each for batch in found for each in dict.fromkeys(batch)] == ids
    assert all(len(batch).bit_count() == 1 for batch in found)


async def test_a_thread_that_grows_is_read_with_few_statements(tmp_path: Path) -> None:
    """Each that a connection keeps is some ten kilobytes, for as long as a window is open."""
    store = Store(tmp_path / "chatdesk.db", MovableClock())
    await store.db.open()
    context, said = ContextRepository(store.db), set[str]()
    await store.db.read(
        lambda conn: driver(conn).set_trace_callback(lambda sql: said.add(re.sub("'[^']*'|[0-9]+", "?", sql)))
    )
    thread = await store.thread()
    kinds: list[int] = []
    for turn in range(24):
        await store.ask(thread, f"question {turn}")
        await store.messages.page(thread, limit=64)
        await context.tail(thread, "cl100k_base", before=None, limit=64)
        kinds.append(len(said))
    assert kinds[-1] - kinds[7] <= 8  # that many as a size of 32 and one of 64 need
    await store.db.close()
