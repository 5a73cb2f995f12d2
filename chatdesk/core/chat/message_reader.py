"""Reads the messages of threads: pages of the shown path, versions, questions, and matches of a text.

Ids are checked before storage is asked. A streaming answer is returned with its text so far.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chatdesk.core.chat.running_turns import RunningTurns
from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import Message, MessagePage, Status, ThreadSizes
from chatdesk.core.domain.text_match import MessageMatch, ThreadMatches, needle_of
from chatdesk.core.domain.thread import QuestionPage
from chatdesk.core.domain.tree import TreeRow
from chatdesk.core.errors import InvalidInput
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.texts import Text

LARGEST_PAGE = 500
_QUESTION_CHARACTERS = 400
_PREVIEW_CHARACTERS = 120
_MOST_SIZE_GROUPS = 2_000
_LONGEST_SEARCH_MS = 10_000


class MessageReader:
    """Reads messages, including streamed text that is not stored yet; ``ChatService.reader`` exposes it.
    ``is_nobody_writing``: no process can write, so no answer is really being written."""

    def __init__(
        self, repositories: Repositories, turns: RunningTurns, clock: Clock, *, is_nobody_writing: Callable[[], bool]
    ) -> None:
        self._messages = repositories.messages
        self._outlines = repositories.outlines
        self._turns = turns
        self._clock = clock
        self._is_nobody_writing = is_nobody_writing

    async def get_thread_messages(
        self,
        thread_id: str,
        limit: int = 50,
        before: str | None = None,
        after: str | None = None,
        *,
        around: str | None = None,
        at: int | None = None,
    ) -> MessagePage:
        """Return a page of the shown path, oldest first.

        ``before`` and ``after`` are message ids; together they mean the open interval between them, read from its
        oldest end; with neither, the newest page. ``around`` gives a page with that message in its middle, ``at`` one
        around a position on the path.
        """
        _check_limit(limit)
        page = await self._messages.page(
            checked_id(thread_id),
            limit=limit,
            before=None if before is None else checked_id(before),
            after=None if after is None else checked_id(after),
            around=None if around is None else checked_id(around),
            at=at,
        )
        if self._is_nobody_writing():
            return replace(page, messages=tuple(self.with_live_text(message) for message in page.messages))
        return self._turns.overlay_page(page)

    async def get_thread_sizes(self, thread_id: str) -> ThreadSizes:
        """Return the lengths of the messages of the shown path, for a scroll bar that is right before they load."""
        return await self._outlines.sizes(checked_id(thread_id), most_groups=_MOST_SIZE_GROUPS)

    async def get_tree(self, thread_id: str) -> tuple[TreeRow, ...]:
        """Return every version of every message, also those in the trash, from top to bottom."""
        return await self._outlines.tree(checked_id(thread_id), preview=_PREVIEW_CHARACTERS)

    async def list_questions(self, thread_id: str, *, start: int = 0, limit: int = 500, text: str = "") -> QuestionPage:
        """Return those of the ``limit`` questions of the shown path from ``start`` on that contain every word of
        ``text``."""
        _check_limit(limit)
        return await self._outlines.questions(
            checked_id(thread_id),
            start=start,
            limit=limit,
            preview=_QUESTION_CHARACTERS,
            words=needle_of(text).split(),
        )

    async def first_message_since(self, thread_id: str, since_ms: int) -> str | None:
        """Return the id of the first message of the shown path that was written at ``since_ms`` or later."""
        return await self._outlines.first_since(checked_id(thread_id), since_ms)

    async def time_span(self, thread_id: str) -> tuple[int, int] | None:
        """Return the times (ms UTC) of the oldest and the newest message of the shown path; None where it is empty."""
        return await self._outlines.time_span(checked_id(thread_id))

    async def find_in_thread(self, thread_id: str, text: str) -> ThreadMatches:
        """Return every message of the shown path that contains ``text``, without regard to case or styles. Cancel it
        when another text is typed; it stops at the next stretch of the thread."""
        needle = needle_of(text)
        if not needle:
            return ThreadMatches(text)
        found: list[MessageMatch] = []
        start: int | None = 0
        end = self._clock.now_ms() + _LONGEST_SEARCH_MS
        while start is not None and self._clock.now_ms() < end:
            part, start = await self._outlines.find(checked_id(thread_id), needle, start=start)
            found += part
        return ThreadMatches(text, tuple(found), is_complete=start is None)

    async def get_message(self, message_id: str) -> Message:
        return self.with_live_text(await self._messages.get(checked_id(message_id)))

    async def list_versions(self, message_id: str) -> tuple[Message, ...]:
        return await self._messages.versions(checked_id(message_id))

    def with_live_text(self, message: Message) -> Message:
        """Return ``message`` with everything published for it so far; storage lags a little behind a stream."""
        if self._is_nobody_writing() and not message.status.is_final:
            return replace(message, status=Status.INTERRUPTED)
        return self._turns.overlay(message)

    async def read_ahead(self, message_id: str, limit: int = 50) -> MessagePage | None:
        """Return the first messages that will be shown from this one on once it is selected; nothing changes. None
        where selecting it changes more than what is below it."""
        _check_limit(limit)
        page = await self._messages.below(checked_id(message_id), limit=limit)
        return None if page is None else self._turns.overlay_page(page)


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidInput(
            Text(
                "A page holds 1 to {largest_page} rows, not {limit}.", largest_page=str(LARGEST_PAGE), limit=str(limit)
            ),
            safe=Text("Nothing was changed."),
            next_step="",
        )
