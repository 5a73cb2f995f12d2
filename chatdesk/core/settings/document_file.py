"""Reads and writes a JSON file of a person's set-up in the configuration directory. It survives any damage, and is
replaced as a whole."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

from chatdesk.core.settings.store import write_atomically
from chatdesk.core.system.file_writing import move_aside
from chatdesk.core.system.small_files import read_small_json
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)

_LARGEST_BYTES = 4 * 1024 * 1024


class NewerDocument(Exception):
    """The error for a file that a later ChatDesk wrote: its unknown entries must not be lost."""


class DocumentFile:
    """A JSON file with a version and a list of entries. ``subject`` is what the file is about, in the plural
    (providers); ``list_name`` names the list that every version of the document has."""

    def __init__(self, path: Path, *, subject: str, list_name: str, version: int) -> None:
        self.path = path
        self._subject = subject
        self._list_name = list_name
        self._version = version

    def read(self) -> tuple[dict[str, Any] | None, str]:
        """Return the document (None if it is unusable) and a sentence about its fault. Never raises. A damaged file is
        kept under another name."""
        try:
            return self._document(), ""
        except FileNotFoundError:
            return None, ""
        except OSError as error:
            _log.warning("%s not readable: %s", self._subject, error.strerror)
            return None, self._unreadable(error)
        except (ValueError, TypeError):
            return None, self._keep_broken()

    def problem(self) -> str:
        """Return a sentence about the fault of the file, or of a damaged one moved aside; empty without a
        fault. Changes nothing."""
        try:
            self._document()
        except FileNotFoundError:
            return self.kept_problem()
        except OSError as error:
            return self._unreadable(error)
        except (ValueError, TypeError):
            return Text(
                "The file of {subject} {path} is damaged; it is kept under another name when it is read next.",
                subject=self._subject,
                path=self.path,
            )
        if self._is_newer():
            return Text(
                "The file of {subject} {path} was written by a newer ChatDesk. What is known of it is used, and it is "
                "left as it is.",
                subject=self._subject,
                path=self.path,
            )
        return self.kept_problem()

    def _document(self) -> dict[str, Any]:
        document = read_small_json(self.path, _LARGEST_BYTES)
        if not isinstance(document, dict) or not isinstance(document.get(self._list_name), list):
            raise TypeError("no list")
        return document

    def _unreadable(self, error: OSError) -> str:
        return Text(
            "The file of {subject} {path} cannot be read ({strerror}).",
            subject=self._subject,
            path=self.path,
            strerror=reason_text(error),
        )

    def write(self, document: dict[str, Any]) -> None:
        """Replace the file. Raises ``NewerDocument`` and ``OSError``."""
        if self._is_newer():
            raise NewerDocument
        text = json.dumps({"version": self._version, **document}, ensure_ascii=False, indent=2)
        write_atomically(self.path, text + "\n")

    def kept_problem(self) -> str:
        """Return the problem that an earlier run found, until the file is written again; empty when all is well."""
        try:
            written_at = self.path.stat().st_mtime
        except OSError:
            written_at = 0.0
        with suppress(OSError):
            kept = sorted(
                (each.stat().st_mtime, each)
                for each in self.path.parent.glob(f"{self.path.stem}.broken-*{self.path.suffix}")
            )
            if kept and kept[-1][0] >= written_at:
                return self._broken(kept[-1][1])
        return ""

    def _keep_broken(self) -> str:
        kept = move_aside(self.path)
        if kept is not None:
            return self._broken(kept)
        return Text(
            "The file of {subject} {path} is damaged and was left as it is.", subject=self._subject, path=self.path
        )

    def _broken(self, kept: Path) -> str:
        return Text(
            "The file of {subject} {path} is damaged; it is kept as {name}. Set the {subject} up again.",
            subject=self._subject,
            path=self.path,
            name=kept.name,
        )

    def _is_newer(self) -> bool:
        try:
            document = read_small_json(self.path, _LARGEST_BYTES)
        except (OSError, ValueError):
            return False
        version = document.get("version") if isinstance(document, dict) else None
        return isinstance(version, int) and version > self._version
