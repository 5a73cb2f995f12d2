"""The file of providers, and what may be in it."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.domain.model_info import ModelOverrides
from chatdesk.core.domain.provider_profile import Api, Header, ProviderProfile, masked
from chatdesk.core.ids import readable_id
from chatdesk.core.settings.presets import PRESETS, preset_of
from chatdesk.core.settings.providers_store import (
    FILE_NAME,
    KeyPlace,
    ProvidersNotSaved,
    ProvidersStore,
    StoredProviders,
)

PLAIN = ProviderProfile("groq", "groq", "Groq", "https://api.groq.com/openai/v1")
FULL = ProviderProfile(
    "team",
    "other",
    "Team gateway",
    "https://llm.example.org/v1",
    api=Api.RESPONSES,
    headers=(Header("X-Team", "blue"), Header("X-Token", is_secret=True)),
    organisation="org-1",
    project="proj-1",
    proxy="http://proxy.example:3128",
    ca_file="/etc/ssl/team.pem",
    connect_s=3.0,
    first_byte_s=90.0,
    silence_s=20.0,
    model="big",
    favourites=("big", "small"),
    aliases={"big": "The large one"},
    overrides={
        "big": ModelOverrides(sees_images=True, context_window=64_000, input_price=0.5, output_price=2.0),
        "old": ModelOverrides(is_hidden=True),
        "blind": ModelOverrides(sees_images=False),
    },
    is_enabled=False,
)


def test_saved_providers_are_read_again(tmp_path: Path) -> None:
    stored = StoredProviders((PLAIN, FULL), KeyPlace.FILE, finds_local_servers=False)
    ProvidersStore(tmp_path).save(stored)
    assert ProvidersStore(tmp_path).load() == stored
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert ProvidersStore(tmp_path / "empty").load() == StoredProviders()


def test_the_value_of_a_secret_header_is_never_written(tmp_path: Path) -> None:
    secret = replace(FULL, headers=(Header("X-Token", "sk-marked", is_secret=True),))
    ProvidersStore(tmp_path).save(StoredProviders((secret,)))
    assert "sk-marked" not in (tmp_path / FILE_NAME).read_text()
    assert "sk-marked" not in repr(secret)


@pytest.mark.parametrize("text", ["{", "[]", '{"providers": 1}', "[" * 100_000, "\x00"])
def test_a_damaged_file_is_kept_beside(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    found = ProvidersStore(tmp_path).load()
    assert found.profiles == ()
    assert "providers.broken-1.json" in found.problem
    assert (tmp_path / "providers.broken-1.json").read_text() == text
    store = ProvidersStore(tmp_path)
    assert store.load().problem == ""
    assert store.problem() == found.problem
    store.save(StoredProviders())
    os.utime(tmp_path / "providers.broken-1.json", (1, 1))  # long ago
    assert store.problem() == ""


def test_entries_that_cannot_be_used_are_left_out_and_told(tmp_path: Path) -> None:
    rows = [PLAIN.as_data(), PLAIN.as_data(), 5, {"id": "X Y"}, {"id": "a", "label": "A", "base_url": "ftp://x"}]
    (tmp_path / FILE_NAME).write_text(json.dumps({"version": 1, "providers": rows, "key_place": "moon"}))
    found = ProvidersStore(tmp_path).load()
    assert found.profiles == (PLAIN,)
    assert found.problem.startswith("4 providers were left out")
    assert found.key_place is KeyPlace.KEYRING


def test_values_of_a_wrong_kind_are_the_defaults() -> None:
    odd = {"api": 7, "headers": "x", "favourites": [1, "a"], "aliases": [], "connect_s": True, "proxy": 3}
    odd |= {"silence_s": -1, "first_byte_s": "x", "ca_file": "a\nb"}
    assert ProviderProfile.from_data(PLAIN.as_data() | odd) == replace(PLAIN, favourites=("a",))


def test_of_what_is_said_of_models_only_the_credible_is_read() -> None:
    profile = ProviderProfile.from_data(
        {
            "id": "x",
            "preset": "other",
            "label": "X",
            "models": {
                "good": {"sees_images": True, "input_price": 1, "is_hidden": False},
                "odd": {"sees_images": "yes", "context_window": -5, "input_price": float("nan"), "output_price": True},
                "huge": {"context_window": 10**18, "output_price": 1e300, "is_hidden": True},
                "none": None,
                "\x00": {"sees_images": True},
            },
        }
    )
    assert profile is not None
    assert profile.overrides == {
        "good": ModelOverrides(sees_images=True, input_price=1.0),
        "huge": ModelOverrides(is_hidden=True),
    }


def test_a_file_of_a_newer_chatdesk_is_not_overwritten(tmp_path: Path) -> None:
    text = json.dumps({"version": 2, "providers": [], "future": True})
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(ProvidersNotSaved, match="newer"):
        ProvidersStore(tmp_path).save(StoredProviders((PLAIN,)))
    assert (tmp_path / FILE_NAME).read_text() == text


def test_a_place_that_cannot_be_written_has_words(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("")
    with pytest.raises(ProvidersNotSaved):
        ProvidersStore(tmp_path / "config").save(StoredProviders())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": "No Good"}, "id"),
        ({"label": " "}, "name"),
        ({"base_url": "ftp://x"}, "address"),
        ({"base_url": "https://me:pass@x.org"}, "password"),
        ({"base_url": "https://[x"}, "address"),
        ({"headers": (Header("a b", "c"),)}, "not the name of a header"),
        ({"headers": (Header("a", "c\r\nd"),)}, "cannot be sent"),
        ({"proxy": "http://me:pass@proxy"}, "proxy"),
        ({"proxy": "elsewhere"}, "proxy"),
        ({"organisation": "é"}, "organisation"),
        ({"connect_s": 0.0}, "Times"),
    ],
)
def test_what_cannot_be_used_is_said(change: dict[str, object], words: str) -> None:
    assert FULL.problem() is None
    assert words in (replace(FULL, **change).problem() or "")  # type: ignore[arg-type]


def test_ids_read_like_the_name_and_are_new() -> None:
    assert readable_id("Team Gateway (EU)", (), longest=30, usual="provider") == "team-gateway-eu"
    assert readable_id("Groq", {"groq", "groq-2"}, longest=30, usual="provider") == "groq-3"
    assert readable_id("日本", (), longest=30, usual="provider") == "provider"


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("", ""),
        ("short", "••••••••"),
        ("sk-abcdefghij3f2a", "sk-••••••••••3f2a"),
        ("abcdefghijkl3f2a", "••••••••••3f2a"),
    ],
)
def test_of_a_key_the_last_four_are_shown_at_most(key: str, shown: str) -> None:
    assert masked(key) == shown


def test_presets_can_be_used_as_they_are() -> None:
    for preset in PRESETS.values():
        profile = ProviderProfile(preset.id, preset.id, preset.label, preset.base_url, api=preset.api)
        assert profile.problem() is None
        assert (preset.port != 0) == profile.host.startswith("127.")
    assert preset_of("unheard of").id == "other"


def test_the_document_names_every_preset_with_its_address_variable_and_protocols() -> None:
    text = (Path(__file__).parents[3] / "docs" / "providers.md").read_text("utf-8")
    for preset in PRESETS.values():
        if preset.base_url:
            variable = f"`{preset.variable}`" if preset.variable else ""
            protocols = ", ".join(api.value.replace("resp", "Resp").replace("anth", "Anth") for api in preset.apis)
            assert f"| {preset.label} | `{preset.base_url}` | {variable} | {protocols} |" in text
