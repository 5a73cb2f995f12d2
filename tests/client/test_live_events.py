"""Following events with both clients over connections that are cut: each event arrives once, as it was."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from chatdesk.client import AsyncClient, Client, Event, NotFound, Retries
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.service import forms
from chatdesk.service.caller import Scope
from chatdesk.service.live import journal
from chatdesk.service.live.connection import event_data
from tests.helpers.chat_world import ScriptedProvider, Step
from tests.helpers.local_service import ServedWorld, served_world
from tests.helpers.tcp_proxy import TcpProxy, tcp_proxy

PATIENCE_S = 120
BATCHES = 40
AT_ONCE = Retries(first_s=0.0, connections=1000)
SCOPES = (Scope.READ, Scope.WRITE, Scope.ASK)

Take = Callable[[Event], bool]  # returns True at the last event that is wanted


async def follow(client: Client | AsyncClient, take: Take, thread_id: str | None = None) -> None:
    """Give events to ``take``, on the loop of the test, until it has enough."""
    if isinstance(client, AsyncClient):
        async with client.events(thread_id) as events:
            async for event in events:
                if take(event):
                    return
        return
    loop = asyncio.get_running_loop()

    async def taken(event: Event) -> bool:
        return take(event)

    def run() -> None:
        with client.events(thread_id) as events:
            for event in events:
                if asyncio.run_coroutine_threadsafe(taken(event), loop).result(PATIENCE_S):
                    return

    await asyncio.to_thread(run)


@asynccontextmanager
async def client_of(kind: type, url: str, token: str) -> AsyncIterator[Client | AsyncClient]:
    if kind is Client:
        with Client(url, token, retries=AT_ONCE) as client:
            yield client
    else:
        async with AsyncClient(url, token, retries=AT_ONCE) as client:
            yield client


@contextmanager
def told(world: ServedWorld) -> Iterator[list[Event]]:
    """All that the service could tell during the block."""
    found: list[Event] = []

    def record(event: object) -> None:
        told = json.loads(forms.as_json(event_data(event)))
        found.append(Event(told.pop("type"), told))

    subscriptions = [world.services.events.subscribe(kind, record) for kind in journal.KINDS]
    try:
        yield found
    finally:
        for each in subscriptions:
            each.cancel()


def joined(events: Iterable[Event]) -> list[Event]:
    """The events with the text of one part joined, as it may come in larger pieces or smaller ones."""
    found: list[Event] = []
    for event in events:
        last = found[-1] if found else None
        if last is not None and last.type == event.type == "TextStreamed":
            assert last.fields["message_id"] == event.fields["message_id"]
            found[-1] = Event(last.type, {**last.fields, "delta": last.fields["delta"] + event.fields["delta"]})
        else:
            found.append(event)
    return found


class Cutter:
    """Cuts the connections of a proxy in the middle of what they carry."""

    def __init__(self, proxy: TcpProxy) -> None:
        self._proxy = proxy
        self._chance = random.Random(4711)

    def cut_soon(self) -> None:
        if self._proxy.faults.cut_after is None:
            self._proxy.faults.cut_after = self._chance.randint(1, 1500)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_each_event_arrives_once_over_connections_that_are_cut(tmp_path: Path, kind: type) -> None:
    async with served_world(tmp_path) as world:
        gates = [asyncio.Event() for _ in range(BATCHES)]
        script: list[Step] = []
        for number, gate in enumerate(gates):
            script += [TextDelta(f"{number}.{word} ") for word in range(5)]
            script.append(gate)
        provider = ScriptedProvider()
        provider.will(*script, StreamFinished(FinishReason.STOP))
        world.services.chat.use_providers(ProviderRegistry([provider], "scripted", "small"))
        thread_id = (await world.services.chat.create_thread(None, "Told")).thread.id
        notes_id = (await world.services.chat.create_thread(None, "Notes")).thread.id
        heard: list[Event] = []
        begun, waiting = asyncio.Event(), iter(gates)

        with tcp_proxy(world.port, is_named_as_target=True) as proxy, told(world) as all_told:
            proxy.faults.record = bytearray()
            cutter = Cutter(proxy)

            def take(event: Event) -> bool:
                if event.type == "Following":
                    begun.set()
                    return False
                heard.append(event)
                cutter.cut_soon()
                if event.type == "TextStreamed":
                    for gate in (next(waiting, None), next(waiting, None)):
                        if gate is not None:
                            gate.set()
                return event.type == "ThreadCreated" and event.thread.title == "The end"

            token = world.token(scopes=SCOPES)
            async with client_of(kind, f"http://127.0.0.1:{proxy.port}", token) as client, asyncio.timeout(PATIENCE_S):
                following = asyncio.ensure_future(follow(client, take))
                await begun.wait()
                assert not all_told
                sent = await world.services.chat.send_message(thread_id, "Tell me a lot")
                for number in range(BATCHES // 2):
                    await world.services.chat.manual_messages.add_note(notes_id, f"note {number}")
                await world.services.chat.turns.wait_for_all()
                await world.services.chat.create_thread(None, "The end")
                await following
            assert proxy.connections > 5

        assert joined(heard) == joined(all_told)
        stored = await world.services.chat.reader.get_message(sent.answer.id)
        streamed = "".join(each.fields["delta"] for each in heard if each.type == "TextStreamed")
        assert streamed == stored.text == "".join(f"{number}.{word} " for number in range(BATCHES) for word in range(5))


@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_a_client_that_was_away_too_long_is_told_to_read_again(tmp_path: Path, kind: type) -> None:
    async with served_world(tmp_path) as world:
        async with client_of(kind, world.address.urls[0], world.token()) as client:
            if isinstance(client, AsyncClient):
                async with client.events(after="0123abcd-7") as events:
                    first = await anext(events)
                    assert events.number.rpartition("-")[0] != "0123abcd"
            else:

                def read() -> Event:
                    with client.events(after="0123abcd-7") as events:
                        return next(events)

                first = await asyncio.to_thread(read)
        assert first == Event("Resync", {"messages": []})


async def test_a_later_time_goes_on_after_the_number(tmp_path: Path) -> None:
    async with served_world(tmp_path), AsyncClient(data_dir=tmp_path) as client:
        thread = await client.make_thread("Told")
        async with client.events(thread.id) as events:
            assert await anext(events) == Event("Following", {"messages": []})
            await client.note(thread.id, "heard")
            async for event in events:
                if event.type == "MessageAdded":
                    break
            await client.change_thread(thread.id, title="passed over")
            number = events.number
        await client.note(thread.id, "while away")
        async with client.events(thread.id, after=number) as events:
            heard = [await anext(events) for _ in range(4)]
            texts = [event.message.text for event in heard if "message" in event.fields]
        assert texts[-1:] == ["while away"]
        with pytest.raises(NotFound):
            async with client.events("0190a1b2-0000-7000-8000-000000000000") as events:
                await anext(events)
