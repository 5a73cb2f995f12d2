"""The chain over a log tells apart what the server decides again."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import pytest

from chatdesk.core.domain.sharing.sync_wire import START, body_digest, next_chain

ID, DEVICE = "00000000-0000-7000-8000-0000000000aa", "00000000-0000-7000-8000-0000000000bb"
DIGEST, OTHER = body_digest('{"text": "words"}'), body_digest(None)


def test_it_is_the_sum_that_the_server_makes() -> None:
    numbers = (7).to_bytes(8, "big") + (9).to_bytes(8, "big")
    wanted = sha256(bytes(32) + UUID(ID).bytes + UUID(DEVICE).bytes + numbers + DIGEST).digest()
    assert next_chain(None, ID, DEVICE, 7, 9, DIGEST) == wanted == next_chain(START, ID, DEVICE, 7, 9, DIGEST)
    assert next_chain(wanted, ID, DEVICE, 7, 9, DIGEST) != wanted


@pytest.mark.parametrize(
    "other",
    [
        (DEVICE, DEVICE, 7, 9, DIGEST),
        (ID, ID, 7, 9, DIGEST),
        (ID, DEVICE, 8, 9, DIGEST),
        (ID, DEVICE, 7, 8, DIGEST),
        (ID, DEVICE, 7, 9, OTHER),
    ],
)
def test_everything_in_it_counts(other: tuple[str, str, int, int, bytes]) -> None:
    assert next_chain(None, *other) != next_chain(None, ID, DEVICE, 7, 9, DIGEST)


@pytest.mark.parametrize(
    "bad",
    [
        ("", DEVICE, 1, 1, DIGEST),
        ("zz" * 16, DEVICE, 1, 1, DIGEST),
        (ID, ID[:-2], 1, 1, DIGEST),
        (ID, DEVICE, 2**63, 1, DIGEST),
        (ID, DEVICE, 1, 1, DIGEST[1:]),
    ],
)
def test_what_is_no_change_has_none(bad: tuple[str, str, int, int, bytes]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        next_chain(None, *bad)
