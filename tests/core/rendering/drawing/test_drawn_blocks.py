"""Formulas and diagrams on their way: jobs, memory of results, the wire and the window's side."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from chatdesk.core.rendering.blocks import Block, Blocks, CodeBlock, Drawing, MathBlock, Paragraph, Span, Table
from chatdesk.core.rendering.client import RenderClient
from chatdesk.core.rendering.drawing import drawn_blocks
from chatdesk.core.rendering.drawing.drawn_blocks import MAX_FORMULAS_A_MESSAGE, DrawnBlocks, wanted_blocks
from chatdesk.core.rendering.render_requests import StreamUpdate
from chatdesk.core.rendering.wire import (
    decode_block,
    decode_change,
    decode_drawing,
    encode_block,
    encode_change,
    encode_drawing,
)

PICTURE = Drawing(512, 300, 100, "MLLZ", b"\0" * 12)
INLINE = Span("x", is_math=True)
TIMEOUT_S = 20.0


def test_blocks_with_drawings_cross_the_wire() -> None:
    drawn = replace(INLINE, drawing=PICTURE)
    blocks: tuple[Block, ...] = (
        Paragraph((Span("a "), drawn)),
        MathBlock("x", drawing=PICTURE),
        Table(("",), ((drawn,),), (((drawn,),),)),
        CodeBlock("mermaid", "graph TD", pictures=(b"light", b"dark")),
    )
    for block in blocks:
        assert decode_block(encode_block(block)) == block
        assert decode_change(block, encode_change(block, block)) == block


def test_a_picture_that_arrives_is_a_change() -> None:
    plain = CodeBlock("mermaid", "graph TD")
    drawn = replace(plain, pictures=(b"light", b"dark"))
    assert decode_change(plain, encode_change(plain, drawn)) == drawn


def test_each_formula_is_a_job_once() -> None:
    drawn = DrawnBlocks()
    block = Paragraph((INLINE, Span(" and "), replace(INLINE, text="y"), INLINE))
    assert drawn.missing(block) == ("formula", "x", False)
    drawn.remember(("formula", "x", False), encode_drawing(PICTURE))
    assert drawn.missing(block) == ("formula", "y", False)
    drawn.remember(("formula", "y", False), None)
    assert drawn.missing(block) is None
    shown = drawn.apply(block)
    assert isinstance(shown, Paragraph)
    assert [span.drawing for span in shown.spans] == [PICTURE, None, None, PICTURE]


def test_display_and_inline_are_drawn_apart() -> None:
    drawn = DrawnBlocks()
    drawn.remember(("formula", "x", False), encode_drawing(PICTURE))
    assert drawn.missing(MathBlock("x")) == ("formula", "x", True)
    assert drawn.apply(MathBlock("x")) == MathBlock("x")


def test_formulas_in_tables_are_drawn() -> None:
    drawn = DrawnBlocks()
    drawn.remember(("formula", "x", False), encode_drawing(PICTURE))
    table = drawn.apply(Table(("",), ((INLINE,),), (((INLINE,),), ((Span("a"),),))))
    assert isinstance(table, Table)
    assert table.header[0][0].drawing == table.rows[0][0][0].drawing == PICTURE
    plain = Table(("",), ((Span("a"),),), ())
    assert drawn.apply(plain) is plain


def test_a_message_of_too_many_formulas_keeps_its_source() -> None:
    blocks = [MathBlock(str(place)) for place in range(MAX_FORMULAS_A_MESSAGE + 50)]
    assert len(wanted_blocks(blocks, DrawnBlocks())) == MAX_FORMULAS_A_MESSAGE


def test_old_drawings_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn_blocks, "_MAX_REMEMBERED_BYTES", 1_000)
    drawn = DrawnBlocks()
    for name in "abcdefgh":
        drawn.remember(("formula", name, True), encode_drawing(PICTURE))
    assert drawn.missing(MathBlock("a")) is not None
    assert drawn.missing(MathBlock("h")) is None


def test_diagrams_wait_for_the_end_of_their_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn_blocks, "_can_draw_diagrams", lambda: True)
    drawn = DrawnBlocks()
    block = CodeBlock("Mermaid", "graph TD", is_open=True)
    assert drawn.missing(block) is None
    block = replace(block, is_open=False)
    assert drawn.missing(block) == ("diagram", "graph TD")
    drawn.remember(("diagram", "graph TD"), (b"light", b"dark"))
    assert drawn.apply(block) == replace(block, pictures=(b"light", b"dark"))


def test_where_nothing_draws_them_a_diagram_is_code_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn_blocks, "_can_draw_diagrams", lambda: False)
    block = CodeBlock("mermaid", "graph TD")
    assert DrawnBlocks().missing(block) is None
    assert DrawnBlocks().apply(block) == replace(block, remark="Diagrams cannot be drawn on this computer")
    assert DrawnBlocks().apply(replace(block, is_open=True)).remark == ""  # type: ignore[union-attr]


def test_a_diagram_that_cannot_be_drawn_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn_blocks, "_can_draw_diagrams", lambda: True)
    drawn, block = DrawnBlocks(), CodeBlock("mermaid", "no diagram")
    assert drawn.apply(block) == block
    drawn.remember(("diagram", "no diagram"), None)
    failed = drawn.apply(block)
    assert failed == replace(block, remark="This diagram could not be drawn")
    assert decode_change(block, encode_change(block, failed)) == failed


def test_nothing_drawn_is_nothing_on_the_wire() -> None:
    assert decode_drawing(encode_drawing(None)) is None


class Pump:
    """Runs what the client delivers, in the test's own thread."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.client = RenderClient(self._calls.put)

    def until(self, is_done: Callable[[], bool]) -> None:
        while not is_done():
            self._calls.get(timeout=TIMEOUT_S)()


@pytest.fixture
def pump() -> Iterator[Pump]:
    made = Pump()
    yield made
    made.client.close()


def test_formulas_arrive_after_the_text_and_at_once_the_second_time(pump: Pump) -> None:
    answers: list[Blocks] = []
    text = "Let $a$ and $b$ be.\n\n$$\\frac{a}{b}$$\n\n```python\nx = 1\n```"
    pump.client.request(text, answers.append)
    pump.until(lambda: len(answers) == 2)
    first, second = answers
    assert isinstance(first[0], Paragraph)
    assert all(span.drawing is None for span in first[0].spans)
    assert isinstance(second[0], Paragraph)
    assert [span.drawing is not None for span in second[0].spans] == [False, True, False, True, False]
    assert isinstance(second[1], MathBlock)
    assert second[1].drawing is not None
    assert isinstance(second[2], CodeBlock)
    assert second[2].runs
    pump.client.request(text + "\n\nmore", answers.append)
    pump.until(lambda: len(answers) >= 3)
    assert answers[2][1] == second[1]


def test_a_streamed_formula_is_drawn_in_place(pump: Pump) -> None:
    blocks: list[Block] = []

    def take(update: StreamUpdate) -> None:
        blocks[update.first_changed :] = update.blocks

    def is_drawn() -> bool:
        last = blocks[0] if blocks else None
        return isinstance(last, Paragraph) and any(span.drawing is not None for span in last.spans)

    stream = pump.client.open_stream(take)
    stream.append("Here is $x^2$ and")
    pump.until(is_drawn)
    stream.append(" more")
    stream.finish()
    pump.until(lambda: isinstance(blocks[0], Paragraph) and blocks[0].spans[-1].text.endswith("more"))
    assert is_drawn()
    stream.cancel()


def test_a_formula_that_kills_its_process_stays_source_and_the_next_is_drawn(pump: Pump) -> None:
    answers: list[Blocks] = []
    hostile = r"\frac{1}{\frac{1}{" * 6 + "x" + "}}" * 6
    pump.client.request(f"$$\n{hostile}\n$$\n\n$$\ny\n$$", answers.append)
    pump.until(lambda: len(answers) == 2)
    drawings = [block.drawing for block in answers[1] if isinstance(block, MathBlock)]
    assert len(drawings) == 2
    assert drawings[1] is not None
