"""Old segments are put together: step at which the program is killed × what the carrier does × what the reader has.

The reader never has anything twice or out of order, and knows of what it has not. Once the program runs again
and the carrier rests, it has everything.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from chatdesk.core.domain.sharing.sync_wire import WireChange
from chatdesk.core.ids import new_id
from chatdesk.core.storage.sync.private_log import PrivateLog
from chatdesk.core.sync.computers.folder_store import FolderStore, library_file
from chatdesk.core.sync.computers.library_key import LibraryKey
from chatdesk.core.sync.computers.place import LIBRARY, Place
from tests.helpers.sync_sim.seeded import SkewedClock, WorldTime

KEY = LibraryKey(bytes(range(16)))
PROJECT = new_id()
DAY_MS = 86_400_000
MERGE_AT = 4


class Killed(BaseException):
    """The program ends."""


class FatalPlace(Place):
    """``dies_at``: what is being done to a file when the program is killed, and how often that goes well."""

    dies_at: tuple[str, int] | None = None

    def _step(self, what: str) -> None:
        if self.dies_at is not None and self.dies_at[0] == what:
            self.dies_at = None if self.dies_at[1] == 0 else (what, self.dies_at[1] - 1)
            if self.dies_at is None:
                raise Killed

    def write(self, path: str, data: bytes) -> None:
        is_merged = path.endswith(".merged")
        if is_merged:
            self._step("write")
        super().write(path, data)
        if is_merged:
            self._step("written")

    def remove_file(self, path: str) -> None:
        self._step("remove")
        super().remove_file(path)
        self._step("removed")


class Desk:
    """A computer without a profile: its folder and its logs."""

    def __init__(self, name: str, folder: Path, time: WorldTime) -> None:
        self.folder, self.data = folder / name / "place", folder / name / "data"
        self.place = FatalPlace(self.folder)
        self.place.make()
        self.place.write(LIBRARY, library_file(KEY, 1))
        self.device, self.clock, self.said = new_id(), SkewedClock(time), 0
        self.name = KEY.name_of("computer", self.device)

    def look(self, text: str | None = None, *, merge_at: int = MERGE_AT) -> None:
        store = FolderStore(self.place, KEY, self.data, self.clock, device=self.device, merge_at=merge_at)  # type: ignore[arg-type]
        try:
            if text is not None:
                self.said += 1
                change = WireChange(new_id(), self.said, "message", "set", new_id(), "content", (), 1, f'"{text}"')
                store.push(PROJECT, self.device, [change])
            store.view(self.device)
            self.is_waiting = bool(store.looks.waiting)
            self.is_rolled_back = bool(store.looks.rolled_back)
        finally:
            store.close()

    def texts(self) -> list[str]:
        log = PrivateLog(self.data / "log.sqlite3")
        try:
            return [json.loads(row.body or "") for row in log.pull(PROJECT, 0, limit=10_000)]
        finally:
            log.close()

    def files(self, ending: str = ".seg") -> list[str]:
        return sorted(path.name for path in (self.folder / self.name).iterdir() if path.name.endswith(ending))


def carry(source: Desk, target: Desk, *, copies: bool = True, removes: bool = True) -> None:
    """Make the target's copy of what the source wrote the same."""
    own, there = source.folder / source.name, target.folder / source.name
    there.mkdir(exist_ok=True)
    for path in there.iterdir():
        if removes and not (own / path.name).exists():
            path.unlink()
    for path in own.iterdir():
        if copies and path.is_file() and not path.name.startswith("."):
            shutil.copyfile(path, there / path.name)


def _half(source: Desk, target: Desk) -> None:
    carry(source, target)
    for path in (target.folder / source.name).glob("*.merged"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _zeros(source: Desk, target: Desk) -> None:
    carry(source, target)
    for path in (target.folder / source.name).glob("*.merged"):
        path.write_bytes(bytes(path.stat().st_size))


def _as_copies(source: Desk, target: Desk) -> None:
    carry(source, target)
    for path in (target.folder / source.name).glob("*.merged"):
        path.rename(path.with_name(f"{path.stem} (conflicted copy).MERGED"))


def _old_ones_back(source: Desk, target: Desk) -> None:
    """What was removed is there again on both sides."""
    before = {path.name: path.read_bytes() for path in (target.folder / source.name).glob("*.seg")}
    carry(source, target)
    for each in (source, target):
        for name, data in before.items():
            (each.folder / source.name / name).write_bytes(data)


STEPS: dict[str, tuple[str, int] | None] = {
    "nowhere": None,
    "before it is written": ("write", 0),
    "once it is written": ("written", 0),
    "before one goes": ("remove", 0),
    "once one went": ("removed", 0),
    "before the last goes": ("remove", 2),
}
CARRIERS: dict[str, Callable[[Desk, Desk], None]] = {
    "all": carry,
    "nothing": lambda _source, _target: None,
    "deletions first": lambda source, target: carry(source, target, copies=False),
    "no deletions": lambda source, target: carry(source, target, removes=False),
    "half of the merged": _half,
    "zeros for the merged": _zeros,
    "as conflict copies": _as_copies,
    "old ones back": _old_ones_back,
}
READERS = ("new", "in the middle", "in the middle, long ago", "has read all")
TEXTS = [f"t{number}" for number in range(1, MERGE_AT + 2)]


def _pair(tmp_path: Path, reader: str) -> tuple[Desk, Desk, WorldTime]:
    time = WorldTime()
    writer, other = Desk("writer", tmp_path, time), Desk("reader", tmp_path, time)
    for number, text in enumerate(TEXTS):
        writer.look(text, merge_at=100)
        carry(writer, other)
        if reader == "has read all" or (reader != "new" and number == 1):
            other.look()
            time.ms += DAY_MS // 12  # a head is written anew after an hour
            other.look()
            carry(other, writer)
    time.ms += 181 * DAY_MS if reader == "in the middle, long ago" else DAY_MS // 12
    return writer, other, time


@pytest.mark.parametrize(("step", "carrier", "reader"), list(product(STEPS, CARRIERS, READERS)))
def test_a_reader_takes_everything_once(step: str, carrier: str, reader: str, tmp_path: Path) -> None:
    writer, other, time = _pair(tmp_path, reader)
    had = other.texts() if reader != "new" else []
    writer.place.dies_at = STEPS[step]
    if STEPS[step] is None or (reader == "in the middle" and step == "before the last goes"):
        writer.look()  # nothing goes before it is read
        assert writer.files(".merged") == ["00000001-00000004.merged"]
        assert len(writer.files()) == (3 if reader == "in the middle" else 1)
    else:
        with pytest.raises(Killed):
            writer.look()

    CARRIERS[carrier](writer, other)
    other.look()
    assert other.texts() == TEXTS[: len(other.texts())]
    assert len(other.texts()) >= len(had)
    assert other.texts() == TEXTS or other.is_waiting or carrier == "nothing"

    writer.place.dies_at = None
    for _ in range(3):
        time.ms += DAY_MS
        writer.look()
        carry(writer, other)
        other.look()
        carry(other, writer)
    assert writer.texts() == other.texts() == TEXTS
    assert not other.is_waiting
    assert (writer.files(), writer.files(".merged")) == (["00000005.seg"], ["00000001-00000004.merged"])


def test_merged_ones_are_merged_again(tmp_path: Path) -> None:
    time = WorldTime()
    writer, other = Desk("writer", tmp_path, time), Desk("reader", tmp_path, time)
    texts = [f"t{number}" for number in range(100)]
    for text in texts:
        writer.look(text)
    assert len(writer.files()) <= MERGE_AT + 1
    assert len(writer.files(".merged")) < 6
    carry(writer, other)
    other.look()
    assert other.texts() == texts


def test_two_that_wait_for_each_other_are_read(tmp_path: Path) -> None:
    """Merged segments that were written in turns are read in turns."""
    time = WorldTime()
    one, two, new = (Desk(name, tmp_path, time) for name in ("one", "two", "new"))
    for number in range(12):
        speaker, hearer = (one, two) if number % 2 else (two, one)
        time.ms += DAY_MS
        speaker.look(f"t{number:02}")
        carry(speaker, hearer)
        hearer.look()
        carry(hearer, speaker)
    for each in (one, two):
        assert each.files(".merged")
        assert len(each.files()) < 6
        carry(each, new)
    new.look()
    assert new.texts() == [f"t{number:02}" for number in range(12)]


def test_lost_logs_are_filled_from_merged_ones(tmp_path: Path) -> None:
    writer, other, time = _pair(tmp_path, "has read all")
    writer.look()
    shutil.rmtree(writer.data)
    writer.look("after it")
    for path in (writer.folder / writer.name).glob("*.merged"):
        path.unlink()  # it is written again by who lost its logs
    time.ms += DAY_MS
    writer.look()
    new = Desk("new", tmp_path, time)
    for each in (other, new):
        carry(writer, each)
        each.look()
        assert each.texts() == [*TEXTS, "after it"]


@pytest.mark.parametrize("is_head_old", [False, True])
def test_old_segments_in_the_place_of_newer_ones_are_noticed(is_head_old: bool, tmp_path: Path) -> None:
    writer, other, time = _pair(tmp_path, "has read all")
    before = tmp_path / "before"
    shutil.copytree(other.folder / writer.name, before)
    for text in ("later", "latest"):
        writer.look(text)
    carry(writer, other)
    other.look()
    new = Desk("new", tmp_path, time)
    for each in (other, new):
        carry(writer, each)
        for path in (each.folder / writer.name).iterdir():
            if path.name != "head":
                path.unlink()
        for path in before.iterdir():
            if is_head_old or path.name != "head":
                shutil.copyfile(path, each.folder / writer.name / path.name)
        each.look()
    assert other.texts() == [*TEXTS, "later", "latest"]
    assert other.is_rolled_back is is_head_old
    assert new.texts() == TEXTS
    assert new.is_waiting is not is_head_old  # one that joins just then cannot know


def test_what_a_copy_of_the_profile_wrote_stays(tmp_path: Path) -> None:
    """A copy that wrote under the same name is not covered by what this computer merged."""
    writer, other, time = _pair(tmp_path, "has read all")
    copy = Desk("copy", tmp_path, time)
    copy.device, copy.name, copy.said = writer.device, writer.name, writer.said
    shutil.copytree(writer.data, copy.data)
    copy.look("by the copy")
    writer.look("by the writer")
    written = copy.folder / writer.name / "00000006.seg"
    strange = writer.folder / writer.name / "00000006.sync-conflict-2026.seg"
    for number in range(2 * MERGE_AT):
        writer.look(f"more {number}")
    shutil.copyfile(written, strange)
    time.ms += DAY_MS
    for _ in range(3):
        carry(writer, other)
        other.look()
        carry(other, writer)
        time.ms += DAY_MS
        writer.look()
    assert strange.exists()
    assert "00000006.seg" not in writer.files()
    assert sorted(other.texts()) == sorted(
        [*TEXTS, "by the copy", "by the writer", *(f"more {number}" for number in range(2 * MERGE_AT))]
    )
