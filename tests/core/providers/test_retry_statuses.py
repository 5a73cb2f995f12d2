"""Which statuses are tried again, and how long a Retry-After is obeyed, in seconds or as a date."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.message import Role
from chatdesk.core.errors import ProviderError
from chatdesk.core.providers.base import ChatRequest, RequestMessage, RetryScheduled, TextDelta
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.retry import RetryPolicy
from chatdesk.core.providers.stream_guard import StreamLimits
from tests.helpers.fault_cases import failing, in_seconds
from tests.helpers.fault_server import FaultServer, answer

LIMITS = StreamLimits(longest_wait_s=1.5)
QUESTION = ChatRequest("m", [RequestMessage(Role.USER, "hi")])
TRANSIENT = (408, 409, 429, 500, 502, 503, 529)
FINAL = (400, 401, 402, 403, 404, 413, 422)


async def ask(server: FaultServer) -> tuple[list[float], str, ProviderError | None]:
    """The waits, the text and the error."""
    provider = OpenAICompatibleProvider(
        "t",
        "T",
        Endpoint.of(server.base_url),
        timeouts=LIMITS,
        retry=RetryPolicy(longest_wait_s=1.5, first_wait_s=0.01),
    )
    waits, text = [], ""
    try:
        async for event in provider.stream(QUESTION):
            if isinstance(event, RetryScheduled):
                waits.append(event.delay_s)
            elif isinstance(event, TextDelta):
                text += event.text
    except ProviderError as error:
        return waits, text, error
    finally:
        await provider.close()
    return waits, text, None


@pytest.mark.parametrize("code", TRANSIENT)
async def test_a_passing_failure_is_retried_soon(code: int) -> None:
    async with FaultServer(failing(code), answer("Hi")) as server:
        waits, text, error = await ask(server)
    assert (len(waits), text, error) == (1, "Hi", None)
    assert waits[0] < 0.5


@pytest.mark.parametrize("code", TRANSIENT)
async def test_a_waiting_time_in_seconds_is_obeyed(code: int) -> None:
    async with FaultServer(failing(code, Retry_After="0.2"), answer("Hi")) as server:
        assert await ask(server) == ([0.2], "Hi", None)


@pytest.mark.parametrize("code", TRANSIENT)
async def test_a_waiting_time_as_a_date_is_obeyed(code: int) -> None:
    async with FaultServer(failing(code, Retry_After=in_seconds(1)), answer("Hi")) as server:
        waits, text, error = await ask(server)
    assert (len(waits), text, error) == (1, "Hi", None)
    assert 0 <= waits[0] <= 1


@pytest.mark.parametrize("as_date", [False, True])
@pytest.mark.parametrize("code", TRANSIENT)
async def test_a_long_waiting_time_is_told(code: int, as_date: bool) -> None:
    when = in_seconds(3600) if as_date else "3600"
    async with FaultServer(failing(code, Retry_After=when)) as server:
        waits, _text, error = await ask(server)
    assert waits == []
    assert error is not None
    assert error.next_step in ("Try again in 1 hour.", "Try again in 60 minutes.")


@pytest.mark.parametrize("code", FINAL)
@pytest.mark.parametrize("when", [None, "0"])
async def test_a_lasting_failure_is_not_retried(code: int, when: str | None) -> None:
    headers = {} if when is None else {"Retry_After": when}
    async with FaultServer(failing(code, **headers)) as server:
        waits, _text, error = await ask(server)
        assert (waits, len(server.requests)) == ([], 1)
    assert error is not None
    assert error.details["status"] == code
