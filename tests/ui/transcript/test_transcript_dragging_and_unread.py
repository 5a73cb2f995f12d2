"""Dragging things out, the line above what is unread, and the light on a message that was jumped to."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QDrag, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.message import Role, Status
from chatdesk.ui.transcript.items.picture_item import PictureItem
from tests.helpers.mouse import move_mouse

from tests.ui.transcript.conftest import FakeThread, World, copied_text, make_message, make_thread  # isort: skip


def _point(view, kind: str, dx: float, dy: float) -> QPoint:
    placed = next(each for each in view.parts.layout.placed if each.item.kind == kind)
    x = view.parts.viewport_layout.column_left + placed.entry.places.x_of(placed.item) + dx
    return QPointF(x, placed.y + dy).toPoint()


@pytest.fixture
def dragged(world: World):
    """Opens a view whose drags end at once; the list has what they carried."""
    views = []

    def make(text: str):
        view = world.open(FakeThread([make_message(0, text, role=Role.ASSISTANT)]))
        carried: list[QMimeData] = []

        def start(drag: QDrag) -> None:
            carried.append(drag.mimeData())
            drag.setParent(view)

        view.parts.dragging.start = start
        views.append(view)
        return view, carried

    yield make
    for view in views:
        view.parts.dragging.folder.remove()


def _drag(view, start: QPoint) -> None:
    view.parts.pointer.let_go()
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    move_mouse(view.viewport(), start + QPoint(3, 0))
    move_mouse(view.viewport(), start + QPoint(60, 40))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=start + QPoint(60, 40))


def test_code_is_dragged_by_its_header_as_text_and_as_a_file(
    world: World, dragged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    view, carried = dragged("```python ../../etc\nprint('ä')\n```\n")
    _drag(view, _point(view, "code", 60, 12))
    data = carried[0]
    assert data.text() == "print('ä')\n" or data.text() == "print('ä')"
    assert list(tmp_path.iterdir()) == []  # nobody has asked for the file yet
    assert data.hasFormat("text/uri-list")
    path = Path(data.urls()[0].toLocalFile())
    assert path.name == "code.py" and path.is_relative_to(tmp_path)
    assert path.read_text(encoding="utf-8") == data.text()
    assert (path.parent.parent.stat().st_mode & 0o777) == 0o700
    assert data.urls()[0].toLocalFile() == str(path)
    view.parts.dragging.folder.remove()
    assert not path.exists()


def test_inside_the_code_a_drag_selects(world: World, dragged) -> None:
    view, carried = dragged("```python\nvalue = 1\nother = 2\n```\n")
    start = _point(view, "code", 14, 50)
    view.parts.pointer.let_go()
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    move_mouse(view.viewport(), start + QPoint(300, 20))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=start + QPoint(300, 20))
    assert carried == []
    assert "other = 2" in copied_text(view)


def test_selected_text_is_dragged(world: World, dragged) -> None:
    view, carried = dragged("Some **bold** words.")
    QTest.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    _drag(view, _point(view, "text", 20, 8))
    assert carried[0].text() == "Some **bold** words."
    assert "<strong>bold</strong>" in carried[0].html()


def test_a_click_on_the_selection_takes_it_away(world: World, dragged) -> None:
    view, carried = dragged("Some words.")
    QTest.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    view.parts.pointer.let_go()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=_point(view, "text", 20, 8))
    assert not view.parts.selection.is_some
    assert carried == []


def test_a_picture_is_dragged_as_image_and_as_a_file(world: World, dragged) -> None:
    view, carried = dragged("Before.\n\n![alt](https://pictures.example/p.png)\n")
    entry = view.entries[0]
    item = next(each for each in entry.items if isinstance(each, PictureItem))
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    item.image = image
    _drag(view, _point(view, "image", 30, 10))
    assert carried[0].hasImage()
    path = Path(carried[0].urls()[0].toLocalFile())
    assert path.name == "picture.png"
    assert QImage(str(path)).size() == image.size()


# What is unread


def _lines(view) -> list[str]:
    return [entry.message.id for entry in view.entries if entry.items[0].kind == "unread"]


@pytest.fixture
def away_thread() -> FakeThread:
    return make_thread(40, lambda place: "Some words. " * 40)


@pytest.fixture
def away(world: World, away_thread: FakeThread):
    view = world.open(away_thread)
    view.activateWindow()
    world.settle()
    view.scrolling.by(-3_000)
    world.settle()
    return view


def test_the_line_stands_above_the_first_message_that_came(world: World, away) -> None:
    held = away.scrolling.anchor()
    for place in (40, 41):
        away.conversation.add_message(make_message(place, "News.", role=Role.ASSISTANT))
    world.settle()
    assert _lines(away) == ["m40"]
    assert away.scrolling.anchor() == held
    away.scrolling.to_end()
    away.grab()
    assert _lines(away) == ["m40"]
    assert away.parts.unread.read_timer.isActive()
    away.parts.unread.read_timer.timeout.emit()
    world.settle()
    assert _lines(away) == []
    assert not away.parts.unread.read_timer.isActive()


def test_a_reader_at_the_end_gets_no_line(world: World) -> None:
    view = world.open(make_thread(3))
    view.activateWindow()
    world.settle()
    view.conversation.add_message(make_message(3, "News.", role=Role.ASSISTANT))
    assert _lines(view) == []


def test_the_answer_to_a_question_just_asked_gets_no_line(world: World, away) -> None:
    away.scrolling.to_end()
    away.parts.scrolling.glide.by(40.0)  # the wheel is still moving the text
    away.conversation.add_message(make_message(40, "A question of one's own. " * 30))
    away.conversation.add_message(make_message(41, "", role=Role.ASSISTANT, status=Status.PENDING))
    assert _lines(away) == []
    world.settle()
    assert _lines(away) == []
    assert not away.parts.scrolling.glide.is_active
    assert away.parts.layout.is_at_end


def test_a_reader_at_another_window_gets_the_line_which_stays_until_the_return(world: World, qtbot) -> None:
    view = world.open(make_thread(3))
    other = QWidget()
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(lambda: not view.isActiveWindow())
    view.conversation.add_message(make_message(3, "News.", role=Role.ASSISTANT))
    world.settle()
    assert _lines(view) == ["m3"]
    assert not view.parts.unread.read_timer.isActive()
    view.activateWindow()
    qtbot.waitUntil(view.parts.unread.read_timer.isActive)
    other.activateWindow()
    qtbot.waitUntil(lambda: not view.parts.unread.read_timer.isActive())


def test_a_hidden_view_gets_the_line(world: World) -> None:
    view = world.open(make_thread(3))
    view.hide()
    view.conversation.add_message(make_message(3, "News.", role=Role.ASSISTANT))
    assert _lines(view) == ["m3"]


def test_the_reader_s_own_message_takes_the_line_away(world: World, away) -> None:
    away.conversation.add_message(make_message(40, "News.", role=Role.ASSISTANT))
    away.conversation.add_message(make_message(41, "Thanks.", role=Role.USER))
    assert _lines(away) == []


def test_the_line_is_there_when_its_message_is_loaded_again(world: World, away_thread: FakeThread, away) -> None:
    away_thread.messages.append(make_message(40, "News.", role=Role.ASSISTANT))
    away.conversation.add_message(away_thread.messages[40])
    away.jump_to("m0")
    for _ in range(4):
        away.scrolling.to_end()
        world.settle()
    assert _lines(away) == ["m40"]
    away.show_thread("t")
    world.settle()
    assert _lines(away) == []


# The light


def test_a_message_that_was_jumped_to_lights_up_and_fades(world: World) -> None:
    view = world.open(make_thread(60))
    view.jump_to("m30")
    entry = next(each for each in view.entries if each.message.id == "m30")
    strengths = []
    view.grab()
    while view.parts.flash.message_id is not None:
        strengths.append(view.parts.flash.strength_of(entry))
        view.parts.flash.findChild(QTimer).timeout.emit()
    assert strengths[0] == 1.0
    assert strengths == sorted(strengths, reverse=True)
    assert len(set(strengths)) > 5
    assert view.parts.flash.strength_of(entry) == 0.0


def test_with_reduced_motion_the_light_does_not_fade(world: World) -> None:
    world.theme.motion.set_reduced(True)
    view = world.open(make_thread(60))
    view.jump_to("m30")
    entry = next(each for each in view.entries if each.message.id == "m30")
    view.parts.flash.findChild(QTimer).timeout.emit()
    assert view.parts.flash.strength_of(entry) == 1.0


def test_the_light_waits_for_a_message_that_is_not_loaded(world: World) -> None:
    view = world.open(make_thread(60))
    view.parts.flash.start("m9999")
    for _ in range(30):
        view.parts.flash.findChild(QTimer).timeout.emit()
    assert view.parts.flash.message_id == "m9999"
    view.show_thread(None)
    assert view.parts.flash.message_id is None
