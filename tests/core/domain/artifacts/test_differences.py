"""Differences are those of the lines, and hostile texts take no longer than allowed."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from chatdesk.core.domain.artifacts.differences import difference

LINES = [f"line {number}" for number in range(40)]


def test_changed_lines_stand_between_their_neighbours() -> None:
    changed = [*LINES[:10], "new", *LINES[11:]]
    found = difference("\n".join(LINES), "\n".join(changed))
    assert (found.added, found.removed, found.is_rough) == (1, 1, False)
    assert found.text == ("@@ -8,7 +8,7 @@\n line 7\n line 8\n line 9\n-line 10\n+new\n line 11\n line 12\n line 13\n")


def test_changes_far_apart_have_hunks_of_their_own() -> None:
    changed = ["first", *LINES[1:30], *LINES[31:]]
    found = difference("\n".join(LINES), "\n".join(changed))
    assert found.text.count("@@ -") == 2
    assert (found.added, found.removed) == (1, 2)


def test_equal_texts_do_not_differ() -> None:
    assert difference("a\nb", "a\nb").text == ""


_TEXTS = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=30)


@given(_TEXTS, _TEXTS)
def test_the_difference_leads_from_one_text_to_the_other(old: list[str], new: list[str]) -> None:
    before, after = "".join(f"{each}\n" for each in old), "".join(f"{each}\n" for each in new)
    found = difference(before, after)
    made: list[str] = []
    place = 0
    for line in found.text.splitlines():
        if line.startswith("@@"):
            start = int(line.split()[1][1:].split(",")[0]) - 1
            made += old[place:start]
            place = start
        elif line[0] in " -":
            assert old[place] == line[1:]
            place += 1
            if line[0] == " ":
                made.append(line[1:])
        else:
            made.append(line[1:])
    assert [*made, *old[place:]] == new


def test_texts_that_take_too_long_are_shown_as_replaced() -> None:
    old = "\n".join(f"line {number % 100}" for number in range(100_000))
    new = "\n".join(f"line {(number * 37 + number // 100) % 100}" for number in range(100_000))
    began = time.process_time()
    found = difference(f"{old}\nend", f"beginning\n{new}")
    assert time.process_time() - began < 3  # without a limit the first search alone takes eight seconds
    assert found.is_rough
    assert found.added == found.removed == 100_001
