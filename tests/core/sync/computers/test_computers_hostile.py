"""What somebody who has the phrase may have written, as a removed computer has it: column × impossible value. It is
named as unreadable or taken as it can be stored; it never stops the exchange of the others."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.domain.sharing.sync_wire import START
from chatdesk.core.ids import new_id
from chatdesk.core.sync.computers import removal
from chatdesk.core.sync.computers.library_key import Kind
from chatdesk.core.sync.computers.place import Place
from chatdesk.core.sync.computers.removal import PhraseReplaced
from tests.helpers.computers_sim.own_computer import OwnComputer, new_library, settle

VALUES: dict[str, Any] = {
    "nothing": None,
    "a switch": True,
    "below zero": -1,
    "too large": 2**63,
    "far too large": 10**4000,  # fewer digits than Python refuses to read
    "a part": 1.5,
    "without end": float("inf"),
    "no number": float("nan"),
    "half a letter": "\ud800",
    "a zero byte": "\0",
    "long": "x" * 100_000,
    "a list": [[]],
    "an object": {"a": {}},
}
DOCUMENTS: dict[str, bytes] = {
    "nothing": b"",
    "no text": b"\xff\xfe",
    "no object": b"[]",
    "a number": b"1e999",
    "deep": b"[" * 50_000 + b"]" * 50_000,
    "deep in an object": b'{"at": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "not ended": b'{"at": 1',
}
HEAD = ("device", "name", "version", "at", "number", "seen", "before")
NOTICE = ("device", "name", "by", "at")
ROW = ("project", "parents", "erased", "id", "device", "dseq", "kind", "op", "entity", "reg", "hlc", "body", "at", "v")
SEGMENT = ("before", "seen", "rows", *ROW)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[OwnComputer, OwnComputer, str]:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    thread = laptop.begin_thread("one")
    settle(laptop, desk)
    return laptop, desk, thread


def _go_on(laptop: OwnComputer, desk: OwnComputer, thread: str) -> None:
    laptop.ask(thread, "two")
    settle(laptop, desk)
    assert desk.texts() == ["one", "two"]


def _head_of_a_third(laptop: OwnComputer, plain: bytes, device: str) -> None:
    name = laptop.key.name_of("computer", device)
    (laptop.place_folder / name).mkdir()
    (laptop.place_folder / name / "head").write_bytes(laptop.key.seal(Kind.HEAD, name, 0, plain))


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("column", HEAD)
def test_a_head_stops_nobody(column: str, value: str, pair: tuple[OwnComputer, OwnComputer, str]) -> None:
    laptop, desk, thread = pair
    device = new_id()
    said = {"device": device, "name": "third", "version": "1", "at": 1, "number": 1, "seen": {}, "before": START.hex()}
    for put in ({column: VALUES[value]}, {"seen": {"a": VALUES[value]}}):
        path = laptop.place_folder / laptop.key.name_of("computer", device) / "head"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(laptop.key.seal(Kind.HEAD, path.parent.name, 0, json.dumps(said | put).encode()))
        desk.round()
    path.unlink()
    path.parent.rmdir()
    _go_on(laptop, desk, thread)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_head_that_is_no_object_is_named(document: str, pair: tuple[OwnComputer, OwnComputer, str]) -> None:
    laptop, desk, thread = pair
    device = new_id()
    _head_of_a_third(laptop, DOCUMENTS[document], device)
    _go_on(laptop, desk, thread)
    assert desk.looks.unreadable == {f"{laptop.key.name_of('computer', device)}/head"}


def _notice(computer: OwnComputer) -> str | None:
    """What a computer says of a notice that it takes for one."""
    data = computer.place_folder.parent / "seen"
    try:
        removal.check(computer.place, computer.key, data, computer.profile.db.device_id)
    except PhraseReplaced as error:
        return str(error.what)
    return None


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("column", NOTICE)
def test_a_notice_is_one_or_is_named(column: str, value: str, pair: tuple[OwnComputer, OwnComputer, str]) -> None:
    laptop, desk, thread = pair
    said = {"device": new_id(), "name": "lost", "by": "desk", "at": 1, column: VALUES[value]}
    name = Place.removal_name(desk.computer)
    plain = json.dumps(said).encode()
    (laptop.place_folder / name).write_bytes(laptop.key.seal(Kind.REMOVAL, desk.computer, 0, plain))
    found = _notice(laptop)
    if found is not None:
        assert len(found) < 400
        return
    _go_on(laptop, desk, thread)
    assert desk.looks.unreadable == {name}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_notice_that_is_no_object_is_named(document: str, pair: tuple[OwnComputer, OwnComputer, str]) -> None:
    laptop, desk, thread = pair
    name = Place.removal_name(desk.computer)
    (laptop.place_folder / name).write_bytes(laptop.key.seal(Kind.REMOVAL, desk.computer, 0, DOCUMENTS[document]))
    _go_on(laptop, desk, thread)
    assert desk.looks.unreadable == {name}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("column", SEGMENT)
def test_a_segment_stops_nobody(column: str, value: str, pair: tuple[OwnComputer, OwnComputer, str]) -> None:
    laptop, desk, thread = pair
    device = new_id()
    ids = (new_id(), device, 1, "thread", "new", new_id(), "content", 1, "{}", 1, 1)
    said: dict[str, Any] = dict(zip(ROW, (laptop.key.workspace_id, [], None, *ids), strict=True))
    if column in said:
        said[column] = VALUES[value]
    whole = {"before": START.hex(), "seen": {}, "rows": [list(said.values())]}
    if column in whole:
        whole[column] = VALUES[value]
    name = laptop.key.name_of("computer", device)
    folder = laptop.place_folder / name
    folder.mkdir()
    plain = zlib.compress(json.dumps(whole).encode())
    (folder / "00000001.seg").write_bytes(laptop.key.seal(Kind.SEGMENT, name, 1, plain))
    laptop.ask(thread, "two")
    settle(laptop, desk)
    assert set(desk.texts()) == {"one", "two"}
