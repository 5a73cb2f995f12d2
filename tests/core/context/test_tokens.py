from __future__ import annotations

from pathlib import Path

import pytest

from chatdesk.core.context.tokens import TokenCounter, estimate
from chatdesk.core.paths import encodings_dir

needs_encodings = pytest.mark.skipif(
    bool(TokenCounter(encodings_dir()).missing()), reason="token encodings were not fetched at set-up"
)


@needs_encodings
@pytest.mark.parametrize(
    ("model", "count"), [("gpt-4o-mini", 2), ("openai/gpt-4.1", 2), ("gpt-4", 2), ("gpt-3.5-turbo", 2)]
)
def test_known_models_are_counted_exactly(model: str, count: int) -> None:
    counter = TokenCounter(encodings_dir())
    assert counter.load(model)
    counted = counter.count("hello world", model)
    assert (counted.count, counted.is_estimate) == (count, False)


@needs_encodings
def test_other_models_are_counted_but_marked() -> None:
    counter = TokenCounter(encodings_dir())
    assert not counter.load("llama-3")
    assert counter.count("hello world", "llama-3").is_estimate


@needs_encodings
def test_special_tokens_and_lone_surrogates_are_plain_text() -> None:
    counter = TokenCounter(encodings_dir())
    counter.load("gpt-4o")
    assert counter.count("<|endoftext|>", "gpt-4o").count > 1
    assert counter.count("a\ud83db", "gpt-4o").count > 0


def test_before_loading_counts_are_estimates(tmp_path: Path) -> None:
    counted = TokenCounter(tmp_path).count("hello world", "gpt-4o")
    assert (counted.count, counted.is_estimate) == (3, True)


def test_a_missing_or_damaged_encoding_is_never_fetched(tmp_path: Path) -> None:
    # The network is shut in tests: an attempt to download would raise.
    (tmp_path / "fb374d419588a4632f3f557e76b4b70aebbca790").write_bytes(b"damaged")
    counter = TokenCounter(tmp_path)
    assert not counter.load("gpt-4o")
    assert not counter.load("gpt-4")
    assert counter.count("hello", "gpt-4o").is_estimate
    assert counter.missing() == ("o200k_base", "cl100k_base")


def test_estimates_grow_with_the_text_and_count_other_scripts_by_character() -> None:
    assert estimate("") == 0
    assert estimate("abcd") == 1
    assert estimate("日本語") == 3
