"""Sources of imported modules are not read and not kept."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import linecache, sys
import PySide6.QtCore
from chatdesk.ui.source_scan import skip_source_scan
if sys.argv[1] == "skip":
    skip_source_scan()
from chatdesk.core.rendering.blocks import Span
print(any(path.endswith("blocks.py") for path in linecache.cache))
"""


@pytest.mark.parametrize(("wish", "is_read"), [("skip", False), ("scan", True)])
def test_sources_are_read_unless_the_scan_is_skipped(wish: str, is_read: bool) -> None:
    # When "scan" fails here, PySide has given the scan up, and source_scan.py can go.
    run = subprocess.run([sys.executable, "-c", _PROGRAM, wish], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(is_read)
