"""Attacks by somebody who has the folder, and not the phrase: attack × kind of file, on a computer that joins.

After each, the computer shows nothing that the person did not write, and shows all of it or knows that something is
missing. Once the right file is back, all is there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from chatdesk.core.domain.sharing.sync_wire import CHUNK_BYTES
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.sync.computers.library_key import HEAD_BYTES, MARK
from tests.helpers.computers_sim.own_computer import OwnComputer, new_library, settle

TEXTS = ["five", "four", "one", "three", "two"]
SMALL, LARGE = b"a small file", bytes(range(256)) * 5000
SHA = {"small": "1" * 64, "large": "2" * 64}
PROJECT = "p"

Kinds = dict[str, Path]
Attack = Callable[[Path, Kinds, Kinds], None]


def _write(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def _flip(at: Callable[[int], int]) -> Attack:
    def attack(path: Path, _own: Kinds, _other: Kinds) -> None:
        data = bytearray(path.read_bytes())
        data[at(len(data))] ^= 1
        path.write_bytes(bytes(data))

    return attack


def _cut(to: Callable[[int], int]) -> Attack:
    return lambda path, _own, _other: _write(path, lambda data: data[: to(len(data))])


def _from_other_library(path: Path, own: Kinds, other: Kinds) -> None:
    kind = next(name for name, each in own.items() if each == path)
    shutil.copyfile(other[kind], path)


def _of_another_kind(path: Path, own: Kinds, _other: Kinds) -> None:
    shutil.copyfile(next(each for each in own.values() if each != path), path)


def _exchanged(path: Path, own: Kinds, _other: Kinds) -> None:
    """With another of its kind, of this computer or the other one."""
    others = [each for each in path.parent.parent.rglob(path.name) if each != path and each.is_file()]
    others += [each for each in path.parent.iterdir() if each.suffix == path.suffix and each not in (path, *others)]
    other = next((each for each in others if each.is_file()), own["head"])
    data = path.read_bytes()
    shutil.copyfile(other, path)
    other.write_bytes(data)


def _as_link(path: Path, own: Kinds, _other: Kinds) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


def _as_pipe(path: Path, own: Kinds, _other: Kinds) -> None:
    path.unlink()
    os.mkfifo(path)


def _as_folder(path: Path, own: Kinds, _other: Kinds) -> None:
    path.unlink()
    path.mkdir()


def _again_with_a_later_number(path: Path, own: Kinds, _other: Kinds) -> None:
    for number in (3, 4):
        target = (
            path.with_name(f"{number:08}{path.suffix}") if path.suffix == ".seg" else path.with_name(f"{path.name}2")
        )
        if not target.exists():
            shutil.copyfile(path, target)


def _beside_as_a_copy(path: Path, own: Kinds, _other: Kinds) -> None:
    """A carrier's copy of it that says something else, and sorts before it."""
    junk = path.with_name(f"{path.stem}.sync-conflict-20260101{path.suffix}")
    junk.write_bytes(path.read_bytes()[:-1] + b"x")


ATTACKS: dict[str, Attack] = {
    "a bit of the mark": _flip(lambda _size: 0),
    "a bit of the salt": _flip(lambda _size: len(MARK)),
    "the last bit of the salt": _flip(lambda _size: HEAD_BYTES - 1),
    "a bit of the length": _flip(lambda _size: HEAD_BYTES),
    "a bit in the middle": _flip(lambda size: size // 2),
    "a bit of the seal": _flip(lambda size: size - 1),
    "cut to nothing": _cut(lambda _size: 0),
    "cut to its mark": _cut(lambda _size: len(MARK)),
    "cut to its head": _cut(lambda _size: HEAD_BYTES),
    "cut in half": _cut(lambda size: size // 2),
    "cut by a byte": _cut(lambda size: size - 1),
    "longer by a byte": lambda path, _own, _other: _write(path, lambda data: data + b"\0"),
    "twice in one": lambda path, _own, _other: _write(path, lambda data: data + data),
    "zeros": lambda path, _own, _other: _write(path, lambda data: bytes(len(data))),
    "chance": lambda path, _own, _other: _write(path, lambda data: os.urandom(len(data))),
    "of another library": _from_other_library,
    "of another kind": _of_another_kind,
    "exchanged": _exchanged,
    "again with a later number": _again_with_a_later_number,
    "a changed copy beside it": _beside_as_a_copy,
    "a link": _as_link,
    "a pipe": _as_pipe,
    "a folder": _as_folder,
    "removed": lambda path, _own, _other: path.unlink(),
}
KINDS = ("library", "head", "merged", "first", "last", "small", "large")


def _put(computer: OwnComputer, name: str, data: bytes) -> None:
    store = computer.open()
    total = -(-len(data) // CHUNK_BYTES)
    for index in range(total):
        store.chunks.put(PROJECT, SHA[name], index, total, data[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES])
    store.close()


def _file(computer: OwnComputer, name: str) -> bytes | None:
    """The attached file, as another computer gets it; None while it is not whole."""
    store = computer.open()
    try:
        data, index, total = b"", 0, 1
        while index < total:
            found = store.chunks.get(PROJECT, SHA[name], index)
            if found is None:
                return None
            total, piece = found
            data += piece
            index += 1
        return data
    finally:
        store.close()


def _library(folder: Path) -> tuple[OwnComputer, Kinds]:
    laptop, desk = new_library(folder, "laptop", "desk")
    thread = laptop.begin_thread("one")
    laptop.round()
    laptop.ask(thread, "two")
    settle(laptop, desk)
    desk.ask(thread, "three")
    settle(desk, laptop)
    for name, data in (("small", SMALL), ("large", LARGE)):
        _put(laptop, name, data)
    place = laptop.place_folder
    own = place / laptop.computer
    files = {name: own / "files" / laptop.key.name_of("file", SHA[name]) for name in SHA}
    for text, laptop.merge_at in (("four", 2), ("five", 1000)):
        laptop.ask(thread, text)
        settle(laptop)
    desk.round()
    segments, merged = sorted(own.glob("*.seg")), next(own.glob("*.merged"))
    assert len(segments) > 1
    kinds = {"library": place / "chatdesk.library", "head": own / "head", "first": segments[0], "last": segments[-1]}
    kinds["merged"] = merged
    return laptop, {**kinds, **files}


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> tuple[OwnComputer, Kinds, Kinds]:
    folder = tmp_path_factory.mktemp("libraries")
    laptop, own = _library(folder / "own")
    _, other = _library(folder / "other")
    return laptop, own, other


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_is_forged_and_what_is_missing_is_known(
    attack: str, kind: str, libraries: tuple[OwnComputer, Kinds, Kinds], tmp_path: Path
) -> None:
    laptop, kinds, other = libraries
    place = laptop.place_folder
    attacked = tmp_path / "attacked" / "place"
    shutil.copytree(place, attacked)
    own = {name: attacked / path.relative_to(place) for name, path in kinds.items()}
    ATTACKS[attack](own[kind], own, other)

    tablet = OwnComputer("tablet", tmp_path / "attacked", laptop.key, laptop.clock)
    is_known = False
    try:
        settle(tablet)
        is_known = bool(tablet.looks.unreadable or tablet.looks.waiting)
    except ChatDeskError:
        is_known = True
    texts = tablet.texts()
    assert set(texts) <= set(TEXTS)
    assert len(set(texts)) == len(texts)
    assert texts == TEXTS or is_known
    for name, data in (("small", SMALL), ("large", LARGE)):
        assert _file(tablet, name) in (data, None)

    shutil.rmtree(own[kind]) if own[kind].is_dir() else own[kind].unlink(missing_ok=True)
    shutil.copytree(place, attacked, dirs_exist_ok=True)  # an exchange touches two
    settle(tablet)
    assert tablet.texts() == TEXTS
    assert (_file(tablet, "small"), _file(tablet, "large")) == (SMALL, LARGE)


def test_the_folder_tells_nothing(libraries: tuple[OwnComputer, Kinds, Kinds]) -> None:
    laptop, _, _ = libraries
    found = [path for path in laptop.place_folder.rglob("*") if path.is_file()]
    held = b"".join(path.read_bytes() for path in found)
    names = " ".join(str(path.relative_to(laptop.place_folder)) for path in found)
    secrets = [
        *TEXTS,
        "laptop",
        laptop.profile.db.device_id,
        laptop.key.workspace_id,
        *laptop.projects(),
        *SHA.values(),
    ]
    for secret in secrets:
        assert secret not in names
        if len(secret) > 5:  # shorter ones are somewhere by chance
            assert secret.encode() not in held
    assert SMALL not in held
    assert LARGE[:64] not in held


def test_a_roll_back_is_noticed(tmp_path: Path) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    thread = laptop.begin_thread("one")
    settle(laptop, desk)
    before = tmp_path / "before"
    shutil.copytree(laptop.place_folder, before)
    laptop.ask(thread, "two")
    settle(laptop, desk)
    shutil.rmtree(laptop.place_folder / laptop.computer)
    shutil.copytree(before / laptop.computer, laptop.place_folder / laptop.computer)
    desk.round()
    assert desk.looks.rolled_back == {laptop.computer}
    assert desk.texts() == ["one", "two"]
    settle(laptop, desk)  # the laptop writes what is missing again
    assert not desk.looks.rolled_back


def test_sizes_are_those_of_classes(tmp_path: Path) -> None:
    sizes = set()
    for length in range(1, 60):
        laptop, desk = new_library(tmp_path / str(length), "laptop", "desk")
        laptop.begin_thread("x" * length)
        laptop.round()
        desk.place_folder.unlink()
        sizes |= {path.stat().st_size for path in laptop.place_folder.rglob("*.seg")}
    assert len(sizes) < 4
