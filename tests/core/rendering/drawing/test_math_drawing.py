"""Formulas as outlines: what is drawn, what stays source, and what hostile TeX may not do."""

from __future__ import annotations

import re
import sys
from array import array

import pytest

from chatdesk.core.rendering.blocks import DRAWING_UNITS, Drawing
from chatdesk.core.rendering.drawing.math_drawing import MAX_TEX_CHARS, draw_formula, load

_TAGS = re.compile(r"\\tag\{.\}")
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
        r"\color{red}{b} + \textcolor{blue}{c}",
        r"\begin{array}{c|c}a&b\\\hline c&d\end{array}",
        r"\overline{ab}\vec{v}\hat x",
    ],
)
def test_points_fit_operations_and_the_box(tex: str) -> None:
    drawing = _drawn(tex)
    points = array("i", drawing.points)
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


def test_colours_of_the_source_become_colours_of_the_theme() -> None:
    plain = _drawn("x+y")
    red = _drawn(r"\textcolor{red}{x}+y")
    assert (red.points, red.operations) == (plain.points, plain.operations)
    assert [ink for ink, _ in red.inked_parts] == ["deleted", ""]
    assert b"".join(part.points for _, part in red.inked_parts) == red.points
    assert [ink for ink, _ in _drawn(r"{\color{#0000ff} x}").inked_parts] == ["number"]
    for colour in ("black", "white", "#fff", "none", "url(http://a.b)"):
        assert _drawn(rf"\textcolor{{{colour}}}{{x}}").inks == ()


def test_the_number_of_an_equation_is_apart_from_it() -> None:
    drawing = _drawn(r"x \tag{1}")
    assert drawing.width == _drawn("x").width
    assert [(below, tag.width) for below, tag in drawing.tags] == [(0, _drawn("(1)").width)]
    assert drawing.with_tags_beside.width > _drawn("x").width + _drawn("(1)").width
    assert _drawn(r"x \tag*{1}").tags[0][1].width == _drawn(r"\text{1}").width
    assert _drawn(r"x \label{eq:a} \notag").points == _drawn("x").points
    assert not _drawn(r"x \tag{1}", is_display=False).tags


@pytest.mark.parametrize("name", ["align", "align*", "gather", "eqnarray"])
def test_each_row_has_its_own_number(name: str) -> None:
    tex = rf"\begin{{{name}}} a &= b \tag{{1}} \\ c &= \frac{{d}}{{e}} \\ f &= \{{g\}} \tag{{3}} \end{{{name}}}"
    drawing = _drawn(tex.replace("&", "") if name == "gather" else tex)
    first, last = (below for below, _ in drawing.tags)
    assert first < 0 < last
    assert drawing.ascent >= -first
    assert drawing.descent >= last
    assert drawing.width == _drawn(_TAGS.sub("", tex).replace("&", "&" if name != "gather" else "")).width


def test_rows_get_no_unwritten_numbers() -> None:
    assert (
        _drawn(r"\begin{align}a&=b\\c&=d\end{align}").points == _drawn(r"\begin{align*}a&=b\\c&=d\end{align*}").points
    )


@pytest.mark.parametrize("tex", [r"\sum_{i=1}^n", r"\int_0^1", r"\bigcup_{i} A", r"\prod_{i}", r"\oint_C"])
def test_large_signs_in_running_text_do_not_push_lines_apart(tex: str) -> None:
    drawing = _drawn(tex, is_display=False)
    assert drawing.ascent + drawing.descent < 1.6 * DRAWING_UNITS
    assert drawing.ascent + drawing.descent < _drawn(tex).ascent + _drawn(tex).descent


@pytest.mark.parametrize(
    "tex",
    [
        r"A^{-1} = \begin{pmatrix}a&b\\c&d\end{pmatrix}^{-1} \qquad ad-bc \neq 0",
        r"\begin{bmatrix}1\end{bmatrix}_{2} + \begin{vmatrix}\begin{pmatrix}a\end{pmatrix}^2\end{vmatrix}",
        r"\begin{alignat}{2} a &= b &\quad c &= d \end{alignat}",
        r"\begin{eqnarray} a &=& b \\ c &=& d \end{eqnarray}",
        r"\begin{equation} E = mc^2 \end{equation}",
        r"\begin{multline*} a \\ b \end{multline*}",
    ],
)
def test_environments_and_powers_of_matrices_are_drawn(tex: str) -> None:
    drawing = _drawn(tex)
    assert drawing.width + drawing.ascent + drawing.descent > 2 * DRAWING_UNITS


@pytest.mark.parametrize(
    "tex",
    [
        "",
        " ",
        r"\frac{1}{",
        r"\unknowncommand{a}",
        r"\text{😀}",
        r"\hspace{1000em}x",
        "x" * (MAX_TEX_CHARS + 1),
        "{" * 500,
        r"\frac{1}{" * 40 + "x" + "}" * 40,
        r"\left(" * 100,
        "^" * 500,
        "\x00\ud800",
    ],
)
def test_a_formula_that_cannot_be_drawn_faithfully_stays_source(tex: str) -> None:
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


@pytest.mark.parametrize("is_display", [True, False])
def test_a_long_formula_is_drawn_whole(is_display: bool) -> None:
    tex = "+".join(f"\\frac{{a_{{{number}}}}}{{bcdefghi}}" for number in range(60))
    drawing = draw_formula(tex, is_display=is_display)
    assert drawing is not None
    assert drawing.width > 128 * 256  # more than 16 bits hold
