"""Tables that are wider than the column, longer than a dozen rows, or read from right to left."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from chatdesk.core.domain.message import Role, Status
from chatdesk.core.rendering.blocks import Table
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.ui.transcript.drawing.side_scroll import ROOM_PX
from chatdesk.ui.transcript.drawing.transcript_style import TOOL_PX, TranscriptStyle
from chatdesk.ui.transcript.items.items_from_blocks import grow_table, table_items
from chatdesk.ui.transcript.items.table_item import ROWS_AN_ITEM, TableItem
from chatdesk.ui.transcript.view import TranscriptView
from tests.helpers.mouse import move_mouse
from tests.ui.transcript.conftest import FakeThread, World, make_message
from tests.ui.transcript.items.test_math_item import WIDTH, style  # noqa: F401 - a fixture


def markdown(columns: int, rows: int, *, word: str = "cell") -> str:
    head = " | ".join(f"Column number {n}" for n in range(columns))
    body = [" | ".join(f"{word} {row}.{n}" for n in range(columns)) for row in range(rows)]
    return "\n".join(f"| {line} |" for line in (head, " | ".join(["---"] * columns), *body))


def table(text: str) -> Table:
    (block,) = parse_markdown(text)
    assert isinstance(block, Table)
    return block


def shown(world: World, text: str) -> tuple[TranscriptView, TableItem]:
    view = world.open(FakeThread([make_message(0, text, role=Role.ASSISTANT)]), size=(900, 900))
    return view, next(item for item in view.entries[0].items if isinstance(item, TableItem))


def bar_of(item: TableItem) -> QRectF:
    """The bar to scroll with, which has room below the rows."""
    return item.columns.scroll.bar(QRectF(0, 0, item.columns.view_width, item.rows_height + ROOM_PX))


def place_of(view: TranscriptView, item: TableItem, x: float, y: float) -> QPoint:
    origin = view.parts.viewport_layout.origin_of(item)
    assert origin is not None
    return (origin + QPointF(x, y)).toPoint()


def turn(view: TranscriptView, at: QPoint, *, angle: QPoint, shift: bool = False) -> None:
    modifiers = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    target = view.viewport()
    event = QWheelEvent(
        QPointF(at),
        QPointF(target.mapToGlobal(at)),
        QPoint(),
        angle,
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(target, event)


@pytest.mark.parametrize(("angle", "shift"), [(QPoint(-120, 0), False), (QPoint(0, -120), True)])
def test_the_wheel_moves_a_wide_table_sideways(world: World, angle: QPoint, shift: bool) -> None:
    view, item = shown(world, markdown(11, 3))
    at = place_of(view, item, 100, 50)
    turn(view, at, angle=angle, shift=shift)
    assert item.columns.x > 0
    turn(view, at, angle=-angle, shift=shift)
    assert item.columns.x == 0


def test_the_bar_below_a_wide_table_is_drawn_and_taken_with_the_mouse(world: World) -> None:
    view, item = shown(world, markdown(11, 3))
    bar = bar_of(item)
    assert 0 < bar.width() < item.columns.view_width
    start = place_of(view, item, bar.center().x(), bar.center().y())
    image = view.viewport().grab().toImage()
    assert image.pixelColor(start) == view.parts.viewport_layout.style.colour("line")
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    move_mouse(view.viewport(), start + QPoint(2_000, 0))
    assert item.columns.x == item.columns.max_x
    move_mouse(view.viewport(), start - QPoint(2_000, 0))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    assert item.columns.x == 0
    assert not view.parts.selection.is_some


def test_no_bar_stands_below_a_table_that_fits(world: World) -> None:
    _view, item = shown(world, markdown(2, 3))
    assert bar_of(item).isEmpty()
    assert item.height == item.rows_height


def test_the_edge_of_a_column_is_drawn_with_the_mouse(world: World) -> None:
    view, item = shown(world, markdown(3, 3, word="many words in a cell that take more than one line"))
    before, height = list(item.columns.widths), item.height
    edge = item.columns.lefts[0] + before[0] + 8
    start = place_of(view, item, edge, 12)
    move_mouse(view.viewport(), start)
    assert view.viewport().cursor().shape() is Qt.CursorShape.SplitHCursor
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    move_mouse(view.viewport(), start + QPoint(160, 0))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=start + QPoint(160, 0))
    assert item.columns.widths == [before[0] + 160, *before[1:]]
    assert item.columns.max_x > 0
    assert item.height != height
    move_mouse(view.viewport(), start + QPoint(-20, 0))
    assert item.columns.widths[0] == before[0] + 160


def test_a_column_is_widened_by_keys(world: World) -> None:
    view, item = shown(world, markdown(11, 3))
    view.setFocus()
    view.jump_to("m0")
    for _ in range(2):
        QTest.keyClick(view, Qt.Key.Key_Tab)
    assert view.parts.message_focus.stop is not None
    assert view.parts.message_focus.stop[1] == "table-columns"
    before = list(item.columns.widths)
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert item.columns.widths == [before[0], before[1] + 16, *before[2:]]
    QTest.keyClick(view, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(view, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert item.columns.widths[1] == before[1] - 16
    assert "Column number 1" in next(each.label for each in item.buttons() if each.action == "table-columns")
    for _ in range(9):
        QTest.keyClick(view, Qt.Key.Key_Right)
    assert item.columns.x == item.columns.max_x
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert item.columns.widths == before


def test_the_tool_of_a_table_covers_no_words(style: TranscriptStyle) -> None:  # noqa: F811
    for columns in (2, 4, 5, 6, 11):
        (item,) = table_items(table(markdown(columns, 2)))
        item.ensure_layout(style, WIDTH)
        copy = item.buttons()[0].area
        assert copy.width() == style.px(TOOL_PX)
        assert copy.right() <= WIDTH
        assert not any(area.intersects(copy) for area in item.areas_of(0, len(item.text)))


def test_a_row_has_no_empty_line_in_a_table_that_is_moved_sideways(style: TranscriptStyle) -> None:  # noqa: F811
    words = "Keeps two databases equal under load"
    (item,) = table_items(table(markdown(11, 1, word=words)))
    item.ensure_layout(style, WIDTH)
    assert item.columns.max_x > 0
    assert max(len(item.areas_of(*cell)) for cell in item.cells[1]) <= 2


def test_more_than_a_dozen_rows_fold(world: World) -> None:
    view, item = shown(world, "Above\n\n" + markdown(2, 40) + "\n\nBelow")
    parts = [each for each in view.entries[0].items if isinstance(each, TableItem)]
    assert [part.height > 0 for part in parts] == [True, False, False, False]
    (button,) = [each for part in parts for each in part.buttons() if each.action == "fold-table"]
    assert button.label == "Show all 40 rows"
    QTest.mouseClick(
        view.viewport(),
        Qt.MouseButton.LeftButton,
        pos=place_of(view, item, button.area.center().x(), button.area.center().y()),
    )
    world.settle()
    view.scrolling.to_end()
    parts = [each for each in view.entries[0].items if isinstance(each, TableItem)]
    assert all(part.height > 0 for part in parts)
    (button,) = [each for part in parts for each in part.buttons() if each.action == "fold-table"]
    assert button.label == "Show fewer rows"


def test_a_folded_row_that_is_found_is_shown(style: TranscriptStyle) -> None:  # noqa: F811
    parts = table_items(table(markdown(2, 40)))
    for part in parts:
        part.ensure_layout(style, WIDTH)
    assert parts[2].reveal(0)
    parts[2].ensure_layout(style, WIDTH)
    assert parts[2].areas_of(0, 4)


def test_a_table_that_is_watched_stays_open_and_as_it_was_made(world: World) -> None:
    view = world.open(FakeThread([make_message(0, "", role=Role.ASSISTANT, status=Status.STREAMING)]), size=(900, 900))
    text = markdown(2, 30)
    for line in text.splitlines(keepends=True):
        view.conversation.append_text("m0", 0, "text", line)
        view.parts.conversation.feeds.show_frame()
        world.settle()
    parts = [each for each in view.entries[0].items if isinstance(each, TableItem)]
    assert len(parts) == 30 // ROWS_AN_ITEM + 1
    assert parts[0].columns.is_unfolded
    parts[0].columns.choose(0, 300)
    other = table(text.replace("Column number 0", "Column number *0*"))
    assert grow_table(parts, other) is None
    fresh = table_items(other, parts[0].columns)
    assert fresh[0].columns.is_unfolded
    assert fresh[0].columns.chosen == {0: 300}


def test_a_table_from_the_right_begins_there(style: TranscriptStyle) -> None:  # noqa: F811
    (item,) = table_items(table("| الاسم | القيمة |\n|---|---|\n| أحمد | 12 |"))
    item.ensure_layout(style, WIDTH)
    (name,), (value,) = (item.areas_of(*cell) for cell in item.cells[0])
    assert value.right() < name.left()
    (number,) = item.areas_of(*item.cells[1][1])
    assert number.right() == pytest.approx(value.right(), abs=1)
    copy = item.buttons()[0].area
    assert name.right() == pytest.approx(WIDTH, abs=1)
    assert copy.right() < value.left()
    assert item.offset_at(name.center()) <= item.cells[0][0][1]


def test_a_wide_table_from_the_right_is_moved_to_the_left(style: TranscriptStyle) -> None:  # noqa: F811
    (item,) = table_items(
        table(markdown(11, 2).replace("Column number", "عمود طويل رقم").replace("cell", "خلية طويلة"))
    )
    item.ensure_layout(style, WIDTH)
    assert not item.scroll.move(20)
    assert item.scroll.move(-20)
    assert item.columns.x == 20
