"""Holds the newest part of a path in groups, ready to be selected from; it grows at its newer end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatdesk.core.context.group_run import GroupRun, Stretch
from chatdesk.core.context.groups import Group, belongs_to, make_groups
from chatdesk.core.domain.context import ContextRow


class PathWindow:
    """The newest groups of a path without gaps, oldest first. ``is_whole``: nothing of the path is before them;
    ``asked``: the number of tokens that was asked for when they were read, and the position down to which."""

    def __init__(self, rows: Sequence[ContextRow], *, is_whole: bool, asked: tuple[int, int] = (0, 0)) -> None:
        self._run = GroupRun(make_groups(rows))
        self._is_whole = is_whole
        self._asked = asked

    @property
    def groups(self) -> list[Group]:
        return self._run.groups

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

    def lacks(self, tokens: int, lowest: int) -> bool:
        """Return whether more has to be read for that many tokens, back to the position ``lowest``."""
        is_more = tokens > self._asked[0] or lowest < self._asked[1]
        return is_more and not self._is_whole and self.first > lowest and self._run.tokens <= tokens

    def up_to(self, message_id: str) -> Stretch | None:
        """Return the part that ends with a message; None where that message does not end a group here."""
        for index in range(len(self.groups) - 1, -1, -1):
            if self.groups[index].rows[-1].id == message_id:
                return self._run.upto(index + 1)
        return None

    def append(self, row: ContextRow) -> None:
        """Add the message that now is the last."""
        before = self._run.pop().rows if self.groups and belongs_to(row, self.groups[-1].rows) else ()
        self._push((*before, row))

    def update(self, row: ContextRow) -> bool:
        """Replace a message by its newer state, keeping its mark. Returns whether it is in the window."""
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
