"""Differences between states of a file are right, and ``patch`` takes them."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from chatdesk.core.tools.folder.file_changes import file_difference


def test_a_change_has_its_lines_and_what_is_near() -> None:
    before = "".join(f"{number}\n" for number in range(20))
    made = file_difference("a.txt", before, before.replace("10\n", "ten\neleven\n"))
    assert made.text.splitlines() == [
        "--- a/a.txt",
        "+++ b/a.txt",
        "@@ -8,7 +8,8 @@",
        " 7",
        " 8",
        " 9",
        "-10",
        "+ten",
        "+eleven",
        " 11",
        " 12",
        " 13",
    ]
    assert (made.added, made.removed) == (2, 1)


def test_new_and_removed_files_and_missing_ends_are_told() -> None:
    new = file_difference("a", None, "x")
    assert new.text == "--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n"
    assert file_difference("a", "x\n", None).text == "--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    assert file_difference("a", "x", "x\n").text.count("No newline") == 1


@pytest.mark.parametrize("seed", range(40))
def test_patch_makes_the_new_text_of_the_old_one(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    lines = [chance.choice("abcdef") * chance.randint(0, 3) for _ in range(chance.randint(1, 60))]
    changed = [each for each in lines if chance.random() > 0.2]
    for _ in range(chance.randint(0, 8)):
        changed.insert(chance.randint(0, len(changed)), chance.choice("xyz"))
    before = "\n".join(lines) + chance.choice(["", "\n"])
    after = "\n".join(changed) + chance.choice(["", "\n"])
    file = tmp_path / "file"
    file.write_text(before)
    if not before or not after or before == after:
        return
    made = file_difference("file", before, after)
    subprocess.run(["patch", "-s", str(file)], input=made.text.encode(), check=True)
    assert file.read_text() == after


def test_texts_that_have_little_in_common_are_not_compared_line_by_line() -> None:
    before = "".join(f"{number % 7}\n" for number in range(20_000))
    after = "".join(f"{number % 5}x\n" for number in range(20_000))
    made = file_difference("a", before, after)
    assert (made.added, made.removed) == (20_000, 20_000)
