"""Learns a model's correction factor for estimates of tokens, and stores counts, both in the background."""

from __future__ import annotations

from collections.abc import Callable

from chatdesk.core.chat.task_set import TaskSet
from chatdesk.core.context.assembler import Prepared
from chatdesk.core.context.tokens import TokenEncoding
from chatdesk.core.domain.message import Message
from chatdesk.core.errors import StorageError
from chatdesk.core.storage.chat.token_counts import TokenCountRepository

# Until a model has reported anything: other encodings rarely need more than this for the same text.
_UNLEARNT_FACTOR = 1.15
_MOST_EXPECTED = 64


class TokenLearning:
    """The learnt factors of one service, on its loop."""

    def __init__(self, token_counts: TokenCountRepository, tasks: TaskSet, on_learnt: Callable[[], None]) -> None:
        self._token_counts = token_counts
        self._tasks = tasks
        self._on_learnt = on_learnt
        self._factors: dict[tuple[str, str], float] = {}
        self._expected: dict[str, Prepared] = {}

    def store(self, encoding: str, counts: dict[str, int]) -> None:
        """Store counts in the background."""
        self._tasks.start(self._store(encoding, counts), "store token counts")

    async def factor(self, provider: str, model: str, encoding: TokenEncoding) -> float:
        """Return how many tokens the model counts for each one counted in this encoding."""
        if encoding.is_exact:
            return 1.0
        known = self._factors.get((provider, model))
        if known is None:
            known = await self._token_counts.factor(provider, model) or _UNLEARNT_FACTOR
            self._factors[provider, model] = known
        return known

    def expect(self, answer_id: str, prepared: Prepared) -> None:
        """Remember the count of a request, to compare it with what its answer will report."""
        if prepared.is_estimate:
            while len(self._expected) >= _MOST_EXPECTED:
                del self._expected[next(iter(self._expected))]
            self._expected[answer_id] = prepared

    def learn_from(self, answer: Message) -> None:
        """Compare a finished answer with the remembered count of its request, in the background."""
        prepared = self._expected.pop(answer.id, None)
        if prepared is not None:
            self._tasks.start(self._learn(answer, prepared), f"learn from {answer.id}")

    async def _learn(self, answer: Message, prepared: Prepared) -> None:
        try:
            factor = await self._token_counts.learn(answer.id, prepared.counted_tokens)
        except StorageError:
            return  # it was only a guess
        if factor is not None and answer.provider is not None:
            self._factors[answer.provider, prepared.info.id] = factor
            self._on_learnt()

    async def _store(self, encoding: str, counts: dict[str, int]) -> None:
        try:
            await self._token_counts.store(encoding, counts)
        except StorageError:
            return  # counted again the next time
