"""The chain over a log tells apart what the server decides anew."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import pytest

from chatdesk.core.domain.chain import START, next_chain

ID, DEVICE = "00000000-0000-7000-8000-0000000000aa", "00000000-0000-7000-8000-0000000000bb"


def test_it_is_the_sum_that_the_server_makes() -> None:
    numbers = (7).to_bytes(8, "big") + (9).to_bytes(8, "big")
    wanted = sha256(bytes(32) + UUID(ID).bytes + UUID(DEVICE).bytes + numbers).digest()
    assert next_chain(None, ID, DEVICE, 7, 9) == wanted == next_chain(START, ID, DEVICE, 7, 9)
    assert next_chain(wanted, ID, DEVICE, 7, 9) != wanted


@pytest.mark.parametrize("other", [(DEVICE, DEVICE, 7, 9), (ID, ID, 7, 9), (ID, DEVICE, 8, 9), (ID, DEVICE, 7, 8)])
def test_everything_in_it_counts(other: tuple[str, str, int, int]) -> None:
    assert next_chain(None, *other) != next_chain(None, ID, DEVICE, 7, 9)


@pytest.mark.parametrize(
    "bad", [("", DEVICE, 1, 1), ("zz" * 16, DEVICE, 1, 1), (ID, ID[:-2], 1, 1), (ID, DEVICE, 2**63, 1)]
)
def test_what_is_no_change_has_none(bad: tuple[str, str, int, int]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        next_chain(None, *bad)
