"""What stands in the place of the id of a configuration directory is an id, or there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatdesk.core.settings.profile_id import FILE_NAME, ProfileId

_ID = b"0123456789abcdef" * 2


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"\xff" * 32, _ID[:-1], _ID + b"0", b"a" * 64, b"a" * 65, b"a" * 5_000_000],
    ids=["empty", "nul", "no text", "short", "long", "limit", "beyond the limit", "huge"],
)
def test_an_invalid_id_is_replaced_by_a_new_one(data: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(data)
    profile = ProfileId(tmp_path)
    assert profile.find() == ""
    assert ProfileId(tmp_path).find() == "" != profile.make() == ProfileId(tmp_path).find()


def test_an_id_is_kept(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(_ID + b"\n")
    assert ProfileId(tmp_path).find() == ProfileId(tmp_path).make() == _ID.decode()
