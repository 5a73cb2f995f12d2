"""What *Test* says, against real servers on loopback."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import replace

import pytest

from chatdesk.core.domain.provider_check import Step, StepResult, StepState
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.providers import probing
from chatdesk.core.providers.accounts import Account
from chatdesk.core.providers.probing import probe
from chatdesk.core.settings.secrets import Secret, SecretSource
from tests.helpers.fault_server import Exchange, FaultServer, Script, answer, models, status

OK, FAILED, SKIPPED = StepState.OK, StepState.FAILED, StepState.SKIPPED


def account(url: str, key: str = "", **more: object) -> Account:
    profile = ProviderProfile("team", "other", "Team", url)
    return Account(replace(profile, **more), Secret(value=key, source=SecretSource.THIS_RUN))  # type: ignore[arg-type]


async def ends(tested: Account) -> dict[Step, StepResult]:
    async with aclosing(probe(tested)) as results:
        found = [result async for result in results if result.state is not StepState.RUNNING]
    assert [result.step for result in found] == list({result.step: 0 for result in found}), "one end each"
    return {result.step: result for result in found}


def by_path(listing: Script, chat: Script) -> Script:
    async def script(exchange: Exchange) -> None:
        await (listing if exchange.request.path.endswith("/models") else chat)(exchange)

    return script


async def test_all_that_works_is_said() -> None:
    async with FaultServer(by_path(models("a", "b"), answer("ok"))) as server:
        found = await ends(account(server.base_url, "sk-good-key-1234"))
        await server.wait_until_closed()
    assert {step: result.state for step, result in found.items()} == {
        Step.ADDRESS: OK,
        Step.TLS: SKIPPED,
        Step.KEY: OK,
        Step.MODELS: OK,
        Step.STREAMING: OK,
    }
    assert found[Step.MODELS].models == 2
    sent = server.requests[-1].json
    assert (sent["model"], sent["stream"], sent["max_tokens"]) == ("a", True, 16)


async def test_a_server_without_key_or_list_works_too() -> None:
    async with FaultServer(by_path(status(404), answer("ok"))) as server:
        found = await ends(account(server.base_url, model="mine"))
        unknown = await ends(account(server.base_url))
    assert found[Step.KEY].text == "No key is needed."
    assert found[Step.MODELS].state is SKIPPED
    assert found[Step.STREAMING].state is OK
    assert unknown[Step.STREAMING].text.startswith("No model to ask")


@pytest.mark.parametrize("refusing", ["list", "answer"])
async def test_a_key_that_is_refused_is_named_with_its_status(refusing: str) -> None:
    no = status(401, {"error": {"message": "bad key sk-wrong-key-12345"}})
    script = by_path(no if refusing == "list" else models("a"), no)
    async with FaultServer(script) as server:
        found = await ends(account(server.base_url, "sk-wrong-key-12345"))
    assert found[Step.ADDRESS].state is OK
    assert found[Step.KEY].state is FAILED
    assert found[Step.KEY].text.startswith("401: Team did not accept the API key.")
    assert all("sk-wrong" not in result.text for result in found.values())
    assert found[Step.STREAMING].state is SKIPPED


async def test_an_account_without_credit_has_a_good_key() -> None:
    async with FaultServer(by_path(models("a"), status(402))) as server:
        found = await ends(account(server.base_url, "sk-good-key-1234"))
    assert found[Step.KEY].state is OK
    assert found[Step.STREAMING].state is FAILED
    assert "credit" in found[Step.STREAMING].text


async def test_a_closed_port_is_said_at_once() -> None:
    async with FaultServer(status(500)) as server:
        url = server.base_url
    began = time.monotonic()
    found = await ends(account(url))
    assert time.monotonic() - began < 20  # and not the 35 of a whole test
    assert "refused the connection" in found[Step.ADDRESS].text
    assert [found[step].state for step in Step] == [FAILED, SKIPPED, SKIPPED, SKIPPED, SKIPPED]


async def test_an_unknown_host_name_is_reported() -> None:
    found = await ends(account("http://nobody.example/v1"))
    assert "could not be found" in found[Step.ADDRESS].text


async def test_plain_text_where_tls_was_due_is_a_matter_of_tls() -> None:
    async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        found = await ends(account(f"https://127.0.0.1:{port}/v1"))
    assert found[Step.TLS].state is FAILED
    assert found[Step.ADDRESS].state is OK


@pytest.mark.parametrize(
    ("listing", "words"),
    [(status(500), "internal error"), (status(200, "<html>", content_type="text/html"), "cannot read")],
)
async def test_what_is_wrong_with_the_list_is_said(listing: Script, words: str) -> None:
    async with FaultServer(listing) as server:
        found = await ends(account(server.base_url))
    assert found[Step.MODELS].state is FAILED
    assert words in found[Step.MODELS].text


async def test_an_empty_list_leaves_nobody_to_ask() -> None:
    async with FaultServer(models()) as server:
        found = await ends(account(server.base_url))
    assert found[Step.STREAMING].text == "The server offers no model."


async def test_a_model_that_only_thinks_in_those_few_tokens_streams() -> None:
    async def thinking(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.finish("length")

    async with FaultServer(by_path(models("a"), thinking)) as server:
        found = await ends(account(server.base_url))
    assert found[Step.STREAMING].state is OK


async def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "_TOTAL_S", 0.2)
    async with FaultServer(lambda exchange: exchange.hang()) as server:
        found = await ends(account(server.base_url))
        await server.wait_until_closed()
    assert found[Step.ADDRESS].text == "This took too long."


async def test_a_test_that_is_cancelled_closes_its_connection() -> None:
    async with FaultServer(lambda exchange: exchange.hang()) as server:
        task = asyncio.ensure_future(ends(account(server.base_url)))
        await server.wait_for_requests()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.wait_until_closed()
