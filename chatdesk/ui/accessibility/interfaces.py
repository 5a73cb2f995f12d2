"""Gives views that paint their content themselves an interface in Python: one a view, kept as long as Qt may ask it."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import Any, Protocol, cast

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleInterface
from shiboken6 import Shiboken

from chatdesk.ui.accessibility.node import close_all


class ViewInterface(Protocol):
    """A ``QAccessibleInterface`` with nodes of its own."""

    def close(self) -> None:
        """Close the nodes, because the view is gone, or has another interface."""
        ...


class _Factory:
    """An interface is kept until its view is destroyed in Qt, however long Python knows the view: one that Python lets
    go of first would leave Qt with a pointer to nothing."""

    def __init__(self) -> None:
        self._makers: dict[str, Callable[[Any], ViewInterface]] = {}
        self._is_over = False
        self._made: dict[int, Any] = {}

    def add(self, view_class: type[QObject], make: Callable[[Any], ViewInterface]) -> None:
        if not self._makers:
            QAccessible.installFactory(self)
            atexit.register(self.end)
        self._makers[view_class.__name__] = make

    def __call__(self, class_name: str, target: QObject) -> QAccessibleInterface | None:
        make = self._makers.get(class_name)
        if make is None or target is None or self._is_over:
            return None
        key = _address_of(target)
        if key in self._made:
            # Qt forgets the interface of an object to whose class PySide has added a slot since. The same one entered
            # into its cache again would be deleted twice.
            self._forget(key)
        else:
            target.destroyed.connect(lambda: self._forget(key))
        made = self._made[key] = make(target)
        return cast("QAccessibleInterface", made)

    def end(self) -> None:
        """Drop all interfaces, because Python is about to end: Qt must not hold them when it takes its widgets
        apart."""
        self._is_over = True
        for key in list(self._made):
            self._forget(key)

        close_all()

    def of(self, view: QObject) -> Any:
        return self._made.get(_address_of(view)) if self._made else None

    def _forget(self, key: int) -> None:
        interface = self._made.pop(key, None)
        if interface is not None and Shiboken.isValid(interface):
            interface.close()
            QAccessible.deleteAccessibleInterface(QAccessible.uniqueId(interface))


def _address_of(target: QObject) -> int:
    return int(Shiboken.getCppPointer(target)[0])


# Qt keeps one list of factories for the process and cannot take one out: this is its place on our side.
_factory = _Factory()


def give_interfaces(view_class: type[QObject], make: Callable[[Any], ViewInterface]) -> None:
    """Call ``make(view)`` when an assistive program first asks for the content of a view of exactly that class."""
    _factory.add(view_class, make)


def interface_of(view: QObject) -> Any:
    """Return the interface of ``view`` if anyone has asked for it, else None."""
    return _factory.of(view)
