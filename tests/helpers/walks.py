"""A person's two ways through the window: the mouse alone, and the keyboard alone. Nothing is reached but by what is
shown: buttons by their words, rows by their text, and whatever has the focus."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QDialog, QLabel, QMenu, QWidget

from chatdesk.ui.sidebar.sidebar import Sidebar
from tests.helpers.window import until

_NOTHING = Qt.KeyboardModifier.NoModifier
_LONGEST_TAB_CHAIN = 60


def button(parent: QWidget, words: str) -> QAbstractButton | None:
    """What can be pressed and says so, or is called so where it shows an icon alone."""
    shown = (each for each in parent.findChildren(QAbstractButton) if each.isVisible() and each.isEnabled())
    return next((each for each in shown if words in (each.text(), each.accessibleName())), None)


async def shown(parent: QWidget, words: str) -> QAbstractButton:
    """The same, as soon as it is there."""
    await until(lambda: button(parent, words) is not None)
    found = button(parent, words)
    assert found is not None
    return found


def is_unread(widget: QWidget | None) -> bool:
    """Whether the widget, or what it is in, appeared too recently to be pressed."""
    while widget is not None:
        guard = getattr(widget, "guard", None)
        if getattr(widget, "is_unread", False) is True or (guard is not None and guard.is_unread):
            return True
        widget = widget.parentWidget()
    return False


async def click(parent: QWidget, words: str) -> None:
    """Press the button that says so, as soon as that is possible; another may come in its place until then."""
    await until(lambda: (found := button(parent, words)) is not None and not is_unread(found))
    QTest.mouseClick(await shown(parent, words), Qt.MouseButton.LeftButton)


async def found_in(sidebar: Sidebar) -> None:
    """Wait until the sidebar shows something that was found."""
    await until(
        lambda: sidebar.found is not None and sidebar.found.results.is_over and len(sidebar.found.list.rows) > 0
    )


def click_at(widget: QWidget, place: QPoint) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, _NOTHING, place)


def row_of(view: QAbstractItemView, words: str) -> QPoint | None:
    """The middle of the row in sight that has these words."""
    model, root = view.model(), view.rootIndex()
    for row in range(model.rowCount(root)):
        index = model.index(row, 0, root)
        place = view.visualRect(index).center()
        if words in str(index.data(Qt.ItemDataRole.DisplayRole)) and view.viewport().rect().contains(place):
            return place
    return None


async def click_row(view: QAbstractItemView, words: str) -> None:
    await until(lambda: row_of(view, words) is not None)
    place = row_of(view, words)
    assert place is not None
    click_at(view.viewport(), place)


async def click_menu(words: str) -> None:
    """Choose from the menu that is open."""
    await until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    action = next(each for each in menu.actions() if each.text() == words and each.isEnabled())
    click_at(menu, menu.actionGeometry(action).center())


async def popup() -> QWidget:
    await until(lambda: QApplication.activePopupWidget() is not None)
    found = QApplication.activePopupWidget()
    assert found is not None
    return found


async def dialog(kind: type[QDialog]) -> QDialog:
    """The one of that kind that is open, once it has the keyboard."""

    def found() -> QDialog | None:
        return next((each for each in QApplication.allWidgets() if isinstance(each, kind) and each.isVisible()), None)

    await until(found)
    shown = found()
    assert shown is not None
    await until(lambda: has_keyboard(shown))
    return shown


def has_keyboard(dialog: QDialog) -> bool:
    """Return whether ``dialog``, or what it opened, is active; ask for that while nothing is.

    A dialog is seen before it is active. Until then keys would go to the window below; and Qt's file dialog, while its
    field lacks the focus, selects each file that what was typed so far names, and opens the first of them: "/".
    """
    active = QApplication.activeWindow()
    if active is None:  # as after another window closed, where nothing manages windows
        dialog.activateWindow()
        return False
    return dialog in (active, active.parentWidget())


async def gone(kind: type[QWidget]) -> None:
    await until(lambda: not any(isinstance(each, kind) and each.isVisible() for each in QApplication.allWidgets()))


def texts(parent: QWidget) -> str:
    """All that is written there."""
    return "\n".join(label.text() for label in parent.findChildren(QLabel) if label.isVisible())


class Keys:
    """Presses keys where a keyboard's keys would go: in the open popup, else in what has the focus."""

    def __init__(self, window: QWidget) -> None:
        self._window = window

    @classmethod
    async def of(cls, window: QWidget) -> Keys:
        """The keys of a window that has the keyboard: one that closed before it may have taken it along, late."""
        window.activateWindow()
        await until(window.isActiveWindow)
        return cls(window)

    @property
    def focused(self) -> QWidget:
        # Where nothing manages windows, none is active after a file dialog: a person's would be the dialog below it.
        dialogs = [each for each in self._window.findChildren(QDialog) if each.isVisible()]
        active = QApplication.activeWindow() or (dialogs[-1] if dialogs else self._window)
        top = QApplication.activePopupWidget() or active
        return top.focusWidget() or top

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = _NOTHING) -> None:
        QTest.keyClick(self.focused, key, modifier)

    def type(self, text: str) -> None:
        for letter in text:
            QTest.keyClicks(self.focused, letter)

    def tab_to(self, name: str) -> None:
        """On with Tab until the widget that is called so, or shows these words, has the focus."""
        met = []
        for _ in range(_LONGEST_TAB_CHAIN):
            focused = self.focused
            met.append(focused.accessibleName() or (focused.text() if isinstance(focused, QAbstractButton) else ""))
            if met[-1] == name:
                return
            self.press(Qt.Key.Key_Tab)
        raise AssertionError(f"Tab does not reach {name!r}, only {sorted(set(met))}")

    async def choose_from_menu(self, words: str) -> None:
        """Down to the entry of the open menu, and Enter."""
        await until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        for _ in menu.actions():
            action = menu.activeAction()
            if action is not None and action.text() == words:
                break
            self.press(Qt.Key.Key_Down)
        else:
            raise AssertionError(f"{words!r} is not in {[each.text() for each in menu.actions()]}")
        self.press(Qt.Key.Key_Return)
