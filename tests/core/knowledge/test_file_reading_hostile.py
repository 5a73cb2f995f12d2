"""Hostile files cost nobody anything: mutated documents of each kind, and those that ask for too much of a computer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.core.knowledge.file_reading import KnowledgeReader, ReadFile
from chatdesk.core.paths import encodings_dir
from tests.helpers.examples import IS_LONG, sample
from tests.helpers.hostile_documents import SAMPLES, TRICKS, mutated

MUTATED = 10_000 if IS_LONG else 12


@pytest.fixture
def reader() -> Iterator[KnowledgeReader]:
    made = KnowledgeReader(encodings_dir())
    yield made
    made.close()


def check(found: ReadFile) -> None:
    """Check that there are passages in order, or a sentence why there are none."""
    assert found.passages or found.problem
    assert len(found.vectors) == len(found.passages)
    at = 0
    for passage in found.passages:
        assert at <= passage.start < passage.end <= found.characters
        assert len(passage.text) == passage.end - passage.start
        passage.text.encode()
        at = passage.end


@pytest.mark.parametrize("ending", SAMPLES)
def test_every_kind_is_read(ending: str, reader: KnowledgeReader, tmp_path: Path) -> None:
    (tmp_path / f"a.{ending}").write_bytes(SAMPLES[ending])
    found = reader.read(tmp_path, f"a.{ending}")
    check(found)
    assert found.passages


@pytest.mark.timeout(0 if IS_LONG else 120)
@pytest.mark.parametrize("ending", SAMPLES)
def test_mutated_files_are_read_or_refused(ending: str, reader: KnowledgeReader, tmp_path: Path) -> None:
    chance = random.Random(ending)
    for _ in range(MUTATED):
        (tmp_path / f"a.{ending}").write_bytes(mutated(SAMPLES[ending], chance))
        check(reader.read(tmp_path, f"a.{ending}"))


@pytest.mark.long
@pytest.mark.parametrize("name", sample(tuple(TRICKS), 3))
def test_what_asks_for_too_much_is_read_or_refused(name: str, reader: KnowledgeReader, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(TRICKS[name]())
    (tmp_path / "next.md").write_text("words")
    check(reader.read(tmp_path, name))
    assert reader.read(tmp_path, "next.md").passages
