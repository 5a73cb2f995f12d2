"""What is known of vendors by name."""

from __future__ import annotations

from itertools import combinations

import pytest

from chatdesk.core.settings.presets import PRESETS, preset_for_key


@pytest.mark.parametrize(
    ("key", "vendor"),
    [
        ("sk-ant-api03-x", "anthropic"),
        ("sk-or-v1-x", "openrouter"),
        ("sk-proj-x", "openai"),
        ("gsk_x", "groq"),
        ("AIzaSyx", "gemini"),
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
