"""Whom PySide takes for the owner of a widget, beside who owns it in Qt."""

from __future__ import annotations

import re

from PySide6.QtWidgets import QWidget
from shiboken6 import Shiboken

_PARENT = re.compile(r"^parent\.+ <(\S+) at (0x[0-9a-f]+)>", re.MULTILINE)


def strange_owners(window: QWidget) -> list[str]:
    """The widgets in ``window``, and itself, that PySide would take for deleted with one that does not hold them."""
    found = []
    for widget in (window, *window.findChildren(QWidget)):
        owner = _PARENT.search(Shiboken.dump(widget))
        if owner is not None and int(owner[2], 16) not in _holders(widget):
            found.append(f"{type(widget).__name__} {widget.objectName()!r} with {owner[1]}")
    return found


def _holders(widget: QWidget) -> set[int]:
    """The widgets that hold it, and their layouts."""
    holders = set()
    holder = widget.parentWidget()
    while holder is not None:
        holders |= {id(holder), id(holder.layout())}
        holder = holder.parentWidget()
    return holders
