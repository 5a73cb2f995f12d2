"""*Report a problem…*: from the menu, the settings and the command line; seen first, then saved, without a word."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QListWidget, QPlainTextEdit, QPushButton

from chatdesk.core.diagnostics.logs import start_logging
from chatdesk.core.diagnostics.redaction import process_redactor
from chatdesk.core.errors import StorageCorrupt
from chatdesk.core.paths import AppPaths
from chatdesk.core.storage.engine import pending_restore
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.help.bug_report import BugReportDialog
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from tests.helpers.asked_team import shown
from tests.helpers.settings_pages import data_page
from tests.helpers.window import ask, play, until

pytestmark = pytest.mark.usefixtures("qapp")
ROOT = Path(__file__).parents[2]
WORDS = "marked-words-4711"


def _dialog(application: WindowApplication) -> BugReportDialog | None:
    found = application.panes.window.findChildren(BugReportDialog)
    return next((each for each in found if each.isVisible() and each.files), None)


def _texts(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_the_report_is_seen_and_saved(paths: AppPaths, tmp_path: Path) -> None:
    target = tmp_path / "report.zip"

    async def script(application: WindowApplication) -> None:
        await ask(application, f"Hello {WORDS}")
        application.panes.commands.trigger("app.report")
        await until(lambda: _dialog(application))
        dialog = _dialog(application)
        assert dialog is not None
        files, text = dialog.findChild(QListWidget), dialog.findChild(QPlainTextEdit)
        assert files is not None
        assert text is not None
        names = [files.item(row).text() for row in range(files.count())]
        assert names == [each.name for each in dialog.files]
        assert {"doctor.txt", "health.json", "settings.txt", "log/chatdesk.log"} <= set(names)
        assert files.hasFocus()
        QTest.keyClick(files, Qt.Key.Key_End)
        assert text.toPlainText()
        files.setCurrentRow(names.index("log/chatdesk.log"))
        assert "turn.ended" in text.toPlainText()
        QTest.keyClick(files, Qt.Key.Key_Tab)
        assert text.hasFocus()
        save = dialog.findChild(QPushButton, "bugReportSave")
        assert save is not None
        await until(lambda: not dialog.is_unread)
        QTest.mouseClick(save, Qt.MouseButton.LeftButton)
        await until(lambda: dialog.findChild(QFileDialog, "bugReportPlace"))
        chooser = dialog.findChild(QFileDialog, "bugReportPlace")
        chooser.fileSelected.emit(str(target))
        chooser.reject()
        await until(target.exists)
        assert _texts(target) == {each.name: each.text for each in dialog.files}
        dialog.reject()

    paths.make_directories()
    logs = start_logging(paths.log_file, process_redactor)
    try:
        play(paths, script)
    finally:
        logs.stop()
    texts = _texts(target)
    assert json.loads(texts["health.json"])["since_start"]["answers"] == {"complete": 1}
    assert json.loads(texts["health.json"])["has_window"]
    assert not any(WORDS in text or str(paths.data_dir) in text for text in texts.values())


def test_the_settings_have_the_button(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        application.panes.commands.trigger("app.settings")
        dialog = await shown(SettingsDialog)
        dialog.show_page("Data and backup")
        QTest.mouseClick(data_page(dialog).findChild(QPushButton, "data_report"), Qt.MouseButton.LeftButton)
        await until(lambda: _dialog(application))

    play(paths, script)


def test_it_is_made_where_the_database_cannot_be_opened_too(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_database: Path) -> None:
        raise StorageCorrupt

    monkeypatch.setattr(pending_restore, "finish", refuse)

    async def script(application: WindowApplication) -> None:
        await until(lambda: application.started.done())
        application.panes.commands.trigger("app.report")
        await until(lambda: _dialog(application))
        dialog = _dialog(application)
        assert dialog is not None
        assert "health.json" not in {each.name for each in dialog.files}

    play(paths, script)


def test_the_command_line_writes_it(tmp_path: Path) -> None:
    target = tmp_path / "report.zip"
    command = [sys.executable, "-m", "chatdesk", "--data-dir", str(tmp_path / "profile")]
    assert subprocess.run([*command, "ask", WORDS], cwd=ROOT, capture_output=True, timeout=60).returncode == 0
    done = subprocess.run(
        [*command, "doctor", "--bundle", str(target)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert "look through it before you send it" in done.stderr
    assert "versions" in done.stdout
    texts = _texts(target)
    assert {"about.txt", "doctor.txt", "settings.txt", "log/chatdesk.log"} <= set(texts)
    assert "turn.ended" in texts["log/chatdesk.log"]
    assert not any(WORDS in text or str(tmp_path) in text for text in texts.values())
    done = subprocess.run(
        [*command, "doctor", "--bundle", str(tmp_path / "nowhere" / "x.zip")],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "nowhere/x.zip is not there" in done.stderr
