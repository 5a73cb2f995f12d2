"""Every recorded form of a server's answers gives a person what it should, through a real chat service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatdesk.core.domain.provider_profile import PLAIN
from chatdesk.core.settings.presets import PRESETS
from tests.helpers.dialect_table import cells, gaps, shown
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


def test_a_form_shows_each_kind_of_answer_of_each_preset() -> None:
    found, lacking = shown(_FILES), gaps()
    wrong = [(row, kind) for row, kind in cells() if bool(found.get((row, kind))) is (kind in lacking.get(row, ()))]
    assert wrong == [], "add a form, or say in dialect_gaps.json why there is none"


def test_what_vendors_do_not_have_is_of_presets() -> None:
    assert {(row, kind) for row, kinds in gaps().items() for kind in kinds} <= set(cells())


def test_the_manual_says_what_each_preset_wants() -> None:
    manual = (Path(__file__).parents[1] / "docs" / "providers.md").read_text(encoding="utf-8")
    _, _, table = manual.partition("| preset | what its servers want beyond the protocol |\n|---|---|\n")
    written = table.partition("\n\n")[0].splitlines()
    assert written == [f"| {each.label} | {each.dialect.about} |" for each in PRESETS.values() if each.dialect.about]


def test_each_wish_of_a_preset_is_said() -> None:
    assert [each.id for each in PRESETS.values() if (each.dialect != PLAIN) is not bool(each.dialect.about)] == []
