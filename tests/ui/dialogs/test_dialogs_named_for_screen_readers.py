"""Every stop of Tab and every cell in a dialog of the gallery has a name, no name or description has marks, and its
labels, buttons and the hints of its empty fields begin like sentences."""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QGroupBox,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QTabBar,
    QTextEdit,
    QTreeWidget,
    QWidget,
)

import tests.gallery
from chatdesk.ui.dialogs.panel import Panel
from chatdesk.ui.theme.theme import Theme
from tests.helpers.sentences import sentences_of_source

# A word; an address or a path is an example, which is written as it is typed.
_SMALL_WORD = re.compile(r"[a-z]+(?=[\s,;]|$)")

_MODULES = sorted(path.stem for path in Path(tests.gallery.__path__[0]).glob("*_samples.py"))


def wrong_in(root: QWidget) -> list[str]:
    found = []
    for widget in root.findChildren(QWidget):
        if not (widget.isVisible() and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus):
            continue
        if widget.focusProxy() is not None:
            continue
        interface = QAccessible.queryAccessibleInterface(widget)
        name = interface.text(QAccessible.Text.Name)
        description = interface.text(QAccessible.Text.Description)
        label = f"{type(widget).__name__} {widget.objectName()}"
        if not name.strip():
            found.append(f"{label} has no name")
        if any(mark in description for mark in ("<qt", "<p", "&quot;", "&lt;")):
            found.append(f"{label}: {description}")
        if isinstance(widget, QTreeWidget):
            found += [f"{label}: {each}" for each in _unspoken(widget)]
    return found


def small_hints_in(root: QWidget) -> list[str]:
    """Return the sentences in empty fields that begin with a small letter, also in fields that are not shown yet."""
    sentences = {each.source for each in sentences_of_source()}
    hints = {
        widget.placeholderText()
        for kind in (QLineEdit, QPlainTextEdit, QTextEdit, QComboBox)
        for widget in root.findChildren(kind)
    }
    return sorted(each for each in hints & sentences if _SMALL_WORD.match(each))


def small_labels_in(root: QWidget) -> list[str]:
    """Return the sentences in labels, on buttons and in boxes of choices that begin with a small letter."""
    labels = {each.text() for kind in (QLabel, QAbstractButton) for each in root.findChildren(kind) if each.isVisible()}
    labels |= {box.itemText(place) for box in root.findChildren(QComboBox) for place in range(box.count())}
    return sorted(each for each in labels if _SMALL_WORD.match(each) and _small_sentences().match(each))


@cache
def _small_sentences() -> re.Pattern[str]:
    """Return a pattern of the sentences of the program that begin with a small letter, their fields filled."""
    sources = {text for each in sentences_of_source() for text in (each.source, each.singular) if text}
    small = (re.sub(r"\\{\w+\\}", ".+", re.escape(each)) for each in sources if each[0].islower())
    return re.compile(rf"(?:{'|'.join(small)})(?:, .*)?$")


def keys_in(root: QWidget) -> list[str]:
    """Return the words that mark a letter as their key: dialogs have none, and an & in a name is no mark."""
    words = [each.text() for each in root.findChildren(QAbstractButton)]
    words += [each.title() for each in root.findChildren(QGroupBox)]
    words += [each.text() for each in root.findChildren(QLabel) if each.buddy() is not None]
    words += [bar.tabText(place) for bar in root.findChildren(QTabBar) for place in range(bar.count())]
    words += [action.text() for menu in root.findChildren(QMenu) for action in menu.actions()]
    return [each for each in words if not QKeySequence.mnemonic(each).isEmpty()]


def _unspoken(tree: QTreeWidget) -> list[str]:
    role = int(Qt.ItemDataRole.AccessibleTextRole)
    found = []
    for number in range(tree.topLevelItemCount()):
        top = tree.topLevelItem(number)
        for place in range(top.childCount()):
            item = top.child(place)
            found += [
                f"cell {column} of {item.text(0)}"
                for column in range(tree.columnCount())
                if not (item.data(column, role) or item.text(column))
            ]
    return found


@pytest.mark.parametrize("module", _MODULES)
def test_every_dialog_can_be_heard(qapp: QApplication, module: str) -> None:
    theme = Theme(qapp, preference="light")
    theme.apply()
    wrong: dict[str, list[str]] = {}
    for name, widget in importlib.import_module(f"tests.gallery.{module}").build_samples(theme):
        if isinstance(widget, Panel):
            widget.show()
            QApplication.processEvents()
            found = wrong_in(widget) + small_hints_in(widget) + small_labels_in(widget) + keys_in(widget)
            if found:
                wrong[name] = found
        widget.close()
        widget.deleteLater()
    assert wrong == {}
