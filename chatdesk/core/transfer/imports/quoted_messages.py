"""Quotes the messages of a ChatDesk export that other members of a team wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedPart
from chatdesk.core.domain.message import PartType
from chatdesk.core.domain.sharing.quotation import NOBODY, quotation, quoted
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.transfer.imports.values import key_of, text_of

_LONGEST: Final = 200


def author_of(value: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the member of a team who wrote this message or summary, and where; None: the exporting person."""
    said = value.get("written_by")
    if not isinstance(said, dict):
        return None
    name, link = (clean_line(text_of(said.get(each)))[:_LONGEST].strip() for each in ("name", "link"))
    return name or NOBODY, link or key_of(value.get("id"))


def quote_parts(value: Mapping[str, Any], parts: tuple[ImportedPart, ...]) -> tuple[ImportedPart, ...]:
    """Return the parts of a message as a quotation, if another member wrote it: they go into a project of this person,
    and perhaps to others in it."""
    found = author_of(value)
    if found is None or value.get("purged_at") is not None:
        return parts
    author, source = found
    made: list[ImportedPart] = []
    is_named = False
    for part in parts:
        if part.type is PartType.TEXT:
            text = text_of(part.content.get("text"))
            text = quoted(text) if is_named else quotation(text, author=author, source=source)
            made.append(replace(part, content={**part.content, "text": text}))
            is_named = True
        else:
            made.append(part)
    if not is_named:
        made.append(ImportedPart(PartType.TEXT, {"text": quotation("", author=author, source=source)}))
    return tuple(made)
