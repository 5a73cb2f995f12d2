"""The composer as a person uses it: keys, clicks, pastes."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QMimeData, QObject, QRect, Qt
from PySide6.QtGui import QInputMethodEvent, QPaintEvent, QTextCursor
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.composer.composer import Composer
from chatdesk.ui.theme.theme import Theme


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp)


@pytest.fixture
def composer(qtbot: QtBot, theme: Theme) -> Composer:
    page = QWidget()
    page.resize(800, 900)
    column = QVBoxLayout(page)
    column.addStretch(1)
    made = Composer(theme)
    column.addWidget(made)
    column.addWidget(QPushButton("next"))
    qtbot.addWidget(page)
    made.kept_page = page  # type: ignore[attr-defined]
    page.show()
    page.activateWindow()
    made.setFocus()
    return made


def _sent(composer: Composer) -> list[str]:
    texts: list[str] = []
    composer.sendRequested.connect(texts.append)
    return texts


def _paste(composer: Composer, text: str) -> None:
    data = QMimeData()
    data.setText(text)
    composer.editor.insertFromMimeData(data)


def test_enter_sends_the_text_as_written_and_keeps_it(composer: Composer, qtbot: QtBot) -> None:
    sent = _sent(composer)
    qtbot.keyClicks(composer.editor, " Hello ")
    qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    assert (sent, composer.text()) == ([" Hello "], " Hello ")


def test_shift_enter_begins_a_new_line(composer: Composer, qtbot: QtBot) -> None:
    sent = _sent(composer)
    qtbot.keyClicks(composer.editor, "a")
    qtbot.keyClick(composer.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(composer.editor, "b")
    assert (sent, composer.text()) == ([], "a\nb")


def test_control_enter_sends_when_enter_begins_a_line(composer: Composer, qtbot: QtBot) -> None:
    composer.set_send_on_enter(False)
    sent = _sent(composer)
    qtbot.keyClicks(composer.editor, "a")
    qtbot.keyClick(composer.editor, Qt.Key.Key_Enter, Qt.KeyboardModifier.KeypadModifier)
    qtbot.keyClick(composer.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert sent == ["a\n"]
    assert "Ctrl+Enter" in composer.send_button.toolTip()


def test_an_empty_text_cannot_be_sent(composer: Composer, qtbot: QtBot) -> None:
    sent = _sent(composer)
    composer.set_text(" \n\t")
    qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    assert not sent
    assert not composer.send_button.isEnabled()


def test_the_send_button_sends(composer: Composer, qtbot: QtBot) -> None:
    sent = _sent(composer)
    composer.set_text("hello")
    qtbot.mouseClick(composer.send_button, Qt.MouseButton.LeftButton)
    assert sent == ["hello"]


def test_the_stop_button_stands_where_the_send_button_stood(composer: Composer, qtbot: QtBot) -> None:
    before = composer.send_button.geometry()
    composer.set_streaming(True)
    qtbot.waitUntil(lambda: composer.stop_button.geometry() == before)
    assert composer.stop_button.isVisible()
    assert not composer.send_button.isVisible()
    composer.set_text("next question")
    qtbot.waitUntil(lambda: composer.send_button.isVisible() and composer.send_button.x() < before.x())
    assert composer.stop_button.geometry() == before  # it does not move under the pointer
    assert composer.send_button.accessibleName() == "Send after the answer"
    qtbot.waitUntil(lambda: not composer.guard.is_unread)
    with qtbot.waitSignal(composer.stopRequested):
        qtbot.mouseClick(composer.stop_button, Qt.MouseButton.LeftButton)


def test_a_click_stops_and_sends_nothing_as_both_buttons_exchange_their_places(
    composer: Composer, qtbot: QtBot
) -> None:
    sent, stopped = _sent(composer), []
    composer.stopRequested.connect(lambda: stopped.append(True))
    composer.set_text("the next question, half writ")
    for is_streaming, button in ((True, composer.stop_button), (False, composer.send_button)):
        composer.set_streaming(is_streaming)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)  # as the second half of a double click is
    assert sent == stopped == []
    qtbot.waitUntil(lambda: not composer.guard.is_unread)
    qtbot.mouseClick(composer.send_button, Qt.MouseButton.LeftButton)
    assert sent == ["the next question, half writ"]


def test_escape_stops_only_while_an_answer_arrives(composer: Composer, qtbot: QtBot) -> None:
    stops: list[bool] = []
    composer.stopRequested.connect(lambda: stops.append(True))
    qtbot.keyClick(composer.editor, Qt.Key.Key_Escape)
    composer.set_streaming(True)
    qtbot.keyClick(composer.editor, Qt.Key.Key_Escape)
    assert stops == [True]


def test_a_question_sent_during_an_answer_is_handed_on(composer: Composer, qtbot: QtBot) -> None:
    sent = _sent(composer)
    composer.set_text("later")
    composer.set_streaming(True)
    qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not composer.guard.is_unread)
    qtbot.mouseClick(composer.send_button, Qt.MouseButton.LeftButton)
    assert (sent, composer.text()) == (["later", "later"], "later")  # it clears itself for nobody


def test_up_edits_the_last_message_only_from_an_empty_composer(composer: Composer, qtbot: QtBot) -> None:
    asked: list[bool] = []
    composer.editLastRequested.connect(lambda: asked.append(True))
    composer.set_text("x")
    qtbot.keyClick(composer.editor, Qt.Key.Key_Up)
    composer.clear()
    qtbot.keyClick(composer.editor, Qt.Key.Key_Up)
    assert asked == [True]


def test_enter_that_ends_a_composition_does_not_send(composer: Composer, qtbot: QtBot) -> None:
    sent = _sent(composer)
    composer.set_text("a")
    QApplication.sendEvent(composer.editor, QInputMethodEvent("に", []))
    qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    assert not sent
    done = QInputMethodEvent("", [])
    done.setCommitString("に")
    QApplication.sendEvent(composer.editor, done)
    qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    assert sent == ["aに"]


def test_a_paste_is_plain_text(composer: Composer) -> None:
    data = QMimeData()
    data.setHtml("<b>bold</b>")
    data.setText("<b>bold</b>")
    composer.editor.insertFromMimeData(data)
    assert composer.text() == "<b>bold</b>"


@pytest.mark.parametrize("text", ["x" * 200_000, "word 🙂 " * 30_000, "y\n" * 30_000], ids=["solid", "words", "lines"])
def test_a_huge_paste_is_whole_at_once_and_one_step_to_undo(composer: Composer, qtbot: QtBot, text: str) -> None:
    composer.set_text("ab")
    composer.set_cursor_position(1)
    _paste(composer, text)
    assert composer.text() == f"a{text}b"
    qtbot.waitUntil(lambda: not composer.editor.isReadOnly())
    assert composer.text() == f"a{text}b"
    assert composer.cursor_position() == len(text) + 1
    composer.editor.undo()
    assert composer.text() == "ab"


def test_a_copy_of_a_long_line_is_one_line(composer: Composer) -> None:
    composer.set_text("z" * 9000)
    composer.editor.selectAll()
    assert composer.editor.createMimeDataFromSelection().text() == "z" * 9000


def test_the_cursor_is_counted_in_characters(composer: Composer) -> None:
    text = "🙂" * 3000 + "end"
    composer.set_text(text)
    for place in (0, 1, 2500, 3001, len(text)):
        composer.set_cursor_position(place)
        assert composer.cursor_position() == place


def test_it_grows_with_its_text_up_to_a_third_of_the_window(composer: Composer) -> None:
    low = composer.height()
    composer.set_text("a\nb\nc")
    middle = composer.height()
    composer.set_text("\n".join("line" for _each in range(200)))
    assert low < middle < composer.height() <= composer.window().height() // 3
    composer.clear()
    assert composer.height() == low


def test_a_text_above_the_limit_is_kept_and_not_sent(composer: Composer, qtbot: QtBot) -> None:
    sent = _sent(composer)
    composer.set_size_limit(1024)
    composer.set_text("é" * 600)
    qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    assert not sent
    assert "1.2 KB" in composer.findChild(QWidget, "composerNotice").text()
    composer.set_text("short")
    assert composer.send_button.isEnabled()
    assert composer.findChild(QWidget, "composerNotice").text() == ""


def test_a_composer_that_is_off_takes_no_text(composer: Composer, qtbot: QtBot) -> None:
    composer.set_text("kept")
    composer.set_enabled(False)
    qtbot.keyClicks(composer.editor, "x")
    assert composer.text() == "kept"
    assert not composer.send_button.isEnabled()
    composer.set_enabled(True)
    assert composer.send_button.isEnabled()


def test_text_that_runs_from_the_right_begins_at_the_right(composer: Composer) -> None:
    composer.set_text("مرحبا")
    assert composer.editor.document().defaultTextOption().alignment() & Qt.AlignmentFlag.AlignRight
    composer.set_text("hello")
    assert composer.editor.document().defaultTextOption().alignment() & Qt.AlignmentFlag.AlignLeft


def test_names_for_scripts_and_screen_readers(composer: Composer) -> None:
    assert isinstance(composer.findChild(QWidget, "composer"), QPlainTextEdit)
    for name in ("composer", "sendButton", "stopButton"):
        assert composer.findChild(QWidget, name).accessibleName()


def test_another_placeholder_is_painted_at_once_and_whole(composer: Composer, qtbot: QtBot) -> None:
    composer.set_placeholder("Message Research")
    viewport, painted = composer.editor.viewport(), PaintedAreas()
    QApplication.processEvents()
    viewport.installEventFilter(painted)
    composer.set_placeholder("Message Personal")
    qtbot.waitUntil(lambda: viewport.rect() in painted.areas)


class PaintedAreas(QObject):
    """What a widget was told to paint."""

    def __init__(self) -> None:
        super().__init__()
        self.areas: list[QRect] = []

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QPaintEvent):
            self.areas.append(event.rect())
        return False


def test_the_placeholder_grows_with_the_text(composer: Composer, theme: Theme) -> None:
    theme.set_scale(2.0)
    assert composer.editor.viewport().font().pointSizeF() == composer.editor.font().pointSizeF()
    assert composer.editor.font().pointSizeF() == theme.font("text").pointSizeF()
    theme.set_scale(1.0)
    assert composer.editor.viewport().font().pointSizeF() == composer.editor.font().pointSizeF()


@pytest.mark.parametrize("text", ["", "سلام", "Hello"])
def test_the_caret_is_seen_where_the_words_of_the_language_begin(
    qapp: QApplication, qtbot: QtBot, theme: Theme, text: str
) -> None:
    qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    try:
        page = QWidget()
        qtbot.addWidget(page)
        QVBoxLayout(page).addWidget(composer := Composer(theme))
        page.resize(760, 200)
        page.show()
        composer.set_text(text)
        editor, width = composer.editor, composer.editor.viewport().width()
        editor.moveCursor(QTextCursor.MoveOperation.Start)
        caret = editor.cursorRect()
        assert caret.left() >= 0 and caret.right() < width
        assert (caret.left() > width / 2) is (text != "Hello"), "what is written has the direction of its letters"
    finally:
        qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
