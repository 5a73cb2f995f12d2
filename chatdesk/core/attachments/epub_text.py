"""Reads the chapters of an EPUB book as Markdown."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from urllib.parse import unquote

from chatdesk.core.attachments.html_text import text_of_html
from chatdesk.core.attachments.packed_document import PackedDocument, XmlReader, local_name, parse_xml


def chapter_texts(document: PackedDocument) -> Iterator[str]:
    """Yield the text of each chapter, in the order of reading. Raises ``LimitReached``."""
    container = _Package()
    parse_xml(document.pieces("META-INF/container.xml"), container)
    package = _Package()
    parse_xml(document.pieces(container.path), package)
    folder = posixpath.dirname(container.path)
    for id_ in dict.fromkeys(package.chapters):
        path = posixpath.normpath(posixpath.join(folder, unquote(package.files.get(id_, ""))))
        yield text_of_html(b"".join(document.pieces(path)).decode("utf-8", "replace"))


class _Package(XmlReader):
    """The files of a book by their ids, and the ids of its chapters; of a container the ``path`` of the file that lists
    these."""

    def __init__(self) -> None:
        self.path = ""
        self.files: dict[str, str] = {}
        self.chapters: list[str] = []

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        match local_name(name):
            case "rootfile":
                self.path = self.path or attributes.get("full-path", "")
            case "item":
                self.files[attributes.get("id", "")] = attributes.get("href", "")
            case "itemref":
                self.chapters.append(attributes.get("idref", ""))
