"""Formulas as outlines: what is drawn, what stays source, and what hostile TeX may not do."""

from __future__ import annotations

import sys
from array import array

import pytest

from chatdesk.core.rendering.blocks import Drawing
from chatdesk.core.rendering.math_drawing import MAX_TEX_CHARS, draw_formula, load

_ARITY = {"M": 1, "L": 1, "Q": 2, "C": 3, "Z": 0}


def _drawn(tex: str, *, is_display: bool = True) -> Drawing:
    drawing = draw_formula(tex, is_display=is_display)
    assert drawing is not None, tex
    return drawing


@pytest.mark.parametrize(
    "tex",
    [
        r"x",
        r"\frac{a}{b}",
        r"\sqrt[3]{x}",
        r"\sum_{i=1}^n i^2",
        r"\begin{pmatrix}1&2\\3&4\end{pmatrix}",
        r"\begin{cases}1&x>0\\0&\text{otherwise}\end{cases}",
        r"\left. \frac{a}{b} \right|_{0}",
        r"\boxed{a} + \cancel{x}",
        r"\color{red}{b} + \colorbox{blue}{c}",
        r"\begin{array}{c|c}a&b\\\hline c&d\end{array}",
        r"\overline{ab}\vec{v}\hat x",
    ],
)
def test_points_fit_operations_and_the_box(tex: str) -> None:
    drawing = _drawn(tex)
    points = array("h", drawing.points)
    assert len(points) == 2 * sum(_ARITY[each] for each in drawing.operations)
    assert drawing.width > 0
    assert drawing.ascent + drawing.descent > 0
    slack = 64
    assert min(points[::2]) >= -slack
    assert max(points[::2]) <= drawing.width + slack
    assert min(points[1::2]) >= -drawing.ascent - slack
    assert max(points[1::2]) <= drawing.descent + slack


def test_inline_fractions_are_smaller_than_displayed_ones() -> None:
    tex = r"\sum_{i=1}^{n} \frac{1}{2}"
    assert _drawn(tex, is_display=False).ascent < _drawn(tex).ascent


def test_colours_of_the_source_do_not_change_the_drawing() -> None:
    assert _drawn(r"{\color{red} x}").points == _drawn(r"{x}").points


def test_an_equation_number_stands_behind_the_equation() -> None:
    assert _drawn(r"x \tag{1}").width > _drawn("x").width + _drawn("(1)").width
    assert _drawn(r"x \label{eq:a} \notag").points == _drawn("x").points


@pytest.mark.parametrize(
    "tex",
    [
        "",
        " ",
        r"\frac{1}{",
        r"\unknowncommand{a}",
        r"\text{中文}",
        r"\hspace{1000em}x",
        "x" * (MAX_TEX_CHARS + 1),
        "{" * 500,
        r"\frac{1}{" * 40 + "x" + "}" * 40,
        r"\left(" * 100,
        "^" * 500,
        "\x00\ud800",
    ],
)
def test_what_cannot_be_drawn_faithfully_stays_source(tex: str) -> None:
    assert draw_formula(tex, is_display=True) is None


def test_no_file_is_opened_because_of_the_source() -> None:
    load()
    _drawn(r"x + \text{warm}")
    opened: list[object] = []
    is_watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if is_watching and event in ("open", "socket.connect", "subprocess.Popen", "os.system"):
            opened.append(arguments)

    sys.addaudithook(watch)
    for tex in (
        r"\href{file:///etc/passwd}{x}",
        r"\input{/etc/passwd}",
        r"\includegraphics{/etc/passwd}",
        r"\url{http://x}",
    ):
        draw_formula(tex, is_display=True)
    is_watching = False
    assert opened == []
