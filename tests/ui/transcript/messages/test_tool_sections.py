"""Finished calls of tools in one line, which opens to each of them and to what was thought between."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chatdesk.core.domain.artifacts.file_change import FILE_DIFF
from chatdesk.core.domain.message import Part, PartType, Status
from chatdesk.ui.transcript.items.change_item import ChangeItem
from chatdesk.ui.transcript.items.code_item import CodeItem
from chatdesk.ui.transcript.items.fold_item import FoldItem
from chatdesk.ui.transcript.messages.entry import MessageEntry
from tests.ui.transcript.conftest import make_message


def tool(index: int, call_id: str, status: str = "done", tool_name: str = "look", server_id: str = "s") -> list[Part]:
    said = {"server": "Time", "server_id": server_id, "tool": tool_name, "status": status, "arguments": '{"q": "x"}'}
    return [
        Part(f"c{index}", "m", index, PartType.TOOL_CALL, said, tool_call_id=call_id),
        Part(
            f"r{index}",
            "m",
            index + 1,
            PartType.TOOL_RESULT,
            {"text": "noon", "status": status},
            tool_call_id=call_id,
            tool_duration_ms=900,
        ),
    ]


def thought(index: int) -> Part:
    return Part(f"t{index}", "m", index, PartType.REASONING, {"text": "Hm."}, started_at=0, completed_at=3_000)


def text(index: int) -> Part:
    return Part(f"x{index}", "m", index, PartType.TEXT, {"text": "So it is."})


def entry_of(*parts: Part, status: Status = Status.COMPLETE) -> MessageEntry:
    return MessageEntry(make_message(1, parts=parts, status=status))


def folds(entry: MessageEntry) -> list[tuple[str, str]]:
    return [(each.label, each.aside) for each in entry.items if isinstance(each, FoldItem)]


ASKED = ("Asked Time: look · x", "0.9 s")


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ([*tool(0, "a")], [ASKED]),
        ([*tool(0, "a"), *tool(2, "b")], [("2 steps", "1.8 s")]),
        ([*tool(0, "a"), thought(2), *tool(3, "b"), thought(5)], [("2 steps", "1.8 s"), ("Thought for 3 s", "")]),
        ([*tool(0, "a"), text(2), *tool(3, "b")], [ASKED, ASKED]),
        ([*tool(0, "a"), *tool(2, "b", "failed")], [("2 steps", "1 failed · 1.8 s")]),
        ([*tool(0, "a"), *tool(2, "b", "denied")], [ASKED, ("look of Time · x", "Denied")]),
        ([thought(0), *tool(1, "a"), *tool(3, "b")], [("Thought for 3 s", ""), ("2 steps", "1.8 s")]),
    ],
)
def test_finished_calls_that_follow_one_another_are_one_line(parts: list[Part], shown: list[tuple[str, str]]) -> None:
    assert folds(entry_of(*parts)) == shown


def test_the_line_opens_to_its_steps_and_each_of_them_to_its_details() -> None:
    entry = entry_of(*tool(0, "a"), thought(2), *tool(3, "b"), text(5))
    steps = next(each for each in entry.items if isinstance(each, FoldItem))
    assert steps.buttons()[0].label == "Show 2 steps" and steps.spoken == "2 steps, 1.8 s"
    entry.toggle_fold(steps)
    assert [label for label, _aside in folds(entry)] == ["2 steps", ASKED[0], "Thought for 3 s", ASKED[0]]
    entry.toggle_fold([each for each in entry.items if isinstance(each, FoldItem)][1])
    codes = [each for each in entry.items if isinstance(each, CodeItem)]
    assert [(each.block.language, each.block.text, each.block.remark) for each in codes] == [
        ("arguments", '{"q": "x"}', "look"),
        ("result", "noon", ""),
    ]
    entry.change(replace(entry.message, total_tokens=5))
    assert len([each for each in entry.items if isinstance(each, CodeItem)]) == 2, "what is open stays open"
    entry.toggle_fold(next(each for each in entry.items if isinstance(each, FoldItem)))
    assert [label for label, _aside in folds(entry)] == ["2 steps"]


@pytest.mark.parametrize("is_read", [False, True])
def test_steps_are_folded_when_the_answer_ends_unless_somebody_reads_one(is_read: bool) -> None:
    parts = (*tool(0, "a"), *tool(2, "b"), text(4))
    entry = entry_of(*parts, status=Status.STREAMING)
    assert folds(entry) == [ASKED, ASKED]
    if is_read:
        entry.toggle_fold([each for each in entry.items if isinstance(each, FoldItem)][1])
    entry.change(make_message(1, parts=parts, status=Status.COMPLETE))
    assert len(folds(entry)) == (3 if is_read else 1)
    assert any(isinstance(each, CodeItem) for each in entry.items) is is_read
    entry.change(make_message(1, parts=parts, status=Status.STREAMING))  # it is continued
    assert len(folds(entry)) == 2
    assert any(isinstance(each, CodeItem) for each in entry.items) is is_read


def change_file(index: int, call_id: str) -> Part:
    change = {"id": "0" * 32, "path": "a.md", "kind": "edit", "added": 1, "removed": 0, "text": "@@ @@\n+x\n"}
    content: dict[str, Any] = {
        "sha256": "a" * 64,
        "name": "a.md.diff",
        "mime": "text/x-diff",
        "size_bytes": 9,
        FILE_DIFF: change,
    }
    return Part(f"f{index}", "m", index, PartType.FILE, content, tool_call_id=call_id)


def test_a_proposed_change_is_one_card_and_a_failed_one_says_why() -> None:
    own = {"tool_name": "propose_change", "server_id": "chatdesk-folder"}
    entry = entry_of(*tool(0, "a", **own), change_file(2, "a"), text(3))
    assert folds(entry) == [] and any(isinstance(each, ChangeItem) for each in entry.items)
    call, result = tool(0, "a", "failed", **own)
    why = replace(call, content={**call.content, "error": "The file was changed."})
    assert folds(entry_of(why, result)) == [
        ("Propose a change to a file of the project: The file was changed.", "Failed")
    ]


def test_two_proposals_of_one_step_are_two_cards() -> None:
    one, two = tool(0, "a"), tool(2, "b")
    parts = (one[0], replace(two[0], index=1), replace(one[1], index=2), change_file(3, "a"), replace(two[1], index=4))
    entry = entry_of(*parts, change_file(5, "b"))
    assert folds(entry) == []
    assert len([each for each in entry.items if isinstance(each, ChangeItem)]) == 2
