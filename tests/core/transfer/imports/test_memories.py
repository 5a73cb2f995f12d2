"""The memories in exports of ChatGPT and Claude: what is found, what is passed over, and what no value can do."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from chatdesk.core.domain.imported import ImportOutcome
from chatdesk.core.domain.memory import LONGEST_MEMORY, MOST_MEMORIES, checked_memory
from tests.helpers.export_samples import chatgpt, claude, claude_message, node, plain_chatgpt, write_json, write_zip
from tests.helpers.import_world import ImportWorld


def _bio(text: str) -> dict[str, Any]:
    return node("b", "q", "assistant", text, recipient="bio", at=1_700_000_010)


def _of_chatgpt() -> dict[str, Any]:
    told = "1. [2024-05-01]. Ana keeps bees.\n2. [2024-06-01]. Ana sings."
    profile = "This is shown in all conversations.\n```Preferred name: Ana\nRole: beekeeper```"
    nodes = [
        node("q", None, "user", "Hello", at=1_700_000_000),
        _bio("Ana has ten hives."),
        node("m", "b", "system", content={"content_type": "model_editable_context", "model_set_context": told}),
        node("u", "m", "user", content={"content_type": "user_editable_context", "user_profile": profile}),
    ]
    return chatgpt("c", nodes)


def _of_claude() -> dict[str, Any]:
    page = "**Work context**\n\nAna keeps bees. \n\n- Ana sings."
    return {"conversations_memory": page, "project_memories": {"p": "Ten hives."}, "account_uuid": "a"}


def _claude_export() -> dict[str, Any]:
    return {
        "conversations.json": [claude("c", [claude_message("m", "human", "Hello")])],
        "projects.json": [{"uuid": "p", "name": "Hives"}],
        "memories.json": [_of_claude()],
    }


def _texts(report: Any) -> list[str]:
    return [each.text for each in report.memories]


async def test_chatgpt_has_them_in_three_places(world: ImportWorld) -> None:
    report = await world.bring([_of_chatgpt(), _of_chatgpt() | {"id": "d", "conversation_id": "d"}])
    assert _texts(report) == [
        "Ana has ten hives.",
        "Ana keeps bees.",
        "Ana sings.",
        "Preferred name: Ana",
        "Role: beekeeper",
    ]
    assert await world.all_rows("memories") == [], "nothing is taken by an import alone"
    assert "The export contains 5 memories. None was taken" in report.summary


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ('{"content": "Ana has ten hives."}', ["Ana has ten hives."]),
        ("Forget that Ana has hives.", []),
        ('{"content": ', []),
        ("a\u202eb\x00c\ud800", ["ab c"]),
        ("# Ana\n---\n**Bees**\n* one", ["one"]),
    ],
)
async def test_a_message_to_the_tool(world: ImportWorld, said: str, found: list[str]) -> None:
    report = await world.bring([chatgpt("c", [node("q", None, "user", "Hello"), _bio(said)])])
    assert _texts(report) == found


async def test_claude_has_them_in_a_file(world: ImportWorld) -> None:
    report = await world.service.run(write_zip(world.folder / "e.zip", _claude_export()))
    assert [(each.text, each.project) for each in report.memories] == [
        ("Ana keeps bees.", ""),
        ("Ana sings.", ""),
        ("Hives: Ten hives.", "Hives"),
    ]


@pytest.mark.parametrize(
    ("name", "value", "source"),
    [
        ("memories.json", [_of_claude()], "Claude"),
        ("memories (1).json", _of_claude(), "Claude"),
        ("memory.json", {"memories": [{"content": "Ana sings."}, "Ana keeps bees."]}, "ChatGPT"),
        ("saved_memories.json", [{"text": "Ana sings."}, {"memory": "Ana keeps bees."}], "ChatGPT"),
    ],
)
async def test_a_file_of_memories_alone(world: ImportWorld, name: str, value: object, source: str) -> None:
    report = await world.service.run(write_json(world.folder / name, value))
    assert report.source == source
    assert {"Ana keeps bees.", "Ana sings."} <= set(_texts(report))
    assert "nothing to import" not in report.summary


async def test_a_file_of_chats_may_be_named_like_memories(world: ImportWorld) -> None:
    report = await world.bring([plain_chatgpt("one", 1)], "memories.json")
    assert (report.counts[ImportOutcome.NEW], _texts(report)) == (1, [])


async def test_pages_are_cut_at_sentences_and_there_is_a_most(world: ImportWorld) -> None:
    page = "One sentence of Ana. " * 100 + "\n" + "x" * 1200
    report = await world.bring([chatgpt("c", [node("q", None, "user", "Hello"), _bio(page)])])
    assert all(len(text) <= LONGEST_MEMORY for text in _texts(report))
    assert _texts(report)[0].endswith(".")
    many = {"memories": [f"Fact {number}" for number in range(MOST_MEMORIES + 5)]}
    report = await world.bring(many, "memories.json")
    assert len(report.memories) == MOST_MEMORIES
    assert "5 more are beyond the most that ChatDesk keeps." in report.summary


# Every column, every impossible value

_DEEP: Any = []
for _ in range(200):
    _DEEP = [_DEEP]
_IMPOSSIBLE: list[Any] = [
    None, True, -1, 2**70, 1e308, "", "\x00\ud800\u202e", "x" * 200_000, [], {}, [None, 1, {}], {"text": {"text": 1}},
    {"": None}, _DEEP, "{" * 5000, "[" * 5000, "```" * 5000,
]  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a document."""
    if path:
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in pairs:
        yield from _places(each, (*path, key))


def _with(value: Any, path: tuple[Any, ...], put: Any) -> Any:
    made = copy.deepcopy(value)
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = put
    return made


_GPT, _CLAUDE = _of_chatgpt(), _of_claude()
_COLUMNS = [("ChatGPT", each) for each in _places(_GPT) if each[0] == "mapping"]
_COLUMNS += [("Claude", each) for each in _places(_CLAUDE)]


@pytest.mark.parametrize("put", range(len(_IMPOSSIBLE)))
@pytest.mark.parametrize("program", ["ChatGPT", "Claude"])
async def test_an_impossible_value_costs_no_more_than_itself(world: ImportWorld, program: str, put: int) -> None:
    good = plain_chatgpt("good", 1) if program == "ChatGPT" else claude("g", [claude_message("g", "human", "Hi")])
    value = _IMPOSSIBLE[put]
    columns = [path for name, path in _COLUMNS if name == program]
    if program == "ChatGPT":
        bad = [_with(_GPT, path, value) | {"id": f"c{n}", "conversation_id": f"c{n}"} for n, path in enumerate(columns)]
        report = await world.bring([*bad, chatgpt("last", [_bio("Ana is last.")]), good])
        assert "Ana is last." in _texts(report)
    else:
        bad = [value, *(_with(_CLAUDE, path, value) for path in columns)]
        files = {"conversations.json": [good], "memories.json": [*bad, {"conversations_memory": "Ana is last."}]}
        report = await world.service.run(write_zip(world.folder / "e.zip", files))
        assert "Ana is last." in _texts(report)
    titles = await world.threads()
    assert ("Chat good" if program == "ChatGPT" else "A Claude chat") in titles
    assert all(checked_memory(text) == text for text in _texts(report))
    assert len(report.memories) <= MOST_MEMORIES


_DAMAGED = [b"", b"{", b"[1, 2", b"PK\x03\x04", b"\xff\xfe", b"null", b'[{"conversations_memory": "Ana']


@pytest.mark.parametrize("data", _DAMAGED)
async def test_a_damaged_file_of_memories_costs_no_thread(world: ImportWorld, data: bytes) -> None:
    path = write_zip(world.folder / "e.zip", {**_claude_export(), "memories.json": data})
    report = await world.service.run(path)
    assert report.counts[ImportOutcome.NEW] == 1
    assert list(itertools.islice(report.memories, 1)) == []
    json.dumps(report.as_data())
