"""Writes ChatDesk's own JSON (docs/export-format.md) piece by piece, so that memory stays small.

Knows the reader and a text sink; where the text goes and how attachments come along is its caller's business.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final, TextIO, TypeGuard

from chatdesk import __version__
from chatdesk.core.domain.exports import Choice
from chatdesk.core.storage.transfer.export_reader import ExportReader

FORMAT_NAME: Final = "chatdesk"
FORMAT_VERSION: Final = 2

# Whether the bytes of an attachment are at hand, asked once for each.
HasFile = Callable[[str], bool]


class JsonWriter:
    """Writes one document. Afterwards ``attachments`` maps the files that it names (SHA-256) to their sizes in
    bytes."""

    def __init__(self, sink: TextIO, *, has_file: HasFile, tick: Callable[[int], None]) -> None:
        self._sink = sink
        self._has_file = has_file
        self._tick = tick
        self.attachments: dict[str, int] = {}
        self.names: dict[str, str] = {}

    def write(self, reader: ExportReader, choice: Choice, *, now_ms: int) -> None:
        """Write the document. ``tick`` is called with how many messages were written since its last call."""
        out = self._sink.write
        scope = "everything" if choice.is_everything else "threads" if choice.thread_ids else "project"
        head = {
            "format": FORMAT_NAME,
            "format_version": FORMAT_VERSION,
            "application": __version__,
            "exported_at": now_ms,
            "scope": scope,
        }
        out(_dumped(head)[:-1])
        self._list("projects", reader.projects(choice))
        self._list("tags", reader.tags(choice))
        if choice.is_everything:
            self._list("prompts", map(self._recorded_prompt, reader.prompts()))
            self._list("drafts", (self._recorded_draft(row) for row in reader.drafts(has_trash=choice.has_trash)))
        out(',\n"threads":[')
        for number, thread_id in enumerate(reader.thread_ids(choice)):
            out(",\n" if number else "\n")
            out(_dumped(reader.thread(thread_id))[:-1])
            out(',"messages":[')
            self._write_messages(reader, thread_id, has_trash=choice.has_trash)
            out("]}")
            self._tick(0)
        out("\n]")
        self._list("attachments", (self._attachment(sha256) for sha256 in sorted(self.attachments)))
        out("}\n")

    def _write_messages(self, reader: ExportReader, thread_id: str, *, has_trash: bool) -> None:
        is_first = True
        for rows in reader.messages(thread_id, has_trash=has_trash):
            for row in rows:
                for part in row["parts"]:
                    self._record_file(part["content"])
                    for artifact in part.get("artifacts", ()):
                        self._record_file(artifact)
            text = ",\n".join(map(_dumped, rows))
            self._sink.write(f"\n{text}" if is_first else f",\n{text}")
            is_first = False
            self._tick(len(rows))

    def _list(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        self._sink.write(f',\n"{name}":[')
        for number, row in enumerate(rows):
            self._sink.write(f"{',' if number else ''}\n{_dumped(row)}")
        self._sink.write("]")

    def _recorded_prompt(self, row: dict[str, Any]) -> dict[str, Any]:
        for each in row["setup"].get("files", ()):
            if isinstance(each, dict):
                self._record_file(each)
        return row

    def _recorded_draft(self, row: dict[str, Any]) -> dict[str, Any]:
        for each in row["attachments"]:
            if isinstance(each, dict):
                self._record_file(each)
        return row

    def _record_file(self, described: dict[str, Any]) -> None:
        sha256, size = described.get("sha256"), described.get("size_bytes")
        if is_digest(sha256):
            name = described.get("name")
            if isinstance(name, str) and name:
                self.names.setdefault(sha256, name)
            self.attachments.setdefault(sha256, size if isinstance(size, int) else 0)

    def _attachment(self, sha256: str) -> dict[str, Any]:
        row: dict[str, Any] = {"sha256": sha256, "size_bytes": self.attachments[sha256]}
        return row if self._has_file(sha256) else row | {"is_missing": True}


def is_digest(value: object) -> TypeGuard[str]:
    """Return whether ``value`` can be the name of a stored file: nothing else may become part of a path."""
    return isinstance(value, str) and len(value) == 64 and not set(value) - set("0123456789abcdef")


def _dumped(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
