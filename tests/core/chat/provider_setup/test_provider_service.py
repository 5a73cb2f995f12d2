"""Setting up, testing and finding providers, as a window does it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from chatdesk.core.chat.provider_setup import provider_service
from chatdesk.core.domain.key_origin import KeyNotAgreed
from chatdesk.core.domain.provider_check import FoundServer, Step, StepState
from chatdesk.core.domain.provider_profile import Header, ProviderProfile
from chatdesk.core.errors import ProviderError
from chatdesk.core.providers.models.nearest import nearest_models
from chatdesk.core.providers.registry import provider_of
from chatdesk.core.settings.key_file import WrongPassphrase
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import SecretNotKept, SecretSource
from tests.helpers.accounts import MemoryKeyring, NoKeyringError, open_book, service_of
from tests.helpers.fault_server import FaultServer, models, status

KEY = "sk-marked-0123456789"
PASSPHRASE = "correct horse battery"
TEAM = ProviderProfile("", "other", "Team", "http://127.0.0.1:9/v1")


async def test_a_new_provider_gets_an_id_and_is_shown_masked(tmp_path: Path) -> None:
    service = service_of(open_book(tmp_path), tmp_path)
    first = await service.save(TEAM, key=KEY)
    second = await service.save(TEAM)
    assert (first.id, second.id) == ("team", "team-2")
    shown = {each.profile.id: each for each in await service.shown()}
    assert shown["team"].key == "sk-••••••••••6789"
    assert shown["team"].key_source is SecretSource.KEYRING
    assert KEY not in repr(shown)
    assert shown["team"].is_local
    await service.keys.forget("team")
    await service.remove("team-2")
    assert [(each.profile.id, each.key) for each in await service.shown()] == [("openai", ""), ("team", "")]


async def test_a_window_that_closes_while_a_provider_is_saved_keeps_it(tmp_path: Path) -> None:
    """No thread is free to write until the one who saves has been cancelled."""
    service = service_of(open_book(tmp_path), tmp_path)
    pool, is_free = ThreadPoolExecutor(1), Event()
    pool.submit(is_free.wait)
    asyncio.get_running_loop().set_default_executor(pool)
    saving = asyncio.ensure_future(service.save(TEAM))
    await asyncio.sleep(0)
    saving.cancel()
    await asyncio.sleep(0)
    is_free.set()
    with pytest.raises(asyncio.CancelledError):
        await saving
    assert open_book(tmp_path).get("team").profile.label == "Team"


async def test_no_other_provider_may_be_named_openai_or_offline(tmp_path: Path) -> None:
    service = service_of(open_book(tmp_path), tmp_path)
    assert (await service.save(replace(TEAM, label="OpenAI"))).id == "openai-2"
    assert (await service.save(replace(TEAM, label="Offline"))).id == "offline-2"


async def test_without_a_keyring_keys_go_into_a_file_or_nowhere(tmp_path: Path) -> None:
    keyring = MemoryKeyring(NoKeyringError())
    book = open_book(tmp_path, keyring=keyring)
    service = service_of(book, tmp_path)
    assert not (await service.keys.state()).has_keyring
    with pytest.raises(SecretNotKept):
        await service.save(TEAM, key=KEY)
    assert (await service.shown())[1].key_source is SecretSource.THIS_RUN
    await service.keys.choose_place(KeyPlace.FILE, passphrase=PASSPHRASE)
    await service.save(replace(TEAM, id="team"), key=KEY)
    assert (await service.shown())[1].key_source is SecretSource.FILE

    later = service_of(open_book(tmp_path, keyring=keyring), tmp_path)
    assert later.keys.is_file_locked
    assert (await later.shown())[1].key == ""
    with pytest.raises(WrongPassphrase):
        await later.keys.unlock("wrong")
    await later.keys.unlock(PASSPHRASE)
    assert (await later.shown())[1].key_source is SecretSource.FILE
    await later.keys.change_passphrase(PASSPHRASE, "maple otter thirty tides")
    assert not later.keys.is_file_locked
    third = service_of(open_book(tmp_path, keyring=keyring), tmp_path)
    with pytest.raises(WrongPassphrase):
        await third.keys.choose_place(KeyPlace.FILE, passphrase=PASSPHRASE)
    await third.keys.choose_place(KeyPlace.FILE, passphrase="maple otter thirty tides")
    assert (await third.keys.state()).place is KeyPlace.FILE


async def test_a_form_is_tested_with_the_kept_key_at_its_own_server_only(tmp_path: Path) -> None:
    async with FaultServer(models("a")) as server, FaultServer(models("a")) as other:
        service = service_of(open_book(tmp_path), tmp_path)
        saved = await service.save(replace(TEAM, base_url=server.base_url), key=KEY)
        _ = [result async for result in service.test(saved)]
        moved = [result async for result in service.test(replace(saved, base_url=other.base_url))]
        assert not other.requests
        assert server.base_url.removesuffix("/v1") in moved[-3].text
        assert other.base_url.removesuffix("/v1") in moved[-3].text
        _ = [result async for result in service.test(replace(TEAM, base_url=other.base_url), key="sk-typed-000000")]
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert other.requests[-1].headers["authorization"] == "Bearer sk-typed-000000"


async def test_saving_another_address_asks_before_the_kept_key_goes_there(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    service = service_of(open_book(tmp_path, keyring=keyring), tmp_path)
    header = Header("X-Token", "token-0123456789", is_secret=True)
    saved = await service.save(replace(TEAM, headers=(header,)), key=KEY)
    moves = (
        replace(saved, base_url="https://elsewhere.example/v1"),
        replace(saved, base_url="http://127.0.0.1:10/v1"),
        replace(saved, proxy="http://127.0.0.1:3128"),
        replace(saved, ca_file=str(tmp_path / "own.pem")),
    )
    for moved in moves:
        with pytest.raises(KeyNotAgreed) as asked:
            await service.save(moved)
        assert "http://127.0.0.1:9" in asked.value.what
        assert (await service.shown())[1].profile.base_url == TEAM.base_url
    await service.set_favourite("team", "m", is_favourite=True)  # nothing moves
    await service.save(moves[0], is_agreed=True)
    account = open_book(tmp_path, keyring=keyring).get("team")
    assert account.key.value == KEY
    assert account.headers == {"X-Token": header.value}
    await service.save(replace(moves[1], headers=()), key="sk-another-0123456789")
    assert open_book(tmp_path, keyring=keyring).get("team").key.value == "sk-another-0123456789"


async def test_a_key_is_sent_unencrypted_only_after_a_yes(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    service = service_of(open_book(tmp_path, keyring=keyring), tmp_path)
    afar = replace(TEAM, base_url="http://192.0.2.1/v1")
    steps = [each async for each in service.test(afar, key=KEY)]
    assert "unencrypted" in next(each for each in steps if each.step is Step.KEY and each.text).text
    with pytest.raises(KeyNotAgreed, match="unencrypted"):
        await service.save(afar, key=KEY)
    await service.save(afar, key=KEY, is_agreed=True)
    book = open_book(tmp_path, keyring=keyring)
    assert book.get("team").key.value == KEY
    await service_of(book, tmp_path).save(book.get("team").profile, key="sk-another-0123456789")


async def test_what_is_withheld_is_shown_and_used_after_a_yes(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    await service_of(open_book(tmp_path, keyring=keyring), tmp_path).save(TEAM, key=KEY)
    file = tmp_path / "providers.json"
    file.write_text(file.read_text().replace("127.0.0.1:9", "127.0.0.1:10"))
    service = service_of(open_book(tmp_path, keyring=keyring), tmp_path)
    assert len(service.withheld) == 1
    shown = (await service.shown())[1]
    assert (shown.key, shown.withheld is not None) == ("", True)
    await service.save(shown.profile)  # as it is, without a word about the key
    assert (await service.shown())[1].key == ""
    await service.keys.agree("team")
    assert service.withheld == ()
    assert (await service.shown())[1].key_source is SecretSource.KEYRING


async def test_a_test_tells_its_steps(tmp_path: Path) -> None:
    async with FaultServer(status(401)) as server:
        service = service_of(open_book(tmp_path), tmp_path)
        results = [result async for result in service.test(replace(TEAM, base_url=server.base_url))]
    assert results[0].state is StepState.RUNNING
    assert next(each for each in results if each.step is Step.KEY).state is StepState.FAILED


async def test_lists_of_models_are_kept_for_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_service, "_is_local", lambda _account: False)
    async with FaultServer(models("a", "b"), models("a", "b", "c"), status(500)) as server:
        book = open_book(tmp_path)
        service = service_of(book, tmp_path)
        saved = await service.save(replace(TEAM, base_url=server.base_url))
        provider = provider_of(book.get(saved.id))
        assert await service.kept_models(saved.id) is None
        for _ in range(2):
            found = await service.models_of(provider)
            assert found is not None
            assert [each.id for each in found.models] == ["a", "b"]
        assert len(server.requests) == 1
        again = service_of(open_book(tmp_path), tmp_path)
        kept = await again.kept_models(saved.id)
        assert kept == found
        asked = await again.models_of(provider, is_asked=True)
        assert asked is not None
        assert len(asked.models) == 3
        with pytest.raises(ProviderError):
            await again.models_of(provider, is_asked=True)
        moved = await again.save(replace(saved, base_url="http://127.0.0.1:9/v1"))
        assert await again.kept_models(moved.id) is None
        await provider.close()


async def test_an_old_list_outlives_a_server_that_is_away(tmp_path: Path) -> None:
    async with FaultServer(models("a"), status(500)) as server:
        book = open_book(tmp_path)
        service = service_of(book, tmp_path)
        saved = await service.save(replace(TEAM, base_url=server.base_url))
        provider = provider_of(book.get(saved.id))
        first = await service.models_of(provider)
        second = await service.models_of(provider)  # on this computer: asked each time
        assert first is not None
        assert second == first
        assert len(server.requests) > 1
        await provider.close()


async def test_a_damaged_list_counts_as_empty(tmp_path: Path) -> None:
    (tmp_path / "model-lists.json").write_text('{"openai": {"address": 1}}')
    assert await service_of(open_book(tmp_path), tmp_path).kept_models("openai") is None


async def test_favourites_are_kept(tmp_path: Path) -> None:
    service = service_of(open_book(tmp_path), tmp_path)
    await service.save(TEAM)
    await service.set_favourite("team", "big", is_favourite=True)
    await service.set_favourite("team", "small", is_favourite=True)
    await service.set_favourite("team", "big", is_favourite=False)
    profile = open_book(tmp_path).get("team").profile
    assert profile.favourites == ("small",)


async def test_servers_that_are_set_up_are_not_offered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = (
        FoundServer("ollama", "Ollama", "http://127.0.0.1:11434/v1"),
        FoundServer("vllm", "vLLM", "http://127.0.0.1:8000/v1"),
    )

    async def find() -> tuple[FoundServer, ...]:
        return here

    monkeypatch.setattr(provider_service, "find_local_servers", find)
    service = service_of(open_book(tmp_path), tmp_path)
    assert await service.find_servers() == here
    await service.save(replace(TEAM, base_url="http://localhost:11434/v1/"))
    assert await service.find_servers() == here[1:]
    await service.use_local_servers(is_on=False)
    assert await service.find_servers() == ()
    assert not open_book(tmp_path).stored.finds_local_servers


def test_the_nearest_models_are_of_the_same_family() -> None:
    names = ["gpt-4o-mini", "gpt-4o-2024-11-20", "o3", "claude-sonnet-5", "meta/llama-3.1-70b"]
    assert nearest_models("gpt-4o", names)[:2] == ["gpt-4o-mini", "gpt-4o-2024-11-20"]
    assert nearest_models("llama-3.1-70b", names)[0] == "meta/llama-3.1-70b"
    assert nearest_models("zzz", names) == []
