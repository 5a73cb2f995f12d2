"""What the program imports comes with ChatDesk, and what comes with it is listed, under the licence that its own
metadata gives."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKED = re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements" / "run.txt").read_text("utf-8"), re.MULTILINE)
# Classifiers and old free texts, as SPDX calls them.
_SPDX = {
    "MIT License": "MIT",
    "BSD License": "BSD",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The BSD 2-Clause License": "BSD-2-Clause",
}
_LOOKS_FOR_A_MODULE = ("import_module", "import_beside", "find_spec")


def licence_of(name: str) -> str | None:
    """From the metadata of an installed package; None for one that this platform does not need."""
    try:
        found = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    stated = found.get("License-Expression") or found.get("License") or ""
    first_line = stated.strip().splitlines()[0].strip() if stated.strip() else ""
    if first_line:
        return _SPDX.get(first_line, first_line)
    kinds = [each.rsplit(" :: ", 1)[-1] for each in found.get_all("Classifier") or [] if each.startswith("License")]
    if not kinds:  # only the text of the licence is there
        texts = [each for each in metadata.files(name) or [] if each.name.startswith("LICEN")]
        is_mit = any("Permission is hereby granted, free of charge" in each.read_text() for each in texts)
        return "MIT" if is_mit else ""
    return " OR ".join(_SPDX.get(kind, kind) for kind in kinds)


def listed() -> dict[str, str]:
    rows = re.findall(r"^\| ([^|`]+) \| ([^|]+) \|$", (ROOT / "THIRD_PARTY.md").read_text("utf-8"), re.MULTILINE)
    return {name.strip(): licence.strip() for name, licence in rows if name != "package" and "--" not in name}


def test_every_locked_package_is_listed_with_the_licence_of_its_metadata() -> None:
    rows = listed()
    for name in LOCKED:
        assert name in rows
        found = licence_of(name)
        if found is not None:
            assert (name, rows[name]) == (name, found)


def test_nothing_is_listed_that_is_not_locked() -> None:
    assert set(listed()) == set(LOCKED)


def test_no_licence_forbids_what_we_do() -> None:
    """MIT software may be given away with all of these; a new kind has to be thought about first."""
    known = {
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "BSD",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "Apache-2.0",
        "MPL-1.1",
        "MPL-2.0",
        "PSF-2.0",
        "CNRI-Python",
        "0BSD",
        "Zlib",
        "CC0-1.0",
        # PDFium with what it is built from, all of it permissive.
        "BSD-3-Clause, Apache-2.0, dependency licenses",
    }
    for name, licence in listed().items():
        choices = [set(re.split(r" AND ", choice)) for choice in licence.split(" OR ")]
        is_qt = any("LGPL-3.0-only" in choice for choice in choices)
        assert is_qt or any(choice <= known for choice in choices), f"{name}: {licence}"


def _imported(tree: ast.Module) -> Iterator[str]:
    """Yield the names of the modules that a file imports or looks for, but for those that only types need."""
    nodes: list[ast.AST] = [tree]
    while nodes:
        match node := nodes.pop():
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                nodes += node.orelse
                continue
            case ast.Import():
                yield from (each.name for each in node.names)
            case ast.ImportFrom(module=str() as module, level=0):
                yield module
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _LOOKS_FOR_A_MODULE:
                yield from (
                    each.value for each in node.args if isinstance(each, ast.Constant) if type(each.value) is str
                )
        nodes += ast.iter_child_nodes(node)


def test_each_package_that_is_imported_comes_with_the_program() -> None:
    """Also with the one that pip installs: there are no extras that one could forget."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", each)[0]).lower() for each in project["dependencies"]]
    assert set(asked) <= set(LOCKED) and "optional-dependencies" not in project
    homes = metadata.packages_distributions()
    missing: dict[str, str] = {}
    for path in [*ROOT.glob("chatdesk/**/*.py"), *ROOT.glob("migrations/**/*.py")]:
        name = path.relative_to(ROOT).as_posix()
        tops = {each.partition(".")[0] for each in _imported(ast.parse(path.read_text("utf-8")))}
        for top in tops - sys.stdlib_module_names - {"chatdesk"}:
            found = {re.sub(r"[-_.]+", "-", each).lower() for each in homes.get(top, [])}
            if not found & set(LOCKED):
                missing[top] = name
    assert not missing
