"""Keeps groups in the order of the path with running sums, so that the groups that fit are found by binary search.

Pinned groups are left out of the sums of tokens: their tokens are reserved first. Excluded ones do not count.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from chatdesk.core.context.groups import Group
from chatdesk.core.domain.message import ContextMark
from chatdesk.core.providers.base import RequestMessage


class GroupRun:
    """A list of groups that grows and shrinks at its newer end. Each list of sums has one entry more than there are
    groups: the sum before each."""

    def __init__(self, groups: Iterable[Group] = ()) -> None:
        self.groups: list[Group] = []
        self.pinned: list[Group] = []
        self._firsts: list[int] = []
        self._tokens = [0]
        self._rows = [0]
        self._wire: list[RequestMessage] = []
        self._wire_ends = [0]
        for group in groups:
            self.push(group)

    def push(self, group: Group) -> None:
        is_sent = group.mark is not ContextMark.EXCLUDED and not group.is_empty
        is_counted = is_sent and group.mark is not ContextMark.PINNED
        self.groups.append(group)
        self._firsts.append(group.first)
        self._tokens.append(self._tokens[-1] + (group.tokens if is_counted else 0))
        self._rows.append(self._rows[-1] + (len(group.rows) if is_counted else 0))
        if is_sent:
            self._wire += group.wire
        self._wire_ends.append(len(self._wire))
        if group.mark is ContextMark.PINNED:
            self.pinned.append(group)

    def pop(self) -> Group:
        """Remove the newest group and return it."""
        group = self.groups.pop()
        for sums in (self._firsts, self._tokens, self._rows, self._wire_ends):
            sums.pop()
        del self._wire[self._wire_ends[-1] :]
        if group.mark is ContextMark.PINNED:
            self.pinned.pop()
        return group

    @property
    def tokens(self) -> int:
        """The tokens of all groups but pinned and excluded ones."""
        return self._tokens[-1]

    def upto(self, end: int | None = None) -> Stretch:
        """Return the first ``end`` groups (None: all of them). Valid until the run changes."""
        return Stretch(self, len(self.groups) if end is None else end)

    def index_from(self, position: int) -> int:
        """Return the index of the first group that begins at or after a position."""
        return bisect_left(self._firsts, position)

    def tokens_between(self, start: int, end: int) -> int:
        return self._tokens[end] - self._tokens[start]

    def rows_between(self, start: int, end: int) -> int:
        return self._rows[end] - self._rows[start]

    def wire_between(self, start: int, end: int) -> list[RequestMessage]:
        return self._wire[self._wire_ends[start] : self._wire_ends[end]]

    def fitting_from(self, end: int, tokens: int) -> int:
        """Return the smallest index from which on all groups before ``end`` fit into ``tokens``."""
        return bisect_left(self._tokens, self._tokens[end] - tokens, 0, end + 1)


class Stretch:
    """The oldest part of a run, up to a group that is the last one here."""

    def __init__(self, run: GroupRun, end: int) -> None:
        self.run = run
        self.end = end

    def __iter__(self) -> Iterator[Group]:
        return iter(self.run.groups[: self.end])

    def __len__(self) -> int:
        return self.end

    @property
    def first(self) -> int | None:
        """The position of the first message."""
        return self.run.groups[0].first if self.end else None

    @property
    def pinned(self) -> list[Group]:
        """The pinned groups, oldest first."""
        if not self.end:
            return []
        last = self.run.groups[self.end - 1].first
        return [group for group in self.run.pinned if group.first <= last]

    def newest_question(self) -> Group | None:
        """Return the newest message of the person that has text."""
        for index in range(self.end - 1, -1, -1):
            group = self.run.groups[index]
            if group.is_question and not group.is_empty:
                return group
        return None
