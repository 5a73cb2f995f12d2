"""Puts the older segments of this computer together, so that the folder has few files, and removes what they cover.

A merged segment has the covered ones as they are, so that a reader takes from it what it has not read. It is in the
logs of this computer before it is in the folder, and whole in the folder before anything goes; what it covers goes once
the other computers have read it. One that was not seen for 180 days is not waited for: it reads the merged one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from chatdesk.core.domain.sharing.sync_wire import START
from chatdesk.core.storage.sync.private_log import ComputerRow, PrivateLog, Span
from chatdesk.core.sync.computers.library_key import CannotUnseal, LibraryKey
from chatdesk.core.sync.computers.place import Place, segment_name
from chatdesk.core.sync.computers.reading import Written, opened, sealed_as, unsealed
from chatdesk.core.sync.computers.segments import Part, chain_after, inflated, merged

# So many segments are put together at once.
MERGE_AT: Final = 32
# Larger files are left as they are.
_LARGE_BYTES: Final = 4_000_000
_TEXT_BYTES: Final = 24_000_000
_FORGOTTEN_MS: Final = 180 * 86_400_000


class Merging:
    """Merges the segments that one computer wrote. Raises ``TeamError`` and ``StorageError``."""

    def __init__(self, place: Place, key: LibraryKey, log: PrivateLog, computer: str) -> None:
        self._place = place
        self._key = key
        self._log = log
        self._computer = computer

    def merge(self, merge_at: int) -> None:
        """Merge the segments behind the last merged one, if there are ``merge_at``, and smaller merged ones before
        them. The newest one stays alone: by it a copy of this profile is noticed."""
        for span, parts in list(self._groups(_due(self._log.own_sizes(self._computer), merge_at))):
            data = self._key.seal(*sealed_as(self._computer, span), merged(parts))
            self._log.add_merged(self._computer, span, data)
            self._place.write(f"{self._computer}/{segment_name(span)}", data)

    def restore_own(self, written: Written) -> None:
        """Store the merged segments of this computer again, after its logs were lost and filled from the folder."""
        for span in written.merged:
            found = (self._place.read(path) for path in written.paths[span])
            data = next((data for data in found if self._is_own(span, data)), None)
            if data is not None:
                self._log.add_merged(self._computer, span, data)

    def remove_covered(self, folders: list[str], *, now: int) -> None:
        """Remove the files of this computer that a merged segment covers and that all the others have read."""
        passed, own = self._passed(now), self._log.own_sizes(self._computer)
        whole: dict[Span, bool] = {}
        for span, paths in self._place.segments(folders).items():
            cover = next((each for each in own if each != span and _is_within(span, each)), None)
            if cover is None or span in own or span[1] > passed:
                continue
            if cover not in whole:
                data = self._place.read(f"{self._computer}/{segment_name(cover)}")
                whole[cover] = data is not None and data == self._log.own_data(self._computer, cover)
            for path in paths:
                # A copy of this profile may have written under this name.
                if whole[cover] and self._is_own(span, self._place.read(path)):
                    self._place.remove_file(path)

    def _groups(self, spans: Sequence[Span]) -> Iterator[tuple[Span, list[Part]]]:
        """Yield the segments to put together, as many as a reader opens at once."""
        group, parts, size = list[Span](), list[Part](), 0
        for span in spans:
            more = self._parts(span)
            size += sum(len(text) for _, text in more)
            if size > _TEXT_BYTES:
                if len(group) > 1:
                    yield (group[0][0], group[-1][1]), parts
                group, parts, size = [], [], sum(len(text) for _, text in more)
            group.append(span)
            parts += more
        if len(group) > 1:
            yield (group[0][0], group[-1][1]), parts

    def _parts(self, span: Span) -> list[Part]:
        data = self._log.own_data(self._computer, span)
        if span[0] < span[1]:
            return list(opened(self._key, self._computer, span, data).values())
        chain = self._chain_of(span[0], data or b"")
        if chain is None:
            raise ValueError(span)
        return [(chain, inflated(unsealed(self._key, self._computer, span, data)))]

    def _passed(self, now: int) -> int:
        """Return up to which segment all the other computers have read."""
        others = [each for each in self._log.computers().values() if each.computer != self._computer]
        seen = [each.seen.get(self._computer, 0) for each in others if not is_forgotten(each, now)]
        return min(seen, default=2**63)

    def _is_own(self, span: Span, data: bytes | None) -> bool:
        if data is None:
            return False
        try:
            if span[0] == span[1]:
                return self._chain_of(span[0], data) is not None
            parts = opened(self._key, self._computer, span, data)
        except (CannotUnseal, ValueError):
            return False
        return all(chain in self._log.chains(self._computer, number) for number, (chain, _) in parts.items())

    def _chain_of(self, number: int, data: bytes) -> bytes | None:
        """Return the chain up to a segment of this computer that has these bytes, if there is one."""
        before = self._log.chains(self._computer, number - 1) or {START}
        known = self._log.chains(self._computer, number)
        return next((chain for each in before if (chain := chain_after(each, data)) in known), None)


def is_forgotten(row: ComputerRow, now: int) -> bool:
    """Return whether a computer was not seen for so long that nothing waits for it."""
    return now - row.at > _FORGOTTEN_MS


def _due(sizes: dict[Span, int], merge_at: int) -> list[Span]:
    """Return the spans to merge, in their order."""
    units = list(sizes)[:-1]
    begin = len(units)
    while begin and units[begin - 1][0] == units[begin - 1][1] and sizes[units[begin - 1]] < _LARGE_BYTES:
        begin -= 1
    if len(units) - begin < merge_at:
        return []
    size = sum(sizes[each] for each in units[begin:])
    while begin and sizes[units[begin - 1]] <= min(2 * size, _LARGE_BYTES):
        begin -= 1
        size += sizes[units[begin]]
    return units[begin:]


def _is_within(span: Span, cover: Span) -> bool:
    return cover[0] <= span[0] and span[1] <= cover[1]
