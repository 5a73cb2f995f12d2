"""Computes the scale of the scroll bar: an estimated length of each message, constant while the reader scrolls.

Lengths come from counts of characters and lines, never from layouts. So a message is at the same place of the bar
however much of the thread has been seen, and the thumb never moves against the reader.
"""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.core.domain.message import ThreadSizes
from chatdesk.ui.transcript.drawing.heights import HeightTree

_MESSAGE_PX = 70.0  # header, tools and the space between messages
_LINE_PX = 22.0
_CHARACTERS_A_LINE = 95.0
_UNKNOWN_PX = 160.0
_FIRST_STEP = 512  # positions a group before the true sizes are known


@dataclass(frozen=True, slots=True)
class ScalePoint:
    """A place in the thread: ``share`` (0 to 1) of the way through the message at ``position``."""

    position: int
    share: float


class ThreadScale:
    """The estimated lengths of a thread's messages, in px.

    The first positions are known in groups of ``step``, the ones after them one by one.
    """

    def __init__(self) -> None:
        self._tree = HeightTree()
        self._step = 1
        self._groups = 0

    def __len__(self) -> int:
        """Return how many positions the thread has, as far as it is known."""
        return self._grouped + len(self._tree) - self._groups

    @property
    def total(self) -> float:
        return self._tree.total

    def reset(self, count: int, lengths: dict[int, float], *, is_whole: bool) -> None:
        """Start with a thread of ``count`` positions, whose ``lengths`` may be known only in part.

        Unless ``is_whole``, all positions get the mean of the lengths, because lengths that are learnt later must not
        move what was shown. They are in groups then, because the first paint of a long thread must not wait for a
        walk over it.
        """
        if is_whole:
            self._fill([lengths.get(position, 0.0) for position in range(count)])
            return
        mean = sum(lengths.values()) / len(lengths) if lengths else _UNKNOWN_PX
        groups, rest = divmod(count, _FIRST_STEP)
        self._fill([mean * _FIRST_STEP] * groups + [mean] * rest, step=_FIRST_STEP, groups=groups)

    def set_sizes(self, sizes: ThreadSizes) -> None:
        """Set the true sizes; positions beyond them keep their lengths."""
        lengths = [
            messages * _MESSAGE_PX + _text_px(characters, lines)
            for messages, characters, lines in zip(sizes.messages, sizes.characters, sizes.lines, strict=True)
        ]
        groups = min(len(lengths), sizes.count // sizes.step)
        covered = groups * sizes.step
        last = [lengths[groups] / (sizes.count - covered)] * (sizes.count - covered) if groups < len(lengths) else []
        later = [self._length(position) for position in range(covered + len(last), len(self))]
        self._fill(lengths[:groups] + last + later, step=sizes.step, groups=groups)

    def extend(self, position: int, length: float) -> None:
        """Set the length of a message that is beyond the thread's end, as far as that is known."""
        if position >= len(self):
            self.set(position, length)

    def set(self, position: int, length: float) -> None:
        """Set the length of a message at the end; positions that are known in groups do not change."""
        place = self._groups + position - self._grouped
        while len(self._tree) < place:
            self._tree.append(0.0)
        if place == len(self._tree):
            self._tree.append(length)
        elif place >= self._groups:
            self._tree.set(place, length)

    def cut(self, count: int) -> None:
        """End the thread after ``count`` positions."""
        if count >= len(self):
            return
        groups = min(self._groups, count // self._step)
        rest = [self._length(position) for position in range(groups * self._step, count)]
        self._fill([self._tree.height(each) for each in range(groups)] + rest, step=self._step, groups=groups)

    def y_of(self, point: ScalePoint) -> float:
        return self._start(point.position) + point.share * self._length(point.position)

    def find(self, y: float) -> ScalePoint:
        place = self._tree.find(y)
        inside = y - self._tree.prefix(place)
        share = max(0.0, min(1.0, inside / max(1.0, self._tree.height(place))))
        if place >= self._groups:
            return ScalePoint(self._grouped + place - self._groups, share)
        steps = share * self._step
        whole = min(int(steps), self._step - 1)
        return ScalePoint(place * self._step + whole, steps - whole)

    @property
    def _grouped(self) -> int:
        return self._groups * self._step

    def _start(self, position: int) -> float:
        if position >= self._grouped:
            return self._tree.prefix(self._groups + position - self._grouped)
        group, rest = divmod(position, self._step)
        return self._tree.prefix(group) + self._tree.height(group) * rest / self._step

    def _length(self, position: int) -> float:
        if position >= self._grouped:
            place = self._groups + position - self._grouped
            return self._tree.height(place) if place < len(self._tree) else 0.0
        return self._tree.height(position // self._step) / self._step

    def _fill(self, lengths: list[float], *, step: int = 1, groups: int = 0) -> None:
        self._tree = HeightTree(lengths)
        self._step, self._groups = step, groups


def length_of(text: str) -> float:
    """Return the estimated length of a message with this text, in px."""
    return _MESSAGE_PX + _text_px(len(text), text.count("\n") + 1)


def _text_px(characters: int, lines: int) -> float:
    # Half of the lines are taken to end early: empty ones, items of lists, code.
    return (lines / 2 + characters / _CHARACTERS_A_LINE) * _LINE_PX
