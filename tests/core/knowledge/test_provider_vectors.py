"""Tests vectors that a provider's model makes, with a real server: what is sent, when, and what answers meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatdesk.core.domain.knowledge import EmbeddingStatus, SourceKind
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.errors import ChatDeskError, InvalidInput, NotPossible
from chatdesk.core.events import EventBus
from chatdesk.core.knowledge import provider_vectors
from chatdesk.core.knowledge.knowledge_service import KnowledgeService
from chatdesk.core.knowledge.provider_vectors import PROBES
from chatdesk.core.paths import AppPaths, encodings_dir
from chatdesk.core.providers.accounts import Account
from chatdesk.core.providers.base import EmbeddingRequest
from chatdesk.core.providers.registry import ProviderRegistry, provider_of
from chatdesk.core.providers.retry import RetryPolicy
from tests.helpers.embedding_server import Sent, embeds
from tests.helpers.fault_server import Exchange, FaultServer, Script, status
from tests.helpers.store import MovableClock, Store
from tests.helpers.waiting import until

_TEXTS_A_REQUEST = 4
_FILES = 3 * _TEXTS_A_REQUEST
_QUESTION = "urlaub"  # the server's vectors alone know what it means
_RIGHT = "007.txt"


@dataclass
class Embedder:
    registry: ProviderRegistry

    async def vectors(self, provider: str, model: str, texts: Sequence[str]) -> tuple[bytes, ...]:
        return (await self.registry.get(provider).embed(EmbeddingRequest(model, texts))).vectors

    def cost_usd(self, _provider: str, model: str, tokens: int) -> float | None:
        return tokens * 2e-8 if model == "priced" else None

    def offers(self) -> list[tuple[str, str]]:
        return [(each.name, each.label) for each in self.registry.all()]

    def is_on_this_computer(self, provider: str) -> bool:
        self.registry.get(provider)
        return True


@dataclass
class World:
    store: Store
    service: KnowledgeService
    project_id: str
    folder: Path
    sent: Sent
    server: FaultServer

    async def end(self) -> None:
        await self.service.close()
        await self.store.db.close()

    async def choose(self, model: str = "a") -> None:
        await self.service.embeddings.choose(self.project_id, "team", model)

    async def chosen(self, model: str = "a") -> None:
        await self.choose(model)
        await self.made()

    async def made(self) -> None:
        await self.service.embeddings.wait_until_made()

    async def status(self) -> EmbeddingStatus:
        return await self.service.embeddings.status(self.project_id)

    async def answering(self) -> str:
        found = (await self.status()).answering
        return found.model if found is not None else "own"

    async def first(self, question: str = _QUESTION) -> str:
        found = await self.service.search(self.project_id, question, limit=1)
        return found[0].file.path if found else ""

    def tables(self, statement: str) -> list[tuple[object, ...]]:
        return self.store.db.read_now(lambda conn: [tuple(row) for row in conn.exec_driver_sql(statement)])


@asynccontextmanager
async def opened(tmp_path: Path, server: FaultServer) -> AsyncIterator[World]:
    store = Store(tmp_path / "data" / "chatdesk.db", MovableClock())
    await store.db.open()
    folder = tmp_path / "files"
    folder.mkdir(exist_ok=True)
    paths = AppPaths.find(str(tmp_path / "data"))

    def no_pages() -> object:
        raise AssertionError("no page is read")

    service = KnowledgeService(store.db, paths, EventBus(), vectors_dir=encodings_dir(), make_pages=no_pages)  # type: ignore[arg-type]
    account = Account(ProviderProfile("team", "other", "Team", server.base_url))
    provider = provider_of(account, retry=RetryPolicy(longest_wait_s=0.02, first_wait_s=0.01))
    service.embeddings.use(Embedder(ProviderRegistry([provider], "team", "m")))
    project = next((each for each in await store.projects.list() if each.name == "Files"), None)
    project = project or await store.projects.create("Files", "#5B7DB1")
    try:
        yield World(store, service, project.id, folder, Sent(server, PROBES), server)
    finally:
        await service.close()
        await provider.close()
        await store.db.close()


@pytest.fixture(autouse=True)
def small_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_vectors, "TEXTS_A_REQUEST", _TEXTS_A_REQUEST)


@pytest.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer(embeds()) as made:
        yield made


@pytest.fixture
async def world(tmp_path: Path, server: FaultServer) -> AsyncIterator[World]:
    """A project whose files are read, all different; one has what is asked for."""
    async with opened(tmp_path, server) as made:
        for number in range(_FILES):
            text = (
                "Thirty days of holiday a year." if number == 7 else f"Number {number} tells of thing{number:03} only."
            )
            (made.folder / f"{number:03}.txt").write_text(text)
        await made.service.add(made.project_id, SourceKind.FOLDER, str(made.folder))
        await made.service.wait_until_read()
        yield made


async def test_a_chosen_model_answers_once_it_has_all_vectors_and_ours_are_back_at_once(world: World) -> None:
    cost = await world.service.embeddings.cost(world.project_id, "team", "priced")
    assert (cost.texts, cost.requests, cost.is_on_this_computer) == (_FILES, 3, True)
    assert cost.usd == pytest.approx(cost.tokens * 2e-8) and cost.tokens > _FILES
    assert (await world.service.embeddings.cost(world.project_id, "team", "other")).usd is None
    await world.first()
    assert world.server.requests == []

    await world.chosen()
    assert await world.answering() == "a" and (await world.status()).missing == 0
    sent = world.sent.texts()
    assert len(sent) == len(set(sent)) == _FILES
    world.sent.forget()
    assert await world.first() == _RIGHT
    assert world.sent.texts() == [_QUESTION]
    (world.folder / "new.txt").write_text("An automobile with four wheels.")
    await world.service.wait_until_read()
    assert await world.first("car") == "new.txt"
    assert world.sent.texts() == [_QUESTION, "An automobile with four wheels.", "car"]

    world.sent.forget()
    await world.service.embeddings.use_own(world.project_id)
    assert await world.answering() == "own" and await world.first("thing009") == "009.txt"
    await until(lambda: world.tables("SELECT count(*) FROM knowledge_vectors") == [(0,)])
    (world.folder / "more.txt").write_text("This stays here.")
    await world.service.wait_until_read()
    assert world.server.requests[world.sent.since :] == []


async def test_the_old_vectors_answer_until_the_new_ones_are_complete(world: World) -> None:
    await world.chosen("a")
    calls = 0

    async def second_request_fails(exchange: Exchange) -> None:
        nonlocal calls
        asked = exchange.request.json
        calls += asked["model"] == "b" and asked["input"][0] not in PROBES
        await (status(500) if calls > 1 and asked["model"] == "b" else embeds(dimensions=96))(exchange)

    async def by_model(exchange: Exchange) -> None:
        await (second_request_fails if exchange.request.json["model"] == "b" else embeds())(exchange)

    world.server.play(by_model)
    await world.chosen("b")
    state = await world.status()
    assert state.answering is not None and state.answering.model == "a"
    assert state.wanted is not None and state.wanted.model == "b" and state.wanted.problem
    assert (state.passages, state.missing) == (_FILES, _FILES - _TEXTS_A_REQUEST)
    assert await world.first() == _RIGHT

    world.sent.forget()
    world.server.play(embeds(dimensions=96))
    await world.made()
    assert await world.answering() == "b" and await world.first() == _RIGHT
    assert len(world.sent.texts(model="b")) == _FILES - _TEXTS_A_REQUEST + 1  # nothing twice, and the question
    await until(lambda: world.tables("SELECT DISTINCT model FROM knowledge_embeddings") == [("b",)])
    assert world.tables("SELECT count(*) FROM knowledge_vectors") == [(_FILES,)]


def _without_last(rows: list[dict[str, object]]) -> object:
    return rows[:-1]


def _not_finite(rows: list[dict[str, object]]) -> object:
    return [{**row, "embedding": [float("nan")] * 256} for row in rows]


async def _reset(exchange: Exchange) -> None:
    exchange.reset()


_HTML = "<!doctype html><title>Sign in</title>"
_FAULTS: dict[str, Script] = {
    "429": status(429, {"error": {"message": "slow down"}}),
    "429, later": status(429, headers=[("retry-after", "120")]),
    "500": status(500),
    "401": status(401),
    "404": status(404, {"error": {"message": "no such model"}}),
    "400 to everything": status(400, {"error": {"message": "no"}}),
    "a page instead of JSON": status(200, _HTML, content_type="text/html"),
    "empty": status(200, ""),
    "not a number": embeds(change=_not_finite),
    "fewer vectors than texts": embeds(change=_without_last),
    "an index twice": embeds(change=lambda rows: [{**row, "index": 0} for row in rows]),
    "no list": embeds(change=lambda _rows: "none"),
    "a reset": _reset,
}


@pytest.mark.parametrize("fault", _FAULTS)
async def test_a_fault_while_vectors_are_made_is_said_and_nothing_is_lost_or_stored(world: World, fault: str) -> None:
    await world.choose()
    world.server.play(_FAULTS[fault])
    await world.made()
    state = await world.status()
    kept = state.passages - state.missing
    assert state.answering is None and state.wanted is not None and state.wanted.problem
    assert kept in (0, _TEXTS_A_REQUEST)  # the first request may have been faster
    assert await world.first("thing009") == "009.txt"
    world.server.play(embeds())
    await world.made()
    state = await world.status()
    assert await world.answering() == "a" and not state.missing
    assert state.answering is not None and not state.answering.problem
    assert await world.first() == _RIGHT


async def test_a_question_without_a_vector_is_compared_by_our_own_and_that_is_said(world: World) -> None:
    await world.chosen()
    for fault, script in _FAULTS.items():
        world.server.play(script)
        assert await world.first("thing009") == "009.txt", fault
        found = await world.status()
        # With one text, an index that is 0 each time is no fault.
        assert bool(found.fallback) == (fault != "an index twice") and found.answering is not None, fault
        world.server.play(embeds())
        assert await world.first() == _RIGHT, fault
        assert not (await world.status()).fallback, fault
    await world.server.go_away()
    assert await world.first("thing009") == "009.txt" and (await world.status()).fallback
    await world.server.come_back()
    assert await world.first() == _RIGHT and not (await world.status()).fallback


async def test_a_model_that_fails_when_it_is_chosen_changes_nothing(world: World) -> None:
    for fault, script in _FAULTS.items():
        world.server.play(script)
        with pytest.raises(ChatDeskError):
            await world.choose()
        assert await world.status() == EmbeddingStatus(), fault
    assert world.sent.texts() == []  # it was tried with our own texts
    assert await world.first("thing009") == "009.txt"


async def test_vectors_of_another_size_are_made_anew_while_our_own_answer(world: World) -> None:
    await world.chosen()
    world.server.play(embeds(dimensions=32))
    assert await world.first("thing009") == "009.txt" and (await world.status()).fallback
    await world.made()
    assert await world.answering() == "a" and await world.first() == _RIGHT
    assert world.tables("SELECT DISTINCT length(vector) FROM knowledge_vectors") == [(32,)]


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 1_000])
async def test_a_name_that_no_model_has_is_refused(world: World, name: str) -> None:
    with pytest.raises(InvalidInput):
        await world.choose(name)
    assert world.server.requests == []


@pytest.mark.parametrize("is_packed", [True, False])
@pytest.mark.parametrize("is_turned", [True, False])
async def test_vectors_come_in_any_form_and_order(world: World, is_packed: bool, is_turned: bool) -> None:
    world.server.play(embeds(is_packed=is_packed, is_turned=is_turned, dimensions=70))
    await world.chosen()
    assert await world.first() == _RIGHT


async def test_texts_that_are_too_long_go_shorter_and_one_that_is_refused_goes_without(world: World) -> None:
    (world.folder / "long.txt").write_text("Ein Automobil. " * 40 + "\n")
    world.server.play(embeds(longest=100))
    await world.service.wait_until_read()
    await world.chosen()
    assert await world.answering() == "a" and await world.first() == _RIGHT
    assert world.tables("SELECT count(*) FROM knowledge_vectors WHERE length(vector) = 0") == [(1,)]
    assert await world.first("automobil") == "long.txt"


async def test_another_model_under_the_same_name_makes_all_anew(tmp_path: Path, world: World) -> None:
    await world.chosen()
    await world.end()
    async with opened(tmp_path, world.server) as again:
        again.server.play(embeds(really="quite another"))
        (again.folder / "new.txt").write_text("An automobile with four wheels.")
        await again.service.wait_until_read()
        assert await again.answering() == "a" and not (await again.status()).missing
        assert len(again.sent.texts()) >= 2 * (_FILES + 1) - 1
        assert await again.first() == _RIGHT and await again.first("car") == "new.txt"


async def test_what_a_paused_source_has_is_not_sent_and_the_swap_waits(world: World) -> None:
    (source,) = await world.service.repository.sources(world.project_id)
    await world.service.pause(source.id, is_paused=True)
    await world.chosen()
    assert world.sent.texts() == [] and await world.answering() == "own"
    await world.service.pause(source.id, is_paused=False)
    await world.service.wait_until_read()
    assert await world.answering() == "a" and len(world.sent.texts()) == _FILES


async def test_an_end_in_the_middle_goes_on_and_sends_nothing_twice(tmp_path: Path, world: World) -> None:
    async def hangs_at_third(exchange: Exchange) -> None:
        stored = len(set(world.sent.texts()))
        await (embeds() if stored < _FILES else Exchange.hang)(exchange)

    await world.service.embeddings.wait_until_made()
    world.server.play(hangs_at_third)
    await world.choose()
    await until(lambda: len(world.sent.texts()) == _FILES)
    await world.end()
    async with opened(tmp_path, world.server) as again:
        again.server.play(embeds())
        state = await again.status()
        assert state.answering is None and state.missing == _TEXTS_A_REQUEST
        await again.service.start()
        await again.service.wait_until_read()
        assert await again.answering() == "a" and await again.first() == _RIGHT
        assert len(again.sent.texts()) == _FILES + _TEXTS_A_REQUEST + 1  # the last request once more, and the question


async def test_a_deleted_file_is_gone_from_the_vectors_and_a_changed_one_has_new_ones(world: World) -> None:
    await world.chosen()
    (world.folder / _RIGHT).unlink()
    (world.folder / "008.txt").write_text("Now this has the holiday.")
    await world.service.wait_until_read()
    assert await world.first() == "008.txt"
    counts = world.tables("SELECT (SELECT count(*) FROM knowledge_vectors), (SELECT count(*) FROM knowledge_passages)")
    assert counts == [(_FILES - 1, _FILES - 1)]


@pytest.mark.parametrize("column", ["signs", "vector"])
@pytest.mark.parametrize("value", ["x''", "x'00'", "'text'", "7", "1.5"])
async def test_a_damaged_vector_costs_only_its_own_passage(world: World, column: str, value: str) -> None:
    await world.chosen()
    world.store.db.write_now(
        lambda conn: conn.exec_driver_sql(f"UPDATE knowledge_vectors SET {column} = {value} WHERE n % 2")
    )
    world.service.embeddings.repository.revision += 1
    assert await world.first("thing009") == "009.txt" and await world.first("thing010") == "010.txt"


async def test_a_provider_that_never_gets_the_files_is_sent_no_passage_whoever_shared_it(world: World) -> None:
    await world.service.embeddings.deny(world.project_id, "team", is_denied=True)
    with pytest.raises(NotPossible):
        await world.choose()
    assert world.sent.texts() == [] and await world.answering() == "own"
    await world.service.embeddings.deny(world.project_id, "team", is_denied=False)
    await world.chosen()
    await world.service.embeddings.deny(world.project_id, "team", is_denied=True)
    before = len(world.sent.texts())
    (world.folder / "new.txt").write_text("Something that came later.")
    await world.service.wait_until_read()
    assert len(world.sent.texts()) == before and await world.answering() == "own"
