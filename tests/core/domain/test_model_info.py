from __future__ import annotations

import pytest

from chatdesk.core.domain.model_info import ModelOverrides, Price
from chatdesk.core.domain.model_ref import ModelRef

KNOWN = Price(input=2.0, cached_input=0.5, output=8.0)


@pytest.mark.parametrize(
    ("typed", "known", "expected"),
    [
        (ModelOverrides(), KNOWN, KNOWN),
        (ModelOverrides(), None, None),
        (ModelOverrides(input_price=1.0), None, None),
        (ModelOverrides(input_price=1.0, output_price=3.0), None, Price(1.0, 1.0, 3.0)),
        (ModelOverrides(input_price=0.0, output_price=0.0), KNOWN, Price(0.0, 0.0, 0.0)),
        (ModelOverrides(output_price=9.0), KNOWN, Price(2.0, 0.5, 9.0)),
        (ModelOverrides(input_price=3.0), KNOWN, Price(3.0, 3.0, 8.0)),
    ],
)
def test_a_typed_price_comes_before_a_known_one(
    typed: ModelOverrides, known: Price | None, expected: Price | None
) -> None:
    assert typed.price(known) == expected


@pytest.mark.parametrize("text", ["openai/gpt-4o", "open-router/meta/llama-3:free", "a/b c"])
def test_a_model_is_named_with_its_provider(text: str) -> None:
    found = ModelRef.parse(text)
    assert found is not None
    assert str(found) == text
    assert "/" not in found.provider


@pytest.mark.parametrize("text", ["", "gpt-4o", "/gpt-4o", "openai/", "Open AI/x", "openai/a\nb"])
def test_what_names_no_model_is_refused(text: str) -> None:
    assert ModelRef.parse(text) is None
