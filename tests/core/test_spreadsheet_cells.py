"""Nothing that others wrote runs in a spreadsheet; numbers and words stay what they are."""

from __future__ import annotations

import pytest

from chatdesk.core.rendering.blocks import Span, Table
from chatdesk.core.rendering.html_writer import table_as_html
from chatdesk.core.spreadsheet_cells import as_separated, harmless_cell, may_run

# What hides a beginning, and signs that begin a formula; what a formula acts with.
HIDING = ("", "  ", "\u3000", "\u200b", "\ufeff", "\u2060\u00ad", "\ufe0f", "\x00", "\t", "\r", "\n")
SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\ufe66", "--", "+-", "- ", "+=")
ACTS = ("SUM(1)", "cmd|' /C calc'!A0", "A1", "$B$2", "Sheet!A1", "HYPERLINK (1)", "2+cmd|'/C x'!A0", "1+SUM(1)")
HARMLESS = (
    *("", " ", "a", "-5", "+3.2 %", "-1,234.50", "-1e-5", "a=b", "1-2", "5 - 3", "é@x", "−5"),
    *("--help", "-v", "-xzf", "--no-color", "@user", "@user, see below", "+49 30 1234", "+1 (555) 123-4567"),
    *("-5°C", "-5 °C", "-0.5 kg", "-0.5 kg (net)", "-$5", "-1/2", "-2+3", "-", "+", "- 5", "%d", "| x", "+inf", "-٣"),
    *("- a\n- b", "- a; - b", "a; -b", "a; b, c", "+++", "---", "@", "-> next", "- (none)", "- really!"),
)


@pytest.mark.parametrize("act", ACTS)
def test_a_formula_gets_an_apostrophe(act: str) -> None:
    for sign in SIGNS:
        for hiding in HIDING:
            text = hiding + sign + act
            assert may_run(text)
            made = harmless_cell(text)
            assert made.startswith("'") or made.lstrip("\t\r\n").startswith("'")
            assert "".join(made.split("'")) == "".join(text.split("'"))


@pytest.mark.parametrize("text", ["=1", "= 1", "=A1", "=", "=name"])
def test_text_beginning_with_equals_is_always_a_formula(text: str) -> None:
    assert harmless_cell(text) == f"'{text}"


def test_numbers_words_and_options_stay_as_they_are() -> None:
    for text in HARMLESS:
        assert harmless_cell(text) == text
        assert not may_run(text)


def test_a_cell_that_another_separator_would_begin_is_harmless_too() -> None:
    assert harmless_cell("a; =A1") == "a;' =A1"
    assert harmless_cell("a\t@x()|=y\n\uff1dz") == "a\t'@x()|'=y\n'\uff1dz"
    assert harmless_cell("a;+cmd|' /C calc'!A0") == "a;'+cmd|' /C calc'!A0"


def test_a_sign_is_only_where_a_spreadsheet_reads_text() -> None:
    """HTML is pasted into mails and word processors, too: there attributes say that the cell is text."""
    for text in ["=SUM(1)", "+cmd|'x'!A0", '=HYPERLINK("http://a.b","<b>")', *HARMLESS]:
        html = table_as_html(Table(("",), ((Span("h"),),), (((Span(text),),),)))
        assert "&#x27;" not in html.replace("&#x27;x&#x27;", "")
        for attribute in ("mso-number-format", "sdnum", "data-sheets-value"):
            assert (attribute in html) == may_run(text)
        separated = as_separated([[text]], ",")
        assert ("'" in separated.replace("'x'", "")) == may_run(text)


@pytest.mark.parametrize("unit", ["-;", "+|", "-a(", "|=", "\u200b", "- "])
def test_the_work_grows_with_the_text(unit: str) -> None:
    assert len(harmless_cell(unit * 100_000)) <= 3 * len(unit) * 100_000
