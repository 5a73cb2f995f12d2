"""A watched process ends at once, with its code and everything it printed; others end as usual. A list that was asked
for twice is deleted once."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import atexit, sys
from PySide6.QtGui import QAccessible, QGuiApplication
from chatdesk.ui.accessibility.assistance import exit_if_assisted
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


_ASKED_TWICE = """
from PySide6.QtCore import QEvent
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QListWidget
from chatdesk.ui.accessibility.pressed_rows import offer_press
class Rows(QListWidget):
    def later(self, *_values):
        pass
app = QApplication([])
QAccessible.setActive(True)
offer_press(Rows)
rows = Rows()
rows.addItems(["One", "Two"])
first = QAccessible.queryAccessibleInterface(rows).child(1)
rows.itemClicked.connect(rows.later)  # PySide adds a slot to the class, and Qt makes the interface anew
again = QAccessible.queryAccessibleInterface(rows).child(1)
print(first.isValid(), again.text(QAccessible.Text.Name))
rows.deleteLater()
app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
print("deleted")
"""


def test_the_interface_of_a_class_that_got_a_slot_is_deleted_once() -> None:
    run = subprocess.run([sys.executable, "-c", _ASKED_TWICE], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout.splitlines()) == (0, ["False Two", "deleted"]), run.stderr
