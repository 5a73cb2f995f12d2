"""Helps widgets to work with assistive programs: names, announcements, states that are shown, and the end of a process
that such a program watched."""

from __future__ import annotations

import logging
import os
import sys
from typing import TypeVar

from PySide6 import QtGui  # QAccessible is built when something is first announced
from PySide6.QtCore import QItemSelection
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QWidget

from chatdesk.core.texts import shown

W = TypeVar("W", bound=QWidget)


def named(widget: W, object_name: str, spoken_name: str) -> W:
    """Set both names of a widget, and return it."""
    widget.setObjectName(object_name)
    widget.setAccessibleName(spoken_name)
    return widget


def announce(widget: QWidget, text: str, *, is_assertive: bool = False) -> bool:
    """Speak ``text`` politely, or at once if it must not be missed. False without a listening program."""
    if not text or not QtGui.QAccessible.isActive():
        return False
    made = getattr(QtGui, "QAccessibleAnnouncementEvent", None)
    if made is None:  # PySide before 6.10 has no announcements; an alert is the nearest thing
        QtGui.QAccessible.updateAccessibility(QtGui.QAccessibleEvent(widget, QtGui.QAccessible.Event.Alert))
        return True
    event = made(widget, shown(text))
    if is_assertive:
        event.setPoliteness(QtGui.QAccessible.AnnouncementPoliteness.Assertive)
    QtGui.QAccessible.updateAccessibility(event)
    return True


def show_checked(button: QAbstractButton, is_checked: bool) -> None:
    """Show a state that is already in force, without emitting ``toggled``."""
    was_blocked = button.blockSignals(True)
    button.setChecked(is_checked)
    button.blockSignals(was_blocked)


def open_selected(view: QAbstractItemView) -> None:
    """Make the row that is selected the current one, which the program follows. Call it once the view has its model."""

    def on_selected(selected: QItemSelection, _deselected: QItemSelection) -> None:
        rows = [index for index in selected.indexes() if index.row() != view.currentIndex().row()]
        if rows and view.selectionMode() is QAbstractItemView.SelectionMode.SingleSelection:
            view.setCurrentIndex(rows[0])

    view.selectionModel().selectionChanged.connect(on_selected)


def exit_if_assisted(code: int) -> None:
    """End the process at once if Qt spoke to an assistive program; call it when everything is stored and closed.

    Interfaces that were made in Python are freed with Python's objects, and again by the cache that Qt empties after
    them: PySide 6.11 then ends with a segmentation fault.
    """
    if QtGui.QAccessible.isActive():
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
