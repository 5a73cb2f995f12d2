"""Tables of any width fit onto a page with their words whole."""

from __future__ import annotations

import pytest

from chatdesk.core.rendering.blocks import Drawing, Span, Table
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.core.transfer.exports.html_blocks import HtmlBlocks
from chatdesk.core.transfer.exports.printed_tables import SIZES_PX, fit_table

CELLS = {"words": "elephants", "numbers": "12,345.67", "code": "`run_it()`", "short": "ab", "long": "x" * 200}


def table_of(columns: int, cell: str, rows: int = 3) -> Table:
    line = "|" + "|".join([cell] * columns) + "|"
    rule = "|" + "|".join(["---"] * columns) + "|"
    (table,) = parse_markdown("\n".join([line, rule, *[line] * rows]))
    assert isinstance(table, Table)
    return table


@pytest.mark.parametrize("columns", [1, 2, 8, 12, 20, 60])
@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_every_column_is_printed_in_its_order(columns: int, cell: str) -> None:
    fitted = fit_table(table_of(columns, cell))
    seen = list(dict.fromkeys(column for group in fitted.groups for column in group))
    assert seen == list(range(columns))
    assert all(list(group) == sorted(set(group)) for group in fitted.groups)
    assert len({len(group) for group in fitted.groups[:-1]}) <= 1


def test_letters_get_smaller_before_columns_go_on_below() -> None:
    fitted = [fit_table(table_of(columns, "elephants")) for columns in (3, 9, 10, 60)]
    assert [each.size_px for each in fitted] == [13, 11, 9, 9]
    assert [len(each.groups) == 1 for each in fitted] == [True, True, True, False]


def test_the_first_column_is_in_each_part_unless_it_is_wide() -> None:
    assert all(group[0] == 0 for group in fit_table(table_of(60, "12345")).groups)
    header = ((Span("x", is_math=True, drawing=Drawing(256 * 20, 100, 10, "MLZ", b"")),), *[(Span("elephants"),)] * 40)
    groups = fit_table(Table(("",) * 41, header, ())).groups
    assert groups[0][0] == 0
    assert all(0 not in group for group in groups[1:])


def test_formulas_and_words_of_several_styles_count_whole() -> None:
    drawing = Drawing(256 * 20, 100, 10, "MLZ", b"")
    plain = fit_table(Table(("",) * 3, ((Span("a"),),) * 3, ()))
    assert plain.size_px == SIZES_PX[0]
    cells = ((Span("x", is_math=True, drawing=drawing),),) * 3
    assert len(fit_table(Table(("",) * 3, cells, ())).groups) > 1
    one = fit_table(Table(("",) * 12, ((Span("abcd"), Span("efgh", is_bold=True)),) * 12, ()))
    two = fit_table(Table(("",) * 12, ((Span("abcd "), Span("efgh", is_bold=True)),) * 12, ()))
    assert one.size_px < two.size_px


@pytest.mark.parametrize("columns", [2, 60])
def test_the_parts_are_tables_below_each_other(columns: int) -> None:
    table = table_of(columns, "12345")
    printed = HtmlBlocks("", is_for_print=True).html([table])
    fitted = fit_table(table)
    assert printed.count("<table") == len(fitted.groups)
    assert printed.count("<tr>") == 4 * len(fitted.groups)
    assert HtmlBlocks("").html([table]).count("<table") == 1


def test_a_table_from_right_to_left_begins_at_the_right() -> None:
    (table,) = parse_markdown("| اسم | عدد |\n|---|---|\n| أ | 1 |")
    printed = HtmlBlocks("", is_for_print=True).html([table])
    assert ' align="right"' in printed
    assert printed.index("عدد") < printed.index("اسم")
    page = HtmlBlocks("").html([table])
    assert '<table dir="rtl">' in page
    assert page.index("عدد") > page.index("اسم")
