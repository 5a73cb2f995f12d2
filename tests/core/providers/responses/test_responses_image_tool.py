"""The image tool of the Responses protocol, which a person switches on."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.provider_profile import Api, ProviderProfile
from chatdesk.core.errors import ProviderError
from chatdesk.core.providers.accounts import Account
from chatdesk.core.providers.base import ChatRequest, PictureDelta, Provider, RequestMessage, StreamEvent
from chatdesk.core.providers.registry import build_account_registry
from chatdesk.core.settings.secrets import Secret, SecretSource
from tests.helpers.drawn_pictures import as_url, by_image_tool, drawn
from tests.helpers.fault_server import FaultServer, status

TOOL = {"type": "image_generation", "partial_images": 1}
LOOK = {"type": "function", "function": {"name": "look"}}
DRAW = ChatRequest("m", (RequestMessage(Role.USER, "Draw!"),), may_draw=True)


def provider_of(server: FaultServer, *, has_image_tool: bool) -> Provider:
    profile = ProviderProfile("drawn", "other", "Drawn", server.base_url, Api.RESPONSES, ())
    account = Account(profile, Secret(value="sk-test-0123456789", source=SecretSource.THIS_RUN), {})
    return build_account_registry(
        [account], chosen="drawn", model="m", offline_speed=None, has_image_tool=has_image_tool
    ).get("drawn")


async def ask(provider: Provider, *requests: ChatRequest) -> list[StreamEvent]:
    try:
        return [event for request in requests for event in [each async for each in provider.stream(request)]]
    finally:
        await provider.close()


async def test_a_picture_is_asked_for_and_comes() -> None:
    picture = drawn()
    async with FaultServer(by_image_tool(picture)) as server:
        events = await ask(provider_of(server, has_image_tool=True), DRAW)
    assert server.requests[0].json["tools"] == [TOOL]
    assert as_url(picture) in [each.url for each in events if isinstance(each, PictureDelta)]


async def test_it_stands_beside_the_tools_of_the_request() -> None:
    request = ChatRequest("m", DRAW.messages, may_draw=True, extra_fields={"tools": [LOOK]})
    async with FaultServer(by_image_tool(drawn())) as server:
        await ask(provider_of(server, has_image_tool=True), request)
    names = [each.get("name", each["type"]) for each in server.requests[0].json["tools"]]
    assert names == ["look", "image_generation"]


async def test_neither_a_title_nor_whoever_left_it_off_asks_for_it() -> None:
    async with FaultServer(by_image_tool(drawn())) as server:
        await ask(provider_of(server, has_image_tool=True), ChatRequest("m", DRAW.messages))
        await ask(provider_of(server, has_image_tool=False), DRAW)
    assert ["tools" in each.json for each in server.requests] == [False, False]


@pytest.mark.parametrize(
    "words", ["Tool 'image_generation' is not supported with m.", "tools[0].type: must be function"]
)
async def test_a_server_that_refuses_it_answers_without(words: str) -> None:
    refusal = status(400, {"error": {"message": words, "param": "tools"}})
    async with FaultServer(refusal, by_image_tool(drawn())) as server:
        await ask(provider_of(server, has_image_tool=True), DRAW, DRAW)
    assert ["tools" in each.json for each in server.requests] == [True, False, False]


async def test_a_refusal_of_other_tools_is_reported() -> None:
    refusal = status(400, {"error": {"message": "tools are not supported"}})
    request = ChatRequest("m", DRAW.messages, may_draw=True, extra_fields={"tools": [LOOK]})
    async with FaultServer(refusal) as server:
        with pytest.raises(ProviderError, match="tools are not supported"):
            await ask(provider_of(server, has_image_tool=True), request)
    assert [len(each.json["tools"]) for each in server.requests] == [2, 1]
