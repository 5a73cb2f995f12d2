"""Opens documents that are zip archives of XML files, with limits: what an archive claims is not believed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final
from xml.parsers import expat
from zipfile import ZipFile

_MOST_UNZIPPED_BYTES: Final = 32 * 1024 * 1024
_PIECE_BYTES: Final = 1024 * 1024


class RefusedDocument(ValueError):
    """The document has something that is not allowed in any."""


class LimitReached(Exception):
    """The document has more bytes or characters than are read; what was found so far is kept."""


class PackedDocument:
    """The files in an archive, which may unpack to a limited number of bytes in all."""

    def __init__(self, file: BinaryIO) -> None:
        self._archive = ZipFile(file)
        self.names = frozenset(self._archive.namelist())
        self._left = _MOST_UNZIPPED_BYTES

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file; none where it is missing. Raises ``LimitReached``."""
        if name not in self.names:
            return
        with self._archive.open(name) as member:
            while piece := member.read(_PIECE_BYTES):
                self._left -= len(piece)
                if self._left < 0:
                    raise LimitReached
                yield piece


class XmlReader:
    """Takes the elements and the text of an XML file. Names have their prefixes."""

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""

    def on_end(self, name: str) -> None:
        """Take the end of an element."""

    def on_text(self, text: str) -> None:
        """Take the characters between elements."""


def parse_xml(pieces: Iterable[bytes], reader: XmlReader) -> None:
    """Give the elements of an XML file to ``reader``. An empty one has none. Raises ``RefusedDocument`` for one that
    declares entities, ``ValueError`` for broken XML."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = reader.on_start
    parser.EndElementHandler = reader.on_end
    parser.CharacterDataHandler = reader.on_text
    parser.buffer_text = True
    is_empty = True
    try:
        for piece in pieces:
            parser.Parse(piece, False)
            is_empty = False
        if not is_empty:
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise ValueError("the document is damaged") from error


def _refuse(*_declared: object) -> None:
    raise RefusedDocument("the document declares a document type")


def local_name(name: str) -> str:
    """Return the name of an element or attribute without its prefix."""
    return name.rpartition(":")[2]


def attribute(attributes: dict[str, str], name: str) -> str:
    """Return the value of an attribute by its name without prefix; empty where it is missing."""
    return next((value for key, value in attributes.items() if local_name(key) == name), "")


def related_files(document: PackedDocument, name: str, element: str) -> list[tuple[str, str]]:
    """Return the files that the elements ``element`` of an Office file refer to, each once: the element's ``name``, and
    the path of the file."""
    found = _Relations(element)
    folder, _, file = name.rpartition("/")
    parse_xml(document.pieces(f"{folder}/_rels/{file}.rels"), found)
    parse_xml(document.pieces(name), found)
    paths: dict[str, str] = {}
    for words, id_ in found.referred:
        target = found.targets.get(id_, "")
        paths.setdefault(target[1:] if target.startswith("/") else f"{folder}/{target}", words)
    return [(words, path) for path, words in paths.items() if path in document.names]


class _Relations(XmlReader):
    def __init__(self, element: str) -> None:
        self._element = element
        self.referred: list[tuple[str, str]] = []
        self.targets: dict[str, str] = {}

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        local = local_name(name)
        if local == "Relationship":
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")
        elif local == self._element:
            id_ = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            self.referred.append((attributes.get("name", ""), id_))
