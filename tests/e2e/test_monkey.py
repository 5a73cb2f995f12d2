"""Nobody's window fails, whatever is typed, clicked and pressed in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.helpers.monkey import wreak

_FIRST = int(os.environ.get("CHATDESK_FIRST_SEED", "0"))

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.mark.parametrize("seed", range(_FIRST, _FIRST + 2))
def test_random_acts_end_without_a_traceback(tmp_path: Path, seed: int) -> None:
    wrong = wreak(tmp_path, seed, 80)
    assert wrong == [], f"python -m tests.helpers.monkey {seed} 80"
