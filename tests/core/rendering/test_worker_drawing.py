"""The worker's part in drawing: order, newer states of a block, and the time that one message may take."""

from __future__ import annotations

import math
from io import BytesIO
from typing import Any

import pytest

from chatdesk.core.rendering import worker as worker_module
from chatdesk.core.rendering.blocks import Drawing, MathBlock
from chatdesk.core.rendering.drawing.drawing_process import NOT_TRIED
from chatdesk.core.rendering.wire import decode_block, encode_drawing
from chatdesk.core.rendering.worker import Worker
from chatdesk.core.system.child_process import read_frame

PICTURE = encode_drawing(Drawing(512, 300, 100, "MLLZ", b"\0" * 12))


class Drawer:
    """Stands for the drawing process; answers when told to."""

    def __init__(self) -> None:
        self.is_busy = False
        self.submitted: list[tuple[Any, Any]] = []

    def submit(self, key: Any, job: Any) -> None:
        self.is_busy = True
        self.submitted.append((key, job))

    def stop(self) -> None:
        self.is_busy = False


class Bench:
    """A worker whose frames are served by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sink = BytesIO()
        self.drawer = Drawer()
        self.worker = Worker(BytesIO(), self.sink, lambda _take: self.drawer)
        monkeypatch.setattr(worker_module, "_SLOW_S", math.inf)  # on a busy computer, too, no stream rests

    def serve(self, *frame: Any) -> None:
        self.worker.serve((*frame, True) if frame[0] == "text" else frame)

    def answer(self, result: Any) -> None:
        key, _ = self.drawer.submitted[-1]
        self.worker.receive_result(key, result)

    def sent(self) -> list[tuple[Any, ...]]:
        self.sink.seek(0)
        frames = []
        while (frame := read_frame(self.sink)) is not None:
            frames.append(frame)
        return frames


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def test_a_block_is_sent_once_all_its_formulas_are_known(bench: Bench) -> None:
    bench.serve("text", 1, "Let $a$ and $b$ be.")
    assert [frame[0] for frame in bench.sent()] == ["blocks"]
    assert bench.sent()[0][3] == 1
    bench.answer(PICTURE)
    assert [frame[0] for frame in bench.sent()] == ["blocks"]
    bench.answer(None)
    kind, number, index, block = bench.sent()[-1]
    assert (kind, number, index) == ("block", 1, 0)
    drawn = decode_block(block)
    assert [span.drawing is not None for span in drawn.spans] == [False, True, False, False, False]  # type: ignore[union-attr]


def test_what_is_known_is_not_drawn_again(bench: Bench) -> None:
    bench.serve("text", 1, "$$a$$")
    bench.answer(PICTURE)
    bench.serve("text", 2, "$$a$$")
    assert len(bench.drawer.submitted) == 1
    blocks = decode_block(bench.sent()[-1][2][0])
    assert isinstance(blocks, MathBlock)
    assert blocks.drawing is not None


def test_a_message_that_was_given_up_gets_nothing(bench: Bench) -> None:
    bench.serve("text", 1, "$$a$$\n\n$$b$$")
    bench.worker.drop(1)
    bench.answer(PICTURE)
    assert [frame[0] for frame in bench.sent()] == ["blocks"]
    bench.serve("drop", 1)
    assert len(bench.drawer.submitted) <= 2


def test_drawing_for_one_message_ends_when_it_took_too_long(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.serve("text", 1, "$$a$$\n\n$$b$$\n\n$$c$$")
    monkeypatch.setattr(worker_module, "_MAX_DRAWING_S", -1.0)
    bench.answer(PICTURE)
    assert len(bench.drawer.submitted) == 1
    assert [frame[:3] for frame in bench.sent()[1:]] == [("block", 1, 0), ("block", 1, 1), ("block", 1, 2)]
    assert [decode_block(frame[3]).drawing is not None for frame in bench.sent()[1:]] == [True, False, False]  # type: ignore[union-attr]


def test_only_messages_seen_lately_are_counted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_MAX_REMEMBERED_MESSAGES", 2)
    monkeypatch.setattr(worker_module, "_MAX_DRAWING_S", 0.0)  # one drawing is all that a message gets
    for number in range(5):
        bench.serve("text", number, f"$${number}$$")
        bench.answer(PICTURE)
    drawn = []
    for number in reversed(range(5)):
        before = len(bench.drawer.submitted)
        bench.serve("text", number, f"$$x_{number}$$")
        if len(bench.drawer.submitted) > before:
            bench.drawer.is_busy = False
            drawn.append(number)
    assert drawn == [2, 1, 0]


def test_a_streamed_block_that_changed_meanwhile_gets_the_drawings_of_its_newest_state(bench: Bench) -> None:
    bench.serve("open", 1)
    bench.serve("delta", 1, "Let $a$ be ")
    bench.serve("delta", 1, "and $b$ too ")
    bench.answer(PICTURE)
    bench.answer(PICTURE)
    last = [frame for frame in bench.sent() if frame[0] == "block"][-1]
    spans = decode_block(last[3]).spans  # type: ignore[union-attr]
    assert [span.drawing is not None for span in spans if span.is_math] == [True, True]


def test_a_formula_that_was_not_tried_is_tried_again(bench: Bench) -> None:
    bench.serve("text", 1, "$$a$$")
    bench.answer(NOT_TRIED)
    assert [frame[0] for frame in bench.sent()] == ["blocks"]
    bench.answer(NOT_TRIED)
    bench.answer(PICTURE)
    assert len(bench.drawer.submitted) == 3
    drawn = decode_block(bench.sent()[-1][3])
    assert isinstance(drawn, MathBlock)
    assert drawn.drawing is not None


def test_what_was_never_tried_is_shown_as_source_and_not_remembered(bench: Bench) -> None:
    for number in (1, 2):
        bench.serve("text", number, "$$a$$\n\n```py\nx = 1\n```")
        for _ in range(6):
            bench.answer(NOT_TRIED)
        assert not bench.drawer.is_busy
        assert [frame[0] for frame in bench.sent()[-2:]] == ["block", "colours"]
    bench.serve("text", 3, "$$a$$")
    assert bench.drawer.is_busy
