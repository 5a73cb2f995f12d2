"""The gallery, for those who use the keyboard, a screen reader or a shaking hand.

Every stop of Tab shows that it has the focus, and has a name and a role; every cell of a tree has a name; no name or
description has marks; labels, buttons and the hints of empty fields of a dialog begin like sentences, and none marks a
letter as its key; hints can be read; nothing scrolls that is in sight; and what is pressed is large enough to be hit.
One walk through the gallery looks at all of it, because most of its time is spent on building the samples.
"""

from __future__ import annotations

import importlib
import itertools
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from PySide6.QtCore import SIGNAL, QSize, Qt
from PySide6.QtGui import QAccessible, QColor, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QGroupBox,
    QLabel,
    QLineEdit,
    QListView,
    QListWidget,
    QMenu,
    QPlainTextEdit,
    QScrollArea,
    QScrollBar,
    QSlider,
    QTabBar,
    QTextEdit,
    QTreeWidget,
    QWidget,
)
from shiboken6 import isValid

import tests.gallery
from chatdesk.ui.dialogs.panel import Panel
from chatdesk.ui.theme.theme import Preference, Theme
from tests.helpers.examples import sample
from tests.helpers.seen_focus import is_focus_seen, kind_of, labels_of, stops
from tests.helpers.sentences import sentences_of_source
from tests.ui.transcript.test_transcript_context_marks import contrast

# A word; an address or a path is an example, which is written as it is typed.
_SMALL_WORD = re.compile(r"[a-z]+(?=[\s,;]|$)")
_MODULES = sorted(path.stem for path in Path(tests.gallery.__path__[0]).glob("*_samples.py"))
_PRESSED = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QSlider, QTabBar)
_MOST_ROWS = 30
_LEAST_PX = 24  # WCAG 2.2, 2.5.8
_TEXT, _ROLE = QAccessible.Text, QAccessible.Role


def _label(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.accessibleName() or widget.objectName()!r}"


def _unheard(root: QWidget) -> Iterator[str]:
    """What a screen reader says nothing or something strange about."""
    for stop in stops(root):
        interface = QAccessible.queryAccessibleInterface(stop)
        description = interface.text(_TEXT.Description)
        if not interface.text(_TEXT.Name).strip():
            yield f"{_label(stop)} has no name"
        if interface.role() in (_ROLE.Client, _ROLE.NoRole):
            yield f"{_label(stop)} has no role"
        if any(mark in description for mark in ("<qt", "<p", "&quot;", "&lt;")):
            yield f"{_label(stop)}: {description}"
        if isinstance(stop, QTreeWidget):
            yield from (f"{_label(stop)}: {each}" for each in _unspoken(stop))
        if isinstance(stop, QComboBox) and len(names := labels_of(stop)) != 1:
            yield f"{_label(stop)} is named by {names}"


def _unpressed(root: QWidget) -> Iterator[str]:
    """The lists that do something when a row is clicked, which an outside program cannot do."""
    for view in root.findChildren(QListView):
        signal = "itemClicked(QListWidgetItem*)" if isinstance(view, QListWidget) else "clicked(QModelIndex)"
        if not view.receivers(SIGNAL(signal)) or not view.model().rowCount():
            continue
        rows = QAccessible.queryAccessibleInterface(view)
        for row in map(rows.child, range(min(view.model().rowCount(), _MOST_ROWS))):
            actions = row.actionInterface()
            is_offered = actions is not None and "Press" in actions.actionNames()
            if is_offered is bool(row.state().disabled):
                words = row.text(_TEXT.Name)
                yield f"{_label(view)} offers to press {words!r}" if is_offered else f"{words!r} cannot be pressed"


def _unspoken(tree: QTreeWidget) -> list[str]:
    role = int(Qt.ItemDataRole.AccessibleTextRole)
    tops = [tree.topLevelItem(number) for number in range(tree.topLevelItemCount())]
    items = [*tops, *(top.child(place) for top in tops for place in range(top.childCount()))]
    return [
        f"cell {column} of {item.text(0)}"
        for item in items
        for column in range(tree.columnCount())
        if not (item.data(column, role) or item.text(column))
    ]


def _idle_bars(root: QWidget) -> Iterator[str]:
    """The scroll bars of areas whose words are all in sight."""
    for area in root.findChildren(QScrollArea):
        page, room = area.widget(), area.viewport().size()
        if page is None or not area.isVisible() or not page.hasHeightForWidth() or page.width() > room.width():
            continue
        if area.verticalScrollBar().maximum() and page.heightForWidth(page.width()) <= room.height():
            yield f"{_label(area)} scrolls where all is in sight"


def _faint(root: QWidget, ground: str) -> Iterator[str]:
    """The empty fields whose hint is hardly read; Qt's own hints are half transparent."""
    for kind in (QLineEdit, QPlainTextEdit):
        for field in root.findChildren(kind):
            ink = field.palette().placeholderText().color()
            is_read = ink.alpha() == 255 and contrast(ink.name(), ground) >= 4.5
            if field.isVisible() and field.placeholderText() and not is_read:
                yield f"{_label(field)} shows its hint in {ink.name(QColor.NameFormat.HexArgb)}"


def _begin_small(root: QWidget) -> Iterator[str]:
    """The sentences in empty fields, labels, buttons and boxes of choices that begin with a small letter."""
    fields = (QLineEdit, QPlainTextEdit, QTextEdit, QComboBox)
    words = {each.placeholderText() for kind in fields for each in root.findChildren(kind)}  # also not shown yet
    words |= {each.text() for kind in (QLabel, QAbstractButton) for each in root.findChildren(kind) if each.isVisible()}
    words |= {box.itemText(place) for box in root.findChildren(QComboBox) for place in range(box.count())}
    return (each for each in sorted(words) if _SMALL_WORD.match(each) and _small_sentences().match(each))


@cache
def _small_sentences() -> re.Pattern[str]:
    """Return a pattern of the sentences of the program that begin with a small letter, their fields filled."""
    sources = {text for each in sentences_of_source() for text in (each.source, each.singular) if text}
    small = (re.sub(r"\\{\w+\\}", ".+", re.escape(each)) for each in sources if each[0].islower())
    return re.compile(rf"(?:{'|'.join(small)})(?:, .*)?$")


def _keys(root: QWidget) -> Iterator[str]:
    """The words that mark a letter as their key: dialogs have none, and an & in a name is no mark."""
    words = [each.text() for each in root.findChildren(QAbstractButton) if not each.shortcut().isEmpty()]
    words += [each.title() for each in root.findChildren(QGroupBox)]
    words += [each.text() for each in root.findChildren(QLabel) if each.buddy() is not None]
    words += [bar.tabText(place) for bar in root.findChildren(QTabBar) for place in range(bar.count())]
    words += [action.text() for menu in root.findChildren(QMenu) for action in menu.actions()]
    return (each for each in words if not QKeySequence.mnemonic(each).isEmpty())


def _targets(root: QWidget) -> Iterator[tuple[QWidget, QSize]]:
    """What a person presses in ``root``, with the size of what takes the press."""
    for each in (root, *root.findChildren(QWidget)):
        is_part = isinstance(each.parentWidget(), QAbstractSpinBox | QComboBox)  # the field within a larger one
        if not each.isVisible() or is_part or isinstance(each, QScrollBar):
            continue
        if isinstance(each, QTabBar):
            for place in range(each.count()):
                yield each, each.tabRect(place).size()
        elif isinstance(each, _PRESSED):
            yield each, each.size()


def _small(root: QWidget) -> Iterator[str]:
    for each, size in _targets(root):
        if min(size.width(), size.height()) < _LEAST_PX:
            yield f"{_label(each)} is {size.width()} x {size.height()}"


def _unseen(root: QWidget, looked_at: set[tuple[object, ...]]) -> Iterator[str]:
    """Where the focus is not seen, of what was not looked at in another sample."""
    for stop in list(stops(root)):
        kind = kind_of(stop) if isValid(stop) else None
        if kind is None or kind in looked_at:
            continue
        looked_at.add(kind)
        if not is_focus_seen(root, stop):
            yield f"{_label(stop)} does not show that it has the focus"


@pytest.mark.parametrize(("module", "preference"), sample(list(itertools.product(_MODULES, ("light", "dark"))), 18))
def test_a_page_of_the_gallery_is_for_everyone(qapp: QApplication, module: str, preference: Preference) -> None:
    theme = Theme(qapp, preference=preference)
    theme.set_scale(1.0)
    theme.apply()
    wrong: dict[str, list[str]] = {}
    looked_at: set[tuple[object, ...]] = set()
    for name, widget in importlib.import_module(f"tests.gallery.{module}").build_samples(theme):
        widget.show()
        widget.activateWindow()
        for _round in range(5):
            QApplication.processEvents()
        found = [*_unseen(widget, looked_at), *_faint(widget, theme.tokens.card)]
        if preference == "light":  # the other has the same names and sizes
            found += [*_unheard(widget), *_unpressed(widget), *_small(widget), *_idle_bars(widget)]
            found += [*_begin_small(widget), *_keys(widget)] if isinstance(widget, Panel) else []
        if found:
            wrong[name] = found
        widget.close()
        widget.deleteLater()
    theme.deleteLater()
    assert wrong == {}
