"""A watched process ends at once, with its code and everything it printed; others end as usual."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import atexit, sys
from PySide6.QtGui import QAccessible, QGuiApplication
from chatdesk.ui.accessibility.process_exit import exit_if_assisted
app = QGuiApplication([])
QAccessible.setActive(sys.argv[1] == "watched")
atexit.register(print, "as usual")
print("everything is stored")
exit_if_assisted(7)
"""


@pytest.mark.parametrize(
    ("kind", "code", "printed"),
    [("watched", 7, ["everything is stored"]), ("alone", 0, ["everything is stored", "as usual"])],
)
def test_only_a_watched_process_ends_at_once(kind: str, code: int, printed: list[str]) -> None:
    run = subprocess.run([sys.executable, "-c", _PROGRAM, kind], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout.splitlines()) == (code, printed)
