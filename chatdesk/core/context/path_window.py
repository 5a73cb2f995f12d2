"""The newest part of a path, in groups, ready to be chosen from; it grows at both ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatdesk.core.context.group_run import GroupRun, Stretch
from chatdesk.core.context.groups import Group, belongs_to, make_groups
from chatdesk.core.domain.context import ContextRow


class PathWindow:
    """The groups are without gaps, oldest first. ``is_whole``: nothing of the path lies before them."""

    def __init__(self, rows: Sequence[ContextRow], *, is_whole: bool) -> None:
        self._run = GroupRun(make_groups(rows))
        self.is_whole = is_whole

    @property
    def groups(self) -> list[Group]:
        return self._run.groups

    @property
    def tokens(self) -> int:
        """What sending all of it would take, but for pinned messages."""
        return self._run.tokens

    @property
    def first(self) -> int:
        """The position of the first message; 0 where there is none."""
        return self.groups[0].first if self.groups else 0

    @property
    def end(self) -> int:
        """The position of the last message, -1 where there is none."""
        return self.groups[-1].last if self.groups else -1

    @property
    def last_id(self) -> str | None:
        return self.groups[-1].rows[-1].id if self.groups else None

    @property
    def whole(self) -> Stretch:
        return self._run.upto()

    def up_to(self, message_id: str) -> Stretch | None:
        """The part that ends with that message; None where it does not end a group here."""
        for index in range(len(self.groups) - 1, -1, -1):
            if self.groups[index].rows[-1].id == message_id:
                return self._run.upto(index + 1)
        return None

    def prepend(self, rows: Sequence[ContextRow], *, is_whole: bool) -> None:
        """Older messages, which end right before the first one. A tool's word may belong to the last of them."""
        known = self.groups
        seam: tuple[ContextRow, ...] = ()
        if known and rows and belongs_to(known[0].rows[0], rows[-1:]):
            seam, known = known[0].rows, known[1:]
        self._run = GroupRun([*make_groups([*rows, *seam]), *known])
        self.is_whole = is_whole

    def append(self, row: ContextRow) -> None:
        """The message that now is the last."""
        before = self._run.pop().rows if self.groups and belongs_to(row, self.groups[-1].rows) else ()
        self._push((*before, row))

    def update(self, row: ContextRow) -> bool:
        """Another state of a message; whether it is here. Its mark stays as it was."""
        newer: list[Group] = []
        while self.groups and self.groups[-1].first > row.position:
            newer.append(self._run.pop())
        is_here = bool(self.groups) and any(each.id == row.id for each in self.groups[-1].rows)
        if is_here:
            rows = self._run.pop().rows
            self._push([replace(row, mark=each.mark) if each.id == row.id else each for each in rows])
        for group in reversed(newer):
            self._run.push(group)
        return is_here

    def _push(self, rows: Sequence[ContextRow]) -> None:
        for group in make_groups(rows):
            self._run.push(group)
