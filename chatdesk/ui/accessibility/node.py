"""Defines the base of all nodes in the accessible tree of a painted view: a parent, children, and access from Qt.

Qt holds bare pointers to interfaces made in Python. So a node is registered when it is made, kept by its parent, and
removed from Qt's cache by ``close`` before Python frees it; never during a call from Qt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QObject, QPoint, QRect, QRectF
from PySide6.QtGui import (
    QAccessible,
    QAccessibleActionInterface,
    QAccessibleAttributesInterface,
    QAccessibleInterface,
    QWindow,
)
from PySide6.QtWidgets import QAbstractScrollArea
from shiboken6 import Shiboken

# PySide turns neither 0 nor None into a null pointer here; both crash.
_NO_INTERFACE = Shiboken.VoidPtr(0)


# Every node that Qt may still hold: Python must not let go of one before ``close``.
_open: set[AccessibleNode] = set()


class AccessibleNode(QAccessibleInterface):
    """Base of all nodes but the view's own. ``close`` it when the thing it represents is gone."""

    def __init__(self, view: QAbstractScrollArea, parent: QAccessibleInterface, role: QAccessible.Role) -> None:
        super().__init__()
        self.view = view
        self._parent = parent
        self._role = role
        self._offered: dict[QAccessible.InterfaceType, tuple[object, object]] = {}
        self._is_closed = False
        self._id = QAccessible.registerAccessibleInterface(self)
        _open.add(self)

    def offer(self, kind: QAccessible.InterfaceType, interface: Shiboken.Object) -> None:
        """Answer with ``interface`` when Qt asks for that ``kind``."""
        self._offered[kind] = (interface, Shiboken.VoidPtr(Shiboken.getCppPointer(interface)[0]))

    def close(self) -> None:
        """Remove the node and its children from Qt's cache, which deletes the pointers."""
        if not self._is_closed:
            self._is_closed = True
            for child in self.known_children():
                child.close()
            QAccessible.deleteAccessibleInterface(self._id)
            _open.discard(self)

    # Overridden by subclasses

    def children_now(self) -> Sequence[QAccessibleInterface]:
        return ()

    def known_children(self) -> Sequence[AccessibleNode]:
        """Return the children created so far."""
        return ()

    def name(self) -> str:
        return ""

    def description(self) -> str:
        return ""

    def value(self) -> str:
        return ""

    def identifier(self) -> str:
        return ""

    def change_state(self, state: QAccessible.State) -> None:
        """Set the flags of ``state`` that are particular to this node."""

    # Qt's questions

    def interface_cast(self, kind: QAccessible.InterfaceType) -> object:  # type: ignore[override]
        offered = self._offered.get(kind)
        return offered[1] if offered is not None else _NO_INTERFACE

    def isValid(self) -> bool:
        return not self._is_closed and Shiboken.isValid(self.view)

    def object(self) -> QObject | None:  # type: ignore[override]
        return None

    def window(self) -> QWindow | None:  # type: ignore[override]
        return self.view.window().windowHandle()

    def parent(self) -> QAccessibleInterface:
        return self._parent

    def childCount(self) -> int:
        return len(self.children_now())

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        children = self.children_now()
        return children[index] if 0 <= index < len(children) else None

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]
        return next((child for child in self.children_now() if child.rect().contains(x, y)), None)

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return next((at for at, each in enumerate(self.children_now()) if each is child), -1)

    def role(self) -> QAccessible.Role:
        return self._role

    def state(self) -> QAccessible.State:
        state = QAccessible.State()
        state.readOnly = True
        state.offscreen = self.rect().isEmpty()
        self.change_state(state)
        return state

    def text(self, kind: QAccessible.Text) -> str:
        if kind is QAccessible.Text.Name:
            return self.name()
        if kind is QAccessible.Text.Description:
            return self.description()
        if kind is QAccessible.Text.Value:
            return self.value()
        if kind is QAccessible.Text.Identifier:
            return self.identifier()
        return ""

    def setText(self, kind: QAccessible.Text, text: str) -> None:
        """Do nothing: no text is edited through a node."""


def close_all() -> None:
    """Close all nodes, because Python is about to end."""
    for node in list(_open):
        node.close()


class ActionInterface(QAccessibleActionInterface):
    """Named actions; the first is run by a press. There is none while ``is_offered`` is false."""

    def __init__(
        self, actions: Mapping[str, Callable[[], object]], *, is_offered: Callable[[], bool] = lambda: True
    ) -> None:
        super().__init__()
        self._actions = actions
        self._is_offered = is_offered

    def actionNames(self) -> list[str]:
        return list(self._actions) if self._is_offered() else []

    def doAction(self, name: str) -> None:
        run = self._actions.get(name) if self._is_offered() else None
        if run is not None:
            run()

    def keyBindingsForAction(self, name: str) -> list[str]:
        return []


class Level(QAccessibleAttributesInterface):
    """The depth at which a heading or a row of a tree is, from 1."""

    def __init__(self, level: Callable[[], int]) -> None:
        super().__init__()
        self._level = level

    def attributeKeys(self) -> list[QAccessible.Attribute]:
        return [QAccessible.Attribute.Level]

    def attributeValue(self, key: QAccessible.Attribute) -> object:
        return self._level() if key is QAccessible.Attribute.Level else None


def on_screen(view: QAbstractScrollArea, area: QRectF) -> QRect:
    """Return a rectangle of the viewport, cut to its visible part, in screen coordinates; empty when nothing is
    visible."""
    seen = area.toAlignedRect().intersected(view.viewport().rect())
    return QRect(view.viewport().mapToGlobal(seen.topLeft()), seen.size()) if not seen.isEmpty() else QRect()


def in_viewport(view: QAbstractScrollArea, point: QPoint) -> QPoint:
    return view.viewport().mapFromGlobal(point)
