"""The list of what a question finds in the files: fate, rank and reason in words, and buttons for one passage."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.knowledge import (
    EnclosedPassages,
    FilesOutcome,
    ListedPassage,
    PassageChoice,
    PassageFate,
    PassagePlace,
)
from chatdesk.ui.features.inspector.found_files import FoundFiles, about_row
from chatdesk.ui.theme.theme import Theme

_PLACE = PassagePlace("s", "leave.md", 4, 90, "d")


def _row(fate: PassageFate = PassageFate.SENT, **more: object) -> ListedPassage:
    values = {"place": _PLACE, "title": "leave.md", "link": "chatdesk://file", "fate": fate, "rank": 1, **more}
    return ListedPassage(**values)  # type: ignore[arg-type]


@pytest.fixture
def files(qapp: QApplication, qtbot: QtBot) -> FoundFiles:
    theme = Theme(qapp, preference="light")
    theme.apply()
    made = FoundFiles(theme)
    qtbot.addWidget(made)
    return made


@pytest.mark.parametrize("fate", PassageFate)
def test_each_fate_has_words_that_are_heard(files: FoundFiles, fate: PassageFate) -> None:
    files.show_found(EnclosedPassages("", rows=(_row(fate, by_words=2, by_meaning=5),)))
    heard = files.list.model().index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert heard.startswith("sent" if fate is PassageFate.SENT else "not sent: ") and heard.endswith(": leave.md")
    assert "place 1" in heard and "by words: 2" in heard
    assert ("by meaning: 5" in heard) is (fate is not PassageFate.FAR)


@pytest.mark.parametrize("before", PassageChoice)
@pytest.mark.parametrize("button", ["passagePinButton", "passageLeaveButton"])
def test_a_button_decides_or_takes_the_decision_back(files: FoundFiles, before: PassageChoice, button: str) -> None:
    made = PassageChoice.PINNED if button == "passagePinButton" else PassageChoice.LEFT_OUT
    wanted = PassageChoice.NONE if before is made else made
    chosen: list[tuple[object, object]] = []
    files.choiceRequested.connect(lambda place, choice: chosen.append((place, choice)))
    files.show_found(EnclosedPassages("x", rows=(_row(choice=before),)))
    files.show()
    pressed = files.pin_button if button == "passagePinButton" else files.leave_button
    assert pressed.accessibleName() == pressed.text()
    pressed.setFocus()
    QTest.keyClick(pressed, Qt.Key.Key_Space)
    QTest.mouseClick(pressed, Qt.MouseButton.LeftButton)
    assert chosen == [(_PLACE, wanted)] * 2


def test_enter_and_the_button_show_the_passage(files: FoundFiles) -> None:
    opened: list[str] = []
    files.openRequested.connect(opened.append)
    files.show_found(EnclosedPassages("x", rows=(_row(),)))
    files.show()
    QTest.keyClick(files.list, Qt.Key.Key_Return)
    QTest.mouseClick(files.open_button, Qt.MouseButton.LeftButton)
    assert opened == ["chatdesk://file"] * 2
    files.show_found(EnclosedPassages("", rows=(_row(PassageFate.GONE, link="", rank=None),)))
    assert files.open_button.isHidden() and not files.pin_button.isHidden()


def test_the_current_passage_stays_current(files: FoundFiles) -> None:
    other = PassagePlace("s", "b.md", 1, 2)
    files.show_found(EnclosedPassages("x", rows=(_row(), _row(place=other, title="b.md", rank=2))))
    files.list.setCurrentIndex(files.list.model().index(1, 0))
    files.show_found(EnclosedPassages("x", rows=(_row(place=other, title="b.md"), _row(rank=2))))
    assert files.list.currentIndex().row() == 0


def test_a_project_without_files_shows_nothing(files: FoundFiles) -> None:
    files.show_found(None)
    assert files.isHidden()
    files.show_found(EnclosedPassages("", outcome=FilesOutcome.NOTHING))
    assert not files.isHidden() and files.list.isHidden() and files.pin_button.isHidden()


def test_all_reasons_are_named() -> None:
    words = about_row(_row(place=PassagePlace("s", "a"), is_named=True, choice=PassageChoice.PINNED))
    assert words == "sent, pinned, place 1, named in the question, the whole file"
