from __future__ import annotations

import pytest

from chatdesk.core.chat.context.attachment_payloads import notes_on
from chatdesk.core.context.budget import TokenBudget
from chatdesk.core.context.reading import Reading
from chatdesk.core.context.request_builder import possible
from chatdesk.core.domain.attachment import Attachment, Enclosed
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.model_info import Ability, ModelInfo, ModelOverrides, ModelRef, Price
from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.providers.base import RequestMessage

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
def test_an_incomplete_model_is_refused(text: str) -> None:
    assert ModelRef.parse(text) is None


_WISHES = Parameters(temperature=0.5, top_p=0.5, reasoning_effort="high", stop=("END",))
_PICTURE = Enclosed(Attachment("cat.png", "image/png", "cd" * 32, 99, 640, 480), 9, 9)


def _sends(ability: Ability, info: ModelInfo) -> bool:
    """Return whether a request uses the ability, at the place that acts on it."""
    if ability is Ability.IMAGES:
        return Reading.of("characters", info, TokenBudget.of(9_000, answer=900)).can_see
    name = {Ability.REASONING: "reasoning_effort"}.get(ability, ability.value)
    return getattr(possible(_WISHES, info), name) not in (None, ())


@pytest.mark.parametrize("ability", [each for each in Ability if each is not Ability.TOOLS])  # always offered
@pytest.mark.parametrize(("has", "is_sent"), [(True, True), (False, False), (None, True)])
def test_only_what_a_model_is_known_not_to_have_is_left_out(ability: Ability, has: bool | None, is_sent: bool) -> None:
    named = frozenset({ability})
    yes, unclear = (named if has else frozenset()), (named if has is None else frozenset())
    info = ModelInfo("m", "Model", 9_000, 900, abilities=yes, unclear=unclear)
    assert info.has(ability) is has
    assert _sends(ability, info) is is_sent


@pytest.mark.parametrize(
    ("has", "notes"),
    [
        (True, ()),
        (False, ("The image is not sent, because Model cannot see images: only its name is.",)),
        (None, ("It is not known whether Model sees images. The image is sent.",)),
    ],
)
def test_no_more_is_claimed_than_is_known(has: bool | None, notes: tuple[str, ...]) -> None:
    named = frozenset({Ability.IMAGES})
    yes, unclear = (named if has else frozenset()), (named if has is None else frozenset())
    question = RequestMessage(Role.USER, "look", enclosed=(_PICTURE,))
    assert notes_on([question], ModelInfo("m", "Model", 9_000, 900, abilities=yes, unclear=unclear)) == notes


def test_an_unknown_size_of_the_context_is_called_assumed() -> None:
    assumed = ModelInfo("m", "Model", 32_000, 900, is_window_known=False)
    assert notes_on([], assumed) == ("The size of the context of Model is not known: 32,000 tokens are assumed.",)
