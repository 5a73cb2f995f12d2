"""The scale of the scroll bar: agreed lengths, in groups or one by one."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from chatdesk.core.domain.message import Role, ThreadSizes
from chatdesk.ui.transcript.drawing.heights import HeightTree
from chatdesk.ui.transcript.layout.scale import ScalePoint, ThreadScale
from chatdesk.ui.transcript.view import TranscriptView

from tests.ui.transcript.conftest import World, make_message, make_thread  # isort: skip


def _sizes(count: int, step: int) -> ThreadSizes:
    groups = -(-count // step)
    in_group = [min(step, count - step * place) for place in range(groups)]
    return ThreadSizes(
        count,
        step,
        tuple(in_group),
        tuple(each * 100 * (place % 7) for place, each in enumerate(in_group)),
        tuple(in_group),
    )


def test_sums_and_places_of_a_tree_agree() -> None:
    heights = [float(place % 5 + 1) for place in range(100)]
    tree = HeightTree(heights[:60])
    for height in heights[60:]:
        tree.append(height)
    tree.set(10, 50.0)
    heights[10] = 50.0
    for place in (0, 1, 9, 10, 11, 63, 99):
        start = sum(heights[:place])
        assert tree.prefix(place) == pytest.approx(start)
        assert tree.find(start + 0.5) == place
    assert tree.find(-5) == 0
    assert tree.find(1e9) == 99
    assert HeightTree().find(3) == 0


@pytest.mark.parametrize("step", [1, 7])
def test_every_point_is_found_where_it_stands(step: int) -> None:
    scale = ThreadScale()
    scale.reset(50, {}, is_whole=False)
    assert scale.find(scale.total / 2).position == 25
    scale.set_sizes(_sizes(50, step))
    assert len(scale) == 50
    last = -1.0
    for position in range(50):
        y = scale.y_of(ScalePoint(position, 0.5))
        assert y > last
        last = y
        found = scale.find(y)
        assert found.position + found.share == pytest.approx(position + 0.5)
    assert last < scale.total


def test_a_thread_that_grows_and_is_cut_keeps_its_start() -> None:
    scale = ThreadScale()
    scale.set_sizes(_sizes(50, 7))
    before = [scale.y_of(ScalePoint(position, 0.0)) for position in range(50)]
    scale.set(50, 300.0)
    scale.set(52, 100.0)  # 51 is in the trash
    scale.set(50, 400.0)
    assert len(scale) == 53
    assert scale.y_of(ScalePoint(52, 0.0)) - scale.y_of(ScalePoint(50, 0.0)) == 400.0
    scale.cut(60)
    assert len(scale) == 53
    scale.cut(23)
    assert len(scale) == 23
    assert scale.total == pytest.approx(before[23])
    assert [scale.y_of(ScalePoint(position, 0.0)) for position in range(23)] == pytest.approx(before[:23])


def test_a_long_thread_gets_its_true_scale_once(world: World) -> None:
    thread = make_thread(500, lambda place: "Words. " * (1 if place < 250 else 200))
    asked: list[str] = []
    held: list[Callable[[ThreadSizes], None]] = []

    def sizes(thread_id: str, deliver: Callable[[ThreadSizes], None]) -> None:
        asked.append(thread_id)
        held.append(deliver)

    view = TranscriptView(thread.fetch_at, world.renderer, world.theme, sizes=sizes)
    world.views.append(view)
    view.resize(900, 600)
    view.show()
    view.show_thread("t")
    world.settle()
    guessed = view.verticalScrollBar().maximum()
    true = ThreadSizes(
        500,
        1,
        (1,) * 500,
        tuple(len(message.text) for message in thread.messages),
        (1,) * 500,
    )
    held[0](true)
    assert view.verticalScrollBar().maximum() < guessed * 0.8
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum()
    assert view.scrolling.anchor().is_at_end
    for _ in range(30):
        view.scrolling.by(-2_000)
        world.settle()
    assert asked == ["t"]
    view.show_thread(None)
    held[0](true)
    assert view.verticalScrollBar().maximum() == 0


def test_a_message_that_comes_lengthens_the_bar(world: World) -> None:
    view = world.open(make_thread(100, lambda place: "Some words. " * 40))
    before = view.verticalScrollBar().maximum()
    view.conversation.add_message(make_message(100, "Some words. " * 400, role=Role.ASSISTANT))
    world.settle()
    assert view.verticalScrollBar().maximum() > before + 300
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum()


def test_a_long_thread_begins_in_groups() -> None:
    scale, lengths = ThreadScale(), {999_999: 300.0}
    tracemalloc.start()
    scale.reset(1_000_000, lengths, is_whole=False)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(scale) == 1_000_000
    assert peak_bytes < 500_000  # a length for each position would take several million
    assert scale.total == pytest.approx(300.0 * 1_000_000)
    assert scale.find(scale.total / 2).position == 500_000
