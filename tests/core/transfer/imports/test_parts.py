"""No import loses a word or the name of a model, in whatever place and form a program writes it.

Each file in ``tests/data/imports/words`` is an export of a program in which every text that a person can read begins
with ``kept-``, and every name of a model with ``model-``. Adding a form needs a file and no code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.domain.imported import ImportedThread
from chatdesk.core.transfer.imports.source import ExportFile
from tests.helpers.import_world import import_world

_EXPORTS = sorted((Path(__file__).parents[3] / "data" / "imports" / "words").glob("*.json"))
_WORDS = re.compile(r"\b(?:kept|model)-[a-z-]+")
# Where programs write texts, and how else they write them there.
_TEXTS = ("text", "content", "thinking", "think", "output", "result", "citedText")
_SHAPES = (
    lambda text: [text],
    lambda text: {"value": text},
    lambda text: {"text": text},
    lambda text: [{"type": "text", "text": text}],
    lambda text: [{"type": "text", "text": {"value": text}}],
)


def _read(path: Path) -> tuple[ImportedThread, ...]:
    export = ExportFile(path, now_ms=1_772_359_200_000)
    try:
        found = tuple(export.threads())
    finally:
        export.close()
    assert all(isinstance(each, ImportedThread) for each in found), found
    return found  # type: ignore[return-value]


def _lost(value: Any, folder: Path, wanted: Any = None) -> list[str]:
    """Return the words of ``wanted`` that no thread has, and the models that no answer names."""
    path = folder / "export.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    threads = _read(path)
    written = str([asdict(each) for each in threads])
    models = {message.values.get("model") for each in threads for message in each.messages}
    names = dict.fromkeys(_WORDS.findall(json.dumps(wanted or value)))
    return [name for name in names if (name not in models if name.startswith("model-") else name not in written)]


def _places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in items:
        yield (*way, name), each
        yield from _places(each, (*way, name))


def _with(value: Any, way: tuple[Any, ...], new: Any) -> Any:
    if not way:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[way[0]] = _with(copy[way[0]], way[1:], new)
    return copy


@pytest.mark.parametrize("path", _EXPORTS, ids=lambda path: path.stem)
def test_an_export_keeps_every_word_and_every_model(path: Path, tmp_path: Path) -> None:
    assert _lost(json.loads(path.read_text(encoding="utf-8")), tmp_path) == []


@pytest.mark.parametrize("path", _EXPORTS, ids=lambda path: path.stem)
async def test_every_word_of_an_export_is_stored(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    async with import_world(tmp_path) as world:
        await world.service.run(path)
        rows = [await world.all_rows(table) for table in ("threads", "messages", "message_parts", "tags")]
        files = [each.read_bytes() for each in tmp_path.rglob("*") if each.is_file() and len(each.name) == 64]
    stored = str(rows) + str(files)
    assert [word for word in dict.fromkeys(_WORDS.findall(text)) if word not in stored] == []


@pytest.mark.parametrize("path", _EXPORTS, ids=lambda path: path.stem)
def test_a_piece_of_unknown_kind_keeps_its_text(path: Path, tmp_path: Path) -> None:
    value = json.loads(path.read_text(encoding="utf-8"))
    lost = {}
    for way, each in _places(value):
        if way[-1] in ("type", "content_type") and isinstance(each, str):
            missing = _lost(_with(value, way, "kind-of-tomorrow"), tmp_path)
            if missing:
                lost[".".join(map(str, way))] = each, missing
    assert lost == {}


@pytest.mark.parametrize("path", _EXPORTS, ids=lambda path: path.stem)
def test_a_text_in_another_shape_keeps_its_words(path: Path, tmp_path: Path) -> None:
    value = json.loads(path.read_text(encoding="utf-8"))
    lost = {}
    for way, each in _places(value):
        if way[-1] in _TEXTS and isinstance(each, str) and "kept-" in each:
            for number, shape in enumerate(_SHAPES):
                missing = _lost(_with(value, way, shape(each)), tmp_path)
                if missing:
                    lost.setdefault(".".join(map(str, way)), {})[number] = missing
    assert lost == {}
