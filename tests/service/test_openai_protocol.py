"""Programs that know OpenAI's protocol ask through the service: the openai package and plain sockets."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import openai
import pytest

from chatdesk.core.domain.limits import LimitPeriod, LimitScope, LimitUnit, UsageLimit
from chatdesk.service.caller import Scope
from tests.helpers.drawn_pictures import as_url, beside_text, drawn, in_text, pictures_of
from tests.helpers.fault_server import Exchange, answer, models, status
from tests.helpers.openai_world import MODEL, asked_world, ledger
from tests.helpers.waiting import until

HELLO: Any = [{"role": "user", "content": "Hello"}]


async def test_an_answer_is_written_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with asked_world(tmp_path, answer("Good day")) as (world, vendor, client):
        raw = await client.chat.completions.with_raw_response.create(model=MODEL, messages=HELLO, temperature=0.5)
        found = raw.parse()
        assert found.choices[0].message.content == "Good day"
        assert found.choices[0].finish_reason == "stop"
        assert found.model == "m"
        assert found.usage is not None
        assert (found.usage.prompt_tokens, found.usage.completion_tokens, found.usage.total_tokens) == (11, 7, 18)
        assert raw.headers["x-chatdesk-input-tokens"] == "11"
        assert raw.headers["x-chatdesk-output-tokens"] == "7"
        assert vendor.requests[0].json["temperature"] == 0.5
        assert await ledger(world) == (1, 11, 7)
        assert (await world.http.get("/api/v1/threads")).json()["threads"] == []
        line = next(each for each in caplog.messages if each.startswith("direct_question.ended"))
        assert f"id={raw.headers['x-request-id']}" in line
        assert "output_tokens=7" in line
        assert not any("Good day" in each or "Hello" in each for each in caplog.messages)


async def test_an_answer_is_streamed_with_its_usage_at_the_end(tmp_path: Path) -> None:
    async with asked_world(tmp_path, answer("Good day to you")) as (world, _vendor, client):
        stream = await client.chat.completions.create(
            model=MODEL, messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert text == "Good day to you"
        assert chunks[0].choices[0].delta.role == "assistant"
        assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.completion_tokens == 7
        assert await ledger(world) == (1, 11, 7)


async def test_tools_and_images_go_to_the_provider_and_calls_come_back(tmp_path: Path) -> None:
    async def calls(exchange: Exchange) -> None:
        await exchange.start()
        call = {"index": 0, "id": "call-1", "type": "function", "function": {"name": "look", "arguments": ""}}
        await exchange.delta(role="assistant", tool_calls=[call])
        await exchange.delta(tool_calls=[{"index": 0, "function": {"arguments": '{"at": 1}'}}])
        await exchange.finish("tool_calls")

    tools: Any = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    picture = "data:image/png;base64,iVBORw0KGgo="
    seen: Any = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": picture}}]}
    async with asked_world(tmp_path, calls) as (_world, vendor, client):
        for is_streamed in (False, True):
            asked: Any = {"model": MODEL, "messages": [seen], "tools": tools, "tool_choice": "auto"}
            if is_streamed:
                deltas = [
                    each.choices[0].delta
                    async for each in await client.chat.completions.create(**asked, stream=True)
                    if each.choices
                ]
                found = [call for delta in deltas for call in delta.tool_calls or ()]
                assert found[0].id == "call-1"
                assert "".join(call.function.arguments for call in found) == '{"at": 1}'
            else:
                choice = (await client.chat.completions.create(**asked)).choices[0]
                assert choice.finish_reason == "tool_calls"
                assert choice.message.content is None
                assert choice.message.tool_calls[0].function.arguments == '{"at": 1}'
        sent = vendor.requests[-1].json
        assert sent["tools"] == tools
        assert sent["tool_choice"] == "auto"
        assert sent["messages"][0]["content"][0]["image_url"]["url"] == picture


async def test_an_exchange_is_kept_in_a_thread_with_its_context(tmp_path: Path) -> None:
    async with asked_world(tmp_path, answer("Noted")) as (world, vendor, client):
        thread = (await world.services.chat.create_thread(None, "Plans")).thread
        first = await client.chat.completions.create(
            model=MODEL, messages=HELLO, extra_headers={"X-ChatDesk-Thread": thread.id}
        )
        assert first.choices[0].message.content == "Noted"
        again: Any = [{"role": "user", "content": "And now?"}]
        await world.services.chat.set_thread_model(thread.id, "team", "m")
        stream = await client.chat.completions.create(model=f"chatdesk/thread:{thread.id}", messages=again, stream=True)
        assert "".join([each.choices[0].delta.content or "" async for each in stream if each.choices]) == "Noted"
        page = await world.services.chat.reader.get_thread_messages(thread.id)
        assert [each.text for each in page.messages] == ["Hello", "Noted", "And now?", "Noted"]
        words = [each["content"] for each in vendor.requests[-1].json["messages"] if each["role"] != "system"]
        assert words == ["Hello", "Noted", "And now?"]
        assert (await ledger(world))[0] == 2


async def test_a_token_of_a_project_reaches_only_its_threads(tmp_path: Path) -> None:
    async with asked_world(tmp_path, answer()) as (world, vendor, client):
        thread = (await world.services.chat.create_thread(None, "Plans")).thread
        other = await world.services.library.projects.create("Other", "blue")
        token = world.token("narrow", [Scope.ASK], projects=[other.id])
        with pytest.raises(openai.NotFoundError):
            await client.with_options(api_key=token).chat.completions.create(
                model=f"chatdesk/thread:{thread.id}", messages=HELLO
            )
        reader = world.token("reader", [Scope.READ])
        with pytest.raises(openai.PermissionDeniedError):
            await client.with_options(api_key=reader).chat.completions.create(model=MODEL, messages=HELLO)
        with pytest.raises(openai.AuthenticationError):
            await client.with_options(api_key="wrong").models.list()
        assert vendor.requests == []


@pytest.mark.parametrize("is_kept", [False, True])
@pytest.mark.parametrize("is_streamed", [False, True])
async def test_the_usage_of_an_answer_counts_for_the_limits_of_the_token(
    tmp_path: Path, is_streamed: bool, is_kept: bool
) -> None:
    async with asked_world(tmp_path, answer("Good day")) as (world, vendor, client):
        thread = (await world.services.chat.create_thread(None, "Plans")).thread
        own = client.with_options(api_key=world.token("narrow", [Scope.ASK], tokens_per_minute=5))
        headers = {"X-ChatDesk-Thread": thread.id} if is_kept else {}
        asked: Any = {"model": MODEL, "messages": HELLO, "extra_headers": headers}
        if is_streamed:
            _chunks = [each async for each in await own.chat.completions.create(**asked, stream=True)]
        else:
            await own.chat.completions.create(**asked)
        await world.services.chat.turns.wait_for_all()
        sent = len(vendor.requests)
        with pytest.raises(openai.RateLimitError) as caught:
            await own.chat.completions.create(**asked)
        assert caught.value.code == "token_limit_reached"
        assert len(vendor.requests) == sent


async def test_the_models_of_all_providers_are_listed_and_read(tmp_path: Path) -> None:
    async with asked_world(tmp_path, models("m", "maker/n")) as (_world, _vendor, client):
        found = {each.id async for each in client.models.list()}
        assert {"chatdesk/default", "team/m", "team/maker/n"} <= found
        for name in ("chatdesk/default", "team/maker/n"):
            assert (await client.models.retrieve(name)).id == name
        with pytest.raises(openai.NotFoundError) as caught:
            await client.models.retrieve("team/other")
        assert caught.value.code == "model_not_found"


async def test_the_last_event_of_an_answer_says_what_it_cost(tmp_path: Path) -> None:
    async with asked_world(tmp_path) as (_world, _vendor, client):
        asked: Any = {"model": "offline/offline-demo", "messages": HELLO}
        whole = await client.chat.completions.create(**asked)
        usage: Any = {"include_usage": True}
        stream = await client.chat.completions.create(**asked, stream=True, stream_options=usage)
        last = [chunk async for chunk in stream][-1]
        for found in (whole, last):
            assert found.usage is not None and found.usage.completion_tokens
            assert found.usage.model_extra == {"cost_usd": 0.0}
        told = await client.responses.create(model="offline/offline-demo", input="Hi", stream=True)
        events: Any = [each async for each in told]
        assert events[-1].response.usage.cost_usd == 0.0


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
async def test_a_refusal_of_the_provider_has_its_own_status(
    tmp_path: Path, code: int, kind: type[openai.APIStatusError], is_streamed: bool
) -> None:
    refusing = status(code, {"error": {"message": "No."}}, headers=[("Retry-After", "120")])
    async with asked_world(tmp_path, refusing) as (_world, _vendor, client):
        with pytest.raises(kind) as caught:
            await client.chat.completions.create(model=MODEL, messages=HELLO, stream=is_streamed)
        assert caught.value.body is not None
        assert set(json.loads(caught.value.response.content)["error"]) == {"message", "type", "param", "code"}
        assert caught.value.response.headers["x-should-retry"] == "false"
        if code == 429:
            assert caught.value.response.headers["retry-after"] == "120"


async def test_a_stream_that_is_cut_ends_with_an_error_and_not_as_a_whole(tmp_path: Path) -> None:
    async def cut(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.delta(role="assistant", content="Half of")
        exchange.reset()

    async with asked_world(tmp_path, cut) as (world, _vendor, client):
        stream = await client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
        texts = []

        async def read() -> None:
            async for chunk in stream:
                texts.append(chunk.choices[0].delta.content)

        with pytest.raises(openai.APIError):
            await read()
        assert texts == ["Half of"]
        assert (await ledger(world))[0] == 1


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_an_early_disconnect_ends_the_request_at_the_provider(tmp_path: Path, is_streamed: bool) -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.delta(role="assistant", content="On and")
        await exchange.hang()

    async with asked_world(tmp_path, endless) as (world, vendor, _client):
        body = {"model": MODEL, "messages": HELLO, "stream": is_streamed}
        sent = json.dumps(body).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: {world.host}\r\nAuthorization: Bearer {world.owner_token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n"
        )
        with world.connect() as connection:
            connection.sendall(head.encode() + sent)
            await vendor.wait_for_requests(1)
            assert vendor.open_connections == 1
        await vendor.wait_until_closed()

        async def is_entered() -> bool:
            return (await ledger(world))[0] == 1

        await until(is_entered)


async def test_a_limit_of_the_person_holds_and_nothing_is_sent(tmp_path: Path) -> None:
    async with asked_world(tmp_path, answer()) as (world, vendor, client):
        limit = UsageLimit(LimitScope.ALL, LimitPeriod.DAY, LimitUnit.TOKENS, hard=10)
        await world.services.chat.limits.replace([limit])
        with pytest.raises(openai.RateLimitError) as caught:
            await client.chat.completions.create(model=MODEL, messages=HELLO)
        assert caught.value.code == "limit_reached"
        assert "kept" not in caught.value.message
        assert vendor.requests == []


async def test_unsupported_fields_are_refused_in_the_form_of_openai(tmp_path: Path) -> None:
    async with asked_world(tmp_path, answer()) as (_world, vendor, client):
        for more in ({"logprobs": True}, {"n": 2}, {"n": 1.0}, {"n": True}, {"model": "offline/demo", "seed": 1}):
            with pytest.raises(openai.BadRequestError):
                await client.chat.completions.create(**{"model": MODEL, "messages": HELLO, **more})
        assert vendor.requests == []


async def test_pictures_of_an_answer_are_passed_on_and_kept_ones_read_again(tmp_path: Path) -> None:
    data = drawn()
    async with asked_world(tmp_path, beside_text(data)) as (world, _vendor, client):
        whole = await client.chat.completions.create(model=MODEL, messages=HELLO)
        assert whole.choices[0].message.model_dump()["images"][0]["image_url"]["url"] == as_url(data)
        chunks = [each async for each in await client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)]
        found = [each for chunk in chunks for each in chunk.choices[0].delta.model_dump().get("images") or ()]
        assert [each["image_url"]["url"] for each in found] == [as_url(data)]
        thread = (await world.services.chat.create_thread(None, "Birds")).thread
        kept = await client.chat.completions.create(
            model=MODEL, messages=HELLO, extra_headers={"X-ChatDesk-Thread": thread.id}
        )
        assert kept.choices[0].message.model_dump()["images"][0]["image_url"]["url"] == as_url(data)
        page = await world.services.chat.reader.get_thread_messages(thread.id)
        assert pictures_of(page.messages[-1])


async def test_a_picture_in_the_text_is_passed_on_as_it_was_written(tmp_path: Path) -> None:
    async with asked_world(tmp_path, in_text(drawn())) as (_world, _vendor, client):
        whole = await client.chat.completions.create(model=MODEL, messages=HELLO)
        assert whole.choices[0].message.content == f"Before. ![A drawing]({as_url(drawn())}) between after."


async def test_the_usual_tier_and_shortening_change_nothing_and_are_taken(tmp_path: Path) -> None:
    async with asked_world(tmp_path, answer("Good day")) as (_world, vendor, client):
        for tier in ("auto", "default"):
            await client.chat.completions.create(model=MODEL, messages=HELLO, service_tier=tier)
        for cut in ("auto", "disabled"):
            await client.responses.create(model=MODEL, input="Hello", truncation=cut, service_tier="auto")
        assert len({json.dumps(each.json, sort_keys=True) for each in vendor.requests}) <= 2
        assert not [each for each in vendor.requests if {"service_tier", "truncation"} & each.json.keys()]
        with pytest.raises(openai.BadRequestError):
            await client.chat.completions.create(model=MODEL, messages=HELLO, service_tier="priority")
