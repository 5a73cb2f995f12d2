"""Opens the heads and the segments, alone and merged, that computers wrote into the folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chatdesk.core.storage.sync.private_log import ComputerRow, Span
from chatdesk.core.sync.computers.library_key import CannotUnseal, Kind, LibraryKey
from chatdesk.core.sync.computers.place import Place
from chatdesk.core.sync.computers.segments import (
    Part,
    Segment,
    chain_after,
    inflated,
    object_in,
    parsed,
    parts_of,
    whole_number,
    word,
)

# Merged segments may have many parts, which are read one after the other.
_KEPT_OPEN: Final = 4
_SPAN_BITS: Final = 32


@dataclass(frozen=True, slots=True)
class Found:
    """A segment, the chain up to it, and the bytes of its file if it has one of its own."""

    segment: Segment
    chain: bytes
    data: bytes | None


class Written:
    """Holds the segments of one computer, as far as they arrived. ``unreadable`` gathers those that cannot be read."""

    def __init__(self, place: Place, key: LibraryKey, computer: str, folders: list[str], unreadable: set[str]) -> None:
        self.paths = place.segments(folders)
        self._place = place
        self._key = key
        self._computer = computer
        self._unreadable = unreadable
        self._opened: dict[str, dict[int, Part]] = {}

    @property
    def newest(self) -> int:
        return max((last for _, last in self.paths), default=0)

    @property
    def merged(self) -> list[Span]:
        """The merged segments that no other one covers."""
        found: list[Span] = []
        for first, last in sorted(self.paths, key=lambda span: (span[0], -span[1])):
            if first < last and (not found or last > found[-1][1]):
                found.append((first, last))
        return found

    def at(self, number: int) -> list[Found]:
        """Return all that may be the segment of this number."""
        found = [each for path in self.paths.get((number, number), ()) if (each := self._open(number, path))]
        for span, paths in self.paths.items():
            if span[0] <= number <= span[1] and span[0] < span[1]:
                found += [each for path in paths if (each := self._part(number, span, path))]
        return found

    def _open(self, number: int, path: str) -> Found | None:
        data = self._place.read(path)
        try:
            text = inflated(unsealed(self._key, self._computer, (number, number), data))
            segment = parsed(text, self._key.member_id)
        except (CannotUnseal, ValueError):
            self._unreadable.add(path)
            return None
        return Found(segment, chain_after(segment.before, data or b""), data)

    def _part(self, number: int, span: Span, path: str) -> Found | None:
        try:
            if path not in self._opened:
                while len(self._opened) >= _KEPT_OPEN:
                    self._opened.pop(next(iter(self._opened)))
                self._opened[path] = opened(self._key, self._computer, span, self._place.read(path))
            chain, text = self._opened[path][number]
            return Found(parsed(text, self._key.member_id), chain, None)
        except (CannotUnseal, ValueError, KeyError):
            self._opened[path] = {}
            self._unreadable.add(path)
            return None


def read_computers(place: Place, key: LibraryKey) -> dict[str, ComputerRow]:
    """Return the computers of a folder, as their head files say, by their names in the folder."""
    found = {
        computer: newest_head(place, key, computer, folders, set()) for computer, folders in place.computers().items()
    }
    return {computer: row for computer, row in found.items() if row is not None}


def newest_head(
    place: Place, key: LibraryKey, computer: str, folders: list[str], unreadable: set[str]
) -> ComputerRow | None:
    """Return the newest head of a computer; ``unreadable`` gathers the head files that cannot be read."""
    found: list[ComputerRow] = []
    for path in place.heads(folders):
        try:
            said = object_in(key.unseal(Kind.HEAD, computer, 0, place.read(path) or b""))
            device, name, version = (word(said[each]) for each in ("device", "name", "version"))
            if key.name_of("computer", device) != computer:
                raise ValueError(device)
            at, number = (whole_number(said[each]) for each in ("at", "number"))
            seen = {each: whole_number(count) for each, count in said.get("seen", {}).items()}
        except (CannotUnseal, ValueError, KeyError, AttributeError):
            unreadable.add(path)
        else:
            found.append(ComputerRow(computer, device, name, version, at, number, seen))
    return max(found, key=lambda row: (row.number, row.at), default=None)


def opened(key: LibraryKey, computer: str, span: Span, data: bytes | None) -> dict[int, Part]:
    """Return the parts of a merged segment, by their numbers. Raises ``CannotUnseal`` and ``ValueError``."""
    parts = parts_of(unsealed(key, computer, span, data))
    if len(parts) != span[1] - span[0] + 1:
        raise ValueError(span)
    return dict(enumerate(parts, start=span[0]))


def unsealed(key: LibraryKey, computer: str, span: Span, data: bytes | None) -> bytes:
    """Return the contents of a file of segments. Raises ``CannotUnseal``."""
    return key.unseal(*sealed_as(computer, span), data or b"")


def sealed_as(computer: str, span: Span) -> tuple[Kind, str, int]:
    """Return the kind, the computer and the number with which a file of segments is sealed."""
    first, last = span
    if first == last:
        return Kind.SEGMENT, computer, first
    return Kind.MERGED, computer, first << _SPAN_BITS | last
