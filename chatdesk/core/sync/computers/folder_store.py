"""Implements the port of sync over a folder that something carries between a person's computers.

What the other computers wrote into the folder is appended to logs of this computer (``storage/sync/private_log``), of
which the engine pulls as from a server; what it pushes is appended there and written into the folder. A segment is read
once all is read that its writer had read, so that a computer learns of nothing before what it hangs below.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.sync_wire import (
    START,
    DeviceRow,
    Hello,
    MemberRow,
    PresenceRow,
    ProjectHead,
    PulledChange,
    PushResult,
    TeamView,
    WireChange,
)
from chatdesk.core.domain.sharing.team import TEAM_SCHEMA, MemberStatus, SyncMode, TeamRole
from chatdesk.core.knowledge.watching import FolderWatch
from chatdesk.core.storage.sync.private_log import ComputerRow, Looks, PrivateLog, Span
from chatdesk.core.sync.computers import removal
from chatdesk.core.sync.computers.library_key import CannotUnseal, Kind, LibraryKey
from chatdesk.core.sync.computers.merging import MERGE_AT, Merging
from chatdesk.core.sync.computers.place import LIBRARY, Place, PlaceOfOthers, PlaceUnreachable, head_name, segment_name
from chatdesk.core.sync.computers.place_files import PlaceFiles
from chatdesk.core.sync.computers.reading import Found, Written, newest_head, sealed_as, unsealed
from chatdesk.core.sync.computers.segments import SEGMENT_BYTES, Segment, chain_after, packed
from chatdesk.core.sync.errors import TeamDeviceUnknown, TeamUnreachable
from chatdesk.core.sync.team_store.listening import Notifications
from chatdesk.core.texts import Text, shown

_log = logging.getLogger(__name__)

NAME: Final = Text("My computers")
_MEMBER: Final = Text("Me")
_CHANNEL: Final = "own_"
# How often the names in the folder are compared where the system says nothing of changes, as on network drives, and how
# often a computer says that it is in use.
_LOOK_S: Final = 60.0
_HEAD_EVERY_MS: Final = 3_600_000
_ANY_TIME: Final = 2**62
# How often old segments are put together and removed.
_TEND_EVERY_S: Final = 3600.0


class FolderStore:
    """One use of a folder by one thread; ``wake`` and ``abort`` may be called by any. ``data``: where this computer
    keeps its logs; ``device``: the device that it is at first; ``merge_at``: how many segments are put together.
    Raises ``TeamError`` and ``StorageError``."""

    is_deaf = False

    def __init__(
        self, place: Place, key: LibraryKey, data: Path, clock: Clock, *, device: str, merge_at: int = MERGE_AT
    ) -> None:
        self._merge_at = merge_at
        self._tended_s: float | None = None
        self._place = place
        self._key = key
        self._data = data
        self._clock = clock
        self._opened: PrivateLog | None = None
        self._device = device
        self._name = self._version = ""
        self._is_aborted = False
        self._woken = threading.Event()
        self._is_news = threading.Event()
        self._watch: FolderWatch | None = None
        self._stamp: object = None
        self._forged: set[str] = set()
        self.looks = Looks()
        self.chunks = PlaceFiles(place, key, data / "unsent", lambda: self._computer)

    @property
    def _computer(self) -> str:
        return self._key.name_of("computer", self._device)

    @property
    def log(self) -> PrivateLog:
        """The logs of this computer."""
        if self._is_aborted:
            raise TeamUnreachable
        if self._opened is None:
            self._opened = PrivateLog(self._data / "log.sqlite3")
        return self._opened

    # What the engine asks for

    def hello(self, device: str, *, name: str, version: str) -> Hello:
        self._device, self._name, self._version = device, name, version
        self._check_place()
        self._check_own(self._place.computers())
        return self._hello()

    def view(self, device: str, *, since: int = 0) -> tuple[Hello, TeamView]:
        """Look into the folder, and return the projects and computers."""
        self._exchange()
        me = self._key.member_id
        heads = self.log.heads()
        return self._hello(), TeamView(
            projects=tuple(
                ProjectHead(project, TeamRole.OWNER.value, f"{_CHANNEL}{generation}", seq, is_own=True)
                for project, (seq, generation) in heads.items()
            ),
            members=(MemberRow(me, shown(_MEMBER), True, MemberStatus.ACTIVE.value, None),),
            devices=tuple(
                DeviceRow(each.device, me, each.name, each.version, each.at) for each in self.log.computers().values()
            ),
            roles=tuple((project, me, TeamRole.OWNER.value) for project in heads),
        )

    def push(self, project_id: str, device: str, changes: Sequence[WireChange]) -> list[PushResult]:
        return self.log.enter(device, project_id, changes, author=self._key.member_id, now=self._clock.now_ms())

    def pull(self, project_id: str, after_seq: int, *, limit: int) -> list[PulledChange]:
        return self.log.pull(project_id, after_seq, limit=limit)

    def chain_at(self, project_id: str, seq: int) -> bytes | None:
        return self.log.chain_at(project_id, seq)

    def erased(self, project_id: str, change_ids: Sequence[str]) -> set[str]:
        """Return all of them: what is in the folder was written by this person."""
        return set(change_ids)

    def poke(self, project_id: str) -> None:
        """Write the pushed changes into the folder."""
        self._send()

    def acknowledge(self, device: str, seqs: dict[str, int]) -> None:
        self._send()

    def tidy(self, project_id: str, days: int | None) -> list[tuple[str, str]]:
        return []

    def set_presence(self, project_id: str, device: str, thread_id: str | None, state: str) -> None:
        """Do nothing: nobody else is there."""

    def presence(self) -> list[PresenceRow]:
        return []

    def listen(self, channels: Sequence[str]) -> None:
        """Do nothing: every change in the folder is noticed, whatever it is about."""

    def wait(self, timeout_s: float) -> Notifications:
        """Return as soon as a file came into the folder; empty when woken or after ``timeout_s``."""
        if self._watch is None:
            self._watch = FolderWatch(lambda _names: self._notice())
            self._watch.use({_CHANNEL: self._place.path})
        until_s = self._clock.monotonic_s() + timeout_s
        while not self._is_news.is_set() and self._stamp == self._place.stamp(but=self._computer):
            left_s = until_s - self._clock.monotonic_s()
            if self._woken.wait(max(0.0, min(left_s, _LOOK_S))) or left_s <= _LOOK_S:
                self._woken.clear()
                if not self._is_news.is_set():
                    return Notifications()
        return Notifications(people_at=_ANY_TIME)

    def _notice(self) -> None:
        self._is_news.set()
        self._woken.set()

    def wake(self) -> None:
        self._woken.set()

    def abort(self) -> None:
        self._is_aborted = True
        self._woken.set()

    def close(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _hello(self) -> Hello:
        return Hello(
            self._key.workspace_id,
            shown(NAME),
            TEAM_SCHEMA,
            SyncMode.READ_WRITE.value,
            self._key.member_id,
            shown(_MEMBER),
            True,
            self._clock.now_ms(),
        )

    # The folder

    def _exchange(self) -> None:
        self._is_news.clear()
        self._stamp = self._place.stamp(but=self._computer)
        self._check_place()
        folders = self._place.computers()
        is_own_new = not self._check_own(folders)
        if is_own_new:
            self._receive(folders, is_own_new=True)
        known = self.log.computers().get(self._computer)
        said = newest_head(self._place, self._key, self._computer, folders.get(self._computer, []), set())
        self._send(is_head_lost=said != known)
        self._receive(folders, is_own_new=False)
        self._tend(folders.get(self._computer, []))

    def _tend(self, own_folders: list[str]) -> None:
        now_s = self._clock.monotonic_s()
        if self._tended_s is None or now_s - self._tended_s >= _TEND_EVERY_S:
            merging = Merging(self._place, self._key, self.log, self._computer)
            merging.merge(self._merge_at)
            merging.remove_covered(own_folders, now=self._clock.now_ms())
            self._tended_s = now_s

    def _check_place(self) -> None:
        """Raise ``PlaceUnreachable`` where the folder is empty: a disk may not be connected. A file of the library that
        the carrier removed is written again by those who were here before. Raises also where a computer was
        removed."""
        self._forged = removal.check(self._place, self._key, self._data, self._device)
        found = self._place.libraries()
        if any(is_library_of(self._key, self._place.read(each)) for each in found):
            return
        if self._computer not in self._place.computers():
            raise PlaceOfOthers if found else PlaceUnreachable
        self._place.write(LIBRARY, library_file(self._key, self._clock.now_ms()))

    def _check_own(self, folders: dict[str, list[str]]) -> bool:
        """Write own segments again that the folder lost. Returns false if this computer knows of none. Raises
        ``TeamDeviceUnknown`` where a copy of this profile has written there, too."""
        there = self._place.segments(folders.get(self._computer, []))
        sizes = self.log.own_sizes(self._computer)
        newest = max((last for _, last in sizes), default=0)
        if not newest:
            return False
        for span in sorted(each for each in there if each[1] >= newest):
            found = [data for path in there[span] if (data := self._place.read(path)) is not None]
            own = self.log.own_data(self._computer, span)
            if any(data != own and self._opens(span, data) for data in found):
                raise TeamDeviceUnknown
        for span, size in sizes.items():
            paths = there.get(span, [])
            if size in map(self._place.size, paths) and span[1] != newest:
                continue
            own = self.log.own_data(self._computer, span)
            if own is not None and not any(self._place.read(path) == own for path in paths):
                self._place.write(f"{self._computer}/{segment_name(span)}", own)
        return True

    def _opens(self, span: Span, data: bytes) -> bool:
        try:
            unsealed(self._key, self._computer, span, data)
        except CannotUnseal:
            return False
        return True

    def _send(self, *, is_head_lost: bool = False) -> None:
        """Write the changes that are in no segment yet, and the head file where it is not up to date."""
        computer, log = self._computer, self.log
        numbers = log.read_numbers()
        number = numbers.pop(computer, 0)
        while rows := log.unsent(max_bytes=SEGMENT_BYTES):
            before = max(log.chains(computer, number), default=START)
            number += 1
            span = (number, number)
            data = self._key.seal(*sealed_as(computer, span), packed(Segment(before, numbers, rows)))
            log.add_own(computer, number, chain_after(before, data), data, rows)
            self._place.write(f"{computer}/{segment_name(span)}", data)
        known, now = log.computers().get(computer), self._clock.now_ms()
        if is_head_lost or known is None or known.number != number or not 0 <= now - known.at < _HEAD_EVERY_MS:
            row = ComputerRow(computer, self._device, self._name, self._version, now, number, numbers)
            self._place.write(f"{computer}/{head_name()}", self._head(row))
            log.record_computer(row)

    def _head(self, row: ComputerRow) -> bytes:
        chain = max(self.log.chains(row.computer, row.number), default=START)
        said = {
            "device": row.device,
            "name": row.name,
            "version": row.version,
            "at": row.at,
            "number": row.number,
            "chain": chain.hex(),
            "seen": dict(row.seen),
        }
        return self._key.seal(Kind.HEAD, row.computer, 0, json.dumps(said).encode())

    def _receive(self, folders: dict[str, list[str]], *, is_own_new: bool) -> None:
        """Read the segments that can be read. ``is_own_new``: the logs of this computer were lost, so that its own
        segments are read, too."""
        self.looks = Looks(unreadable=set(self._forged))
        there = {
            computer: Written(self._place, self._key, computer, found, self.looks.unreadable)
            for computer, found in folders.items()
            if is_own_new or computer != self._computer
        }
        is_any = True
        while is_any:
            is_any = False
            for computer, written in there.items():
                while self._read_next(computer, written):
                    is_any = True
        if is_own_new and self._computer in there:
            Merging(self._place, self._key, self.log, self._computer).restore_own(there[self._computer])
        for computer in there.keys() - {self._computer}:
            self._read_head(computer, folders[computer])
            known = self.log.computers().get(computer)
            newest = max(known.number if known else 0, there[computer].newest)
            read = self.log.read_numbers().get(computer, 0)
            if newest > read:
                self.looks.waiting[computer] = newest - read
        self.log.record_looks(self.looks)

    def _read_next(self, computer: str, written: Written) -> bool:
        """Append the next segment of a computer. Returns false if it is not here, or has to wait."""
        number = self.log.read_numbers().get(computer, 0) + 1
        while number > 0:
            found = written.at(number)
            if sum(self._append(computer, number, each) for each in found):
                return True
            known = self._chains_before(computer, number)
            if all(each.segment.before in known for each in found):
                return False
            # A copy of the profile wrote under the same name: down to where it began.
            number -= 1
        return False

    def _chains_before(self, computer: str, number: int) -> set[bytes]:
        return self.log.chains(computer, number - 1) if number > 1 else {START}

    def _append(self, computer: str, number: int, found: Found) -> bool:
        log, segment, chain = self.log, found.segment, found.chain
        if segment.before not in self._chains_before(computer, number) or chain in log.chains(computer, number):
            return False
        read = log.read_numbers()
        if any(read.get(each, 0) < count for each, count in segment.seen.items() if each != self._computer):
            return False
        own = found.data if computer == self._computer else None
        log.append_segment(computer, number, chain, segment.rows, data=own)
        return True

    def _read_head(self, computer: str, folders: list[str]) -> None:
        known = self.log.computers().get(computer)
        newest = newest_head(self._place, self._key, computer, folders, self.looks.unreadable)
        if known is not None and (newest is None or newest.number < known.number):
            self.looks.rolled_back.add(computer)
        elif newest is not None and newest != known:
            self.log.record_computer(newest)


def is_library_of(key: LibraryKey, data: bytes | None) -> bool:
    """Return whether these bytes are the file of a library."""
    try:
        key.unseal(Kind.LIBRARY, "", 0, data or b"")
    except CannotUnseal:
        return False
    return True


def library_file(key: LibraryKey, now: int) -> bytes:
    """Return the file by which a folder is known as that of this library."""
    return key.seal(Kind.LIBRARY, "", 0, json.dumps({"made_at": now}).encode())
