"""Follows Claude's artifacts and files, which one call makes and others change in places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from chatdesk.core.transfer.imports.values import dict_of, document, list_of, text_of

_MARKDOWN: Final = "text/markdown"
_LANGUAGES = {
    "image/svg+xml": "svg",
    "text/html": "html",
    "application/vnd.ant.mermaid": "mermaid",
    "application/vnd.ant.react": "jsx",
}
_LONGEST = 2_000_000


@dataclass(frozen=True, slots=True)
class Document:
    """An artifact or file after a call."""

    title: str
    language: str
    is_markdown: bool
    text: str

    @property
    def as_text(self) -> str:
        return document(self.title, self.text, self.language, is_markdown=self.is_markdown)


#: By what calls name them.
Documents = Mapping[str, Document]


def artifact(attributes: Mapping[str, Any], text: str) -> Document:
    kind = text_of(attributes.get("type"))
    language = text_of(attributes.get("language")) or _LANGUAGES.get(kind, "")
    return Document(text_of(attributes.get("title")), language, kind == _MARKDOWN, text)


def made_by(name: str, data: Mapping[str, Any]) -> Document | None:
    """Return the document if the call holds all of it, else None."""
    if name == "artifacts" and data.get("command") in ("create", "rewrite") and text_of(data.get("content")).strip():
        return artifact(data, text_of(data.get("content")))
    if name == "create_file" and text_of(data.get("file_text")).strip():
        path = text_of(data.get("path")).rsplit("/", 1)[-1]
        return Document(path, path.rpartition(".")[2], path.endswith(".md"), text_of(data.get("file_text")))
    return None


def after_message(message: Mapping[str, Any], before: Documents) -> tuple[Documents, list[str]]:
    """Return the documents after a message, and the new texts of those that it changed in places only."""
    calls = [block for each in list_of(message.get("content")) if (block := dict_of(each)).get("type") == "tool_use"]
    if not calls:
        return before, []
    after = dict(before)
    changed: dict[str, None] = {}
    for block in calls:
        name, data = text_of(block.get("name")), dict_of(block.get("input"))
        key = text_of(data.get("id")) if name == "artifacts" else text_of(data.get("path"))
        whole = made_by(name, data)
        known = after.get(key)
        if whole is not None:
            # A document that is written anew keeps what the call does not say again.
            after[key] = whole if known is None or whole.title else replace(known, text=whole.text)
            changed.pop(key, None)
        elif known is not None and (name == "str_replace" or data.get("command") == "update"):
            text = _changed(known.text, text_of(data.get("old_str")), text_of(data.get("new_str")))
            if text is not None:
                after[key] = replace(known, text=text)
                changed[key] = None
    return (after, [after[key].as_text for key in changed]) if after != before else (before, [])


def _changed(text: str, old: str, new: str) -> str | None:
    if not old or old not in text or len(text) + len(new) > _LONGEST:
        return None
    return text.replace(old, new, 1)
