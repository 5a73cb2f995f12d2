"""Keeps the windows of the threads that were used last up to date, so that a request costs one small read.

Texts are counted here, where their counts are not stored yet, and the counts stored.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace

from chatdesk.core.context.attachment_counting import AttachmentCounter, NamesOnly
from chatdesk.core.context.group_run import GroupRun, Stretch
from chatdesk.core.context.groups import TOKENS_PER_MESSAGE, Group, belongs_to, make_groups
from chatdesk.core.context.reading import Reading
from chatdesk.core.context.tokens import CHARACTERS, TokenCounter
from chatdesk.core.domain.attachment import attachment_from
from chatdesk.core.domain.context import ContextFrame, ContextPart, ContextRow
from chatdesk.core.domain.message import ContextMark, Message, Part, PartType, Role
from chatdesk.core.domain.tools import KEPT
from chatdesk.core.rendering.picture_data import without_pictures
from chatdesk.core.storage.chat.context_store import ContextRepository

_MOST_THREADS = 8
_STEP = 500
# More characters than this are counted on a thread: at 5 to 10 MB/s they would take a frame.
_MOST_COUNTED_AT_ONCE = 8_000
# How far the messages that belong to a tool's call may be from it.
_TOOLS_REACH = 20
# Where the messages are that may have come or changed since a window was used last.
_NEWEST = 8
_ALONE = (PartType.TEXT, PartType.IMAGE, PartType.FILE)
_SENT_KINDS = (*_ALONE, PartType.TOOL_CALL, PartType.TOOL_RESULT)


Store = Callable[[str, dict[str, int]], None]


class PathWindows:
    """The windows of the threads that were used last, on one loop. Changes of a thread are reported with
    ``append``, ``update`` or ``forget``; a window that does not end where the path ends is read again all the
    same."""

    def __init__(
        self,
        source: ContextRepository,
        counter: TokenCounter,
        store_counts: Store,
        *,
        attached: AttachmentCounter | None = None,
    ) -> None:
        """Create the windows over the source of rows and the counter. ``attached`` counts attachments; None: only their
        names are sent."""
        self._source = source
        self._counter = counter
        self._store_counts = store_counts
        self._attached = attached or AttachmentCounter(NamesOnly(), counter)
        self._windows: OrderedDict[tuple[str, Reading], PathWindow] = OrderedDict()
        self._pinned: dict[tuple[str, Reading], tuple[int, list[Group]]] = {}
        self._changes: Counter[str] = Counter()  # by thread: how often something was told

    async def get(self, frame: ContextFrame, reading: Reading, tokens: int, *, lowest: int) -> PathWindow:
        """Return a window that reaches back until it has ``tokens``, or to the position ``lowest``."""
        key = (frame.thread_id, reading)
        changes = self._changes[frame.thread_id]
        window = self._windows.pop(key, None)
        if window is not None:
            await self._count_pending(window, reading)
        if window is None or window.end != frame.end or window.lacks(tokens, lowest):
            self._pinned.pop(key, None)
            window = await self._read(frame.thread_id, reading, tokens, lowest)
        if changes == self._changes[frame.thread_id]:  # else a change during the wait may be missing in the window
            self._windows[key] = window
        while len(self._windows) > _MOST_THREADS:
            dropped, _window = self._windows.popitem(last=False)
            self._pinned.pop(dropped, None)
        return window

    async def pinned_before(self, frame: ContextFrame, reading: Reading, position: int) -> list[Group]:
        """Return pinned groups that begin before a position, oldest first."""
        key = (frame.thread_id, reading)
        known = self._pinned.get(key)
        if known is None or known[0] != position:
            known = (position, await self._read_pinned(frame.thread_id, reading, position))
            self._pinned[key] = known
        return known[1]

    async def path_to(self, message_id: str, reading: Reading, *, limit: int) -> PathWindow:
        """Read the path to a message that is not shown; the window is not kept."""
        rows = await self._source.path_up(message_id, reading.encoding, limit=limit)
        return PathWindow(await self.counted(rows, reading), is_whole=len(rows) < limit)

    async def entries(self, thread_id: str, reading: Reading, *, first: int, last: int, limit: int) -> list[Group]:
        """Return the groups of the shown path with the messages from a position on; the first may begin before it."""
        start = max(first - _TOOLS_REACH, 0)
        rows = await self._source.between(
            thread_id, reading.encoding, first=start, last=last, limit=limit + first - start
        )
        groups = make_groups(await self.counted(rows, reading))
        return [group for group in groups if group.last >= first]

    def forget(self, thread_id: str) -> None:
        """Drop the windows of a thread, because its messages changed in a way that only the database shows."""
        self._changes[thread_id] += 1
        for key in [key for key in self._windows if key[0] == thread_id]:
            del self._windows[key]
            self._pinned.pop(key, None)

    def append(self, message: Message) -> None:
        """Append a message that was added at the end of the shown path."""
        self._changes[message.thread_id] += 1
        for key, window in list(self._windows.items()):
            if key[0] != message.thread_id:
                continue
            if window.last_id == message.parent_id:
                window.append(row_of(message))
            else:
                self.forget(message.thread_id)

    def update(self, message: Message) -> None:
        """Update a message that has another text or status."""
        self._changes[message.thread_id] += 1
        for key, window in list(self._windows.items()):
            is_here = key[0] == message.thread_id and window.update(row_of(message))
            if is_here and message.position < window.end - _NEWEST:
                self.forget(message.thread_id)  # the message is too far from the end to count as new

    async def counted(self, rows: Sequence[ContextRow], reading: Reading) -> list[ContextRow]:
        """Return ``rows`` with a count for every part; new counts are stored."""
        waiting = [part for row in rows for part in row.parts if part.tokens is None]
        if not waiting:
            return list(rows)
        texts = {part.id: part.text for part in waiting if part.attachment is None}
        if sum(map(len, texts.values())) > _MOST_COUNTED_AT_ONCE:
            counts, counted = await asyncio.to_thread(self._count, rows, texts, reading.encoding)
        else:
            counts, counted = self._count(rows, texts, reading.encoding)
        if len(texts) < len(waiting):
            counted = await self._with_attachments(counted, reading, counts)
        if reading.encoding != CHARACTERS:
            self._store_counts(reading.encoding, counts)
        return counted

    async def _with_attachments(
        self, rows: Sequence[ContextRow], reading: Reading, counts: dict[str, int]
    ) -> list[ContextRow]:
        """Return ``rows`` with counts for attachments; those that are to be stored are added to ``counts``."""
        counted = []
        for row in rows:
            if any(part.attachment is not None and part.tokens is None for part in row.parts):
                counted_row, new = await self._attached.counted(row, reading)
                counted.append(counted_row)
                counts |= new
            else:
                counted.append(row)
        return counted

    async def _read(self, thread_id: str, reading: Reading, tokens: int, lowest: int) -> PathWindow:
        """Read step by step until there is enough, then group once, on a thread where that takes a while."""
        asked = (tokens, lowest)
        steps: list[list[ContextRow]] = []
        is_whole = False
        before: int | None = None
        while not is_whole and tokens >= 0 and (before is None or before > lowest):
            found = await self._source.tail(thread_id, reading.encoding, before=before, limit=_STEP)
            is_whole = len(found) < _STEP
            if found:
                steps.append(await self.counted(found, reading))
                before = found[0].position
                tokens -= sum(_tokens_of(row) for row in steps[-1])
        rows = [row for step in reversed(steps) for row in step]
        if len(rows) <= _STEP:
            return PathWindow(rows, is_whole=is_whole, asked=asked)
        return await asyncio.to_thread(lambda: PathWindow(rows, is_whole=is_whole, asked=asked))

    async def _count_pending(self, window: PathWindow, reading: Reading) -> None:
        """Count the messages that were added or changed since."""
        for group in window.groups[-_NEWEST - 1 :]:
            if any(part.tokens is None for row in group.rows for part in row.parts):
                for row in await self.counted(group.rows, reading):
                    window.update(row)

    def _count(
        self, rows: Sequence[ContextRow], texts: dict[str, str], encoding: str
    ) -> tuple[dict[str, int], list[ContextRow]]:
        counts = {part_id: self._counter.count_in(text, encoding) for part_id, text in texts.items()}
        return counts, [_with_counts(row, counts) for row in rows]

    async def _read_pinned(self, thread_id: str, reading: Reading, position: int) -> list[Group]:
        rows = await self._source.pinned(thread_id, reading.encoding, before=position)
        found: list[Group] = []
        for row in rows:
            if found and found[-1].last >= row.position:
                continue
            if row.role is not Role.TOOL and all(part.kind in _ALONE for part in row.parts):
                found += make_groups(await self.counted([row], reading))
                continue
            near = await self.entries(
                thread_id,
                reading,
                first=row.position,
                last=min(row.position + _TOOLS_REACH, position - 1),
                limit=_TOOLS_REACH,
            )
            found += near[:1]
        return found


def row_of(message: Message) -> ContextRow:
    """Return a message as the request builder reads it; one that is still being written has no parts."""
    parts = (_part_of(part) for part in message.parts if part.type in _SENT_KINDS and message.status.is_final)
    sent = tuple(part for part in parts if part is not None)
    return ContextRow(message.id, message.position, message.role, message.context_mark, sent)


def _part_of(part: Part) -> ContextPart | None:
    """Return a part that can be sent; None for a file that was not kept by its content."""
    if part.type in (PartType.IMAGE, PartType.FILE):
        attachment = attachment_from(part.content)
        return None if attachment is None else ContextPart(part.id, part.type, "", attachment=attachment)
    is_call = part.type is PartType.TOOL_CALL
    text = str(part.content.get("arguments", "")) if is_call else without_pictures(part.text)
    kept = part.content.get(KEPT)
    return ContextPart(part.id, part.type, text, part.tool_call_id or "", part.tool_name or "", kept=kept)


def _tokens_of(row: ContextRow) -> int:
    """Return the tokens of a message that is neither pinned nor excluded; 0 for others."""
    if row.mark is not ContextMark.NONE:
        return 0
    return sum(part.tokens or 0 for part in row.parts) + (TOKENS_PER_MESSAGE if row.parts else 0)


def _with_counts(row: ContextRow, counts: dict[str, int]) -> ContextRow:
    parts = tuple(part if part.id not in counts else replace(part, tokens=counts[part.id]) for part in row.parts)
    return replace(row, parts=parts)


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
        """The position of the first message; 0 without messages."""
        return self.groups[0].first if self.groups else 0

    @property
    def end(self) -> int:
        """The position of the last message, -1 without messages."""
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
