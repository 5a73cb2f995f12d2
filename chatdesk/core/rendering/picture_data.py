"""Handles pictures embedded in a text as ``![words](data:image/png;base64,…)``, which models that draw send.

Pure; nothing is decoded as a picture here.
"""

from __future__ import annotations

import base64
import binascii
import re

MAX_PICTURE_BYTES = 16 * 1024 * 1024
MAX_PICTURE_LETTERS = MAX_PICTURE_BYTES * 4 // 3 + 4
MAX_PICTURES_CHARS = 64 * 1024 * 1024  # for all pictures of a text
_URL = r"data:image/(?:png|jpe?g|gif|webp|bmp);base64,[A-Za-z0-9+/]+={0,2}"
IMAGE = re.compile(rf'!\[([^\[\]\n]{{0,300}})\]\(<?({_URL})>?(?: "[^"\n]{{0,300}}")?\)')
_LINK = re.compile(rf"\]\(<?{_URL}>?")
_UNFINISHED = re.compile(
    r"!\[[^\[\]\n]{0,300}\]\(<?data:image/[a-z+.-]{0,20}(?:;[a-z0-9]{0,10}(?:,[A-Za-z0-9+/=]*>?)?)?\Z"
)
_HEADS = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"RIFF": "webp", b"BM": "bmp"}
_LONGEST_WORDS = 320


def written_chars(text: str) -> int:
    """Return the length of ``text`` without its pictures, which are not read as Markdown."""
    if "](data:image/" not in text and "](<data:image/" not in text:
        return len(text)
    pictures = sum(match.end() - match.start() for match in _LINK.finditer(text))
    return len(text) - (pictures if pictures <= MAX_PICTURES_CHARS else 0)


def without_unfinished_picture(text: str) -> str:
    """Return ``text`` without a picture at its end that is still coming."""
    start = text.rfind("](data:image/")
    if start < 0:
        start = text.rfind("](<data:image/")
    if start < 0 or text.find(")", start) >= 0:
        return text
    begin = text.rfind("![", max(0, start - _LONGEST_WORDS), start)
    return text[:begin] if begin >= 0 and _UNFINISHED.match(text, begin) is not None else text


def without_pictures(text: str) -> str:
    """Return ``text`` with each picture replaced by its words, so that no megabytes of letters are sent to a model."""
    if "](data:image/" not in text and "](<data:image/" not in text:
        return text
    return IMAGE.sub(lambda match: f"[picture: {match[1]}]" if match[1].strip() else "[picture]", text)


def picture_bytes(url: str) -> bytes:
    """Return the bytes of a data URL; empty when it is damaged or too large."""
    letters = url.partition(",")[2]
    if len(letters) > MAX_PICTURE_LETTERS:
        return b""
    try:
        return base64.b64decode(letters, validate=True)
    except (binascii.Error, ValueError):
        return b""


def picture_url(data: bytes) -> str:
    """Return ``data`` as a data URL, or an empty text if it does not begin as a picture."""
    kind = next((kind for head, kind in _HEADS.items() if data.startswith(head)), "")
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}" if kind else ""
