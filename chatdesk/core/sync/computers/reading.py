"""Opens the segments of one computer, alone and merged, as they are in the folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chatdesk.core.storage.sync.private_log import Span
from chatdesk.core.sync.computers.library_key import CannotUnseal, Kind, LibraryKey
from chatdesk.core.sync.computers.place import Place
from chatdesk.core.sync.computers.segments import Part, Segment, chain_after, inflated, parsed, parts_of

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
