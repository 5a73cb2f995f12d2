"""Fingers on lists, fields and buttons: real touches, as the platform sends them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject, QPoint, QRectF, QStringListModel, Qt, Signal
from PySide6.QtGui import QInputDevice, QPointingDevice
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QLineEdit,
    QListView,
    QPushButton,
    QScroller,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from chatdesk.ui.features.desktop.touch_binding import keyboard_room
from chatdesk.ui.features.desktop.touch_input import TouchInput

EDGE_PX = 24


class World:
    """A window with a long list, a field and a button, and the fingers on it."""

    def __init__(self, qtbot: QtBot, device: QPointingDevice, *, is_still: bool = False) -> None:
        self._device = device
        self.window = QWidget()
        self.list = QListView()
        self.list.setModel(QStringListModel([f"row {number}" for number in range(500)]))
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setDragEnabled(True)
        self.button = QPushButton("Press")
        column = QVBoxLayout(self.window)
        column.addWidget(self.list)
        column.addWidget(self.button)
        self.window.resize(400, 500)
        qtbot.addWidget(self.window)
        self.window.show()
        qtbot.waitExposed(self.window)
        self.window.activateWindow()
        qtbot.waitUntil(lambda: self.window.windowHandle() is QApplication.focusWindow())
        self.swipes: list[bool] = []
        self.touches = 0
        self.input = TouchInput(lambda _top, place: place.x() <= EDGE_PX, lambda: is_still)
        self.input.swiped.connect(self.swipes.append)
        self.input.touched.connect(self._count)

    def _count(self) -> None:
        self.touches += 1

    def at(self, widget: QWidget, x: int, y: int) -> QPoint:
        return widget.mapTo(self.window, QPoint(x, y))

    def drag(self, *places: QPoint) -> None:
        """Put a finger down and move it."""
        self.touch = QTest.touchEvent(self.window, self._device)
        self.touch.press(0, places[0]).commit()
        self.last = places[0]
        for place in places[1:]:
            self.move(place)

    def move(self, place: QPoint) -> None:
        """Move the finger that is down."""
        self.touch.move(0, place).commit()
        self.last = place

    def lift(self) -> None:
        """Take the finger away where it is."""
        self.touch.release(0, self.last).commit()

    @property
    def scrolled_px(self) -> int:
        return self.list.verticalScrollBar().value()


@pytest.fixture
def screen() -> QPointingDevice:
    return QTest.createTouchDevice(QInputDevice.DeviceType.TouchScreen)


@pytest.fixture
def world(qtbot: QtBot, screen: QPointingDevice) -> World:
    return World(qtbot, screen)


def _up(world: World, distance: int) -> list[QPoint]:
    viewport = world.list.viewport()
    return [world.at(viewport, 200, 350 - step) for step in range(0, distance + 1, 10)]


def test_a_finger_scrolls_a_list_and_selects_and_drags_nothing(world: World, qtbot: QtBot) -> None:
    world.drag(*_up(world, 200))
    qtbot.waitUntil(lambda: world.scrolled_px == pytest.approx(200, abs=15))
    assert not world.list.selectionModel().hasSelection()
    assert world.touches == 1


def test_a_second_finger_moves_nothing(world: World, qtbot: QtBot) -> None:
    world.drag(*_up(world, 100))
    qtbot.waitUntil(lambda: world.scrolled_px == pytest.approx(100, abs=15))
    other = world.at(world.list.viewport(), 100, 40)
    touch = world.touch
    touch.stationary(0).press(1, other).commit()
    touch.release(0, world.last).stationary(1).commit()
    scroller = QScroller.scroller(world.list.viewport())
    assert scroller.state() is not QScroller.State.Dragging, "the finger that dragged is gone"
    scroller.stop()
    at_release = world.scrolled_px
    for step in (1, 2, 3):
        touch.move(1, other + QPoint(0, 20 * step)).commit()
        assert scroller.state() is QScroller.State.Inactive
    touch.release(1, other + QPoint(0, 60)).commit()
    assert scroller.state() is QScroller.State.Inactive
    assert world.scrolled_px == at_release
    assert not world.list.selectionModel().hasSelection()


def test_a_flick_glides_on_and_a_touch_stops_it(world: World, qtbot: QtBot) -> None:
    first, *rest = _up(world, 200)
    world.drag(first)
    for place in rest:
        before = world.scrolled_px
        world.move(place)
        if place != rest[0]:
            qtbot.waitUntil(lambda before=before: world.scrolled_px > before)  # type: ignore[misc]
    world.lift()
    scroller = QScroller.scroller(world.list.viewport())
    assert scroller.state() is QScroller.State.Scrolling
    at_release = world.scrolled_px
    qtbot.waitUntil(lambda: world.scrolled_px > at_release + 20)
    world.drag(world.at(world.list.viewport(), 200, 100))
    world.lift()
    assert scroller.state() is QScroller.State.Inactive
    assert not world.list.selectionModel().hasSelection()  # this touch stopped it, and pressed nothing


def test_nothing_glides_where_nothing_may_move(qtbot: QtBot, screen: QPointingDevice) -> None:
    world = World(qtbot, screen, is_still=True)
    world.drag(*_up(world, 200))
    qtbot.waitUntil(lambda: world.scrolled_px > 150)
    world.lift()
    assert QScroller.scroller(world.list.viewport()).state() is QScroller.State.Inactive


def test_a_tap_on_a_row_chooses_it(world: World) -> None:
    clicked: list[str] = []
    world.list.clicked.connect(lambda index: clicked.append(index.data()))
    world.drag(world.at(world.list.viewport(), 60, 5))
    world.lift()
    assert clicked == ["row 0"]
    assert world.list.hasFocus()


def test_a_finger_that_rests_opens_the_menu_and_presses_nothing(world: World, qtbot: QtBot) -> None:
    menus: list[QPoint] = []
    world.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    world.list.customContextMenuRequested.connect(menus.append)
    place = world.at(world.list.viewport(), 60, 5)
    world.drag(place)
    qtbot.waitUntil(lambda: len(menus) == 1)
    world.lift()
    assert (menus[0] - QPoint(60, 5)).manhattanLength() < 10
    assert not world.list.selectionModel().hasSelection()


def test_buttons_are_left_to_qt(world: World) -> None:
    pressed: list[bool] = []
    world.button.clicked.connect(lambda: pressed.append(True))
    world.drag(world.at(world.button, 20, 10))
    world.lift()
    assert pressed == [True]


@pytest.mark.parametrize(
    ("direction", "to_x", "expected"),
    [
        (Qt.LayoutDirection.LeftToRight, 120, [True]),
        (Qt.LayoutDirection.LeftToRight, 40, []),
        (Qt.LayoutDirection.RightToLeft, 120, [False]),
    ],
    ids=["far enough", "too short", "mirrored"],
)
def test_a_swipe_from_the_edge(world: World, direction: Qt.LayoutDirection, to_x: int, expected: list[bool]) -> None:
    world.window.setLayoutDirection(direction)
    world.drag(*(QPoint(x, 200) for x in range(8, to_x, 10)))
    world.lift()
    assert world.swipes == expected
    assert world.scrolled_px == 0


def test_a_finger_at_the_edge_that_goes_up_scrolls(world: World, qtbot: QtBot) -> None:
    world.drag(*(QPoint(18, 300 - step) for step in range(0, 150, 10)))
    qtbot.waitUntil(lambda: world.scrolled_px > 100)
    assert world.swipes == []


def test_a_mouse_is_not_looked_at(world: World) -> None:
    viewport = world.list.viewport()
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=QPoint(60, 5))
    assert world.list.selectionModel().hasSelection()
    assert world.touches == 0
    assert not QScroller.hasScroller(viewport)


def test_a_touchpad_is_no_screen(qtbot: QtBot) -> None:
    world = World(qtbot, QTest.createTouchDevice(QInputDevice.DeviceType.TouchPad))
    world.drag(*_up(world, 200))
    world.lift()
    assert (world.touches, world.scrolled_px) == (0, 0)


class Keyboard(QObject):
    """A keyboard on the screen: what ``QInputMethod`` says of it."""

    keyboardRectangleChanged = Signal()
    visibleChanged = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.area, self.is_up = QRectF(), False

    def keyboardRectangle(self) -> QRectF:
        return self.area

    def isVisible(self) -> bool:
        return self.is_up

    def show_at(self, area: QRectF, *, is_up: bool) -> None:
        self.area, self.is_up = area, is_up
        self.keyboardRectangleChanged.emit()
        self.visibleChanged.emit()


def test_the_composer_stays_above_the_on_screen_keyboard(qtbot: QtBot) -> None:
    from PySide6.QtWidgets import QMainWindow

    window, body, keyboard = QMainWindow(), QWidget(), Keyboard()
    field = QLineEdit()
    column = QVBoxLayout(body)
    column.addStretch(1)
    column.addWidget(field)
    window.setCentralWidget(body)
    window.resize(400, 500)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    keyboard_room(keyboard, window)  # type: ignore[arg-type]
    below = field.mapTo(window, QPoint(0, field.height())).y()
    keyboard.show_at(QRectF(0, 300, 400, 200), is_up=True)
    qtbot.waitUntil(lambda: field.mapTo(window, QPoint(0, field.height())).y() <= 300)
    keyboard.show_at(QRectF(0, 300, 400, 200), is_up=False)
    qtbot.waitUntil(lambda: field.mapTo(window, QPoint(0, field.height())).y() == below)
