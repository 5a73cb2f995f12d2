"""How a server is reached: own certificates, proxies, headers and ids, as a person set them up."""

from __future__ import annotations

import shutil
import ssl
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import httpx2
import pytest

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.provider_check import Step, StepResult, StepState
from chatdesk.core.domain.provider_profile import NO_PROXY, ProviderProfile
from chatdesk.core.errors import ProviderError
from chatdesk.core.providers.accounts import Account
from chatdesk.core.providers.base import ChatRequest, RequestMessage, TextDelta
from chatdesk.core.providers.endpoint import ConnectionOptions, Endpoint
from chatdesk.core.providers.probing import probe
from chatdesk.core.providers.registry import provider_of
from chatdesk.core.providers.stream_guard import StreamLimits
from chatdesk.core.settings.secrets import Secret, SecretSource
from tests.helpers.certificates import Authority
from tests.helpers.fault_server import Exchange, FaultServer, answer, models, status

TEAM = ProviderProfile("team", "other", "Team", "")


async def _listed(profile: ProviderProfile, **headers: str) -> list[str]:
    provider = provider_of(Account(profile, headers=headers), StreamLimits(connect_s=3, list_models_s=5))
    try:
        return [model.id for model in await provider.list_models()]
    finally:
        await provider.close()


async def _steps(profile: ProviderProfile) -> dict[Step, StepResult]:
    async with aclosing(probe(Account(profile))) as results:
        return {result.step: result async for result in results}


async def test_a_certificate_of_ones_own_authority_is_trusted_when_its_file_is_named(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with FaultServer(models("a"), tls=authority.server()) as server:
        known = replace(TEAM, base_url=server.base_url, ca_file=str(authority.ca_file))
        assert await _listed(known) == ["a"]
        steps = await _steps(replace(known, ca_file=""))
    assert steps[Step.TLS].state is StepState.FAILED
    assert "certificate" in steps[Step.TLS].text


async def test_the_systems_certificates_are_read_once_and_again_when_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    authority, other = Authority(tmp_path), Authority(tmp_path / "other")
    trusted = shutil.copy(str(other.ca_file), str(tmp_path / "trusted.pem"))
    system = ssl.DefaultVerifyPaths(trusted, None, "SSL_CERT_FILE", trusted, "SSL_CERT_DIR", "")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: system)
    reads = Mock(wraps=httpx2.create_ssl_context)
    monkeypatch.setattr(httpx2, "create_ssl_context", reads)
    async with FaultServer(models("a"), tls=authority.server()) as server:
        profile = replace(TEAM, base_url=server.base_url)
        for _ in range(2):
            with pytest.raises(ProviderError, match="certificate"):
                await _listed(profile)
        assert reads.call_count == 1
        shutil.copy(str(authority.ca_file), trusted)
        assert [await _listed(profile), await _listed(profile)] == [["a"], ["a"]]
        assert reads.call_count == 2


async def test_a_file_that_holds_no_certificates_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    profile = replace(TEAM, base_url="https://127.0.0.1:9/v1", ca_file=str(tmp_path / "empty.pem"))
    with pytest.raises(ProviderError):
        await _listed(profile)


async def test_an_own_proxy_is_asked_for_the_whole_address() -> None:
    async with FaultServer(models("far")) as proxy:
        address = proxy.base_url.removesuffix("/v1")
        profile = replace(TEAM, base_url="http://far.example/v1", proxy=address)
        assert await _listed(profile) == ["far"]
        assert proxy.requests[0].path == "http://far.example/v1/models"


async def test_the_systems_proxy_is_used_unless_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FaultServer(models("far")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url.removesuffix("/v1"))
        profile = replace(TEAM, base_url="http://far.example/v1")
        assert await _listed(profile) == ["far"]
        with pytest.raises(ProviderError, match="could not be found"):
            await _listed(replace(profile, proxy=NO_PROXY))
        assert len(proxy.requests) == 1


async def test_this_computer_is_reached_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with FaultServer(models("near")) as server:
        assert await _listed(replace(TEAM, base_url=server.base_url)) == ["near"]


async def test_headers_organisation_and_project_go_along() -> None:
    async with FaultServer(models("a")) as server:
        profile = replace(TEAM, base_url=server.base_url, organisation="org-1", project="proj-1")
        await _listed(profile, **{"X-Team": "blue"})
        headers = server.requests[0].headers
    assert (headers["openai-organization"], headers["openai-project"]) == ("org-1", "proj-1")
    assert headers["x-team"] == "blue"


def test_who_needs_a_key() -> None:
    assert not Endpoint.of("https://api.openai.com/v1", None, None).is_configured
    assert Endpoint.of("https://else.example/v1", None, None).is_configured
    assert not Endpoint.of(
        "https://else.example/v1", None, None, connection=ConnectionOptions(needs_key=True)
    ).is_configured


@pytest.mark.parametrize("echo", ["{key}", "{upper}", "{split}"])
async def test_a_key_that_a_server_answers_with_is_hidden(echo: str) -> None:
    key = "sk-proj-Ab3dEf9hIj2kLm4nOp6qRs8t"
    words = echo.format(key=key, upper=key.upper(), split=" ".join(key))
    async with FaultServer(
        answer(f"Your key is {words} I think"), status(400, {"error": {"message": f"bad {words} given"}})
    ) as server:
        profile = replace(TEAM, base_url=server.base_url)
        provider = provider_of(Account(profile, Secret(key, SecretSource.THIS_RUN)))
        request = ChatRequest("m", (RequestMessage(Role.USER, "hi"),))
        try:
            async with aclosing(provider.stream(request)) as events:
                text = "".join([each.text async for each in events if isinstance(each, TextDelta)])
            with pytest.raises(ProviderError) as caught:
                async with aclosing(provider.stream(request)) as events:
                    _ = [each async for each in events]
        finally:
            await provider.close()
    assert text.endswith("[hidden] I think")
    assert "[hidden] given" in caught.value.sentence
    assert "ab3def" not in (text + caught.value.sentence).replace(" ", "").lower()


async def test_no_cookie_is_kept() -> None:
    async def sets_cookie(exchange: Exchange) -> None:
        await exchange.start(headers=[("set-cookie", "follow=me; path=/")])
        await exchange.delta(content="Hi")
        await exchange.finish()

    async with FaultServer(sets_cookie, sets_cookie) as server:
        provider = provider_of(Account(replace(TEAM, base_url=server.base_url)))
        try:
            for _ in range(2):
                async with aclosing(provider.stream(ChatRequest("m", (RequestMessage(Role.USER, "hi"),)))) as events:
                    _ = [each async for each in events]
        finally:
            await provider.close()
        assert len(server.requests) == 2
        assert all("cookie" not in each.headers for each in server.requests)


@pytest.mark.parametrize(
    "given",
    [
        f"https://x.example/v1{ending}"
        for ending in (
            *("", "/", "/chat/completions", "/responses", "/messages/", "/models", "/embeddings", "#"),
            *("/Chat/Completions", "/chat", "/models/gpt-5", "/messages/count_tokens?beta=true", "/responses/compact"),
            *("/audio/speech", "/images/generations", "//"),
        )
    ],
)
def test_the_address_of_a_request_is_that_of_the_server(given: str) -> None:
    assert Endpoint.of(given).base_url == "https://x.example/v1"


@pytest.mark.parametrize("request_name", ["chat", "generate", "tags"])
def test_an_address_of_ollamas_own_protocol_is_that_of_the_usual_one(request_name: str) -> None:
    assert Endpoint.of(f"http://localhost:11434/api/{request_name}").base_url == "http://localhost:11434/v1"


@pytest.mark.parametrize("address", ["https://x.example/chat", "https://x.example/api", "https://x.example/models/v2"])
def test_a_path_that_only_looks_like_a_request_stays(address: str) -> None:
    assert Endpoint.of(address).base_url == address


def test_a_query_stays_behind_the_path_of_each_request() -> None:
    endpoint = Endpoint.of("https://x.example/v1/chat/completions?api-version=2026-01-01&x=")
    assert (endpoint.base_url, endpoint.query) == ("https://x.example/v1", {"api-version": "2026-01-01", "x": ""})


@pytest.mark.parametrize(
    ("host", "is_nearby"),
    [
        *((host, True) for host in ("127.0.0.1", "localhost", "192.168.1.7", "[fd00::1]", "box", "box.local")),
        *((host, False) for host in ("api.openai.com", "8.8.8.8")),
    ],
)
def test_servers_nearby_are_known(host: str, is_nearby: bool) -> None:
    assert Endpoint.of(f"http://{host}/v1").is_nearby is is_nearby
