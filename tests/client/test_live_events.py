"""Following events with both clients, both ways, over connections that are cut: each event arrives once, as it was."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest

from chatdesk.client import AsyncClient, Client, NotFound, Retries
from chatdesk.client.events import (
    KINDS,
    Event,
    Following,
    MessageAdded,
    Resync,
    TextStreamed,
    ThreadCreated,
    UnknownEvent,
    event_of,
)
from chatdesk.client.listening import Way
from chatdesk.core import events as core_events
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.service import forms
from chatdesk.service.declaration import Scope
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


async def follow(client: Client | AsyncClient, take: Take, *, way: Way, thread_id: str | None = None) -> None:
    """Give events to ``take``, on the loop of the test, until it has enough."""
    if isinstance(client, AsyncClient):
        async with client.events(thread_id, way=way) as events:
            async for event in events:
                if take(event):
                    return
        return
    loop = asyncio.get_running_loop()

    async def taken(event: Event) -> bool:
        return take(event)

    def run() -> None:
        with client.events(thread_id, way=way) as events:
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
        found.append(event_of(json.loads(forms.as_json(event_data(event)))))

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
        if isinstance(event, TextStreamed) and isinstance(last, TextStreamed) and event.message_id == last.message_id:
            found[-1] = replace(last, delta=last.delta + event.delta)
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


def test_each_event_of_the_service_has_its_form() -> None:
    of_core = {kind.__name__: {each.name for each in fields(kind)} for kind in journal.KINDS}
    assert {name: {each.name for each in fields(kind)} for name, kind in KINDS.items()} == of_core
    assert all(is_dataclass(getattr(core_events, name)) for name in KINDS)
    assert event_of({"type": "Later", "when": 1}) == UnknownEvent("Later", {"when": 1})


@pytest.mark.parametrize("way", ["websocket", "sse"])
@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_each_event_arrives_once_over_connections_that_are_cut(tmp_path: Path, kind: type, way: Way) -> None:
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
                if isinstance(event, Following):
                    begun.set()
                    return False
                heard.append(event)
                cutter.cut_soon()
                if isinstance(event, TextStreamed):
                    for gate in (next(waiting, None), next(waiting, None)):
                        if gate is not None:
                            gate.set()
                return isinstance(event, ThreadCreated) and event.thread.title == "The end"

            token = world.token(scopes=SCOPES)
            async with client_of(kind, f"http://127.0.0.1:{proxy.port}", token) as client, asyncio.timeout(PATIENCE_S):
                following = asyncio.ensure_future(follow(client, take, way=way))
                await begun.wait()
                assert not all_told
                sent = await world.services.chat.send_message(thread_id, "Tell me a lot")
                for number in range(BATCHES // 2):
                    await world.services.chat.manual_messages.add_note(notes_id, f"note {number}")
                await world.services.chat.turns.wait_for_all()
                await world.services.chat.create_thread(None, "The end")
                await following
            assert (b"Upgrade: websocket" in proxy.faults.record) == (way == "websocket")
            assert proxy.connections > 5

        assert joined(heard) == joined(all_told)
        stored = await world.services.chat.reader.get_message(sent.answer.id)
        streamed = "".join(each.delta for each in heard if isinstance(each, TextStreamed))
        assert streamed == stored.text == "".join(f"{number}.{word} " for number in range(BATCHES) for word in range(5))


@pytest.mark.parametrize("way", ["websocket", "sse"])
@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_whoever_was_away_for_too_long_is_told_to_read_again(tmp_path: Path, kind: type, way: Way) -> None:
    async with served_world(tmp_path) as world:
        async with client_of(kind, world.address.urls[0], world.token()) as client:
            if isinstance(client, AsyncClient):
                async with client.events(after="0123abcd-7", way=way) as events:
                    first = await anext(events)
                    assert events.number.rpartition("-")[0] != "0123abcd"
            else:

                def read() -> Event:
                    with client.events(after="0123abcd-7", way=way) as events:
                        return next(events)

                first = await asyncio.to_thread(read)
        assert first == Resync()


@pytest.mark.parametrize("way", ["websocket", "sse"])
async def test_a_later_time_goes_on_after_the_number(tmp_path: Path, way: Way) -> None:
    async with served_world(tmp_path), AsyncClient(data_dir=tmp_path) as client:
        thread = await client.make_thread("Told")
        async with client.events(thread.id, way=way) as events:
            assert await anext(events) == Following()
            await client.note(thread.id, "heard")
            async for event in events:
                if isinstance(event, MessageAdded):
                    break
            await client.change_thread(thread.id, title="passed over")
            number = events.number
        await client.note(thread.id, "while away")
        async with client.events(thread.id, after=number, way=way) as events:
            texts = [
                event.message.text for event in [await anext(events) for _ in range(4)] if hasattr(event, "message")
            ]
        assert texts[-1:] == ["while away"]
        with pytest.raises(NotFound):
            async with client.events("0190a1b2-0000-7000-8000-000000000000", way=way) as events:
                await anext(events)


async def _until_noted(events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    async for event in events:
        yield event
        if isinstance(event, MessageAdded):
            return


async def test_without_websockets_on_the_way_events_are_sent(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world, AsyncClient(data_dir=tmp_path) as owner:
        thread = await owner.make_thread("Told")

        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"upgrade" in head.lower():
                writer.write(b"HTTP/1.1 501 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            else:
                there, to_there = await asyncio.open_connection("127.0.0.1", world.port)
                to_there.write(head.replace(f":{port}".encode(), f":{world.port}".encode()))
                while piece := await there.read(4096):
                    writer.write(piece)
                to_there.close()
            writer.close()

        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = AsyncClient(f"http://127.0.0.1:{port}", world.token())
        async with server, client, client.events(thread.id) as events:
            assert await anext(events) == Following()
            await owner.note(thread.id, "through")
            texts = [event.message.text async for event in _until_noted(events) if isinstance(event, MessageAdded)]
        assert texts == ["through"]


async def test_without_the_package_websockets_events_are_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served_world(tmp_path) as world:
        monkeypatch.setitem(sys.modules, "websockets", None)
        with tcp_proxy(world.port, is_named_as_target=True) as proxy:
            proxy.faults.record = bytearray()
            async with (
                AsyncClient(f"http://127.0.0.1:{proxy.port}", world.token()) as client,
                client.events() as events,
            ):
                assert await anext(events) == Following()
            assert b"GET /api/v1/events " in proxy.faults.record
