"""Assembles a request from the state of the thread, the limits of the model and the messages that fit.

It costs one small read where the thread was used before; the rest is in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatdesk.core.context.attachment_counting import AttachmentCounter, NamesOnly
from chatdesk.core.context.budget import Candidates, Selection, TokenBudget, select
from chatdesk.core.context.group_run import Stretch
from chatdesk.core.context.groups import TOKENS_PER_MESSAGE, Group
from chatdesk.core.context.memory_list import list_within
from chatdesk.core.context.path_windows import PathWindows
from chatdesk.core.context.reading import Reading
from chatdesk.core.context.request_builder import FILES_HEADING, build_request, possible, summary_text
from chatdesk.core.context.tokens import TokenCounter
from chatdesk.core.domain.attachment import Attachment, Enclosed
from chatdesk.core.domain.context import ContextFrame, ContextTotals
from chatdesk.core.domain.knowledge import EnclosedPassages
from chatdesk.core.domain.memory import MemoryList, OfferedMemories
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.model_info import ModelInfo
from chatdesk.core.domain.summary import Summary
from chatdesk.core.errors import DoesNotFit
from chatdesk.core.providers.base import ChatRequest

# The way to a message that is not shown is read whole, so it has an end.
_LONGEST_HIDDEN_PATH = 5_000
_MOST_REMEMBERED_TEXTS = 64


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that is ready to be built, and the selection behind it."""

    frame: ContextFrame
    info: ModelInfo
    budget: TokenBudget
    selection: Selection
    system_prompt: str
    summary: Summary | None
    candidates: Candidates
    draft: str
    continue_text: str
    encoding: str
    is_estimate: bool
    reading: Reading
    enclosed: tuple[Enclosed, ...] = ()
    files: tuple[Enclosed, ...] = ()
    found: EnclosedPassages | None = None
    memories: MemoryList = MemoryList()  # noqa: RUF009 - frozen
    found_tokens: int = 0

    @property
    def counted_tokens(self) -> int:
        """The tokens of the whole request as counted here."""
        summary = self.candidates.summary_tokens if self.selection.has_summary else 0
        draft = self.candidates.question_tokens or 0
        found = self.candidates
        fixed = found.system_tokens + found.memory_tokens + found.extra_tokens + draft + (summary or 0)
        return fixed + self.selection.pinned_tokens + self.selection.recent_tokens

    def totals(self, draft_tokens: int | None = None) -> ContextTotals:
        """Return the token totals. ``draft_tokens``: the tokens of a draft that was not there when the messages were
        selected."""
        scaled = self.budget.scaled
        return ContextTotals(
            window=self.budget.window,
            reserved=self.budget.reserved,
            system=scaled(self.candidates.system_tokens + self.candidates.extra_tokens - self.found_tokens),
            files=scaled(self.found_tokens),
            memory=scaled(self.candidates.memory_tokens),
            summary=scaled(self.candidates.summary_tokens or 0) if self.selection.has_summary else 0,
            pinned=scaled(self.selection.pinned_tokens),
            recent=scaled(self.selection.recent_tokens),
            draft=scaled((self.candidates.question_tokens or 0) if draft_tokens is None else draft_tokens),
            is_estimate=self.is_estimate,
            has_stale_summary=self.frame.stale_summary_id is not None,
        )

    def with_found(self, tokens: int) -> Prepared:
        """Return the same request with so many tokens of passages, found for a draft that was not there before."""
        extra = self.candidates.extra_tokens + tokens - self.found_tokens
        return replace(self, candidates=replace(self.candidates, extra_tokens=extra), found_tokens=tokens)

    def totals_with(self, text_tokens: int, enclosed_tokens: int) -> ContextTotals:
        """Return the totals with a draft that was not there when the messages were selected, and how many messages it
        pushes out. Of enclosed files as much is sent as there is room for, so they make no draft too large."""
        totals = self.totals(text_tokens + enclosed_tokens)
        sent = self.selection.recent_count + self.selection.pinned_count
        for tokens in (text_tokens + enclosed_tokens, text_tokens):
            try:
                selection = select(self.budget, replace(self.candidates, question_tokens=tokens + TOKENS_PER_MESSAGE))
            except DoesNotFit:
                continue
            is_whole = tokens == text_tokens + enclosed_tokens
            kept = selection.recent_count + selection.pinned_count if is_whole else 0
            return replace(totals, pushed_out=max(sent - kept, 0))
        return replace(totals, pushed_out=sent, is_draft_too_large=True)

    def request(self) -> ChatRequest:
        return build_request(
            self.info,
            self.candidates,
            self.selection,
            system_prompt=self.system_prompt,
            summary=self.summary,
            parameters=self.frame.parameters,
            continue_text=self.continue_text,
            draft=self.draft,
            enclosed=self.enclosed,
            files=self.files,
            found=self.found,
            memories=self.memories,
        )


class Assembler:
    """Prepares requests for any thread. ``default_prompt`` is used where neither thread nor project has one."""

    def __init__(
        self, windows: PathWindows, counter: TokenCounter, *, attached: AttachmentCounter | None = None
    ) -> None:
        """Create the assembler over the windows and the counter. ``attached`` counts attachments; None: only their
        names are sent."""
        self._windows = windows
        self._counter = counter
        self._attached = attached or AttachmentCounter(NamesOnly(), counter)
        self._texts: dict[tuple[str, str], int] = {}

    async def for_answer(
        self,
        frame: ContextFrame,
        info: ModelInfo,
        answer: Message,
        *,
        factor: float,
        default_prompt: str,
        has_summaries: bool,
        found: EnclosedPassages | None = None,
        offered: OfferedMemories = OfferedMemories(),  # noqa: B008 - frozen
    ) -> Prepared:
        """Prepare the request for an answer below its parent, which may be on a path that is not shown. ``found``: the
        passages of the project's files for its question; ``offered``: the memories that it may carry."""
        assert answer.parent_id is not None  # an answer has a question
        encoding = self._counter.encoding_for(info.id)
        budget = self._budget(frame, info, factor)
        reading = Reading.of(encoding.name, info, budget)
        summary = frame.summary if has_summaries else None
        window = await self._windows.get(frame, reading, budget.counted, lowest=_lowest(frame, summary))
        tail = window.up_to(answer.parent_id)
        if tail is not None:
            pinned = await self._windows.pinned_before(frame, reading, window.first)
        else:
            window = await self._windows.path_to(answer.parent_id, reading, limit=_LONGEST_HIDDEN_PATH)
            tail, pinned, summary = window.whole, [], None
        return self._prepared(
            frame,
            info,
            budget,
            summary,
            tail,
            pinned,
            default_prompt=default_prompt,
            continue_text=answer.text,
            draft=None,
            reading=reading,
            files=await self._attached.enclosed(frame.files, reading),
            found=found,
            offered=offered,
        )

    async def for_draft(
        self,
        frame: ContextFrame,
        info: ModelInfo,
        draft: str,
        *,
        factor: float,
        default_prompt: str,
        has_summaries: bool,
        attachments: Sequence[Attachment] = (),
        offered: OfferedMemories = OfferedMemories(),  # noqa: B008 - frozen
        found: EnclosedPassages | None = None,
    ) -> Prepared:
        """Prepare the request that would be made if ``draft`` were sent now at the end of the shown path."""
        encoding = self._counter.encoding_for(info.id)
        budget = self._budget(frame, info, factor)
        reading = Reading.of(encoding.name, info, budget)
        summary = frame.summary if has_summaries else None
        window = await self._windows.get(frame, reading, budget.counted, lowest=_lowest(frame, summary))
        pinned = await self._windows.pinned_before(frame, reading, window.first)
        return self._prepared(
            frame if has_summaries else replace(frame, stale_summary_id=None),
            info,
            budget,
            summary,
            window.whole,
            pinned,
            default_prompt=default_prompt,
            continue_text="",
            draft=draft,
            reading=reading,
            enclosed=await self._attached.enclosed(attachments, reading),
            files=await self._attached.enclosed(frame.files, reading),
            offered=offered,
            found=found,
        )

    def text_tokens(self, text: str, encoding: str) -> int:
        """Count the tokens of a text that is sent again and again, as a message; it is counted once."""
        if not text.strip():
            return 0
        known = self._texts.get((encoding, text))
        if known is None:
            known = self._counter.count_in(text, encoding) + TOKENS_PER_MESSAGE
            while len(self._texts) >= _MOST_REMEMBERED_TEXTS:
                del self._texts[next(iter(self._texts))]
            self._texts[encoding, text] = known
        return known

    def _budget(self, frame: ContextFrame, info: ModelInfo, factor: float) -> TokenBudget:
        wanted = possible(frame.parameters, info).answer_length
        return TokenBudget.of(info.context_window, answer=wanted or info.largest_answer, factor=factor)

    def _prepared(
        self,
        frame: ContextFrame,
        info: ModelInfo,
        budget: TokenBudget,
        summary: Summary | None,
        tail: Stretch,
        pinned: Sequence[Group],
        *,
        default_prompt: str,
        continue_text: str,
        draft: str | None,
        reading: Reading,
        enclosed: tuple[Enclosed, ...] = (),
        files: tuple[Enclosed, ...] = (),
        found: EnclosedPassages | None = None,
        offered: OfferedMemories,
    ) -> Prepared:
        encoding = self._counter.encoding_for(info.id)
        system_prompt = frame.system_prompt if frame.system_prompt.strip() else default_prompt
        memories = list_within(offered, info.context_window, lambda text: self._counter.count_in(text, encoding.name))
        candidates = Candidates(
            tail,
            pinned,
            system_tokens=self.text_tokens(system_prompt, encoding.name),
            extra_tokens=self._extra_tokens(continue_text, encoding.name, files)
            + self.tokens_found(found, encoding.name),
            memory_tokens=self.text_tokens(memories.text, encoding.name),
            question_tokens=None if draft is None else self._draft_tokens(draft, encoding.name, enclosed),
            summary_tokens=None if summary is None else self.text_tokens(summary_text(summary), encoding.name),
            summarised_to=-1 if summary is None else summary.to_position,
            starts_at=frame.starts_at,
        )
        return Prepared(
            frame,
            info,
            budget,
            select(budget, candidates),
            system_prompt,
            summary,
            candidates,
            draft or "",
            continue_text,
            encoding.name,
            not encoding.is_exact,
            reading,
            enclosed,
            files,
            found,
            memories,
            self.tokens_found(found, encoding.name),
        )

    def tokens_found(self, found: EnclosedPassages | None, encoding: str) -> int:
        """Count the tokens of the passages that go with a question."""
        return self.text_tokens(found.text, encoding) if found is not None else 0

    def _extra_tokens(self, continue_text: str, encoding: str, files: Sequence[Enclosed]) -> int:
        text = self._counter.count_in(continue_text, encoding) if continue_text else 0
        return text + (tokens_of(files) + self.text_tokens(FILES_HEADING, encoding) if files else 0)

    def _draft_tokens(self, draft: str, encoding: str, enclosed: Sequence[Enclosed]) -> int:
        text = self._counter.count_in(draft, encoding) if draft.strip() else 0
        return text + tokens_of(enclosed) + TOKENS_PER_MESSAGE if text or enclosed else 0


def tokens_of(enclosed: Sequence[Enclosed]) -> int:
    """Return the tokens of all attachments of one message together."""
    return sum(each.tokens for each in enclosed)


def _lowest(frame: ContextFrame, summary: Summary | None) -> int:
    """Return the position before which nothing has to be read."""
    return max(frame.starts_at, 0 if summary is None else summary.to_position + 1)
