"""Recognises the type of a file by its first bytes; the name only tells kinds of text apart. Pure."""

from __future__ import annotations

from typing import Final

from chatdesk.core.attachments.text_encodings import unmarked_unicode
from chatdesk.core.domain.attachment import UNKNOWN_MIME

# How many bytes ``kind_of`` wants to see.
HEAD_BYTES: Final = 4096
PDF: Final = "application/pdf"
HTML: Final = "text/html"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX: Final = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
ODT: Final = "application/vnd.oasis.opendocument.text"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EPUB: Final = "application/epub+zip"
EML: Final = "message/rfc822"
ZIP: Final = "application/zip"

_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_PACKED = {"docx": DOCX, "pptx": PPTX, "xlsx": XLSX, "odt": ODT, "epub": EPUB}
# Documents that are zip archives.
PACKED: Final = frozenset(_PACKED.values())
_TEXTS = {
    "md": "text/markdown",
    "markdown": "text/markdown",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "html": HTML,
    "htm": HTML,
    "xhtml": HTML,
    "xml": "application/xml",
    "svg": "image/svg+xml",
}
# The names of a block's language under which HTML is in texts.
_PAGES = frozenset({"html", "htm", "xhtml"})
# Types that a desktop displays without running. Web pages are excluded: their scripts would run with a local file's
# rights.
_SAFE_ENDINGS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/bmp": ".bmp",
    PDF: ".pdf",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/json": ".json",
}
_TEXT_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
# Control characters that texts contain: tab, line ends, form feed, backspace, escape.
_CONTROLS_IN_TEXTS = frozenset(b"\t\n\r\x0c\x08\x1b")
_MOST_CONTROLS = 0.02


def kind_of(head: bytes, name: str) -> str:
    """Return the MIME type of a file that begins with ``head``."""
    for magic, mime in _IMAGES:
        if head.startswith(magic):
            return mime
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return "image/bmp"
    if b"%PDF-" in head[:1024]:
        return PDF
    ending = name.rpartition(".")[2].lower()
    if head.startswith(b"PK\x03\x04"):
        return _PACKED.get(ending, ZIP)
    if _is_text(head):
        if ending == "eml":
            return EML
        return _TEXTS.get(ending, "text/plain")
    return UNKNOWN_MIME


def is_text(mime: str) -> bool:
    """Return whether files of this type hold characters."""
    return mime.startswith("text/") or mime in _TEXTS.values()


def has_text(mime: str) -> bool:
    """Return whether the text of files of this type can be read."""
    return is_text(mime) or mime in PACKED or mime in (PDF, EML)


def is_page(language: str) -> bool:
    """Return whether a block of code in this language is a page that a browser can show."""
    return language.lower() in _PAGES


def safe_ending(mime: str) -> str | None:
    """Return the ending under which another program may be asked to open such a file; None: it should not be opened."""
    return _SAFE_ENDINGS.get(mime)


def can_open_in_place(name: str, mime: str) -> bool:
    """Return whether another program may be asked to open a person's own file where it is: the desktop goes by the
    ending of its name, so a text that is called ``readme.desktop`` would be run."""
    ending = safe_ending(mime)
    return ending is not None and name.lower().endswith(ending)


def can_open(mime: str) -> bool:
    """Return whether such a file may be opened: by another program, or in a sandbox of the browser."""
    return mime == HTML or safe_ending(mime) is not None


def _is_text(head: bytes) -> bool:
    if head.startswith(_TEXT_MARKS):
        return True
    controls = sum(1 for byte in head if byte < 32 and byte not in _CONTROLS_IN_TEXTS)
    return bool(unmarked_unicode(head)) or (b"\0" not in head and controls <= len(head) * _MOST_CONTROLS)
