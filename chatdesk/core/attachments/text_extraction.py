"""Extracts the text of a file. Runs in a process that may be killed: files are hostile, and so are their parsers.

The bytes that are read and the characters that are returned have limits here; time and memory are limited by the
process.
"""

from __future__ import annotations

import codecs
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.parsers import expat
from zipfile import ZipFile

from chatdesk.core.attachments.file_kinds import DOCX, HTML, ODT, PDF, PPTX, is_text
from chatdesk.core.attachments.html_text import text_of_html
from chatdesk.core.attachments.text_encodings import escaped, guessed, name_of, sample_of, unmarked_unicode
from chatdesk.core.texts import Sentences, Text

MOST_CHARACTERS: Final = 2_000_000
_MOST_BYTES = 8 * 1024 * 1024
_PDF_TIME_S = 12.0
_MOST_UNZIPPED_BYTES = 32 * 1024 * 1024
_MOST_SLIDES = 1000

# Shown for a file whose kind has no readable text.
NO_TEXT_KIND: Final = Text("Files of this kind have no text that can be read.")
NO_TEXT: Final = Text("There is no text in it.")


@dataclass(frozen=True, slots=True)
class FileText:
    """The text of a file. ``problem`` is a sentence why there is none, or not all of it; None when all is well."""

    text: str
    problem: str | None = None


def extract(path: Path, mime: str) -> FileText:
    """Return the text of a file of that type. Errors of the parsers are passed on."""
    if mime == PDF:
        return _of_pdf(path)
    if mime in (DOCX, PPTX, ODT):
        return _of_zipped(path, mime)
    if is_text(mime):
        text, is_whole, encoding = _decoded(path)
        if mime == HTML:
            text = text_of_html(text)
        found = bounded(text, is_whole=is_whole)
        return FileText(
            found.text, Sentences.of(_guess(text, encoding), found.problem or "") if encoding else found.problem
        )
    return FileText("", NO_TEXT_KIND)


def bounded(text: str, *, is_whole: bool = True) -> FileText:
    """Return a text within the limit of characters, and a problem where it is not all."""
    if is_whole and len(text) <= MOST_CHARACTERS:
        return FileText(text, None if text.strip() else NO_TEXT)
    cut = text[:MOST_CHARACTERS]
    return FileText(cut, Text("It is long; its first {cut} characters are read.", cut=len(cut)))


def _decoded(path: Path) -> tuple[str, bool, str]:
    """Return the characters, whether these are all, and the encoding where it was guessed."""
    with path.open("rb") as file:
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


def _of_pdf(path: Path) -> FileText:
    from pypdf import PdfReader
    from pypdf.errors import PdfReadError

    end_s = time.monotonic() + _PDF_TIME_S
    reader = PdfReader(path, strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        return FileText("", Text("It is protected by a password."))
    total = len(reader.pages)
    found: list[str] = []
    size = damaged = read = 0
    for page in reader.pages:
        try:
            text = page.extract_text()
        except (PdfReadError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
            text, damaged = "", damaged + 1
        read += 1
        found.append(text)
        size += len(text)
        if size > MOST_CHARACTERS or time.monotonic() > end_s:
            break
    whole = "\n\n".join(text for text in found if text.strip())[:MOST_CHARACTERS]
    if not whole.strip():
        return FileText("", Text("No text can be read from it; it may hold scanned pages."))
    if read < total:
        return FileText(whole, Text("It is long; {read} of its {total} pages are read.", read=read, total=total))
    if damaged:
        return FileText(whole, Text("{damaged} of its {total} pages cannot be read.", damaged=damaged, total=total))
    return FileText(whole)


def _of_zipped(path: Path, mime: str) -> FileText:
    from zipfile import ZipFile

    pieces: list[str] = []
    size = 0
    with ZipFile(path) as archive:
        for data in _members(archive, mime):
            pieces.append(text_of_xml(data, most_characters=MOST_CHARACTERS + 1 - size))
            size += len(pieces[-1])
            if size > MOST_CHARACTERS:
                break
    return bounded("\n\n".join(pieces))


def _members(archive: ZipFile, mime: str) -> Iterator[bytes]:
    """Yield the parts that hold the text, in order. The sizes that an archive claims are not believed."""
    names = {DOCX: ["word/document.xml"], ODT: ["content.xml"]}.get(mime)
    if names is None:
        slides = [n for n in archive.namelist() if n.startswith("ppt/slides/slide") and n.endswith(".xml")]
        names = sorted(slides, key=lambda name: (len(name), name))[:_MOST_SLIDES]
    left = _MOST_UNZIPPED_BYTES
    for name in names:
        with archive.open(name) as file:
            data = file.read(left + 1)
        left -= len(data)
        if left < 0:
            raise ValueError("unpacks to more than is allowed")
        yield data


_PARAGRAPHS = frozenset({"p", "h"})
_BREAKS = {"tab": "\t", "br": "\n", "line-break": "\n", "cr": "\n", "s": " "}
# In Word and PowerPoint words are in ``t`` only; in OpenDocument anywhere in the body.
_OFFICE_TEXT = "t"
_ODF_BODY = "body"


class RefusedDocument(ValueError):
    """The document has something that is not allowed in any."""


def text_of_xml(data: bytes, *, most_characters: int) -> str:
    """Return the words, a line for each paragraph, up to a number of characters. Raises ``ValueError`` for broken
    XML."""
    reader = _Reader(most_characters)
    try:
        reader.parse(data)
    except _LimitReached:
        pass
    except expat.ExpatError as error:
        raise ValueError("the document is damaged") from error
    return "".join(reader.pieces).strip()


class _LimitReached(Exception):
    """The wanted number of characters was reached."""


class _Reader:
    def __init__(self, most_characters: int) -> None:
        self.pieces: list[str] = []
        self._left = most_characters
        self._texts = 0
        self._bodies = 0

    def parse(self, data: bytes) -> None:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._on_doctype
        parser.StartElementHandler = self._on_start
        parser.EndElementHandler = self._on_end
        parser.CharacterDataHandler = self._on_text
        parser.buffer_text = True
        parser.Parse(data, True)

    def _on_doctype(self, *_declared: object) -> None:
        raise RefusedDocument("the document declares a document type")

    def _on_start(self, name: str, _attributes: object) -> None:
        prefix, _, local = name.rpartition(":")
        if local == _OFFICE_TEXT and prefix in ("w", "a"):
            self._texts += 1
        elif local == _ODF_BODY and prefix == "office":
            self._bodies += 1
        elif local in _BREAKS:
            self._add(_BREAKS[local])

    def _on_end(self, name: str) -> None:
        prefix, _, local = name.rpartition(":")
        if local == _OFFICE_TEXT and prefix in ("w", "a"):
            self._texts -= 1
        elif local in _PARAGRAPHS:
            self._add("\n")

    def _on_text(self, text: str) -> None:
        if self._texts > 0 or self._bodies > 0:
            self._add(text)

    def _add(self, text: str) -> None:
        self.pieces.append(text[: self._left])
        self._left -= len(text)
        if self._left <= 0:
            raise _LimitReached
