"""Changes of files in a folder, proposed, applied and undone as a person would; also as a process that is killed.

python tests/helpers/folder_changes.py DIRECTORY FOLDER WHAT CHANGE DIFF
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from chatdesk.core.clock import Clock
from chatdesk.core.settings.profile_id import ProfileId
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import SecretStore
from chatdesk.core.tools.folder.change_records import ChangeRecords
from chatdesk.core.tools.folder.edits import wanted_from
from chatdesk.core.tools.folder.file_changes import FileChanges, Proposed
from chatdesk.core.tools.folder.reading import version_of
from chatdesk.core.tools.seals import Seals
from tests.helpers.accounts import MemoryKeyring

PROJECT = "p1"


def changes_in(
    directory: Path, folder: Path | None, ring: MemoryKeyring | None = None, *, needs_seals: bool = False
) -> FileChanges:
    """Return the changes that are kept below a directory, for a project with this folder."""
    keyring = ring or MemoryKeyring()
    secrets = SecretStore(
        register=lambda _value: None, environ={}, load_backend=lambda: keyring, profile=ProfileId(directory)
    )
    seals = Seals(secrets, lambda: KeyPlace.KEYRING, directory / "seals.key")
    records = ChangeRecords(directory / "changes", directory / "blobs", seals, needs_seals=needs_seals)
    return FileChanges(records, lambda project: folder if project == PROJECT else None, Clock())


async def propose(changes: FileChanges, folder: Path, path: str, **arguments: Any) -> tuple[Proposed, tuple[str, str]]:
    """Propose a change of a file as it is now. Returns it with its id and the sum of its diff."""
    import hashlib

    file = folder / path
    if file.exists():
        arguments.setdefault("version", version_of(file.read_bytes()))
    made = await changes.propose(PROJECT, folder, path, wanted_from(arguments))
    return made, (made.change.id, hashlib.sha256(made.diff).hexdigest())


def main() -> None:
    directory, folder, what, change_id, diff = sys.argv[1:]
    changes = changes_in(Path(directory), Path(folder))
    asyncio.run(getattr(changes, what)(change_id, diff))


if __name__ == "__main__":
    main()
