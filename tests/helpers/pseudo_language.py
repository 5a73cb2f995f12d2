"""Speaks a made-up language in the gallery, and finds what was forgotten, cut off or glued together.

    python -m tests.helpers.pseudo_language 1.4

Every sentence is in marks, ‹ and ›, and is as much longer or shorter as the argument says. An English ``Text`` that
nothing has shown begins with a sign that no font draws. The process prints a line of JSON for each fault, then the
number of samples and of texts that it has read, in widgets and as they were painted.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6 import QtGui
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QPainter, QTextDocumentFragment, QTextLayout
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QScrollArea,
    QStyle,
    QStyleOptionComboBox,
    QTabBar,
    QTableView,
    QTextEdit,
    QToolButton,
    QWidget,
)

from chatdesk.core import texts
from tests.helpers.sentences import ROOT

OPEN, CLOSE = "‹", "›"
_UNSHOWN = "\u2063"  # an invisible separator: no width in any font
_KEPT = re.compile(r"(\{\w+\}|<[^>]*>|&\w+;|https?://\S+)")
_FILLER = "äñöšüłéžâřê"
_MOST_ROWS = 60
_MOST_TURNS, _TURN_MS = 20, 20
# What the offline demo is asked; it understands English.
_ASKED_IN_ENGLISH = ("What can ChatDesk do?", "Show me code, a table and a formula")
_ROLES = {
    "item": Qt.ItemDataRole.DisplayRole,
    "name of item": Qt.ItemDataRole.AccessibleTextRole,
    "description of item": Qt.ItemDataRole.AccessibleDescriptionRole,
    "tooltip of item": Qt.ItemDataRole.ToolTipRole,
}
_PROPERTIES = ("text", "placeholderText", "windowTitle", "title", "toolTip", "accessibleName", "accessibleDescription")


def sentence_of(source: str, factor: float) -> str:
    """Return a sentence of the made-up language; fields, tags and addresses stay as they are."""
    parts = _KEPT.split(source)
    if not re.search(r"\w", "".join(parts[::2])):
        return source  # such as what stands between the words of a list
    letters = sum(len(part) for part in parts[::2])
    if factor < 1:
        shorter = [re.sub(r"\w+", lambda word: word[0][: ceil(len(word[0]) * factor)], part) for part in parts[::2]]
        parts[::2] = shorter
        return f"{OPEN}{''.join(parts)}{CLOSE}"
    more = max(0, round(letters * (factor - 1)) - len(OPEN + CLOSE))
    filler = (_FILLER * ceil(more / len(_FILLER)))[:more]
    if " " in source.strip():  # long sentences can wrap, as in any language
        filler = "".join(f" {filler[at : at + 6]}" for at in range(0, more, 7))
    return f"{OPEN}{source}{filler}{CLOSE}"


def speak(factor: float) -> None:
    """Translate into the made-up language from now on, and mark each ``Text`` that is made. Called in a process of its
    own, before the modules with constants are imported."""
    make = texts.Text._made.__func__  # type: ignore[attr-defined]

    def made(cls: type[texts.Text], *parts: Any) -> texts.Text:
        text = make(cls, *parts)
        marked = str.__new__(cls, _UNSHOWN + str(text).replace(_UNSHOWN, ""))
        for name in texts.Text.__slots__:
            setattr(marked, name, getattr(text, name))
        return marked

    texts.Text._made = classmethod(made)  # type: ignore[assignment]
    texts.use_translation(lambda source, _singular, _number: sentence_of(source, factor))


def texts_of(widget: QWidget) -> Iterator[tuple[str, str]]:
    """Yield what a person or a screen reader reads in a widget and all within it, each with its place."""
    for each in (widget, *widget.findChildren(QWidget)):
        place = f"{type(each).__name__} {each.objectName()}".strip()
        for name in _PROPERTIES:
            value = each.property(name)
            if isinstance(value, str) and not (name == "text" and isinstance(each, QLineEdit)):
                yield f"{place}, {name}", value
        if isinstance(each, QComboBox):
            yield from ((f"{place}, entry", each.itemText(row)) for row in range(each.count()))
        if isinstance(each, QTabBar):
            yield from ((f"{place}, tab", each.tabText(at)) for at in range(each.count()))
        if isinstance(each, QMenu):
            yield from ((f"{place}, action", action.text()) for action in each.actions())
        if isinstance(each, QAbstractItemView) and each.model() is not None:
            yield from _items_of(each, place)


def _items_of(view: QAbstractItemView, place: str) -> Iterator[tuple[str, str]]:
    model: Any = view.model()
    columns = model.columnCount(QModelIndex()) if isinstance(view, QTableView) else 1
    for row in range(min(model.rowCount(QModelIndex()), _MOST_ROWS)):
        for column in range(columns):
            for name, role in _ROLES.items():
                value = model.index(row, column, QModelIndex()).data(role)
                if isinstance(value, str):
                    yield f"{place}, {name}", value
    for column in range(columns if isinstance(view, QTableView) else 0):
        value = model.headerData(column, Qt.Orientation.Horizontal)
        if isinstance(value, str):
            yield f"{place}, header", value


def watch_painting() -> set[str]:
    """Return a set that gets each text that a widget paints by itself from now on. Called before the widgets' modules
    are imported."""
    painted: set[str] = set()
    draw = QPainter.drawText

    def draw_text(painter: QPainter, *arguments: Any) -> Any:
        painted.update(each for each in arguments if isinstance(each, str))
        return draw(painter, *arguments)

    class WatchedLayout(QTextLayout):
        def __init__(self, text: str = "", *more: Any) -> None:
            super().__init__(text, *more)
            painted.add(text)

    QPainter.drawText = draw_text  # type: ignore[method-assign, assignment]
    QtGui.QTextLayout = WatchedLayout  # type: ignore[misc, assignment]
    return painted


def quoted_in(sources: Iterable[Path]) -> frozenset[str]:
    """Return what stands between two quotation marks in source files."""
    return frozenset(piece for path in sources for piece in path.read_text(encoding="utf-8").split('"'))


@cache  # most texts are in many samples
def fault_of(text: str, program: frozenset[str], samples: frozenset[str]) -> str:
    """Return what is wrong with a text that is shown, "" for nothing. ``program`` and ``samples``: what stands in
    quotation marks in the sources."""
    if _UNSHOWN in text:
        return "English, not shown in the language"
    words = re.sub(r"<[^>]*>", "", text)
    if OPEN not in words:
        is_words = re.search(r"[A-Za-z]{2} [a-z]{2}", words) is not None
        is_known = text in samples or text in _ASKED_IN_ENGLISH
        return "English, forgotten" if is_words and text in program and not is_known else ""
    if words.count(OPEN) != words.count(CLOSE) and "…" not in words:
        return "cut out of a sentence"
    if re.search(rf"[^\W\d]{OPEN}|{CLOSE}[^\W\d]", words):
        return "glued to a sentence"
    return ""


def cut_off_in(widget: QWidget) -> Iterator[tuple[str, str]]:
    """Yield each text that has too little room in a widget that is shown, with its place and how much is missing."""
    for each in (widget, *widget.findChildren(QWidget)):
        if not each.isVisible() or each.width() < 2 or each.height() < 2 or _draws_itself(each):
            continue
        place = f"{type(each).__name__} {each.objectName()}".strip()
        for text, has, needs in _rooms_of(each):
            if needs > has + 1 and re.search(r"\w", text):
                yield f"{place}: {needs - has:.0f} of {needs:.0f} px are missing", text
        outside = _outside(each)
        if outside > 1 and _words_of(each):
            yield f"{place}: {outside} px lie outside of what holds it", _words_of(each)


def _cut_off_at_last(widget: QWidget) -> list[tuple[str, str]]:
    """Return what is cut off once layouts that are under way have had their turn."""
    found = list(cut_off_in(widget))
    turns = 0
    while found and turns < _MOST_TURNS:
        QTest.qWait(_TURN_MS)
        found, turns = list(cut_off_in(widget)), turns + 1
    return found


def _rooms_of(each: QWidget) -> Iterator[tuple[str, float, float]]:
    """Yield each text with the room that it has and the room that it needs, both across or both down."""
    across = each.fontMetrics().horizontalAdvance
    if isinstance(each, QLabel):
        yield from _rooms_of_label(each)
    elif isinstance(each, QToolButton):
        if each.toolButtonStyle() != Qt.ToolButtonStyle.ToolButtonIconOnly and each.icon().isNull():
            yield each.text(), each.width(), across(each.text().replace("&", ""))
    elif isinstance(each, QAbstractButton):
        yield each.text(), each.width(), each.sizeHint().width()
    elif isinstance(each, QTabBar) and not each.usesScrollButtons():
        for at in range(each.count()):
            yield each.tabText(at), each.tabRect(at).width(), across(each.tabText(at))
    elif isinstance(each, QHeaderView) and each.orientation() is Qt.Orientation.Horizontal:
        for at in range(each.count()):
            if not each.isSectionHidden(at):
                words = str(each.model().headerData(at, Qt.Orientation.Horizontal) or "")
                yield words, each.sectionSize(at), across(words)
    elif not each.toolTip():  # Qt ends the words of these two with an ellipsis; then the tooltip has the whole
        yield from _rooms_of_field(each)


def _rooms_of_label(label: QLabel) -> Iterator[tuple[str, float, float]]:
    text = label.text()
    if label.wordWrap():
        yield text, label.height(), label.heightForWidth(label.width())
    elif label.textFormat() is Qt.TextFormat.RichText or "<" in text:
        yield text, label.width(), label.sizeHint().width()
    else:
        widest = max(map(label.fontMetrics().horizontalAdvance, text.splitlines()), default=0)
        yield text, label.contentsRect().width() - 2 * label.margin(), widest


def _rooms_of_field(field: QWidget) -> Iterator[tuple[str, float, float]]:
    across = field.fontMetrics().horizontalAdvance
    if isinstance(field, QComboBox):
        option = QStyleOptionComboBox()
        field.initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        room = field.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, field)
        yield field.currentText(), room.width(), across(field.currentText())
    elif isinstance(field, QLineEdit) and not field.text():
        yield field.placeholderText(), field.contentsRect().width(), across(field.placeholderText())


def _words_of(each: QWidget) -> str:
    if isinstance(each, QLabel | QAbstractButton):
        return QTextDocumentFragment.fromHtml(each.text()).toPlainText().strip()
    return each.currentText() if isinstance(each, QComboBox) else ""


def _draws_itself(each: QWidget) -> bool:
    """Return whether a class of ours draws the words: these cut with an ellipsis and keep the whole in a tooltip."""
    for kind in type(each).__mro__:
        if kind.__module__.startswith("PySide6"):
            return False
        if "paintEvent" in vars(kind):
            return True
    return False


def _outside(each: QWidget) -> int:
    """Return how far a widget reaches sideways out of those that hold it, up to what can be scrolled."""
    farthest = 0
    holder = each.parentWidget()
    while holder is not None and not each.isWindow():
        left = each.mapTo(holder, QPoint(0, 0)).x()
        farthest = max(farthest, -left, left + each.width() - holder.width())
        around = holder.parentWidget()
        if holder.isWindow() or isinstance(around, QTextEdit | QAbstractItemView):
            break
        if around is not None and isinstance(around.parentWidget(), QScrollArea):
            break
        holder = around
    return farthest


def main(factor: float) -> None:
    """Print the faults of all samples."""
    speak(factor)
    painted = watch_painting()
    from chatdesk.ui.theme.theme import Theme

    application = QApplication([])
    gc.disable()  # as in a window: see ``ui/qt/garbage.py``
    theme = Theme(application)
    theme.apply()
    theme.load_other_fonts()
    paths = sorted((ROOT / "tests" / "gallery").glob("*_samples.py"))
    samples, program = quoted_in(paths), quoted_in((ROOT / "chatdesk").rglob("*.py"))
    faults: dict[tuple[str, str], str] = {}
    counted, read, drawn = 0, 0, 0
    for path in paths:
        for name, widget in importlib.import_module(f"tests.gallery.{path.stem}").build_samples(theme):
            counted += 1
            widget.show()
            for _round in range(5):
                QApplication.processEvents()
            for place, text in texts_of(widget):
                read += OPEN in text
                fault = fault_of(text, program, samples)
                if fault:
                    faults.setdefault((fault, text[:200]), f"{name}: {place}")
            drawn += sum(OPEN in text for text in painted)
            for text in painted:
                fault = fault_of(text, program, samples)
                if fault.startswith("English"):  # a line may hold a part of a sentence
                    faults.setdefault((fault, text[:200]), f"{name}: painted")
            painted.clear()
            for place, text in _cut_off_at_last(widget):
                faults.setdefault(("cut off", text[:200]), f"{name}: {place}")
            widget.close()
            widget.deleteLater()
        gc.collect()
        gc.freeze()  # what is left are modules and caches, which each later collection would walk
    for (fault, text), place in faults.items():
        sys.stdout.write(json.dumps({"fault": fault, "place": place, "text": text}, ensure_ascii=False) + "\n")
    sys.stdout.write(json.dumps({"samples": counted, "texts": read, "painted": drawn}) + "\n")
    sys.stdout.flush()
    os._exit(0)  # the samples' services need no careful end


if __name__ == "__main__":
    main(float(sys.argv[1]))
