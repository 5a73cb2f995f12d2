"""Signing in to servers over HTTP: the real process, a real authorization server on loopback, good and bad."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.domain.tools import ServerKind, ServerState, ToolFailed, ToolServer
from chatdesk.core.paths import AppPaths
from chatdesk.core.tools.sign_ins import CLIENT
from chatdesk.core.tools.tool_service import ToolService
from tests.helpers.accounts import MemoryKeyring
from tests.helpers.sign_in_server import (
    FIXED_CLIENT,
    FIXED_SECRET,
    GRANTS,
    HEADERS,
    ISSUERS,
    METADATA,
    RESOURCES,
    UNRENEWED,
    Browser,
    SignInServer,
    sign_in_server,
)
from tests.helpers.tools_world import CALLER, make_service, tool_service


def _at(address: str, **more: str) -> ToolServer:
    return ToolServer("web", "Web", ServerKind.ADDRESS, address=address, **more)  # type: ignore[arg-type]


async def _signed_in(service: ToolService, web: SignInServer, **more: str) -> Browser:
    browser = Browser()
    await service.save(_at(web.address, **more))
    if more:
        await service.sign_ins.keep_client_secret(service.servers[0], FIXED_SECRET)
    assert await service.sign_ins.sign_in("web", browser.open)
    browser.join()
    return browser


async def _echo(service: ToolService) -> str:
    return (await service.call(service.servers[0], "echo", {"text": "grüße"}, caller=CALLER, timeout_s=30)).text


async def test_a_person_signs_in_and_out(tmp_path: Path) -> None:
    with sign_in_server() as web:
        async with tool_service(tmp_path) as service:
            browser = await _signed_in(service, web)
            assert service.servers[0].is_signed_in and await _echo(service) == "grüße"
            (page,) = web.pages
            assert page["resource"] == web.address and page["scope"] == "read" and len(browser.opened) == 1
            assert page["redirect_uri"].startswith("http://127.0.0.1:") and browser.statuses == [200]
            await service.sign_ins.sign_out("web")
            assert not service.servers[0].is_signed_in
            assert await service.tools(service.servers, CALLER) == ()
            assert "asks you to sign in" in service.statuses()[0].problem


async def test_what_is_kept_lies_in_the_keyring_alone_and_holds_after_a_restart(tmp_path: Path) -> None:
    ring = MemoryKeyring()
    with sign_in_server() as web:
        async with tool_service(tmp_path, keyring=ring) as service:
            await _signed_in(service, web)
            assert await _echo(service) == "grüße"
        web.access.clear()
        paths = AppPaths.find(tmp_path / "profile")
        again = make_service(paths, keyring=ring)
        assert await _echo(again) == "grüße" and len(web.pages) == 1
        await again.close()
        assert "refresh_token" in web.grants
        given = [*web.access, *web.refresh]
        files = [each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()]
        assert files and not any(each.encode() in text for each in given for text in files)
        third = make_service(paths, keyring=ring)  # the last one that was renewed was kept
        assert await _echo(third) == "grüße" and len(web.pages) == 1
        await third.close()


async def test_a_token_that_ran_out_is_renewed_before_it_is_sent(tmp_path: Path) -> None:
    ring = MemoryKeyring()
    with sign_in_server() as web:
        async with tool_service(tmp_path, keyring=ring) as service:
            await _signed_in(service, web)
        (name,) = (each for each in ring.kept if each.endswith("signed-in"))
        entry = json.loads(ring.kept[name])
        entry["value"] = json.dumps({**json.loads(entry["value"]), "expires_at": 1.0})
        ring.kept[name] = json.dumps(entry, separators=(",", ":"))
        web.paths.clear()
        again = make_service(AppPaths.find(tmp_path / "profile"), keyring=ring)
        assert await _echo(again) == "grüße" and web.paths[:2] == ["/token", "/mcp"]
        await again.close()


async def test_a_token_that_was_withdrawn_is_renewed_and_nobody_is_asked(tmp_path: Path) -> None:
    with sign_in_server() as web:
        async with tool_service(tmp_path) as service:
            await _signed_in(service, web)
            await _echo(service)
            web.access.clear()
            assert await _echo(service) == "grüße"
            assert web.grants == ["authorization_code", "refresh_token"] and len(web.pages) == 1


@pytest.mark.parametrize(
    "how", [*HEADERS, *RESOURCES, *ISSUERS, *(each for each in METADATA if each != "bare"), *GRANTS]
)
async def test_a_server_that_describes_it_in_its_own_way_is_signed_in_to(tmp_path: Path, how: str) -> None:
    with sign_in_server(how) as web:
        async with tool_service(tmp_path) as service:
            await service.save(_at(web.address))
            assert await service.tools(service.servers, CALLER) == ()
            assert "asks you to sign in" in service.statuses()[0].problem
            await _signed_in(service, web)
            assert await _echo(service) == "grüße"
            web.access.clear()
            assert await _echo(service) == "grüße" and len(web.pages) == 1


@pytest.mark.parametrize("how", UNRENEWED)
async def test_a_token_that_cannot_be_renewed_asks_to_sign_in(tmp_path: Path, how: str) -> None:
    with sign_in_server(how) as web:
        async with tool_service(tmp_path) as service:
            await _signed_in(service, web)
            assert await _echo(service) == "grüße"
            web.access.clear()
            with pytest.raises(ToolFailed, match="asks you to sign in"):
                await _echo(service)
            assert len(web.pages) == 1


async def test_a_sign_in_that_ended_asks_and_opens_nothing(tmp_path: Path) -> None:
    with sign_in_server() as web:
        async with tool_service(tmp_path) as service:
            await _signed_in(service, web)
            web.access.clear()
            web.refresh.clear()
            assert await service.tools(service.servers, CALLER) == ()
            status = service.statuses()[0]
            assert status.state is ServerState.FAILED and "asks you to sign in" in status.problem
            assert len(web.pages) == 1


async def test_a_client_that_was_registered_by_hand_signs_in_with_its_secret(tmp_path: Path) -> None:
    with sign_in_server("no-registration") as web:
        async with tool_service(tmp_path) as service:
            await _signed_in(service, web, client_id=FIXED_CLIENT)
            assert await _echo(service) == "grüße" and web.pages[0]["client_id"] == FIXED_CLIENT
        files = [each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()]
        assert not any(FIXED_SECRET.encode() in text for text in files)


async def test_nothing_is_asked_or_registered_before_a_person_wants_to_sign_in(tmp_path: Path) -> None:
    with sign_in_server() as web:
        async with tool_service(tmp_path) as service:
            await service.save(_at(web.address))
            assert await service.tools(service.servers, CALLER) == ()
            assert set(web.paths) == {"/mcp"} and "asks you to sign in" in service.statuses()[0].problem


async def test_another_address_is_not_signed_in_to(tmp_path: Path) -> None:
    with sign_in_server() as web, sign_in_server() as other:
        async with tool_service(tmp_path) as service:
            await _signed_in(service, web)
            await service.save(replace(service.servers[0], address=other.address))
            assert not service.servers[0].is_signed_in and await service.tools(service.servers, CALLER) == ()
            assert not any("access-" in each.get("Authorization", "") for each in other.headers)


async def test_an_open_address_is_not_signed_in_to(tmp_path: Path) -> None:
    async with tool_service(tmp_path) as service:
        await service.save(_at("http://tools.example/mcp"))
        with pytest.raises(ToolFailed, match="cannot be signed in to"):
            await service.sign_ins.sign_in("web", Browser().open)


async def test_an_answer_with_another_state_changes_nothing(tmp_path: Path) -> None:
    """Any page that the person has open could send one to the port; the real answer comes after it."""

    def spoiled(address: str) -> list[str]:
        return [f"{address.partition('?')[0]}?code=stolen&state=guessed", f"{address}&state=guessed", address, address]

    with sign_in_server() as web:
        async with tool_service(tmp_path) as service:
            browser = Browser(spoiled)
            await service.save(_at(web.address))
            assert await service.sign_ins.sign_in("web", browser.open)
            browser.join()
            assert browser.statuses[:3] == [400, 400, 200] and 200 not in browser.statuses[3:]
            assert web.grants == ["authorization_code"]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("declined", "was declined"),
        ("mix-up", "contradict each other"),
        ("wrong-issuer", "contradict each other"),
        ("other-resource", "contradict each other"),
        ("open-page", "others could read"),
        ("page-elsewhere", "of another site than"),
        ("open-token", "others could read"),
        ("redirected-token", "did not accept"),
        ("no-registration", "does not let ChatDesk register"),
        ("huge", "sent too much"),
        ("redirect", "did not accept"),
        ("private-issuer", "on this computer or its network"),
    ],
)
async def test_an_attack_ends_the_sign_in_with_words(tmp_path: Path, how: str, words: str) -> None:
    with sign_in_server() as other, sign_in_server(how, elsewhere=other.base) as web:
        async with tool_service(tmp_path) as service:
            browser = Browser()
            await service.save(_at(web.address))
            with pytest.raises(ToolFailed, match=words):
                await service.sign_ins.sign_in("web", browser.open)
            browser.join()
            assert not other.paths and not web.grants and not service.servers[0].is_signed_in


@pytest.mark.parametrize("client_id", ["", FIXED_CLIENT])
async def test_signing_out_withdraws_the_tokens_at_the_server(tmp_path: Path, client_id: str) -> None:
    with sign_in_server() as web:
        async with tool_service(tmp_path) as service:
            await _signed_in(service, web, **({"client_id": client_id} if client_id else {}))
            assert web.access and web.refresh
            assert await service.sign_ins.sign_out("web")
            assert not web.access and not web.refresh and not service.servers[0].is_signed_in
            assert not await service.sign_ins.sign_out("web")


@pytest.mark.parametrize("how", ["no-revocation", "open-revocation", "revoke-fails"])
async def test_whatever_the_server_does_a_person_is_signed_out_here(tmp_path: Path, how: str) -> None:
    ring = MemoryKeyring()
    with sign_in_server(how) as web:
        async with tool_service(tmp_path, keyring=ring) as service:
            await _signed_in(service, web)
            assert not await service.sign_ins.sign_out("web")
            assert not service.servers[0].is_signed_in and web.refresh
            assert not any(each.endswith("signed-in") for each in ring.kept)
            assert ("/revoke" in web.paths) == (how == "revoke-fails")


async def test_the_secret_of_another_client_is_forgotten(tmp_path: Path) -> None:
    ring = MemoryKeyring()
    async with tool_service(tmp_path, keyring=ring) as service:
        await service.save(_at("https://web.example/mcp", client_id="one"), {CLIENT: FIXED_SECRET})
        assert service.sign_ins.values(service.servers[0])["client_secret"] == FIXED_SECRET
        await service.save(replace(service.servers[0], name="Other"))
        assert service.sign_ins.values(service.servers[0])["client_secret"] == FIXED_SECRET
        await service.save(replace(service.servers[0], client_id="two"))
        assert not service.sign_ins.values(service.servers[0])["client_secret"]
