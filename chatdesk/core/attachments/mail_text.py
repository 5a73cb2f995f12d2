"""Reads a stored mail: its header, the text that its author wrote, and the names of the files attached to it."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes
from email.errors import HeaderParseError, MessageError
from email.header import decode_header, make_header
from email.message import Message

from chatdesk.core.attachments.html_text import text_of_html
from chatdesk.core.attachments.markdown_lines import heading

_HEADERS = ("From", "To", "Cc", "Date")
_LONGEST_HEADER = 1_000
_MOST_PARTS = 1_000


def mail_text(data: bytes, decoded: Callable[[bytes], str]) -> str:
    """Return a mail as Markdown. ``decoded`` reads a text whose encoding the mail does not say."""
    mail = message_from_bytes(data)
    texts: dict[str, list[str]] = {"text/plain": [], "text/html": []}
    attached: list[str] = []
    for _, part in zip(range(_MOST_PARTS), mail.walk(), strict=False):
        name = part.get_filename()
        if name or part.get_content_disposition() == "attachment":
            attached.append(_words(name or part.get_content_type()))
        elif part.get_content_type() in texts:
            texts[part.get_content_type()].append(_content(part, decoded))
    body = "\n\n".join(texts["text/plain"]) or "\n\n".join(map(text_of_html, texts["text/html"]))
    lines = [heading(1, _words(mail["Subject"]))]
    lines += [f"{name}: {_words(mail[name])}" for name in _HEADERS if mail[name]]
    head = "\n".join(lines).strip()
    files = f"Attached files: {', '.join(attached)}" if attached else ""
    return "\n\n".join(piece for piece in (head, body.replace("\r\n", "\n").strip(), files) if piece)


def _content(part: Message, decoded: Callable[[bytes], str]) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    try:
        return data.decode(part.get_content_charset() or "none", "replace")
    except (LookupError, ValueError):  # an unknown codec, or not a text codec
        return decoded(data)


def _words(header: object) -> str:
    """Return the words of a header, which may be encoded."""
    written = str(header or "")[:_LONGEST_HEADER]
    try:
        return " ".join(str(make_header(decode_header(written))).split())
    except (MessageError, HeaderParseError, LookupError, ValueError):
        return " ".join(written.split())
