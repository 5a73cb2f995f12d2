"""Scrolling by wheel, keys, finger and bar; and the line under the eye, which stays."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QInputDevice, QPointingDevice, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSlider, QApplication

from chatdesk.core.domain.message import Role
from chatdesk.ui.transcript.contract import ScrollAnchor

from tests.ui.transcript.conftest import FakeThread, World, make_message, make_thread  # isort: skip

_LONG = "Words that wrap at the end of the line and go on for a while. " * 40


def _mixed(place: int) -> str:
    return (
        "Short.",
        "# Heading\n\nA paragraph of some words.\n\n- one\n- two\n- three\n",
        "```python\n" + "value = compute(1, 2)\n" * 30 + "```\n",
        _LONG,
        "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 20,
    )[place % 5]


def _wheel(view, *, angle: int = 0, pixels: int = 0, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    centre = QPointF(view.viewport().rect().center())
    event = QWheelEvent(
        centre,
        QPointF(view.viewport().mapToGlobal(centre.toPoint())),
        QPoint(0, pixels),
        QPoint(0, angle),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)


# The wheel, keys and fingers


def test_a_notch_of_the_wheel_glides_and_ends_where_it_should(world: World, qtbot) -> None:
    view = world.open(make_thread(100, _mixed))
    before = _place(view)
    _wheel(view, angle=120)
    assert _place(view) == before  # nothing jumps: the first frame moves it
    qtbot.waitUntil(lambda: not view.parts.scrolling.glide.is_active)
    assert before - _place(view) == pytest.approx(QApplication.wheelScrollLines() * 33, abs=1)


def test_with_reduced_motion_a_notch_is_one_step(world: World) -> None:
    world.theme.motion.set_reduced(True)
    view = world.open(make_thread(100, _mixed))
    before = _place(view)
    _wheel(view, angle=120)
    assert before - _place(view) == pytest.approx(QApplication.wheelScrollLines() * 33, abs=1)
    assert not view.parts.scrolling.glide.is_active


def test_a_touchpad_is_followed_pixel_by_pixel(world: World) -> None:
    view = world.open(make_thread(100, _mixed))
    before = _place(view)
    for _ in range(7):
        _wheel(view, pixels=3, angle=24)
    assert before - _place(view) == 21


def test_turning_back_ends_the_movement_first(world: World) -> None:
    view = world.open(make_thread(100, _mixed))
    glide = view.parts.scrolling.glide
    _wheel(view, angle=1_200)
    _wheel(view, angle=-120)
    before = _place(view)
    glide.finish()
    assert _place(view) >= before


def test_a_jump_ends_a_glide(world: World) -> None:
    view = world.open(make_thread(100, _mixed))
    _wheel(view, angle=1_200)
    view.jump_to("m50")
    assert not view.parts.scrolling.glide.is_active


def test_keys_move_by_lines_and_pages(world: World) -> None:
    world.theme.motion.set_reduced(True)
    view = world.open(make_thread(200, _mixed))
    start = _place(view)
    QTest.keyClick(view, Qt.Key.Key_Up)
    assert start - _place(view) == pytest.approx(44, abs=1)
    QTest.keyClick(view, Qt.Key.Key_PageUp)
    assert start - _place(view) == pytest.approx(view.viewport().height(), abs=2)
    QTest.keyClick(view, Qt.Key.Key_PageDown)
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert _place(view) == pytest.approx(start, abs=2)


def test_control_with_up_and_down_walks_through_messages(world: World) -> None:
    view = world.open(make_thread(100, _mixed))
    view.jump_to("m50")
    QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert view.current_message_id() == "m51"
    QTest.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    assert view.current_message_id() == "m49"


@pytest.fixture
def finger():
    return QTest.createTouchDevice(QInputDevice.DeviceType.TouchScreen)


def test_a_finger_drags_the_text_and_a_flick_goes_on(world: World, finger: QPointingDevice) -> None:
    view = world.open(make_thread(100, _mixed))
    before = _place(view)
    touch = QTest.touchEvent(view.viewport(), finger)
    touch.press(0, QPoint(300, 100)).commit()
    for y in (130, 180, 250):
        touch.move(0, QPoint(300, y)).commit()
    assert before - _place(view) == pytest.approx(150, abs=1)
    touch.release(0, QPoint(300, 250)).commit()
    view.parts.scrolling.glide.finish()
    assert before - _place(view) >= 150


def test_a_second_finger_on_the_text_moves_nothing(world: World, finger: QPointingDevice) -> None:
    view = world.open(make_thread(100, _mixed))
    touch = QTest.touchEvent(view.viewport(), finger)
    touch.press(0, QPoint(300, 100)).commit()
    for y in (130, 180):
        touch.move(0, QPoint(300, y)).commit()
    touch.stationary(0).press(1, QPoint(200, 400)).commit()
    touch.release(0, QPoint(300, 180)).stationary(1).commit()
    view.parts.scrolling.glide.finish()
    dragged = _place(view)
    for y in (402, 440):
        touch.move(1, QPoint(200, y)).commit()
    touch.release(1, QPoint(200, 440)).commit()
    assert _place(view) == pytest.approx(dragged, abs=1)


def test_a_tap_presses_what_is_under_it(world: World, finger: QPointingDevice) -> None:
    view = world.open(make_thread(1, lambda place: "[go](https://a.example/)"))
    opened: list[str] = []
    view.parts.actions.linkActivated.connect(opened.append)
    placed = view.parts.layout.placed[0]
    x = view.parts.viewport_layout.column_left + placed.entry.places.x_of(placed.item) + 6
    touch = QTest.touchEvent(view.viewport(), finger)
    touch.press(0, QPoint(round(x), round(placed.y + 10))).commit()
    touch.release(0, QPoint(round(x), round(placed.y + 10))).commit()
    assert opened == ["https://a.example/"]


def test_scrolled_pixels_equal_a_fresh_drawing(world: World) -> None:
    view = world.open(make_thread(40, _mixed))
    for step in (-700, -37, -120, 55, -3, 240):
        view.scrolling.by(step)
        world.settle()
    shown = view.screen().grabWindow(view.winId()).toImage()
    drawn = view.grab().toImage()
    assert shown.size() == drawn.size()
    assert shown.convertToFormat(drawn.format()) == drawn


# The bar


def _place(view) -> float:
    """Px from the top of the newest loaded message to the top of the view; smaller is further up."""
    placed = view.parts.layout.placed[0]
    entries = view.parts.layout.entries
    above = 0.0
    for entry in entries[view.parts.layout.order_of(placed.entry) :]:
        above += entry.places.height
    return placed.entry.places.tops[placed.index] - placed.y - above


def _share(view) -> float:
    return view.verticalScrollBar().value() / view.verticalScrollBar().maximum()


def test_the_thumb_never_goes_against_the_reader(world: World) -> None:
    view = world.open(make_thread(120, _mixed), knows_at=True)
    QTest.keyClick(view, Qt.Key.Key_Home)
    shares = [_share(view)]
    while shares[-1] < 1:
        view.scrolling.by(570)
        world.settle()
        shares.append(_share(view))
    while shares[-1] > 0:
        view.scrolling.by(-570)
        world.settle()
        shares.append(_share(view))
    top = shares.index(1.0)
    assert shares[: top + 1] == sorted(shares[: top + 1])
    assert shares[top:] == sorted(shares[top:], reverse=True)


def test_a_message_has_its_place_on_the_bar_whatever_was_seen(world: World) -> None:
    view = world.open(make_thread(120, _mixed), knows_at=True)
    seen: list[dict[str, float]] = []
    for order in (range(119, -1, -7), range(0, 120, 7), range(119, -1, -7)):
        places = {}
        for place in order:
            view.jump_to(f"m{place}")
            world.settle()
            places[f"m{place}"] = _share(view)
        seen.append(places)
    # What of the lowest message is below the view is a guess until it is laid out.
    assert max(abs(seen[0][each] - seen[2][each]) for each in seen[0]) < 0.001
    assert sorted(seen[1].values()) == list(seen[1].values())


def test_the_bar_is_at_its_ends_where_the_thread_ends(world: World) -> None:
    view = world.open(make_thread(120, _mixed), knows_at=True)
    bar = view.verticalScrollBar()
    assert bar.value() == bar.maximum()
    bar.setValue(0)
    world.settle()
    assert view.scrolling.anchor().message_id == "m0"
    bar.setValue(bar.maximum())
    world.settle()
    assert view.scrolling.anchor().is_at_end


def test_a_thread_that_fits_has_no_bar(world: World) -> None:
    view = world.open(make_thread(2))
    assert view.verticalScrollBar().maximum() == 0


def test_an_arrow_of_the_bar_moves_by_a_line(world: World) -> None:
    world.theme.motion.set_reduced(True)
    view = world.open(make_thread(200, _mixed))
    before = _place(view)
    view.verticalScrollBar().triggerAction(QAbstractSlider.SliderAction.SliderSingleStepSub)
    assert before - _place(view) == pytest.approx(44, abs=1)


def test_the_bar_stays_under_the_hand_that_drags_it(world: World) -> None:
    view = world.open(make_thread(400, _mixed), knows_at=True)
    bar = view.verticalScrollBar()
    bar.setSliderDown(True)
    for value in range(bar.maximum() // 4, bar.maximum() // 2, 997):
        bar.setSliderPosition(value)
        world.settle()
        assert bar.value() == value
    bar.setSliderDown(False)


# The line under the eye


def _line(view) -> tuple[str, float]:
    """Where the first letter of the first line in view is: its word and its y."""
    placed = next(each for each in view.parts.layout.placed if each.bottom > 24)
    item = placed.item
    offset = item.offset_at(QPointF(0, max(1.0, 1 - placed.y)))
    area = item.areas_of(offset, offset + 1)[0]
    return item.text[offset : offset + 12], placed.y + area.top()


def _y_of(view, line: tuple[str, float]) -> float:
    for placed in view.parts.layout.placed:
        found = placed.item.text.find(line[0])
        if found >= 0:
            return placed.y + placed.item.areas_of(found, found + 1)[0].top()
    raise AssertionError(f"{line[0]!r} is not in view")


@pytest.fixture
def reading(world: World):
    """A view in the middle of a long paragraph."""
    view = world.open(FakeThread([make_message(place, _numbered()) for place in range(9)]))
    view.jump_to("m5")
    view.scrolling.by(300)
    world.settle()
    return view


def _numbered() -> str:
    return " ".join(f"word{number}" for number in range(900))


@pytest.mark.parametrize("width", [520, 640, 1200])
def test_resizing_keeps_the_line(world: World, reading, width: int) -> None:
    line = _line(reading)
    reading.resize(width, 600)
    world.settle()
    assert _y_of(reading, line) == pytest.approx(line[1], abs=1)


def test_the_line_is_not_lost_over_many_resizes(world: World, reading) -> None:
    line = _line(reading)
    for width in (880, 860, 700, 500, 640, 820, 900):
        reading.resize(width, 600)
        world.settle()
    assert _y_of(reading, line) == pytest.approx(line[1], abs=24)


def test_a_size_of_text_keeps_the_line(world: World, reading) -> None:
    line = _line(reading)
    world.theme.zoom_in()
    world.settle()
    assert _y_of(reading, line) == pytest.approx(line[1], abs=1)
    world.theme.set_scale(1.0)


def test_a_theme_keeps_the_line(world: World, reading) -> None:
    line = _line(reading)
    world.theme.set_preference("dark")
    world.settle()
    assert _y_of(reading, line) == pytest.approx(line[1], abs=1)


def test_messages_that_come_above_and_below_keep_the_line(world: World, reading) -> None:
    line = _line(reading)
    reading.conversation.add_message(make_message(9, _numbered(), role=Role.ASSISTANT))
    world.settle()
    assert _y_of(reading, line) == pytest.approx(line[1], abs=1)


def test_blocks_that_come_late_keep_the_line(world: World) -> None:
    world.renderer.is_held = True
    text = "Before **this**.\n\n" + "\n\n".join(f"Paragraph {number} with `code` and words." for number in range(60))
    view = world.open(FakeThread([make_message(place, text) for place in range(5)]))
    view.jump_to("m2")
    view.scrolling.by(500)
    world.settle()
    line = _line(view)
    world.renderer.deliver_all()
    world.settle()
    assert _y_of(view, line) == pytest.approx(line[1], abs=1)


def test_a_place_is_found_again_at_another_width(world: World) -> None:
    thread = FakeThread([make_message(place, _numbered()) for place in range(9)])
    view = world.open(thread)
    view.jump_to("m5")
    view.scrolling.by(300)
    line = _line(view)
    other = world.open(thread, anchor=view.scrolling.anchor(), size=(600, 500))
    assert _y_of(other, line) == pytest.approx(line[1], abs=1)


def test_a_place_without_its_line_is_found_by_pixels(world: World) -> None:
    view = world.open(make_thread(200, _mixed), anchor=ScrollAnchor("m100", 12.0, False))
    assert view.scrolling.anchor().message_id == "m100"
    assert view.scrolling.anchor().offset_px == 12.0


def test_events_that_are_no_touch_go_the_usual_way(world: World) -> None:
    view = world.open(make_thread(1))
    assert view.viewportEvent(QEvent(QEvent.Type.ToolTip)) in (True, False)
