"""The chain over a log covers all that a change says, but its words."""

from __future__ import annotations

from dataclasses import fields, replace
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from chatdesk.core.domain.sharing.sync_wire import START, PulledChange, body_digest, next_chain

IDS = [f"00000000-0000-7000-8000-0000000000{end}" for end in ("aa", "bb", "cc", "dd", "ee")]
ROW = PulledChange(
    id=IDS[0],
    seq=1,
    device=IDS[1],
    dseq=7,
    author=IDS[2],
    kind="thread",
    op="new",
    entity=IDS[3],
    reg="content",
    parents=(IDS[4], IDS[0]),
    hlc=9,
    body='{"text": "words"}',
    chain=b"",
    at=11,
    v=1,
    number=3,
    digest=body_digest('{"text": "words"}'),
)
OTHER: dict[str, Any] = {
    "id": IDS[4],
    "device": IDS[0],
    "dseq": 8,
    "author": IDS[0],
    "kind": "message",
    "op": "del",
    "entity": IDS[0],
    "reg": "title",
    "parents": (IDS[0], IDS[4]),
    "hlc": 8,
    "at": 12,
    "v": 2,
    "number": 4,
    "digest": body_digest(None),
}
# The number of a row is checked by itself; a body may be erased while its digest stays.
FREE = {"seq", "chain", "body", "is_erased"}


def test_it_is_the_sum_that_the_server_makes() -> None:
    ids = b"".join(UUID(each).bytes for each in IDS[:4])
    numbers = b"".join(number.to_bytes(8, "big") for number in (7, 3, 9, 11))
    said = f"thread new content 1 {IDS[4]},{IDS[0]}".encode()
    wanted = sha256(bytes(32) + ids + numbers + ROW.digest + said).digest()
    assert next_chain(None, ROW) == wanted == next_chain(START, ROW) == ROW.chain_after(None)
    assert next_chain(wanted, ROW) != wanted


@pytest.mark.parametrize("name", [each.name for each in fields(PulledChange) if each.name not in FREE])
def test_everything_that_a_change_says_counts(name: str) -> None:
    assert next_chain(None, replace(ROW, **{name: OTHER[name]})) != next_chain(None, ROW)


@pytest.mark.parametrize(
    "bad", [{"id": ""}, {"id": "zz" * 16}, {"device": IDS[1][:-2]}, {"dseq": 2**63}, {"digest": ROW.digest[1:]}]
)
def test_an_invalid_row_has_no_chain(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        next_chain(None, replace(ROW, **bad))
