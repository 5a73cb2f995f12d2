"""Tests the process that reads files: what it may open, what it may take, and that one file costs no other."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.core.domain.knowledge import OWN_DIMENSIONS
from chatdesk.core.knowledge.file_reading import KnowledgeReader, file_of
from chatdesk.core.paths import encodings_dir


@pytest.fixture(scope="module")
def reader() -> Iterator[KnowledgeReader]:
    made = KnowledgeReader(encodings_dir())
    yield made
    made.close()


def test_a_file_comes_back_as_passages_with_vectors(reader: KnowledgeReader, tmp_path: Path) -> None:
    text = "# One\n\n" + "Bread is baked. " * 60 + "\n\n# Two\n\n" + "Water boils. " * 60
    (tmp_path / "a.md").write_text(text)
    found = reader.read(tmp_path, "a.md")
    facts = (tmp_path / "a.md").stat()
    assert found.stamp == f"{facts.st_size}:{facts.st_mtime_ns}" and found.mime == "text/markdown"
    assert [each.heading for each in found.passages] == ["One", "Two"] and found.characters == len(text)
    assert all(text[each.start : each.end] == each.text for each in found.passages)
    assert [len(each) for each in found.vectors] == [OWN_DIMENSIONS] * 2
    assert len(found.signs) * 8 == OWN_DIMENSIONS * 2 and not found.problem


def test_a_text_that_was_read_elsewhere_is_cut(reader: KnowledgeReader) -> None:
    found = reader.cut("# Title\n\nSome words.", "https://a.example/")
    assert [(each.heading, each.text) for each in found.passages] == [("Title", "# Title\n\nSome words.")]


def test_nothing_outside_the_folder_is_opened(reader: KnowledgeReader, tmp_path: Path) -> None:
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    for each in (folder, outside):
        each.mkdir()
    (outside / "secret.md").write_text("secret words")
    (folder / "link.md").symlink_to(outside / "secret.md")
    (folder / "way").symlink_to(outside)
    os.link(outside / "secret.md", folder / "hard.md")
    os.mkfifo(folder / "pipe.md")
    names = ["../outside/secret.md", "link.md", "way/secret.md", "hard.md", "pipe.md", "", ".", "/etc/passwd"]
    names += [str(outside / "secret.md"), "missing.md", "id_rsa", "a\0b", "x" * 5_000]
    for name in names:
        found = reader.read(folder, name)
        assert found.problem and not found.passages, name


def test_a_process_that_dies_costs_one_file(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("words")
    reader = KnowledgeReader(encodings_dir())
    try:
        assert reader.read(tmp_path, "a.md").passages
        assert reader.pid is not None
        os.kill(reader.pid, signal.SIGKILL)
        assert "too much time or memory" in reader.read(tmp_path, "a.md").problem
        assert reader.read(tmp_path, "a.md").passages
    finally:
        reader.close()


@pytest.mark.parametrize("limits", [{"longest_s": 0.0}, {"most_bytes": 1}])
def test_a_file_that_takes_too_much_ends_its_process(tmp_path: Path, limits: dict[str, float]) -> None:
    (tmp_path / "a.md").write_text("words " * 100_000)
    reader = KnowledgeReader(encodings_dir(), looked_every_s=0.0, **limits)  # type: ignore[arg-type]
    try:
        assert "too much time or memory" in reader.read(tmp_path, "a.md").problem
    finally:
        reader.close()


def test_closing_ends_a_read_and_starts_nothing_again(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("words " * 300_000)
    reader = KnowledgeReader(encodings_dir())
    answers: list[str] = []
    thread = threading.Thread(target=lambda: answers.append(reader.read(tmp_path, "a.md").problem))
    thread.start()
    reader.close()
    thread.join(30)
    assert len(answers) == 1 and reader.pid is None
    assert reader.read(tmp_path, "a.md").problem


@pytest.mark.parametrize(
    "answer",
    [
        (),
        (1, 2, 3),
        ("", "", "", 1, [(0, 1, None, "", "x")], b"", b""),
        ("", "", "", 1, [(0, 1)], b"\0" * 256, b"\0" * 32),
        ("", "", "", "x", [(0, 1, None, "", "x")], b"\0" * 256, b"\0" * 32),
        ("", "", "", 1, 5, b"", b""),
        *(
            ("", "", "", count, [(start, 1, page, heading, text)], b"\0" * 256, b"\0" * 32)
            for count, start, page, heading, text in (
                (2**70, 0, None, "", "x"),
                (1, -1, None, "", "x"),
                (1, 2**70, None, "", "x"),
                (1, 0, 2**70, "", "x"),
                (1, 0, None, "\ud800", "x"),
                (1, 0, None, "", "\ud800"),
                (1, 0, None, "", 5),
            )
        ),
    ],
)
def test_an_answer_that_is_none_is_a_damaged_file(answer: tuple[object, ...]) -> None:
    found = file_of(answer)
    assert "damaged" in found.problem and not found.passages
