"""Words of a shared thread, wherever text of it can be, are in no file of any profile once they are erased."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import Message, PartType, Status
from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.domain.summary import NewSummary, SummaryAuthor
from chatdesk.core.domain.turn import AnswerPlan, StreamChunk, TurnOutcome
from chatdesk.core.domain.usage import Usage
from chatdesk.core.storage.engine import search_index
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.message_columns import Form, travelling
from chatdesk.core.storage.search.store import SearchStore
from tests.helpers.erased_words import files_with, places_with
from tests.helpers.postgres import TeamDatabase
from tests.helpers.team_world import Desk, desks, until_same

WORD = "Zwetschgen"
_PLAN = AnswerPlan(WORD, WORD)
# Wherever a thread has text that others get.
PLACES = {
    *(("threads", each) for each in ("title", "title_folded", "title_key", "system_prompt", "model", "parameters")),
    *(("messages", each) for each in travelling(Form.WORD, Form.TEXT, Form.DETAILS)),
    ("message_parts", "content"),
    ("summaries", "text"),
    ("tags", "name"),
    ("changes", "body"),
    ("search_index_data", "block"),
    ("search_names_data", "block"),
}
# Of whoever wrote it: the tags that they made, and the models that they paid for.
PRIVATE = {
    *(("tags", each) for each in ("name", "name_folded")),
    *((table, each) for table in ("usage_days", "usage_events") for each in ("provider", "model")),
    ("token_factors", "model"),
    ("changes", "body"),
    ("search_names_data", "block"),
}


async def test_erased_words_are_in_no_file_of_a_profile(tmp_path: Path, workspace: TeamDatabase) -> None:
    """Files by their content go later, with those that nothing names; drafts and what was refused stay with whoever
    wrote them."""
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread = await _written(ana, project)
        await until_same(project, [ana, ben])
        await ana.repositories.threads.rename(thread, f"{WORD} later")
        await until_same(project, [ana, ben])
        await ana.reopen()
        for desk in (ana, ben):
            assert PLACES - await desk.database.read(partial(places_with, word=WORD)) == set()
        await ana.repositories.erasures.erase_thread(thread)
        await until_same(project, [ana, ben])
        for desk in (ana, ben):
            search = SearchStore(desk.database)
            while await search.fill_batch() is not None:
                pass
            await search.close()
            assert await desk.database.write(lambda conn: search_index.check(driver(conn))) == []
            assert await desk.one("SELECT count(*) FROM thread_tags") == 0
            places = await desk.database.read(partial(places_with, word=WORD))
            assert places - PRIVATE == set()
            assert await desk.one("SELECT count(*) FROM changes WHERE kind <> 'tag' AND body LIKE ?", f"%{WORD}%") == 0
            assert desk is ana or places == set()
            assert desk is ana or files_with(ben.folder, WORD) == []
    assert files_with(ben.folder, WORD) == []


async def _written(desk: Desk, project: str) -> str:
    """A thread that holds the word wherever it can."""
    repositories = desk.repositories
    thread = await desk.thread(project, f"{WORD} first")
    await repositories.threads.set_model(thread, "offline", f"{WORD}-model")
    await repositories.system_prompts.change(threads={thread: f"Be {WORD}"}, projects={})
    await repositories.contexts.set_thread_parameters(thread, Parameters(stop=(WORD,)))
    await repositories.library.tag([thread], add=[f"{WORD} tag"], remove=[])
    kept = desk.blobs.put((b"bytes",), max_bytes=1000)
    file = Attachment(f"{WORD}.txt", "text/plain", kept.sha256, 5)
    question, answer, _ = await repositories.messages.add_question(
        thread, f"{WORD}?", with_answer=_PLAN, attachments=(file,)
    )
    assert answer is not None
    await _finish(desk, answer, [PartType.REASONING, PartType.TEXT], Status.COMPLETE)
    await repositories.summaries.add(
        NewSummary(thread, question.id, answer.id, f"of {WORD}", 5, SummaryAuthor.MODEL, "o", "m")
    )
    _, failed, _ = await repositories.messages.add_question(thread, f"{WORD} again", with_answer=_PLAN)
    assert failed is not None
    await _finish(desk, failed, [PartType.TEXT], Status.ERROR)
    return thread


async def _finish(desk: Desk, answer: Message, kinds: Sequence[PartType], status: Status) -> None:
    name = "UPDATE messages SET assistant_name = ? WHERE id = ?"
    await desk.database.write(lambda conn: conn.exec_driver_sql(name, (WORD, answer.id)))
    code = f"```python\n{f'print({WORD!r})' + chr(10)}```\n" * 3
    await desk.repositories.messages.start_streaming(answer.id, desk.clock.now_ms())
    await desk.repositories.messages.append_chunks(
        answer.id, [StreamChunk(place, kind, f"{WORD} {kind} {code}") for place, kind in enumerate(kinds)]
    )
    failed: dict[str, Any] = (
        {"error": WORD, "error_type": WORD, "error_details": {"said": WORD}} if status is Status.ERROR else {}
    )
    await desk.repositories.messages.finish(
        answer.id,
        TurnOutcome(status, finished_at=desk.clock.now_ms(), usage=Usage(3, 5), finish_reason=WORD, **failed),
    )
