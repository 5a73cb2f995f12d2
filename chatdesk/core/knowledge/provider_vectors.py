"""Has the vectors of a project's passages made by a model of a provider, where a person chose one.

The passages without a vector are sent, some dozens in a request, to the chosen server and nowhere else; what was stored
before an end of any kind is not sent again. Until a newly chosen model has all vectors, those of the one before it
answer questions. A question whose vector cannot be had is compared by our own vectors, and ``status`` says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, Protocol

from chatdesk.core.domain.knowledge import Embedding, EmbeddingCost, EmbeddingState, EmbeddingStatus
from chatdesk.core.domain.usage import CHARACTERS_PER_TOKEN
from chatdesk.core.errors import (
    ChatDeskError,
    InvalidInput,
    NotPossible,
    ProviderError,
    ProviderErrorKind,
    StorageError,
)
from chatdesk.core.events import EventBus, ProjectFilesChanged
from chatdesk.core.knowledge.probe_texts import PROBES
from chatdesk.core.storage.knowledge.choices import FileChoices
from chatdesk.core.storage.knowledge.embeddings import EmbeddingRepository, WaitingText
from chatdesk.core.system.background_import import import_beside
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)

TEXTS_A_REQUEST: Final = 64
_MOST_DIMENSIONS: Final = 8_192
_LONGEST_NAME: Final = 200
# A question waits this long for its vector, then our own has to do.
_QUESTION_S: Final = 8.0
# After a question that waited in vain, our own vectors do at once for so long.
_SILENT_S: Final = 60.0
# A server that failed is asked again after the first of these, then after twice as long each time, up to the last.
_FIRST_WAIT_S: Final = 30.0
_LONGEST_WAIT_S: Final = 900.0
# A text that the server does not take is halved down to this.
_SHORTEST: Final = 200
_TOO_LONG: Final = frozenset(
    (ProviderErrorKind.BAD_REQUEST, ProviderErrorKind.CONTEXT_TOO_LONG, ProviderErrorKind.TOO_LARGE)
)


class Embedder(Protocol):
    """Asks providers for vectors, within the person's limits and with a line in the ledger."""

    async def vectors(self, provider: str, model: str, texts: Sequence[str]) -> tuple[bytes, ...]:
        """Return a vector of 32-bit floats for each text. Raises ``ChatDeskError``."""
        ...

    def cost_usd(self, provider: str, model: str, tokens: int) -> float | None:
        """Return the price of so many tokens; None where it is unknown."""
        ...

    def offers(self) -> Sequence[tuple[str, str]]:
        """Return the providers that can be asked, by id and name."""
        ...

    def is_on_this_computer(self, provider: str) -> bool:
        """Return whether the provider's server runs on this computer. Raises ``NotPossible`` for an unknown one."""
        ...


class ProviderVectors:
    """The chosen models of all projects."""

    def __init__(self, repository: EmbeddingRepository, choices: FileChoices, bus: EventBus) -> None:
        self.repository = repository
        self._choices = choices
        self._bus = bus
        self._embedder: Embedder | None = None
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._at_rest = asyncio.Event()
        self._is_closed = False
        self._fallbacks: dict[str, str] = {}
        # By model: when it may be asked again after a failure, and how long to wait after the next one.
        self._not_before: dict[int, float] = {}
        self._wait_s: dict[int, float] = {}
        # Models that were found to be the same since the start, and those that answered as another one would.
        self._known: set[int] = set()
        self._doubted: set[int] = set()
        self._silent_until: dict[str, float] = {}  # by project: its server did not answer a question in time

    def use(self, embedder: Embedder) -> None:
        """Ask by this one from now on."""
        self._embedder = embedder

    async def start(self) -> None:
        """Go on with what was chosen before."""
        if await self.repository.all():
            self.wake()

    def wake(self, *, is_asked: bool = False) -> None:
        """Look for passages without vectors. ``is_asked``: by a person, also where a server failed a moment ago."""
        if is_asked:
            self._not_before.clear()
        self._wake.set()
        self._at_rest.clear()
        if self._task is None and not self._is_closed:
            self._task = asyncio.create_task(self._work(), name="provider-vectors")

    async def wait_until_made(self) -> None:
        """Wait until all vectors that can be made now are made; for commands, which end afterwards."""
        if await self.repository.all() and not self._is_closed:
            self.wake(is_asked=True)
            await self._at_rest.wait()

    async def close(self) -> None:
        """Give up the running request; its texts are sent again after the next start."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def offers(self) -> Sequence[tuple[str, str]]:
        """Return the providers that can be chosen, by id and name."""
        return self._embedder.offers() if self._embedder is not None else ()

    async def cost(self, project_id: str, provider: str, model: str) -> EmbeddingCost:
        """Return the cost of embedding all passages of a project; nothing is sent. Raises ``NotPossible``."""
        is_near = self._ready.is_on_this_computer(provider)
        passages, characters = await self.repository.size(project_id)
        tokens = -(-characters // CHARACTERS_PER_TOKEN)
        usd = self._ready.cost_usd(provider, model, tokens)
        requests = -(-passages // TEXTS_A_REQUEST)
        label = dict(self.offers()).get(provider, provider)
        return EmbeddingCost(label, model, passages, tokens, requests, usd, is_near)

    async def choose(self, project_id: str, provider: str, model: str) -> None:
        """Have the passages of a project embedded by a model from now on. The server is tried first with texts of ours.
        Raises ``InvalidInput``, ``ProviderError`` and what ``Embedder.vectors`` raises; nothing is changed then."""
        model = model.strip()
        if not model or len(model) > _LONGEST_NAME or not model.isprintable():
            raise InvalidInput(Text("Name the model for embeddings."), safe=Text("Nothing was changed."), next_step="")
        if provider in await self._choices.denied(project_id):
            raise NotPossible(
                Text("The files of this project are never sent to this provider."),
                safe=Text("Nothing was changed."),
                next_step=Text("Let it have them first, or choose another provider."),
            )
        current = await self.repository.status(project_id)
        newest = current.wanted or current.answering
        if newest is not None and (newest.provider, newest.model) == (provider, model):
            self.wake(is_asked=True)
            return
        if current.answering is not None and (current.answering.provider, current.answering.model) == (provider, model):
            await self.repository.leave(project_id, EmbeddingState.WANTED)
        else:
            await self.repository.want(await self._probed(project_id, provider, model))
        self.wake(is_asked=True)
        self._changed(project_id)

    async def use_own(self, project_id: str) -> None:
        """Go back to our own vectors at once; those of providers are removed, and nothing is sent any more."""
        await self.repository.leave(project_id, EmbeddingState.WANTED, EmbeddingState.ANSWERING)
        self._fallbacks.pop(project_id, None)
        self.wake()
        self._changed(project_id)

    async def deny(self, project_id: str, provider: str, *, is_denied: bool) -> None:
        """Never send the files of a project to a provider, or send them again. Where its model makes the vectors, our
        own take over at once. Raises ``NotFound``, ``StorageError``."""
        await self._choices.deny(project_id, provider, is_denied=is_denied)
        models = [each.provider for each in await self.repository.all(project_id)]
        if is_denied and provider in models:
            await self.use_own(project_id)
        self._changed(project_id)

    async def status(self, project_id: str) -> EmbeddingStatus:
        """Return which models make the vectors of a project, and how far they are."""
        found = await self.repository.status(project_id)
        return replace(found, fallback=self._fallbacks.get(project_id, "") if found.answering is not None else "")

    async def of_question(self, project_id: str, question: str) -> tuple[Embedding, bytes] | None:
        """Return the model that answers questions of a project with its vector of this one; None where our own vectors
        have to do, because no other was chosen or its server fails."""
        answering = next(
            (each for each in await self.repository.all(project_id) if each.state is EmbeddingState.ANSWERING), None
        )
        if answering is None or not question.strip() or self._embedder is None:
            return None
        now = asyncio.get_running_loop().time()
        if now < self._silent_until.get(project_id, 0.0):
            return None
        before = self._fallbacks.pop(project_id, "")
        try:
            async with asyncio.timeout(_QUESTION_S):
                (vector,) = await self._ready.vectors(answering.provider, answering.model, [question])
            if len(vector) != 4 * answering.dimensions:
                raise self._other_size(answering, len(vector) // 4)
        except TimeoutError:
            self._silent_until[project_id] = now + _SILENT_S
            problem = str(Text("“{model}” did not answer in time.", model=answering.model))
        except ChatDeskError as error:
            problem = error.what
        else:
            if before:
                self._changed(project_id)
            return answering, vector
        self._fallbacks[project_id] = problem
        if problem != before:
            self._changed(project_id)
        return None

    # Inside

    def _changed(self, project_id: str) -> None:
        self._bus.publish(ProjectFilesChanged(project_id))

    @property
    def _ready(self) -> Embedder:
        if self._embedder is None:
            raise NotPossible(Text("No provider can be asked here."), safe=Text("Nothing was changed."), next_step="")
        return self._embedder

    async def _probed(self, project_id: str, provider: str, model: str) -> Embedding:
        """Return the model as its vectors of our own texts show it."""
        made = await self._ready.vectors(provider, model, PROBES)
        dimensions = len(made[0]) // 4
        vectors = await import_beside("chatdesk.core.knowledge.word_vectors")
        refusal = NotPossible(
            Text("The vectors of “{model}” cannot be used.", model=model),
            safe=Text("Nothing was changed."),
            next_step="",
        )
        if not 0 < dimensions <= _MOST_DIMENSIONS:
            raise refusal
        try:
            rows = await asyncio.to_thread(vectors.stored_rows, made, dimensions)
            farthest = await asyncio.to_thread(vectors.farthest_related, made, dimensions)
        except ValueError as error:
            raise refusal from error
        if not all(any(vector) for _, vector in rows):
            raise refusal
        return Embedding(0, project_id, provider, model, dimensions, farthest, rows[0][1])

    async def _work(self) -> None:
        while not self._is_closed:
            self._wake.clear()
            try:
                while await self.repository.forget_left():
                    pass
                for each in await self.repository.all():
                    if each.state is not EmbeddingState.LEAVING and not self._is_waiting(each):
                        await self._bring_up_to_date(each)
            except StorageError as error:
                _log.warning("vectors of a provider cannot be stored: %s", error.what)
                asyncio.get_running_loop().call_later(_FIRST_WAIT_S, self._wake.set)
            if not self._wake.is_set():
                self._at_rest.set()
            await self._wake.wait()

    def _is_waiting(self, embedding: Embedding) -> bool:
        return asyncio.get_running_loop().time() < self._not_before.get(embedding.id, 0.0)

    async def _bring_up_to_date(self, embedding: Embedding) -> None:
        try:
            await self._make(embedding)
        except StorageError:
            raise
        except ChatDeskError as error:
            asked_for_s = error.retry_after_s or 0.0 if isinstance(error, ProviderError) else 0.0
            wait_s = max(self._wait_s.get(embedding.id, _FIRST_WAIT_S), asked_for_s)
            self._wait_s[embedding.id] = min(2 * wait_s, _LONGEST_WAIT_S)
            loop = asyncio.get_running_loop()
            self._not_before[embedding.id] = loop.time() + wait_s
            loop.call_later(wait_s + 0.1, self._wake.set)
            problem = error.what
        else:
            self._wait_s.pop(embedding.id, None)
            problem = ""
        if problem != embedding.problem:
            await self.repository.say(embedding.id, problem)
            self._changed(embedding.project_id)

    async def _make(self, embedding: Embedding) -> None:
        """Make the vectors that are missing, and answer with them once there are all."""
        after = 0
        if embedding.id in self._doubted and not await self._is_same(embedding):
            return
        while texts := await self.repository.waiting(embedding, after, TEXTS_A_REQUEST, paused_too=False):
            if embedding.id not in self._known and not await self._is_same(embedding):
                return
            vectors = await import_beside("chatdesk.core.knowledge.word_vectors")
            sent = await self._sent(embedding, [_meant(each) for each in texts])
            rows = await asyncio.to_thread(_rows, vectors.stored_rows, sent, embedding.dimensions)
            if not await self.repository.keep(embedding, texts, rows):
                return
            after = texts[-1].n
            self._changed(embedding.project_id)
        if embedding.state is not EmbeddingState.WANTED:
            return
        passages, _ = await self.repository.size(embedding.project_id)
        if passages and not await self.repository.waiting(embedding, 0, 1, paused_too=True):
            await self.repository.answer_with(embedding)
            self._changed(embedding.project_id)
            self._wake.set()  # the one before it leaves

    async def _is_same(self, embedding: Embedding) -> bool:
        """Return whether the server still has the model whose vectors are stored. Where it has another one under the
        same name, all vectors are made anew."""
        vectors = await import_beside("chatdesk.core.knowledge.word_vectors")
        (probe,) = await self._ready.vectors(embedding.provider, embedding.model, PROBES[:1])
        self._doubted.discard(embedding.id)
        if await asyncio.to_thread(vectors.is_same, probe, embedding.probe):
            self._known.add(embedding.id)
            return True
        # Questions would be compared with what another model made, so our own vectors answer until all is made anew.
        await self.repository.leave(embedding.project_id, embedding.state)
        fresh = await self._probed(embedding.project_id, embedding.provider, embedding.model)
        self._known.add((await self.repository.want(fresh)).id)
        self._wake.set()
        self._changed(embedding.project_id)
        return False

    async def _sent(self, embedding: Embedding, texts: Sequence[str]) -> tuple[bytes, ...]:
        """Return the vectors of texts. Those that the server does not take are sent in smaller requests and shorter;
        one that it never takes has an empty vector."""
        try:
            made = await self._ready.vectors(embedding.provider, embedding.model, texts)
        except ProviderError as error:
            if error.kind not in _TOO_LONG:
                raise
            if len(texts) > 1:
                half = len(texts) // 2
                return await self._sent(embedding, texts[:half]) + await self._sent(embedding, texts[half:])
            if len(texts[0]) > _SHORTEST:
                return await self._sent(embedding, [texts[0][: len(texts[0]) // 2]])
            await self._ready.vectors(embedding.provider, embedding.model, PROBES[:1])  # fails where it is the server
            return (b"",)
        if any(len(each) != 4 * embedding.dimensions for each in made):
            raise self._other_size(embedding, len(made[0]) // 4)
        return made

    def _other_size(self, embedding: Embedding, found: int) -> NotPossible:
        """Return the failure of a model whose vectors have another size now; it is probed before it is asked again."""
        self._doubted.add(embedding.id)
        self._wake.set()
        return NotPossible(
            Text(
                "The vectors of “{model}” have {found} numbers now, and had {known}.",
                model=embedding.model,
                found=found,
                known=embedding.dimensions,
            ),
            next_step="",
        )


def _rows(
    stored_rows: Callable[[Sequence[bytes], int], list[tuple[bytes, bytes]]], sent: Sequence[bytes], dimensions: int
) -> list[tuple[bytes, bytes]]:
    rows = iter(stored_rows([each for each in sent if each], dimensions))
    return [next(rows) if each else (b"", b"") for each in sent]


def _meant(text: WaitingText) -> str:
    """Return the text that is sent for a passage: its subject often stands in its heading alone."""
    return f"{text.heading}\n{text.text}" if text.heading else text.text
