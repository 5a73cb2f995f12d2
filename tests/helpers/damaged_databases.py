"""Damages the file of a database page by page and byte by byte, and says what a plain reader of SQLite still reads."""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from chatdesk.cli.main import run
from chatdesk.core.paths import AppPaths

PAGE = 4096
_LEAVES = (10, 13)
_INNER = (2, 5)
_TEXTS = "SELECT content FROM message_parts WHERE type = 'text'"
Change = Callable[[bytearray], None]


@dataclass(frozen=True)
class Damage:
    """A damage with its name; ``change`` carries it out in the bytes of a file."""

    name: str
    change: Change = field(repr=False)


@dataclass(frozen=True)
class Tree:
    """The pages of a table or an index: its root, and its leaves in order."""

    name: str
    root: int
    leaves: tuple[int, ...]


def trees(path: Path) -> list[Tree]:
    """Return the trees of every table and index of a sound database."""
    data = path.read_bytes()
    with closing(sqlite3.connect(path)) as conn:
        found = conn.execute("SELECT name, rootpage FROM sqlite_master WHERE rootpage > 0 ORDER BY name").fetchall()
    return [Tree(name, root, tuple(_leaves(data, root))) for name, root in found]


def _leaves(data: bytes, page: int) -> Iterator[int]:
    begin = (page - 1) * PAGE
    head = begin + (100 if page == 1 else 0)
    if data[head] in _LEAVES:
        yield page
    if data[head] in _INNER:
        cells = int.from_bytes(data[head + 3 : head + 5], "big")
        for cell in range(cells):
            at = begin + int.from_bytes(data[head + 12 + 2 * cell : head + 14 + 2 * cell], "big")
            yield from _leaves(data, int.from_bytes(data[at : at + 4], "big"))
        yield from _leaves(data, int.from_bytes(data[head + 8 : head + 12], "big"))


def texts_of(path: Path) -> set[str]:
    """Return the texts of messages that a plain reader of SQLite reads, row by row, whatever the schema says."""
    found: set[str] = set()
    if not path.is_file():
        return found
    with suppress(sqlite3.Error, UnicodeError), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn:
        conn.text_factory = lambda data: data.decode("utf-8", "replace")
        conn.execute("PRAGMA writable_schema=ON")
        with suppress(sqlite3.Error, UnicodeError):  # the first statement tells of a damaged schema, the next go on
            conn.execute("SELECT 1 FROM sqlite_master")
        for (content,) in conn.execute(_TEXTS):
            # A bit of the type makes bytes of a text.
            found.add(content.decode("utf-8", "replace") if isinstance(content, bytes) else content)
    return found


def _fill(pages: tuple[int, ...], byte: int, data: bytearray) -> None:
    for page in pages:
        data[(page - 1) * PAGE : page * PAGE] = bytes((byte,)) * PAGE


def _swap(one: int, other: int, data: bytearray) -> None:
    first, second = slice((one - 1) * PAGE, one * PAGE), slice((other - 1) * PAGE, other * PAGE)
    data[first], data[second] = data[second], data[first]


def _copy(source: int, targets: tuple[int, ...], data: bytearray) -> None:
    for target in targets:
        data[(target - 1) * PAGE : target * PAGE] = data[(source - 1) * PAGE : source * PAGE]


def _cut(share: float, data: bytearray) -> None:
    del data[int(len(data) * share) :]


def _set(at: int, byte: int, data: bytearray) -> None:
    data[at] = byte


def _flip(seed: int, count: int, data: bytearray) -> None:
    draw = random.Random(seed)
    for _ in range(count):
        bit = draw.randrange(len(data) * 8)
        data[bit // 8] ^= 1 << bit % 8


def of_one_page(found: list[Tree]) -> Iterator[Damage]:
    """Yield each root and each leaf at an end of a tree, alone: zeroed, and of a root also filled with ones."""
    for tree in found:
        yield Damage(f"{tree.name}: root zeroed", partial(_fill, (tree.root,), 0))
        yield Damage(f"{tree.name}: root of ones", partial(_fill, (tree.root,), 255))
        if tree.leaves != (tree.root,) and tree.leaves:
            yield Damage(f"{tree.name}: first leaf zeroed", partial(_fill, tree.leaves[:1], 0))
            yield Damage(f"{tree.name}: last leaf zeroed", partial(_fill, tree.leaves[-1:], 0))
            yield Damage(f"{tree.name}: first leaf of ones", partial(_fill, tree.leaves[:1], 255))


def of_two_pages(found: list[Tree], count: int, seed: int) -> Iterator[Damage]:
    """Yield pairs of pages that are zeroed: roots with roots, leaves of one tree, leaves of two."""
    draw = random.Random(seed)
    large = [tree for tree in found if len(tree.leaves) > 4]
    for number in range(count):
        one, other = draw.sample(found, 2)
        wide = draw.choice(large)
        leaves = draw.sample(wide.leaves, 2)
        kinds = (
            (f"{one.name} and {other.name}: roots zeroed", (one.root, other.root)),
            (f"{wide.name}: leaves {leaves} zeroed", tuple(leaves)),
            (f"{one.name}: root, {wide.name}: leaf zeroed", (one.root, leaves[0])),
        )
        name, pages = kinds[number % len(kinds)]
        yield Damage(name, partial(_fill, pages, 0))


def of_order(found: list[Tree], count: int, seed: int) -> Iterator[Damage]:
    """Yield leaves that changed places, at every distance, and leaves that are there twice."""
    draw = random.Random(seed)
    large = [tree for tree in found if len(tree.leaves) > 2]
    for tree in large:
        yield Damage(f"{tree.name}: first and last leaf swapped", partial(_swap, tree.leaves[0], tree.leaves[-1]))
        yield Damage(f"{tree.name}: first two leaves swapped", partial(_swap, *tree.leaves[:2]))
        if len(tree.leaves) > 4:
            first, second, third, fourth = tree.leaves[:4]
            yield Damage(
                f"{tree.name}: second leaf zeroed, first copied over two",
                partial(_all, (partial(_fill, (second,), 0), partial(_copy, first, (third, fourth)))),
            )
    for _ in range(count):
        tree = draw.choice(large)
        one, other = draw.sample(tree.leaves, 2)
        yield Damage(f"{tree.name}: leaves {one} and {other} swapped", partial(_swap, one, other))
        third = draw.choice(tree.leaves)
        yield Damage(
            f"{tree.name}: leaves {one} and {other} swapped, {third} zeroed",
            partial(_all, (partial(_swap, one, other), partial(_fill, (third,), 0))),
        )
    for one_tree, other_tree in itertools.islice(itertools.pairwise(found), count):
        yield Damage(
            f"{one_tree.name} and {other_tree.name}: roots exchanged", partial(_swap, one_tree.root, other_tree.root)
        )


def _all(changes: tuple[Change, ...], data: bytearray) -> None:
    for each in changes:
        each(data)


def of_whole_file(path: Path) -> Iterator[Damage]:
    """Yield files cut at every tenth, and files that are something else."""
    for tenth in range(10):
        yield Damage(f"cut to {tenth} tenths", partial(_cut, tenth / 10))
    yield Damage("one byte", partial(_cut, 1 / max(1, path.stat().st_size)))
    yield Damage("page 1 zeroed", partial(_fill, (1,), 0))
    yield Damage("all of ones", lambda data: data.__setitem__(slice(None), b"\xff" * len(data)))
    yield Damage("text", lambda data: data.__setitem__(slice(None), b"no database\n" * 1000))


def of_header(_found: list[Tree]) -> Iterator[Damage]:
    """Yield each of the first hundred bytes, inverted."""
    for at in range(100):
        yield Damage(f"byte {at} inverted", lambda data, at=at: data.__setitem__(at, data[at] ^ 255))


def of_schema(path: Path, count: int, seed: int) -> Iterator[Damage]:
    """Yield bytes of no text at places of the schema's words."""
    data = path.read_bytes()
    draw = random.Random(seed)
    with closing(sqlite3.connect(path)) as conn:
        words = [row[0] for row in conn.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]
    for word in (draw.choice(words) for _ in range(count)):
        at = data.find(word.encode()[:60])
        place = at + draw.randrange(min(60, len(word)))
        yield Damage(f"0xff in {word[:30]!r} at {place - at}", partial(_set, place, 0xFF))
    for table in ("threads", "messages", "tags"):
        begin = f"CREATE TABLE {table} (".encode()
        yield Damage(f"0xff after the name {table}", partial(_set, data.find(begin) + len(begin) - 1, 0xFF))


def of_bits(count: int, seed: int) -> Iterator[Damage]:
    """Yield files in which single bits are flipped, a few or many."""
    for one in range(seed, seed + count):
        yield Damage(f"bits flipped, seed {one}", partial(_flip, one, (1, 5, 20, 100)[one % 4]))


def all_damages(path: Path, *, pairs: int, bits: int, seed: int = 0) -> list[Damage]:
    """Return damages of every kind for a sound database; ``seed`` draws pairs, places and bits."""
    found = trees(path)
    return [
        *of_one_page(found),
        *of_two_pages(found, pairs, seed),
        *of_order(found, pairs, seed),
        *of_whole_file(path),
        *of_header(found),
        *of_schema(path, 20, seed),
        *of_bits(bits, seed),
    ]


def demo_database(folder: Path, *, messages: int = 600) -> Path:
    """Make a data directory with made-up threads and return its database, which is in one file and has a mark."""
    assert run(["--data-dir", str(folder), "demo-data", "--messages", str(messages)]) == 0
    path = AppPaths.find(str(folder)).database
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA journal_mode=DELETE")
    return path
