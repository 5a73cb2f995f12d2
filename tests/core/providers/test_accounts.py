"""What the file, the settings, the environment and the keyring say together."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.domain.key_origin import WithheldFor
from chatdesk.core.domain.provider_profile import Header, ProviderProfile
from chatdesk.core.errors import InvalidInput, NotPossible, ProviderError
from chatdesk.core.providers.accounts import AccountBook
from chatdesk.core.providers.key_rules import is_known, origin_of
from chatdesk.core.providers.registry import OPENAI_MODEL, ProviderRegistry, build_account_registry, provider_of
from chatdesk.core.settings.providers_store import FILE_NAME, KeyPlace
from chatdesk.core.settings.schema import Settings
from chatdesk.core.settings.secrets import SecretNotKept, SecretSource
from tests.helpers.accounts import MemoryKeyring, NoKeyringError, open_book

GROQ = ProviderProfile("groq", "groq", "Groq", "https://api.groq.com/openai/v1")
TEAM = ProviderProfile("team", "other", "Team", "http://127.0.0.1:1/v1", model="m")
KEY = "sk-marked-0123456789"


def registry_of(book: AccountBook, chosen: str = "auto", model: str | None = None) -> ProviderRegistry:
    return build_account_registry(book.accounts, chosen=chosen, model=model, offline_speed=None)


def test_without_a_file_the_settings_describe_the_only_provider(tmp_path: Path) -> None:
    settings = Settings(openai_base_url="http://box.local:8080/v1", openai_headers={"X-Team": "blue"})
    (account,) = open_book(tmp_path, settings=settings).accounts
    assert account.profile.label == "box.local"
    assert account.headers == {"X-Team": "blue"}
    assert not account.is_kept
    (usual,) = open_book(tmp_path).accounts
    assert (usual.profile.id, usual.profile.label, usual.variable) == ("openai", "OpenAI", "OPENAI_API_KEY")


def test_a_key_lies_in_the_keyring_and_a_variable_wins(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    book = open_book(tmp_path, keyring=keyring)
    book.save(GROQ)
    book.save(book.get("groq").profile, key=f" {KEY}\n")
    assert keyring.values == {"groq": KEY}
    assert KEY not in (tmp_path / FILE_NAME).read_text()
    again = open_book(tmp_path, keyring=keyring).get("groq")
    assert (again.key.value, again.key.source) == (KEY, SecretSource.KEYRING)
    assert KEY not in repr(again)
    decided = open_book(tmp_path, keyring=keyring, environ={"GROQ_API_KEY": "from-variable"}).get("groq")
    assert (decided.key.value, decided.key.source) == ("from-variable", SecretSource.ENVIRONMENT)


def test_a_vendors_variable_goes_to_its_own_host_only(tmp_path: Path) -> None:
    book = open_book(tmp_path, environ={"GROQ_API_KEY": KEY, "AZURE_OPENAI_API_KEY": "azure-key"})
    book.save(replace(GROQ, base_url="https://elsewhere.example/v1"))
    assert book.get("groq").key.value == ""


@pytest.mark.parametrize("host", ["your-resource", "YOUR-RESOURCE", "attacker"])
@pytest.mark.parametrize("provider", ["azure", "mine"])
@pytest.mark.parametrize("address", ["https://{}.openai.azure.com/openai/v1", "https://{}.openai.azure.com"])
def test_no_resource_is_the_vendors_own_not_even_that_of_the_example(
    tmp_path: Path, host: str, provider: str, address: str
) -> None:
    book = open_book(tmp_path, keyring=MemoryKeyring(), environ={"AZURE_OPENAI_API_KEY": "azure-key"})
    profile = ProviderProfile(provider, "azure", "Azure", address.format(host))
    book.save(profile)
    assert book.get(provider).key.value == "" and book.get(provider).withheld is not None
    assert not is_known(profile, origin_of(profile))


@pytest.mark.parametrize(
    ("endpoint", "is_agreed", "is_sent"),
    [
        ("", False, False),
        ("", True, True),
        ("https://team.openai.azure.com/", False, True),
        ("https://team.openai.azure.com/openai/v1", False, True),
        ("https://other.openai.azure.com", False, False),
        ("https://other.openai.azure.com", True, True),
    ],
)
def test_the_key_of_a_resource_goes_to_the_resource_that_the_environment_names(
    tmp_path: Path, endpoint: str, is_agreed: bool, is_sent: bool
) -> None:
    environ = {"AZURE_OPENAI_API_KEY": "azure-key", "AZURE_OPENAI_ENDPOINT": endpoint}
    book = open_book(tmp_path, keyring=MemoryKeyring(), environ=environ)
    azure = ProviderProfile("az", "azure", "Azure", "https://team.openai.azure.com/openai/v1")
    book.save(azure, is_agreed=is_agreed)
    assert book.get("az").key.value == ("azure-key" if is_sent else "")


def test_the_address_of_the_environment_wins(tmp_path: Path) -> None:
    book = open_book(tmp_path)
    book.save(ProviderProfile("openai", "openai", "OpenAI", "https://kept.example/v1"))
    address = "http://127.0.0.1:9/v1"
    settings = Settings(openai_base_url=address)
    again = open_book(tmp_path, environ={"OPENAI_BASE_URL": address}, settings=settings)
    account = again.get("openai")
    assert (account.profile.base_url, account.fixed) == (address, {"base_url"})


def test_headers_that_are_keys_lie_with_the_keys(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    book = open_book(tmp_path, keyring=keyring)
    book.save(replace(TEAM, headers=(Header("X-Auth-Token", KEY), Header("X-Team", "blue"))))
    assert KEY not in (tmp_path / FILE_NAME).read_text()
    assert keyring.values == {"team/x-auth-token": KEY}
    again = open_book(tmp_path, keyring=keyring)
    assert again.get("team").headers == {"X-Auth-Token": KEY, "X-Team": "blue"}
    again.save(again.get("team").profile)
    assert again.get("team").headers["X-Auth-Token"] == KEY
    again.save(replace(TEAM, headers=()))
    assert keyring.kept == {}


def test_removing_takes_the_keys_along(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    book = open_book(tmp_path, keyring=keyring)
    book.save(replace(TEAM, headers=(Header("Authorization", KEY, is_secret=True),)))
    book.save(book.get("team").profile, key=KEY)
    book.remove("team")
    assert keyring.kept == {}
    with pytest.raises(NotPossible):
        book.get("team")
    assert [each.profile.id for each in open_book(tmp_path, keyring=keyring).accounts] == ["openai"]


def test_without_a_keyring_a_key_holds_for_this_run(tmp_path: Path) -> None:
    book = open_book(tmp_path, keyring=MemoryKeyring(NoKeyringError()))
    book.save(GROQ)
    with pytest.raises(SecretNotKept):
        book.save(book.get("groq").profile, key=KEY)
    assert book.get("groq").key.source is SecretSource.THIS_RUN
    book.use(key_place=KeyPlace.MEMORY)
    book.save(book.get("groq").profile, key=KEY)
    assert book.get("groq").key.value == KEY
    book.forget_key("groq")
    assert book.get("groq").key.value == ""
    assert all(KEY not in path.read_text() for path in tmp_path.iterdir())


def test_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        open_book(tmp_path).save(replace(GROQ, label=""))
    assert not (tmp_path / FILE_NAME).exists()


def test_the_first_that_has_all_it_needs_is_the_default(tmp_path: Path) -> None:
    book = open_book(tmp_path, environ={"GROQ_API_KEY": KEY})
    assert registry_of(book).default()[0] == "offline"
    book.save(TEAM)
    book.save(GROQ)
    assert registry_of(book).default() == ("team", "m")
    assert [each.name for each in registry_of(book).all()] == ["team", "groq", "offline"]
    assert registry_of(book, "groq", "big").default() == ("groq", "big")
    assert registry_of(book, "offline").default()[0] == "offline"
    assert registry_of(book, "gone").default()[0] == "team"
    book.save(replace(GROQ, favourites=("liked",)))
    assert registry_of(book, "groq").default() == ("groq", "liked")
    assert registry_of(book, "openai").default() == ("openai", OPENAI_MODEL)


async def test_one_that_is_switched_off_says_so(tmp_path: Path) -> None:
    book = open_book(tmp_path)
    book.save(replace(TEAM, is_enabled=False))
    book.save(GROQ)
    registry = registry_of(book)
    with pytest.raises(NotPossible, match="Team is switched off"):
        registry.get("team")
    checks = {check.provider: check for check in await registry.check_all()}
    assert not checks["team"].is_expected
    assert checks["groq"].message == "Groq has no key yet."
    assert checks["offline"].is_reachable


def test_changed_settings_keep_the_keys(tmp_path: Path) -> None:
    book = open_book(tmp_path, environ={"OPENAI_API_KEY": KEY})
    book.use_settings(Settings(openai_headers={"X-Team": "red"}))
    account = book.get("openai")
    assert (account.key.value, account.headers) == (KEY, {"X-Team": "red"})
    book.use_settings(Settings())
    assert book.get("openai").key.value == KEY
    assert book.settings == Settings()


async def test_a_file_of_certificates_that_is_missing_is_said(tmp_path: Path) -> None:
    book = open_book(tmp_path)
    book.save(replace(TEAM, ca_file=str(tmp_path / "missing.pem")))
    with pytest.raises(ProviderError, match="certificates"):
        await provider_of(book.get("team")).list_models()


def test_a_vendors_variable_takes_no_way_that_a_file_says(tmp_path: Path) -> None:
    (tmp_path / "own.pem").write_text("-----")
    environ = {"GROQ_API_KEY": KEY, "OPENAI_API_KEY": KEY}
    ways: tuple[dict[str, Any], ...]
    ways = (
        {"proxy": "http://127.0.0.1:3128"},
        {"ca_file": str(tmp_path / "own.pem")},
        {"base_url": "https://api.groq.com:8443"},
    )
    for way in ways:
        file = tmp_path / FILE_NAME
        file.write_text(json.dumps({"providers": [replace(GROQ, **way).as_data()]}))
        account = open_book(tmp_path, environ=environ).get("groq")
        assert account.key.value == ""
        assert account.withheld is not None
    moved = open_book(tmp_path, environ=environ, settings=Settings(openai_base_url="https://elsewhere.example/v1"))
    assert moved.get("openai").withheld is not None


def test_what_was_agreed_for_a_variables_key_is_remembered(tmp_path: Path) -> None:
    keyring, environ = MemoryKeyring(), {"GROQ_API_KEY": KEY}
    file = tmp_path / FILE_NAME
    file.write_text(json.dumps({"providers": [replace(GROQ, proxy="http://127.0.0.1:3128").as_data()]}))
    book = open_book(tmp_path, keyring=keyring, environ=environ)
    book.agree("groq")
    assert book.get("groq").key.value == KEY
    assert open_book(tmp_path, keyring=keyring, environ=environ).get("groq").key.value == KEY
    assert KEY not in str(keyring.kept)


def test_a_variables_address_is_open_only_where_a_variable_allows_it(tmp_path: Path) -> None:
    address = "http://192.0.2.1:8000/v1"
    environ = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": address}
    settings = Settings(openai_base_url=address)
    withheld = open_book(tmp_path, environ=environ, settings=settings).get("openai").withheld
    assert withheld is not None
    assert withheld.reason is WithheldFor.OPEN
    allowed = environ | {"CHATDESK_ALLOW_HTTP": "box.example, 192.0.2.1"}
    assert open_book(tmp_path, environ=allowed, settings=settings).get("openai").key.value == KEY


def test_a_withheld_key_is_the_default_and_says_so(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    open_book(tmp_path, keyring=keyring).save(GROQ, key=KEY)
    (tmp_path / FILE_NAME).write_text(json.dumps({"providers": [replace(GROQ, proxy="none").as_data()]}))
    book = open_book(tmp_path, keyring=keyring)
    registry = registry_of(book)
    assert registry.default()[0] == "groq"
    assert registry.lacks_key("groq")
    provider = provider_of(book.get("groq"))
    assert "given for https://api.groq.com" in provider.withheld


def test_changed_settings_take_no_key_along(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    keyring.kept = {"openai": KEY}
    book = open_book(tmp_path, keyring=keyring, reads_old_names=True)
    assert book.get("openai").key.value == KEY
    book.use_settings(Settings(openai_base_url="http://127.0.0.1:9/v1"))
    assert book.get("openai").key.value == ""
    book.use_settings(Settings())
    assert book.get("openai").key.value == KEY


def test_keys_of_an_earlier_version_go_to_their_vendors_or_are_asked_about(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    keyring.kept = {"openai": KEY, "groq": KEY, "team": KEY}
    (tmp_path / FILE_NAME).write_text(json.dumps({"providers": [GROQ.as_data(), TEAM.as_data()]}))
    given = open_book(tmp_path, keyring=keyring)  # a directory that was named
    assert all(not each.key.value for each in given.accounts)
    usual = open_book(tmp_path, keyring=keyring, reads_old_names=True)
    assert usual.get("openai").key.value == usual.get("groq").key.value == KEY
    withheld = usual.get("team").withheld
    assert withheld is not None
    assert withheld.reason is WithheldFor.UNKNOWN
    usual.agree("team")
    later = open_book(tmp_path, keyring=keyring, reads_old_names=True)
    assert [each.key.value for each in later.accounts] == [KEY] * 3
    moved = replace(GROQ, base_url="https://elsewhere.example/v1")
    (tmp_path / FILE_NAME).write_text(json.dumps({"providers": [moved.as_data(), TEAM.as_data()]}))
    assert not open_book(tmp_path, keyring=keyring, reads_old_names=True).get("groq").key.value
    for account in later.accounts:
        later.forget_key(account.profile.id)
    assert keyring.kept == {}
