"""The mhchem commands as TeX, and that they can be drawn."""

from __future__ import annotations

import random
import time

import pytest

from chatdesk.core.rendering.drawing.chemistry import NotChemistry, without_chemistry
from chatdesk.core.rendering.drawing.math_drawing import draw_formula

EQUATIONS = {
    "H2O": r"{\mathrm{H}_{2}\mathrm{O}}",
    "2H2 + O2 -> 2H2O": r"{2\,\mathrm{H}_{2}+\mathrm{O}_{2}\;\xrightarrow{\quad}\;2\,\mathrm{H}_{2}\mathrm{O}}",
    "SO4^2-": r"{\mathrm{SO}_{4}^{\mathrm{2-}}}",
    "[Fe(CN)6]^{3-}": r"{[\mathrm{Fe}(\mathrm{CN})_{6}]^{\mathrm{3-}}}",
    "Na+": r"{\mathrm{Na}^{+}}",
    "NaCl(s) -> Na+(aq) + Cl-(aq)": (
        r"{\mathrm{NaCl}(\mathrm{s})\;\xrightarrow{\quad}\;\mathrm{Na}^{+}(\mathrm{aq})+\mathrm{Cl}^{-}(\mathrm{aq})}"
    ),
    "CH3-CH=CH2": r"{\mathrm{CH}_{3}{-}\mathrm{CH}{=}\mathrm{CH}_{2}}",
    "HC#CH": r"{\mathrm{HC}{\equiv}\mathrm{CH}}",
    "A ->[H2O][\\Delta] B": r"{\mathrm{A}\;\xrightarrow[\Delta ]{\mathrm{H}_{2}\mathrm{O}}\;\mathrm{B}}",
    "N2 + 3H2 <=> 2NH3": (r"{\mathrm{N}_{2}+3\,\mathrm{H}_{2}\;\xrightleftharpoons{\quad}\;2\,\mathrm{NH}_{3}}"),
    "^{227}_{90}Th+": r"{{}_{\mathrm{90}}^{\mathrm{227}}\mathrm{Th}^{+}}",
    "CuSO4*5H2O": r"{\mathrm{CuSO}_{4}\cdot 5\,\mathrm{H}_{2}\mathrm{O}}",
    "1/2 O2": r"{\tfrac{1}{2}\,\mathrm{O}_{2}}",
    "CO2 ^": r"{\mathrm{CO}_{2}\ \uparrow }",
    "AgCl v": r"{\mathrm{AgCl}\ \downarrow }",
    "5e-": r"{5\,\mathrm{e}^{-}}",
}
MORE = [
    r"\ce{MnO4- + 8H+ + 5e- -> Mn^2+ + 4H2O}",
    r"\ce{Zn^2+ <=>[+ 2OH-][+ 2H+] Zn(OH)2 v}",
    r"\ce{x Na(NH4)HPO4 ->[\Delta] (NaPO3)_x + x NH3 ^ + x H2O}",
    r"\ce{$\alpha$-D-glucose}",
    r"\ce{A\bond{...}B <-> C <- D}",
    r"\pu{123 kJ/mol} + \pu{1.2e3 m s-2} + \pu{25 °C}",
    r"K = \frac{[\ce{H+}][\ce{A-}]}{[\ce{HA}]}",
]


@pytest.mark.parametrize("source", EQUATIONS)
def test_an_equation_becomes_tex(source: str) -> None:
    assert without_chemistry(rf"\ce{{{source}}}") == EQUATIONS[source]


@pytest.mark.parametrize("tex", [*(rf"\ce{{{source}}}" for source in EQUATIONS), *MORE])
def test_an_equation_is_drawn(tex: str) -> None:
    assert draw_formula(tex, is_display=False) is not None
    assert draw_formula(tex, is_display=True) is not None


@pytest.mark.parametrize("source", [r"\ce{H2O", r"\ce{A^?}", r"\ce{A ->[x B}", r"\ce{a\unknowncommand b}"])
def test_unknown_chemistry_stays_source(source: str) -> None:
    assert draw_formula(source, is_display=False) is None


def test_hostile_equations_take_little_time_and_raise_one_error() -> None:
    chance = random.Random(7)
    started = time.thread_time()
    for _ in range(2_000):
        source = "".join(
            chance.choices([*list("AbO2^_+-=<>()[]{}$\\ .*v"), r"\ce{", "->", "<=>"], k=chance.randrange(40))
        )
        try:
            without_chemistry(rf"\ce{{{source}}}")
        except NotChemistry:
            continue
    for source in ("{" * 900, "[" * 900, r"\ce{" * 400, "->[" * 600, "1" * 1900, "^" * 1900, "A " * 900):
        try:
            without_chemistry(rf"\ce{{{source}}}")
        except NotChemistry:
            continue
    assert time.thread_time() - started < 2.0
