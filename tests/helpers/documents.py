"""Makes documents of all kinds that ChatDesk reads, from the words that they are to hold."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from email.message import EmailMessage
from xml.sax.saxutils import escape, quoteattr

from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
Table = Sequence[Sequence[str]]


def packed(members: dict[str, str | bytes]) -> bytes:
    """Return an archive of these files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def pdf(*texts: str, password: str = "") -> bytes:
    """Return a PDF with these lines on each page."""
    contents = []
    for text in texts:
        lines = " ".join(f"({line}) Tj 0 -14 Td" for line in text.split("\n"))
        contents.append(f"BT /F1 12 Tf 20 780 Td {lines} ET")
    return pdf_of(*contents, password=password)


def pdf_of(*contents: str, password: str = "") -> bytes:
    """Return a PDF whose pages are drawn by these operators; its font is ``/F1``."""
    writer = PdfWriter()
    for drawing in contents:
        page = writer.add_blank_page(600, 800)
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
            }
        )
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
        )
        content = DecodedStreamObject()
        content.set_data(drawing.encode("latin-1"))
        page[NameObject("/Contents")] = writer._add_object(content)
    if password:
        writer.encrypt(password)
    data = io.BytesIO()
    writer.write(data)
    return data.getvalue()


def scanned_pdf(pages: int) -> bytes:
    """Return a PDF whose pages are pictures."""
    from PIL import Image

    pictures = [Image.new("RGB", (40, 40), "white") for _ in range(pages)]
    data = io.BytesIO()
    pictures[0].save(data, "PDF", save_all=True, append_images=pictures[1:])
    return data.getvalue()


def docx_of(body: str, styles: str = "") -> bytes:
    """Return a Word document of this XML."""
    members: dict[str, str | bytes] = {
        "word/document.xml": f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'
    }
    if styles:
        members["word/styles.xml"] = f'<w:styles xmlns:w="{W}">{styles}</w:styles>'
    return packed(members)


def word_paragraph(text: str, style: str = "") -> str:
    """Return a paragraph for ``docx_of``."""
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}<w:r><w:t>{escape(text)}</w:t></w:r></w:p>"


def word_table(table: Table) -> str:
    """Return a table for ``docx_of``."""
    rows = ("".join(f"<w:tc>{word_paragraph(cell)}</w:tc>" for cell in row) for row in table)
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"


def slide(title: str, *texts: str) -> str:
    """Return the XML of a slide."""

    def paragraph(text: str) -> str:
        return f"<a:p><a:r><a:t>{escape(text)}</a:t></a:r></a:p>"

    head = f'<p:sp><p:nvSpPr><p:nvPr><p:ph type="title"/></p:nvPr></p:nvSpPr>{paragraph(title)}</p:sp>' if title else ""
    return f'<p:sld xmlns:p="p" xmlns:a="a">{head}<p:sp>{"".join(map(paragraph, texts))}</p:sp></p:sld>'


def pptx(slides: Sequence[str], order: Sequence[int] = ()) -> bytes:
    """Return a presentation of these slides, in the order of their numbers, from 1, or in another one."""
    members: dict[str, str | bytes] = {f"ppt/slides/slide{n}.xml": xml for n, xml in enumerate(slides, 1)}
    if order:
        ids = "".join(f'<p:sldId id="{n}" r:id="rId{n}"/>' for n in order)
        members["ppt/presentation.xml"] = f'<p:presentation xmlns:p="p" xmlns:r="{REL}">{ids}</p:presentation>'
        members["ppt/_rels/presentation.xml.rels"] = _relations(
            {f"rId{n}": f"slides/slide{n}.xml" for n in range(1, len(slides) + 1)}
        )
    return packed(members)


def _relations(targets: dict[str, str]) -> str:
    found = "".join(f'<Relationship Id="{id_}" Target={quoteattr(target)}/>' for id_, target in targets.items())
    return f"<Relationships>{found}</Relationships>"


def xlsx(sheets: dict[str, str], shared: Sequence[str] = (), styles: str = "", workbook: str = "") -> bytes:
    """Return a workbook: the rows of each sheet as XML, the texts that cells refer to, and styles."""
    named = enumerate(sheets, 1)
    members: dict[str, str | bytes] = {
        "xl/workbook.xml": f'<workbook xmlns:r="{REL}">{workbook}<sheets>'
        + "".join(f'<sheet name={quoteattr(name)} r:id="rId{n}"/>' for n, name in named)
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _relations(
            {f"rId{n}": f"worksheets/sheet{n}.xml" for n in range(1, len(sheets) + 1)}
        ),
        "xl/styles.xml": f"<styleSheet>{styles}</styleSheet>",
    }
    for number, rows in enumerate(sheets.values(), 1):
        members[f"xl/worksheets/sheet{number}.xml"] = f"<worksheet><sheetData>{rows}</sheetData></worksheet>"
    if shared:
        texts = "".join(f"<si><t>{escape(text)}</t></si>" for text in shared)
        members["xl/sharedStrings.xml"] = f"<sst>{texts}</sst>"
    return packed(members)


def sheet_rows(table: Table) -> str:
    """Return rows of texts for ``xlsx``."""
    rows = ("".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in row) for row in table)
    return "".join(f"<row>{row}</row>" for row in rows)


def odt(body: str) -> bytes:
    """Return an OpenDocument text of this XML."""
    names = 'xmlns:office="o" xmlns:text="t" xmlns:table="b"'
    return packed(
        {
            "content.xml": f"<office:document-content {names}><office:meta>no</office:meta><office:body>{body}"
            "</office:body></office:document-content>"
        }
    )


def epub(*chapters: str) -> bytes:
    """Return a book of these chapters, which are HTML."""
    items = "".join(f'<item id="c{n}" href="text/c%20{n}.xhtml"/>' for n in range(len(chapters)))
    refs = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    return packed(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfile full-path="OEBPS/content.opf"/></container>',
            "OEBPS/content.opf": f"<package><manifest>{items}</manifest><spine>{refs}</spine></package>",
            **{f"OEBPS/text/c {n}.xhtml": chapter for n, chapter in enumerate(chapters)},
        }
    )


def eml(subject: str, text: str, *, html: str = "", attached: Sequence[str] = ()) -> bytes:
    """Return a mail with a text, the same as HTML, and attached files of these names."""
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = subject, "Ana <ana@example.com>", "ben@example.com"
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    for name in attached:
        mail.add_attachment(b"%PDF-hidden words", maintype="application", subtype="pdf", filename=name)
    return bytes(mail)
