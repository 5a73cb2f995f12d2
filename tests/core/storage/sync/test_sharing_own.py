"""What an editor of a shared project may not do with what others made is said at once, not refused later."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.team import TeamRole
from chatdesk.core.domain.thread import TitleSource
from chatdesk.core.errors import SharedNotOwn
from chatdesk.core.storage.chat.system_prompts import SystemPromptRepository
from chatdesk.core.storage.library.library import LibraryRepository
from chatdesk.core.storage.sync import entering, sharing
from tests.helpers.store import Store

WORKSPACE = "0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e"
OTHER = "0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d70"


async def share(store: Store, role: TeamRole, *, author: str | None) -> tuple[str, str, str]:
    """(project, thread, question) of ``author``; None: one's own."""
    thread = await store.thread()
    question, _answer = await store.ask(thread)
    project = (await store.projects.default()).id

    def work(conn: Connection) -> None:
        sharing.start(conn, store.db.origin, project, WORKSPACE, role, "c")
        while entering.log_batch(conn, store.db.origin, project) is not None:
            continue
        conn.exec_driver_sql("UPDATE threads SET author_id = ?", (author,))
        conn.exec_driver_sql("UPDATE messages SET author_id = ?", (author,))

    store.db.write_now(work)
    return project, thread, question


async def log(store: Store) -> list[Any]:
    return await store.db.read(lambda conn: list(conn.exec_driver_sql("SELECT id, state FROM changes ORDER BY n")))


ACTIONS: dict[str, Callable[[Store, str, str, str], Awaitable[object]]] = {
    "rename a thread": lambda s, _p, t, _q: s.threads.rename(t, "x"),
    "delete a thread": lambda s, _p, t, _q: s.library.delete([t]),
    "delete threads": lambda s, _p, t, _q: LibraryRepository(s.db).delete([t]),
    "delete a message": lambda s, _p, _t, q: s.paths.delete(q, with_later=True),
    "prompt of a thread": lambda s, _p, t, _q: SystemPromptRepository(s.db).change(threads={t: "x"}, projects={}),
    "prompt of the project": lambda s, p, _t, _q: SystemPromptRepository(s.db).change(threads={}, projects={p: "x"}),
    "rename the project": lambda s, p, _t, _q: s.projects.change(p, {"name": "x"}),
}


@pytest.mark.parametrize("name", ACTIONS)
async def test_an_editor_is_told_that_it_is_anothers(store: Store, name: str) -> None:
    project, thread, question = await share(store, TeamRole.EDITOR, author=OTHER)
    before = await log(store)
    with pytest.raises(SharedNotOwn) as caught:
        await ACTIONS[name](store, project, thread, question)
    assert "Another member wrote this" in caught.value.sentence
    assert "Ask the person who made it" in caught.value.sentence
    assert await log(store) == before


@pytest.mark.parametrize("name", [each for each in ACTIONS if "project" not in each])
async def test_an_editor_does_everything_with_their_own(store: Store, name: str) -> None:
    await ACTIONS[name](store, *await share(store, TeamRole.EDITOR, author=None))


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("role", [TeamRole.ADMIN, TeamRole.OWNER])
async def test_admins_do_it_with_what_others_made(store: Store, name: str, role: TeamRole) -> None:
    await ACTIONS[name](store, *await share(store, role, author=OTHER))


async def test_what_is_everybodys_stays_possible_for_editors(store: Store) -> None:
    _project, thread, _question = await share(store, TeamRole.EDITOR, author=OTHER)
    await store.threads.set_model(thread, "p", "m")
    await LibraryRepository(store.db).tag([thread], add=["x"], remove=[])
    await store.library.set_flag([thread], "pinned_at", 1_800_000_000_000, "pinned")
    await store.library.set_flag([thread], "archived_at", 1_800_000_000_000, "archived")
    await store.library.set_flag([thread], "archived_at", None, "archived")
    await store.ask(thread, "more")
    assert await store.threads.retitle(thread, "made by a model", TitleSource.MODEL) is None, "nobody asked for it"
