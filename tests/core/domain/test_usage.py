from __future__ import annotations

import pytest

from chatdesk.core.domain.usage import UsageReport, UsageRow, UsageSum
from chatdesk.core.texts import cost_text


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (0, "$0"),
        (0.000_01, "under $0.0001"),
        (0.000_123, "$0.0001"),
        (0.004, "$0.004"),
        (0.004_56, "$0.0046"),
        (0.0123, "$0.012"),
        (0.04, "$0.04"),
        (0.3412, "$0.34"),
        (0.5, "$0.50"),
        (1, "$1.00"),
        (1234.5, "$1,234.50"),
    ],
)
def test_a_cost_has_the_digits_that_say_something(cost: float, text: str) -> None:
    assert cost_text(cost) == text


def test_sums_add_up_and_know_what_is_missing() -> None:
    rows = (
        UsageRow("answer", "p", "m", UsageSum(2, 10, 5, 3, 1, 0.5)),
        UsageRow("title", "p", "n", UsageSum(1, 7, 1, 0, 0, 0.0, 1, 1)),
    )
    total = UsageReport(rows).total
    assert total == UsageSum(3, 17, 6, 3, 1, 0.5, 1, 1)
    assert (total.total_tokens, total.is_price_known) == (23, False)
    assert UsageReport().total == UsageSum()
