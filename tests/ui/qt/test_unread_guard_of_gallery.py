"""What costs something is pressed once: not in the moment in which it appears, and once by a double click or a key that
is held. The gallery shows every button; its words say what it costs."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QPushButton, QWidget

import tests.gallery
from chatdesk.ui.dialogs.panel import Panel
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import ThemedButton
from tests.helpers.examples import sample

_MODULES = sorted(path.stem for path in Path(tests.gallery.__path__[0]).glob("*_samples.py"))
# What asks before it does anything ends in dots.
_COSTS = re.compile(
    r"(?:(?!Deny)(?:.*: )?(?:Allow once|Apply|Archive|Cancel “|Connect|Delete|Do not keep|End their|Erase"
    r"|Forget (?:all|of|the)|Import|Join|Leave|Let “|Remove|Reset all|Restore|Send|Share|Sign in|Summarise"
    r"|This message only|Try again of|Upgrade|Use (?:what|the kept)|With later)(?!.*…$)).*"
)
_PRESS, _RELEASE = QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease


def _costly(root: QWidget) -> Iterator[QPushButton]:
    for each in root.findChildren(QPushButton):
        if (
            each.objectName()
            and each.isVisible()
            and each.isEnabled()
            and not each.text().endswith("…")
            and _COSTS.match(each.accessibleName() or each.text())
        ):
            yield each


def _clicked(button: QAbstractButton, *, first: QEvent.Type = _PRESS) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    point = QPointF(button.rect().center())
    for kind, buttons in ((first, left), (_RELEASE, none)):
        event = QMouseEvent(kind, point, button.mapToGlobal(point), left, buttons, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(button, event)


def _held(widget: QWidget, key: Qt.Key) -> None:
    text = " " if key is Qt.Key.Key_Space else "\r"
    for is_repeated in (False, True, True):
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(widget, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, text, is_repeated))


@pytest.mark.parametrize("module", sample(_MODULES, 9))
def test_a_costly_button_is_pressed_once(qapp: QApplication, module: str) -> None:
    theme = Theme(qapp)
    theme.apply()
    wrong = []
    for title, widget in importlib.import_module(f"tests.gallery.{module}").build_samples(theme):
        widget.show()
        costly = list(_costly(widget))
        early: list[str] = []
        for button in costly:  # all of them before anything else: their first moment is short
            name = button.objectName()
            button.clicked.disconnect()
            button.clicked.connect(lambda _checked=False, name=name, early=early: early.append(name))
            _clicked(button)
        wrong += [f"pressed in its first moment: {title}, {name}" for name in early]
        for button in (*costly, *(each for each in widget.findChildren(ThemedButton) if each.isEnabled())):
            pressed: list[bool] = []
            if button.receivers("2clicked(bool)"):  # what it does is not what is tried here
                button.clicked.disconnect()
            button.clicked.connect(lambda _checked=False, pressed=pressed: pressed.append(True))
            name = f"{title}, {button.objectName()}: {(button.accessibleName() or button.text())[:50]}"
            for key in (Qt.Key.Key_Return, Qt.Key.Key_Space):
                pressed.clear()
                _held(button, key)
                wrong += [f"pressed again by {key.name}: {name}"] * (len(pressed) > 1)
            pressed.clear()
            _clicked(button)
            _clicked(button, first=QEvent.Type.MouseButtonDblClick)
            is_step = "version" in button.accessibleName()
            wrong += [f"pressed again by a double click: {name}"] * (len(pressed) > 1 and not is_step)
        fields = [each for each in widget.findChildren(QLineEdit) if each.isVisible() and each.isEnabled()]
        default = next(
            (each for each in widget.findChildren(QPushButton) if each.isDefault() and each.isEnabled()), None
        )
        if isinstance(widget, Panel) and fields and default is not None:
            pressed = []
            default.clicked.disconnect()
            default.clicked.connect(lambda _checked=False, pressed=pressed: pressed.append(True))
            fields[0].setFocus()
            _held(fields[0], Qt.Key.Key_Return)
            wrong += [f"pressed again by Enter in a field: {title}, {default.objectName()}"] * (len(pressed) > 1)
        widget.close()
        widget.deleteLater()
    theme.deleteLater()
    assert wrong == []
