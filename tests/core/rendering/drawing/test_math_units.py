"""Numbers and units are written out as siunitx does; what is no number or unit leaves the formula as source."""

from __future__ import annotations

import pytest

from chatdesk.core.rendering.drawing.math_drawing import draw_formula
from chatdesk.core.rendering.drawing.math_units import NoUnit, number, unit

NUMBERS = [
    ("5", "5"),
    ("-1.5", "- 1.5"),
    ("3,14", "3{,}14"),
    ("12 345", r"12\,345"),
    ("1.5e3", r"1.5\times 10^{3}"),
    ("1E+10", r"1\times 10^{10}"),
    ("e-5", "10^{-5}"),
    ("1.23(4)", "1.23(4)"),
    (r"5 \pm 0.1", r"5\pm 0.1"),
    ("5+-0.1e2", r"(5\pm 0.1)\times 10^{2}"),
]
UNITS = [
    (r"\metre", r"\text{m}"),
    (r"\kilo\gram", r"\text{kg}"),
    (r"\metre\per\second\squared", r"\text{m}\,\text{s}^{-2}"),
    (r"\square\metre", r"\text{m}^{2}"),
    (r"\cubic\centi\metre", r"\text{cm}^{3}"),
    (r"\metre\tothe{4}", r"\text{m}^{4}"),
    (r"\kg\per\cubic\metre", r"\text{kg}\,\text{m}^{-3}"),
    (r"\joule \per \mole \per \kelvin", r"\text{J}\,\text{mol}^{-1}\,\text{K}^{-1}"),
    (r"\micro\litre", r"\text{μL}"),
    (r"\degreeCelsius", r"\text{°C}"),
    (r"\gram\of{salt}", r"\text{g}_{\mathrm{salt}}"),
    (r"\percent", r"\%"),
    ("m/s^2", r"\text{m}/\text{s}^{2}"),
    ("kg.m^{-3}", r"\text{kg}\,\text{m}^{-3}"),
]
QUANTITIES = [r"\SI{9.81}{\metre\per\second\squared}", r"\qty{5}{\kilo\metre}", r"\num{6.02e23}", r"\si{m/s}",
    r"\unit{\ohm}", r"\ang{30}", r"\SIrange{1}{2}{\kilo\hertz}", r"\numrange{1}{2}", r"\SI[per-mode=symbol]{1}{\volt}",
    r"\SI{50}{\percent}"]  # fmt: skip


@pytest.mark.parametrize(("text", "tex"), NUMBERS)
def test_a_number_is_written_out(text: str, tex: str) -> None:
    assert number(text) == tex


@pytest.mark.parametrize(("text", "tex"), UNITS)
def test_a_unit_is_written_out(text: str, tex: str) -> None:
    assert unit(text) == tex


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "1e", "--1", "1 000 x"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(NoUnit):
        number(text)


@pytest.mark.parametrize(
    "text", [r"\nonsense", r"\kilo", r"\per", r"\squared", r"m\\s", "m;s", r"\metre x", r"\metre}"]
)
def test_what_is_no_unit_is_refused(text: str) -> None:
    with pytest.raises(NoUnit):
        unit(text)


@pytest.mark.parametrize("tex", QUANTITIES)
def test_a_quantity_is_drawn(tex: str) -> None:
    assert draw_formula(tex, is_display=True) is not None
    assert draw_formula(rf"v = {tex} + x", is_display=False) is not None
