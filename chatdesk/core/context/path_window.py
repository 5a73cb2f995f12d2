"""The newest part of a path, in groups, ready to be chosen from; it grows at both ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatdesk.core.context.groups import Group, belongs_to, make_groups
from chatdesk.core.domain.context import ContextMark, ContextRow


class PathWindow:
    """``groups`` are without gaps, oldest first. ``is_whole``: nothing of the path lies before them."""

    def __init__(self, rows: Sequence[ContextRow], *, is_whole: bool) -> None:
        self.groups = make_groups(rows)
        self.is_whole = is_whole
        self.tokens = _tokens(self.groups)

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

    def prepend(self, rows: Sequence[ContextRow], *, is_whole: bool) -> None:
        """Older messages, which end right before the first one. A tool's word may belong to the last of them."""
        seam: tuple[ContextRow, ...] = ()
        if self.groups and rows and belongs_to(self.groups[0].rows[0], rows[-1:]):
            seam = self.groups.pop(0).rows
        self.groups = make_groups([*rows, *seam]) + self.groups
        self.is_whole = is_whole
        self.tokens = _tokens(self.groups)

    def append(self, row: ContextRow) -> None:
        """The message that now is the last."""
        before: tuple[ContextRow, ...] = ()
        if self.groups and belongs_to(row, self.groups[-1].rows):
            before = self._drop_from(len(self.groups) - 1)
        self._extend((*before, row))

    def update(self, row: ContextRow) -> bool:
        """Another state of a message; whether it is here. Its mark stays as it was."""
        for index in range(len(self.groups) - 1, -1, -1):
            group = self.groups[index]
            if group.last < row.position:
                return False
            if any(each.id == row.id for each in group.rows):
                rows = [replace(row, mark=each.mark) if each.id == row.id else each for each in group.rows]
                self.tokens -= _tokens([group])
                (self.groups[index],) = make_groups(rows)
                self.tokens += _tokens([self.groups[index]])
                return True
        return False

    def up_to(self, message_id: str) -> list[Group] | None:
        """The groups up to the one that ends with that message; None where it does not end a group here."""
        for index in range(len(self.groups) - 1, -1, -1):
            if self.groups[index].rows[-1].id == message_id:
                return self.groups[: index + 1]
        return None

    def _drop_from(self, index: int) -> tuple[ContextRow, ...]:
        dropped = self.groups[index:]
        del self.groups[index:]
        self.tokens -= _tokens(dropped)
        return tuple(row for group in dropped for row in group.rows)

    def _extend(self, rows: Sequence[ContextRow]) -> None:
        added = make_groups(rows)
        self.groups += added
        self.tokens += _tokens(added)


def _tokens(groups: Sequence[Group]) -> int:
    return sum(group.tokens for group in groups if group.mark is not ContextMark.EXCLUDED)
