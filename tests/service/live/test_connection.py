"""WebSockets and server-sent events of a real service: order, acknowledgements, resuming, limits and attacks."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sqlite3
from contextlib import aclosing, closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode

from chatdesk.core import events
from chatdesk.core.domain.message import Status
from chatdesk.core.domain.sharing.team import SyncPhase, SyncStatus
from chatdesk.core.domain.summary import SummaryStage, SummaryWork
from chatdesk.core.domain.waiting import WaitingAnswer
from chatdesk.core.events import PathChanged, SummaryFailed
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.service.caller import Scope
from chatdesk.service.gate import RequestLimits
from chatdesk.service.live.journal import KINDS, EventJournal
from chatdesk.service.live.operations import OPERATIONS
from chatdesk.service.local_service import ServiceOptions
from chatdesk.service.tokens import TokenBook
from chatdesk.services.services import Services
from tests.helpers.chat_world import ScriptedProvider, Step
from tests.helpers.live_events import Mirror, live_client
from tests.helpers.local_service import ServedWorld, served_world
from tests.helpers.waiting import until

THREADS = "/api/v1/threads"
SOME_ID = "0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e"


async def _thread(world: ServedWorld, **fields: str) -> str:
    made = await world.http.post(THREADS, json={"title": "A thread", **fields})
    return str(made.json()["id"])


def _scripted(world: ServedWorld) -> ScriptedProvider:
    provider = ScriptedProvider()
    world.services.chat.use_providers(ProviderRegistry([provider], "scripted", "small"))
    return provider


def _words(count: int, *gates: asyncio.Event) -> tuple[Step, ...]:
    """The script of an answer that waits for each gate after ``count`` words more."""
    steps: list[Step] = []
    for number, gate in enumerate((*gates, None)):
        steps += [TextDelta(f"{number}.{word} ") for word in range(count)]
        if gate is not None:
            steps.append(gate)
    return (*steps, StreamFinished(FinishReason.STOP))


async def _stored(world: ServedWorld, message_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await world.http.get(f"/api/v1/messages/{message_id}")).json()
    return found


async def test_questions_of_a_connection_count_for_the_limits_of_the_token(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        thread_id = await _thread(world)
        token = world.token(scopes=[Scope.READ, Scope.ASK], tokens_per_minute=1)
        async with live_client(world, token=token) as client:
            sent = await client.do("SEND_MESSAGE", thread_id=thread_id, text="How are you?")
            await client.until(lambda: client.mirror.is_finished(sent["result"]["answer"]["id"]))
            for operation in ("SEND_MESSAGE", "EDIT_MESSAGE", "REGENERATE"):
                where = {"thread_id": thread_id} if operation == "SEND_MESSAGE" else {"message_id": SOME_ID}
                words = {} if operation == "REGENERATE" else {"text": "Again"}
                refused = await client.do(operation, **where, **words)
                assert refused["problem"]["code"] == "token_limit_reached"


async def test_a_question_is_acknowledged_and_its_answer_arrives_in_order(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        thread_id = await _thread(world)
        async with live_client(world, f"/ws/chat/{thread_id}") as client:
            mirror = client.mirror
            done = await client.do("SEND_MESSAGE", thread_id=thread_id, text="How are you?")
            assert (done["type"], done["repeated"]) == ("ACK", False)
            question_id, answer_id = done["result"]["question"]["id"], done["result"]["answer"]["id"]
            await client.until(lambda: "AnswerFinished" in mirror.kinds)
            assert mirror.messages[question_id] == await _stored(world, question_id)
            assert mirror.messages[answer_id] == await _stored(world, answer_id)
            stages = ["MessageAdded", "MessageAdded", "TurnStarted", "FirstTokenArrived", "AnswerFinished"]
            assert [kind for kind in mirror.kinds if kind in stages] == stages
            assert "TextStreamed" in mirror.kinds


async def test_an_acknowledged_write_is_on_the_disk(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world, live_client(world) as client:
        thread_id = await _thread(world)
        for number in range(3):
            done = await client.do("SEND_MESSAGE", thread_id=thread_id, text=f"words {number}")
            with closing(sqlite3.connect(world.services.paths.database)) as database:
                query = "SELECT count(*) FROM messages WHERE id IN (?, ?)"
                ids = (done["result"]["question"]["id"], done["result"]["answer"]["id"])
                assert database.execute(query, ids).fetchone() == (2,)
            await world.services.chat.turns.wait_for_all()


async def test_each_operation_does_what_it_says(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world, live_client(world) as client:
        provider = _scripted(world)
        thread_id = await _thread(world)
        sent = (await client.do("SEND_MESSAGE", thread_id=thread_id, text="One"))["result"]
        await world.services.chat.turns.wait_for_all()

        edited = (await client.do("EDIT_MESSAGE", message_id=sent["question"]["id"], text="Two"))["result"]
        assert (edited["question"]["version"], edited["question"]["versions"]) == (2, 2)
        await world.services.chat.turns.wait_for_all()

        again = (await client.do("REGENERATE", message_id=edited["answer"]["id"]))["result"]
        assert (again["parent_id"], again["version"]) == (edited["question"]["id"], 2)
        await world.services.chat.turns.wait_for_all()

        provider.will(TextDelta("begun"), asyncio.Event())
        waiting = (await client.do("SEND_MESSAGE", thread_id=thread_id, text="Three"))["result"]["answer"]["id"]
        await client.until(lambda: waiting in client.mirror.messages and client.mirror.text(waiting) == "begun")
        stopped = (await client.do("STOP", thread_id=thread_id))["result"]["message"]
        assert (stopped["id"], stopped["status"]) == (waiting, "stopped")
        assert (await client.do("STOP", thread_id=thread_id))["result"] == {"message": None}

        assert (await client.do("DELETE_MESSAGE", message_id=waiting))["type"] == "ACK"
        assert (await client.do("DELETE_MESSAGE", message_id=waiting))["type"] == "ACK"
        assert (await _stored(world, waiting))["deleted_at"] is not None

        typing = await client.do("TYPING_INDICATOR", thread_id=thread_id, is_typing=True)
        assert typing == {"type": "ACK", "id": typing["id"], "repeated": False, "result": None}
        assert (await client.do("PING", id="mine"))["id"] == "mine"


async def test_an_operation_with_a_key_is_carried_out_once(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        thread_id = await _thread(world)
        found: list[dict[str, Any]] = []
        for number in range(2):
            async with live_client(world) as client:
                sent = await client.do("SEND_MESSAGE", thread_id=thread_id, text="Once", key="k1", id=f"try {number}")
                await world.services.chat.turns.wait_for_all()
                question_id = sent["result"]["question"]["id"]
                edited = await client.do("EDIT_MESSAGE", message_id=question_id, text="Twice", key="k2")
                await world.services.chat.turns.wait_for_all()
                made = await client.do("REGENERATE", message_id=edited["result"]["answer"]["id"], key="k3")
                await world.services.chat.turns.wait_for_all()
                found += [sent, edited, made]
                other = await client.do("SEND_MESSAGE", thread_id=thread_id, text="Other", key="k1")
                assert other["problem"]["code"] == "idempotency_key_used_otherwise"
        assert [each["repeated"] for each in found] == [False] * 3 + [True] * 3
        for first, second in zip(found[:2], found[3:5], strict=True):
            assert first["result"]["question"]["id"] == second["result"]["question"]["id"]
            assert first["result"]["answer"]["id"] == second["result"]["answer"]["id"]
        assert found[2]["result"]["id"] == found[5]["result"]["id"]


async def test_a_cut_after_every_frame_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """One client is never cut, the other after each frame; both know in the end what the thread holds."""
    async with served_world(tmp_path) as world:
        provider = _scripted(world)
        thread_id = await _thread(world)
        path = f"/ws/chat/{thread_id}"
        cut = Mirror()
        gates = [asyncio.Event() for _ in range(8)]
        provider.will(*_words(3, *gates))
        async with live_client(world, path) as whole:
            async with live_client(world, path, mirror=cut):
                done = await whole.do("SEND_MESSAGE", thread_id=thread_id, text="Tell me")
            answer_id = done["result"]["answer"]["id"]
            opened, cuts = 0, 0
            while not cut.is_finished(answer_id):
                async with live_client(world, path, mirror=cut) as client:
                    assert cut.frames[-1]["type"] == "WELCOME"
                    assert cut.frames[-1]["resumed"]
                    expected = f"{opened}.2 "
                    if opened < len(gates) and answer_id in cut.messages and expected in cut.text(answer_id):
                        gates[opened].set()
                        opened += 1
                    await client.take()
                    cuts += 1
            await whole.until(lambda: "TurnTimed" in whole.mirror.kinds)
            async with live_client(world, path, mirror=cut) as client:
                await client.until(lambda: cut.number == whole.mirror.number)
        assert opened == len(gates)
        assert cuts > len(gates)
        assert cut.messages == whole.mirror.messages
        assert cut.messages[answer_id] == await _stored(world, answer_id)
        others = [[kind for kind in each.kinds if kind != "TextStreamed"] for each in (cut, whole.mirror)]
        assert others[0] == others[1]
        for mirror in (cut, whole.mirror):
            assert mirror.streamed == mirror.text(answer_id)


async def test_a_late_or_unknown_client_starts_again_with_all_text(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        gate = asyncio.Event()
        _scripted(world).will(*_words(5, gate))
        thread_id = await _thread(world)
        path = f"/ws/chat/{thread_id}"
        async with live_client(world, path) as first:
            done = await first.do("SEND_MESSAGE", thread_id=thread_id, text="Tell me")
            answer_id = done["result"]["answer"]["id"]
            await first.until(lambda: answer_id in first.mirror.messages and "0.4 " in first.mirror.text(answer_id))
            for number in ("nonsense", "00000000-1", f"{first.mirror.number}999", "-", "a-b-c"):
                late = Mirror()
                late.number = number
                async with live_client(world, path, mirror=late) as client:
                    assert late.frames[0]["type"] == "RESYNC"
                    assert late.text(answer_id) == first.mirror.text(answer_id)
                    assert await client.do("PING")
            async with live_client(world, path) as client:
                assert client.mirror.frames[0]["type"] == "WELCOME"
                gate.set()
                await client.until(lambda: client.mirror.is_finished(answer_id))
                streamed = [
                    each for frame in client.mirror.frames for each in frame.get("events", ()) if "delta" in each
                ]
                assert "".join(each["delta"] for each in streamed) == "1.0 1.1 1.2 1.3 1.4 "
                assert client.mirror.messages[answer_id] == await _stored(world, answer_id)


async def test_a_client_behind_the_journal_is_told_to_start_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[EventJournal] = []

    class SmallJournal(EventJournal):
        def __init__(self, bus: Any) -> None:
            super().__init__(bus, most_bytes=20_000)
            made.append(self)

    monkeypatch.setattr("chatdesk.service.local_service.EventJournal", SmallJournal)
    async with served_world(tmp_path) as world, live_client(world) as client:
        for _ in range(3):
            for _ in range(200):  # at once, while the service's thread has no turn to send them
                world.services.events.publish(PathChanged(SOME_ID, None))
            await client.until(lambda: client.mirror.number.endswith(f"-{made[0].last}"))
        assert {each["type"] for each in client.mirror.frames} >= {"WELCOME", "RESYNC"}


async def test_a_token_for_some_projects_hears_nothing_of_others(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        mine = (await world.http.post("/api/v1/projects", json={"name": "Mine"})).json()["id"]
        secret = await _thread(world)
        known = await _thread(world, project_id=mine)
        token = world.token("mine", [Scope.READ, Scope.ASK, Scope.WRITE], projects=[mine])
        secret_words = (await world.http.post(f"{THREADS}/{secret}/notes", json={"text": "before"})).json()["id"]
        async with live_client(world, token=token) as client:
            for text in ("one", "two"):
                assert (await world.http.post(f"{THREADS}/{secret}/notes", json={"text": text})).status_code == 201
            await world.http.patch(f"{THREADS}/{secret}", json={"title": "Top secret"})
            await world.http.post("/api/v1/projects", json={"name": "Hidden"})
            await world.http.post(f"{THREADS}/{secret}/messages", json={"text": "hidden question"})
            await world.services.chat.turns.wait_for_all()
            for op, fields in (
                ("SEND_MESSAGE", {"thread_id": secret, "text": "x"}),
                ("STOP", {"thread_id": secret}),
                ("TYPING_INDICATOR", {"thread_id": secret, "is_typing": True}),
                ("EDIT_MESSAGE", {"message_id": secret_words, "text": "x"}),
                ("DELETE_MESSAGE", {"message_id": secret_words}),
                ("REGENERATE", {"message_id": secret_words}),
            ):
                assert (await client.do(op, **fields))["problem"]["status"] == 404, op
            await world.http.post(f"{THREADS}/{known}/notes", json={"text": "mine"})
            await client.until(lambda: "ThreadChanged" in client.mirror.kinds)
            assert {each["thread_id"] for each in client.mirror.messages.values()} == {known}
            assert secret not in json.dumps(client.mirror.frames)
            await world.http.patch(f"{THREADS}/{known}", json={"project_id": (await _project_of(world, secret))})
            await world.http.post(f"{THREADS}/{known}/notes", json={"text": "moved away"})
            await client.until(lambda: client.mirror.kinds[-1] == "ThreadsChanged")
            assert client.mirror.frames[-1]["events"][-1]["threads"] is None
            back = await _thread(world, project_id=mine)
            await client.until(lambda: client.mirror.kinds[-1] == "ThreadCreated")
            assert client.mirror.frames[-1]["events"][-1]["thread"]["id"] == back
            assert "moved away" not in json.dumps(client.mirror.frames)
        for path in (f"/ws/chat/{secret}", f"/api/v1/ws?thread_id={secret}"):
            with pytest.raises(InvalidStatus, match="403"):
                async with connect(f"ws://{world.host}{path}", additional_headers=_bearer(token), proxy=None):
                    pass


async def test_events_of_this_computer_reach_tokens_for_all_projects(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        mine = (await world.http.post("/api/v1/projects", json={"name": "Mine"})).json()["id"]
        secret, known = await _thread(world), await _thread(world, project_id=mine)
        others = await _project_of(world, secret)
        token = world.token("mine", [Scope.READ], projects=[mine])
        here, there = (
            WaitingAnswer(SOME_ID, each, "offline", "demo", "It waits.", 1_700_000_000_000, 1, project)
            for each, project in ((known, mine), (secret, others))
        )
        told = (
            events.ContextChanged(None),
            events.ContextChanged(secret),
            events.SummaryWorkChanged(SummaryWork(secret, SummaryStage.ASKING, "offline", "demo")),
            events.UsageRecorded(secret),
            events.UsageRecorded(""),
            events.WaitingQuestionsChanged(secret),
            events.TurnTimed(secret, SOME_ID, 1, 2, 3, 4),
            events.ReachabilityChanged(("offline",), (SOME_ID,)),
            events.SyncStatusChanged(SyncStatus(SOME_ID, SyncPhase.SYNCED, synced_at=1_700_000_000_000)),
            events.TeamChanged(),
            events.SharedFilesChanged(frozenset(("b" * 64, "a" * 64))),
            events.UnreadChanged({secret: 2, known: 1}),
            events.QueueChanged((there, here)),
        )
        async with live_client(world) as whole, live_client(world, token=token) as part:
            for event in told:
                world.services.events.publish(event)
            for client in (whole, part):
                await client.until(lambda client=client: "QueueChanged" in client.mirror.kinds)
        assert whole.mirror.kinds == [type(each).__name__ for each in told]
        found = {each["type"]: each for frame in whole.mirror.frames for each in frame.get("events", ())}
        assert [(each["thread_id"], each["sends_at"]) for each in found["QueueChanged"]["waiting"]] == [
            (secret, "2023-11-14T22:13:20.000Z"),
            (known, "2023-11-14T22:13:20.000Z"),
        ]
        assert found["SyncStatusChanged"]["status"]["synced_at"] == "2023-11-14T22:13:20.000Z"
        assert found["SharedFilesChanged"]["sha256s"] == ["a" * 64, "b" * 64]
        assert found["UnreadChanged"]["counts"] == {secret: 2, known: 1}
        assert found["SummaryWorkChanged"]["work"]["thread_id"] == secret
        assert part.mirror.kinds == ["ContextChanged", "UnreadChanged", "QueueChanged"]
        assert secret not in json.dumps(part.mirror.frames)


async def _project_of(world: ServedWorld, thread_id: str) -> str:
    return str((await world.http.get(f"{THREADS}/{thread_id}")).json()["project_id"])


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_nothing_is_accepted_before_it_is_known_who_asks(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        owner = _bearer(world.owner_token)
        for headers in (
            {},
            _bearer("wrong"),
            _bearer(world.token("writer", [Scope.WRITE])),
            {**owner, "Origin": "https://evil.example"},
            {**owner, "Origin": "null"},
            {**owner, "Sec-Fetch-Site": "cross-site"},
        ):
            for path in ("/api/v1/ws", f"/ws/chat/{SOME_ID}"):
                with pytest.raises(InvalidStatus, match="403"):
                    async with connect(f"ws://{world.host}{path}", additional_headers=headers, proxy=None):
                        pass
        for path in ("/api/v1/nothing", "/ws/chat/x", f"/ws/chat/{SOME_ID}", "/api/v1/ws?unknown=1"):
            with pytest.raises(InvalidStatus, match="403"):
                async with connect(f"ws://{world.host}{path}", additional_headers=owner, proxy=None):
                    pass


async def test_a_scope_that_the_token_has_not_is_refused_for_each_operation(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        thread_id = await _thread(world)
        async with live_client(world, token=world.token("reader", [Scope.READ])) as client:
            for op, fields in (
                ("SEND_MESSAGE", {"thread_id": thread_id, "text": "x"}),
                ("EDIT_MESSAGE", {"message_id": SOME_ID, "text": "x"}),
                ("DELETE_MESSAGE", {"message_id": SOME_ID}),
                ("REGENERATE", {"message_id": SOME_ID}),
                ("STOP", {"thread_id": thread_id}),
                ("TYPING_INDICATOR", {"thread_id": thread_id, "is_typing": True}),
            ):
                assert (await client.do(op, **fields))["problem"]["code"] == "not_allowed", op
            assert (await client.do("PING"))["type"] == "ACK"


async def test_operations_count_as_requests_of_a_token(tmp_path: Path) -> None:
    async with (
        served_world(tmp_path) as world,
        live_client(world, token=world.token(requests_per_minute=3)) as client,
    ):
        assert [(await client.do("PING"))["type"] for _ in range(2)] == ["ACK", "ACK"]
        await client.socket.send('{"op": "PING", "id": "x"}')
        await client.until(lambda: None in client.replies)
        assert client.replies[None]["problem"]["code"] == "too_many_requests"


async def test_each_operation_is_logged_without_what_it_says(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    words = "marked-words-4711"
    async with served_world(tmp_path) as world:
        thread_id = await _thread(world)
        token = world.token("asker", [Scope.READ, Scope.ASK])
        async with live_client(world, token=token) as client:
            for _ in range(2):
                await client.do("SEND_MESSAGE", thread_id=thread_id, text=words, key="k")
                await world.services.chat.turns.wait_for_all()
            await client.do("DELETE_MESSAGE", message_id=SOME_ID)
            await client.do(f"{words}\nforged", id=words)
            accepted = client.socket.response
            assert accepted is not None
            said = {name: accepted.headers[f"x-{name}"] for name in ("request-id", "chatdesk-token")}
    lines = [each for each in caplog.messages if each.startswith(("service_operation", "service_answer"))]
    assert [each.partition("op=")[2].partition(" took_ms")[0] for each in lines if "op=" in each] == [
        "SEND_MESSAGE outcome=done",
        "SEND_MESSAGE outcome=repeated",
        "DELETE_MESSAGE outcome=not_allowed",
        "unknown outcome=invalid_request",
    ]
    assert len(lines) == 5  # with what the answer took
    for line in lines:
        assert f"id={said['request-id']} who={said['chatdesk-token']} " in line
    assert words not in "".join(lines)
    assert "forged" not in "".join(lines)


async def test_an_unknown_operation_is_refused_and_the_connection_stays_open(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world, live_client(world) as client:
        for sent in ("", "x", "[]", "{}", '{"op": "PING"}', '{"op": 1, "id": "a"}', "[" * 100_000, '{"id": "a"}'):
            await client.socket.send(sent)
            await client.until(lambda: None in client.replies)
            assert client.replies.pop(None)["problem"]["code"] == "invalid_request", sent[:20]
        for op, fields in (("NOPE", {}), ("PING", {"more": 1}), ("STOP", {}), ("SEND_MESSAGE", {"text": 1})):
            assert (await client.do(op, **fields))["problem"]["code"] == "invalid_request"
        assert (await client.do("STOP", thread_id="../etc"))["problem"]["status"] == 422
        long = await client.do("PING", key="k" * 300)
        assert long["type"] == "ACK"  # it takes no key
        await client.socket.send(json.dumps({"op": "PING", "id": "i" * 101}))
        await client.until(lambda: None in client.replies)
        await client.socket.send(b"bytes")
        with pytest.raises(ConnectionClosed) as closed:
            await client.until(lambda: False)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1003


async def test_a_message_over_the_limit_ends_the_connection(tmp_path: Path) -> None:
    options = ServiceOptions(requests=RequestLimits(body_bytes=10_000))
    async with served_world(tmp_path, options=options) as world:
        for fragments in (["x" * 10_001], ["x" * 6_000, "x" * 6_000]):
            async with live_client(world) as client:
                await client.socket.send(fragments)
                with pytest.raises(ConnectionClosed) as closed:
                    await client.until(lambda: False)
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1009


async def test_events_are_compressed_if_the_client_asks_for_it(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world, live_client(world) as client:
        assert [each.name for each in client.socket.protocol.extensions] == ["permessage-deflate"]
        async with live_client(world, compression=None) as plain:
            assert not plain.socket.protocol.extensions
            thread_id = await _thread(world)
            packed = _Counted(client.socket.protocol)
            unpacked = _Counted(plain.socket.protocol)
            for text in ("one", "two", "three"):
                await client.do("SEND_MESSAGE", thread_id=thread_id, text=text)
                await client.do("PING")  # a short answer
                await world.services.chat.turns.wait_for_all()
            for each in (client, plain):
                await each.until(lambda each=each: each.mirror.kinds.count("AnswerFinished") == 3)
            assert client.mirror.messages == plain.mirror.messages
            assert packed.size_bytes < unpacked.size_bytes / 3


class _Counted:
    """Counts what arrives for a client's protocol."""

    def __init__(self, protocol: Any) -> None:
        self.size_bytes = 0
        receive = protocol.receive_data

        def counted(data: bytes) -> None:
            self.size_bytes += len(data)
            receive(data)

        protocol.receive_data = counted


async def test_a_client_may_ask_that_each_message_is_packed_by_itself(tmp_path: Path) -> None:
    alone = ClientPerMessageDeflateFactory(server_no_context_takeover=True, server_max_window_bits=10)
    async with served_world(tmp_path) as world, live_client(world, compression=None, extensions=[alone]) as client:
        thread_id = await _thread(world)
        sent = await client.do("SEND_MESSAGE", thread_id=thread_id, text="Hello " * 500)
        assert sent["result"]["question"]["parts"][0]["text"] == "Hello " * 500
        assert await client.do("PING")


async def test_a_compressed_message_is_unpacked_up_to_the_limit(tmp_path: Path) -> None:
    options = ServiceOptions(requests=RequestLimits(body_bytes=10_000))
    async with served_world(tmp_path, options=options) as world, live_client(world) as client:
        await client.do("PING", id="x" * 99)
        await client.socket.send("0" * 50_000_000)  # a few kilobytes on their way
        with pytest.raises(ConnectionClosed) as closed:
            await client.until(lambda: False)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def test_nothing_is_unpacked_that_was_not_agreed_on(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        bomb = b"\xc1\x84" + b"\0" * 8  # a text that says that it is packed
        with _upgraded(world) as raw:
            await asyncio.to_thread(raw.recv, 16)  # what comes before it is accepted is not read at all
            raw.sendall(bomb)
            assert b"\x03\xea" in await asyncio.to_thread(_read_to_end, raw)  # 1002, a breach of the protocol


def _upgraded(world: ServedWorld, path: str = "/api/v1/ws", *, buffer_bytes: int = 0) -> socket.socket:
    """A connection that asked for a WebSocket and has read nothing so far."""
    connection = socket.socket()
    if buffer_bytes:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    connection.settimeout(20)
    connection.connect(("127.0.0.1", world.port))
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {world.host}",
        f"Authorization: Bearer {world.owner_token}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    return connection


def _read_to_end(connection: socket.socket) -> bytes:
    found = b""
    while True:
        try:
            piece = connection.recv(65_536)
        except ConnectionResetError:
            return found
        if not piece:
            return found
        found += piece


async def test_a_client_that_reads_nothing_is_disconnected(tmp_path: Path) -> None:
    options = ServiceOptions(requests=RequestLimits(unread_s=0.3))
    async with served_world(tmp_path, options=options) as world:
        with _upgraded(world, buffer_bytes=4_096) as raw:
            event = SummaryFailed(SOME_ID, "x" * 50_000)
            is_ended = False

            async def ended() -> bool:
                """Publish more, and find out whether the service has cut the connection."""
                nonlocal is_ended
                world.services.events.publish(event)
                try:
                    raw.send(Frame(Opcode.PING, b"").serialize(mask=True))
                except OSError:
                    is_ended = True
                return is_ended

            await until(ended)
        async with live_client(world) as client:
            assert (await client.do("PING"))["type"] == "ACK"


async def test_pings_of_who_reads_nothing_are_not_answered_into_memory(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        with _upgraded(world, buffer_bytes=4_096) as raw:
            await asyncio.to_thread(raw.recv, 16)
            raw.setblocking(False)
            pings = Frame(Opcode.PING, b"x" * 125).serialize(mask=True) * 500
            taken, is_held_up = 0, False
            while taken < 64 * 1024 * 1024 and not is_held_up:
                try:
                    taken += raw.send(pings)
                except BlockingIOError:
                    writable = await asyncio.to_thread(_becomes_writable, raw)
                    is_held_up = not writable
            assert is_held_up


def _becomes_writable(connection: socket.socket) -> bool:
    import select

    return bool(select.select([], [connection], [], 1.0)[1])


async def test_hearts_beat_both_ways(tmp_path: Path) -> None:
    options = ServiceOptions(requests=RequestLimits(heartbeat_s=0.1))
    async with served_world(tmp_path, options=options) as world:
        thread_id, other = await _thread(world), await _thread(world)
        async with live_client(world, f"/ws/chat/{thread_id}") as client:
            before = client.mirror.number
            await client.until(lambda: client.mirror.frames[-1]["type"] == "HEARTBEAT")
            await world.http.post(f"{THREADS}/{other}/notes", json={"text": "not for this client"})
            await client.until(lambda: client.mirror.number != before)
            assert client.mirror.frames[-1]["type"] == "HEARTBEAT"  # so that it can go on after it
            assert client.mirror.kinds == []
        with _upgraded(world) as dead:  # which answers no ping
            assert b"101" in await asyncio.to_thread(_read_to_end, dead)


async def test_a_revoked_token_ends_its_connections(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world, live_client(world, token=world.token("one")) as client:
        TokenBook(world.files.tokens).revoke("one")
        with pytest.raises(ConnectionClosed) as closed:
            await client.until(lambda: False)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


async def test_a_hundred_answers_at_once_arrive_whole(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        provider = _scripted(world)
        threads = [await _thread(world) for _ in range(25)]
        answers: dict[str, Any] = {}
        async with live_client(world) as all_of_it, live_client(world, f"/ws/chat/{threads[0]}") as one:
            for thread_id in threads * 4:
                provider.will(*_words(20))
                done = await all_of_it.do("SEND_MESSAGE", thread_id=thread_id, text="Go")
                assert done["type"] == "ACK", done
                answers[done["result"]["answer"]["id"]] = thread_id
            await world.services.chat.turns.wait_for_all()
            await all_of_it.until(lambda: all(map(all_of_it.mirror.is_finished, answers)))
            mine = [each for each, thread_id in answers.items() if thread_id == threads[0]]
            await one.until(lambda: all(map(one.mirror.is_finished, mine)))
            assert {each["thread_id"] for each in one.mirror.messages.values()} == {threads[0]}
            for answer_id in answers:
                assert all_of_it.mirror.messages[answer_id] == await _stored(world, answer_id)


async def test_server_sent_events_are_the_same_and_go_on_after_the_last_id(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world, live_client(world) as client:
        thread_id = await _thread(world)
        mirror = Mirror()
        answer_id = ""
        while not mirror.is_finished(answer_id):  # one frame a connection
            headers = {"last-event-id": mirror.number} if mirror.number else {}
            async with world.http.stream("GET", "/api/v1/events", headers=headers) as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                async with aclosing(answer.aiter_lines()) as lines:
                    await _next_sent(lines, mirror)
                    assert mirror.frames[-1]["type"] == "WELCOME"
                    if len(mirror.frames) == 1:
                        done = await client.do("SEND_MESSAGE", thread_id=thread_id, text="Hello")
                        answer_id = done["result"]["answer"]["id"]
                    await _next_sent(lines, mirror)
        await client.until(lambda: client.mirror.is_finished(answer_id))
        assert mirror.messages[answer_id] == client.mirror.messages[answer_id] == await _stored(world, answer_id)
        assert mirror.streamed == client.mirror.streamed == mirror.text(answer_id)
        gone = await world.http.get(f"/api/v1/events?thread_id={SOME_ID}")
        assert gone.status_code == 404


async def _next_sent(lines: Any, mirror: Mirror) -> None:
    fields: dict[str, str] = {}
    async for line in lines:
        if not line:
            break
        name, _, value = line.partition(": ")
        fields[name] = value
    frame = json.loads(fields["data"])
    assert (fields["event"], fields["id"]) == (frame["type"], frame["number"])
    mirror.apply(frame)


async def test_the_journal_is_open_only_while_a_client_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[EventJournal] = []

    class WatchedJournal(EventJournal):
        def __init__(self, bus: Any) -> None:
            super().__init__(bus, kept_s=0.05)
            made.append(self)

    monkeypatch.setattr("chatdesk.service.local_service.EventJournal", WatchedJournal)
    async with served_world(tmp_path) as world:
        await _thread(world)
        assert not made[0].is_open
        async with live_client(world):
            assert made[0].is_open
        await until(lambda: not made[0].is_open)


async def test_a_disconnect_ends_the_sign_of_typing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[str, bool]] = []

    class Team:
        def set_presence(self, _project_id: str, thread_id: str, *, is_typing: bool) -> None:
            shown.append((thread_id, is_typing))

    async def joined(_services: Services) -> bool:
        return True

    async def team(_services: Services) -> Team:
        return Team()

    monkeypatch.setattr(Services, "team_is_joined", joined)
    monkeypatch.setattr(Services, "load_team", team)
    async with served_world(tmp_path) as world:
        first, second = await _thread(world), await _thread(world)
        async with live_client(world) as client:
            for thread_id, is_typing in ((first, True), (second, True), (second, False)):
                await client.do("TYPING_INDICATOR", thread_id=thread_id, is_typing=is_typing)
        await until(lambda: len(shown) == 4)
        assert shown == [(first, True), (second, True), (second, False), (first, False)]


def test_the_document_lists_all_operations_and_events_with_their_fields() -> None:
    told = (Path(__file__).parents[3] / "docs" / "local-service.md").read_text("utf-8")
    named = {kind.__name__: ", ".join(each.name for each in fields(kind)) for kind in KINDS}
    forms = [f"{name}({inside})" if inside else name for name, inside in named.items()]
    assert [each for each in (*OPERATIONS, *forms) if f"`{each}`" not in told] == []


async def test_an_answer_goes_on_when_its_client_leaves(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        gate = asyncio.Event()
        _scripted(world).will(*_words(3, gate))
        thread_id = await _thread(world)
        async with live_client(world) as client:
            done = await client.do("SEND_MESSAGE", thread_id=thread_id, text="Go on")
        gate.set()
        await world.services.chat.turns.wait_for_all()
        answer = await world.services.chat.reader.get_message(done["result"]["answer"]["id"])
        assert answer.status is Status.COMPLETE


@pytest.mark.parametrize("path", ["socket", "stream"])
async def test_nothing_is_delivered_once_a_token_is_revoked(
    tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The regular look is far away: each event is asked about."""
    monkeypatch.setattr("chatdesk.service.tokens._EVERY_S", 3_600)
    async with served_world(tmp_path) as world:
        token = world.token("one")
        book = TokenBook(world.files.tokens)
        if path == "socket":
            async with live_client(world, token=token) as client:
                await client.until(lambda: client.mirror.frames)
                seen = len(client.mirror.frames)
                book.revoke("one")
                await _thread(world)
                with pytest.raises(ConnectionClosed) as closed:
                    await client.until(lambda: False)
                assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008
                assert len(client.mirror.frames) == seen
            return
        headers = {"authorization": f"Bearer {token}"}
        async with (
            world.http.stream("GET", "/api/v1/events", headers=headers) as answer,
            aclosing(answer.aiter_lines()) as lines,
        ):
            await _next_sent(lines, Mirror())
            book.revoke("one")
            await _thread(world)
            assert not [line async for line in lines if line.startswith("data")]


async def test_no_operation_is_carried_out_once_a_token_is_revoked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatdesk.service.tokens._EVERY_S", 3_600)
    async with served_world(tmp_path) as world:
        thread_id = await _thread(world)
        token = world.token("one", (Scope.READ, Scope.ASK))
        async with live_client(world, token=token) as client:
            TokenBook(world.files.tokens).revoke("one")
            with pytest.raises(ConnectionClosed):
                await client.do("SEND_MESSAGE", thread_id=thread_id, text="Hello")
        page = (await world.http.get(f"/api/v1/threads/{thread_id}/messages")).json()
        assert page["messages"] == []
