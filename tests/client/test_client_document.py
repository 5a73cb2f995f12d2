"""Every example of ``docs/client.md`` runs, against a real service."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from tests.helpers.local_service import served_world

DOCUMENT = Path(__file__).parents[2] / "docs" / "client.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_the_document_has_its_examples() -> None:
    assert len(EXAMPLES) >= 9


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
async def test_an_example_runs(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATDESK_DATA_DIR", str(tmp_path))
    for name in ("CHATDESK_URL", "CHATDESK_TOKEN"):
        monkeypatch.setenv(name, "")
    async with served_world(tmp_path):
        example = compile(EXAMPLES[number], f"{DOCUMENT.name}, example {number + 1}", "exec")
        await asyncio.to_thread(exec, example, {"__name__": "__main__"})
