"""Extracts the text of a file. Runs in a process that may be killed: files are hostile, and so are their parsers.

The bytes that are read and the characters that are returned have limits here; time and memory are limited by the
process.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from chatdesk.core.attachments.file_kinds import DOCX, EML, EPUB, HTML, PACKED, PDF, PPTX, XLSX, is_text
from chatdesk.core.attachments.html_text import text_of_html
from chatdesk.core.attachments.packed_document import LimitReached
from chatdesk.core.attachments.text_encodings import escaped, guessed, name_of, sample_of, unmarked_unicode
from chatdesk.core.texts import Sentences, Text

MOST_CHARACTERS: Final = 2_000_000
_MOST_BYTES = 8 * 1024 * 1024
_PDF_TIME_S = 12.0
# The share of pages without text that is normal: covers, plates.
_FEW_PICTURES = 0.1
_BETWEEN = "\n\n"

# Shown for a file whose kind has no readable text.
NO_TEXT_KIND: Final = Text("Files of this kind have no text that can be read.")
NO_TEXT: Final = Text("There is no text in it.")
_RECOGNISE = Text("A program for text recognition, such as OCRmyPDF, makes a copy of it that can be read.")


@dataclass(frozen=True, slots=True)
class FileText:
    """The text of a file, with headings and tables of documents as Markdown.

    ``problem`` is a sentence why there is none, or not all of it; None when all is well. ``page_starts`` are the
    offsets in ``text`` where the pages of a PDF or the slides of a presentation begin, ascending; an empty page begins
    where the next one does, and pages that were not read are missing.
    """

    text: str
    problem: str | None = None
    page_starts: tuple[int, ...] = ()


def extract(path: Path, mime: str) -> FileText:
    """Return the text of a file of that type. Errors of the parsers are passed on."""
    with path.open("rb") as file:
        return extract_from(file, mime)


def extract_from(file: BinaryIO, mime: str) -> FileText:
    """Return the text of an open file of that type, as ``extract`` does."""
    if mime == PDF:
        return _of_pdf(file)
    if mime in PACKED:
        return _of_packed(file, mime)
    if mime == EML:
        return _of_mail(file)
    if not is_text(mime):
        return FileText("", NO_TEXT_KIND)
    text, is_whole, encoding = _decoded(file)
    if mime == HTML:
        text = text_of_html(text)
    found = bounded(text, is_whole=is_whole)
    if not encoding:
        return found
    return FileText(found.text, Sentences.of(_guess(text, encoding), found.problem or ""))


def bounded(text: str, *, is_whole: bool = True) -> FileText:
    """Return a text within the limit of characters, and a problem where it is not all. Characters that cannot be
    stored are replaced."""
    cut = text[:MOST_CHARACTERS].encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")
    if not cut.strip():
        return FileText(cut, NO_TEXT)
    if is_whole and len(text) <= MOST_CHARACTERS:
        return FileText(cut)
    return FileText(cut, Text("It is long; its first {cut} characters are read.", cut=len(cut)))


def _decoded(file: BinaryIO) -> tuple[str, bool, str]:
    """Return the characters, whether these are all, and the encoding where it was guessed."""
    data = file.read(_MOST_BYTES + 1)
    is_whole = len(data) <= _MOST_BYTES
    text, encoding = _characters(data[:_MOST_BYTES], is_whole=is_whole)
    return text.replace("\r\n", "\n").replace("\r", "\n"), is_whole, encoding


def _guess(text: str, encoding: str) -> Text:
    """Return the sentence that tells a guess, with a line of the text to judge it by."""
    return Text(
        "It does not say how its characters are encoded. Read as {encoding}: “{sample}”.",
        encoding=name_of(encoding),
        sample=sample_of(text),
    )


def characters(data: bytes, *, is_whole: bool) -> str:
    """Return the characters of a text of unknown encoding. ``is_whole``: the last character is complete."""
    return _characters(data, is_whole=is_whole)[0]


def _characters(data: bytes, *, is_whole: bool) -> tuple[str, str]:
    """Return the characters, and the encoding where it was guessed."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(encoding, "replace"), ""
    if certain := unmarked_unicode(data) or escaped(data):
        return data.decode(certain, "replace"), ""
    try:
        # Incremental: a cut in the middle of a character does not indicate another encoding.
        return codecs.getincrementaldecoder("utf-8")().decode(data, final=is_whole), ""
    except UnicodeDecodeError:
        encoding = guessed(data)
        return data.decode(encoding, "replace"), encoding


def _of_pdf(file: BinaryIO) -> FileText:
    from chatdesk.core.attachments.pdf_text import read_pages  # the window never needs it

    pages = read_pages(file, most_characters=MOST_CHARACTERS, time_s=_PDF_TIME_S)
    if pages is None:
        return FileText("", Text("It is protected by a password."))
    found = _joined(pages.texts)
    if not found.text:
        return FileText("", Sentences.of(Text("No text can be read from it; it may hold scanned pages."), _RECOGNISE))
    read, total = len(pages.texts), pages.total
    problems: list[str] = []
    if read < total:
        problems.append(Text("It is long; {read} of its {total} pages are read.", read=read, total=total))
    if pages.damaged:
        damaged = pages.damaged
        problems.append(Text("{damaged} of its {total} pages cannot be read.", damaged=damaged, total=total))
    if pages.pictures > read * _FEW_PICTURES:
        scanned = pages.pictures
        problems.append(Text("{scanned} of its {total} pages are pictures.", scanned=scanned, total=total))
        problems.append(_RECOGNISE)
    return FileText(found.text, Sentences.of(*problems) if problems else None, found.page_starts)


def _of_packed(file: BinaryIO, mime: str) -> FileText:
    from chatdesk.core.attachments import epub_text, office_text, spreadsheet_text
    from chatdesk.core.attachments.packed_document import PackedDocument

    document, most = PackedDocument(file), MOST_CHARACTERS + 1
    if mime == PPTX:
        return _joined(office_text.slide_texts(document, most))
    if mime == EPUB:
        pieces = epub_text.chapter_texts(document)
    elif mime == XLSX:
        pieces = spreadsheet_text.sheet_texts(document, most)
    elif mime == DOCX:
        pieces = office_text.word_text(document, most)
    else:
        pieces = office_text.open_document_text(document, most)
    return replace(_joined(pieces), page_starts=())


def _of_mail(file: BinaryIO) -> FileText:
    from chatdesk.core.attachments.mail_text import mail_text

    data = file.read(_MOST_BYTES + 1)
    is_whole = len(data) <= _MOST_BYTES
    return bounded(mail_text(data[:_MOST_BYTES], lambda body: characters(body, is_whole=True)), is_whole=is_whole)


def _joined(pieces: Iterable[str]) -> FileText:
    """Return the pieces of a document as one text, as far as the limits allow, and where each piece begins."""
    found: list[str] = []
    starts: list[int] = []
    size, is_whole = 0, True
    try:
        for piece in map(str.strip, pieces):
            starts.append(size)
            if piece:
                found.append(piece)
                size += len(piece) + len(_BETWEEN)
            if size > MOST_CHARACTERS:
                break
    except LimitReached:
        is_whole = False
    text = bounded(_BETWEEN.join(found), is_whole=is_whole)
    return replace(text, page_starts=tuple(min(start, len(text.text)) for start in starts))
