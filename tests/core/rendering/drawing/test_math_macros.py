"""Commands that the converter lacks are drawn as what they stand for, and words keep the formulas among them."""

from __future__ import annotations

import pytest

from chatdesk.core.rendering.blocks import Drawing
from chatdesk.core.rendering.drawing.math_drawing import draw_formula
from chatdesk.core.rendering.drawing.math_macros import CannotSpell, written_out

SAME = [
    (r"\nicefrac{1}{2}", r"{{}^{1}/_{2}}"),
    (r"\nicefrac12", r"{{}^{1}/_{2}}"),
    (r"\abs{\frac{a}{b}}", r"\left|\frac{a}{b}\right|"),
    (r"\norm{x}_2", r"\left\|x\right\|_2"),
    (r"\Set{x|x<\frac12}", r"\left\{x\;\middle|\;x<\frac{1}{2}\right\}"),
    (r"\set{\|x\|}", r"\left\{\|x\|\right\}"),
    (r"\Set{x|\abs{x}<1}", r"\left\{x\;\middle|\;\left|x\right|<1\right\}"),
    (r"\Set{x|\left|x\right|<\big|y\big|}", r"\left\{x\;\middle|\;\left|x\right|<\big|y\big|\right\}"),
    (r"\braket{\phi|\psi}", r"\langle\phi|\psi\rangle"),
    (r"\braket{\phi}{\psi}", r"\langle\phi|\psi\rangle"),
    (r"\Braket{\phi|\psi}", r"\left\langle\phi\middle|\psi\right\rangle"),
    (r"\Bra{x}\Ket{y}", r"\left\langle x\right|\left|y\right\rangle"),
    (r"\cancelto{0}{x}", r"{\cancel{x}^{0}}"),
    (r"\prescript{14}{6}{C}", r"{{}^{14}_{6}C}"),
    (r"\cfrac[l]{1}{2}", r"\cfrac{1}{2}"),
    (r"\R^n", r"\mathbb{R}^n"),
    (r"\Alpha", r"\mathrm{A}"),
    (r"\mathds{1}", r"\mathbb{1}"),
    (r"\mathbbm 1", r"\mathbb{1}"),
    (r"\wideparen{AB}", r"\overparen{AB}"),
    (r"a\relax b", r"a b"),
    (r"a\medspace b", r"a\:b"),
    (r"\colorbox{yellow}{$x^2$}", r"\boxed{{x^2}}"),
    (r"\colorbox[RGB]{1,2,3}{x y}", r"\boxed{\text{x y}}"),
    (r"\fcolorbox{red}{aqua}{A}", r"\boxed{\text{A}}"),
    (r"\fbox{a $x$}", r"\boxed{\text{a }x}"),
    (r"\bbox[5px]{x}", r"\boxed{x}"),
    (r"\raisebox{2pt}{$a$}", r"{{a}}"),
    (r"\raisebox{2pt}[1pt][0pt]{a}", r"{\text{a}}"),
    (r"\scalebox{2}{$x$}", r"{{x}}"),
    (r"\rule{2cm}{0.4pt}", r"\underline{\hspace{2cm}}"),
    (r"\rule[-2pt]{2cm}{.5mm}", r"\underline{\hspace{2cm}}"),
    (r"\genfrac{[}{]}{0pt}{}{n}{k}", r"\left[ {n \atop k}\right]"),
    (r"\genfrac[]{0pt}{}{n}{k}", r"\left[ {n \atop k}\right]"),
    (r"\genfrac{}{}{}{}{a}{b}", r"{a\over b}"),
    (r"\genfrac{}{}{2pt}{}{a}{b}+c", r"{a\above{2pt} b}+c"),
    (r"\eqref{eq:1}", r"{(\text{eq:1})}"),
    (r"\dv{x}", r"\frac{\mathrm{d}}{\mathrm{d} x}"),
    (r"\dv[2]{f}{x}", r"\frac{\mathrm{d}^{2} f}{\mathrm{d} x^{2}}"),
    (r"\pdv{f}{x}", r"\frac{\partial f}{\partial x}"),
    (r"\pdv{f}{x}{y}", r"\frac{\partial^{2} f}{\partial x \partial y}"),
    (r"\dv{t}\qty(\pdv{L}{v})", r"\frac{\mathrm{d}}{\mathrm{d} t}\left(\frac{\partial L}{\partial v}\right)"),
    (r"\qty[(a)]\qty|b|\qty{c}", r"\left[(a)\right]\left|b\right|\left\{c\right\}"),
    (r"\vb{E}=-\grad\phi", r"\mathbf{E}=-\nabla \phi"),
    (r"\curl\vb B\cross\vu{n}", r"\nabla\times \mathbf{B}\times \hat{\mathbf{n}}"),
    (r"\laplacian f", r"\nabla^{2} f"),
    (r"\ev{A}\mel{a}{H}{b}", r"\left\langle A\right\rangle \left\langle a\middle|H\middle|b\right\rangle "),
    (r"\comm{A}{B}\acomm{A}{B}", r"\left[A,B\right]\left\{A,B\right\}"),
    (r"\ketbra{a}{b}", r"\left|a\right\rangle \left\langle b\right|"),
    (r"\order{n^2}\Tr\rho", r"\mathcal{O}\left(n^2\right)\operatorname{Tr}\rho"),
    (r"\begin{array}{c}\require{cancel}\cancel{a}\end{array}", r"\begin{array}{c}\cancel{a}\end{array}"),
]
WORDS = [
    (r"\text{if $x_{1}>0$ and $y$}", r"{\text{if }x_{1}>0\text{ and }y}"),
    (r"\textbf{for \(x\)}", r"{\textbf{for }x}"),
    (r"\text{\textbf{bold} it}", r"{\textbf{bold}\text{ it}}"),
    (r"\text{a \frac{1}{2} b}", r"{\text{a }\frac{1}{2}\text{ b}}"),
    (r"\text{ol\'e}", r"\text{olé}"),
    (r"\text{ol\'{e}}", r"\text{olé}"),
    (r"\text{\c{c}\v{s}\H{o}\~n\`a\r{a}}", r"\text{çšőñàå}"),
    (r"\text{\ss\ae \AA\textdollar 5}", r"\text{ßæÅ$5}"),
    (r"\text{a~b\ c}", r"\text{a b c}"),
    (r"\text{{a}b}", r"\text{ab}"),
    (r"\mbox{a}\hbox{b}\textsc{c}\textrm{d}\emph{e}", r"\text{a}\text{b}\text{c}\text{d}\textit{e}"),
]
UNKNOWN = [
    r"\rule{1em}{1ex}",
    r"\rule{1em}",
    r"\text{a",
    r"\text{$a}",
    r"\text{\(a}",
    r"\text{a\'}",
    r"\abs",
    r"\abs{",
    r"\qty",
    r"\qty x",
    r"\qty(a",
    r"\pdv",
    r"\SI{1}",
    r"\SI{one}{\metre}",
    r"\SI{1}{\nonsense}",
    r"\num{1.2.3}",
    r"\unit{\per}",
]


def drawn(tex: str) -> Drawing:
    drawing = draw_formula(tex, is_display=True)
    assert drawing is not None, tex
    return drawing


@pytest.mark.parametrize(("tex", "same"), SAME)
@pytest.mark.parametrize("around", ["{}", r"\frac{{{}+1}}{{2}}"])
def test_a_command_is_drawn_as_what_it_stands_for(tex: str, same: str, around: str) -> None:
    assert drawn(around.replace("{}", tex, 1)) == drawn(around.replace("{}", same, 1))


@pytest.mark.parametrize(("tex", "same"), WORDS)
def test_words_keep_what_is_among_them(tex: str, same: str) -> None:
    assert written_out(tex) == same
    drawn(tex)


@pytest.mark.parametrize("sign", ["&", "<", ">", "_", "^", "%", "#"])
def test_signs_among_words_are_drawn(sign: str) -> None:
    assert drawn(rf"\text{{a{sign}b}}").width > drawn(r"\text{ab}").width


@pytest.mark.parametrize("tex", UNKNOWN)
def test_what_cannot_be_written_out_stays_source(tex: str) -> None:
    with pytest.raises(CannotSpell):
        written_out(tex)
    assert draw_formula(tex, is_display=True) is None


@pytest.mark.parametrize("definition", [r"\newcommand{\R}{x}\R", r"\newcommand\R{x}\R", r"\def\R{x}\R"])
def test_a_command_that_the_formula_defines_is_its_own(definition: str) -> None:
    assert drawn(definition) == drawn("x")


def test_an_operator_that_the_formula_declares_is_its_own() -> None:
    assert drawn(r"\DeclareMathOperator{\abs}{abs}\abs x") == drawn(r"\operatorname{abs} x")


@pytest.mark.parametrize("command", ["abs", "nicefrac", "text", "colorbox", "genfrac", "Set", "qty", "dv", "SI", "num"])
@pytest.mark.parametrize("tail", ["{", "[", "{{", "\\", "}", "[[[", "{\\", "$"])
def test_hostile_ends_are_refused_or_kept(command: str, tail: str) -> None:
    try:
        assert written_out(f"\\{command}{tail}")
    except CannotSpell:
        assert draw_formula(f"\\{command}{tail}", is_display=True) is None


def test_the_time_grows_with_the_formula() -> None:
    deep = r"\abs{" * 200 + "x" + "}" * 200
    assert written_out(deep).count(r"\left|") == 200
    assert len(written_out(r"\text{\textbf{" * 100 + "x" + "}}" * 100)) < 10_000
