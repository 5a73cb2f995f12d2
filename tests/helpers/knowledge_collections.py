"""Three collections of free texts, and the questions about them, for measuring what a project's files find.

- ``manual``: what Python's standard library says about itself, a file for each module (licence: PSF-2.0).
- ``packages``: what the locked packages say about themselves, a file for each package and for some of their modules
  (licences: MIT, BSD, Apache-2.0, PSF-2.0, MPL-2.0; each package's own ``METADATA`` names it).
- ``written``: texts written for these tests, in ``tests/data/knowledge/written`` (ChatDesk's own licence).

The first two are made from what is installed, without network, and nothing of them is kept in the repository.
``tests/data/knowledge/installed.json`` names what they are made of: modules that every Python from 3.11 to 3.14 has,
and packages that are locked for every system and each of these Pythons.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path
from types import ModuleType
from typing import Final

DATA: Final = Path(__file__).parent.parent / "data" / "knowledge"
KINDS: Final = ("same words", "other words", "short", "vague")
_LONGEST_DESCRIPTION: Final = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``answer`` is a phrase of the only file that answers, whatever its blanks. ``is_kept_aside`` tells the third
    that nobody looks at while search is tuned: a hash chooses it."""

    collection: str
    kind: str
    question: str
    file: str
    answer: str

    @property
    def is_kept_aside(self) -> bool:
        return int(hashlib.sha256(self.question.encode()).hexdigest(), 16) % 3 == 0


def questions() -> list[Question]:
    return [Question(**row) for row in json.loads((DATA / "questions.json").read_text("utf-8"))]


def plain(text: str) -> str:
    """Return a text with single blanks, which wrapping and cutting change."""
    return " ".join(text.split())


def make_collections(folder: Path) -> dict[str, Path]:
    """Make a folder for each collection, and return them by name."""
    installed: dict[str, list[str]] = json.loads((DATA / "installed.json").read_text("utf-8"))
    texts = {
        "manual": {f"{name}.txt": _pages_of(name) for name in installed["modules"]},
        "packages": {f"{name}.md": _description_of(name) for name in installed["packages"]}
        | {f"{name}.txt": _pages_of(name) for name in installed["modules of packages"]},
    }
    for collection, files in texts.items():
        (folder / collection).mkdir(parents=True)
        for name, text in files.items():
            (folder / collection / name).write_text(text, "utf-8", newline="\n")
    shutil.copytree(DATA / "written", folder / "written")
    return {name: folder / name for name in (*texts, "written")}


def _description_of(package: str) -> str:
    head = metadata(package)
    body = head.get_payload() or head.get("Description") or ""
    return f"# {head['Name']}\n\n{head.get('Summary') or ''}\n\n{str(body)[:_LONGEST_DESCRIPTION]}\n"


def _pages_of(name: str) -> str:
    """Return what a module and all that it defines say about themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module(name)
        return f"{name}\n{'=' * len(name)}\n\n" + "\n\n".join(_parts_of(module)) + "\n"


def _parts_of(module: ModuleType) -> Iterator[str]:
    yield inspect.getdoc(module) or ""
    offered = getattr(module, "__all__", None)
    for name, value in sorted(vars(module).items()):
        is_own = getattr(value, "__module__", None) == module.__name__ and not name.startswith("_")
        if not (name in offered if offered is not None else is_own) or inspect.ismodule(value):
            continue
        if inspect.isclass(value):
            yield f"class {name}\n\n{_indented(_own_doc(value))}"
            for method, function in sorted(vars(value).items()):
                if not method.startswith("_") and (said := _own_doc(function)):
                    yield f"{name}.{method}{_signature_of(function)}\n\n{_indented(said)}"
        elif callable(value) and (said := _own_doc(value)):
            yield f"{name}{_signature_of(value)}\n\n{_indented(said)}"


def _own_doc(value: object) -> str:
    """Return what is said of this very thing, nothing that it has from its class."""
    said = getattr(value, "__doc__", None)
    return inspect.cleandoc(said) if isinstance(said, str) and said != type(value).__doc__ else ""


def _signature_of(value: object) -> str:
    try:
        names = inspect.signature(value).parameters  # type: ignore[arg-type]
    except (AttributeError, NameError, TypeError, ValueError):
        return "(...)"
    return f"({', '.join(names)})"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())
