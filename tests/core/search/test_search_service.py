"""Searching a real database, as the search box does."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.search import IndexState, SearchKind
from chatdesk.core.errors import InvalidInput
from chatdesk.core.ids import new_id
from chatdesk.core.storage.search import find
from chatdesk.core.storage.search.reader import SearchSuperseded
from tests.core.search.conftest import SearchWorld
from tests.helpers.waiting import stays


async def _tag(world: SearchWorld, thread_id: str, name: str) -> None:
    def work(conn: Connection) -> None:
        tag = conn.exec_driver_sql("SELECT id FROM tags WHERE name_folded = ?", (name.casefold(),)).scalar() or new_id()
        conn.exec_driver_sql(
            "INSERT OR IGNORE INTO tags (id, name, name_folded, created_at) VALUES (?, ?, ?, 1)",
            (tag, name, name.casefold()),
        )
        conn.exec_driver_sql("INSERT INTO thread_tags (thread_id, tag_id) VALUES (?, ?)", (thread_id, tag))

    await world.db.write(work)


async def _attach(world: SearchWorld, message_id: str, name: str, text: str = "", *, kind: str = "file") -> str:
    part, sha = new_id(), (new_id() * 2)[:64]

    def work(conn: Connection) -> None:
        conn.exec_driver_sql(
            "INSERT INTO message_parts (id, message_id, part_index, type, content) VALUES (?, ?, 7, ?, ?)",
            (part, message_id, kind, json.dumps({"name": name, "sha256": sha})),
        )
        conn.exec_driver_sql(
            "INSERT INTO artifacts (id, part_id, kind, path, mime, size_bytes, sha256)"
            " VALUES (?, ?, ?, ?, 'text/plain', 1, ?)",
            (new_id(), part, kind, sha, sha),
        )
        if text:
            conn.exec_driver_sql(
                "INSERT INTO artifact_texts (sha256, text, extracted_at) VALUES (?, ?, 1)", (sha, text)
            )

    await world.db.write(work)
    return part


async def test_words_phrases_beginnings_and_what_is_not_wanted(world: SearchWorld) -> None:
    thread = await world.thread()
    for text in ("the checkpoint stalls", "a stall at the checkpoint", "checking points"):
        await world.messages.add_question(thread, text, with_answer=None)
    assert sorted(await world.found("checkpoint the")) == ["a stall at the checkpoint", "the checkpoint stalls"]
    assert await world.found('"the checkpoint stalls"') == ["the checkpoint stalls"]
    assert await world.found("checkpoint -stalls") == ["a stall at the checkpoint"]
    assert sorted(await world.found("check*")) == sorted(
        ["a stall at the checkpoint", "checking points", "the checkpoint stalls"]
    )
    assert await world.found("check") == []
    assert len(await world.found("checkp", is_typing=True)) == 2
    assert len(await world.found("stall OR points")) == 2
    assert await world.found("nothing") == []


async def test_a_hit_says_where_it_stands(world: SearchWorld) -> None:
    thread = await world.thread("Explain the WAL")
    question, answer = await world.ask(thread, "a **checkpoint** here")
    group = (await world.groups("checkpoint here"))[SearchKind.MESSAGE]
    by_role = {hit.role: hit for hit in group.hits}
    asked, answered = by_role[Role.USER], by_role[Role.ASSISTANT]
    assert (asked.id, asked.message_id, asked.thread_id) == (question, question, thread)
    assert (answered.id, answered.model, answered.title) == (answer, "demo", "Explain the WAL")
    assert asked.snippet.text == "a checkpoint here"
    assert [asked.snippet.text[a:b] for a, b in asked.snippet.matches] == ["checkpoint", "here"]
    assert asked.needle == "checkpoint"
    assert asked.project == "Personal"
    assert asked.project_id is not None
    assert asked.at > 0
    assert asked.is_on_path
    assert (group.count, group.is_more, group.note, group.next_cursor) == (2, False, None, None)
    assert group.elapsed_ms > 0


async def test_accents_and_case_do_not_count(world: SearchWorld) -> None:
    thread = await world.thread()
    await world.messages.add_question(thread, "Ünïcödé CAFÉ cafe\u0301 Straße", with_answer=None)
    for text in ("unicode", "ÜNÏCÖDÉ", "cafe", "Café", "straße"):
        assert len(await world.found(text)) == 1, text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("我喜欢东京塔的夜景", "京塔"),
        ("我喜欢东京塔的夜景", "夜"),
        ("東京タワーに登る", "タワ"),
        ("東京タワーに登る", "に"),
        ("한국어를 검색합니다", "국어"),
        ("mixed 漢字text here", "字text"),
        ("สวัสดีครับ", "ครับ"),
    ],
)
async def test_scripts_without_spaces_are_found_by_part_of_a_word(world: SearchWorld, text: str, part: str) -> None:
    thread = await world.thread()
    await world.messages.add_question(thread, text, with_answer=None)
    group = (await world.groups(part))[SearchKind.MESSAGE]
    (hit,) = group.hits
    assert "".join(hit.snippet.text[a:b] for a, b in hit.snippet.matches) == part
    assert await world.found(part[::-1] + "x") == []


@pytest.mark.parametrize(
    "text", ['"', "stall AND", "a:b", "NEAR(", "-x", "*", "(", "^stall", "{a b}", "\0", '""', "''", "+", ";"]
)
async def test_a_bad_query_is_never_an_error(world: SearchWorld, text: str) -> None:
    thread = await world.thread()
    await world.messages.add_question(thread, "stall and a b near x", with_answer=None)
    for is_typing in (False, True):
        await world.groups(text, is_typing=is_typing)


async def test_every_version_is_found_and_says_whether_it_is_shown(world: SearchWorld) -> None:
    thread = await world.thread()
    question, _ = await world.ask(thread, "first wording")
    await world.messages.add_question_version(question, "second wording", with_answer=None)
    group = (await world.groups("wording role:user"))[SearchKind.MESSAGE]
    assert {hit.snippet.text: hit.is_on_path for hit in group.hits} == {"first wording": False, "second wording": True}


async def test_threads_projects_tags_and_files_are_found_by_name(world: SearchWorld) -> None:
    project = await world.projects.create("Quarterly reports")
    thread = (await world.threads.create(project.id, "Budget in spring", provider=None, model=None)).id
    question, _ = await world.ask(thread, "what about it")
    await _tag(world, thread, "Finance")
    part = await _attach(world, question, "ledger 2026.ods", "rent and salaries")
    groups = await world.groups("ledg", is_typing=True)
    (file,) = groups[SearchKind.ARTIFACT].hits
    assert (file.id, file.title, file.message_id, file.thread_id) == (part, "ledger 2026.ods", question, thread)
    assert file.title[slice(*file.title_matches[0])] == "ledger"
    assert await world.titles("quarterly", SearchKind.PROJECT) == ["Quarterly reports"]
    assert await world.titles("finance", SearchKind.TAG) == ["Finance"]
    (found,) = (await world.groups("spring budget"))[SearchKind.THREAD].hits
    assert (found.id, found.title, found.project) == (thread, "Budget in spring", "Quarterly reports")
    (inside,) = (await world.groups("salaries"))[SearchKind.ARTIFACT].hits
    assert inside.snippet.text == "rent and salaries"
    assert inside.title == "ledger 2026.ods"
    assert await world.titles("quarterly tag:finance", SearchKind.PROJECT) == []


async def test_a_thread_is_found_by_its_summary_after_those_with_the_word_in_the_title(world: SearchWorld) -> None:
    other = await world.thread("About harbours")
    thread = await world.thread("Something else")

    def add(conn: Connection) -> None:
        conn.exec_driver_sql(
            "INSERT INTO summaries (id, thread_id, up_to_message_id, text, created_at)"
            " VALUES (?, ?, '', 'They spoke of harbours and ships', 1)",
            (new_id(), thread),
        )

    await world.db.write(add)
    group = (await world.groups("harbours"))[SearchKind.THREAD]
    assert [hit.id for hit in group.hits] == [other, thread]
    assert group.hits[1].snippet.text == "They spoke of harbours and ships"
    await world.db.write(lambda conn: conn.exec_driver_sql("UPDATE summaries SET deleted_at = 5"))
    assert await world.titles("harbours") == ["About harbours"]
    assert await world.titles("ships") == []


async def test_a_renamed_thread_is_found_by_its_new_name_only(world: SearchWorld) -> None:
    thread = await world.thread("Old words")
    await world.threads.rename(thread, "New words")
    assert await world.titles("old") == []
    assert await world.titles("new") == ["New words"]


async def test_what_is_in_the_trash_is_found_only_when_asked_for(world: SearchWorld) -> None:
    thread, other = await world.thread("Kept heron"), await world.thread("Thrown heron")
    question, _ = await world.ask(thread, "a heron")
    await world.ask(other, "another heron")
    await world.library.delete([other])
    await world.paths.delete(question, with_later=False)
    assert await world.found("heron role:user") == []
    assert await world.found("heron") == ["answer to a heron"]
    assert await world.titles("heron") == ["Kept heron"]
    assert sorted(await world.found("heron role:user is:trashed")) == ["a heron", "another heron"]
    assert await world.titles("heron is:trashed") == ["Thrown heron"]
    assert len(await world.found("is:trashed")) == 3
    await world.library.restore([other])
    assert len(await world.found("another")) == 2


async def test_a_full_trash_is_looked_up_message_by_message(
    world: SearchWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "_FEW_IN_TRASH", 1)
    await test_what_is_in_the_trash_is_found_only_when_asked_for(world)


async def test_purged_words_leave_the_index(world: SearchWorld) -> None:
    thread = await world.thread("Secret title")
    await world.ask(thread, "secret heron")
    keep = await world.thread("Keep")
    question, _ = await world.ask(keep, "secret stork")
    await world.library.delete([thread])
    await world.paths.delete(question, with_later=False)
    await world.trash.purge_expired(world.clock.now + 1)
    assert await world.found("secret") == ["answer to secret stork"]

    def terms(conn: Connection) -> set[str]:
        found = set()
        for table in ("search_index", "search_names"):
            conn.exec_driver_sql(f"CREATE VIRTUAL TABLE temp.v_{table} USING fts5vocab(main, {table}, row)")
            found |= {row[0] for row in conn.exec_driver_sql(f"SELECT term FROM v_{table}")}
            conn.exec_driver_sql(f"DROP TABLE v_{table}")
        return found

    assert await world.db.write(terms) == {"answer", "to", "secret", "stork", "keep", "personal"}
    assert await world.faults() == []


async def test_filters_narrow(world: SearchWorld) -> None:
    work = await world.projects.create("Work")
    first = (await world.threads.create(work.id, "First", provider=None, model=None)).id
    second = await world.thread("Second")
    question, _ = await world.ask(first, "a gull ```code```")
    await world.ask(second, "a gull")
    await _tag(world, first, "api")
    await _tag(world, second, "apiary")
    await world.library.set_flag([first], "pinned_at", 1_800_000_000_000, "pinned")
    await world.library.set_flag([second], "archived_at", 1_800_000_000_000, "archived")
    await _attach(world, question, "x.png", kind="image")

    async def threads_of(text: str) -> set[str]:
        group = (await world.groups(text)).get(SearchKind.MESSAGE)
        return set() if group is None else {hit.title for hit in group.hits}

    for narrowing in (
        "project:work",
        "project:WO",
        "tag:api",
        "is:pinned",
        "has:image",
        "-is:archived",
        "-tag:apiary",
        "has:code",
    ):
        assert await threads_of(f"gull {narrowing}") == {"First"}, narrowing
        assert await threads_of(narrowing) == {"First"}, narrowing
    for narrowing in ("-project:work", "tag:apia", "is:archived", "-has:code", "-is:pinned"):
        assert await threads_of(f"gull {narrowing}") == {"Second"}, narrowing
    assert await threads_of("gull tag:ap") == {"First", "Second"}
    assert await threads_of("gull tag:api tag:apiary") == set()
    assert await threads_of("gull project:work project:personal") == {"First", "Second"}
    assert await world.found("gull role:assistant -project:work") == ["answer to a gull"]
    assert len(await world.found("gull model:DEM")) == 2
    assert await world.found("gull model:gpt") == []
    assert len(await world.found("gull -model:demo")) == 2
    assert len(await world.found("gull -role:user")) == 2
    assert await world.found("gull has:file") == []
    assert await threads_of("gull is:pinned|archived") == {"First", "Second"}
    assert await threads_of("gull has:code|image|file") == {"First"}
    assert await threads_of("gull -has:image|file") == {"First", "Second"}, "the answer to it has neither"
    assert await threads_of("gull role:user -has:image|file") == {"Second"}
    assert await threads_of("gull -is:pinned|archived") == set()
    assert len(await world.found("gull role:user|assistant")) == 4
    assert await world.found("gull -role:user|assistant") == []
    assert await world.titles("is:pinned") == ["First"]
    assert await world.titles("tag:apiary") == ["Second"]
    assert await world.titles("first role:user") == []


async def test_a_name_that_nothing_has_is_told(world: SearchWorld) -> None:
    await world.ask(await world.thread(), "a gull")
    group = (await world.groups("gull tag:nope project:none"))[SearchKind.MESSAGE]
    assert group.hits == ()
    assert group.note == "No project is called “none”. No tag is called “nope”."


async def test_time_filters(world: SearchWorld) -> None:
    thread = await world.thread("Times")
    await world.messages.add_question(thread, "an old gull", with_answer=None)
    world.clock.now += 40 * 86_400_000
    await world.messages.add_question(thread, "a new gull", with_answer=None)
    assert await world.found("gull after:30d") == ["a new gull"]
    assert await world.found("gull before:1m") == ["an old gull"]
    assert await world.found("gull -before:1m") == ["a new gull"]
    assert await world.found("before:1m") == ["an old gull"]
    assert await world.titles("times after:today") == ["Times"]
    assert await world.titles("times before:30d") == []
    assert len(await world.found("gull before:2100-01-01 after:2001")) == 2


async def test_only_what_is_excluded_and_filters(world: SearchWorld) -> None:
    thread = await world.thread()
    for text in ("one gull", "two terns"):
        await world.messages.add_question(thread, text, with_answer=None)
    assert await world.found("role:user -gull") == ["two terns"]
    assert await world.found("-gull") == []


async def test_pages_follow_each_other_over_what_was_ranked(
    world: SearchWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "MOST_RANKED", 7)
    thread = await world.thread()
    for number in range(20):
        await world.messages.add_question(thread, f"gull {number}", with_answer=None)
    seen: list[str] = []
    cursor = None
    first = (await world.groups("gull", limit=3))[SearchKind.MESSAGE]
    assert (first.count, first.is_more) == (7, True)
    assert first.note is not None
    assert "were ranked" in first.note
    while True:
        group = (await world.groups("gull", limit=3, cursor=cursor, kinds={SearchKind.MESSAGE}))[SearchKind.MESSAGE]
        seen += [hit.snippet.text for hit in group.hits]
        cursor = group.next_cursor
        if cursor is None:
            break
    assert sorted(seen) == sorted(f"gull {number}" for number in range(20))
    with pytest.raises(InvalidInput):
        await world.groups("gull", cursor="x", kinds={SearchKind.MESSAGE})
    with pytest.raises(InvalidInput):
        await world.groups("gull", cursor="3:")


async def test_named_groups_have_pages_too(world: SearchWorld) -> None:
    for number in range(5):
        await world.thread(f"Gull {number}")
    group = (await world.groups("gull", limit=2))[SearchKind.THREAD]
    assert (group.count, len(group.hits)) == (5, 2)
    rest = await world.titles("gull", limit=9, cursor=group.next_cursor, kinds={SearchKind.THREAD})
    assert len(rest) == 3
    assert {hit.title for hit in group.hits}.isdisjoint(rest)
    assert len(await world.titles("gull", kinds={SearchKind.MESSAGE})) == 0


async def test_a_newer_search_ends_the_older(world: SearchWorld) -> None:
    thread = await world.thread()
    await world.ask(thread, "gull")
    await world.threads.rename(thread, "A gull")
    older = world.search.search("gull")
    first = await anext(older)
    assert first.hits
    newer = [group async for group in world.search.search("gull")]
    assert newer
    assert [group async for group in older] == []
    await older.aclose()


async def test_a_search_that_runs_is_interrupted_in_the_database(world: SearchWorld) -> None:
    reader = world.store.reader
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    turn = reader.start(None)
    running = asyncio.ensure_future(reader.run(turn, lambda conn: conn.execute(endless).fetchone()))
    await stays(lambda: not running.done(), for_s=0.1)
    assert (await world.groups("gull")) == {}
    with pytest.raises(SearchSuperseded):
        await running


async def test_a_search_of_another_field_ends_nothing(world: SearchWorld) -> None:
    await world.ask(await world.thread("A gull"), "gull")

    async def found(asker: str) -> list[SearchKind]:
        return [group.kind async for group in world.search.search("gull", asker=asker)]

    first = world.search.search("gull", asker="the sidebar")
    assert (await anext(first)).kind is SearchKind.THREAD
    assert await found("the palette") == [SearchKind.THREAD, SearchKind.MESSAGE]
    assert [group.kind async for group in first] == [SearchKind.MESSAGE]
    both = await asyncio.gather(*(found(asker) for asker in ("the sidebar", "the palette") for _ in range(3)))
    assert [each for each in both if each == [SearchKind.THREAD, SearchKind.MESSAGE]] == [both[2], both[5]]


async def test_a_search_that_was_given_up_ends_no_other(world: SearchWorld) -> None:
    reader = world.store.reader
    given_up, other = reader.start("a"), reader.start("b")
    reader.end(given_up)
    with pytest.raises(SearchSuperseded):
        await reader.run(given_up, lambda conn: conn.execute("SELECT 1").fetchone())
    assert await reader.run(other, lambda conn: conn.execute("SELECT 1").fetchone()) == (1,)


async def test_what_takes_long_ends_with_what_it_has(world: SearchWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    thread = await world.thread()
    for number in range(50):
        await world.messages.add_question(thread, f"gull {number}", with_answer=None)
    monkeypatch.setattr(find, "LONGEST_S", -1.0)
    monkeypatch.setattr(find, "_STEPS_BETWEEN_LOOKS", 50)
    group = (await world.groups("gull"))[SearchKind.MESSAGE]
    assert group.is_more
    assert group.note is not None
    assert "newest part" in group.note


async def test_a_closed_service_is_quiet(world: SearchWorld) -> None:
    await world.search.close()
    await world.search.close()
    with pytest.raises(Exception, match="closed"):
        await world.groups("gull")


async def test_state_of_a_whole_index(world: SearchWorld) -> None:
    await world.ask(await world.thread(), "gull")
    assert await world.search.state() == IndexState(100)
    assert (await world.search.state()).is_whole
