"""Listing, finding and reading in a project's folder: pages, bounds, and what is left out."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event

import pytest

from chatdesk.core.tools.folder import reading
from chatdesk.core.tools.folder.beneath import FileRefused


def _find(folder: Path, *, name: str = "", text: str = "", path: str = "") -> list[str]:
    return reading.find(folder, name=name, text=text, path=path, stop=Event()).splitlines()


def test_a_folder_is_listed_without_secrets_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "b.txt").write_text("12345")
    (tmp_path / ".env").write_text("KEY=1")
    (tmp_path / ".git").mkdir()
    (tmp_path / "out").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    listed = reading.list_folder(tmp_path, "", 1).splitlines()
    assert listed[:2] == ["[The project folder, page 1 of 1]", "src/"]
    assert "b.txt  5 bytes" in listed and "out  (a link; links are not followed)" in listed
    assert "pipe  (no regular file)" in listed
    assert listed[-1].startswith("[2 entries are left out") and not any(".env" in line for line in listed)


def test_names_that_deceive_are_spelt_out_and_cannot_be_used(tmp_path: Path) -> None:
    for name in ("a\nb.txt", "cod\u202eexe.txt", "\x1b[31m.txt"):
        (tmp_path / name).write_text("hidden needle")
    (tmp_path / os.fsdecode(b"\xff\xfe.txt")).write_text("x")
    listed = reading.list_folder(tmp_path, "", None)
    assert len(listed.splitlines()) == 5 and listed.count("a name that no tool can use") == 4
    assert "\x1b" not in listed and "\u202e" not in listed and "⟦U+000A⟧" in listed
    assert _find(tmp_path, text="needle") == ["Nothing was found."]


def test_a_large_folder_is_listed_in_pages_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(60):
        (tmp_path / f"{number:02}{'x' * 200}").touch()
    assert reading.list_folder(tmp_path, "", 1).splitlines()[0].endswith("page 1 of 1]")
    monkeypatch.setattr("chatdesk.core.tools.folder.reading.MOST_LISTED", 50)
    assert "more than 50 entries" in reading.list_folder(tmp_path, "", 1)
    monkeypatch.setattr("chatdesk.core.tools.folder.reading.PAGE_BYTES", 4_000)
    assert "page 3 of 3" in reading.list_folder(tmp_path, "", 99)


def test_a_file_is_read_by_pages_that_make_up_all_of_it(tmp_path: Path) -> None:
    text = "".join(f"line {number} {'é' * 40}\n" for number in range(2_000)) + "y" * 50_000
    (tmp_path / "long.txt").write_text(text)
    first = reading.read_page(tmp_path, "long.txt", 1)
    count = int(first.partition("of ")[2].partition(",")[0])
    bodies = [reading.read_page(tmp_path, "long.txt", number).partition("\n")[2] for number in range(1, count + 1)]
    assert "".join(bodies) == text and max(len(each.encode()) for each in bodies) <= 16_000
    assert "from line 1]" in first
    for number in (0, -5, True, "two", None):
        assert reading.read_page(tmp_path, "long.txt", number) == first


def test_missing_and_binary_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    for path, words in (("picture.png", "is no text"), ("none.txt", "There is no file"), ("", "Name a file")):
        with pytest.raises(FileRefused, match=words):
            reading.read_page(tmp_path, path, 1)
    with pytest.raises(FileRefused, match="There is no folder"):
        reading.list_folder(tmp_path, "none", 1)


def test_files_are_found_by_name_by_text_and_by_both(tmp_path: Path) -> None:
    (tmp_path / "src" / "deep").mkdir(parents=True)
    (tmp_path / "src" / "main.py").write_text("import os\nprint('Hello')\n")
    (tmp_path / "src" / "deep" / "main.txt").write_text("hello there")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "main.py").write_text("hello")
    (tmp_path / "server.key").write_text("hello")
    (tmp_path / "link.py").symlink_to("/etc/hostname")
    assert _find(tmp_path, name="*.py") == ["src/main.py"]
    assert _find(tmp_path, name="MAIN") == ["src/main.py", "src/deep/main.txt"]
    assert _find(tmp_path, text="hello") == ["src/main.py:2: print('Hello')", "src/deep/main.txt:1: hello there"]
    assert _find(tmp_path, name="*.txt", text="hello", path="src/deep") == ["src/deep/main.txt:1: hello there"]
    assert _find(tmp_path, name="main", path="node_modules") == ["node_modules/main.py"]
    with pytest.raises(FileRefused):
        _find(tmp_path)


def test_a_search_ends_at_its_bounds_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(150):
        (tmp_path / f"{number}.txt").write_text("needle\n" * 3)
    assert "[The search ended after 100 places." in _find(tmp_path, text="needle")[-1]
    monkeypatch.setattr("chatdesk.core.tools.folder.reading.MOST_VISITED", 20)
    assert "The search ended after 20 entries." in _find(tmp_path, name="999")[-1]
    stopped = Event()
    stopped.set()
    assert "took too long" in reading.find(tmp_path, name="x", text="", path="", stop=stopped)


def test_a_deep_tree_is_walked_to_a_depth(tmp_path: Path) -> None:
    at = tmp_path
    for _depth in range(60):
        at = at / "d"
    at.mkdir(parents=True)
    (at / "deep.txt").touch()
    (tmp_path / "d" / "d" / "near.txt").touch()
    assert _find(tmp_path, name=".txt") == ["d/d/near.txt"]


@pytest.mark.parametrize("pattern", ["*" * 90, "*a" * 45, "[" * 90, "?" * 200])
def test_a_bad_pattern_costs_nothing(tmp_path: Path, pattern: str) -> None:
    (tmp_path / ("a" * 250)).touch()
    assert len(_find(tmp_path, name=pattern)) == 1
