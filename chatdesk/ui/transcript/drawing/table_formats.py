"""Turns a table into formats that other programs take: Markdown, HTML, CSV and TSV. This module knows no Qt."""

from __future__ import annotations

import html
from collections.abc import Sequence
from io import StringIO

from chatdesk.core.rendering.blocks import Span, Table
from chatdesk.core.spreadsheet_cells import harmless_cell

_RULES = {"left": ":--", "right": "--:", "center": ":-:"}
# What Excel takes for “this is text”, whatever it looks like.
_AS_TEXT = "mso-number-format:'\\@'"

Cell = Sequence[Span]


def table_markdown(table: Table) -> str:
    rule = "| " + " | ".join(_RULES.get(each, "---") for each in table.alignments) + " |"
    header, *rows = [_line(row) for row in (table.header, *table.rows)]
    return "\n".join((header, rule, *rows))


def table_formats(table: Table) -> dict[str, str]:
    """Return the table in several formats, by MIME type."""
    return {
        "text/html": table_html(table),
        "text/csv": _separated(table, ","),
        "text/tab-separated-values": _separated(table, "\t"),
    }


def table_html(table: Table) -> str:
    """Return the table as HTML written from scratch; no markup of the message gets into it."""
    head = _html_row(table.header, table.alignments, "th")
    body = "".join(_html_row(row, table.alignments, "td") for row in table.rows)
    return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"


def _line(row: Sequence[Cell]) -> str:
    return "| " + " | ".join("".join(map(_markdown_span, cell)).strip() for cell in row) + " |"


def _markdown_span(span: Span) -> str:
    text = span.text.replace("|", "\\|").replace("\n", "<br>")
    if span.is_code:
        return f"`{text}`"
    if span.is_math:
        return f"${text}$"
    for is_so, mark in ((span.is_bold, "**"), (span.is_italic, "*"), (span.is_struck, "~~")):
        if is_so and text.strip():
            text = f"{mark}{text}{mark}"
    return f"[{text}]({span.href})" if span.href else text


def _html_row(row: Sequence[Cell], alignments: Sequence[str], tag: str) -> str:
    cells = []
    for cell, alignment in zip(row, alignments, strict=True):
        words = "".join(span.text for span in cell)
        is_harmless = harmless_cell(words) == words
        styles = [f"text-align:{alignment}"] * (alignment in _RULES) + [_AS_TEXT] * (not is_harmless)
        style = f' style="{";".join(styles)}"' if styles else ""
        mark = "" if is_harmless else "'"
        cells.append(f"<{tag}{style}>{mark}{''.join(map(_html_span, cell))}</{tag}>")
    return f"<tr>{''.join(cells)}</tr>"


def _html_span(span: Span) -> str:
    text = html.escape(span.text).replace("\n", "<br>")
    for is_so, tag in ((span.is_code, "code"), (span.is_bold, "b"), (span.is_italic, "i"), (span.is_struck, "s")):
        if is_so:
            text = f"<{tag}>{text}</{tag}>"
    return f'<a href="{html.escape(span.href)}">{text}</a>' if span.href else text


def _separated(table: Table, separator: str) -> str:
    import csv  # not before a table is copied

    out = StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    writer.writerows([_value(cell) for cell in row] for row in (table.header, *table.rows))
    return out.getvalue()


def _value(cell: Cell) -> str:
    return harmless_cell("".join(span.text for span in cell).replace("\n", " ").strip())
