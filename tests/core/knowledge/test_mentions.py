"""Tests which files a question names after an @, whatever the names look like."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.knowledge import NamedFile
from chatdesk.core.knowledge.mentions import keyed, matching, may_become, mention_of, names_in, without_names

_PATHS = (
    "leave.md",
    "people/leave.md",
    "people/my plan.md",
    "people/old/notes.txt",
    "Ärger.md",
    "a\u202eb.md",
    'say "so".md',
    "ends.",
    "@home.md",
    "مرحبا.md",
)
_FILES = keyed([NamedFile(at, path, 10) for at, path in enumerate(_PATHS, 1)])


@pytest.mark.parametrize("path", _PATHS)
@pytest.mark.parametrize("around", ["{}", "What does {} say?", "{}, please", "Line\n{}"])
def test_what_the_menu_writes_means_that_file(path: str, around: str) -> None:
    text = around.format(mention_of(path).strip())
    found = [each.path for name in names_in(text) for each in matching(name, _FILES)]
    assert found == [path]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("leave.md", ["leave.md"]),
        ("people", ["people/leave.md", "people/my plan.md", "people/old/notes.txt"]),
        ("people/", ["people/leave.md", "people/my plan.md", "people/old/notes.txt"]),
        ("old", ["people/old/notes.txt"]),
        ("NOTES.TXT?", ["people/old/notes.txt"]),
        ("A\u0308rger.md", ["Ärger.md"]),
        ("nobody", []),
        ("", []),
        ("/", []),
        ("..", []),
        ("eave.md", []),
    ],
)
def test_a_name_means_a_path_a_folder_or_its_end(name: str, found: list[str]) -> None:
    assert [each.path for each in matching(name, _FILES)] == found


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("mail ada@example.org about it", ()),
        ("@a @b @a", ("a", "b")),
        ('@"two words" and @one', ("two words", "one")),
        ("@", ()),
        ('@"open', ()),
        ("@" + "x" * 500, ()),
        ("```python\n@property\n```\n@a", ("a",)),
        ("~~~\n```\n@property\n~~~", ()),
        ("```\n@never_closed", ()),
        ("what does `@property` do", ()),
        ("why is ` @a `wrong", ()),
        ("a ` and @b", ("b",)),
        ("@property\ndef name(self):", ()),
        ("class A:\n    @app.get('/x')\n    @cached\n    async def name(self):", ()),
        ("@Override\npublic void run() {", ()),
        ("@plan.md\ndefine the goals", ("plan.md",)),
        ("@plan.md\nWhat does the class do?", ("plan.md",)),
        ("import {A} from '@angular/core'", ()),
    ],
)
def test_names_stand_after_a_blank_and_an_at_sign(text: str, names: tuple[str, ...]) -> None:
    assert names_in(text) == names


def test_a_question_of_many_names_is_bounded_and_loses_only_the_known_ones() -> None:
    assert len(names_in(" ".join(f"@{number}" for number in range(1_000)))) == 20
    assert without_names("What does @leave.md say, @ada?", ["leave.md"]) == "What does  say, @ada?"


@pytest.mark.parametrize(
    ("written", "is_possible"), [("", True), ("lea", True), ('"my pl', True), ("MY", True), ("leavx", False)]
)
def test_a_name_that_is_being_written_may_become_that_of_a_file(written: str, is_possible: bool) -> None:
    assert may_become(written, _FILES) is is_possible
