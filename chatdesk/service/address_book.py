"""Finds where the service of a data directory listens, and holds the files that tell other programs of the same
person: the address, and the owner's token. Both are there only while the service runs."""

from __future__ import annotations

import errno
import json
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chatdesk.core.local_api.instance import SERVICE_SOCKET_NAME
from chatdesk.core.paths import AppPaths, make_private_folder
from chatdesk.core.system.file_writing import remove_file, write_text

_ADDRESS: Final = "address.json"
_OWNER_TOKEN: Final = "owner.token"  # noqa: S105 - the name of a file


@dataclass(frozen=True, slots=True)
class ServiceFiles:
    """The files of a data directory's service, and the folder of its ``tokens``. Backups and exports leave them out."""

    directory: Path
    tokens: Path

    @classmethod
    def of(cls, paths: AppPaths) -> ServiceFiles:
        return cls(paths.data_dir / "service", paths.token_dir)

    @property
    def address(self) -> Path:
        return self.directory / _ADDRESS

    @property
    def owner_token(self) -> Path:
        return self.directory / _OWNER_TOKEN

    @property
    def socket(self) -> Path:
        return self.directory / SERVICE_SOCKET_NAME

    def prepare(self) -> None:
        """Make the folder, private. Raises ``OSError``, also where it is a link: keys would go where that leads."""
        if self.directory.is_symlink():
            raise OSError(errno.ELOOP, f"{self.directory} is a link")
        make_private_folder(self.directory)
        self.directory.chmod(0o700)

    def announce(self, *, pid: int, urls: tuple[str, ...], socket: str) -> str:
        """Write where the service listens, and a new token of the owner's, which is returned. Raises ``OSError``."""
        token = f"cd_owner_{secrets.token_urlsafe(32)}"
        write_text(self.owner_token, token)
        write_text(self.address, json.dumps({"pid": pid, "urls": list(urls), "socket": socket}))
        return token

    def retract(self) -> None:
        """Remove both files, because the service has stopped listening."""
        for path in (self.address, self.owner_token):
            with suppress(OSError):
                remove_file(path)
