"""Summarises the oldest part of a thread that is not yet covered, piece by piece; each piece is kept before the next.

Runs on a loop of its own (``summary_worker``). It reads and asks a model; storing the result is left to a callback.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from chatdesk.core.clock import Clock
from chatdesk.core.context.attachment_counting import name_line
from chatdesk.core.context.budget import TokenBudget
from chatdesk.core.context.groups import Group, make_groups
from chatdesk.core.context.held_back import HELD_BACK, is_of_files
from chatdesk.core.context.model_data import ModelData
from chatdesk.core.context.summary_prompt import MOST_OF_WANTED, PROMPT_VERSION, checked_summary, summary_request
from chatdesk.core.context.tokens import CHARACTERS
from chatdesk.core.domain.context import ContextFrame, ContextPart, ContextRow
from chatdesk.core.domain.message import ContextMark, PartType
from chatdesk.core.domain.summary import NewSummary, Summary, SummaryAuthor, SummaryPlan
from chatdesk.core.domain.usage import Spent, Usage
from chatdesk.core.errors import ChatDeskError, SummaryRejected
from chatdesk.core.providers.base import (
    ChatRequest,
    FinishReason,
    LibraryLoaded,
    Provider,
    ReasoningDelta,
    StreamFinished,
    TextDelta,
    UsageReported,
)
from chatdesk.core.rendering.answers.thought_splitter import without_thoughts
from chatdesk.core.storage.chat.context_store import ContextRepository

# The share of a request kept verbatim after a summary; the rest is room for the next messages.
_SHARE_KEPT = 0.4
_SHARE_OF_PIECE = 0.5
_SHARE_OF_SUMMARY = 0.1
_LARGEST_PIECE, _LARGEST_SUMMARY = 24_000, 2_000
_STEP = 500
_SECONDS_TO_MS = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request to summarise one thread. ``answered_by`` is the model that reads the summary, None: the one that makes
    it. ``is_anew``: also what a summary covers already, at least up to the position ``at_least``. ``pinned_facts`` are
    taken over word for word. ``is_agreed``: a person was asked, and said yes."""

    thread_id: str
    provider: str
    model: str
    answered_by: tuple[str, str] | None = None
    pinned_facts: tuple[str, ...] = ()
    is_anew: bool = False
    at_least: int = -1
    is_agreed: bool = False

    @property
    def is_by_person(self) -> bool:
        """True where a person asked for it, so that it does not wait for a better moment."""
        return self.is_anew or self.is_agreed


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    usage: Usage
    reason: FinishReason | None
    spent: Spent


@dataclass(frozen=True, slots=True)
class SummaryOwner:
    """The calls of a summariser to the owner of the database. ``keep`` stores a summary and what it took,
    ``record_failed`` what an unusable one took. ``allow`` is called before each request with its tokens; it raises
    ``BackgroundLimitReached`` where they are more than the day allows, and ``SummaryNeedsConsent`` where the whole plan
    is more than may be spent unasked."""

    keep: Callable[[NewSummary, Spent], Awaitable[Summary]]
    record_failed: Callable[[Wanted, Spent], Awaitable[None]]
    allow: Callable[[Wanted, SummaryPlan, int], Awaitable[None]]


class Summariser:
    """Makes the summaries of threads, on one loop."""

    def __init__(
        self,
        source: ContextRepository,
        *,
        find_provider: Callable[[str], Provider],
        data: ModelData,
        clock: Clock,
        prompt: str,
        owner: SummaryOwner,
    ) -> None:
        self._source = source
        self._find_provider = find_provider
        self._catalogue = data.catalogue
        self._counter = data.counter
        self._clock = clock
        self._prompt = prompt
        self._owner = owner

    async def summarise(self, wanted: Wanted) -> Summary | None:
        """Cover everything that should be covered. Returns the newest summary, None where nothing had to be done.
        Raises ``SummaryRejected``, ``SummaryRangeGone``, ``SummaryNeedsConsent``, ``BackgroundLimitReached`` or what
        the provider raises; finished summaries stay."""
        info = self._catalogue.find(wanted.provider, wanted.model)
        budget = TokenBudget.of(info.context_window, answer=info.largest_answer)
        kept_tokens = int(self._answering_room(wanted, budget).counted * _SHARE_KEPT)
        made: Summary | None = None
        plan: SummaryPlan | None = None
        while True:
            frame = await self._source.frame(wanted.thread_id)
            previous = made if wanted.is_anew else frame.summary
            if not frame.has_summaries or (frame.is_summary_off and not wanted.is_anew):
                return made
            first = max(frame.starts_at, 0 if previous is None else previous.to_position + 1)
            last = max(await self._last_to_cover(frame, kept_tokens), wanted.at_least)
            piece = await self._piece(frame, first, last, _piece_tokens(budget))
            if not piece:
                return made
            if plan is None:
                plan = await self._plan(frame, previous, piece, last=last, budget=budget)
            made = await self._cover(wanted, frame, previous, piece, budget=budget, plan=plan)

    def _answering_room(self, wanted: Wanted, budget: TokenBudget) -> TokenBudget:
        """Return the budget of the model that is going to read the summary and what stays beside it."""
        if wanted.answered_by is None:
            return budget
        info = self._catalogue.find(*wanted.answered_by)
        return TokenBudget.of(info.context_window, answer=info.largest_answer)

    async def _plan(
        self, frame: ContextFrame, previous: Summary | None, piece: list[Group], *, last: int, budget: TokenBudget
    ) -> SummaryPlan:
        """Estimate the usage of summarising all from ``piece`` to the position ``last``: each request reads a piece and
        the summary before it, and writes the next one. A token has as many characters as in the first piece."""
        read = sum(len(message.text) for group in piece for message in group.wire)
        tokens_per_character = sum(group.tokens for group in piece) / max(read, 1)
        characters = await self._source.characters(frame.thread_id, first=piece[0].first, last=last)
        source = int(characters * tokens_per_character)
        written = _summary_tokens(budget) * MOST_OF_WANTED  # better too much than too little
        requests = max(-(-source // max(_piece_tokens(budget), 1)), 1)
        prompt = self._counter.count_in(self._prompt, CHARACTERS)
        before = (0 if previous is None else previous.tokens) + (requests - 1) * written
        return SummaryPlan(requests, Usage(source + before + requests * prompt, requests * written, is_estimated=True))

    async def _last_to_cover(self, frame: ContextFrame, kept_tokens: int) -> int:
        """Return the position up to which messages are summarised; those after it stay as they were said."""
        before: int | None = None
        while True:
            rows = await self._source.tail(frame.thread_id, CHARACTERS, before=before, limit=_STEP)
            for group in reversed(self._groups(rows)):
                kept_tokens -= group.tokens
                if kept_tokens < 0:
                    return group.first - 1 if group.last >= frame.end - 1 else group.last
            if len(rows) < _STEP:
                return -1
            before = rows[0].position

    async def _piece(self, frame: ContextFrame, first: int, last: int, most_tokens: int) -> list[Group]:
        """Return the oldest messages from ``first`` on that are sent at all, up to a size but at least one."""
        rows = await self._source.between(frame.thread_id, CHARACTERS, first=first, last=last, limit=_STEP)
        groups = self._groups(rows)
        if len(rows) == _STEP and len(groups) > 1:
            groups.pop()  # the group may continue in the next rows
        piece: list[Group] = []
        for group in groups:
            if group.mark is ContextMark.EXCLUDED or group.is_empty:
                continue
            if piece and group.tokens > most_tokens:
                break
            most_tokens -= group.tokens
            piece.append(group)
        return piece

    async def _cover(
        self,
        wanted: Wanted,
        frame: ContextFrame,
        previous: Summary | None,
        piece: list[Group],
        *,
        budget: TokenBudget,
        plan: SummaryPlan,
    ) -> Summary:
        most_tokens = _summary_tokens(budget)
        cut = _shortened(piece, budget.counted // 2)
        request = summary_request(wanted.model, self._prompt, previous, cut, most_tokens=most_tokens)
        asked_tokens = sum(self._counter.count_in(message.text, CHARACTERS) for message in request.messages)
        await self._owner.allow(wanted, plan, asked_tokens + (request.max_output_tokens or 0))
        answer = await self._ask(wanted, request, asked_tokens)
        source_tokens = sum(group.tokens for group in piece) + (0 if previous is None else previous.tokens)
        tokens = self._counter.count_in(answer.text, CHARACTERS)
        try:
            text = checked_summary(answer.text, tokens=tokens, source_tokens=source_tokens, reason=answer.reason)
        except SummaryRejected:
            await self._owner.record_failed(wanted, answer.spent)
            raise
        new = NewSummary(
            frame.thread_id,
            from_message_id=piece[0].rows[0].id if previous is None else previous.from_message_id,
            to_message_id=piece[-1].rows[-1].id,
            text=text,
            tokens=tokens,
            author=SummaryAuthor.MODEL,
            provider=wanted.provider,
            model=wanted.model,
            prompt_version=PROMPT_VERSION,
            pinned_facts=wanted.pinned_facts,
            input_tokens=answer.usage.input_tokens,
            output_tokens=answer.usage.output_tokens,
        )
        return await self._owner.keep(new, answer.spent)

    async def _ask(self, wanted: Wanted, request: ChatRequest, asked_tokens: int) -> _Answer:
        began_s = self._clock.monotonic_s()
        first_ms: int | None = None
        pieces: list[str] = []
        usage: Usage | None = None
        reason: FinishReason | None = None

        def spent() -> Spent:
            text = "".join(pieces)
            taken = usage or Usage(asked_tokens, self._counter.count_in(text, CHARACTERS), is_estimated=True)
            return Spent(taken, self._ms_since(began_s), first_ms)

        try:
            async with aclosing(self._find_provider(wanted.provider).stream(request)) as stream:
                async for event in stream:
                    if first_ms is None and isinstance(event, TextDelta | ReasoningDelta):
                        first_ms = self._ms_since(began_s)
                    match event:
                        case LibraryLoaded():
                            began_s += event.seconds
                        case TextDelta():
                            pieces.append(event.text)
                        case UsageReported():
                            usage = event.usage
                        case StreamFinished():
                            reason = event.reason
        except ChatDeskError:
            if pieces:  # the tokens used so far are paid for
                await self._owner.record_failed(wanted, spent())
            raise
        except asyncio.CancelledError:  # the tokens used so far are paid for
            await self._owner.record_failed(wanted, spent())
            raise
        taken = spent()
        assert taken.usage is not None  # reported or estimated
        return _Answer(without_thoughts("".join(pieces)), taken.usage, reason, taken)

    def _ms_since(self, moment_s: float) -> int:
        return round((self._clock.monotonic_s() - moment_s) * _SECONDS_TO_MS)

    def _groups(self, rows: tuple[ContextRow, ...]) -> list[Group]:
        return make_groups(
            replace(
                row,
                parts=tuple(
                    replace(part, tokens=self._counter.count_in(part.text, CHARACTERS))
                    for part in map(_as_text, row.parts)
                ),
            )
            for row in rows
        )


def _piece_tokens(budget: TokenBudget) -> int:
    """Return how many tokens of the messages one request reads."""
    return min(int(budget.counted * _SHARE_OF_PIECE), _LARGEST_PIECE)


def _summary_tokens(budget: TokenBudget) -> int:
    """Return how many tokens a summary may have."""
    return min(int(budget.counted * _SHARE_OF_SUMMARY), _LARGEST_SUMMARY)


def _as_text(part: ContextPart) -> ContextPart:
    """Replace an attachment by its name, which is all that a summary keeps of it, and leave out what was read in the
    files of a project."""
    if part.kind is PartType.TOOL_RESULT and is_of_files(part.name):
        return replace(part, text=HELD_BACK)  # the answer says what was in them
    if part.attachment is None:
        return part
    return ContextPart(part.id, PartType.TEXT, f"{name_line(part.attachment)}\n")


def _shortened(piece: list[Group], most_tokens: int) -> list[Group]:
    """Cut a single message that is larger than the model can read; it is summarised from its beginning."""
    if len(piece) > 1 or piece[0].tokens <= most_tokens:
        return piece
    share = most_tokens / piece[0].tokens
    wire = tuple(replace(message, text=message.text[: int(len(message.text) * share)]) for message in piece[0].wire)
    return [replace(piece[0], wire=wire)]
