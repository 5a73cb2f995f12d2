"""Commands of TeX that the converter would draw as something else are spelt otherwise, or the source stays."""

from __future__ import annotations

import pytest

from chatdesk.core.rendering.blocks import Drawing
from chatdesk.core.rendering.drawing import math_drawing
from chatdesk.core.rendering.drawing.math_drawing import draw_formula

FONTS = ["mathbb", "mathbf", "mathcal", "mathfrak", "mathrm", "mathsf", "boldsymbol", "mathtt", "operatorname"]
SAME = [
    (r"\begin{aligned}a&=b\\[6pt]c&=d\end{aligned}", r"\begin{aligned}a&=b\\c&=d\end{aligned}"),
    (r"\begin{matrix}a\\*b\end{matrix}", r"\begin{matrix}a\\b\end{matrix}"),
    (r"\begin{pmatrix}a\\[-.5ex] b\end{pmatrix}", r"\begin{pmatrix}a\\b\end{pmatrix}"),
    (r"\mathbb N^+", r"\mathbb{N}^+"),
    (r"\mathbf\alpha", r"\mathbf{\alpha}"),
    (r"a\not=b", r"a\neq b"),
    (r"a\not\in B", r"a\notin B"),
    (r"a\not{\subset}B", r"a⊄B"),
    (r"\smash{x}", r"x"),
    (r"\smash[b]{x}", r"x"),
    (r"\begin{rcases}a&b\\c&d\end{rcases}", r"\left.\begin{array}{ll}a&b\\c&d\end{array}\right\}"),
    (r"\begin{dcases}a&b\\c&d\end{dcases}", r"\begin{cases}a&b\\c&d\end{cases}"),
    (r"\mathop{\mathrm{argmax}}_x", r"\operatorname*{argmax}_x"),
    (r"\left<a\right>", r"\left\langle a\right\rangle"),
    (r"\big<a\bigg>", r"\big\langle a\bigg\rangle"),
    (r"\hspace*{1em}a", r"\hspace{1em}a"),
    (r"{\bf x1}", r"\mathbf{x1}"),
    (r"\mathbb{RP}", r"\mathbb{R}\mathbb{P}"),
    (r"\mathord{,}", r"{,}"),
    (r"\begin{aligned}[t]a&=b\end{aligned}", r"\begin{aligned}a&=b\end{aligned}"),
    (r"\begin{bmatrix*}[r]a&b\end{bmatrix*}", r"\begin{bmatrix}a&b\end{bmatrix}"),
    (r"\begin{psmallmatrix}a\end{psmallmatrix}", r"\left(\begin{smallmatrix}a\end{smallmatrix}\right)"),
    (r"\begin{array}{@{}l!{:}r@{}}a&b\end{array}", r"\begin{array}{lr}a&b\end{array}"),
    (r"\begin{array}{*{2}{c}|*{3}{r}}a&b&c\end{array}", r"\begin{array}{cc|rrr}a&b&c\end{array}"),
    (r"\def\arraystretch{1.5}a", "a"),
    (r"\renewcommand{\arraystretch}{1.5}a", "a"),
    (r"\dag", r"\dagger"),
    (r"\begin{array}{c||c}1&2\end{array}", r"\begin{array}{c|c}1&2\end{array}"),
]


def drawn(tex: str) -> Drawing:
    drawing = draw_formula(tex, is_display=True)
    assert drawing is not None, tex
    return drawing


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize("letter", ["A", "R", "x", "1"])
def test_a_font_of_one_letter_needs_no_braces(font: str, letter: str) -> None:
    assert draw_formula(rf"\{font} {letter}", is_display=True) == draw_formula(rf"\{font}{{{letter}}}", is_display=True)


@pytest.mark.parametrize(("tex", "same"), SAME)
def test_other_spellings_are_drawn_as_the_usual_ones(tex: str, same: str) -> None:
    assert drawn(tex) == drawn(same)


@pytest.mark.parametrize("letter", "ABCRkz0189")
def test_alphabets_have_letters_of_their_own(letter: str) -> None:
    plain = drawn(rf"\mathrm{{{letter}}}")
    assert drawn(rf"\mathtt{{{letter}}}") != plain
    assert drawn(rf"\texttt{{{letter}}}") != plain
    if letter != "z":
        assert drawn(rf"\mathbb{{{letter}}}") != plain


@pytest.mark.parametrize("size", ["big", "Bigl", "biggr", "Bigg"])
@pytest.mark.parametrize(
    ("command", "sign"), [(r"\langle", "⟨"), (r"\rfloor", "⌋"), (r"\lceil", "⌈"), (r"\vert", "|"), (r"\rVert", "‖"),
                          (r"\|", "‖"), (r"\lbrace", r"\{"), (r"\}", r"\rbrace")]
)  # fmt: skip
def test_large_brackets_may_be_commands(size: str, command: str, sign: str) -> None:
    assert drawn(rf"\{size}{command} x") == drawn(rf"\{size}{sign} x")
    assert drawn(rf"\{size}{command} x").ascent > drawn("x").ascent


def test_a_name_in_two_parts_has_a_gap() -> None:
    widths = [drawn(rf"\operatorname*{{{name}}}_x").width for name in ("argmax", r"arg\,max", r"arg\ max")]
    assert widths[0] < widths[1] == widths[2]


@pytest.mark.parametrize("font", ["mathbb", "mathtt", "mathbf", "texttt", "textbf"])
def test_a_font_holds_for_each_letter_and_digit(font: str) -> None:
    plain = "text" if font.startswith("text") else "mathrm"
    one, two = (drawn(rf"\{font}{{{each}}}").width for each in ("A", "A1"))
    assert drawn(rf"\{font}{{1}}") != drawn(rf"\{plain}{{1}}")
    assert two > one


@pytest.mark.parametrize("sign", "%_&#$")
@pytest.mark.parametrize("command", ["text", "textbf", "mbox"])
def test_signs_in_words_lose_their_backslash(command: str, sign: str) -> None:
    with_sign, without = drawn(rf"\{command}{{5\{sign}}}"), drawn(rf"\{command}{{5}}")
    assert without.width < with_sign.width < 3 * without.width


@pytest.mark.parametrize(
    "tex", [r"\begin{CD}A @>a>> B\end{CD}", r"\utilde{AB}", r"{=}\llap{/}", r"\rotatebox{90}{x}",
            r"\sideset{_1^2}{_3^4}\sum", r"\not{x}", r"a\not\zeta b",
            r"\begin{array}{p{3cm}}a\end{array}", r"\begin{array}{c}a\\\cline{1-1}b\end{array}"]
)  # fmt: skip
def test_a_formula_that_would_be_drawn_wrong_stays_source(tex: str) -> None:
    assert draw_formula(tex, is_display=True) is None


def rules(tex: str) -> int:
    """Return how many boxes are drawn: lines between rows and columns."""
    return drawn(tex).operations.count("MLLLZ")


@pytest.mark.parametrize(("columns", "count"), [("ccc", 0), ("cc|c", 1), ("c|c|c", 2), ("c:c|c", 2), ("c|cc", 1)])
@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize("around", ["{}", r"\left[{}\right]", r"\frac{{{}}}{{2}}"])
def test_arrays_have_their_lines(columns: str, count: int, rows: int, around: str) -> None:
    line = r"\hline " * rows
    tex = rf"\begin{{array}}{{{columns}}}a&b&c\\{line}d&e&f\\g&h&i\end{{array}}"
    bare = r"\begin{array}{ccc}a&b&c\\d&e&f\\g&h&i\end{array}"
    assert rules(around.format(tex)) - rules(around.format(bare)) == count + rows


def test_lines_around_an_array_are_drawn_too() -> None:
    table = r"\begin{array}{|c|c|}\hline p&q\\\hline T&F\\\hline\end{array}"
    inner = r"\begin{array}{c|c}p&q\\\hline T&F\end{array}"
    assert len(drawn(table).operations) > len(drawn(inner).operations)
    assert drawn(table).width > drawn(inner).width
    assert rules(table) == rules(inner) + 2  # over it and below it; the bars are signs


@pytest.mark.parametrize(("loose", "tight"), [("b=-3", "-3"), ("(-3)", "-3"), (r"2\cdot-3", "-3"), (r"a,-3", "-3")])
def test_a_minus_of_a_number_is_beside_it(loose: str, tight: str) -> None:
    before = loose[: -len(tight)] if not loose.endswith(")") else "("
    after = ")" if loose.endswith(")") else ""
    between = drawn(rf"{before}3-3{after}").width - drawn(rf"{before}3{after}").width
    assert drawn(loose).width - drawn(rf"{before}3{after}").width < between - drawn("3").width


@pytest.mark.parametrize("sign", [r"\perp", r"\sim", r"\iff", r"\smile", r"\setminus", r"\amalg", r"\implies"])
def test_relations_have_room_beside_them(sign: str) -> None:
    beside = drawn(rf"a{sign} b").width
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(math_drawing, "correct_mathml", lambda _: None)
        assert beside > drawn(rf"a{sign} b").width + drawn("x").width / 2


@pytest.mark.parametrize(
    "sign", [r"\cup", r"\cap", r"\subset", r"\wedge", r"\times", r"\otimes", r"\models", r"\mapsto"]
)
def test_signs_between_two_have_room_but_not_in_scripts(sign: str) -> None:
    alone = drawn(rf"{{{sign}}}").width
    assert drawn(rf"a{sign} b").width > drawn("ab").width + alone + drawn("x").width / 2
    tight = drawn(rf"x^{{a{sign} b}}").width - drawn("x^{ab}").width
    assert tight < alone


@pytest.mark.parametrize("name", [r"\max", r"\lim", r"\det", r"\gcd", r"\operatorname{tr}", r"\operatorname*{argmax}"])
@pytest.mark.parametrize("script", ["", "_x"])
def test_a_name_has_room_beside_a_letter_but_not_beside_a_bracket(name: str, script: str) -> None:
    alone = drawn(name + script).width
    letter, bracket = drawn("A").width, drawn("(").width
    assert drawn(rf"{name}{script} A").width > alone + letter
    assert drawn(rf"2{name}{script}").width > alone + drawn("2").width
    assert abs(drawn(rf"{name}{script}(").width - alone - bracket) <= letter / 10


@pytest.mark.parametrize("name", ["aligned", "align*", "gathered", "split"])
def test_rows_of_equations_have_a_gap_between_them(name: str) -> None:
    one, two = (drawn(rf"\begin{{{name}}}{rows}\end{{{name}}}") for rows in ("x=1", r"x=1\\x=1"))
    height, taller = one.ascent + one.descent, two.ascent + two.descent
    assert 256 * 0.6 < taller - 2 * height < 256
