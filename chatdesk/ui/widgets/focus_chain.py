"""Reads the tab order without changing the owner of any widget."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from shiboken6 import createdByPython


def next_in_chain(widget: QWidget) -> QWidget | None:
    """Return the widget that follows ``widget`` in the Tab order, whether or not it takes the focus."""
    return _owned_as_before(widget.nextInFocusChain())


def previous_in_chain(widget: QWidget) -> QWidget | None:
    """Return the widget before ``widget`` in the Tab order, whether or not it takes the focus."""
    return _owned_as_before(widget.previousInFocusChain())


def _owned_as_before(widget: QWidget | None) -> QWidget | None:
    """Return a widget with the parent that Qt has for it: PySide makes the widget that such a call returns a child of
    the one that was asked, even a window.

    The next widget to be deleted then counted as the parent of half the window, and PySide declared deleted what it had
    not made itself, such as the items of layouts. To set the parent that Qt has changes nothing in Qt, and puts PySide
    right; parts that Qt has made need theirs too, since nobody else holds them.
    """
    held = widget
    while held is not None:
        owner = held.parentWidget()
        held.setParent(owner)
        held = None if owner is None or createdByPython(owner) else owner
    return widget
