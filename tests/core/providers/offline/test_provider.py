"""The offline model is the same every time, reacts to the question, and shows every state of the window."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatdesk.core.domain.message import Role
from chatdesk.core.errors import ProviderError
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.base import (
    ChatRequest,
    FinishReason,
    ReasoningDelta,
    RequestMessage,
    RetryScheduled,
    StreamEvent,
    StreamFinished,
    TextDelta,
    ToolCallDelta,
    UsageReported,
)
from chatdesk.core.providers.offline.answers import quote
from chatdesk.core.providers.offline.demo import all_demos
from chatdesk.core.providers.offline.provider import OfflineProvider, split_pieces


async def run(text: str, *, model: str = "", partial: str = "", limit: int | None = None) -> list[StreamEvent]:
    request = ChatRequest(model, [RequestMessage(Role.USER, text)], continue_text=partial, max_output_tokens=limit)
    return [event async for event in OfflineProvider(speed_tokens_per_s=None).stream(request)]


def text_of(events: list[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def test_the_same_question_has_the_same_answer() -> None:
    assert await run("Why is the sky blue?") == await run("Why is the sky blue?")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Write a Python function", "```python"),
        ("Make a table of animals", "|:--|"),
        ("List the steps", "1. **"),
        ("Solve the equation", "$$"),
        ("Explain gravity", "### Explanation"),
        ("Translate hello", "こんにちは"),
        ("Summarise this", "In short"),
        ("hello", "Hello!"),
        ("What can ChatDesk do?", "finds every word of every thread"),
        ("Bananas", "how an answer is drawn"),
        ("", "how an answer is drawn"),
    ],
)
async def test_the_answer_shows_what_was_asked_for(question: str, expected: str) -> None:
    assert expected in text_of(await run(question))


@pytest.mark.parametrize(
    "question", ["Explain the error “database is locked”: what causes it?", "Bananas and zebras", "Plan a zebra"]
)
async def test_the_answer_says_who_it_is_and_how_to_get_a_real_one_and_quotes_nothing(question: str) -> None:
    said = text_of(await run(question))
    assert "demo model" in said or "A real model would answer here" in said
    assert "*Add provider…*" in said
    assert not any(word in said for word in ("locked", "zebra", "Bananas"))


@given(st.text(max_size=400))
def test_a_quotation_stays_on_one_line_and_escapes_markdown(text: str) -> None:
    quoted = quote(text)
    assert quoted.isprintable() or "\xa0" in quoted or all(c.isprintable() or c.isspace() for c in quoted)
    assert "\n" not in quoted
    for sign in "`*_[<|":
        assert quoted.count(sign) == quoted.count(f"\\{sign}")
    quoted.encode()


@given(st.text(max_size=300))
def test_pieces_joined_are_the_text(text: str) -> None:
    assert "".join(split_pieces(text)) == text


@pytest.mark.parametrize("question", ["Explain a table of code", "/demo long", "/demo reasoning", "/demo error"])
async def test_continuing_goes_on_exactly_where_it_stopped(question: str) -> None:
    try:
        whole = text_of(await run(question))
    except ProviderError:
        whole = text_of(await run(question, partial="T")).join(["T", ""])
    for cut in {1, 2, len(whole) // 3, len(whole) - 1, len(whole)}:
        events = await run(question, partial=whole[:cut])
        assert whole[:cut] + text_of(events) == whole
        assert events[-1] == StreamFinished(FinishReason.STOP)


async def test_a_changed_beginning_is_followed_by_the_whole_answer() -> None:
    whole = text_of(await run("Bananas"))
    assert text_of(await run("Bananas", partial="Something else")) == f"\n\n{whole}"


async def test_demo_lists_every_demo() -> None:
    listed = text_of(await run("/demo"))
    assert all(f"`/demo {name}`" in listed for name in all_demos())
    assert "no demo called nonsense" in text_of(await run("/demo nonsense"))


@pytest.mark.parametrize("name", ["long", "code", "table", "math", "markdown", "reasoning"])
async def test_a_demo_ends_well(name: str) -> None:
    events = await run(f"/demo {name}")
    assert len(text_of(events)) > 100
    assert isinstance(events[-2], UsageReported)
    assert events[-2].usage.output_tokens > 20
    assert events[-1] == StreamFinished(FinishReason.STOP)


async def test_the_long_demo_is_long() -> None:
    assert len(text_of(await run("/demo long")).split()) > 4000


@pytest.mark.parametrize("command", ["/demo 429", "/demo error 429"])
async def test_the_429_demo_waits_and_then_fails(command: str) -> None:
    stream = OfflineProvider(speed_tokens_per_s=None).stream(ChatRequest("", [RequestMessage(Role.USER, command)]))
    assert isinstance(await anext(stream), RetryScheduled)
    with pytest.raises(ProviderError) as caught:
        await anext(stream)
    assert caught.value.kind is Kind.RATE_LIMITED
    assert caught.value.retry_after_s == 30


async def test_the_busy_demo_waits_and_then_answers() -> None:
    events = await run("/demo busy")
    assert isinstance(events[0], RetryScheduled)
    assert events[-1] == StreamFinished(FinishReason.STOP)


async def test_the_error_demo_breaks_in_the_middle() -> None:
    stream = OfflineProvider(speed_tokens_per_s=None).stream(
        ChatRequest("", [RequestMessage(Role.USER, "/demo error")])
    )
    events = []
    try:
        async for event in stream:
            events.append(event)
    except ProviderError as error:
        caught = error
    assert caught.kind is Kind.RESET
    assert text_of(events).startswith("This answer breaks off")


async def test_the_reasoning_demo_thinks_first() -> None:
    events = await run("/demo reasoning")
    kinds = [type(event) for event in events]
    assert kinds[0] is ReasoningDelta
    assert kinds.index(TextDelta) == kinds.count(ReasoningDelta)
    assert next(event for event in events if isinstance(event, UsageReported)).usage.reasoning_tokens > 10


async def test_the_tool_demo_calls_a_tool() -> None:
    events = await run("/demo tool")
    calls = [event for event in events if isinstance(event, ToolCallDelta)]
    assert calls[0].name == "get_weather"
    assert "".join(call.arguments for call in calls).startswith('{"city"')
    assert events[-1] == StreamFinished(FinishReason.TOOL_CALLS)


async def test_the_slow_demo_is_slow_at_any_speed() -> None:
    stream = OfflineProvider(speed_tokens_per_s=None).stream(ChatRequest("", [RequestMessage(Role.USER, "/demo slow")]))
    began = time.monotonic()
    await anext(stream)
    await anext(stream)
    assert time.monotonic() - began > 0.2
    await stream.aclose()


async def test_the_length_limit_is_kept() -> None:
    events = await run("/demo long", limit=10)
    assert sum(isinstance(event, TextDelta) for event in events) == 10
    assert events[-1] == StreamFinished(FinishReason.LENGTH)


async def test_the_echo_model_repeats() -> None:
    assert text_of(await run("a *b*", model="offline-echo")) == "You wrote: a \\*b\\*"
    assert text_of(await run(" ", model="offline-echo")) == "You wrote nothing."


async def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(ProviderError) as caught:
        await run("hi", model="gpt-9")
    assert caught.value.kind is Kind.MODEL_NOT_FOUND


@pytest.mark.parametrize("speed", [200.0, 2000.0])
async def test_the_speed_is_kept_evenly(speed: float) -> None:
    provider = OfflineProvider(speed_tokens_per_s=speed)
    began = time.monotonic()
    times = []
    async for event in provider.stream(ChatRequest("", [RequestMessage(Role.USER, "/demo table")])):
        if isinstance(event, TextDelta):
            times.append(time.monotonic() - began)
    assert times[-1] >= (len(times) - 1) / speed * 0.8
    assert all(at >= index / speed - 0.05 for index, at in enumerate(times))


async def test_an_unthrottled_answer_lets_others_run() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.ensure_future(count())
    await run("/demo long")
    task.cancel()
    assert turns > 50
