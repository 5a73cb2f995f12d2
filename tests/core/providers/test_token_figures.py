"""What servers report of tokens, by the names and sums that they have for them."""

from __future__ import annotations

from typing import Any

import pytest

from chatdesk.core.providers.token_figures import usage_in


def _chat(total: object, thought: int = 0, **more: Any) -> dict[str, Any]:
    details = {"reasoning_tokens": thought}
    figures = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": total}
    return figures | more | ({"completion_tokens_details": details} if thought else {})


_GEMINI = {"promptTokenCount": 11, "candidatesTokenCount": 7, "thoughtsTokenCount": 500, "totalTokenCount": 518}


@pytest.mark.parametrize(
    ("figures", "written", "thought"),
    [
        pytest.param(_chat(21, 3, prompt_tokens_details={"cached_tokens": 4}), 10, 3, id="xAI: beside the answer"),
        pytest.param(_chat(518), 507, 500, id="Gemini for OpenAI's clients: in the total only"),
        pytest.param({"usageMetadata": _GEMINI}, 507, 500, id="Gemini's own names"),
        pytest.param(_chat(18, 3), 7, 3, id="the usual sum"),
        pytest.param(_chat(418, cached_tokens=9), 7, 0, id="a total with more of the cache"),
        pytest.param(_chat(418, 3), 7, 3, id="a total that nothing explains"),
        pytest.param(_chat(2), 7, 0, id="too small a total"),
        pytest.param(_chat("many"), 7, 0, id="no number"),
    ],
)
def test_tokens_of_thoughts_are_among_those_written(figures: Any, written: int, thought: int) -> None:
    usage = usage_in(figures)
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens) == (11, written, thought)
