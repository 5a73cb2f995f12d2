"""Every recorded form of a server's answers gives a person what it should, through a real chat service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers.dialects import FORMS, play

_FILES = sorted(FORMS.rglob("*.json"))


@pytest.mark.parametrize("path", _FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_a_form_gives_what_it_should(path: Path, tmp_path: Path) -> None:
    form = json.loads(path.read_text(encoding="utf-8"))
    played = await play(form, tmp_path)
    got = played.got()
    wanted = form["gets"]
    error = wanted.get("error")
    if error is not None:
        assert error in got["error"], got
    assert {name: got[name] for name in wanted if name != "error"} == {n: v for n, v in wanted.items() if n != "error"}
    assert not played.missed
    assert len(played.requests) == len(form["server"])
