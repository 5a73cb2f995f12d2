"""The file of fetched lists of models."""

from __future__ import annotations

import json
from pathlib import Path

from chatdesk.core.domain.provider_check import ListedModel
from chatdesk.core.providers.models.model_lists import FILE_NAME, ModelLists

MODELS = (ListedModel("painter", "Painter", 8_000, None, True, draws=True), ListedModel("writer", "Writer"))


def test_a_list_is_read_back_as_it_was_kept(tmp_path: Path) -> None:
    ModelLists(tmp_path).save("team", "http://a", MODELS, now_ms=7)
    found = ModelLists(tmp_path).get("team", "http://a")
    assert found is not None and found.models == MODELS and found.fetched_at_ms == 7
    assert ModelLists(tmp_path).get("team", "http://b") is None


def test_lists_of_earlier_versions_are_read_too(tmp_path: Path) -> None:
    rows = [["a", "A", 10, None], ["b", "B", 10, None, True, None]]
    kept = {"team": {"address": "http://a", "fetched_at_ms": 7, "models": rows}}
    (tmp_path / FILE_NAME).write_text(json.dumps(kept), "utf-8")
    found = ModelLists(tmp_path).get("team", "http://a")
    assert found is not None
    assert found.models == (ListedModel("a", "A", 10), ListedModel("b", "B", 10, None, True))
