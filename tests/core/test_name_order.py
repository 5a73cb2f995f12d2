"""Names in lists stand where people look for them."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatdesk.core.name_order import name_key
from tests.helpers.sentences import ROOT

_BY_CODE_POINTS = re.compile(r"key=str\.casefold|key=lambda[^\n]*(casefold|lower)\(\)|COLLATE NOCASE|ORDER BY lower\(")


@pytest.mark.parametrize(
    "names",
    [
        ["9", "10", "Ähre", "apfel", "élan", "Öl", "Zebra"],
        ["Part 2", "Part 10", "Part 10b", "Part 011"],
        ["cote", "coté", "côte", "côté", "coteau"],
        ["Øre", "Orgel", "Oslo", "Ostern"],
        ["lodz", "Łódź", "Lyon"],
        ["straße", "strasse 2", "strauss"],
        ["あ", "か", "カキ", "さ"],
        ["٢ ب", "١٠ أ"],
        ["file9" + "9" * 5000, "file1" + "0" * 5001],
    ],
)
def test_names_are_in_the_order_in_which_people_look_for_them(names: list[str]) -> None:
    mixed = random.sample(names, len(names))
    assert sorted(mixed, key=name_key) == names


@given(st.text(max_size=40), st.text(max_size=40))
def test_only_the_same_name_has_the_same_place(one: str, other: str) -> None:
    assert (name_key(one) == name_key(other)) == (one == other)
    assert (name_key(one) < name_key(other)) or (name_key(other) <= name_key(one))


def test_no_list_of_names_is_sorted_by_code_points() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "chatdesk").rglob("*.py")}
    wrong = [str(path) for path, source in sources.items() if _BY_CODE_POINTS.search(source)]
    assert not wrong, "use name_key: " + ", ".join(wrong)
