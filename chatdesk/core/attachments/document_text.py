"""Extracts the words from the XML of an office document (Word, PowerPoint, OpenDocument text).

A document type is refused: no document has one, and entities grow without end. Nothing outside is ever read.
"""

from __future__ import annotations

from xml.parsers import expat

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
