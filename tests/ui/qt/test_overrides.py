"""An error that leaves a Python override of a Qt virtual method is reported and does not end the process."""

from __future__ import annotations

import inspect
import subprocess
import sys
import timeit
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget

import chatdesk.ui.application.window_application
import chatdesk.ui.transcript.event_area
from chatdesk.ui.qt import overrides
from chatdesk.ui.qt.overrides import guard_overrides

_PROGRAM = """
import sys
if sys.argv[1] == "guarded":
    import chatdesk.ui
import PySide6.QtCore as qt
import shiboken6

def _use_deleted():
    thing = qt.QObject()
    shiboken6.delete(thing)
    thing.objectName()

ERRORS = {"division": lambda: 1 / 0, "number": lambda: int("x"), "deleted object": _use_deleted}

class Mixin:
    def event(self, event):
        return ERRORS[sys.argv[2]]()

class Direct(qt.QObject):
    def event(self, event):
        return ERRORS[sys.argv[2]]()

class Mixed(Mixin, qt.QObject):
    pass

def reach():
    thing = Mixed() if sys.argv[3] == "mixin" else Direct()
    qt.QCoreApplication.postEvent(thing, qt.QEvent(qt.QEvent.Type.User))
    qt.QCoreApplication.sendPostedEvents()

application = qt.QCoreApplication([])
sys.excepthook = lambda kind, error, traceback: print("hook", kind.__name__, flush=True)
qt.QTimer.singleShot(0, reach)
qt.QTimer.singleShot(0, application.quit)
application.exec()
print("alive")
"""


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("way", ["class", "mixin"])
@pytest.mark.parametrize(
    ("error", "kind"), [("division", "ZeroDivisionError"), ("number", "ValueError"), ("deleted object", "RuntimeError")]
)
def test_an_error_of_c_code_in_an_override_reaches_the_excepthook(error: str, kind: str, way: str) -> None:
    run = _run("guarded", error, way)
    assert (run.returncode, run.stdout.split("\n")) == (0, [f"hook {kind}", "alive", ""]), run.stderr


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="seen on Python 3.11")
def test_without_the_guard_it_ends_the_process() -> None:
    # When this fails, PySide has repaired it, and overrides.py can go.
    assert _run("plain", "division", "class").returncode == -11


class _Everything(QWidget):
    changed = Signal(int, str)

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Any] = []

    def show(self) -> None:
        self.heard.append("show")

    def setWindowTitle(self, title: str = "none", /, *, loud: bool = False) -> None:
        self.heard.append((title, loud))

    def resize(self, *sizes: int, **more: int) -> None:  # type: ignore[override]
        self.heard.append((sizes, more))

    @staticmethod
    def find(number: int) -> QWidget:
        raise LookupError(number)

    @property
    def size(self) -> int:  # type: ignore[override]
        return 7

    async def close(self) -> int:  # type: ignore[override]
        return 1

    def mine(self, word: str) -> str:
        return word


def test_a_guarded_method_keeps_its_parameters(qapp: QObject) -> None:
    thing = _Everything()
    thing.changed.connect(thing.show)  # takes none of the two that are sent
    thing.changed.emit(1, "two")
    thing.setWindowTitle()
    thing.setWindowTitle("a", loud=True)
    thing.resize(1, 2, width=3)
    assert thing.heard == ["show", ("none", False), ("a", True), ((1, 2), {"width": 3})]
    assert list(inspect.signature(_Everything.setWindowTitle).parameters) == ["self", "title", "loud"]
    assert _Everything.show.__code__.co_argcount == 1
    thing.deleteLater()


def test_methods_that_qt_does_not_call_are_left_alone(qapp: QObject) -> None:
    assert hasattr(_Everything.show, "__wrapped__")
    for name in ("mine", "__init__", "find", "close"):
        assert not hasattr(getattr(_Everything, name), "__wrapped__"), name
    assert inspect.iscoroutinefunction(_Everything.close)
    assert isinstance(vars(_Everything)["size"], property)


def test_a_derived_class_is_guarded_once() -> None:
    class Derived(_Everything):
        def paintEvent(self, event: QPaintEvent) -> None:
            raise AssertionError

    assert Derived.show is _Everything.show
    assert not hasattr(Derived.paintEvent.__wrapped__, "__wrapped__")  # type: ignore[attr-defined]


def test_every_class_of_the_window_is_guarded() -> None:
    area = chatdesk.ui.transcript.event_area.EventArea
    for name in ("paintEvent", "event", "resizeEvent"):
        if name in vars(area):
            assert hasattr(vars(area)[name], "__wrapped__"), name
    assert "paintEvent" in vars(area)


def test_the_guard_costs_a_call_less_than_a_microsecond() -> None:
    """A frame of scrolling calls some ten overrides and takes 1 ms and more: 1 % of it is 10 microseconds."""
    guard_overrides()

    class Listener(QObject):
        def event(self, event: QEvent) -> bool:
            return True

    listener, event = Listener(), QEvent(QEvent.Type.User)
    plain = Listener.event.__wrapped__  # type: ignore[attr-defined]
    guarded_s = min(timeit.repeat(lambda: Listener.event(listener, event), number=2_000, repeat=20)) / 2_000
    plain_s = min(timeit.repeat(lambda: plain(listener, event), number=2_000, repeat=20)) / 2_000
    assert guarded_s - plain_s < 1e-6


def test_flags_of_code_are_those_of_python() -> None:
    names = [name for name in vars(overrides) if name.startswith("CO_")]
    assert len(names) == 5
    assert {name: getattr(overrides, name) for name in names} == {name: getattr(inspect, name) for name in names}
