"""What a vendor is told to keep of a request, and what two turns of a thread have in common on the wire."""

from __future__ import annotations

import copy
import json
from contextlib import aclosing
from typing import Any

import pytest

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.model_info import Price
from chatdesk.core.domain.provider_profile import Dialect, ProviderProfile
from chatdesk.core.domain.usage import CacheLife, Usage
from chatdesk.core.providers.accounts import Account
from chatdesk.core.providers.anthropic.provider import AnthropicProvider
from chatdesk.core.providers.base import ChatRequest, RequestMessage, StreamFinished, UsageReported
from chatdesk.core.providers.chat.answer_reader import AnswerReader
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.readers.anthropic_reader import AnthropicReader
from chatdesk.core.providers.registry import provider_of
from chatdesk.core.providers.responses.provider import ResponsesProvider
from chatdesk.core.settings.presets import PRESETS
from chatdesk.core.settings.secrets import Secret
from tests.core.providers.test_providers_other_protocols import sse
from tests.helpers.fault_server import FaultServer, status

MARK = {"type": "ephemeral"}
MODEL = "anthropic/claude-sonnet-5"
TURNS = (
    RequestMessage(Role.SYSTEM, "Be brief."),
    RequestMessage(Role.SYSTEM, "Summary of the earlier messages: they met."),
    RequestMessage(Role.USER, "One?"),
    RequestMessage(Role.ASSISTANT, "1."),
    RequestMessage(Role.USER, "Two?", images=("data:image/png;base64,AAAA",)),
    RequestMessage(Role.ASSISTANT, "2."),
    RequestMessage(Role.USER, "Three?"),
)
KINDS: tuple[type[OpenAICompatibleProvider], ...] = (OpenAICompatibleProvider, AnthropicProvider, ResponsesProvider)


def _provider(kind: type[OpenAICompatibleProvider], url: str = "http://127.0.0.1:9/v1") -> OpenAICompatibleProvider:
    return kind("test", "Testhost", Endpoint.of(url, "sk-test-0123456789"), dialect=Dialect(passes_cache_marks=True))


async def _body(provider: OpenAICompatibleProvider, messages: Any, **options: Any) -> dict[str, Any]:
    found = json.loads(await provider.wire_body(ChatRequest(MODEL, messages, **options)))
    assert isinstance(found, dict)
    return found


def _marked(pieces: Any) -> list[str]:
    """The texts that a mark is at."""
    found: list[str] = []
    for message in pieces:
        content = message["content"] if isinstance(message["content"], list) else []
        found += [str(piece.get("text", piece["type"])) for piece in content if "cache_control" in piece]
    return found


async def test_anthropic_is_told_to_keep_the_prompt_the_last_turn_and_this_one() -> None:
    body = await _body(_provider(AnthropicProvider), TURNS, cache=CacheLife.MINUTES)
    assert body["system"][-1]["cache_control"] == MARK
    assert _marked(body["messages"]) == ["Two?", "Three?"]
    plain = await _body(_provider(AnthropicProvider), TURNS)
    assert "cache_control" not in json.dumps(plain)


async def test_an_hour_is_asked_for_by_name() -> None:
    body = await _body(_provider(AnthropicProvider), TURNS[2:3], cache=CacheLife.HOUR)
    assert body["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


async def test_a_gateway_hands_the_marks_on_for_models_that_know_them() -> None:
    provider = _provider(OpenAICompatibleProvider)
    body = await _body(provider, TURNS, cache=CacheLife.MINUTES)
    rules = "Be brief.\n\nSummary of the earlier messages: they met."
    assert _marked(body["messages"]) == [rules, "image_url", "Three?"]
    other = json.loads(await provider.wire_body(ChatRequest("openai/gpt-5", TURNS, cache=CacheLife.MINUTES)))
    assert "cache_control" not in json.dumps(other)
    assert [message["content"] for message in other["messages"][:2]] == [rules, TURNS[2].text]


@pytest.mark.parametrize(("preset", "has_marks"), [("openrouter", True), ("openai", False), ("other", False)])
async def test_only_gateways_that_are_known_to_hand_them_on_get_marks(preset: str, has_marks: bool) -> None:
    profile = ProviderProfile("mine", preset, "Mine", PRESETS[preset].base_url or "http://127.0.0.1:9/v1")
    provider = provider_of(Account(profile, Secret(value="sk-test-0123456789"), {}))
    body = await _body(provider, TURNS, cache=CacheLife.MINUTES)
    assert ("cache_control" in json.dumps(body)) is has_marks


def _without_marks(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_marks(each) for name, each in value.items() if name != "cache_control"}
    return [_without_marks(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", KINDS)
async def test_two_turns_share_their_beginning_byte_for_byte(kind: type[OpenAICompatibleProvider]) -> None:
    """All of the first request but its end is the beginning of the second one. Marks move on; the vendor compares what
    is before them."""
    provider, field = _provider(kind), "input" if kind is ResponsesProvider else "messages"
    for life in CacheLife:
        first, second = [_without_marks(await _body(provider, TURNS[:count], cache=life)) for count in (5, 7)]
        assert first.get("system") == second.get("system")
        items = [json.dumps(body[field], ensure_ascii=False)[:-1] for body in (first, second)]
        assert items[1].startswith(items[0])
        assert len(items[1]) > len(items[0])


async def test_where_marks_are_refused_the_answer_comes_without_them() -> None:
    refused = {"error": {"message": "messages.0: unknown field cache_control", "type": "invalid_request_error"}}
    answer: list[dict[str, object]] = [
        {"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 0}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Yes."}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    ]
    async with FaultServer(status(400, refused), sse(*answer)) as server:
        provider = _provider(AnthropicProvider, server.base_url)
        async with aclosing(provider.stream(ChatRequest("m", TURNS[2:3], cache=CacheLife.MINUTES))) as stream:
            events = [event async for event in stream]
        await provider.close()
    assert isinstance(events[-1], StreamFinished)
    assert any(isinstance(event, UsageReported) for event in events)
    assert [b"cache_control" in request.body for request in server.requests] == [True, False]


def test_anthropic_says_what_was_written_and_for_how_long() -> None:
    reader = AnthropicReader()
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 500,
        "cache_creation_input_tokens": 70,
        "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 40},
        "output_tokens": 3,
    }
    list(reader.feed({"type": "message_start", "message": {"usage": copy.deepcopy(usage)}}))
    assert reader.usage == Usage(580, 3, cached_tokens=500, written_tokens=70, written_hour_tokens=40)


@pytest.mark.parametrize(
    "figures",
    [
        {"prompt_tokens_details": {"cached_tokens": 500, "cache_write_tokens": 70}},
        {"prompt_tokens_details": {"cached_tokens": 500}, "cache_creation_input_tokens": 70},
        {"prompt_cache_hit_tokens": 500, "cache_creation_input_tokens": 70},
    ],
)
def test_gateways_say_it_in_several_ways(figures: dict[str, Any]) -> None:
    reader = AnswerReader()
    list(reader.feed({"choices": [], "usage": {"prompt_tokens": 580, "completion_tokens": 3, **figures}}))
    assert reader.usage == Usage(580, 3, cached_tokens=500, written_tokens=70)


def test_more_than_was_read_cannot_have_been_written() -> None:
    reader = AnswerReader()
    details = {"cached_tokens": 90, "cache_write_tokens": 5_000}
    list(
        reader.feed(
            {"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 1, "prompt_tokens_details": details}}
        )
    )
    assert reader.usage == Usage(100, 1, cached_tokens=90, written_tokens=10)


def test_each_kind_of_token_has_its_price() -> None:
    price = Price(input=2, cached_input=0.2, output=10, written_input=2.5, written_hour_input=4)
    usage = Usage(1_000_000, 100_000, cached_tokens=500_000, written_tokens=300_000, written_hour_tokens=100_000)
    assert price.cost(usage) == pytest.approx(0.2 * 2 + 0.5 * 0.2 + 0.2 * 2.5 + 0.1 * 4 + 0.1 * 10)
    # Without a price of their own they cost what other input does.
    assert Price(2, 0.2, 10).cost(usage) == pytest.approx(0.5 * 2 + 0.5 * 0.2 + 0.1 * 10)
