"""Answers that go on after ChatDesk ended in the middle of their calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.chat.tool_calls.earlier_steps import earlier_steps
from chatdesk.core.domain.message import Message, PartType, Role, Status
from chatdesk.core.domain.tools import Answer, open_calls
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta, ToolCallDelta
from tests.helpers.tools_world import ToolWorld, tool_world
from tests.helpers.waiting import until

_CALLS_END = StreamFinished(FinishReason.TOOL_CALLS)
_END = StreamFinished(FinishReason.STOP)


def _call(name: str, arguments: object, *, index: int = 0, call_id: str = "c1") -> ToolCallDelta:
    return ToolCallDelta(index, call_id, f"notes__{name}", json.dumps(arguments))


def _states(message: Message) -> dict[str | None, Any]:
    return {part.tool_call_id: part.content["status"] for part in message.parts if part.type is PartType.TOOL_CALL}


async def _cut_off(folder: Path) -> str:
    """The id of an answer that ran one call and waited with another when ChatDesk ended."""
    async with tool_world(folder) as world:
        return await _cut_off_in(world)


async def _cut_off_in(world: ToolWorld) -> str:
    world.chat.provider.will(
        TextDelta("Two calls."),
        _call("sleep", {"seconds": 100}, index=0, call_id="ran"),
        _call("echo", {"text": "a"}, index=1, call_id="waited"),
        _CALLS_END,
    )
    answer_id = await world.ask()
    approvals = world.chat.chat.tools.approvals
    await until(lambda: len(approvals.waiting()) == 2)
    slow = next(each for each in approvals.waiting() if each.tool.name == "sleep")
    world.answer(slow, Answer.ONCE)
    await until(lambda: world.runs)
    await world.chat.chat.close()
    world.log.unlink()
    return answer_id


async def test_open_calls_run_only_after_a_new_answer_of_the_person(tmp_path: Path) -> None:
    answer_id = await _cut_off(tmp_path)
    async with tool_world(tmp_path) as world:
        message = await world.chat.repositories.messages.get(answer_id)
        assert message.status is Status.INTERRUPTED
        assert [part.tool_call_id for part in open_calls(message)] == ["ran", "waited"]
        approvals = world.chat.chat.tools.approvals
        assert not approvals.waiting()
        world.chat.provider.will(TextDelta("Done."), _END)
        await world.chat.chat.continue_message(message.id, asks_again=True)
        await until(lambda: len(approvals.waiting()) == 2)
        again = {each.tool.name: each for each in approvals.waiting()}
        assert "may have done its work already" in again["sleep"].reason
        assert "may have done" not in again["echo"].reason
        stored = await world.chat.repositories.messages.get(message.id)
        assert _states(stored) == {"ran": "unknown", "waited": "waiting"}
        assert not world.runs
        world.answer(again["sleep"], Answer.DENY)
        world.answer(again["echo"], Answer.ONCE, {"text": "b"})
        ended = await world.finished(message.id)
        assert ended.status is Status.COMPLETE
        assert _states(ended) == {"ran": "unknown", "waited": "done"}
        assert [part.type for part in ended.parts[-3:]] == [PartType.TOOL_RESULT, PartType.TOOL_RESULT, PartType.TEXT]
        assert (ended.parts[-1].text, ended.parts[-1].step_index) == ("Done.", 1)
        assert world.runs == [["echo", {"text": "b"}]]
        sent = world.chat.provider.requests[-1].messages
        assert [each.role for each in sent[-3:]] == [Role.ASSISTANT, Role.TOOL, Role.TOOL]
        assert sent[-3].text == "Two calls."
        assert [call.arguments for call in sent[-3].tool_calls] == ['{"seconds": 100}', '{"text": "b"}']
        assert "nobody knows what it did" in sent[-2].text
        assert not open_calls(ended)


async def test_a_call_that_was_cut_off_runs_again_where_the_person_says_so(tmp_path: Path) -> None:
    async with tool_world(tmp_path) as world:
        world.chat.provider.will(_call("sleep", {"seconds": 100}), _CALLS_END)
        answer_id = await world.ask()
        first = await world.asked()
        world.answer(first, Answer.ALWAYS)
        await until(lambda: world.runs)
        await world.chat.chat.close()
    async with tool_world(tmp_path) as world:
        world.chat.provider.will(TextDelta("Done."), _END)
        await world.chat.chat.continue_message(answer_id, asks_again=True)
        again = await world.asked()  # although the person allowed the tool for ever
        world.answer(again, Answer.ONCE, {"seconds": 0})
        ended = await world.finished(answer_id)
        assert _states(ended) == {"c1": "done"}
        assert world.runs == [["sleep", {"seconds": 100}], ["sleep", {"seconds": 0}]]


async def test_an_answer_that_just_goes_on_denies_what_waited(tmp_path: Path) -> None:
    answer_id = await _cut_off(tmp_path)
    async with tool_world(tmp_path) as world:
        message = await world.chat.repositories.messages.get(answer_id)
        world.chat.provider.will(TextDelta(" Never mind."), _END)
        await world.chat.chat.continue_message(message.id)
        ended = await world.finished(message.id)
        assert ended.status is Status.COMPLETE
        assert _states(ended) == {"ran": "unknown", "waited": "denied"}
        assert not world.runs
        assert not any(each.tool_calls for each in world.chat.provider.requests[-1].messages)
        assert world.chat.provider.requests[-1].continue_text == "Two calls."


async def test_results_of_earlier_steps_go_along_when_an_answer_goes_on(tmp_path: Path) -> None:
    async with tool_world(tmp_path) as world:
        world.chat.provider.will(TextDelta("Looking."), _call("echo", {"text": "42"}), _CALLS_END)
        world.chat.provider.will(TextDelta("It is "), StreamFinished(FinishReason.LENGTH))
        answer_id = await world.ask()
        world.answer(await world.asked(), Answer.ONCE)
        await world.finished(answer_id)
        world.chat.provider.will(TextDelta("42."), _END)
        await world.chat.chat.continue_message(answer_id)
        await world.chat.chat.turns.wait_for_all()
        ended = await world.chat.repositories.messages.get(answer_id)
        assert (ended.parts[-1].text, ended.parts[-1].step_index) == ("It is 42.", 1)
        request = world.chat.provider.requests[-1]
        assert request.continue_text == "It is "
        assert [each.role for each in request.messages[-2:]] == [Role.ASSISTANT, Role.TOOL]
        assert request.messages[-2].text == "Looking." and "42" in request.messages[-1].text


@pytest.mark.parametrize("sql", ["UPDATE messages SET author_id = 'ada'", "imported"])
async def test_calls_of_others_are_never_asked_about(tmp_path: Path, sql: str) -> None:
    answer_id = await _cut_off(tmp_path)
    async with tool_world(tmp_path) as world:
        message = await world.chat.repositories.messages.get(answer_id)

        def forge(conn: Any) -> None:
            if sql == "imported":
                conn.exec_driver_sql(
                    "INSERT INTO import_origins (source, source_key, entity, digest) VALUES ('x', 'x', ?, '')",
                    (message.id,),
                )
            else:
                conn.exec_driver_sql(f"{sql} WHERE id = ?", (message.id,))

        await world.chat.database.write(forge)
        world.chat.provider.will(TextDelta("Went on."), _END)
        await world.chat.chat.continue_message(message.id, asks_again=True)
        await world.finished(message.id)
        assert not world.chat.chat.tools.approvals.waiting()
        assert not world.runs


async def test_an_answer_without_calls_goes_on_with_its_text(tmp_path: Path) -> None:
    async with tool_world(tmp_path) as world:
        message = await world.finished(await world.ask())
        found = earlier_steps(message, asks_again=True)
        assert (found.messages, found.open, found.text) == ((), (), message.text)


async def test_a_branch_has_no_open_calls(tmp_path: Path) -> None:
    """Whose call it was cannot be told from a copy, and the first one is still there."""
    answer_id = await _cut_off(tmp_path)
    async with tool_world(tmp_path) as world:
        await world.chat.database.write(
            lambda conn: conn.exec_driver_sql("UPDATE messages SET author_id = 'ada' WHERE id = ?", (answer_id,))
        )
        branch = await world.chat.chat.paths.branch_thread(answer_id)
        copied = (await world.chat.chat.reader.get_thread_messages(branch.id)).messages[-1]
        await world.chat.database.write(
            lambda conn: conn.exec_driver_sql("UPDATE messages SET author_id = NULL WHERE id = ?", (copied.id,))
        )
        copied = await world.chat.repositories.messages.get(copied.id)
        assert _states(copied) == {"ran": "unknown", "waited": "waiting"}
        assert not open_calls(copied)
        world.chat.provider.will(TextDelta("Went on."), _END)
        await world.chat.chat.continue_message(copied.id, asks_again=True)
        await world.finished(copied.id)
        assert not world.chat.chat.tools.approvals.waiting() and not world.runs
