"""What is sent, what is read back, and which servers need less."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import ProviderError
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.base import (
    ChatRequest,
    FinishReason,
    LibraryLoaded,
    ListedModel,
    ModelNamed,
    RequestMessage,
    StreamEvent,
    StreamFinished,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    UsageReported,
)
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.retry import RetryPolicy
from chatdesk.core.providers.stream_guard import StreamLimits
from chatdesk.core.providers.wire import CONTINUE_INSTRUCTION, is_small
from tests.helpers.fault_server import Exchange, FaultServer, Script, answer, models, status

MESSAGES = [RequestMessage(Role.SYSTEM, "Be brief."), RequestMessage(Role.USER, "Hi \ud83d there")]


def provider_for(base_url: str | None, **changes: Any) -> OpenAICompatibleProvider:
    changes.setdefault("retry", RetryPolicy(longest_wait_s=1, first_wait_s=0.01, max_attempts=1))
    endpoint = Endpoint.of(base_url, changes.pop("api_key", None), changes.pop("headers", None))
    return OpenAICompatibleProvider("t", "Testhost", endpoint, **changes)


async def ask(provider: OpenAICompatibleProvider, request: ChatRequest | None = None) -> list[StreamEvent]:
    events = [event async for event in provider.stream(request or ChatRequest("m", MESSAGES))]
    await provider.close()
    return events


async def error_of(provider: OpenAICompatibleProvider) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await ask(provider)
    await provider.close()
    return caught.value


async def test_a_request_carries_everything_and_nothing_more() -> None:
    async with FaultServer(answer()) as server:
        events = await ask(provider_for(f" {server.base_url}// ", api_key=" sk-1234567890 ", headers={"X-Team": "a"}))
        request = server.requests[0]
        assert request.path == "/v1/chat/completions"
        assert request.json == {
            "model": "m",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi \ufffd there"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        assert request.headers["authorization"] == "Bearer sk-1234567890"
        assert request.headers["x-team"] == "a"
        assert request.headers["accept-encoding"] == "identity"
        assert events[-2:] == [UsageReported(Usage(11, 7, 3, 2)), StreamFinished(FinishReason.STOP)]


FULL = ChatRequest(
    "m",
    [
        *MESSAGES,
        RequestMessage(Role.ASSISTANT, "I look it up — “naïve” \u2028 日本", (ToolCall("c1", "look", '{"q": "x"}'),)),
        RequestMessage(Role.TOOL, "found", tool_call_id="c1"),
    ],
    continue_text="half an answ",
    max_output_tokens=50,
    temperature=0.0,
    top_p=0.5,
    reasoning_effort="low",
    stop=("END",),
)


@pytest.mark.parametrize("request_", [FULL, ChatRequest("", MESSAGES)])
async def test_the_bytes_that_are_shown_are_the_bytes_that_are_sent(request_: ChatRequest) -> None:
    async def script(exchange: Exchange) -> None:
        await (models("first") if exchange.request.method == "GET" else answer())(exchange)

    async with FaultServer(script) as server:
        provider = provider_for(server.base_url)
        shown = await provider.wire_body(request_)
        await ask(provider, request_)
        assert server.requests[-1].body == shown


async def test_parameters_are_sent_and_dropped_where_a_server_refuses_them() -> None:
    refusal = status(400, '{"error": {"message": "Unsupported parameter: temperature", "param": "temperature"}}')
    async with FaultServer(refusal, answer()) as server:
        await ask(provider_for(server.base_url), FULL)
        first, second = (request.json for request in server.requests)
        assert (first["temperature"], first["top_p"], first["reasoning_effort"], first["stop"]) == (
            0.0,
            0.5,
            "low",
            ["END"],
        )
        assert "temperature" not in second
        assert second["top_p"] == 0.5


async def test_what_one_model_refuses_others_of_the_same_server_are_still_sent() -> None:
    refusal = status(400, '{"error": {"message": "Unsupported parameter: reasoning_effort"}}')
    async with FaultServer(refusal, answer(), answer()) as server:
        provider = provider_for(server.base_url)
        for model in ("plain", "thinker"):
            [_ async for _ in provider.stream(ChatRequest(model, tuple(MESSAGES), reasoning_effort="low"))]
        await provider.close()
        assert ["reasoning_effort" in request.json for request in server.requests] == [True, False, True]


_LOOK = ChatRequest("m", (RequestMessage(Role.USER, "look", images=("data:image/png;base64,AAAA",)),))


@pytest.mark.parametrize(
    ("code", "words", "kind"),
    [
        (400, "Invalid content type. image_url is only supported by certain models.", Kind.IMAGES_REFUSED),
        (400, "At most 0 image(s) may be provided in one request.", Kind.IMAGES_REFUSED),
        (400, "llama-2 is not a multimodal model", Kind.IMAGES_REFUSED),
        (500, "image input is not supported - hint: you may need to provide the mmproj", Kind.IMAGES_REFUSED),
        (500, "this model is missing data required for image input: no vision projector", Kind.IMAGES_REFUSED),
        (404, "No endpoints found that support image input", Kind.IMAGES_REFUSED),
        (400, "messages[0].content must be a string", Kind.IMAGES_REFUSED),
        (422, "body.messages.0.content: Input should be a valid string", Kind.IMAGES_REFUSED),
        (422, "unknown variant `image_url`, expected `text`", Kind.IMAGES_REFUSED),
        (400, "Image input is not enabled for this model", Kind.IMAGES_REFUSED),
        (400, "image exceeds 5 MB maximum", Kind.BAD_REQUEST),
        (400, "Could not process image", Kind.BAD_REQUEST),
        (400, "You uploaded an unsupported image. Please make sure it has a valid image format", Kind.BAD_REQUEST),
        (400, "temperature must be below 2", Kind.BAD_REQUEST),
        (401, "images are not for you", Kind.UNAUTHORISED),
    ],
)
async def test_a_server_whose_model_sees_no_images_is_understood(code: int, words: str, kind: Kind) -> None:
    async with FaultServer(status(code, {"error": {"message": words}})) as server:
        provider = provider_for(server.base_url)
        with pytest.raises(ProviderError) as caught:
            await ask(provider, _LOOK)
        assert caught.value.kind is kind
        assert len(server.requests) == 1


async def test_without_an_image_the_same_words_say_something_else() -> None:
    async with FaultServer(status(400, {"error": {"message": "images are not supported"}})) as server:
        assert (await error_of(provider_for(server.base_url))).kind is Kind.BAD_REQUEST


async def test_a_server_without_key_sees_none() -> None:
    async with FaultServer(answer()) as server:
        await ask(provider_for(server.base_url))
        assert "authorization" not in server.requests[0].headers


async def test_continuing_sends_the_partial_answer_and_an_instruction() -> None:
    async with FaultServer(answer("rest")) as server:
        await ask(
            provider_for(server.base_url), ChatRequest("m", MESSAGES, continue_text="The begin", max_output_tokens=9)
        )
        assert server.requests[0].json["messages"][2:] == [
            {"role": "assistant", "content": "The begin"},
            {"role": "user", "content": CONTINUE_INSTRUCTION},
        ]
        assert server.requests[0].json["max_tokens"] == 9


async def test_an_empty_continuation_is_the_end() -> None:
    async def stop(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.finish()

    async with FaultServer(stop) as server:
        events = await ask(provider_for(server.base_url), ChatRequest("m", MESSAGES, continue_text="all"))
        assert events[-1] == StreamFinished(FinishReason.STOP)


@pytest.mark.parametrize(
    "refusal",
    [
        status(400, {"error": {"message": "Unrecognized request argument supplied: stream_options"}}),
        status(422, {"detail": [{"loc": ["body", "stream_options"], "msg": "extra fields not permitted"}]}),
    ],
)
async def test_a_server_that_refuses_usage_is_asked_without(refusal: Script) -> None:
    async with FaultServer(refusal, answer("Hi", usage=False)) as server:
        provider = provider_for(server.base_url)
        events = [event async for event in provider.stream(ChatRequest("m", MESSAGES))]
        answer_events = [event for event in events if not isinstance(event, LibraryLoaded)]
        assert answer_events == [TextDelta("Hi"), StreamFinished(FinishReason.STOP)]
        await ask(provider)
        assert ["stream_options" in request.json for request in server.requests] == [True, False, False]


async def test_the_other_name_of_the_length_limit_is_tried() -> None:
    refusal = status(400, {"error": {"message": "Unsupported parameter: 'max_tokens'; use 'max_completion_tokens'"}})
    async with FaultServer(refusal, answer("Hi")) as server:
        await ask(provider_for(server.base_url), ChatRequest("m", MESSAGES, max_output_tokens=5))
        assert server.requests[1].json["max_completion_tokens"] == 5
        assert "max_tokens" not in server.requests[1].json


async def test_tool_calls_are_put_together_by_index() -> None:
    calls: list[dict[str, Any]] = [
        {"index": 0, "id": "a", "function": {"name": "one", "arguments": ""}},
        {"index": 1, "id": "b", "function": {"name": "two", "arguments": "{"}},
        {"index": 0, "function": {"arguments": '{"x":'}},
        {"index": 1, "function": {"arguments": "}"}},
        {"index": 0, "function": {"arguments": "1}"}},
    ]
    events = await _tool_events(calls)
    assert _assemble(events) == {0: ("a", "one", '{"x":1}'), 1: ("b", "two", "{}")}
    assert events[-1] == StreamFinished(FinishReason.TOOL_CALLS)


async def test_tool_calls_without_index_are_told_apart() -> None:
    calls: list[dict[str, Any]] = [
        {"id": "a", "function": {"name": "one", "arguments": "{"}},
        {"function": {"arguments": "}"}},
        {"id": "b", "function": {"name": "two", "arguments": "["}},
        {"id": "a", "function": {"arguments": " "}},
        {"id": "b", "function": {"arguments": "]"}},
        {},
    ]
    assert _assemble(await _tool_events(calls)) == {0: ("a", "one", "{} "), 1: ("b", "two", "[]")}


async def _tool_events(calls: list[dict[str, Any]]) -> list[StreamEvent]:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        for call in calls:
            await exchange.delta(tool_calls=[call])
        await exchange.finish("tool_calls")

    async with FaultServer(script) as server:
        tools = [{"type": "function", "function": {"name": name}} for name in ("one", "two")]
        return await ask(provider_for(server.base_url), ChatRequest("m", MESSAGES, extra_fields={"tools": tools}))


def _assemble(events: list[StreamEvent]) -> dict[int, tuple[str | None, str | None, str]]:
    found: dict[int, tuple[str | None, str | None, str]] = {}
    for event in events:
        if isinstance(event, ToolCallDelta):
            call_id, name, arguments = found.get(event.index, (None, None, ""))
            found[event.index] = (call_id or event.call_id, name or event.name, arguments + event.arguments)
    return found


async def test_a_model_that_is_gone_is_told_with_the_nearest() -> None:
    gone = status(404, {"error": {"message": "The model gpt-4o does not exist", "code": "model_not_found"}})
    async with FaultServer(models("gpt-4o-mini", "o3", "gpt-4o-2024-11-20"), gone) as server:
        provider = provider_for(server.base_url)
        await provider.list_models()
        with pytest.raises(ProviderError) as caught:
            await ask(provider, ChatRequest("gpt-4o", MESSAGES))
        await provider.close()
    assert caught.value.next_step == "Choose another model; the nearest are gpt-4o-mini and gpt-4o-2024-11-20."
    assert caught.value.details["nearest"] == ["gpt-4o-mini", "gpt-4o-2024-11-20"]


@pytest.mark.parametrize(("model", "successor"), [("gpt-4", "gpt-5.6-sol"), ("openai/gpt-4", "openai/gpt-5.6-sol")])
async def test_a_retired_model_is_told_with_its_successor_where_that_is_listed(model: str, successor: str) -> None:
    gone = status(404, {"error": {"message": f"The model {model} does not exist", "code": "model_not_found"}})
    for listed, words in ((successor, f"names {successor} in its place"), ("gpt-4-like", "nearest")):
        async with FaultServer(models("gpt-4o-mini", listed), gone) as server:
            provider = provider_for(server.base_url)
            await provider.list_models()
            with pytest.raises(ProviderError) as caught:
                await ask(provider, ChatRequest(model, MESSAGES))
            await provider.close()
        assert words in str(caught.value.next_step)
        assert ("was retired" in str(caught.value.what)) is (listed == successor)


async def test_without_a_model_the_first_one_listed_answers() -> None:
    async with FaultServer(models("first", "second"), answer("Hi")) as server:
        provider = provider_for(server.base_url)
        assert [model.id for model in await provider.list_models()] == ["first", "second"]
        assert provider.usual_model == "first", "so that it can be shown before anything is asked"
        events = [event async for event in provider.stream(ChatRequest("", MESSAGES))]
        assert ModelNamed("first") in events
        assert server.requests[1].json["model"] == "first"
        await provider.close()


async def test_the_model_that_answers_stays_when_a_server_lists_another_first() -> None:
    provider = provider_for("http://127.0.0.1:9/v1")
    provider.remember_models([ListedModel("a", "a"), ListedModel("b", "b")])
    provider.remember_models([ListedModel("new", "new"), ListedModel("a", "a")])
    assert provider.usual_model == "a"
    provider.remember_models([ListedModel("new", "new")])
    assert provider.usual_model == "new"
    await provider.close()


async def test_a_server_without_models_is_named() -> None:
    async with FaultServer(models()) as server:
        provider = provider_for(server.base_url)
        with pytest.raises(ProviderError, match="offers no model"):
            await ask(provider, ChatRequest("", MESSAGES))
        await provider.close()


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (status(401), Kind.UNAUTHORISED),
        (status(200, "nope"), Kind.MALFORMED),
        (status(200, {"data": "x"}), Kind.MALFORMED),
        (status(503), Kind.SERVER),
    ],
)
async def test_listing_models_fails_with_a_sentence(script: Script, kind: Kind) -> None:
    async with FaultServer(script) as server:
        provider = provider_for(server.base_url)
        with pytest.raises(ProviderError) as caught:
            await provider.list_models()
        assert caught.value.kind is kind
        assert caught.value.__context__ is None
        await provider.close()


async def test_listing_models_has_a_deadline() -> None:
    async def silent(exchange: Exchange) -> None:
        await exchange.hang()

    async with FaultServer(silent) as server:
        provider = provider_for(server.base_url, timeouts=StreamLimits(list_models_s=0.2))
        await provider.prepare()
        with pytest.raises(ProviderError) as caught:
            await provider.list_models()
        assert caught.value.kind is Kind.FIRST_BYTE_TIMEOUT
        await server.wait_until_closed()
        await provider.close()


async def test_a_closed_port_is_refused() -> None:
    async with FaultServer(answer()) as server:
        base_url = server.base_url
    assert (await error_of(provider_for(base_url))).kind is Kind.REFUSED


async def test_an_unknown_name_is_not_found() -> None:
    error = await error_of(provider_for("http://no-such-host.invalid/v1", timeouts=StreamLimits(connect_s=5)))
    assert error.kind in {Kind.DNS, Kind.NO_NETWORK}


async def test_no_secure_connection_to_a_plain_server() -> None:
    is_over = asyncio.Event()

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        is_over.set()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        provider = provider_for(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        assert (await error_of(provider)).kind is Kind.TLS
        await is_over.wait()


@pytest.mark.parametrize(
    "base_url", ["localhost:1/v1", "ftp://x/", "http://", "http://[", "http://a b/", "http://h:99999"]
)
async def test_a_base_url_that_is_none_is_named(base_url: str) -> None:
    error = await error_of(provider_for(base_url))
    assert error.what == "The base URL is not a web address."


@pytest.mark.parametrize("login", ["me:hunter2-secret", "me", ":hunter2-secret"])
async def test_a_base_url_with_a_password_is_refused_and_not_used(login: str) -> None:
    async with FaultServer(answer()) as server:
        error = await error_of(provider_for(server.base_url.replace("127.0.0.1", f"{login}@127.0.0.1")))
        assert error.what == "The base URL for 127.0.0.1 contains a user name or a password."
        assert "hunter2" not in f"{error!r}{error.sentence}"
        assert server.total_connections == 0


@pytest.mark.parametrize("key", ["sk-ключ-0000", "sk-\n-0000"])
async def test_a_key_that_cannot_be_sent_is_not_shown(key: str) -> None:
    error = await error_of(provider_for("http://127.0.0.1:1/v1", api_key=key))
    assert error.what == "The API key contains characters that no key has."
    assert "0000" not in f"{error!r}{error.sentence}"


async def test_a_header_that_cannot_be_sent_is_named() -> None:
    error = await error_of(provider_for("http://127.0.0.1:1/v1", headers={"a b": "c"}))
    assert error.what.startswith("One of the extra headers")


async def test_openai_without_key_is_not_asked() -> None:
    provider = provider_for(None)
    assert not provider.is_configured
    assert (await error_of(provider)).kind is Kind.NO_KEY


def test_importing_the_providers_loads_nothing_heavy() -> None:
    code = (
        "import sys, tests.helpers.registries as r\n"
        "r.build_registry(openai_api_key='sk-x', openai_base_url=None, model=None, offline_speed=None)\n"
        "print([m for m in ('openai', 'pydantic') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"


def test_a_request_is_small_by_all_that_it_carries() -> None:
    short = RequestMessage(Role.USER, "Hello")
    picture = RequestMessage(Role.USER, "Hello", images=("data:image/png;base64," + "A" * 60_000,))
    called = RequestMessage(Role.ASSISTANT, "", (ToolCall("c", "f", "x" * 60_000),))
    with_file = RequestMessage(Role.USER, "Hello", files=("x" * 60_000,))
    found = [is_small(ChatRequest("m", [short, each])) for each in (short, picture, called, with_file)]
    assert found == [True, False, False, False]
    assert not is_small(ChatRequest("m", [short] * 51))


async def test_a_model_that_draws_is_asked_for_pictures_in_chats_alone_and_without_where_a_server_refuses() -> None:
    refusal = status(400, {"error": {"message": "Unknown parameter: modalities", "param": "modalities"}})
    async with FaultServer(answer(), answer(), refusal, answer()) as server:
        provider = provider_for(server.base_url)
        provider.remember_models([ListedModel("painter", "Painter", draws=True), ListedModel("writer", "Writer")])
        for request in (
            ChatRequest("writer", MESSAGES, may_draw=True),
            ChatRequest("painter", MESSAGES),
            ChatRequest("painter", MESSAGES, may_draw=True),
        ):
            assert [event async for event in provider.stream(request)][-1] == StreamFinished(FinishReason.STOP)
        await provider.close()
        assert [each.json.get("modalities") for each in server.requests] == [None, None, ["image", "text"], None]
