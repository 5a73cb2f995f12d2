"""What keeps the code readable: the sizes of folders, files, functions, classes and constructors, docstrings that
begin as sentences do, names of functions, sentences that can be translated, and tests that are beside their modules,
wait for conditions and use public names.

Methods that override Qt's own do not count as public methods: Qt chose their names and their number, and who works with
the class does not call them.

What is larger is in ``data/house.toml`` with its size today. The list may only shrink: an entry that is larger than
what it speaks of fails as well. ``python -m tests.test_house`` writes it again after something became smaller.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PySide6 import QtCore, QtGui, QtWidgets

from tests.helpers.plain_sentences import plain_sentences, sentences_in, tree_of

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "chatdesk"
EXCEPTIONS = ROOT / "tests" / "data" / "house.toml"
# A docstring that begins so has no subject, or one that is elsewhere: “What is shown”, “Whether it is open”.
FRAGMENTS = re.compile(
    "(What|Who|Whom|Whose|How|Whether|Where|When|Which|Why|Of|As|To|For|From|In|On|At|By|With|Without|While|Until"
    "|Unless|It|Its|They|Their|Them|That|Those|These|He|She|See|Because|Reached|Called|Raised|Stands)\\b"
    "|``(?!python|chatdesk)"  # the name of a parameter or signal says nothing yet of what has it
)
# A function that is no property begins with its verb; so these nouns are the beginnings of riddles.
NOUNS = re.compile(r"(The|A|An|No|None|Nothing|Nobody|Everything|Something|Somebody|Everybody|Alone|Also|More)\b|\(")
# “Return what is sent” names nothing: the messages to send, a sentence on the cost, the rows for a request. The client
# for other programs is left out.
NAMELESS = re.compile(r"\w+ what\b")
# Verbs that meant something else in each place: start, show, apply, set, receive, report, record and restore say what
# is done. Packages that still have some are left out.
VAGUE_VERBS = re.compile(r"_?(begin|take|tell|settle|mend)(_|$)")
USUAL_NAMES = {"take_screenshot"}
LIMITS = {
    "modules": 30,
    "lines": 400,
    "function_lines": 60,
    "public_methods": 20,
    "constructor_parameters": 8,
    "tests_elsewhere": 0,
    "fixed_sleeps": 0,
    "private_names": 0,
}
TESTS = ROOT / "tests"
_CLASS = re.compile(r"^class (\w+)\(([^)]*)\):", re.MULTILINE)
_MAY_BREAK_A_RULE = re.compile(r"sleep\(|Sleep\(|[wW]ait\(|(?<!\bself)(?<!\bcls)\s*\.\s*_(?!_)")


# Names with an underscore that are documented.
_PUBLIC_ALL_THE_SAME = ("_exit", "_fields", "_replace", "_asdict")
# A module with sentences that are translated or for developers, and four that are neither.
_MIXED = '''
"""It is documentation."""
_log.warning("A file was not there.")
class Gone(ChatDeskError):
    what = "It was never there."
    safe = Text("Nothing was changed.")
def find(name):
    if not name:
        raise ValueError("A name is needed here.")
    say(f"{name} is not there.")
    read("SELECT name FROM files WHERE id = 1.")
    raise Gone(Text("There is no file."), next_step="the folder of")
HINT = "Look for it elsewhere."
'''


def test_nothing_is_larger_than_the_house_allows() -> None:
    allowed = _allowed()
    found = _scan().too_large
    grown = {
        f"{kind}: {name} has {size}"
        for kind, sizes in found.items()
        for name, size in sizes.items()
        if size > allowed[kind].get(name, LIMITS[kind])
    }
    assert not grown, "\n".join(sorted(grown))


def test_the_list_of_exceptions_only_shrinks() -> None:
    found = _scan().too_large
    stale = {
        f"{kind}: {name} has {found[kind].get(name, 'no more than allowed')}, the list says {size}"
        for kind, sizes in _allowed().items()
        for name, size in sizes.items()
        if found[kind].get(name) != size
    }
    assert not stale, "\n".join(sorted(stale))


def test_docstrings_begin_with_a_sentence() -> None:
    fragments = [f"{name}: {line}" for name, line in _scan().docstrings if FRAGMENTS.match(line)]
    assert not fragments, "\n".join(sorted(fragments))


def test_docstrings_of_functions_begin_with_a_verb() -> None:
    nouns = [f"{name}: {line}" for name, line in _scan().of_functions if NOUNS.match(line)]
    assert not nouns, "\n".join(sorted(nouns))


def test_docstrings_name_their_object() -> None:
    nameless = [
        f"{name}: {line}"
        for name, line in _scan().docstrings
        if NAMELESS.match(line) and not name.startswith("chatdesk/client/")
    ]
    assert not nameless, "\n".join(sorted(nameless))


def test_no_function_has_a_name_that_means_several_things() -> None:
    vague = [f"{place}: {name}" for place, name in _scan().functions if VAGUE_VERBS.match(name)]
    vague = [each for each in vague if each.split(": ")[1] not in USUAL_NAMES]
    assert not vague, "\n".join(sorted(vague))


def test_no_sentence_for_people_is_a_plain_string() -> None:
    found = plain_sentences()
    assert not found, "a Text, or tr in the window and the command line: " + "\n".join(found)


def test_a_plain_sentence_is_found_and_what_is_none_is_not() -> None:
    """The search itself: what is said in an error, in an f-string or by the way is found, whatever its class."""
    said = {words for _line, words in sentences_in(_MIXED)}
    assert said == {"It was never there.", "{} is not there.", "the folder of", "Look for it elsewhere."}


def test_nothing_private_of_python_or_of_a_package_is_used() -> None:
    found = [f"{_name(path)}: {each}" for path in PACKAGE.rglob("*.py") for each in _private_parts(tree_of(path))]
    assert not found, "public means, however slow: " + "\n".join(sorted(found))


def test_private_parts_are_found() -> None:
    tree = ast.parse(
        "import json, os\nfrom _socket import socket\nfrom x import _y\njson.encoder._z = 1\nos._exit(0)\n"
    )
    assert list(_private_parts(tree)) == ["_socket", "_y", "json.encoder._z"]


def _private_parts(tree: ast.Module) -> Iterator[str]:
    """Yield the private modules and names that are imported from others, and those that are reached through them."""
    foreign = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None) or ""
            for each in node.names:
                if not f"{module}.{each.name}".strip(".").startswith("chatdesk"):
                    foreign.add((each.asname or each.name).split(".")[0])
                    parts = *module.split("."), *each.name.split(".")
                    yield from (part for part in parts if part.startswith("_") and not part.startswith("__"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            first: ast.AST = node
            while isinstance(first, ast.Attribute | ast.Call):
                first = first.value if isinstance(first, ast.Attribute) else first.func
            if isinstance(first, ast.Name) and first.id in foreign and node.attr not in _PUBLIC_ALL_THE_SAME:
                yield ast.unparse(node)


def _allowed() -> dict[str, dict[str, int]]:
    return {kind: {} for kind in LIMITS} | tomllib.loads(EXCEPTIONS.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class _Scan:
    too_large: dict[str, dict[str, int]]
    docstrings: list[tuple[str, str]]  # the name of the file and the first line
    of_functions: list[tuple[str, str]]  # those of them that belong to functions which are no properties
    functions: list[tuple[str, str]]  # the name of the file and of the function


@cache
def _scan() -> _Scan:
    """Each file is parsed once for all tests here: parsing is most of what they cost."""
    found = _Scan({kind: {} for kind in LIMITS}, [], [], [])
    for kind, name, size in _sizes(found):
        if size > LIMITS[kind]:
            found.too_large[kind][name] = size
    return found


def _sizes(found: _Scan) -> Iterator[tuple[str, str, int]]:
    for folder in (PACKAGE, *(each for each in PACKAGE.rglob("*") if each.is_dir())):
        yield "modules", _name(folder), len([each for each in folder.glob("*.py") if each.name != "__init__.py"])
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        yield "lines", _name(path), text.count("\n")
        tree = tree_of(path)
        found.docstrings.extend(_first_line(path, tree))
        for owner, node in _definitions(tree):
            found.docstrings.extend(_first_line(path, node))
            if not isinstance(node, ast.ClassDef) and not _is_property(node):
                found.of_functions.extend(_first_line(path, node))
            name = f"{_name(path)}: {owner}{node.name}"
            if isinstance(node, ast.ClassDef):
                methods = [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
                of_qt = _names_of_qt(node.name)
                own = [each.name for each in methods if not each.name.startswith("_") and each.name not in of_qt]
                yield "public_methods", name, len(own)
            else:
                found.functions.append((_name(path), node.name))
                yield "function_lines", name, (node.end_lineno or 0) - node.lineno + 1
                if node.name == "__init__":
                    arguments = node.args
                    count = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
                    yield "constructor_parameters", name, count - 1

    yield from _sizes_of_tests()


@cache
def _names_of_qt(class_name: str) -> frozenset[str]:
    """Return the names that a class of ``chatdesk/ui/`` has from the classes of Qt that it is derived from."""
    found: set[str] = set()
    for base in _bases().get(class_name, ()):
        for module in (QtCore, QtGui, QtWidgets):
            found |= set(dir(getattr(module, base, object())))
        found |= _names_of_qt(base)
    return frozenset(found)


@cache
def _bases() -> dict[str, frozenset[str]]:
    """Return the names of the bases of the classes of ``chatdesk/ui/``, by name."""
    found: dict[str, frozenset[str]] = {}
    for path in (PACKAGE / "ui").rglob("*.py"):
        for name, bases in _CLASS.findall(path.read_text(encoding="utf-8")):
            found[name] = found.get(name, frozenset()) | frozenset(re.findall(r"\w+", bases)) - {name}
    return found


def _sizes_of_tests() -> Iterator[tuple[str, str, int]]:
    """Benchmarks measure by the clock, and what a test shares with others is in helpers: neither is counted."""
    for path in TESTS.rglob("test_*.py"):
        place = path.relative_to(TESTS)
        if place.parts[0] == "live_local":
            continue
        text = path.read_text(encoding="utf-8")
        if _MAY_BREAK_A_RULE.search(text):  # parsing is most of what this costs
            nodes = list(ast.walk(tree_of(path)))
            yield "fixed_sleeps", _name(path), sum(map(_is_fixed_sleep, nodes))
            yield "private_names", _name(path), sum(map(_is_foreign_private_name, nodes))
        if place.parts[0] in ("core", "ui"):
            yield "tests_elsewhere", _name(path), int(not _names_what_it_tests(place))


def _names_what_it_tests(place: Path) -> bool:
    """``test_<module>.py`` and ``test_<module>_<subject>.py`` are beside the module; what plays several modules of a
    package has the name of the package in place of the module's."""
    words = place.stem.removeprefix("test_").split("_")
    beginnings = ("_".join(words[:count]) for count in range(len(words), 0, -1))
    folder = PACKAGE / place.parent
    return any(each == folder.name or (folder / f"{each}.py").exists() for each in beginnings)


def _is_fixed_sleep(node: ast.AST) -> bool:
    """``sleep(0)`` only lets others go on, and an event's ``wait(30)`` ends when the event is there."""
    match node:
        case ast.Call(
            func=ast.Attribute(attr="sleep" | "qWait" | "qSleep")
            | ast.Name(id="sleep")
            | ast.Attribute(value=ast.Name(id="qtbot"), attr="wait"),
            args=[ast.Constant(value=int() | float() as seconds)],
        ):
            return seconds > 0
    return False


def _is_foreign_private_name(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="self" | "cls")):
            return False
        case ast.Attribute(value=ast.Name(id="os"), attr="_exit"):  # public, for all its name
            return False
        case ast.Attribute(attr=name):
            return name.startswith("_") and not name.startswith("__")
    return False


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("property" in ast.unparse(each) for each in node.decorator_list)


def _first_line(
    path: Path, node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
) -> Iterator[tuple[str, str]]:
    if text := ast.get_docstring(node, clean=False):
        yield _name(path), text.strip().partition("\n")[0]


def _definitions(
    tree: ast.AST, owner: str = ""
) -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in getattr(tree, "body", ()):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield owner, node
            yield from _definitions(node, f"{owner}{node.name}.")


@cache
def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _write() -> None:
    lines = ["# What is larger or more than tests/test_house.py allows, with its size. It may only shrink.\n"]
    for kind, sizes in _scan().too_large.items():
        lines.append(f"\n[{kind}]  # more than {LIMITS[kind]}\n")
        lines += [f'"{name}" = {size}\n' for name, size in sorted(sizes.items())]
    EXCEPTIONS.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    _write()


def test_what_follows_stored_references_ends() -> None:
    """A ring of rows is followed for ever by ``UNION ALL``, unless steps are counted; ``UNION`` takes each row once."""
    endless = [
        _name(path)
        for path in (*PACKAGE.rglob("*.py"), *(ROOT / "migrations").rglob("*.py"))
        for statement in re.findall(r"WITH RECURSIVE.*?\"", path.read_text(encoding="utf-8"), re.DOTALL)
        if "UNION ALL" in statement and "steps + 1" not in statement
    ]
    assert not endless
