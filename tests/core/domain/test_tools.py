"""Calls that ran, as three places count them: this profile, a team's rows and imports."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.tools import is_counted


@pytest.mark.parametrize(
    ("content", "duration_ms", "counts"),
    [
        ({"status": "done", "bytes": 2}, 12, True),
        ({"status": "failed", "bytes": 30}, 0, True),  # it ran, and says that it failed
        ({"status": "failed"}, None, False),  # never sent: no such tool, arguments that are no object
        ({"status": "denied"}, None, False),
        ({"status": "unknown"}, None, False),
        ({"text": "from another program"}, None, True),
    ],
)
def test_a_result_counts_when_its_call_ran(content: dict[str, object], duration_ms: int | None, counts: bool) -> None:
    assert is_counted(content, duration_ms) is counts
