"""What is attached to the message that is being written, by mouse, keys, paste and drop."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.attachment import Attachment
from chatdesk.ui.composer.attachment_chip import AttachmentChip
from chatdesk.ui.composer.composer import Composer
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.words import size_text

NOTES = Attachment("notes.txt", "text/plain", "a" * 64, 1350)
CAT = Attachment("cat.png", "image/png", "b" * 64, 54_000, 640, 480)


@pytest.fixture
def composer(qtbot: QtBot) -> Composer:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    page = QWidget()
    page.resize(800, 900)
    column = QVBoxLayout(page)
    column.addStretch(1)
    made = Composer(Theme(application))
    column.addWidget(made)
    qtbot.addWidget(page)
    made.kept_page = page  # type: ignore[attr-defined]
    page.show()
    page.activateWindow()
    made.setFocus()
    return made


def chips(composer: Composer) -> list[AttachmentChip]:
    return [chip for chip in composer.files.chips.findChildren(AttachmentChip) if not chip.isHidden()]


def files(*names: str) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(f"/tmp/{name}") for name in names])
    return data


def test_a_composer_without_attachments_has_no_chips(composer: Composer) -> None:
    composer.files.set_attached(())
    assert composer.files.attached == ()
    assert composer.files.count == 0
    assert composer.findChild(QWidget, "attachments") is None


def test_attachments_can_be_sent_without_text(composer: Composer, qtbot: QtBot) -> None:
    sent: list[str] = []
    composer.sendRequested.connect(sent.append)
    assert not composer.send_button.isEnabled()
    composer.files.set_attached([NOTES, CAT])
    assert composer.files.attached == (NOTES, CAT)
    assert composer.send_button.isEnabled()
    qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    assert sent == [""]
    composer.clear()
    assert composer.files.attached == ()
    assert not composer.send_button.isEnabled()


def test_the_card_grows_with_its_rows_and_its_note(composer: Composer) -> None:
    before = composer.height()
    composer.files.set_attached([NOTES])
    one = composer.height()
    composer.files.chips.set_note("The model cannot see images.")
    with_note = composer.height()
    composer.files.set_attached([NOTES, CAT, *(Attachment(f"{n}", "text/plain", f"{n:064x}", 1) for n in range(12))])
    assert before < one < with_note < composer.height() < one + 200
    composer.files.chips.set_note("")
    composer.files.set_attached([])
    assert composer.height() == before


def test_a_message_waits_for_the_file_that_is_copied(composer: Composer, qtbot: QtBot) -> None:
    sent: list[str] = []
    composer.sendRequested.connect(sent.append)
    qtbot.keyClicks(composer.editor, "text")
    key = composer.files.chips.add("notes.txt")
    composer.files.chips.set_progress(key, 675, 1350)
    composer.files.chips.grab()
    assert composer.files.count == 1
    assert chips(composer)[0].accessibleName() == "notes.txt, being copied"
    qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    assert sent == []
    composer.files.chips.finish(key, NOTES)
    assert chips(composer)[0].accessibleName() == "notes.txt, 1 KB"
    qtbot.waitUntil(lambda: sent == ["text"])


def test_a_message_that_waits_is_not_sent_without_its_file_nor_changed(composer: Composer, qtbot: QtBot) -> None:
    sent: list[str] = []
    composer.sendRequested.connect(sent.append)
    qtbot.keyClicks(composer.editor, "text")
    key = composer.files.chips.add("notes.txt")
    qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    composer.files.chips.finish(key, None)
    QApplication.processEvents()
    assert sent == []
    key = composer.files.chips.add("notes.txt")
    qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    qtbot.keyClicks(composer.editor, " and more")
    composer.files.chips.finish(key, NOTES)
    QApplication.processEvents()
    assert sent == []
    assert composer.text() == "text and more"


def test_the_notice_of_a_file_precedes_the_waiting_message(composer: Composer, qtbot: QtBot) -> None:
    sent: list[str] = []
    composer.sendRequested.connect(sent.append)
    composer.files.chips.changed.connect(
        lambda: composer.files.chips.set_note("Does swift see images?", [("sees", "Yes")])
    )
    key = composer.files.chips.add("cat.png")
    qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    composer.files.chips.finish(key, CAT)
    QApplication.processEvents()
    assert sent == []
    yes = composer.files.chips.findChild(QPushButton, "attachmentNote_sees")
    assert yes is not None
    assert yes.isVisible()
    with qtbot.waitSignal(composer.files.chips.noteActionRequested) as asked:
        qtbot.mouseClick(yes, Qt.MouseButton.LeftButton)
    assert asked.args == ["sees"]
    qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    assert sent == [""], "whoever sends again has seen it"


def test_a_pasted_picture_is_seen_before_its_file_is_there(composer: Composer) -> None:
    image = QImage(640, 480, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    composer.files.chips.add("Pasted image.png", image)
    (chip,) = chips(composer)
    assert chip.grab().toImage().pixelColor(24, 24) == QColor(Qt.GlobalColor.red)


def test_a_copy_that_fails_leaves_no_chip(composer: Composer) -> None:
    key = composer.files.chips.add("notes.txt")
    composer.files.chips.finish(key, None)
    composer.files.chips.finish("unknown", None)
    composer.files.chips.set_progress("unknown", 1, 2)
    assert chips(composer) == []
    assert composer.files.chips.isHidden()


def test_the_same_file_is_attached_once(composer: Composer) -> None:
    composer.files.set_attached([NOTES])
    composer.files.chips.finish(composer.files.chips.add("notes.txt"), NOTES)
    assert composer.files.attached == (NOTES,)
    composer.files.chips.finish("of another time", CAT)
    assert composer.files.attached == (NOTES, CAT)


def test_chips_are_removed_by_keys_and_the_focus_stays_near(composer: Composer, qtbot: QtBot) -> None:
    composer.files.set_attached([NOTES, CAT])
    first, second = chips(composer)
    assert first.remove_button.accessibleName() == "Remove notes.txt, 1 KB"
    first.remove_button.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(first.remove_button, Qt.Key.Key_Right)
    assert second.remove_button.hasFocus()
    qtbot.keyClick(second.remove_button, Qt.Key.Key_Right)
    qtbot.keyClick(second.remove_button, Qt.Key.Key_Left)
    assert first.remove_button.hasFocus()
    qtbot.keyClick(first.remove_button, Qt.Key.Key_Delete)
    assert composer.files.attached == (CAT,)
    assert second.remove_button.hasFocus()
    qtbot.keyClick(second.remove_button, Qt.Key.Key_Backspace)
    assert composer.files.attached == ()
    assert composer.editor.hasFocus()


def test_removing_what_is_being_copied_is_told(composer: Composer, qtbot: QtBot) -> None:
    removed: list[str] = []
    key = composer.files.chips.add("notes.txt")
    composer.files.chips.removed.connect(removed.append)
    qtbot.mouseClick(chips(composer)[0].remove_button, Qt.MouseButton.LeftButton)
    assert removed == [key]


def test_pictures_ask_for_a_thumbnail_and_show_it(composer: Composer) -> None:
    wanted: list[Attachment] = []
    composer.files.chipsMade.connect(lambda chips: chips.thumbnailWanted.connect(wanted.append))
    composer.files.set_attached([NOTES, CAT])
    assert wanted == [CAT]
    (_, chip) = chips(composer)
    before = chip.grab().toImage()
    image = QImage(90, 60, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    composer.files.chips.set_thumbnail(CAT.sha256, image)
    assert chip.grab().toImage() != before


def test_files_and_pictures_are_pasted_as_attachments(composer: Composer) -> None:
    paths: list[list[str]] = []
    images: list[QImage] = []
    composer.filesOffered.connect(paths.append)
    composer.imageOffered.connect(images.append)
    composer.editor.insertFromMimeData(files("a.txt", "b.png"))
    picture = QMimeData()
    picture.setImageData(QImage(4, 4, QImage.Format.Format_RGB32))
    assert composer.editor.canInsertFromMimeData(picture)
    composer.editor.insertFromMimeData(picture)
    table = QMimeData()
    table.setText("a\tb")
    table.setImageData(QImage(4, 4, QImage.Format.Format_RGB32))
    composer.editor.insertFromMimeData(table)
    web = QMimeData()
    web.setUrls([QUrl("https://example.org/x")])
    web.setText("https://example.org/x")
    composer.editor.insertFromMimeData(web)
    assert paths == [["/tmp/a.txt", "/tmp/b.png"]]
    assert [image.width() for image in images] == [4]
    assert composer.text() == "a\tbhttps://example.org/x"


def _with_text(text: str, *urls: str) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl(each) for each in urls])
    data.setText(text)
    return data


@pytest.mark.parametrize(
    "text",
    [
        "/tmp/a é.txt",
        "file:///tmp/a%20%C3%A9.txt",
        "file:///tmp/a é.txt",
        "a é.txt",
        "x-special/nautilus-clipboard\ncopy\nfile:///tmp/a%20%C3%A9.txt\n",
    ],
)
def test_the_text_beside_a_copied_file_is_not_pasted(composer: Composer, text: str) -> None:
    paths: list[list[str]] = []
    composer.filesOffered.connect(paths.append)
    composer.editor.insertFromMimeData(_with_text(text, "file:///tmp/a%20%C3%A9.txt"))
    assert paths == [["/tmp/a é.txt"]]
    assert composer.text() == ""


def test_a_text_that_brings_a_file_along_is_pasted_without_it(composer: Composer) -> None:
    paths: list[list[str]] = []
    composer.filesOffered.connect(paths.append)
    composer.editor.insertFromMimeData(_with_text("harmless words", "file:///etc/passwd"))
    assert paths == []
    assert composer.text() == "harmless words"


@pytest.mark.parametrize("url", ["file://host/share/a.txt", "file:////host/share/a.txt", "file://10.0.0.1/c$/a"])
def test_no_file_is_asked_of_another_computer(composer: Composer, url: str) -> None:
    paths: list[list[str]] = []
    composer.filesOffered.connect(paths.append)
    data = QMimeData()
    data.setUrls([QUrl(url)])
    assert not composer.editor.can_attach(data)
    composer.editor.insertFromMimeData(data)
    assert paths == []
    data.setUrls([QUrl("file://localhost/tmp/a.txt")])
    composer.editor.insertFromMimeData(data)
    assert paths == [["/tmp/a.txt"]]


def test_files_are_dropped_on_the_card(composer: Composer) -> None:
    paths: list[list[str]] = []
    composer.filesOffered.connect(paths.append)
    data = files("a.txt")
    buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, buttons, modifiers)
    QApplication.sendEvent(composer, enter)
    assert enter.isAccepted()
    drop = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, modifiers)
    QApplication.sendEvent(composer, drop)
    assert paths == [["/tmp/a.txt"]]
    text = QMimeData()
    text.setText("x")
    other = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, text, buttons, modifiers)
    QApplication.sendEvent(composer, other)
    assert not other.isAccepted()


def test_a_locked_composer_takes_no_files(composer: Composer) -> None:
    composer.set_enabled(False)
    assert not composer.can_write
    assert not composer.editor.can_attach(files("a.txt"))
    assert not composer.editor.attach_from(files("a.txt"))


def test_the_button_asks_what_to_add(composer: Composer, qtbot: QtBot) -> None:
    assert composer.add_button.accessibleName() == "Files, prompts, parameters and tools"
    with qtbot.waitSignal(composer.addRequested):
        qtbot.mouseClick(composer.add_button, Qt.MouseButton.LeftButton)


def test_from_right_to_left_everything_is_mirrored(composer: Composer, qtbot: QtBot) -> None:
    composer.kept_page.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # type: ignore[attr-defined]
    composer.files.set_attached([NOTES, CAT])
    first, second = chips(composer)
    assert first.x() > second.x()
    assert first.remove_button.x() < first.width() / 2
    first.grab()
    first.remove_button.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(first.remove_button, Qt.Key.Key_Left)
    assert second.remove_button.hasFocus()


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (1, "1 byte"), (2048, "2 KB"), (3 * 1024 * 1024, "3.0 MB")],
)
def test_sizes_are_words(size: int, words: str) -> None:
    assert size_text(size) == words
