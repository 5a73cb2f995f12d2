"""Tests what is said of a name after an @ before the question is sent: what the name is × why nothing of it goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatdesk.core.knowledge.unmet_names import UnmetNames
from tests.helpers.files_world import FilesWorld, files_world

_FIRST = {"first": "First"}
_UNKNOWN = "No file or folder of the project has this name: {}."
_LEFT_OUT = "Left out of the project's files: {}."


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[FilesWorld]:
    async with files_world(tmp_path) as made:
        made.write("drafts/plan.md", "A plan.")
        made.write("later.log", "Nobody reads this.")
        made.write(".gitignore", "*.log\n")
        made.write("empty.txt", "")
        (made.folder.parent / "outside.md").write_text("Outside.")
        (made.folder / "way").symlink_to(made.folder.parent)
        await made.read()
        await made.services.knowledge.exclude(made.source_id, "/drafts/")
        await made.read()
        yield made


async def _said(world: FilesWorld, text: str, *, writing: str | None = None) -> list[str]:
    unmet = UnmetNames(world.services.knowledge)
    return [*map(str, await unmet.sentences(world.project_id, text, _FIRST, writing=writing))]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("What does @leave.md say?", []),
        ("What does @leavx.md say?", [_UNKNOWN.format("“leavx.md”")]),
        ("@one and @two", [_UNKNOWN.format("“one” and “two”")]),
        ("@a1 @a2 @a3 @a4 @a5", [_UNKNOWN.format("“a1”, “a2”, “a3” and …")]),
        ("@drafts/plan.md", [_LEFT_OUT.format("“drafts/plan.md”")]),
        ("@drafts", [_LEFT_OUT.format("“drafts”")]),
        ("@later.log", [_LEFT_OUT.format("“later.log”")]),
        ("@empty.txt", ["Cannot be read: “empty.txt”."]),
        ("@later.log @nobody", [_LEFT_OUT.format("“later.log”"), _UNKNOWN.format("“nobody”")]),
        ("@../outside.md", [_UNKNOWN.format("“../outside.md”")]),
        ("@way/outside.md", [_UNKNOWN.format("“way/outside.md”")]),
        ("@/etc/passwd", [_UNKNOWN.format("“/etc/passwd”")]),
        ("Write to ada@example.org", []),
        ("@property\ndef name(self): ...", []),
        ("Use `@property` here", []),
        ("@app.get('/x') does what?", []),
        ("```\n@nobody\n```", []),
    ],
)
async def test_a_name_that_leads_to_nothing_is_said_with_its_reason(
    world: FilesWorld, text: str, said: list[str]
) -> None:
    assert await _said(world, text) == said


async def test_a_name_is_not_unknown_while_it_is_written(world: FilesWorld) -> None:
    assert await _said(world, "and @lea", writing="lea") == []
    assert await _said(world, "and @leax", writing="leax") == [_UNKNOWN.format("“leax”")]


async def test_a_provider_that_never_gets_the_files_is_named(world: FilesWorld) -> None:
    await world.services.knowledge.choices.deny(world.project_id, "first", is_denied=True)
    assert await _said(world, "@leave.md") == ["First never gets files of this project: “leave.md”."]
    unmet = UnmetNames(world.services.knowledge)
    assert await unmet.sentences(world.project_id, "@leave.md", {"second": "Second"}) == []
    both = {"second": "Second", "first": "First"}
    assert await unmet.sentences(world.project_id, "@leave.md", both), "one of those that are compared"


async def test_what_is_said_follows_the_files(world: FilesWorld) -> None:
    unmet = UnmetNames(world.services.knowledge)
    assert await unmet.sentences(world.project_id, "@new.md", _FIRST)
    world.write("new.md", "Something new.")
    await world.read()
    assert await unmet.sentences(world.project_id, "@new.md", _FIRST) == []


async def test_a_project_without_files_says_nothing(world: FilesWorld) -> None:
    await world.services.knowledge.remove(world.source_id)
    assert await _said(world, "@nobody") == []
