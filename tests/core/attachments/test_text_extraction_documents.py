"""Documents are read with their headings, tables and pages; those with tricks end with a sentence."""

from __future__ import annotations

import io
import time

import pytest

from chatdesk.core.attachments import text_extraction
from chatdesk.core.attachments.file_kinds import DOCX, EML, EPUB, HTML, ODT, PDF, PPTX, XLSX, has_text, kind_of
from chatdesk.core.attachments.html_text import text_of_html
from chatdesk.core.attachments.packed_document import RefusedDocument
from chatdesk.core.attachments.text_extraction import FileText, extract_from
from tests.helpers import documents
from tests.helpers.documents import packed, sheet_rows, slide, word_paragraph, word_table

TABLE = (("Bird", "Eggs | clutch"), ("Heron", "4"), ("Little\nowl", "5"))
ROWS = "| Bird | Eggs \\| clutch |\n| --- | --- |\n| Heron | 4 |\n| Little owl | 5 |"


def read(data: bytes, mime: str) -> FileText:
    return extract_from(io.BytesIO(data), mime)


def pages(found: FileText) -> list[str]:
    """The text of each page."""
    ends = (*found.page_starts[1:], len(found.text))
    return [found.text[start:end].strip() for start, end in zip(found.page_starts, ends, strict=True)]


@pytest.mark.parametrize(
    ("name", "mime"), [("a.xlsx", XLSX), ("a.epub", EPUB), ("a.docx", DOCX), ("a.odt", ODT), ("a.pptx", PPTX)]
)
def test_packed_documents_are_told_by_their_names(name: str, mime: str) -> None:
    assert kind_of(packed({"a": "b"}), name) == mime
    assert has_text(mime)


def test_a_mail_is_told_by_its_name() -> None:
    assert kind_of(documents.eml("a", "b"), "a.eml") == EML
    assert kind_of(documents.eml("a", "b"), "a.txt") == "text/plain"
    assert kind_of(b"\x7fELF\x01\x02\x03\x04", "a.eml") == "application/octet-stream"
    assert has_text(EML)


# Headings


STYLES = (
    '<w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>'
    '<w:style w:styleId="Own"><w:name w:val="Chapter"/><w:basedOn w:val="berschrift2"/></w:style>'
    '<w:style w:styleId="berschrift2"><w:name w:val="Heading 2"/></w:style>'
    '<w:style w:styleId="Outlined"><w:name w:val="Part"/><w:pPr><w:outlineLvl w:val="2"/></w:pPr></w:style>'
    '<w:style w:styleId="Round"><w:name w:val="Round"/><w:basedOn w:val="Turn"/></w:style>'
    '<w:style w:styleId="Turn"><w:name w:val="Turn"/><w:basedOn w:val="Round"/></w:style>'
)


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("berschrift1", "# Words"),
        ("Own", "## Words"),
        ("Outlined", "### Words"),
        ("Heading4", "#### Words"),
        ("Heading9", "###### Words"),
        ("Title", "# Words"),
        ("Round", "Words"),
        ("Missing", "Words"),
        ("", "Words"),
    ],
)
def test_headings_of_word_are_told_by_their_styles(style: str, written: str) -> None:
    body = word_paragraph("Before") + word_paragraph("Words", style) + word_paragraph("After")
    lines = read(documents.docx_of(body, STYLES), DOCX).text.split("\n")
    assert [line for line in lines if line] == ["Before", written, "After"]


def test_other_documents_have_headings() -> None:
    assert read(documents.odt('<text:h text:outline-level="2">Head</text:h><text:p>a</text:p>'), ODT).text == (
        "## Head\n\na"
    )
    assert read(documents.pptx([slide("Head", "a", "b")]), PPTX).text == "# Head\n\na\nb"
    assert read(documents.epub("<h2>Head¶</h2><p>a</p>"), EPUB).text == "## Head\n\na"
    assert read(documents.eml("Head", "a"), EML).text.startswith("# Head\n\nFrom: Ana <ana@example.com>\n")
    assert read(b"<title>T</title><h1>One <b>two</b></h1>a<h3></h3>", HTML).text == "T\n\n# One two\n\na"


def test_a_comment_in_code_is_no_heading() -> None:
    assert text_of_html("<p>x<pre># install\n  y</pre>z") == "x\n\n```\n# install\n  y\n```\nz"


# Tables


def test_tables_are_rows_of_markdown() -> None:
    cells = ["".join(f"<table:table-cell><text:p>{c}</text:p></table:table-cell>" for c in row) for row in TABLE]
    odt = "<table:table>" + "".join(f"<table:table-row>{row}</table:table-row>" for row in cells) + "</table:table>"
    html = "<table>" + "".join("<tr>" + "".join(f"<td>{c}" for c in row) for row in TABLE) + "</table>"
    assert read(documents.docx_of(word_table(TABLE)), DOCX).text == ROWS
    assert read(documents.odt(odt), ODT).text == ROWS
    assert read(html.encode(), HTML).text == ROWS
    assert read(html.replace("<tr>", "</tr>\n<tr>").encode(), HTML).text == ROWS
    assert read(documents.xlsx({"Nests": sheet_rows(TABLE)}), XLSX).text == f"# Nests\n\n{ROWS}"


def test_text_around_a_table_is_no_part_of_it() -> None:
    body = word_paragraph("Before") + word_table(TABLE) + word_paragraph("After")
    assert read(documents.docx_of(body), DOCX).text == f"Before\n\n{ROWS}\n\nAfter"


def test_a_box_that_is_a_table_of_one_cell_is_text() -> None:
    box = f"<w:tbl><w:tr><w:tc>{word_paragraph('One')}{word_paragraph('Two')}</w:tc></w:tr></w:tbl>"
    assert read(documents.docx_of(box), DOCX).text == "One\nTwo"


def test_a_table_in_a_cell_is_words_of_the_cell() -> None:
    inner = word_table((("i", "j"),))
    table = f"<w:tbl><w:tr><w:tc>{word_paragraph('a')}{inner}</w:tc><w:tc>{word_paragraph('b')}</w:tc></w:tr></w:tbl>"
    assert read(documents.docx_of(table), DOCX).text == "| a i j | b |\n| --- | --- |"


@pytest.mark.parametrize("page", ["<p><b>" * 200_000, "<a " + "a " * 200_000 + ">", "<div>" * 50_000, "&#" * 9_999])
def test_words_after_a_monotonous_page_are_read(page: str) -> None:
    assert text_of_html(f"{page}<p>end</p>").endswith("end")


def test_tables_that_only_lay_out_a_page_stay_text() -> None:
    assert text_of_html("<table><tr><td><p>a</p><p>b</p></td><td>c</td></tr></table>") == "a\n\nb\nc"


def test_cells_hold_what_excel_shows() -> None:
    styles = (
        '<numFmts><numFmt numFmtId="170" formatCode="[Red]yyyy\\-mm\\-dd hh:mm"/>'
        '<numFmt numFmtId="171" formatCode="0.00 &quot;days&quot;"/></numFmts><cellStyleXfs><xf numFmtId="14"/>'
        "</cellStyleXfs><cellXfs>"
        '<xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="171"/></cellXfs>'
    )
    rows = (
        '<row><c r="A1" t="s"><v>1</v></c><c r="D1" t="s"><v>0</v></c><c r="E1" t="s"><v>99</v></c></row>'
        '<row><c r="A2" s="1"><v>45413</v></c><c r="B2" s="2"><v>45413.5</v></c><c r="C2" s="3"><v>2.5</v></c>'
        '<c r="D2"><f>A1*2</f><v>0.30000000000000004</v></c><c t="b"><v>1</v></c><c t="e"><v>#DIV/0!</v></c>'
        '<c t="str"><v>x</v></c><c s="1"><v>1e99</v></c></row>'
    )
    found = read(documents.xlsx({"S": rows}, ["zero", "one"], styles), XLSX).text
    assert found == (
        "# S\n\n| one |  |  | zero |\n| --- | --- | --- | --- |\n"
        "| 2024-05-01 | 2024-05-01 12:00 | 2.5 | 0.3 | TRUE | #DIV/0! | x | 1e99 |"
    )


def test_days_of_an_old_mac_begin_later() -> None:
    styles = '<cellXfs><xf numFmtId="14"/></cellXfs>'
    rows = '<row><c s="0"><v>0</v></c><c><v>1</v></c></row>'
    found = read(documents.xlsx({"S": rows}, (), styles, '<workbookPr date1904="1"/>'), XLSX).text
    assert "1904-01-01" in found


# Pages


def test_pages_of_a_pdf_are_known() -> None:
    found = read(documents.pdf("One", "", "Three\nlines"), PDF)
    assert found.text == "One\n\nThree\nlines"
    assert pages(found) == ["One", "", "Three\nlines"]


def test_slides_are_known_in_the_order_of_the_presentation() -> None:
    found = read(documents.pptx([slide("", "one"), slide("", ""), slide("", "three")], order=(3, 2, 1)), PPTX)
    assert pages(found) == ["three", "", "one"]


def test_pages_behind_a_cut_begin_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_extraction, "MOST_CHARACTERS", 10)
    found = read(documents.pdf("12345678", "12345678", "12345678"), PDF)
    assert (found.text, found.page_starts) == ("12345678\n\n", (0, 10))
    assert found.problem == "It is long; 2 of its 3 pages are read."


def test_scanned_pages_say_what_can_be_done() -> None:
    found = read(documents.scanned_pdf(2), PDF)
    assert (found.text, found.page_starts) == ("", ())
    assert found.problem == (
        "No text can be read from it; it may hold scanned pages. A program for text recognition, such as OCRmyPDF, "
        "makes a copy of it that can be read."
    )


# Books and mails


def test_a_book_is_read_in_its_order() -> None:
    found = read(documents.epub("<p>one</p>", "", "<p>three<p>words"), EPUB)
    assert (found.text, found.problem, found.page_starts) == ("one\n\nthree\n\nwords", None, ())


def test_of_a_mail_the_words_are_read_and_its_files_are_named() -> None:
    mail = documents.eml("Überall Fährten", "Hallo\nBen", html="<p>no</p>", attached=["a.pdf", "ü.pdf"])
    assert read(mail, EML).text == (
        "# Überall Fährten\n\nFrom: Ana <ana@example.com>\nTo: ben@example.com\n\nHallo\nBen\n\n"
        "Attached files: a.pdf, ü.pdf"
    )


@pytest.mark.parametrize(
    ("mail", "text"),
    [
        (b"Subject: a\nContent-Type: text/html; charset=utf-8\n\n<h2>H</h2>\xc3\xbc", "# a\n\n## H\n\nü"),
        (b"Content-Type: text/plain; charset=x-none\n\n\xc3\xbc", "ü"),
        (b"Content-Type: text/plain; charset=hex\n\nabc", "abc"),
        (b"Subject: =?x-none?B?4pyT?=\n\nabc", "# =?x-none?B?4pyT?=\n\nabc"),
        (b"no header at all", "no header at all"),
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\npart one\n--b\n\npart two", "part one\n\npart two"),
    ],
)
def test_odd_mails_are_read(mail: bytes, text: str) -> None:
    assert read(mail, EML).text == text


# Tricks


@pytest.mark.parametrize("member", ["word/document.xml", "word/styles.xml"], ids=("text", "styles"))
def test_a_document_type_is_refused_in_any_part(member: str) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><w:document>&b;</w:document>'
    with pytest.raises(RefusedDocument):
        read(packed({"word/document.xml": "<a/>", member: bomb}), DOCX)


def test_broken_xml_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="damaged"):
        read(packed({"word/document.xml": "<w:p>"}), DOCX)


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (documents.docx_of("<w:t>" + "x" * 500 + "</w:t>"), DOCX),
        (documents.docx_of(word_table([["x" * 60, "y" * 60]] * 9)), DOCX),
        (documents.pptx([slide("T" * 90, "x" * 90)] * 9), PPTX),
        (documents.odt("<text:p>" + "x" * 500 + "</text:p>"), ODT),
        (documents.xlsx({"S": sheet_rows([["x" * 60, "y" * 60]] * 9)}), XLSX),
        (documents.xlsx({"S": "<row>" + '<c t="s"><v>0</v></c>' * 9_000 + "</row>"}, ["x" * 60]), XLSX),
        (documents.xlsx({f"sheet {n}": "" for n in range(99)}), XLSX),
        (documents.epub(*["x" * 60] * 9), EPUB),
        (documents.eml("a", "x " * 500), EML),
        (b"x" * 500, HTML),
    ],
)  # fmt: skip
def test_no_document_gives_more_than_is_read(data: bytes, mime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_extraction, "MOST_CHARACTERS", 100)
    found = read(data, mime)
    assert len(found.text) <= 100
    assert found.problem is not None and found.problem.startswith("It is long; its first ")


BLANKS = " " * (64 * 1024 * 1024)


@pytest.mark.parametrize(
    ("member", "mime"),
    [
        ("word/document.xml", DOCX),
        ("word/styles.xml", DOCX),
        ("ppt/slides/slide1.xml", PPTX),
        ("ppt/presentation.xml", PPTX),
        ("xl/sharedStrings.xml", XLSX),
        ("xl/workbook.xml", XLSX),
        ("content.xml", ODT),
        ("META-INF/container.xml", EPUB),
    ],
)
def test_a_document_that_unpacks_to_much_is_abandoned_soon(member: str, mime: str) -> None:
    began = time.process_time()
    found = read(packed({member: f"<a>{BLANKS}"}), mime)
    assert (found.text, found.problem) == ("", text_extraction.NO_TEXT)
    assert time.process_time() - began < 20


def test_characters_that_cannot_be_stored_are_replaced() -> None:
    assert read("a\0b\ud800".encode("utf-16-le", "surrogatepass"), "text/plain").text.isprintable()
    assert read(b"a\0b", "text/plain").text == "a\N{REPLACEMENT CHARACTER}b"
