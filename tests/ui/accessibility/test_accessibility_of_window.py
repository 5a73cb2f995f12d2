"""The whole window for everyone: names, roles, the order of Tab, 200 %, right to left, and where the focus is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QDialog, QLabel, QLineEdit, QWidget
from shiboken6 import Shiboken

from chatdesk.core.settings.schema import all_settings
from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.dialogs.notice import AboutDialog, NoticeDialog
from chatdesk.ui.dialogs.panel import Panel
from chatdesk.ui.features.search.palette import Palette
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.settings.shortcuts_editor import ShortcutsEditor
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.elided_label import ElidedLabel
from chatdesk.ui.window.main_window import MainWindow
from tests.gallery.window_samples import build_window

_TEXT = QAccessible.Text


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = Theme(qapp, preference="light")
    made.apply()
    yield made
    made.set_scale(1.0)
    Shiboken.delete(made)


@pytest.fixture
def shown(theme: Theme, qapp: QApplication) -> Iterator[Callable[[QWidget], QWidget]]:
    """Shows a widget until the test is over."""
    widgets: list[QWidget] = []

    def show(widget: QWidget) -> QWidget:
        widgets.append(widget)
        widget.show()
        widget.activateWindow()
        for _round in range(4):
            qapp.processEvents()
        return widget

    yield show
    for widget in widgets:
        widget.close()
        # At once: a window that the garbage collector takes apart while events still reach it is a crash.
        Shiboken.delete(widget)


def make_commands() -> CommandRegistry:
    commands = CommandRegistry(QWidget(), CATALOGUE)
    for command in CATALOGUE:
        commands.bind(command.id, lambda: None)
    return commands


def _shortcuts(theme: Theme) -> QDialog:
    panel = Panel(theme, "Shortcuts")
    panel.form_column().addWidget(ShortcutsEditor(theme, make_commands()))
    return panel


DIALOGS: dict[str, Callable[[Theme], QDialog]] = {
    "settings": lambda theme: SettingsDialog(theme, {each.name: each.default for each in all_settings()}),
    "palette": lambda theme: Palette(theme, make_commands()),
    "shortcuts": _shortcuts,
    "about": AboutDialog,
    "confirm": lambda theme: ConfirmDialog(theme, "Delete?", "This cannot be undone.", yes_text="Delete"),
    "notice": lambda theme: NoticeDialog(theme, "A failure", "Your messages are kept."),
}


def focusable(root: QWidget) -> list[QWidget]:
    widgets = [each for each in root.findChildren(QWidget) if each.isVisible() and each.isEnabled()]
    return [each for each in widgets if each.focusPolicy() & Qt.FocusPolicy.TabFocus and each.focusProxy() is None]


def nameless(root: QWidget) -> list[str]:
    found = []
    for widget in focusable(root):
        interface = QAccessible.queryAccessibleInterface(widget)
        if not interface.text(_TEXT.Name) or interface.role() is QAccessible.Role.NoRole:
            found.append(f"{widget.metaObject().className()} {widget.objectName()}")
    return found


@pytest.mark.parametrize("has_thread", [True, False])
def test_everything_that_takes_the_focus_has_a_name_and_a_role(
    theme: Theme, shown: Callable[[QWidget], QWidget], has_thread: bool
) -> None:
    window = shown(build_window(theme, has_thread=has_thread))
    window.show_banner("Disk full", is_danger=True, action_text="Try again")
    window.show_toast("Moved to the trash", "Undo")
    assert len(focusable(window)) > 8
    assert nameless(window) == []


@pytest.mark.parametrize("name", DIALOGS)
def test_everything_in_a_dialog_has_a_name_and_the_dialog_too(
    theme: Theme, shown: Callable[[QWidget], QWidget], name: str
) -> None:
    dialog = shown(DIALOGS[name](theme))
    assert nameless(dialog) == []
    interface = QAccessible.queryAccessibleInterface(dialog)
    assert interface.text(_TEXT.Name)
    assert interface.role() == QAccessible.Role.Dialog
    assert dialog.focusWidget() is not None or not focusable(dialog)


def test_threads_are_named_with_their_state(theme: Theme, shown: Callable[[QWidget], QWidget]) -> None:
    window = shown(build_window(theme))
    rows = QAccessible.queryAccessibleInterface(window.sidebar.thread_list)
    names = [rows.child(place).text(_TEXT.Name) for place in range(rows.childCount())]
    pinned = next(name for name in names if "Weekly reading notes" in name)
    assert "pinned" in pinned.lower()
    streaming = next(name for name in names if "release notes" in name)
    assert any(word in streaming.lower() for word in ("answer", "writing", "streaming"))
    assert any("14:00" in name for name in names)


def test_tab_goes_as_the_eye_does(theme: Theme, shown: Callable[[QWidget], QWidget]) -> None:
    window = shown(build_window(theme))
    window.sidebar.focus_panes()[0].setFocus()
    panes = [window.sidebar, window.pane.header, window.pane.transcript, window.pane.composer]
    seen: list[QWidget] = []
    for _press in range(25):
        focus = window.focusWidget()
        pane = next((each for each in panes if each is focus or each.isAncestorOf(focus)), None)
        if pane is not None and (not seen or seen[-1] is not pane):
            seen.append(pane)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    assert seen[:4] == panes


def clipped(root: QWidget) -> list[str]:
    """Texts that have less room than they need."""
    found = []
    for widget in root.findChildren(QWidget):
        if not widget.isVisible() or isinstance(widget, ElidedLabel):
            continue
        needs, why = widget.sizeHint(), ""
        if isinstance(widget, QLabel) and widget.text():
            if widget.wordWrap():
                why = "height" if widget.heightForWidth(widget.width()) > widget.height() + 1 else ""
            elif widget.minimumSizeHint().width() > widget.width() + 1:
                why = "width"
        elif isinstance(widget, QAbstractButton | QComboBox) and (widget.text() if hasattr(widget, "text") else True):
            why = "size" if needs.width() > widget.width() + 1 or needs.height() > widget.height() + 1 else ""
        elif isinstance(widget, QLineEdit):
            why = "height" if widget.fontMetrics().height() > widget.height() else ""
        if why:
            found.append(f"{widget.metaObject().className()} {widget.objectName()}: {why}")
    return found


@pytest.mark.parametrize(
    ("scale", "size"), [(1.0, (420, 360)), (2.0, (1280, 820)), (2.0, (1024, 768)), (2.0, (640, 480))]
)
@pytest.mark.parametrize("has_thread", [True, False])
def test_nothing_is_cut_off_in_the_window(
    theme: Theme,
    shown: Callable[[QWidget], QWidget],
    qapp: QApplication,
    scale: float,
    size: tuple[int, int],
    has_thread: bool,
) -> None:
    theme.set_scale(scale)
    window = build_window(theme, has_thread=has_thread)
    window.resize(*size)
    shown(window)
    window.show_banner("The disk is almost full; older messages are safe", is_danger=False, action_text="Settings")
    window.show_toast("Message moved to the trash", "Undo")
    for _round in range(4):
        qapp.processEvents()
    assert clipped(window) == []


@pytest.mark.parametrize("name", DIALOGS)
def test_nothing_is_cut_off_in_a_dialog_at_twice_the_size(
    theme: Theme, shown: Callable[[QWidget], QWidget], name: str
) -> None:
    theme.set_scale(2.0)
    dialog = shown(DIALOGS[name](theme))
    assert clipped(dialog) == []


def test_the_window_is_mirrored_for_languages_from_right_to_left(
    theme: Theme, shown: Callable[[QWidget], QWidget]
) -> None:
    window = build_window(theme)
    window.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    shown(window)
    middle = window.width() / 2
    assert left_of(window.sidebar, window) > middle
    assert left_of(window.pane.header.findChild(QWidget, "modelPicker"), window) < middle
    assert left_of(window.pane.composer.findChild(QWidget, "sendButton"), window) < middle
    search = window.findChild(QLineEdit, "searchBox")
    assert search.textMargins().right() > 0
    assert search.textMargins().left() >= search.fontMetrics().horizontalAdvance("Ctrl K") * 0.7


def left_of(widget: QWidget, window: QWidget) -> int:
    return widget.mapTo(window, QPoint(0, 0)).x()


@pytest.mark.parametrize("name", DIALOGS)
def test_the_focus_comes_back_when_a_dialog_closes(
    theme: Theme, shown: Callable[[QWidget], QWidget], name: str, qapp: QApplication
) -> None:
    window = shown(build_window(theme))
    assert isinstance(window, MainWindow)
    window.pane.transcript.setFocus()
    dialog = DIALOGS[name](theme)
    dialog.setParent(window, dialog.windowFlags())
    dialog.open()
    for _round in range(4):
        qapp.processEvents()
    assert not window.pane.transcript.hasFocus()
    dialog.reject()
    window.activateWindow()
    for _round in range(4):
        qapp.processEvents()
    assert window.pane.transcript.hasFocus()


def test_the_focus_is_somewhere_after_a_notice_that_had_it_goes_away(
    theme: Theme, shown: Callable[[QWidget], QWidget], qapp: QApplication
) -> None:
    window = shown(build_window(theme))
    for name in ("toastAction", "bannerAction"):
        window.show_toast("Moved to the trash", "Undo")
        window.show_banner("Not saved", is_danger=True, action_text="Try again")
        button = window.findChild(QWidget, name)
        button.setFocus()
        assert button.hasFocus()
        QTest.keyClick(button, Qt.Key.Key_Space)
        for _round in range(4):
            qapp.processEvents()
        focus = window.focusWidget()
        assert focus is not None
        assert focus.isVisible()
        assert focus.accessibleName()
