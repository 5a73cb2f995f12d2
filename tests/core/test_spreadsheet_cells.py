"""Nothing that others wrote runs in a spreadsheet; numbers and words stay what they are."""

from __future__ import annotations

import pytest

from chatdesk.core.spreadsheet_cells import harmless_cell


@pytest.mark.parametrize(
    "text",
    [
        "=HYPERLINK(1)",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(1)",
        "|cmd",
        "%cmd",
        "\uff1dSUM(1)",
        "\uff0bA1",
        "\uff0dA1",
        "\uff20A1",
        "\ufe66A1",
        "  =A1",
        "\u3000=A1",
        "\u200b=A1",
        "\ufeff=A1",
        "\u2060\u00ad=A1",
        "\ufe0f=A1",
        "\x00=A1",
        "\t=A1",
        "\rA1",
        "\nA1",
        "-1_0",
        "+inf",
        "-nan",
        "-٣",
    ],
)
def test_what_may_begin_a_formula_gets_an_apostrophe(text: str) -> None:
    assert harmless_cell(text).startswith("'")
    assert harmless_cell(text).replace("'", "") == text.replace("'", "")


@pytest.mark.parametrize(
    "text", ["", " ", "a", "-5", "+3.2 %", "-1,234.50", "-1e-5", "a=b", "1-2", "5 - 3", "é@x", "−5"]
)
def test_numbers_and_words_stay_as_they_are(text: str) -> None:
    assert harmless_cell(text) == text


def test_a_cell_that_another_separator_would_begin_is_harmless_too() -> None:
    assert harmless_cell("a; =A1") == "a;' =A1"
    assert harmless_cell("a\t@x|=y\n\uff1dz") == "a\t'@x|'=y\n'\uff1dz"
    assert harmless_cell("a; b, c") == "a; b, c"
