"""Clients of a service that is killed in the middle of an answer and of writes, and starts again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chatdesk.client import Answer, AsyncClient, Client, Event, Message, Retries
from tests.helpers.served_process import ServedProcess, serving

PATIENCE_S = 120
PATIENT = Retries(attempts=500, first_s=0.02, longest_s=0.2, connections=500)
NOTES = [f"note {number}" for number in range(60)]


class Mirror:
    """The messages of a thread as somebody shows them who reads once, and again at each ``Resync``."""

    def __init__(self) -> None:
        self.messages: dict[str, Message] = {}
        self.resyncs = 0
        self.streamed = ""

    def read(self, messages: list[Message]) -> None:
        self.messages = {each.id: each for each in messages}

    def take(self, event: Event) -> None:
        match event:
            case Event("MessageAdded" | "MessageChanged" | "AnswerFinished"):
                self.messages[event.message.id] = event.message
            case Event("TextStreamed", {"delta": delta}):
                self.streamed += delta
            case Event("Resync"):
                self.resyncs += 1

    def has(self, text: str) -> bool:
        return any(each.text == text for each in self.messages.values())


class Killed:
    """A served process that can be killed, after which another one starts."""

    def __init__(self, data_dir: Path, stack: ExitStack) -> None:
        self._data_dir = data_dir
        self._stack = stack
        self._service = self._start()

    def kill_and_start(self) -> None:
        self._service.process.kill()
        self._service.process.wait()
        self._service = self._start()

    def _start(self) -> ServedProcess:
        return self._stack.enter_context(serving(self._data_dir))


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Killed]:
    monkeypatch.setenv("CHATDESK_OFFLINE_SPEED_TOKENS_PER_S", "40")
    monkeypatch.setenv("CHATDESK_MODEL_TITLES", "false")
    for name in ("CHATDESK_URL", "CHATDESK_TOKEN"):
        monkeypatch.setenv(name, "")
    with ExitStack() as stack:
        yield Killed(tmp_path, stack)


def test_a_client_mirrors_a_thread_over_a_kill(killed: Killed, tmp_path: Path) -> None:
    with (
        Client(data_dir=tmp_path, retries=PATIENT) as chatdesk,
        ThreadPoolExecutor(2) as pool,
        chatdesk.events() as events,
    ):
        next(events)
        thread_id = chatdesk.make_thread("Told").id
        mirror = Mirror()
        mirror.read(list(chatdesk.history(thread_id)))
        answer = chatdesk.ask(thread_id, "A question whose answer takes a while")
        pieces = pool.submit(_pieces_of, answer)
        for event in events:
            mirror.take(event)
            if mirror.streamed.count(" ") > 5:
                break
        killed.kill_and_start()
        noting = pool.submit(chatdesk.note, thread_id, "afterwards")
        for event in events:
            mirror.take(event)
            if event.type == "Resync":
                mirror.read(list(chatdesk.history(thread_id)))
            if mirror.has("afterwards"):
                break
        noting.result(PATIENCE_S)

        assert mirror.resyncs == 1
        shown = {each.id: each for each in chatdesk.history(thread_id)}
        assert mirror.messages == shown
        assert "".join(pieces.result(PATIENCE_S)).startswith(answer.text)
        assert answer.message == shown[answer.message.id]
        assert answer.message.status == "interrupted"
        assert [each.text for each in shown.values()] == ["afterwards", answer.text, answer.question.text]


def _pieces_of(answer: Answer) -> list[str]:
    return list(answer)


@dataclass
class Heard:
    """The notes that a client heard of, on a thread of its own; ``count`` grows with each."""

    texts: dict[str, str] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, messages: Iterable[Message]) -> None:
        with self.changed:
            self.texts |= {each.id: each.text for each in messages}
            self.changed.notify_all()

    def wait_for(self, share: float) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.texts) >= share * len(NOTES), PATIENCE_S)


def test_notes_are_written_and_heard_once_over_kills(killed: Killed, tmp_path: Path) -> None:
    heard = Heard()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: asyncio.run(_write_and_follow(tmp_path, heard)))
        for share in (0.3, 0.6):
            heard.wait_for(share)
            killed.kill_and_start()
        stored = running.result(PATIENCE_S)
    assert [each.text for each in stored] == NOTES
    assert heard.texts == {each.id: each.text for each in stored}


async def _write_and_follow(data_dir: Path, heard: Heard) -> tuple[Message, ...]:
    async with AsyncClient(data_dir=data_dir, retries=PATIENT) as chatdesk:
        thread_id = (await chatdesk.make_thread("Notes")).id

        async def write() -> None:
            for text in NOTES:
                await chatdesk.note(thread_id, text)

        async with chatdesk.events(thread_id) as events:
            await anext(events)
            writing, told = asyncio.ensure_future(write()), set[str]()
            async for event in events:
                match event:
                    case Event("MessageAdded"):
                        assert event.message.id not in told
                        told.add(event.message.id)
                        heard.add([event.message])
                    case Event("Resync"):
                        heard.add((await chatdesk.messages(thread_id, limit=200)).messages)
                if len(heard.texts) == len(NOTES):
                    break
            await writing
        return (await chatdesk.messages(thread_id, limit=200)).messages
