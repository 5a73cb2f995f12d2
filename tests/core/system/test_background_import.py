"""Modules that are imported beside the loop come one after the other."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from chatdesk.core.system.background_import import import_beside
from tests.helpers.waiting import until

PACKAGE = Path(__file__).parents[3] / "chatdesk"
# A second thread that reads the part holds it while it waits for the package, which waits for its part.
_PACKAGE = """
from circular_steps import begun, later
begun.set()
later.wait(0.3)
from circular_package.part import name
"""


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A package whose import takes a moment. Gives the event that says that its import has begun."""
    folder = tmp_path / "circular_package"
    folder.mkdir()
    (folder / "__init__.py").write_text(_PACKAGE)
    (folder / "part.py").write_text("import circular_package\nname = 'whole'\n")
    steps = ModuleType("circular_steps")
    steps.begun, steps.later = threading.Event(), threading.Event()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, steps.__name__, steps)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield steps.begun  # type: ignore[attr-defined]
    for name in ("circular_package", "circular_package.part"):
        sys.modules.pop(name, None)


async def test_a_package_and_its_part_are_whole_for_two_that_want_them_at_once(begun: threading.Event) -> None:
    package = asyncio.create_task(import_beside("circular_package"))
    await until(begun.is_set)
    part = asyncio.create_task(import_beside("circular_package.part"))
    assert [each.name for each in await asyncio.gather(package, part)] == ["whole", "whole"]


def test_modules_are_imported_by_name_at_one_place_only() -> None:
    found = [path.name for path in PACKAGE.rglob("*.py") if "import_module" in path.read_text(encoding="utf-8")]
    assert found == ["background_import.py"]
