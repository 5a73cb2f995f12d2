"""Memories in the real window: turned on, kept, changed, deleted and brought back by the keyboard, and followed."""

from __future__ import annotations

import json
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QPushButton

from chatdesk.core.domain.memory import MemoryOrigin, NewMemory
from chatdesk.core.paths import AppPaths
from chatdesk.services.services import Services
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.inspector.sent_memories import SentMemories
from chatdesk.ui.features.memory.edit_memory_dialog import EditMemoryDialog
from chatdesk.ui.features.memory.memories_dialog import MemoriesDialog
from tests.e2e.test_library_window import opened
from tests.helpers.window import ask, play, until


async def _opened(application: WindowApplication) -> MemoriesDialog:
    return await opened(application, MemoriesDialog, lambda: application.panes.commands.trigger("memory.open"))


async def _texts(services: Services) -> list[str]:
    return [each.text for each in await services.memory.list()]


def _shown(dialog: MemoriesDialog) -> list[str]:
    return [each.text for each in dialog.rows.shown]


def test_a_memory_is_kept_changed_deleted_and_brought_back_by_keys(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        dialog = await _opened(application)
        assert "nothing is kept or sent" in dialog.state.text() and not dialog.add_memory_button.isEnabled()
        QTest.keyClick(dialog.switch, Qt.Key.Key_Space)
        await until(dialog.add_memory_button.isEnabled)
        assert services.settings.memory

        form = await opened(
            application, EditMemoryDialog, lambda: QTest.keyClick(dialog.add_memory_button, Qt.Key.Key_Space)
        )
        QTest.keyClick(form.text, Qt.Key.Key_Return)
        await until(lambda: "needs a text" in form.problem.text())
        QTest.keyClicks(form.text, "I drink tea.")
        QTest.keyClick(form.text, Qt.Key.Key_Return)
        await until(lambda: _shown(dialog) == ["I drink tea."] and dialog.edit_button.isEnabled())

        form = await opened(application, EditMemoryDialog, lambda: QTest.keyClick(dialog.list, Qt.Key.Key_Return))
        QTest.keyClick(form.text, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClicks(form.text, "I drink coffee.")
        QTest.keyClick(form.text, Qt.Key.Key_Return)
        await until(lambda: _shown(dialog) == ["I drink coffee."] and not form.is_open)
        assert await _texts(services) == ["I drink coffee."]

        QTest.keyClick(dialog.list, Qt.Key.Key_Delete)
        await until(lambda: dialog.notice.isVisible() and not _shown(dialog))
        assert dialog.notice.text == "Deleted: “I drink coffee.”" and not await _texts(services)
        undo = dialog.notice.findChild(QPushButton, "bannerAction")
        QTest.keyClick(undo, Qt.Key.Key_Space)
        await until(lambda: _shown(dialog) == ["I drink coffee."] and not dialog.notice.isVisible())

        QTest.keyClick(dialog.list, Qt.Key.Key_Delete)
        await until(lambda: not _shown(dialog))
        dialog.reject()
        dialog = await _opened(application)
        assert dialog.notice.isVisible()
        QTest.keyClick(dialog.list, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: _shown(dialog) == ["I drink coffee."])
        assert await _texts(services) == ["I drink coffee."]

        QTest.keyClick(dialog.switch, Qt.Key.Key_Space)
        await until(lambda: not services.memory.is_on and not dialog.edit_button.isEnabled())
        assert _shown(dialog) == ["I drink coffee."]

    play(AppPaths.find(str(tmp_path / "data")), script)


def test_a_provider_is_allowed_and_a_sent_memory_opens_the_page_and_its_message(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        dialog = await _opened(application)
        QTest.keyClick(dialog.switch, Qt.Key.Key_Space)
        await until(dialog.add_memory_button.isEnabled)
        assert not services.memory.is_allowed("offline")
        items = [dialog.providers.item(row) for row in range(dialog.providers.count())]
        assert all(each.checkState() is Qt.CheckState.Unchecked for each in items)
        dialog.providers.setCurrentItem(
            next(each for each in items if each.data(Qt.ItemDataRole.UserRole) == "offline")
        )
        QTest.keyClick(dialog.providers, Qt.Key.Key_Space)
        await until(lambda: services.memory.is_allowed("offline"))
        dialog.reject()

        answer = await ask(application, "What do I drink?")
        await services.memory.add(NewMemory("I drink <b>tea</b>.", None, MemoryOrigin.PROPOSAL, answer.id))
        await services.memory.add(NewMemory("I write British English."))
        application.panes.commands.trigger("view.context")
        found: list[SentMemories] = []

        def is_listed() -> bool:
            found[:] = [each for each in application.panes.window.findChildren(SentMemories) if each.isVisible()]
            return bool(found) and found[0].list.model().rowCount() == 2

        await until(is_listed)
        sent = found[0].list
        row = next(at for at in range(2) if "tea" in sent.model().index(at, 0).data())
        sent.setFocus()
        sent.setCurrentIndex(sent.model().index(row, 0))
        dialog = await opened(application, MemoriesDialog, lambda: QTest.keyClick(sent, Qt.Key.Key_Return))
        await until(lambda: dialog.rows.shown[dialog.list.currentIndex().row()].message_id == answer.id)

        target = tmp_path / "memories.json"
        QTest.keyClick(dialog.findChild(QPushButton, "memoriesExport"), Qt.Key.Key_Space)
        chooser = dialog.findChild(QFileDialog, "memoriesExportDialog")
        assert chooser is not None
        chooser.selectFile(str(target))
        chooser.accept()
        await until(lambda: dialog.notice.text == "2 memories written")
        assert len(json.loads(target.read_text())["memories"]) == 2

        application.panes.commands.trigger("thread.new")
        await until(lambda: application.threads.thread_id is None)
        QTest.keyClick(dialog.message_button, Qt.Key.Key_Space)
        await until(lambda: application.threads.thread_id == answer.thread_id)
        assert not dialog.is_open

    play(AppPaths.find(str(tmp_path / "data")), script)
