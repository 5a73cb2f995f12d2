"""The window around its panes."""

from __future__ import annotations

import itertools

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QPushButton, QTextEdit

from chatdesk.core.domain.thread import ThreadPage
from chatdesk.core.errors import StorageFull
from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.dialogs.notice import NoticeDialog
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import INSPECTOR_WIDTH_PX, SIDEBAR_MIN_PX, THREAD_LEAST_PX
from chatdesk.ui.widgets.empty_state import EmptyState
from chatdesk.ui.widgets.focus_chain import next_in_chain
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from chatdesk.ui.widgets.toast import Toast
from chatdesk.ui.window.error_display import ErrorDisplay
from chatdesk.ui.window.inspector import Inspector
from chatdesk.ui.window.main_window import MainWindow
from chatdesk.ui.window.window_state import WindowState
from tests.helpers.examples import sample
from tests.helpers.settings_pages import row_of


@pytest.fixture
def window(qtbot, qapp):
    theme = Theme(qapp, preference="light")
    sidebar = Sidebar(lambda _cursor, deliver: deliver(ThreadPage((), None)), theme)
    composer = QPlainTextEdit()
    composer.setObjectName("composer")
    window = MainWindow(theme, sidebar, ThreadHeader(theme), EmptyState(theme), composer)
    window.pane.set_transcript(QTextEdit())
    qtbot.addWidget(window)
    window.ran = []
    window.registry = CommandRegistry(window, CATALOGUE)
    window.registry.bind("thread.new", lambda: window.ran.append("new"))
    window.registry.bind("message.stop", lambda: window.ran.append("stop"), lambda: False)
    window.set_commands(window.registry)
    window.show()
    window.focus_composer()
    return window


def test_the_sidebar_has_its_width_and_comes_back_with_it(window, qtbot):
    assert window.sidebar.width() == 264
    qtbot.keyClick(window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert window.sidebar.isHidden()
    assert window.state().is_sidebar_collapsed
    window.place.toggle()
    assert window.sidebar.width() == 264


def test_the_sidebar_is_widened_and_narrowed_by_commands_within_its_bounds(window):
    window.registry.trigger("view.sidebar_wider")
    assert window.sidebar.width() == 264 + 24
    window.place.toggle()
    window.registry.trigger("view.sidebar_narrower")
    assert window.sidebar.isVisible()
    assert window.sidebar.width() == 264
    window.resize(600, 700)
    window.place.toggle()
    window.registry.trigger("view.sidebar_wider")
    assert window.sidebar.width() == 264 + 24
    for _ in range(40):
        window.registry.trigger("view.sidebar_narrower")
    assert window.sidebar.width() == SIDEBAR_MIN_PX


def test_a_narrow_window_lays_the_sidebar_over_the_thread(window, qtbot):
    window.resize(600, 700)
    assert window.place.is_overlay
    assert window.sidebar.isHidden()
    window.place.toggle()
    assert window.sidebar.isVisible()
    assert window.sidebar.width() == 264
    qtbot.keyClick(window.sidebar.thread_list, Qt.Key.Key_Escape)
    assert window.sidebar.isHidden()
    assert "stop" not in window.ran
    window.resize(1000, 700)
    assert window.sidebar.isVisible()


def test_restoring_gives_the_captured_state(window):
    window.restore(WindowState(x=10, y=10, width=700, height=500, sidebar_width=240))
    state = window.state()
    assert (state.width, state.height, state.sidebar_width) == (700, 500, 240)


def test_a_place_off_every_screen_is_given_up(window):
    window.restore(WindowState(x=50_000, y=50_000, width=700, height=500))
    assert window.screen().availableGeometry().contains(window.geometry().center())


def test_f6_walks_through_the_panes(window, qtbot):
    names = []
    for _ in range(4):
        window.registry.trigger("go.next_pane")
        names.append(window.focusWidget().objectName())
    assert names[0] == "threadList"
    assert names[-1] == "composer"


def test_closing_is_told(window, qtbot):
    with qtbot.waitSignal(window.closing):
        window.close()


def test_unbound_commands_have_no_keys(window):
    assert window.registry.action("thread.pin") is None
    assert not window.registry.trigger("thread.pin")
    assert not window.registry.action("message.stop").isEnabled()


def test_no_two_commands_share_keys():
    keys = [key for command in CATALOGUE for key in command.shortcuts]
    assert len(keys) == len(set(keys))


def test_f10_shows_the_menu_bar(window):
    window.toggle_menu_bar()
    assert window.menuBar().isVisible()
    window.toggle_menu_bar()
    assert window.menuBar().isHidden()


def test_errors_are_shown_as_plain_text(window):
    errors = ErrorDisplay(window)
    errors.show(StorageFull())
    label = window.findChild(QLabel, "toastText")
    assert label.text() == StorageFull().sentence
    assert label.textFormat() == Qt.TextFormat.PlainText
    label = window.findChild(QLabel, "bannerText")
    assert label.textFormat() == Qt.TextFormat.PlainText
    errors.show_lasting("Not saved.", retry=lambda: window.ran.append("retry"))
    errors.clear_lasting()
    assert label.isHidden() or not label.isVisible()


def test_the_banner_of_unsaved_text_outlasts_other_failures(window):
    errors = ErrorDisplay(window)
    errors.show_lasting("Your question is not saved.", retry=lambda: window.ran.append("retry"))
    errors.show(StorageFull())
    assert _note(window) == "Your question is not saved."
    assert window.findChild(Toast).text == StorageFull().sentence
    window.findChild(QPushButton, "bannerAction").click()
    assert window.ran == ["retry"]
    errors.clear_lasting()
    assert _note(window) == ""


def _press_away_from_text(window, qtbot):
    """As a person who works with the keyboard, outside of what takes text."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.sidebar.thread_list.setFocus()
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_Down)


def _note(window):
    label = window.findChild(QLabel, "bannerText")
    return label.text() if label.isVisible() else ""


def test_an_action_that_failed_unexpectedly_opens_a_dialog_once(window, qtbot):
    errors = ErrorDisplay(window)
    _press_away_from_text(window, qtbot)
    errors.show(ValueError())
    assert len(window.findChildren(NoticeDialog)) == 1
    errors.show(KeyError())
    assert len(window.findChildren(NoticeDialog)) == 1
    assert _note(window).startswith("Something went wrong in ChatDesk")


def test_a_repeated_press_shows_the_failure_again(window, qtbot):
    errors = ErrorDisplay(window)
    _press_away_from_text(window, qtbot)
    for _ in range(3):
        errors.show_crash(is_of_action=True)
        window.hide_banner()
    errors.show_crash(is_of_action=True)
    assert _note(window).startswith("Something went wrong in ChatDesk")
    assert len(window.findChildren(NoticeDialog)) == 1


def test_a_failure_that_repeats_is_shown_once(window):
    errors = ErrorDisplay(window)
    errors.show_crash(is_of_action=True)
    assert _note(window)
    window.hide_banner()
    errors.show_crash(is_of_action=True)
    errors.show_crash()
    assert _note(window) == ""


def test_a_background_failure_is_a_note_with_details(window, qtbot, tmp_path):
    errors = ErrorDisplay(window)
    _press_away_from_text(window, qtbot)
    report = tmp_path / "crash.txt"
    report.write_text("ZeroDivisionError", encoding="utf-8")
    errors.show_crash(str(report))
    assert window.findChildren(NoticeDialog) == []
    assert _note(window).startswith("Something went wrong in ChatDesk")
    window.findChild(QPushButton, "bannerAction").click()
    (dialog,) = window.findChildren(NoticeDialog)
    assert dialog.findChild(QPushButton, "noticeShow").isVisible()
    qtbot.mouseClick(dialog.findChild(QPushButton, "noticeCopy"), Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == "ZeroDivisionError"
    assert dialog.isVisible()
    assert _note(window) == ""
    errors.show_crash()
    assert _note(window) == ""


def test_nothing_opens_without_a_press(window, qtbot):
    window.sidebar.thread_list.setFocus()
    ErrorDisplay(window).show(ValueError())
    assert window.findChildren(NoticeDialog) == []
    assert _note(window).startswith("Something went wrong in ChatDesk")


def test_a_note_does_not_hide_that_nothing_is_saved(window):
    errors = ErrorDisplay(window)
    errors.show_lasting("Not saved.")
    errors.show_crash()
    assert _note(window) == "Not saved."
    assert window.findChild(QLabel, "toastText").text().startswith("Something went wrong in ChatDesk")


def test_about_opens(window):
    assert window.registry.trigger("app.about")


def test_settings_give_only_what_changed(window, qtbot):
    values = {"theme": "system", "openai_model": "", "text_scale": 1.0, "send_on_enter": True}
    dialog = SettingsDialog(window.theme, values, parent=window)
    qtbot.addWidget(dialog)
    row_of(dialog, "openai_model").field.setText("two\nlines")
    assert not dialog.apply()
    row_of(dialog, "openai_model").field.setText("tiny")
    with qtbot.waitSignal(dialog.applied) as applied:
        assert dialog.apply()
    assert applied.args == [{"openai_model": "tiny"}]


def test_a_toast_offers_the_way_back(window, qtbot):
    window.show_toast("Moved to the trash", "Undo", lambda: window.ran.append("undo"))
    window.pane.toast.actionTriggered.emit()
    assert window.ran == ["undo"]


def test_the_sidebar_grows_with_the_text_and_is_remembered_as_if_it_had_not(window):
    window.resize(1280, 820)
    window.theme.set_scale(2.0)
    assert window.sidebar.width() == 528
    assert not window.place.is_overlay
    assert window.state().sidebar_width == 264
    window.resize(900, 820)
    assert window.place.is_overlay
    window.place.toggle()
    assert window.sidebar.width() == 528
    window.theme.set_scale(1.0)
    assert not window.place.is_overlay
    assert window.sidebar.width() == 264


def test_smaller_text_leaves_the_sidebar_as_wide_as_it_was(window):
    window.theme.set_scale(0.75)
    assert window.sidebar.width() == 264


_SCALES, _SIZES = (1.0, 1.25, 1.5, 1.75, 2.0), ((1000, 700), (1280, 820), (760, 600), (420, 360))


@pytest.mark.parametrize(("scale", "size"), sample(list(itertools.product(_SCALES, _SIZES)), 8))
def test_no_pane_is_squeezed_at_any_size_of_window_and_text(window, qtbot, scale, size):
    window.theme.set_scale(scale)
    window.resize(*size)
    for is_inspected in (False, True):
        if is_inspected:
            window.pane.show_inspector(Inspector(window.theme))
        qtbot.waitUntil(lambda: window.pane.composer.height() > 0)
        QApplication.processEvents()
        composer = window.pane.composer
        if not composer.isVisible():  # the inspector has the whole window
            assert is_inspected
            assert size[0] < max(720, (INSPECTOR_WIDTH_PX + THREAD_LEAST_PX) * scale)
            continue
        assert composer.width() >= min(300 * scale, size[0] - 24) - 24
        if window.sidebar.isVisible():
            assert window.sidebar.width() >= 200 * scale
    window.theme.set_scale(1.0)


@pytest.mark.parametrize("width", [600, 900, 1280])
def test_a_window_at_rest_is_neither_laid_out_nor_painted(window, qapp, width):
    window.resize(width, 700)
    for _ in range(20):
        qapp.processEvents()

    with _Counted(qapp, QEvent.Type.LayoutRequest, QEvent.Type.UpdateRequest) as counted:
        for _ in range(20):
            qapp.processEvents()

    assert counted.events == []


class _Counted(QObject):
    """Events of some types that any object of the application receives."""

    def __init__(self, qapp, *types):
        super().__init__()
        self._qapp = qapp
        self._types = types
        self.events = []

    def __enter__(self):
        self._qapp.installEventFilter(self)
        return self

    def __exit__(self, *_raised):
        self._qapp.removeEventFilter(self)

    def eventFilter(self, watched, event):
        if event.type() in self._types:
            self.events.append((watched.objectName() or type(watched).__name__, event.type().name))
        return False


def test_the_order_of_tab_is_made_once_at_the_first_tab_with_what_came_before_the_window_was_shown(
    qtbot, qapp, monkeypatch
):
    theme = Theme(qapp, preference="light")
    sidebar = Sidebar(lambda _cursor, deliver: deliver(ThreadPage((), None)), theme)
    window = MainWindow(theme, sidebar, ThreadHeader(theme), EmptyState(theme), QPlainTextEdit())
    qtbot.addWidget(window)
    made = []
    walk = window.sidebar.focus_panes
    monkeypatch.setattr(window.sidebar, "focus_panes", lambda: (made.append(1), walk())[1])
    bar = QPushButton("Above")
    window.pane.add_bar(bar)
    window.pane.set_transcript(QPlainTextEdit())
    window.pane.show_transcript(True)
    assert made == []
    window.show()
    qtbot.waitExposed(window)
    assert made == []
    window.pane.composer.setFocus()
    QTest.keyClick(window.pane.composer, Qt.Key.Key_Backtab)
    assert made == [1]
    assert window.focusWidget() is window.pane.transcript
    chain, widget = [], window.pane.header
    for _ in range(200):
        widget = next_in_chain(widget)
        chain.append(widget)
    assert chain.index(bar) < chain.index(window.pane.transcript) < chain.index(window.pane.composer)
