"""ChatDesk against servers that it did not write: streaming, usage, thoughts, tools, stopping, errors, chaos."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.domain.message import Role, Status
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.events import RetryWaiting, TextStreamed
from chatdesk.core.providers.base import ChatRequest, RequestMessage, TextDelta
from tests.helpers.fault_world import FaultWorld, fault_world

HELLO = "Hello from a server that others wrote – with é, 😀 and a tail."


@asynccontextmanager
async def world_of(server: Any, directory: Path, **headers: str) -> AsyncIterator[FaultWorld]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with fault_world(
        directory, server.base_url, key=server.key, model=server.model, headers=named or None
    ) as world:
        yield world


@contextmanager
def chaos(aimock: Any, rates: Mapping[str, float]) -> Iterator[None]:
    """aimock misbehaves in the meantime, for everyone."""
    address = f"{aimock.root}/__aimock/chaos"

    def send(method: str, body: bytes | None) -> None:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {aimock.key}"}
        with urllib.request.urlopen(
            urllib.request.Request(address, data=body, headers=headers, method=method), timeout=5
        ):
            pass

    send("POST", json.dumps(rates).encode())
    try:
        yield
    finally:
        send("DELETE", None)


async def test_its_models_are_listed(server: Any, tmp_path: Path) -> None:
    async with world_of(server, tmp_path) as world:
        assert server.model in [model.id for model in await world.provider.list_models()]


async def test_an_answer_streams_and_its_usage_is_as_the_server_says(server: Any, tmp_path: Path) -> None:
    async with world_of(server, tmp_path) as world:
        pieces: list[str] = []
        world.bus.subscribe(TextStreamed, lambda event: pieces.append(event.delta))
        answer = (await world.ask("hello")).answer
        assert (answer.status, answer.text) == (Status.COMPLETE, HELLO)
        assert "".join(pieces) == HELLO
        assert (answer.prompt_tokens or 0) > 0
        assert (answer.completion_tokens or 0) > 0
        assert answer.finish_reason == "stop"
        assert answer.time_to_first_token_ms is not None


async def test_the_text_comes_in_pieces(server: Any, tmp_path: Path) -> None:
    request = ChatRequest(server.model, [RequestMessage(Role.USER, "slow")])
    async with world_of(server, tmp_path) as world:
        times = [time.monotonic() async for event in world.provider.stream(request) if isinstance(event, TextDelta)]
    assert len(times) > 10
    assert times[-1] - times[0] > 1.0


async def test_thoughts_are_apart_from_the_answer(server: Any, tmp_path: Path) -> None:
    async with world_of(server, tmp_path) as world:
        answer = (await world.ask("think")).answer
        assert (answer.reasoning, answer.text) == ("First this, then that.", "Done thinking.")


async def test_a_tool_call_is_kept_whole(server: Any, tmp_path: Path) -> None:
    async with world_of(server, tmp_path) as world:
        answer = (await world.ask("weather")).answer
        assert answer.status is Status.COMPLETE
        (call,) = answer.parts
        assert (call.tool_name, json.loads(call.content["arguments"])) == ("weather", {"city": "Oslo"})
        assert call.tool_call_id


async def test_a_conversation_goes_on(server: Any, tmp_path: Path) -> None:
    async with world_of(server, tmp_path) as world:
        for _ in range(3):
            assert (await world.ask("hello")).answer.text == HELLO


async def test_stopping_keeps_what_came_and_the_next_message_works(server: Any, tmp_path: Path) -> None:
    async with world_of(server, tmp_path) as world:
        begun = asyncio.Event()
        world.bus.subscribe(TextStreamed, lambda _event: begun.set())
        asking = asyncio.ensure_future(world.ask("slow"))
        await asyncio.wait_for(begun.wait(), 30)
        began = time.monotonic()
        await world.chat.stop(world.thread_id)
        answer = (await asking).answer
        assert time.monotonic() - began < 1.0
        assert answer.status is Status.STOPPED
        assert answer.text.startswith("slow")
        assert len(answer.text) < 290
        assert (await world.ask("hello")).answer.text == HELLO


@pytest.mark.parametrize(
    ("text", "kind"),
    [("broken", Kind.SERVER), ("too long", Kind.CONTEXT_TOO_LONG), ("many", Kind.RATE_LIMITED)],
)
async def test_an_error_has_its_kind_and_the_next_message_works(
    server: Any, tmp_path: Path, text: str, kind: Kind
) -> None:
    async with world_of(server, tmp_path) as world:
        answer = (await world.ask(text)).answer
        assert (answer.status, answer.error_type) == (Status.ERROR, kind.value), answer.error
        assert "Your message is kept." in (answer.error or "")
        if kind is not Kind.RATE_LIMITED:
            assert (await world.ask("hello")).answer.text == HELLO


async def test_an_answer_that_is_cut_is_never_called_complete(server: Any, tmp_path: Path) -> None:
    async with world_of(server, tmp_path) as world:
        answer = (await world.ask("cut")).answer
        assert answer.status is Status.ERROR, answer.text
        assert "This answer is cut".startswith(answer.text[:10])
        assert (await world.ask("hello")).answer.text == HELLO


async def test_a_wrong_key_is_told(aimock: Any, tmp_path: Path) -> None:
    async with fault_world(tmp_path, aimock.base_url, key="sk-wrong-0123456789abcdef", model="gpt-4o") as world:
        answer = (await world.ask("hello")).answer
        assert answer.error_type == Kind.UNAUTHORISED.value, answer.error
        assert "sk-wrong" not in f"{answer.error} {answer.error_details}"


async def test_a_key_that_a_gateway_cannot_look_up_is_told_in_its_words(litellm: Any, tmp_path: Path) -> None:
    async with fault_world(tmp_path, litellm.base_url, key="sk-wrong-0123456789abcdef", model="relayed") as world:
        answer = (await world.ask("hello")).answer
        assert answer.status is Status.ERROR
        assert "No connected db" in (answer.error or ""), "LiteLLM says that where it has no database of keys"
        assert "sk-wrong" not in f"{answer.error} {answer.error_details}"


async def test_a_model_that_is_not_there_is_told(litellm: Any, tmp_path: Path) -> None:
    async with fault_world(tmp_path, litellm.base_url, key=litellm.key, model="gone-9000") as world:
        answer = (await world.ask("hello")).answer
        assert answer.status is Status.ERROR
        assert answer.error_type in (Kind.MODEL_NOT_FOUND.value, Kind.BAD_REQUEST.value), answer.error


@pytest.mark.parametrize(
    ("rate", "kind", "waits"),
    [
        ("rateLimitRate", Kind.RATE_LIMITED, None),
        ("dropRate", Kind.SERVER, 2),
        ("disconnectRate", Kind.RESET, 2),
        ("malformedRate", Kind.NOT_A_STREAM, 0),
    ],
)
async def test_chaos_is_told_and_over_when_it_is_over(
    aimock: Any, tmp_path: Path, rate: str, kind: Kind, waits: int | None
) -> None:
    async with world_of(aimock, tmp_path) as world:
        waited: list[RetryWaiting] = []
        world.bus.subscribe(RetryWaiting, waited.append)
        with chaos(aimock, {rate: 1}):
            answer = (await world.ask("hello")).answer
        assert answer.status is Status.ERROR
        assert answer.error_type in (kind.value, Kind.MALFORMED.value), answer.error
        assert waits is None or len(waited) == waits
        assert (await world.ask("hello")).answer.text == HELLO


async def test_chaos_that_passes_is_waited_out(aimock: Any, tmp_path: Path) -> None:
    async with world_of(aimock, tmp_path) as world:
        with chaos(aimock, {"dropRate": 1}):
            asking = asyncio.ensure_future(world.ask("hello"))
            waited = asyncio.Event()
            world.bus.subscribe(RetryWaiting, lambda _event: waited.set())
            await asyncio.wait_for(waited.wait(), 20)
        answer = (await asking).answer
        assert answer.text == HELLO or answer.error_type == Kind.SERVER.value


async def test_two_programs_in_a_row_pass_many_answers_at_once(litellm: Any, tmp_path: Path) -> None:
    async with world_of(litellm, tmp_path) as world:
        threads = [await world.chat.create_thread(None, "", "hello") for _ in range(8)]
        async with asyncio.timeout(120):
            while any(world.chat.is_answering(each.thread.id) for each in threads):
                await asyncio.sleep(0.05)
        for each in threads:
            assert each.answer is not None
            assert (await world.chat.reader.get_message(each.answer.id)).text == HELLO
