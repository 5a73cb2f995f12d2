"""Makes the random name under which the keys of one configuration directory are kept in the system's keyring.

It keeps the keys of several directories apart, and a copied-in directory of another person finds none. It is not a
secret and grants nothing: each key is stored with the address that it may be sent to.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from chatdesk.core.paths import make_private_folder
from chatdesk.core.system.file_writing import move_aside, write_text
from chatdesk.core.system.small_files import read_small_file

FILE_NAME = "profile-id"
_MOST_BYTES = 64
_ID = re.compile(r"[0-9a-f]{32}\Z")


def is_id(data: bytes) -> bool:
    """Return whether these are the bytes of a file with an id."""
    return _ID.match(data.decode("ascii", "replace").strip()) is not None


class ProfileId:
    """The id of one configuration directory; with None as directory it is kept for this run only."""

    def __init__(self, config_dir: Path | None) -> None:
        self._path = None if config_dir is None else config_dir / FILE_NAME
        self._made = ""

    def find(self) -> str:
        """Return the id; empty as long as no key was kept here."""
        if self._path is None or self._made:
            return self._made
        try:
            data = read_small_file(self._path, _MOST_BYTES)
        except (OSError, ValueError):  # no file of ours: too large
            return ""
        return data.decode("ascii").strip() if is_id(data) else ""

    def make(self) -> str:
        """Return the existing id, or make and store a new one. Raises ``OSError`` where it cannot be written."""
        found = self.find()
        if found:
            return found
        made = secrets.token_hex(16)
        if self._path is not None:
            make_private_folder(self._path.parent)
            if os.path.lexists(self._path):
                move_aside(self._path)  # damaged; kept aside, since a person may still read the id in it
            write_text(self._path, made + "\n")
        self._made = made
        return made
