"""The composer's plus: in words what can be added, by mouse and by keyboard; beside it only what is on."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenu, QWidget

from chatdesk.core.domain.prompt import PromptKind
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.tools_world import server
from tests.helpers.window import play, until

pytestmark = pytest.mark.usefixtures("qapp")


async def _opened(application: WindowApplication) -> QMenu:
    button = application.panes.composer.add_button
    QTest.keyClick(button, Qt.Key.Key_Return)
    await until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert menu.geometry().bottom() < button.mapToGlobal(QPoint(0, 0)).y(), "above the plus"
    return menu


def _rows(menu: QMenu) -> list[str]:
    return [each.text().split("\t")[0] for each in menu.actions()]


def test_the_plus_names_what_can_be_added_and_leads_there(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        composer = application.panes.composer
        menu = await _opened(application)
        assert _rows(menu) == ["Attach files…", "Insert a prompt…", "Parameters…", "Tools…", "Choose assistant…"]
        assert all(not each.icon().isNull() for each in menu.actions())
        keys = [each.text().partition("\t")[2] for each in menu.actions()]
        assert keys == ["Ctrl+Shift+A", "/", "", "", "@"]
        names = [QAccessible.queryAccessibleInterface(menu).child(row) for row in range(5)]
        assert [each.role() for each in names] == [QAccessible.Role.MenuItem] * 5
        QTest.keyClick(menu, Qt.Key.Key_Down)
        QTest.keyClick(menu, Qt.Key.Key_Down)
        QTest.keyClick(menu, Qt.Key.Key_Down)
        QTest.keyClick(menu, Qt.Key.Key_Return)
        await until(lambda: application.panes.window.findChild(QWidget, "parametersDialog"))
        application.panes.window.findChild(QWidget, "parametersDialog").reject()
        assert [each.objectName() for each in composer.findChildren(QAbstractButton) if each.isVisible()] == [
            "addButton",
            "sendButton",
        ]

    play(AppPaths.find(tmp_path / "data"), script)


def test_tools_and_assistants_that_are_there_are_chosen_in_the_plus(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        await (await services.tools.load()).save(server())
        await services.prompts.create(PromptKind.ASSISTANT, "Editor", "You are an editor.")
        composer = application.panes.composer
        await until(lambda: composer.findChild(QMenu, "assistantsMenu") and composer.findChild(QMenu, "toolsMenu"))
        menu = await _opened(application)
        assert _rows(menu)[3:] == ["Tools", "Assistant"]
        below = [each.menu() for each in menu.actions()[3:]]
        assert [each.objectName() for each in below] == ["toolsMenu", "assistantsMenu"]
        menu.close()
        chip = composer.findChild(QAbstractButton, "toolsButton")
        assert chip.isVisible() and chip.accessibleName() == "Tools in this thread: Notes"
        order = [composer.editor]
        while order[-1] is not composer.send_button and len(order) < 40:
            order.append(order[-1].nextInFocusChain())
        places = [order.index(each) for each in (composer.add_button, chip, composer.send_button)]
        assert places == sorted(places)

    play(AppPaths.find(tmp_path / "data"), script)


def test_where_nothing_can_be_written_nothing_can_be_attached(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        application.panes.composer.set_refusal("You can only read this project.")
        menu = await _opened(application)
        assert [each.isEnabled() for each in menu.actions()] == [False, False, True, True, True]
        menu.close()

    play(AppPaths.find(tmp_path / "data"), script)
