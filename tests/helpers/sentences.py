"""Finds the sentences of the source that are translated, and the catalogues of the languages."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CATALOGUES = ROOT / "resources" / "translations"
_FUNCTIONS = {"Text", "plural", "tr"}
FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Sentence:
    """One call that makes a sentence. ``source`` and ``singular``, which is what a sentence that is no plural is about,
    are None where they are not written out."""

    place: str
    function: str
    source: str | None
    singular: str | None
    fields: frozenset[str]
    is_at_import: bool
    is_in_f_string: bool


@dataclass(frozen=True)
class Entry:
    """One entry of a catalogue; ``forms`` has one translation, or one for each form of a plural."""

    source: str
    singular: str
    forms: tuple[str, ...]
    is_finished: bool


@dataclass
class _Place:
    function_depth: int = 0
    f_string_depth: int = 0
    found: list[tuple[ast.Call, bool, bool]] = field(default_factory=list)


@cache
def sentences_of_source() -> tuple[Sentence, ...]:
    """Return every call of ``Text``, ``plural`` and ``tr`` in the program."""
    return tuple(sentence for path in sorted((ROOT / "chatdesk").rglob("*.py")) for sentence in _sentences_of(path))


def _sentences_of(path: Path) -> Iterator[Sentence]:
    text = path.read_text(encoding="utf-8")
    if "chatdesk.core.texts" not in text and path.name != "texts.py":
        return
    place = _Place()
    _walk(ast.parse(text), place)
    for call, is_at_import, is_in_f_string in place.found:
        assert isinstance(call.func, ast.Name)
        written = [_constant(argument) for argument in call.args[:2]]
        yield Sentence(
            f"{path.relative_to(ROOT)}:{call.lineno}",
            call.func.id,
            written[0] if written else None,
            (written[1] if len(written) > 1 else None if call.func.id == "plural" else ""),
            frozenset(keyword.arg or "**" for keyword in call.keywords),
            is_at_import,
            is_in_f_string,
        )


def _walk(node: ast.AST, place: _Place) -> None:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        place.found.append((node, place.function_depth == 0, place.f_string_depth > 0))
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        for child in [*node.decorator_list, node.args]:
            _walk(child, place)
        place.function_depth += 1
        for child in node.body:
            _walk(child, place)
        place.function_depth -= 1
        return
    place.function_depth += isinstance(node, ast.Lambda)
    place.f_string_depth += isinstance(node, ast.JoinedStr)
    for child in ast.iter_child_nodes(node):
        _walk(child, place)
    place.function_depth -= isinstance(node, ast.Lambda)
    place.f_string_depth -= isinstance(node, ast.JoinedStr)


def _constant(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def read_catalogue(path: Path) -> list[Entry]:
    """Return the entries of a .ts file."""
    entries = []
    for message in ET.parse(path).getroot().iter("message"):
        translation = message.find("translation")
        assert translation is not None
        forms = [form.text or "" for form in translation.findall("numerusform")] or [translation.text or ""]
        entries.append(
            Entry(
                message.findtext("source") or "",
                message.findtext("comment") or "",
                tuple(forms),
                translation.get("type") is None and all(forms),
            )
        )
    return entries
