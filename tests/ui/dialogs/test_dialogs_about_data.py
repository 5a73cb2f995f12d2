"""The dialogs about data: what they ask for, and what they show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QListWidget, QPushButton, QRadioButton

from chatdesk import app
from chatdesk.ui.features.settings.data_page import DataPage
from chatdesk.ui.features.settings.restore import RestoreDialog
from chatdesk.ui.features.transfer.export_dialog import ExportDialog, ProgressDialog
from chatdesk.ui.theme.theme import Theme


@pytest.fixture
def look(qapp: QApplication) -> Theme:
    made = Theme(qapp)
    made.apply()
    return made


def test_export_is_chosen_with_the_keyboard(look: Theme) -> None:
    dialog = ExportDialog(look, [("threads", "This thread"), ("everything", "Everything")])
    chosen: list[tuple[str, str, bool]] = []
    dialog.chosen.connect(lambda *values: chosen.append(values))
    dialog.show()
    page = dialog.findChild(QRadioButton, "exportFormat_html")
    assert page is not None
    assert page.accessibleDescription()
    QTest.keyClick(page, Qt.Key.Key_Space)
    dialog.scope.setCurrentIndex(1)
    assert dialog.trash.isEnabled()
    dialog.trash.setChecked(True)
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert chosen == [("everything", "html", True)]


def test_trashing_a_single_thread_asks_no_question(look: Theme) -> None:
    dialog = ExportDialog(look, [("threads", "This thread"), ("everything", "Everything")])
    dialog.scope.setCurrentIndex(1)
    dialog.trash.setChecked(True)
    dialog.scope.setCurrentIndex(0)
    assert not dialog.trash.isChecked()
    assert not dialog.trash.isEnabled()
    dialog.close()


def test_progress_is_given_up_once_by_escape(look: Theme) -> None:
    dialog = ProgressDialog(look, "Exporting", "Reading…")
    stopped: list[int] = []
    dialog.stopped.connect(lambda: stopped.append(1))
    dialog.show()
    dialog.show_share(1, 4)
    assert dialog.bar.value() * 4 == dialog.bar.maximum()
    dialog.show_share(1, 0)
    assert dialog.bar.maximum() == 0
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    dialog.end()
    assert stopped == [1]


def test_progress_that_ends_is_not_given_up(look: Theme) -> None:
    dialog = ProgressDialog(look, "Exporting", "…")
    stopped: list[int] = []
    dialog.stopped.connect(lambda: stopped.append(1))
    dialog.show()
    dialog.end()
    assert not dialog.isVisible()
    assert stopped == []


def test_nothing_can_be_restored_where_there_is_no_backup(look: Theme) -> None:
    dialog = RestoreDialog(look, [])
    asked: list[int] = []
    dialog.otherRequested.connect(lambda: asked.append(1))
    assert dialog.path == ""
    assert not dialog.restore_button.isEnabled()
    other = dialog.findChild(QPushButton, "restoreOther")
    assert other is not None
    other.click()
    assert asked == [1]
    dialog.close()


def test_the_contents_shown_are_of_the_chosen_backup(look: Theme) -> None:
    dialog = RestoreDialog(look, [("/a", "first"), ("/b", "second")])
    looked: list[str] = []
    dialog.inspectRequested.connect(looked.append)
    dialog.add_file(Path("/c.zip"))
    assert looked == ["/c.zip"]
    dialog.show_contents("/a", ["late"], can_restore=True)
    assert not dialog.restore_button.isEnabled()
    dialog.show_contents("/c.zip", ["3 threads"], can_restore=True)
    chosen: list[str] = []
    dialog.chosen.connect(chosen.append)
    dialog.restore_button.click()
    assert chosen == ["/c.zip"]
    dialog.show_busy("Unpacking…")
    assert not dialog.restore_button.isEnabled()
    dialog.show_failure("It is damaged.")
    label = dialog.findChild(QLabel, "restoreContents")
    assert label is not None
    assert label.text() == "It is damaged."
    dialog.close()


def test_one_thing_at_a_time_and_long_results_are_cut(look: Theme) -> None:
    page = DataPage("/home/me/backups")
    requested: list[str] = []
    page.requested.connect(requested.append)
    page.findChild(QPushButton, "data_check").click()
    page.show_busy("Checking…")
    assert not page.findChild(QPushButton, "data_repair").isEnabled()
    page.show_result([f"line {number}" for number in range(40)])
    assert page.findChild(QPushButton, "data_repair").isEnabled()
    label = page.findChild(QLabel, "dataResult")
    assert label is not None
    assert "28 more" in label.text()
    assert requested == ["check"]
    for name in ("backup", "zip", "folder", "restore", "check", "repair"):
        assert page.findChild(QPushButton, f"data_{name}").accessibleName()
    page.close()


def test_a_new_start_is_the_same_command(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_more: started.append(command))
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "chatdesk", "--data-dir", "/x"])
    app.start_again()
    assert started == [[sys.executable, "-m", "chatdesk", "--data-dir", "/x"]]


def test_without_a_backup_the_keyboard_begins_where_something_can_be_done(look: Theme, tmp_path: Path) -> None:
    dialog = RestoreDialog(look, [])
    dialog.show()
    other, contents = dialog.findChild(QPushButton, "restoreOther"), dialog.findChild(QLabel, "restoreContents")
    assert other is not None and contents is not None
    assert dialog.focusWidget() is other
    assert contents.text() == "There is no backup yet."
    assert contents.width() > dialog.width() // 2, "an empty list takes half of the room"
    dialog.add_file(tmp_path / "from elsewhere.db")
    backups = dialog.findChild(QListWidget, "restoreList")
    assert backups is not None and backups.isVisible()
    dialog.close()


def test_a_button_that_would_destroy_is_grey_while_it_cannot(look: Theme) -> None:
    dialog = RestoreDialog(look, [])
    dialog.show()
    dialog.restore_button.ensurePolished()
    assert _ink(dialog.restore_button, look) == "muted"
    dialog.restore_button.setEnabled(True)
    assert _ink(dialog.restore_button, look) == "danger"
    dialog.close()


def _ink(button: QPushButton, look: Theme) -> str:
    """Return the name of the colour of the token that a button writes in."""
    drawn = button.palette().color(QPalette.ColorRole.ButtonText).name()
    return next((name for name in ("danger", "muted", "text") if look.colour(name).name() == drawn), drawn)
