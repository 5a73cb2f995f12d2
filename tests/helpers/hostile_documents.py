"""Makes files that attack whoever reads them: mutated documents of every kind, and those that ask for too much."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Final

from tests.helpers import documents
from tests.helpers.documents import packed, sheet_rows, slide, word_paragraph, word_table

_WORDS: Final = "Herons nest in colonies, often with other waders. "
_TABLE: Final = [["Bird", "Eggs"], ["Heron", "4"], ["Owl | barn", "5"]]
_PAGE: Final = (
    f"<html><head><title>Birds</title><style>p {{}}</style></head><body><h1>Herons</h1><p>{_WORDS * 9}</p>"
    "<table><tr><th>Bird<th>Eggs<tr><td>Heron<td>4</table><pre># x\n  y</pre>&amp;&#x41;</body></html>"
)

# A sound file of each kind, by the ending of its name.
SAMPLES: Final[Mapping[str, bytes]] = {
    "pdf": documents.pdf(*(_WORDS + f"\nPage {n}" for n in range(4))),
    "docx": documents.docx_of(
        word_paragraph("Birds", "Heading1") + word_paragraph(_WORDS * 40) + word_table(_TABLE),
        '<w:style w:styleId="Heading1"><w:name w:val="heading 1"/></w:style>',
    ),
    "pptx": documents.pptx([slide("Herons", _WORDS), slide("Owls", _WORDS), slide("", "")], order=(2, 1, 3)),
    "xlsx": documents.xlsx(
        {
            "Nests": sheet_rows(_TABLE),
            "Dates": '<row><c r="A1" s="1"><v>45413</v></c><c r="C1" t="s"><v>0</v></c></row>',
        },
        ["shared words"],
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>',
    ),
    "odt": documents.odt(f'<text:h text:outline-level="1">Birds</text:h><text:p>{_WORDS * 20}<text:s/>x</text:p>'),
    "epub": documents.epub(_PAGE, f"<h1>Owls</h1><p>{_WORDS * 30}"),
    "eml": documents.eml("Bïrds of the week", _WORDS * 20, html=_PAGE, attached=["herons.pdf"]),
    "html": _PAGE.encode(),
    "md": f"# Birds\n\n{_WORDS * 9}\n\n| a |\n| --- |\n| 1 |\n\n```\n# x\n```\n\nTwo\n---\n{_WORDS}".encode(),
    "py": b"import a\n\n\nclass Heron:\n    # nests\n    def nest(self):\n        return 1\n" * 20,
    "txt": f"BIRDS\n\n{_WORDS * 30}\nGrüße aus Köln".encode("latin-1"),
    "csv": "".join(f'{n},heron,"a b"\n' for n in range(200)).encode("utf-16"),
}
_TELLING: Final = (
    b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x80\0\0\0", b"<", b">", b"&", b"</", b"]]>", b"<!DOCTYPE a [", b"%%EOF",
    b"obj", b"endobj", b"stream", b"/Count 999999999", b"/Kids", b"<<", b">>", b"[", b"PK\x03\x04", b"PK\x01\x02",
    b"\n\n", b"\r\n--", b"=?", b"?=", b"```", b"|", b"# ", b"-1", b"99999999999999999999", "\u0301".encode(),
    "\u202e".encode(), b"\xed\xa0\x80",
)  # fmt: skip


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return a file with faults: of an archive, half of the time a file in it has them."""
    if data.startswith(b"PK") and chance.random() < 0.5:
        return _repacked(data, chance)
    return _with_faults(data, chance)


def _repacked(data: bytes, chance: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(chance.choice((1, 1, 2))):
        name = chance.choice(list(members))
        members[name] = _with_faults(members[name], chance)
    return packed(dict(members))


def _with_faults(data: bytes, chance: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(found) + 1)
        span = chance.choice((1, 1, 4, 30, 300))
        match chance.randrange(7):
            case 0 if at < len(found):
                found[at] ^= 1 << chance.randrange(8)
            case 1:
                found[at : at + span] = chance.randbytes(span)
            case 2:
                del found[at : at + span]
            case 3:
                found[at:at] = chance.choice(_TELLING) * chance.choice((1, 1, 50))
            case 4:
                other = chance.randrange(len(found) + 1)
                found[at:at] = found[other : other + span] * chance.choice((1, 3, 100))
            case 5:
                found[at : at + 4] = struct.pack("<i", chance.choice((-1, 0, 2**31 - 1, -(2**31))))
            case 6 if chance.random() < 0.2:
                del found[at:]
    return bytes(found)


# Files that ask for too much


def _deflated(start: bytes, times: int, end: bytes = b"") -> bytes:
    return zlib.compress(start * times + end, 9)


def _pdf_of(*objects: bytes) -> bytes:
    """A PDF of these objects, whose first one is its root."""
    data = b"%PDF-1.7\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return data + b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1, table, len(objects) + 1, len(data),
    )  # fmt: skip


def _pdf_pages(count: int) -> bytes:
    kids = b"3 0 R " * count
    return _pdf_of(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, kids),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>",
    )


def _pdf_stream(content: bytes) -> bytes:
    return _pdf_of(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )


_LAUGHS: Final = "".join(f"<!ENTITY a{n} '" + f"&a{n - 1};" * 10 + "'>" for n in range(1, 10))
_BILLION: Final = f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a0 "ha">{_LAUGHS}]><w:document>&a9;</w:document>'
_MIB: Final = 2**20


def _many_members() -> bytes:
    return packed({f"{n}": b"" for n in range(200_000)} | {"word/document.xml": b"<a/>"})


def _nested() -> bytes:
    data = packed({"a": b"\0" * (8 * _MIB)})
    for _ in range(20):
        data = packed({"word/document.xml": data, "content.xml": data})
    return data


TRICKS: Final[Mapping[str, Callable[[], bytes]]] = {
    "laughs.docx": lambda: packed({"word/document.xml": _BILLION}),
    "laughs.xlsx": lambda: packed({"xl/sharedStrings.xml": _BILLION}),
    "blanks.docx": lambda: packed({"word/document.xml": b"<w:p>" + b" " * (512 * _MIB)}),
    "nested.docx": _nested,
    "members.docx": _many_members,
    "deep.docx": lambda: packed({"word/document.xml": "<w:p>" * 5_000_000}),
    "empties.docx": lambda: packed({"word/document.xml": f"<a>{'<w:p/>' * 5_000_000}</a>"}),
    "attribute.docx": lambda: packed({"word/document.xml": f'<a b="{"x" * 30_000_000}"/>'}),
    "attributes.docx": lambda: packed(
        {"word/document.xml": "<a " + " ".join(f"a{n}=''" for n in range(900_000)) + "/>"}),
    "names.docx": lambda: packed({"word/document.xml": f"<a>{''.join(f'<a{n}/>' for n in range(3_000_000))}</a>"}),
    "styles.docx": lambda: packed({"word/styles.xml": "<s>" + "".join(
        f'<style styleId="{n}"><basedOn val="{n + 1}"/></style>' for n in range(500_000)) + "</s>"}),
    "cells.docx": lambda: documents.docx_of(f"<w:tbl><w:tr>{'<w:tc/>' * 4_000_000}</w:tr></w:tbl>"),
    "slides.pptx": lambda: documents.pptx([slide("a", "b")] * 20_000),
    "sheets.xlsx": lambda: packed({"xl/workbook.xml": "<a>" + "".join(
        f'<sheet name="{n}" r:id="{n}"/>' for n in range(1_000_000)) + "</a>"}),
    "rows.xlsx": lambda: documents.xlsx({"a": "<row><c><v>1</v></c><c><v>2</v></c></row>" * 1_000_000}),
    "empty-cells.xlsx": lambda: documents.xlsx({"a": f"<row>{'<c/>' * 8_000_000}</row>"}),
    "shared.xlsx": lambda: documents.xlsx({"a": ""}, ["ab"] * 1_500_000),
    "repeated.xlsx": lambda: documents.xlsx(
        {"a": "<row>" + '<c t="s"><v>0</v></c>' * 900_000 + "</row>"}, ["x" * 32_000]),
    "chapters.epub": lambda: documents.epub(*["<p>a"] * 20_000),
    "same-chapter.epub": lambda: packed({
        "META-INF/container.xml": '<rootfile full-path="a"/>',
        "a": "<a><item id='b' href='c'/>" + "<itemref idref='b'/>" * 1_000_000 + "</a>", "c": " " * _MIB}),
    "pages.pdf": lambda: _pdf_pages(1_000_000),
    "claimed-pages.pdf": lambda: _pdf_pages(1).replace(b"/Count 1", b"/Count 2147483647"),
    "circle.pdf": lambda: _pdf_of(
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 9/Kids[2 0 R]/Parent 2 0 R>>"),
    "stream.pdf": lambda: _pdf_stream(_deflated(b" ", 1024 * _MIB)),
    "words.pdf": lambda: _pdf_stream(_deflated(b"BT /F1 1 Tf (heron) Tj ET ", 4_000_000)),
    "brackets.pdf": lambda: _pdf_stream(_deflated(b"[", 40_000_000)),
    "saved.pdf": lambda: _pdf_stream(_deflated(b"q ", 20_000_000)),
    "tags.html": lambda: b"<p><b>" * 1_300_000,
    "attributes.html": lambda: b"<a " + b"a " * 100_000 + b">",
    "open-tag.html": lambda: b"<a " + b"=" * 8_000_000,
    "less.html": lambda: b"<" * 8_000_000,
    "marks.html": lambda: b"<!" * 4_000_000,
    "headings.html": lambda: b"<h1>a" * 1_600_000,
    "cells.html": lambda: b"<table><tr>" + b"<td>" * 2_000_000,
    "entities.html": lambda: b"&#" * 4_000_000,
    "parts.eml": lambda: b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\na\n" * 1_000_000,
    "deep.eml": lambda: b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(100_000)),
    "headers.eml": lambda: b"".join(b"A%d: b\n" % n for n in range(800_000)) + b"\na",
    "subject.eml": lambda: b"Subject: " + b"=?utf-8?q?a?= " * 500_000 + b"\n\na",
    "folded.eml": lambda: b"Subject: a" + b"\n a" * 2_000_000 + b"\n\na",
    "type.eml": lambda: b"Content-Type: text/plain" + b"; a*0*=x" * 800_000 + b"\n\na",
    "letters.txt": lambda: b"x" * 8_000_000,
    "lines.md": lambda: b"# a\n" * 2_000_000,
    "fences.md": lambda: b"```\n" * 2_000_000,
    "marks.txt": lambda: "e\u0301".encode() * 2_500_000,
    "astral.txt": lambda: "🦉".encode() * 2_000_000,
    "old.txt": lambda: b"\xe4" * 8_000_000,
    "wide.txt": lambda: ("a\ud800" * 2_000_000).encode("utf-16-le", "surrogatepass"),
    "units.py": lambda: b"".join(b" " * (n % 90) + b"def a():\n" for n in range(150_000)),
    "row.csv": lambda: b"a," * 4_000_000,
}  # fmt: skip
