"""Which provider is the default, and what the others say."""

from __future__ import annotations

import pytest

from chatdesk.core.errors import NotPossible
from chatdesk.core.providers.registry import OPENAI_MODEL, ProviderRegistry
from tests.helpers.fault_server import FaultServer, models, status
from tests.helpers.registries import build_registry


def build(key: str | None = None, url: str | None = None, model: str | None = None) -> ProviderRegistry:
    return build_registry(openai_api_key=key, openai_base_url=url, model=model, offline_speed=None)


@pytest.mark.parametrize(
    ("key", "url", "model", "default", "offered"),
    [
        (None, None, None, ("offline", "offline-demo"), ["offline"]),
        ("", " ", "gpt-x", ("offline", "offline-demo"), ["offline"]),
        (None, None, "offline-echo", ("offline", "offline-echo"), ["offline"]),
        ("sk-1", None, None, ("openai", OPENAI_MODEL), ["openai", "offline"]),
        ("sk-1", None, "gpt-x", ("openai", "gpt-x"), ["openai", "offline"]),
        (None, "http://localhost:1/v1", None, ("openai", ""), ["openai", "offline"]),
        ("sk-1", "http://localhost:1/v1", "m", ("openai", "m"), ["openai", "offline"]),
    ],
)
def test_the_default_follows_the_settings(
    key: str | None, url: str | None, model: str | None, default: tuple[str, str], offered: list[str]
) -> None:
    registry = build(key, url, model)
    assert registry.default() == default
    assert [provider.name for provider in registry.all()] == offered


async def test_a_server_that_was_chosen_is_never_replaced_by_the_offline_model() -> None:
    registry = build_registry(
        openai_api_key=None, openai_base_url=None, model=None, offline_speed=None, is_server_wanted=True
    )
    assert registry.default() == ("openai", OPENAI_MODEL)
    assert [provider.name for provider in registry.all()] == ["openai", "offline"]
    assert registry.lacks_key("openai")
    assert not registry.lacks_key("offline")
    assert not build("sk-1").lacks_key("openai")
    check = (await registry.check_all())[0]
    assert not check.is_reachable
    assert "OPENAI_API_KEY" in check.message


def test_an_unknown_provider_is_named() -> None:
    with pytest.raises(NotPossible, match="no provider called “nope”") as caught:
        build().get("nope")
    assert "offline and openai" in caught.value.next_step


def test_a_provider_without_key_is_still_found() -> None:
    assert build().get("openai").label == "OpenAI"
    assert build(url="http://box.local:8080/v1").get("openai").label == "box.local"


async def test_checks_tell_what_answers() -> None:
    async with FaultServer(models("a", "b")) as server:
        registry = build(url=server.base_url)
        checks = await registry.check_all()
        assert [(check.provider, check.is_reachable) for check in checks] == [("openai", True), ("offline", True)]
        assert checks[0].models == ("a", "b")
        assert checks[0].message == "127.0.0.1 answers and offers 2 models."
        await registry.close()
        await server.wait_until_closed()


async def test_a_check_says_why_not() -> None:
    async with FaultServer(status(401)) as server:
        registry = build("sk-wrong", server.base_url)
        check = (await registry.check_all())[0]
        assert not check.is_reachable
        assert check.message.startswith("127.0.0.1 did not accept the API key.")
        await registry.close()
