"""Turns the bytes of a file into text and back, so that encoding and line ends stay as they are. Pure."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final

from chatdesk.core.tools.folder.beneath import FileRefused

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MOST_CONTROLS: Final = 0.05
_CONTROLS: Final = bytes(each for each in range(32) if each not in b"\t\n\r\f\x1b")


@dataclass(frozen=True, slots=True)
class TextForm:
    """The way in which a text is written: ``mark`` are the bytes before it, ``has_crlf`` says that all lines end as on
    Windows."""

    encoding: str = "utf-8"
    mark: bytes = b""
    has_crlf: bool = False

    def written(self, text: str) -> bytes:
        """Return a text with plain line ends as the bytes of the file. Raises ``FileRefused`` for characters that the
        file's encoding does not have."""
        ended = text.replace("\n", "\r\n") if self.has_crlf else text
        try:
            return self.mark + ended.encode(self.encoding)
        except UnicodeEncodeError as error:
            character = ended[error.start]
            raise FileRefused(f"The file is in {self.encoding}, which has no “{character!a}”.") from None


def read_text(data: bytes) -> tuple[str, TextForm] | None:
    """Return the text of a file, with plain line ends if all are alike, and its form; None if it is not text."""
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    body = data[len(mark) :]
    if not encoding.startswith("utf-16") and b"\0" in body:
        return None
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        if mark or len(body) - len(body.translate(None, _CONTROLS)) > _MOST_CONTROLS * len(body):
            return None
        encoding, text = "latin-1", body.decode("latin-1")
    has_crlf = "\r\n" in text and text.count("\r\n") == text.count("\n") == text.count("\r")
    return text.replace("\r\n", "\n") if has_crlf else text, TextForm(encoding, mark, has_crlf)
