"""What is known of vendors by name."""

from __future__ import annotations

from itertools import combinations

import pytest

from chatdesk.core.domain.key_origin import KeyOrigin
from chatdesk.core.domain.provider_profile import Api, ProviderProfile
from chatdesk.core.settings.presets import PRESETS, address_of, preset_for_key


@pytest.mark.parametrize(
    ("key", "vendor"),
    [
        ("sk-ant-api03-x", "anthropic"),
        ("sk-or-v1-x", "openrouter"),
        ("sk-proj-x", "openai"),
        ("gsk_x", "groq"),
        ("AIzaSyx", "gemini"),
        ("xai-x", "xai"),
        ("sk-0123456789", None),  # OpenAI and DeepSeek gave such keys
        ("", None),
    ],
)
def test_a_key_names_its_vendor_only_where_that_is_certain(key: str, vendor: str | None) -> None:
    found = preset_for_key(key)
    assert (None if found is None else found.id) == vendor


def test_no_beginning_of_a_key_belongs_to_two_vendors() -> None:
    starts = [start for preset in PRESETS.values() for start in preset.key_starts]
    assert not [pair for pair in combinations(starts, 2) if pair[0].startswith(pair[1]) or pair[1].startswith(pair[0])]


def test_every_vendor_says_where_its_keys_come_from() -> None:
    assert [preset.id for preset in PRESETS.values() if preset.needs_key and not preset.keys_url] == []


def test_a_key_goes_to_one_origin_whatever_the_protocol() -> None:
    for preset in PRESETS.values():
        assert preset.addresses.keys() < set(preset.apis)
        assert {KeyOrigin.of(each) for each in preset.addresses.values()} <= {KeyOrigin.of(preset.base_url)}


@pytest.mark.parametrize(
    ("preset", "api", "typed", "asked"),
    [
        ("deepseek", Api.CHAT, "", "https://api.deepseek.com/v1"),
        ("deepseek", Api.RESPONSES, "https://api.deepseek.com/v1", "https://api.deepseek.com/v1"),
        ("deepseek", Api.CHAT, "https://api.deepseek.com", "https://api.deepseek.com"),
        ("deepseek", Api.ANTHROPIC, "", "https://api.deepseek.com/anthropic"),
        ("deepseek", Api.ANTHROPIC, "https://api.deepseek.com/v1/", "https://api.deepseek.com/anthropic"),
        ("deepseek", Api.ANTHROPIC, "https://api.deepseek.com", "https://api.deepseek.com/anthropic"),
        ("deepseek", Api.ANTHROPIC, "https://mine.example/v1", "https://mine.example/v1"),
        ("zai", Api.ANTHROPIC, "https://api.z.ai/api/coding/paas/v4", "https://api.z.ai/api/coding/paas/v4"),
        ("ollama", Api.ANTHROPIC, "", "http://127.0.0.1:11434/v1"),
        ("other", Api.ANTHROPIC, "https://mine.example", "https://mine.example"),
    ],
)
def test_a_vendors_usual_address_stands_for_each_of_its_protocols(
    preset: str, api: Api, typed: str, asked: str
) -> None:
    assert address_of(ProviderProfile("mine", preset, "Mine", typed, api)) == asked
