"""What assistive technology does without mouse and keyboard: it toggles what can be checked, and selects in lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QItemSelectionModel
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QApplication, QListWidget, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.tools import ServerKind, ServerState, ServerStatus, ToolServer
from chatdesk.core.settings.schema import all_settings
from chatdesk.ui.accessibility.assistance import open_selected, show_checked
from chatdesk.ui.features.inspector.summary_tab import SummaryTab
from chatdesk.ui.features.local_service.local_service_page import LocalServicePage
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.tools.tools_page import ToolsPage
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.header.thread_header import ThreadHeader


def _tools(theme: Theme, object_name: str) -> tuple[QWidget, Any, QWidget | None]:
    page = ToolsPage(theme)
    page.show_servers([ServerStatus(ToolServer("time", "Time", ServerKind.COMMAND, ("time",)), ServerState.READY)])
    signal = page.switchRequested if object_name == "toolSwitch_time" else page.askModelRequested
    return page, signal, page.findChild(QWidget, object_name)


def _summary(theme: Theme, object_name: str) -> tuple[QWidget, Any, QWidget | None]:
    tab = SummaryTab(theme, lambda _start: None)
    signal = tab.threadSwitched if object_name == "summaryThreadSwitch" else tab.projectSwitched
    return tab, signal, tab.findChild(QWidget, object_name)


def _service(theme: Theme, object_name: str) -> tuple[QWidget, Any, QWidget | None]:
    page = LocalServicePage(theme)
    return page, page.switched, page.findChild(QWidget, object_name)


def _header(theme: Theme, object_name: str) -> tuple[QWidget, Any, QWidget | None]:
    header = ThreadHeader(theme)
    return header, header.inspectorRequested, header.findChild(QWidget, object_name)


@pytest.mark.parametrize(
    ("make", "object_name"),
    [
        (_tools, "toolSwitch_time"),
        (_tools, "toolAskModel_time"),
        (_summary, "summaryThreadSwitch"),
        (_summary, "summaryProjectSwitch"),
        (_service, "localServiceSwitch"),
        (_header, "inspectorButton"),
    ],
)
def test_toggle_does_what_a_press_does(
    qapp: QApplication,
    qtbot: QtBot,
    make: Callable[[Theme, str], tuple[QWidget, Any, QWidget | None]],
    object_name: str,
) -> None:
    parent, signal, control = make(Theme(qapp, preference="light"), object_name)
    qtbot.addWidget(parent)
    parent.show()
    assert isinstance(control, QAbstractButton) and control.isCheckable()
    heard: list[tuple[object, ...]] = []
    signal.connect(lambda *values: heard.append(values))
    show_checked(control, True)
    show_checked(control, False)
    assert not heard
    interface = QAccessible.queryAccessibleInterface(control)
    interface.actionInterface().doAction("Toggle")
    assert len(heard) == 1


def test_selecting_a_page_of_the_settings_opens_it(qapp: QApplication, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(1000, 760)
    window.show()
    values = {each.name: each.default for each in all_settings()}
    dialog = SettingsDialog(Theme(qapp, preference="light"), values, parent=window)
    dialog.open()
    pages = dialog.findChild(QListWidget, "settingsPages")
    assert pages is not None and pages.currentRow() == 0
    select = QItemSelectionModel.SelectionFlag.ClearAndSelect
    pages.selectionModel().select(pages.indexFromItem(pages.item(2)), select)
    assert pages.currentRow() == 2


def test_the_selected_row_is_the_current_one_unless_several_can_be_selected(qtbot: QtBot) -> None:
    for mode, current in (
        (QListWidget.SelectionMode.SingleSelection, 1),
        (QListWidget.SelectionMode.ExtendedSelection, 0),
    ):
        rows = QListWidget()
        qtbot.addWidget(rows)
        rows.addItems(["One", "Two"])
        rows.setSelectionMode(mode)
        rows.setCurrentRow(0)
        open_selected(rows)
        rows.item(1).setSelected(True)
        assert rows.currentRow() == current
