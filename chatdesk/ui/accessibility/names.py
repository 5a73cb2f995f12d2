"""Names a widget for the program and for screen readers."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtWidgets import QWidget

W = TypeVar("W", bound=QWidget)


def named(widget: W, object_name: str, spoken_name: str) -> W:
    """Set both names of a widget, and return it."""
    widget.setObjectName(object_name)
    widget.setAccessibleName(spoken_name)
    return widget
