"""Programs ask by OpenAI's Responses: with the openai package, streamed or not, in threads or outside of them."""

from __future__ import annotations

import asyncio
import base64
import struct
from pathlib import Path
from typing import Any

import openai
import pytest

from chatdesk.core.domain.limits import LimitPeriod, LimitScope, LimitUnit, UsageLimit
from chatdesk.core.domain.provider_profile import Api, ProviderProfile
from chatdesk.service.caller import Scope
from tests.helpers.drawn_pictures import beside_text, drawn, letters
from tests.helpers.fault_server import Exchange, Script, answer, status
from tests.helpers.openai_world import MODEL, asked_world, ledger
from tests.helpers.waiting import until

TOOL: Any = {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": True}
PICTURE = "data:image/png;base64,iVBORw0KGgo="


def calling(*, text: str = "") -> Script:
    """An answer that calls a function twice, after some words."""

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        if text:
            await exchange.delta(role="assistant", content=text)
        for index in (0, 1):
            call = {"index": index, "id": f"call-{index}", "type": "function"}
            await exchange.delta(tool_calls=[{**call, "function": {"name": "look", "arguments": ""}}])
            await exchange.delta(tool_calls=[{"index": index, "function": {"arguments": f'{{"at": {index}}}'}}])
        await exchange.finish("tool_calls")

    return script


async def thinking(exchange: Exchange) -> None:
    await exchange.start()
    await exchange.delta(role="assistant", reasoning_content="Hm.")
    await exchange.delta(content="Good")
    await exchange.delta(content=" day")
    await exchange.finish()


async def test_a_response_is_written_at_once(tmp_path: Path) -> None:
    async with asked_world(tmp_path, answer("Good day")) as (world, vendor, client):
        raw = await client.responses.with_raw_response.create(
            model=MODEL, input="Hello", instructions="Be brief.", temperature=0.5, max_output_tokens=9, store=False
        )
        found = raw.parse()
        assert (found.output_text, found.status, found.model, found.store) == ("Good day", "completed", "m", False)
        assert found.usage is not None
        assert (found.usage.input_tokens, found.usage.output_tokens, found.usage.total_tokens) == (11, 7, 18)
        assert raw.headers["x-chatdesk-output-tokens"] == "7"
        sent = vendor.requests[0].json
        assert [each["content"] for each in sent["messages"]] == ["Be brief.", "Hello"]
        assert (sent["temperature"], sent["max_tokens"]) == (0.5, 9)
        assert await ledger(world) == (1, 11, 7)


async def test_a_response_is_streamed_in_typed_events(tmp_path: Path) -> None:
    async with asked_world(tmp_path, thinking) as (_world, _vendor, client):
        stream = await client.responses.create(model=MODEL, input="Hello", stream=True)
        events = [event async for event in stream]
    assert [event.type for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    completed: Any = events[-1]
    assert completed.response.output_text == "Good day"
    assert completed.response.usage.output_tokens == 7
    assert [item.type for item in completed.response.output] == ["reasoning", "message"]
    assert {item.status for item in completed.response.output} == {"completed"}


async def test_the_helper_of_the_package_puts_a_stream_together(tmp_path: Path) -> None:
    async with (
        asked_world(tmp_path, calling(text="I look.")) as (_world, _vendor, client),
        client.responses.stream(model=MODEL, input="Where?", tools=[TOOL]) as stream,
    ):
        snapshots = [event.snapshot async for event in stream if event.type == "response.output_text.delta"]
        final = await stream.get_final_response()
    assert snapshots[-1] == "I look."
    message, *calls = final.output
    assert message.type == "message"
    found = [(call.call_id, call.name, call.arguments) for call in calls if call.type == "function_call"]
    assert found == [("call-0", "look", '{"at": 0}'), ("call-1", "look", '{"at": 1}')]


async def test_a_whole_conversation_with_tools_and_images_reaches_the_provider(tmp_path: Path) -> None:
    async with asked_world(tmp_path, calling(), answer("A cat")) as (_world, vendor, client):
        asked: list[Any] = [
            {"role": "user", "content": [{"type": "input_text", "text": "What is it?"}, _image(PICTURE)]},
        ]
        more: Any = {"tool_choice": {"type": "function", "name": "look"}, "parallel_tool_calls": True}
        first = await client.responses.create(model=MODEL, input=asked, tools=[TOOL], **more)
        asked += first.output
        asked.append({"type": "function_call_output", "call_id": "call-0", "output": "fur"})
        asked.append(
            {"type": "function_call_output", "call_id": "call-1", "output": [{"type": "input_text", "text": "paws"}]}
        )
        shape: Any = {"format": {"type": "json_schema", "name": "Pet", "schema": {"type": "object"}, "strict": True}}
        last = await client.responses.create(model=MODEL, input=asked, tools=[TOOL], text=shape)
    assert last.output_text == "A cat"
    sent = vendor.requests[0].json
    assert sent["tools"] == [{"type": "function", "function": {k: v for k, v in TOOL.items() if k != "type"}}]
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "look"}}
    assert sent["parallel_tool_calls"] is True
    sent = vendor.requests[1].json
    question, calls, *results = sent["messages"]
    assert question["content"][1] == {"type": "image_url", "image_url": {"url": PICTURE}}
    assert [call["id"] for call in calls["tool_calls"]] == ["call-0", "call-1"]
    assert [(each["tool_call_id"], each["content"]) for each in results] == [("call-0", "fur"), ("call-1", "paws")]
    wanted = {"name": "Pet", "schema": {"type": "object"}, "strict": True}
    assert sent["response_format"] == {"type": "json_schema", "json_schema": wanted}


def _image(url: str) -> dict[str, str]:
    return {"type": "input_image", "image_url": url, "detail": "auto"}


async def test_an_answer_that_is_cut_by_its_limit_is_incomplete(tmp_path: Path) -> None:
    async def cut(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.delta(role="assistant", content="Half of")
        await exchange.finish("length")

    async with asked_world(tmp_path, cut) as (_world, _vendor, client):
        whole = await client.responses.create(model=MODEL, input="Hello")
        events = [event async for event in await client.responses.create(model=MODEL, input="Hello", stream=True)]
    assert whole.status == "incomplete"
    assert whole.incomplete_details is not None
    assert whole.incomplete_details.reason == "max_output_tokens"
    assert events[-1].type == "response.incomplete"
    assert events[-1].response.output_text == "Half of"


async def test_an_answer_that_breaks_off_is_failed(tmp_path: Path) -> None:
    async def broken(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.delta(role="assistant", content="Half of")
        exchange.reset()

    async with asked_world(tmp_path, broken) as (world, _vendor, client):
        events = [event async for event in await client.responses.create(model=MODEL, input="Hello", stream=True)]
        assert events[-1].type == "response.failed"
        failed = events[-1].response
        assert failed.error is not None
        assert (failed.status, failed.error.code) == ("failed", "reset")
        assert (await ledger(world))[0] == 1


async def test_a_refusal_of_the_provider_has_its_own_status_before_a_stream_begins(tmp_path: Path) -> None:
    async with asked_world(tmp_path, status(404, {"error": {"message": "No."}})) as (_world, _vendor, client):
        with pytest.raises(openai.NotFoundError):
            await client.responses.create(model=MODEL, input="Hello", stream=True)


async def test_responses_in_a_thread_are_kept_and_can_be_followed_from_any_of_them(tmp_path: Path) -> None:
    async with asked_world(tmp_path, answer("Noted")) as (world, vendor, client):
        thread = (await world.services.chat.create_thread(None, "Plans")).thread
        await world.services.chat.set_thread_model(thread.id, "team", "m")
        named: Any = {"X-ChatDesk-Thread": thread.id}
        first = await client.responses.create(model="chatdesk/default", input="One", extra_headers=named)
        assert first.store is True
        asked: Any = [{"role": "user", "content": "Two"}]
        stream = await client.responses.create(
            model="chatdesk/default", input=asked, previous_response_id=first.id, stream=True
        )
        second: Any = [event async for event in stream][-1]
        assert second.response.previous_response_id == first.id
        again = await client.responses.create(model="chatdesk/default", input="Three", previous_response_id=first.id)
        words = [each["content"] for each in vendor.requests[-1].json["messages"] if each["role"] != "system"]
        assert words == ["One", "Noted", "Three"]
        assert second.response.id != again.id
        page = await world.services.chat.reader.get_thread_messages(thread.id)
        assert [each.text for each in page.messages] == ["One", "Noted", "Three", "Noted"]


async def test_requests_that_cannot_be_stored_or_passed_on_are_refused(tmp_path: Path) -> None:
    async with asked_world(tmp_path, answer("Good day")) as (world, vendor, client):
        thread = (await world.services.chat.create_thread(None, "Plans")).thread
        kept = f"chatdesk/thread:{thread.id}"
        once = await client.responses.create(model=MODEL, input="Hello")
        refused: list[dict[str, Any]] = [
            {"previous_response_id": once.id},
            {"previous_response_id": "resp_unknown"},
            {"store": True},
            {"model": kept, "store": False},
            {"model": kept, "tools": [TOOL]},
            {"tools": [{"type": "web_search"}]},
            {"tool_choice": {"type": "mcp", "server_label": "x"}},
            {"background": True},
            {"background": 0},
            {"conversation": "conv_1"},
            {"input": [{"type": "item_reference", "id": "msg_1"}]},
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "file-1"}]}]},
        ]
        for more in refused:
            with pytest.raises(openai.BadRequestError):
                await client.responses.create(**{"model": MODEL, "input": "Hello", **more})
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.create(model=MODEL, input="Hello", previous_response_id=once.id)
        assert caught.value.code == "previous_response_not_found"
        assert len(vendor.requests) == 1


async def test_a_disconnect_from_a_response_ends_the_request_at_the_provider(tmp_path: Path) -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.delta(role="assistant", content="On and")
        await exchange.hang()

    async with asked_world(tmp_path, endless) as (world, vendor, client):
        stream = await client.responses.create(model=MODEL, input="Hello", stream=True)
        async for event in stream:
            if event.type == "response.output_text.delta":
                break
        await stream.close()
        await vendor.wait_until_closed()

        async def is_entered() -> bool:
            return (await ledger(world))[0] == 1

        await until(is_entered)


async def test_the_synchronous_client_streams_and_leaves_early(tmp_path: Path) -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.delta(role="assistant", content="On and")
        await exchange.hang()

    async with asked_world(tmp_path, thinking, endless) as (_world, vendor, client):

        def asked() -> str:
            with openai.OpenAI(api_key=client.api_key, base_url=client.base_url, max_retries=0) as sync:
                whole = list(sync.responses.create(model=MODEL, input="Hello", stream=True))
                with sync.responses.create(model=MODEL, input="Hello", stream=True) as left:
                    next(iter(left))
                return whole[-1].response.output_text  # type: ignore[union-attr]

        assert await asyncio.to_thread(asked) == "Good day"
        await vendor.wait_until_closed()


@pytest.mark.parametrize("api", [Api.RESPONSES, Api.ANTHROPIC])
async def test_tools_reach_providers_of_other_protocols(tmp_path: Path, api: Api) -> None:
    async with asked_world(tmp_path, _called_by(api)) as (world, vendor, client):
        await world.services.provider_service.save(ProviderProfile("", "other", "Other", vendor.base_url, api=api))
        model = "other/m"
        found = await client.responses.create(model=model, input="Where?", tools=[TOOL], tool_choice="required")
        (call,) = [item for item in found.output if item.type == "function_call"]
        assert (call.call_id, call.name, call.arguments) == ("call-1", "look", '{"at": 1}')
        for refused in ({"seed": 1}, {"response_format": {"type": "json_schema"}}):
            with pytest.raises(openai.BadRequestError):
                await client.chat.completions.create(
                    model=model,
                    messages=[{"role": "user", "content": "Hello"}],
                    **refused,  # type: ignore[arg-type]
                )
    sent = vendor.requests[-1].json
    if api is Api.RESPONSES:
        assert (sent["tools"], sent["tool_choice"]) == ([TOOL], "required")
    else:
        assert sent["tools"] == [{"name": "look", "input_schema": {"type": "object"}, "strict": True}]
        assert sent["tool_choice"] == {"type": "any"}


def _called_by(api: Api) -> Script:
    item = {"type": "function_call", "id": "i", "call_id": "call-1", "name": "look"}
    block = {"type": "tool_use", "id": "call-1", "name": "look"}
    events: list[dict[str, Any]] = [
        {"type": "response.output_item.added", "item": item},
        {"type": "response.function_call_arguments.delta", "item_id": "i", "delta": '{"at": 1}'},
        {"type": "response.completed", "response": {"status": "completed"}},
    ]
    if api is Api.ANTHROPIC:
        delta = {"type": "input_json_delta", "partial_json": '{"at": 1}'}
        events = [
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
        ]

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        for event in events:
            await exchange.event(event, name=event["type"])
        await exchange.end()

    return script


def vectors(*, is_packed: bool = True) -> Script:
    """Vectors as a server writes them, the last first: (0, 0.5), (1, 0.5), …"""

    async def script(exchange: Exchange) -> None:
        texts = exchange.request.json["input"]
        numbers = [[float(index), 0.5] for index in range(len(texts))]
        packed = [base64.b64encode(struct.pack("<2f", *each)).decode() for each in numbers]
        rows = [
            {"object": "embedding", "index": index, "embedding": packed[index] if is_packed else numbers[index]}
            for index in range(len(texts))
        ]
        body = {"object": "list", "data": rows[::-1], "model": "e", "usage": {"prompt_tokens": 5, "total_tokens": 5}}
        await status(200, body)(exchange)

    return script


@pytest.mark.parametrize("is_packed", [True, False])
async def test_texts_become_vectors_in_their_order(tmp_path: Path, is_packed: bool) -> None:
    async with asked_world(tmp_path, vectors(is_packed=is_packed)) as (world, vendor, client):
        for encoding in ("float", "base64", None):
            more: Any = {} if encoding is None else {"encoding_format": encoding}
            found = await client.embeddings.create(model="team/e", input=["one", "two"], dimensions=2, **more)
            expected: Any = [[0.0, 0.5], [1.0, 0.5]]
            if encoding == "base64":
                expected = [base64.b64encode(struct.pack("<2f", *each)).decode() for each in expected]
            assert [each.embedding for each in found.data] == expected
            assert found.usage.prompt_tokens == 5
        raw = await client.embeddings.with_raw_response.create(model="team/e", input=[1, 2, 3])
        assert raw.headers["x-chatdesk-input-tokens"] == "5"
        assert raw.headers["x-chatdesk-output-tokens"] == "0"
        tokens = raw.parse()
        assert len(tokens.data) == 1
        assert vendor.requests[0].json["dimensions"] == 2
        assert vendor.requests[-1].json["input"] == [[1, 2, 3]]
        assert await ledger(world) == (4, 20, 0)


async def test_a_server_that_does_not_know_packed_vectors_is_asked_for_plain_ones(tmp_path: Path) -> None:
    refusing = status(400, {"error": {"message": "encoding_format is not known"}})
    async with asked_world(tmp_path, refusing, vectors(is_packed=False)) as (_world, vendor, client):
        found = await client.embeddings.create(model="team/e", input="one")
        assert found.data[0].embedding == [0.0, 0.5]
        assert ["encoding_format" in each.json for each in vendor.requests] == [True, False]


async def test_where_there_are_no_embeddings_the_refusal_is_in_the_form_of_openai(tmp_path: Path) -> None:
    missing = status(404, {"error": {"message": "no such path"}})
    async with asked_world(tmp_path, missing) as (_world, vendor, client):
        with pytest.raises(openai.NotFoundError):
            await client.embeddings.create(model="team/e", input="one")
        for model, texts in (("offline/offline-demo", "one"), ("chatdesk/default", "one"), ("team/e", [])):
            with pytest.raises(openai.BadRequestError):
                await client.embeddings.create(model=model, input=texts)
        assert len(vendor.requests) == 1


@pytest.mark.parametrize(
    "data", [[], [{"index": 0, "embedding": [1.0, float("nan")]}], [{"index": 1, "embedding": [1.0]}], "none", [{}]]
)
async def test_vectors_that_make_no_sense_are_a_fault_of_the_provider(tmp_path: Path, data: object) -> None:
    async with asked_world(tmp_path, status(200, {"data": data})) as (_world, _vendor, client):
        with pytest.raises(openai.InternalServerError):
            await client.embeddings.create(model="team/e", input="one")


async def test_limits_of_the_person_and_of_the_token_hold_for_responses_and_embeddings(tmp_path: Path) -> None:
    async with asked_world(tmp_path, answer(), vectors()) as (world, vendor, client):
        small = client.with_options(api_key=world.token("small", [Scope.ASK], tokens_per_minute=10))
        await small.responses.create(model=MODEL, input="Hello")
        with pytest.raises(openai.RateLimitError) as caught:
            await small.embeddings.create(model="team/e", input="Hello")
        assert caught.value.code == "token_limit_reached"
        await client.embeddings.create(model="team/e", input="Hello")
        limit = UsageLimit(LimitScope.ALL, LimitPeriod.DAY, LimitUnit.TOKENS, hard=10)
        await world.services.chat.limits.replace([limit])
        for asking in (
            client.responses.create(model=MODEL, input="Hello"),
            client.embeddings.create(model="team/e", input="Hello"),
        ):
            with pytest.raises(openai.RateLimitError) as caught:
                await asking
            assert caught.value.code == "limit_reached"
        assert len(vendor.requests) == 2
        rows = (await world.services.usage.between(0, 2**53)).rows
        assert sorted(row.kind for row in rows) == ["answer", "embedding"]


async def test_pictures_of_an_answer_are_items_of_the_image_tool(tmp_path: Path) -> None:
    async with asked_world(tmp_path, beside_text(drawn())) as (_world, _vendor, client):
        found = await client.responses.create(model=MODEL, input="Draw!")
        assert [each.type for each in found.output] == ["message", "image_generation_call"]
        assert found.output[1].model_dump()["result"] == letters(drawn())
        async with client.responses.stream(model=MODEL, input="Draw!") as stream:
            kinds = [event.type async for event in stream]
            whole = await stream.get_final_response()
        assert "response.image_generation_call.completed" in kinds
        assert whole.output[1].model_dump()["result"] == letters(drawn())
