"""The order of the window's panes, for Tab and for F6."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.widgets.focus_chain import next_in_chain

_MOST_WIDGETS = 2_000


class PaneOrder:
    """Sets the Tab order to sidebar, header, thread, composer. ``panes`` returns the panes of the moment, the sidebar
    first, where there is one."""

    def __init__(self, panes: Callable[[], Sequence[QWidget]]) -> None:
        self._panes = panes
        self._is_due = False

    def set_later(self) -> None:
        """Set the order later, at the first Tab or F6: PySide builds all its classes of widgets for it (7 ms)."""
        self._is_due = True

    def set_now(self) -> None:
        """Set the order where that is due: from a pane's last widget to the next one's first."""
        if not self._is_due:
            return
        self._is_due = False
        chain: list[QWidget] = []
        for pane in self._panes():
            found = pane.focus_panes() if isinstance(pane, Sidebar) else focusable(pane, hidden_too=True)
            chain.extend(widget for widget in found if widget not in chain)
        for before, after in pairwise(chain):
            QWidget.setTabOrder(before, after)

    def pane_beside(self, focus: QWidget | None, step: int) -> QWidget | None:
        """Return the pane ``step`` places from the one that has ``focus``, around the end, of those that can take the
        focus; None where no pane can."""
        self.set_now()
        panes = [pane for pane in self._panes() if pane.isVisible() and next(focusable(pane), None) is not None]
        if not panes:
            return None
        here = next((i for i, pane in enumerate(panes) if focus is pane or _contains(pane, focus)), None)
        return panes[(here + step) % len(panes) if here is not None else (0 if step > 0 else len(panes) - 1)]


def _contains(pane: QWidget, widget: QWidget | None) -> bool:
    return widget is not None and pane.isAncestorOf(widget)


def focusable(pane: QWidget, *, hidden_too: bool = False) -> Iterator[QWidget]:
    """Yield the widgets that Tab reaches inside ``pane``, in order."""
    widget = pane
    for _ in range(_MOST_WIDGETS):  # the chain is a ring; a widget that was taken out must not make this endless
        is_inside = widget is pane or pane.isAncestorOf(widget)
        if is_inside and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            is_usable = widget.isEnabled() and widget.isVisible()
            if hidden_too or is_usable:
                yield widget
        following = next_in_chain(widget)
        if following is None or following is pane:
            return
        widget = following
