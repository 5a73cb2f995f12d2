"""Computes the bytes of a file after a change that a model wants. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from chatdesk.core.tools.folder.beneath import FileRefused
from chatdesk.core.tools.folder.exchange import MOST_CHANGED_BYTES
from chatdesk.core.tools.folder.reading import version_of
from chatdesk.core.tools.folder.texts import TextForm, read_text

_MOST_EDITS: Final = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change that a model wants: ``content`` is the whole new text, ``edits`` are (old, new) pieces; with neither the
    file is to be removed. ``version`` is what the model read, empty for a new file."""

    version: str
    content: str | None = None
    edits: tuple[tuple[str, str], ...] = ()


def wanted_from(arguments: Mapping[str, Any]) -> Wanted:
    """Read the arguments of a call. Raises ``FileRefused``."""
    version, content, rows = arguments.get("version", ""), arguments.get("content"), arguments.get("edits")
    is_removal = arguments.get("delete") is True
    if not isinstance(version, str) or not isinstance(content, str | None) or not isinstance(rows, list | None):
        raise FileRefused("“version” and “content” are texts, “edits” is a list.")
    if (content is not None) + bool(rows) + is_removal != 1:
        raise FileRefused("Give one of these: “content”, “edits”, or “delete”.")
    pairs = [_pair(each) for each in rows or ()]
    if len(pairs) > _MOST_EDITS:
        raise FileRefused(f"At most {_MOST_EDITS} edits are taken at once.")
    return Wanted(version, content, tuple(pairs))


def _pair(row: object) -> tuple[str, str]:
    if isinstance(row, dict):
        old, new = row.get("old"), row.get("new")
        if isinstance(old, str) and isinstance(new, str) and old:
            return old, new
    raise FileRefused("Each edit has a text “old” that is there, and a text “new”.")


def changed(before: bytes | None, wanted: Wanted) -> bytes | None:
    """Return the bytes of the file after the change; None: it is removed. ``before`` is None without a file. Raises
    ``FileRefused``."""
    if before is None:
        if wanted.content is None:
            raise FileRefused("There is no such file.")
        return _bounded(TextForm().written(_checked(wanted.content)))
    if wanted.version != version_of(before):
        raise FileRefused(
            "The file is not the version that you name. Read it, and give the version that is told there.",
            next_step="Read the file again.",
        )
    read = read_text(before)
    if read is None:
        raise FileRefused("The file is no text, so it cannot be changed.")
    text, form = read
    if wanted.content is not None:
        after = wanted.content.replace("\r\n", "\n") if form.has_crlf else wanted.content
    elif wanted.edits:
        after = _edited(text, wanted.edits, form)
    else:
        return None
    written = _bounded(form.written(_checked(after)))
    if written == before:
        raise FileRefused("This changes nothing.")
    return written


def typed_over(before: bytes | None, text: str) -> bytes:
    """Return the bytes of a file of which a person typed the whole text, in the form that the file has. Raises
    ``FileRefused``."""
    read = None if before is None else read_text(before)
    return _bounded((TextForm() if read is None else read[1]).written(_checked(text)))


def _edited(text: str, edits: tuple[tuple[str, str], ...], form: TextForm) -> str:
    end = "\r\n" if form.has_crlf else "\n"
    for number, pair in enumerate(edits, 1):
        old, new = (each.replace(end, "\n") for each in pair)
        count = text.count(old)
        if count != 1:
            words = "is not in the file" if not count else f"is in the file {count} times"
            raise FileRefused(f"The old text of edit {number} {words}; it has to be there once.")
        text = text.replace(old, new)
        if len(text) > MOST_CHANGED_BYTES:
            raise FileRefused(f"Files above {MOST_CHANGED_BYTES:,} bytes are not changed.")
    return text


def _checked(text: str) -> str:
    if "\0" in text:
        raise FileRefused("A text has no NUL characters.")
    return text


def _bounded(data: bytes) -> bytes:
    if len(data) > MOST_CHANGED_BYTES:
        raise FileRefused(f"Files above {MOST_CHANGED_BYTES:,} bytes are not changed.")
    return data
