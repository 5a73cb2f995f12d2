"""Looks at pixels for whether the focus of the keyboard is seen."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QColor, QImage
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QLineEdit, QScrollArea, QWidget

from chatdesk.ui.composer.text_editor import TextEditor
from tests.ui.transcript.test_transcript_context_marks import contrast

_AROUND_PX = 20  # the ring of a composer is around the card that its field is in
_CLEAR_PX = 40  # more than a caret has
_CARET_PX = 12


def clear_changes(one: QImage, other: QImage, most: int = 1_000) -> int:
    """Count the pixels that differ with a contrast of at least 3:1 (WCAG 2.2, 1.4.11 and 2.4.13), up to ``most``."""
    found, row_length = 0, one.bytesPerLine() // 4
    before, after = memoryview(one.bits()).cast("I"), memoryview(other.bits()).cast("I")
    for start in range(0, len(before), row_length):
        row, changed = before[start : start + row_length], after[start : start + row_length]
        if row != changed:
            found += sum(a != b and _is_clear(a, b) for a, b in zip(row, changed, strict=True))
        if found >= most:
            break
    return found


@cache
def _is_clear(one: int, other: int) -> bool:
    return contrast(QColor(one).name(), QColor(other).name()) >= 3


def drawn(widget: QWidget, area: QRect | None = None) -> QImage:
    """Return ``area`` of a widget as it is drawn once everything has happened."""
    QApplication.processEvents()
    picture = widget.grab() if area is None else widget.grab(area)
    return picture.toImage().convertToFormat(QImage.Format.Format_RGB32)


def stops(root: QWidget) -> Iterator[QWidget]:
    """Yield what Tab stops at in ``root``."""
    for each in (root, *root.findChildren(QWidget)):
        is_stop = bool(each.focusPolicy() & Qt.FocusPolicy.TabFocus) and each.focusProxy() is None
        if is_stop and each.isVisibleTo(root) and each.isEnabled() and not isinstance(each, QDialog):
            yield each


def labels_of(box: QComboBox) -> list[str]:
    """Return the names that a screen reader on Linux has for a combo box: Qt gives it the chosen value as its own."""
    relations = QAccessible.queryAccessibleInterface(box).relations(QAccessible.RelationFlag.Label)
    return [name for each, _kind in relations if (name := each.text(QAccessible.Text.Name))]


def kind_of(stop: QWidget) -> tuple[object, ...]:
    """Return what two stops that look alike have in common."""
    name = stop.objectName() or stop.accessibleName()
    return type(stop), name, stop.property("isPrimary"), stop.property("isDanger")


def is_focus_seen(root: QWidget, stop: QWidget) -> bool:
    """Return whether one sees that the keyboard is at ``stop``. A field without a frame, at the top of a menu or a
    palette, shows its caret alone."""
    for area in _areas_around(stop):
        area.ensureWidgetVisible(stop)
    place = QRect(stop.mapTo(root, QPoint(0, 0)), stop.size())
    place = place.adjusted(-_AROUND_PX, -_AROUND_PX, _AROUND_PX, _AROUND_PX).intersected(root.rect())
    had_focus = root.focusWidget()
    if had_focus is not None:
        had_focus.clearFocus()
    unfocused = drawn(root, place)
    if not stop.isVisible():
        return True  # a menu or a field that goes away when the focus does
    stop.setFocus(Qt.FocusReason.TabFocusReason)
    root.window().setAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)  # which a press of Tab sets, too
    focused = drawn(root, place)
    if not stop.hasFocus():
        return False
    is_frameless = isinstance(stop, TextEditor) or (isinstance(stop, QLineEdit) and not stop.hasFrame())
    least = _CARET_PX if is_frameless else _CLEAR_PX
    return clear_changes(unfocused, focused, least) >= least


def _areas_around(widget: QWidget) -> Iterator[QScrollArea]:
    above = widget.parentWidget()
    while above is not None:
        if isinstance(above, QScrollArea):
            yield above
        above = above.parentWidget()
