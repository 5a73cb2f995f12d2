"""The dialog in which a proposed change is looked through: all of it, and what can be done with it as it is."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.artifacts.file_change import ChangeKind, ChangeState, FileChange
from chatdesk.core.tools.folder.file_changes import Review
from chatdesk.ui.features.tools.change_review import ChangeReview
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.contract import ShownChange

SHOWN = [
    ShownChange(FileChange("0" * 32, "a.py", ChangeKind.EDIT, 1, 1), "a" * 64),
    ShownChange(FileChange("1" * 32, "b\u202e.py", ChangeKind.NEW, 1, 0), "b" * 64),
]


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp)


def _review(state: ChangeState = ChangeState.PROPOSED, text: str | None = None) -> Review:
    diff = "--- a\n+++ b\n@@ @@\n-\x1b[0m1\n+2\n"
    return Review("/home/me/work", "a.py", ChangeKind.EDIT, state, diff, 1, 1, text)


def _buttons(dialog: ChangeReview) -> list[str]:
    return [each.text() for each in dialog.findChildren(QPushButton) if each.isVisibleTo(dialog)]


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        (ChangeState.PROPOSED, {"Close", "Reject", "Apply"}),
        (ChangeState.APPLIED, {"Close", "Undo"}),
        (ChangeState.OUTDATED, {"Close", "Reject"}),
        (ChangeState.CHANGED_SINCE, {"Close"}),
        (ChangeState.REJECTED, {"Close"}),
        (ChangeState.NO_FOLDER, {"Close"}),
    ],
)
def test_only_what_can_be_done_is_offered(theme: Theme, qtbot: QtBot, state: ChangeState, offered: set[str]) -> None:
    dialog = ChangeReview(theme, SHOWN[:1])
    qtbot.addWidget(dialog)
    assert set(_buttons(dialog)) == {"Close"}, "nothing can be done before all of it is there to be read"
    dialog.show_review(SHOWN[0], _review(state))
    assert set(_buttons(dialog)) == offered
    assert dialog.where.text() == "/home/me/work/a.py"
    assert "⟦U+001B⟧[0m1" in dialog.diff.toPlainText()
    assert dialog.diff.accessibleName() == "Difference" and not dialog.grab().isNull()


def test_enter_applies_nothing_and_the_button_does(theme: Theme, qtbot: QtBot) -> None:
    dialog = ChangeReview(theme, SHOWN[:1])
    qtbot.addWidget(dialog)
    dialog.show_review(SHOWN[0], _review())
    dialog.show()
    with qtbot.assertNotEmitted(dialog.chosen):
        qtbot.keyClick(dialog.diff, Qt.Key.Key_Return)
    apply = dialog.findChild(QPushButton, "reviewApply")
    with qtbot.waitSignal(dialog.chosen) as chosen:
        qtbot.keyClick(apply, Qt.Key.Key_Space)
    assert chosen.args == ["change-apply", SHOWN[0], None]


def test_an_edited_change_is_applied_and_survives_one_esc(theme: Theme, qtbot: QtBot) -> None:
    dialog = ChangeReview(theme, SHOWN[:1], edits=True)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.open()
    dialog.show_review(SHOWN[0], _review(text="2\n"))
    assert dialog.text.isVisible() and not dialog.diff.isVisible()
    assert set(_buttons(dialog)) == {"Close", "Reject", "Apply"}
    with qtbot.waitSignal(dialog.chosen) as chosen:
        qtbot.keyClick(dialog.findChild(QPushButton, "reviewApply"), Qt.Key.Key_Space)
    assert chosen.args[2] is None, "it is as it was proposed"
    qtbot.keyClicks(dialog.text, "1")
    dialog.show_review(SHOWN[0], _review(text="2\n"))
    assert dialog.text.toPlainText() == "12\n", "what failed leaves the text"
    with qtbot.waitSignal(dialog.chosen) as chosen:
        qtbot.keyClick(dialog.findChild(QPushButton, "reviewApply"), Qt.Key.Key_Space)
    assert chosen.args == ["change-apply", SHOWN[0], "12\n"]
    qtbot.keyClick(dialog.text, Qt.Key.Key_Escape)
    assert dialog.isVisible() and "is not saved" in dialog.problem.text()
    qtbot.keyClick(dialog.text, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_only_a_text_that_a_field_shows_is_edited(theme: Theme, qtbot: QtBot) -> None:
    dialog = ChangeReview(theme, SHOWN, edits=True)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.show_review(SHOWN[0], _review())
    assert "characters that hide" in dialog.problem.text() and dialog.diff.isVisible()
    dialog.show_review(SHOWN[0], _review(text="2\n"))
    dialog.findChild(QPushButton, "reviewEdit").click()
    assert dialog.text.isVisible()
    dialog.go_on()
    assert dialog.diff.isVisible() and not dialog.text.isVisible()


def test_several_files_are_gone_through(theme: Theme, qtbot: QtBot) -> None:
    dialog = ChangeReview(theme, SHOWN)
    qtbot.addWidget(dialog)
    asked: list[ShownChange] = []
    dialog.wanted.connect(asked.append)
    dialog.ask()
    dialog.show_review(SHOWN[0], _review())
    assert dialog.files.itemText(1) == "b⟦U+202E⟧.py"
    assert dialog.go_on() and asked == SHOWN
    assert set(_buttons(dialog)) == {"Close"}
    dialog.show_review(SHOWN[0], _review())
    assert set(_buttons(dialog)) == {"Close"}, "what came late is of another file"
    assert not dialog.go_on()


def test_a_double_click_applies_one_change(theme: Theme, qtbot: QtBot) -> None:
    dialog = ChangeReview(theme, SHOWN)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.show_review(SHOWN[0], _review())
    applied: list[ShownChange] = []

    def apply(_action: str, change: ShownChange) -> None:
        applied.append(change)
        if dialog.go_on():
            dialog.show_review(dialog.shown, _review())

    dialog.chosen.connect(apply)
    button = next(each for each in dialog.findChildren(QPushButton) if each.text() == "Apply")
    qtbot.waitUntil(lambda: not dialog.is_unread)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    QTest.mouseDClick(button, Qt.MouseButton.LeftButton)
    assert applied == SHOWN[:1], "nobody has read the second one"
    qtbot.waitUntil(lambda: not dialog.is_unread)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert applied == SHOWN
