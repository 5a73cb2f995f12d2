"""Holds each token to its own limits: tokens of models in a minute, and money in a day; and remembers its files.

An answer counts once it has ended. What was spent today outlives a restart, in a file beside the token; the files that
a token sent do not, and are sent again. Belongs to the loop of the services.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import OrderedDict, deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from chatdesk.core.clock import Clock
from chatdesk.core.diagnostics.event_log import log_event
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.summary import SummaryStage, SummaryWork
from chatdesk.core.events import AnswerFinished, EventBus, SummaryWorkChanged
from chatdesk.core.local_days import day_number, start_ms
from chatdesk.core.system.file_writing import write_text
from chatdesk.core.system.small_files import read_small_json
from chatdesk.core.texts import cost_text
from chatdesk.service.caller import Caller
from chatdesk.service.errors import TokenLimitReached

_MINUTE_MS: Final = 60_000
_LARGEST_BYTES: Final = 4 * 1024
_MOST_UNKNOWN: Final = 256
_MOST_FILES: Final = 1_000  # of each token


@dataclass(slots=True)
class _Summarising:
    """A summary requested by a token, and its usage counted so far."""

    caller: Caller
    request_id: str
    tokens: int = 0
    cost_usd: float = 0.0


@dataclass(slots=True)
class _Spending:
    """The spending of one token: (moment, tokens) of the last minute, and the money of a day."""

    tokens: deque[tuple[int, int]] = field(default_factory=deque)
    day: int = 0
    cost_usd: float = 0.0


class Allowances:
    """Adds up the spending of each access token, and checks it against the limit of the token."""

    def __init__(self, directory: Path, bus: EventBus, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._spent: dict[str, _Spending] = {}
        self._asked: dict[str, tuple[Caller, str]] = {}
        self._ended: OrderedDict[str, Message] = OrderedDict()  # finished before their caller was recorded
        self._writing = threading.Lock()
        self._writes: set[asyncio.Future[None]] = set()
        self._summaries: dict[str, _Summarising] = {}
        self._files: dict[str, OrderedDict[str, Attachment]] = {}
        self._subscriptions = (
            bus.subscribe(AnswerFinished, lambda event: self._end(event.message)),
            bus.subscribe(SummaryWorkChanged, lambda event: self._count_summary(event.work)),
        )

    async def admit(self, caller: Caller) -> None:
        """Raise ``TokenLimitReached`` if the token has used up its limit."""
        if not caller.tokens_per_minute and not caller.money_per_day:
            return
        if caller.id not in self._spent:
            read = await asyncio.to_thread(self._read, caller.id)
            self._spent.setdefault(caller.id, read)
        spent, now_ms = self._spent[caller.id], self._clock.now_ms()
        while spent.tokens and spent.tokens[0][0] <= now_ms - _MINUTE_MS:
            spent.tokens.popleft()
        if caller.tokens_per_minute and sum(count for _at, count in spent.tokens) >= caller.tokens_per_minute:
            wait_s = (spent.tokens[0][0] + _MINUTE_MS - now_ms) / 1000
            raise TokenLimitReached(f"This token took its {caller.tokens_per_minute:,} tokens of a minute.", wait_s)
        today = day_number(now_ms)
        if caller.money_per_day and spent.day == today and spent.cost_usd >= caller.money_per_day:
            wait_s = (start_ms(today + 1) - now_ms) / 1000
            raise TokenLimitReached(f"This token spent its {cost_text(caller.money_per_day)} of today.", wait_s)

    def follow(self, caller: Caller, answer_id: str, request_id: str) -> None:
        """Count an answer for a token once it has ended, and log its tokens and cost under the id of the request."""
        self._asked[answer_id] = caller, request_id
        ended = self._ended.pop(answer_id, None)
        if ended is not None:
            self._end(ended)

    def follow_summary(self, caller: Caller, thread_id: str, request_id: str) -> None:
        """Count the usage of summarising a thread from here on for a token, and log it under the id of the request."""
        self._summaries[thread_id] = _Summarising(caller, request_id)

    def keep_file(self, caller: Caller, attachment: Attachment) -> None:
        """Remember that a token sent these bytes; beyond 1,000 files its oldest is forgotten."""
        files = self._files.setdefault(caller.id, OrderedDict())
        files[attachment.sha256] = attachment
        files.move_to_end(attachment.sha256)
        if len(files) > _MOST_FILES:
            files.popitem(last=False)

    def file(self, caller: Caller, sha256: str) -> Attachment | None:
        """Return a file that the token itself sent; None for any other."""
        return self._files.get(caller.id, OrderedDict()).get(sha256)

    def record(self, caller: Caller, *, tokens: int, cost_usd: float | None) -> None:
        """Count a finished request. Without a known price only its tokens count."""
        if not caller.tokens_per_minute and not caller.money_per_day:
            return
        spent, now_ms = self._spent.setdefault(caller.id, _Spending()), self._clock.now_ms()
        spent.tokens.append((now_ms, tokens))
        today = day_number(now_ms)
        if spent.day != today:
            spent.day, spent.cost_usd = today, 0.0
        if cost_usd:
            spent.cost_usd += cost_usd
            write = asyncio.ensure_future(asyncio.to_thread(self._write, caller.id, spent))
            self._writes.add(write)
            write.add_done_callback(self._writes.discard)

    async def close(self) -> None:
        """Stop counting, and wait until everything is written."""
        for subscription in self._subscriptions:
            subscription.cancel()
        if self._writes:
            await asyncio.wait(self._writes)

    def _end(self, message: Message) -> None:
        asked = self._asked.pop(message.id, None)
        if asked is None:
            self._ended[message.id] = message
            if len(self._ended) > _MOST_UNKNOWN:
                self._ended.popitem(last=False)
            return
        caller, request_id = asked
        log_event(
            "service_answer",
            id=request_id,
            who=caller.id,
            status=message.status,
            input_tokens=message.prompt_tokens,
            output_tokens=message.completion_tokens,
            cost_usd=message.cost_usd,
        )
        tokens = (message.prompt_tokens or 0) + (message.completion_tokens or 0)
        self.record(caller, tokens=tokens, cost_usd=message.cost_usd)

    def _count_summary(self, work: SummaryWork) -> None:
        asked = self._summaries.get(work.thread_id)
        if asked is None:
            return
        tokens, cost_usd = work.tokens - asked.tokens, (work.cost_usd or 0.0) - asked.cost_usd
        if tokens > 0:
            self.record(asked.caller, tokens=tokens, cost_usd=cost_usd)
        asked.tokens, asked.cost_usd = work.tokens, work.cost_usd or 0.0
        if work.stage in (SummaryStage.MADE, SummaryStage.STOPPED):
            del self._summaries[work.thread_id]
            log_event(
                "service_summary",
                id=asked.request_id,
                who=asked.caller.id,
                status=work.stage,
                tokens=work.tokens,
                cost_usd=work.cost_usd,
            )

    def _read(self, token_id: str) -> _Spending:
        try:
            data: Any = read_small_json(self._path(token_id), _LARGEST_BYTES)
            return _Spending(day=int(data["day"]), cost_usd=float(data["cost_usd"]))
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return _Spending()

    def _write(self, token_id: str, spent: _Spending) -> None:
        with self._writing, suppress(OSError):
            write_text(self._path(token_id), json.dumps({"day": spent.day, "cost_usd": spent.cost_usd}))

    def _path(self, token_id: str) -> Path:
        return self._directory / f"{token_id}.spent"
