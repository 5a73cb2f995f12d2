"""What may not be done to shared projects, and what is done otherwise there."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.domain.library import LibraryChange
from chatdesk.core.domain.message import ContextMark, PartType, Status
from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.domain.sharing.team import ChangeState, EndReason, TeamRole
from chatdesk.core.domain.summary import NewSummary, SummaryAuthor
from chatdesk.core.domain.thread import TitleSource
from chatdesk.core.domain.turn import StreamChunk, TurnOutcome
from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import NotPossible, SharedReadOnly
from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat.context_store import ContextRepository
from chatdesk.core.storage.chat.summaries import SummaryRepository
from chatdesk.core.storage.chat.system_prompts import SystemPromptRepository
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.library.library import LibraryRepository
from chatdesk.core.storage.sync import entering, outbox, sharing, team
from tests.helpers.checks import integrity_check
from tests.helpers.counters import recounted
from tests.helpers.store import PLAN, Store

T = TypeVar("T")
WORKSPACE = "0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e"


def do(store: Store, work: Callable[[Connection], T]) -> T:
    return store.db.write_now(work)


async def share(store: Store, role: TeamRole = TeamRole.OWNER, project: str | None = None) -> str:
    project_id = project or (await store.projects.default()).id

    def work(conn: Connection) -> frozenset[str]:
        sharing.start(conn, store.db.origin, project_id, WORKSPACE, role, "c")
        while entering.log_batch(conn, store.db.origin, project_id) is not None:
            continue
        return team.read_only_projects(conn)

    store.db.log_watch.read_only = do(store, work)
    return project_id


def sent(store: Store, project: str) -> list[Any]:
    return do(store, lambda conn: outbox.pending(conn, project, max_rows=10_000, max_bytes=2**40))


async def log(store: Store) -> list[Any]:
    return await store.db.read(lambda conn: conn.exec_driver_sql("SELECT id, state FROM changes ORDER BY n").all())


async def test_the_log_knows_its_states_without_loading_the_team(store: Store) -> None:
    thread = await store.thread()
    await share(store)
    shared = len(await log(store))
    await store.ask(thread)
    await store.library.set_flag([thread], "pinned_at", 1_800_000_000_000, "pinned")
    query = "SELECT reg, state FROM changes ORDER BY n"
    rows = await store.db.read(lambda conn: conn.exec_driver_sql(query).all())
    states: dict[bool, set[int]] = {True: set(), False: set()}
    for reg, state in rows[shared:]:
        states[reg in change_log.PERSONAL].add(state)
    assert states == {True: {ChangeState.PRIVATE}, False: {ChangeState.PENDING}}


# Where one may only read

ACTIONS: dict[str, Callable[[Store, str, str, str], Awaitable[object]]] = {
    "ask": lambda s, t, _q, _a: s.messages.add_question(t, "x", with_answer=PLAN),
    "ask alone": lambda s, t, _q, _a: s.messages.add_question(t, "x", with_answer=None),
    "ask otherwise": lambda s, _t, q, _a: s.messages.add_question_version(q, "x", PLAN),
    "answer again": lambda s, _t, q, _a: s.messages.add_answer(q, PLAN),
    "compare": lambda s, t, _q, _a: s.messages.add_comparison(t, "x", [PLAN, PLAN]),
    "continue": lambda s, _t, _q, a: s.messages.resume(a, PLAN),
    "delete a message": lambda s, _t, q, _a: s.paths.delete(q, with_later=True),
    "branch": lambda s, _t, _q, a: s.paths.branch(a, "branch"),
    "rename": lambda s, t, _q, _a: s.threads.rename(t, "x"),
    "model": lambda s, t, _q, _a: s.threads.set_model(t, "p", "m"),
    "delete": lambda s, t, _q, _a: s.library.delete([t]),
    "delete many": lambda s, t, _q, _a: LibraryRepository(s.db).delete([t]),
    "tag": lambda s, t, _q, _a: LibraryRepository(s.db).tag([t], add=["x"], remove=[]),
    "system prompt": lambda s, t, _q, _a: SystemPromptRepository(s.db).change(threads={t: "x"}, projects={}),
    "parameters": lambda s, t, _q, _a: ContextRepository(s.db).set_thread_parameters(t, Parameters(temperature=0.5)),
    "summaries off": lambda s, t, _q, _a: ContextRepository(s.db).switch_thread_summaries(t, is_on=False),
    "summary": lambda s, t, q, a: SummaryRepository(s.db).add(NewSummary(t, q, a, "sum", 3, SummaryAuthor.PERSON)),
}


@pytest.mark.parametrize("name", ACTIONS)
async def test_nothing_is_written_where_one_may_only_read(store: Store, name: str) -> None:
    thread = await store.thread()
    question, answer, _ = await store.messages.add_question(thread, "q", with_answer=PLAN)
    assert answer is not None
    await store.answer(answer.id, "half", Status.STOPPED)
    await share(store, TeamRole.VIEWER)
    before = await log(store)
    with pytest.raises(SharedReadOnly) as caught:
        await ACTIONS[name](store, thread, question.id, answer.id)
    assert "may read" in caught.value.sentence
    assert await log(store) == before
    assert await store.shown(thread) == ["q", "half"]


async def test_what_is_ones_own_stays_possible_where_one_may_only_read(store: Store) -> None:
    thread = await store.thread()
    question, _ = await store.ask(thread)
    project = await share(store, TeamRole.VIEWER)
    before = len(sent(store, project))
    await store.library.set_flag([thread], "pinned_at", 1_800_000_000_000, "pinned")
    await store.library.set_flag([thread], "archived_at", 1_800_000_000_000, "archived")
    await store.library.set_flag([thread], "archived_at", None, "archived")
    await store.paths.select_version(question)
    contexts = ContextRepository(store.db)
    await contexts.mark(question, ContextMark.PINNED)
    await contexts.start_at(thread, question)
    await store.drafts.save(thread, "draft", 5)
    assert len(sent(store, project)) == before
    assert await store.threads.retitle(thread, "made by a model", TitleSource.MODEL) is None
    assert await contexts.long_threads(least_characters=lambda *_model: 0, idle_since=2**60) == ()


@pytest.mark.parametrize("role", [TeamRole.OWNER, TeamRole.VIEWER])
async def test_what_one_archived_long_ago_is_not_deleted_for_everybody(store: Store, role: TeamRole) -> None:
    thread = await store.thread()
    await store.ask(thread)
    other = await store.projects.create("mine alone")
    private = (await store.threads.create(other.id, "t", provider="offline", model="demo")).id
    for each in (thread, private):
        await store.library.set_flag([each], "archived_at", 1_800_000_000_000, "archived")
    project = await share(store, role)
    before = len(sent(store, project))
    assert await store.trash.trash_archived(2**60) == 1
    assert (await store.threads.get(private)).deleted_at is not None
    assert (await store.threads.get(thread)).deleted_at is None
    assert len(sent(store, project)) == before
    do(store, lambda conn: sharing.end(conn, project, EndReason.LEFT))
    store.db.log_watch.read_only = frozenset()
    assert await store.trash.trash_archived(2**60) == 1


async def test_an_answer_on_its_way_is_kept_when_the_role_is_lowered(store: Store) -> None:
    project, thread = await share(store), await store.thread()
    _, answer, _ = await store.messages.add_question(thread, "q", with_answer=PLAN)
    assert answer is not None
    store.db.log_watch.read_only = frozenset({project})
    await store.answer(answer.id, "all of it")
    assert await store.shown(thread) == ["q", "all of it"]
    assert sent(store, project)[-1].entity == answer.id


async def test_other_projects_stay_writable(store: Store) -> None:
    shared = await share(store, TeamRole.VIEWER)
    other = await store.projects.create("Mine")
    thread = (await store.threads.create(other.id, "x", provider=None, model=None)).id
    await store.ask(thread)
    with pytest.raises(SharedReadOnly):
        await store.threads.create(shared, "x", provider=None, model=None)
    with pytest.raises(SharedReadOnly):
        await LibraryRepository(store.db).set_flag([thread], "project_id", shared, "move")
    assert (await store.threads.get(thread)).project_id == other.id


# Continuing


async def half(store: Store, thread: str) -> tuple[str, str]:
    question, answer, _ = await store.messages.add_question(thread, "q", with_answer=PLAN)
    assert answer is not None
    await store.answer(answer.id, "first half", Status.STOPPED)
    return question.id, answer.id


async def test_continuing_in_a_shared_project_makes_a_version_that_begins_with_what_there_is(store: Store) -> None:
    thread = await store.thread()
    question, answer = await half(store, thread)
    project = await share(store)
    before = {each.entity for each in sent(store, project)}
    going_on = await store.messages.resume(answer, PLAN)
    assert going_on.id != answer
    assert (going_on.parent_id, going_on.text, going_on.status) == (question, "first half", Status.PENDING)
    await store.messages.start_streaming(going_on.id, 1)
    await store.messages.append_chunks(going_on.id, [StreamChunk(1, PartType.TEXT, ", second half")])
    await store.messages.finish(going_on.id, TurnOutcome(Status.COMPLETE, store.clock.now_ms(), usage=Usage(1, 2)))
    assert await store.shown(thread) == ["q", "first half, second half"]
    old = await store.messages.get(answer)
    assert (old.text, old.status) == ("first half", Status.STOPPED)
    assert {each.entity for each in sent(store, project)} - before == {going_on.id}
    assert await recounted(store.db, thread) == await store.threads.get(thread)
    assert await integrity_check(store.db) == []


async def test_continuing_in_a_private_project_goes_on_in_place(store: Store) -> None:
    thread = await store.thread()
    _, answer = await half(store, thread)
    assert (await store.messages.resume(answer, PLAN)).id == answer
    await store.answer(answer, " and more")
    project = await share(store)
    do(store, lambda conn: sharing.end(conn, project, EndReason.LEFT))
    _, other = await half(store, thread)
    assert (await store.messages.resume(other, PLAN)).id == other


# Moving and deleting


async def test_a_shared_thread_cannot_be_moved_out_in_any_way(store: Store) -> None:
    thread = await store.thread()
    project = await share(store)
    other = await store.projects.create("Mine")
    library = LibraryRepository(store.db)
    with pytest.raises(NotPossible, match="shared"):
        await library.set_flag([thread], "project_id", other.id, "move")
    change = LibraryChange("move", "project_id", threads={thread: (project, other.id)})
    with pytest.raises(NotPossible, match="shared"):
        await library.carry_out(change)
    assert (await store.threads.get(thread)).project_id == project
    await library.set_flag([thread], "project_id", project, "move")  # where it is already


async def test_a_thread_that_is_moved_in_is_new_for_the_others(store: Store) -> None:
    project = await share(store)
    other = await store.projects.create("Mine")
    thread = (await store.threads.create(other.id, "Moves", provider="p", model="m")).id
    library = LibraryRepository(store.db)
    await library.tag([thread], add=["Urgent"], remove=[])
    question, answer = await store.ask(thread)
    await SummaryRepository(store.db).add(NewSummary(thread, question, answer, "sum", 3, SummaryAuthor.MODEL))
    (made,) = await SummaryRepository(store.db).list(thread)
    await SummaryRepository(store.db).switch(made.id, is_on=False)
    before = len(sent(store, project))
    change = await library.set_flag([thread], "project_id", project, "move")
    new = sent(store, project)[before:]
    assert [(each.kind, each.op) for each in new if each.op == "new"] == [
        ("thread", "new"),
        ("message", "new"),
        ("message", "new"),
        ("summary", "new"),
    ]
    with pytest.raises(NotPossible):
        await library.carry_out(change, is_back=True)
    assert (await store.threads.get(thread)).project_id == project


async def test_a_thread_that_a_team_knows_from_another_project_is_branched_first(store: Store) -> None:
    thread = await store.thread()
    old = await share(store)
    do(store, lambda conn: sharing.end(conn, old, EndReason.UNSHARED))
    new = await share(store, project=(await store.projects.create("New")).id)
    with pytest.raises(NotPossible, match="knows") as caught:
        await LibraryRepository(store.db).set_flag([thread], "project_id", new, "move")
    assert "Branch" in caught.value.next_step


@pytest.mark.parametrize(("role", "words"), [(TeamRole.OWNER, "Stop sharing"), (TeamRole.ADMIN, "Leave")])
async def test_a_shared_project_is_not_deleted(store: Store, role: TeamRole, words: str) -> None:
    await store.projects.create("Other")
    project = await share(store, role)
    library = LibraryRepository(store.db)
    with pytest.raises(NotPossible) as caught:
        await library.delete_project(project)
    assert words in caught.value.next_step
    with pytest.raises(NotPossible):
        await library.carry_out(LibraryChange("again", "deleted_at", projects={project: (None, 5)}))
    do(store, lambda conn: sharing.end(conn, project, EndReason.LEFT))
    await library.delete_project(project)
    assert (await store.projects.get(project)).deleted_at is not None


# What the log says


async def test_deletions_say_what_they_cover_and_what_they_went_with(store: Store) -> None:
    project, thread = await share(store), await store.thread()
    question, answer = await store.ask(thread)
    do(
        store,
        lambda conn: conn.exec_driver_sql("INSERT INTO seen_changes VALUES (?, 'her device', 17)", (project,)),
    )
    await store.paths.delete(question, with_later=True)
    dead = [each for each in sent(store, project) if each.op == "del"]
    assert {each.entity for each in dead} == {question, answer}
    for each in dead:
        body = json.loads(each.body or "")
        assert body["with"] == question
        assert body["covers"]["her device"] == 17
        assert body["covers"][store.db.device_id] < dead[0].dseq


async def test_writing_below_something_deleted_names_the_deletion(store: Store) -> None:
    project, thread = await share(store), await store.thread()
    _question, answer = await store.ask(thread)
    await store.paths.delete(answer, with_later=False)
    dead = sent(store, project)[-1]
    below, _, _ = await store.messages.add_question(thread, "below", with_answer=None)
    assert below.parent_id == answer
    assert sent(store, project)[-1].parents == (dead.id,)


async def test_what_hangs_below_an_unfinished_answer_is_logged_after_it(store: Store) -> None:
    project, thread = await share(store), await store.thread()
    question, first, _ = await store.messages.add_question(thread, "q", with_answer=PLAN)
    assert first is not None
    below, second, _ = await store.messages.add_question(thread, "and?", parent_id=first.id, with_answer=PLAN)
    assert second is not None
    await store.answer(second.id, "second")
    last, third, _ = await store.messages.add_question(thread, "gone", with_answer=PLAN)
    assert third is not None
    await store.answer(third.id, "third")
    await store.paths.delete(last.id, with_later=True)
    messages = [each.entity for each in sent(store, project) if each.kind == "message"]
    assert messages == [question.id]
    await store.answer(first.id, "first")
    found = [(each.op, each.entity) for each in sent(store, project) if each.kind == "message"]
    assert found == [
        ("new", question.id),
        ("new", first.id),
        ("new", below.id),
        ("new", second.id),
        ("new", last.id),
        ("del", last.id),
        ("new", third.id),
        ("del", third.id),
    ]


async def test_a_branch_tells_how_its_answers_are_made(store: Store) -> None:
    project, thread = await share(store), await store.thread()
    _, answer = await store.ask(thread)
    contexts = ContextRepository(store.db)
    await contexts.set_thread_parameters(thread, Parameters(temperature=0.5))
    await contexts.switch_thread_summaries(thread, is_on=False)
    made = await store.paths.branch(answer, "Branch")
    told = {each.reg: json.loads(each.body or "{}") for each in sent(store, project) if each.entity == made.id}
    assert "0.5" in told["lww.parameters"]["parameters"]
    assert told["lww.summaries"] == {"is_without_summaries": 1}


async def test_who_wrote_something_is_told_and_quoted_in_a_branch(store: Store) -> None:
    thread = await store.thread()
    question, answer = await store.ask(thread)
    await SummaryRepository(store.db).add(NewSummary(thread, question, answer, "sum", 3, SummaryAuthor.MODEL))
    her = new_id()

    def work(conn: Connection) -> None:
        for table in ("messages", "threads", "summaries"):
            conn.exec_driver_sql(f"UPDATE {table} SET author_id = ?", (her,))

    do(store, work)
    assert (await store.messages.get(answer)).author_id == her
    assert (await store.threads.get(thread)).author_id == her
    (summary,) = await SummaryRepository(store.db).list(thread)
    assert summary.author_id == her
    branch = await store.paths.branch(answer, "Branch")
    assert branch.author_id is None
    page = await store.messages.page(branch.id, limit=5)
    assert {message.author_id for message in page.messages} == {None}
    assert [message.text.split("\n")[0] for message in page.messages] == [
        f"> Another member (chatdesk://thread/{thread}?message={each}):" for each in (question, answer)
    ]
