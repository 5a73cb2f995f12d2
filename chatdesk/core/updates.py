"""Finds out how this copy of ChatDesk was installed and how it is updated, and asks for the newest version if a
portable program was built with the address of a page of releases.

Nothing is downloaded or installed here. The address comes from the build alone: no setting, variable or file of a data
directory can change it.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple, Self

from chatdesk import __version__
from chatdesk.core.fetching.addresses import any_scope
from chatdesk.core.fetching.guarded_fetch import Ask, FetchFailed, FetchRules, GuardedFetcher
from chatdesk.core.system.child_process import is_packaged, package_parent
from chatdesk.core.system.small_files import read_small_file
from chatdesk.core.texts import Text

VERSIONS: Final = "versions"
NEWEST: Final = "newest.json"
_MOST_BYTES: Final = 4096
_RULES: Final = FetchRules(_MOST_BYTES, schemes=("https",), max_redirects=0)
_VERSION: Final = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})", re.ASCII)
_UNREADABLE: Final = Text("The page of releases does not say which version is the newest.")
_HOW: Final = {
    "apt": Text("Installed from a package: the updates of this computer bring new versions, such as “apt upgrade”."),
    "flatpak": Text("Installed as a Flatpak: the updates of this computer bring new versions, or “flatpak update”."),
    "snap": Text("Installed as a snap: the system brings new versions by itself."),
    "pipx": Text("Installed with pipx: “pipx upgrade chatdesk” brings a new version."),
    "pip": Text("Installed with pip: “pip install --upgrade chatdesk” brings a new version."),
    "checkout": Text("A checkout: “git pull” brings a new version."),
    "portable": Text("The portable program: start a newer .run file once to put a new version in its place."),
    "other": Text("This copy does not update itself: unpack a newer one in its place."),
}


class InstallKind(StrEnum):
    """The way by which a copy came onto this computer."""

    APT = "apt"
    FLATPAK = "flatpak"
    SNAP = "snap"
    PIPX = "pipx"
    PIP = "pip"
    CHECKOUT = "checkout"
    PORTABLE = "portable"
    OTHER = "other"

    @property
    def how_updated(self) -> Text:
        """Return the sentence about what updates such a copy."""
        return _HOW[self]


# Where system packages are installed.
_PLACES: Final = {"/usr": InstallKind.APT, "/app": InstallKind.FLATPAK, "/snap": InstallKind.SNAP}


@dataclass(frozen=True, slots=True)
class Installation:
    """The way in which this copy of ChatDesk was installed. ``place`` is the folder of a portable program with all its
    versions, None for every other kind."""

    kind: InstallKind
    place: Path | None = None


class Version(NamedTuple):
    """The three numbers of a release, which compare as releases do."""

    major: int
    minor: int
    patch: int

    @classmethod
    def read(cls, text: object) -> Self | None:
        """Return the version in ``text``; None if it is not one."""
        found = _VERSION.fullmatch(text) if isinstance(text, str) else None
        return None if found is None else cls(*(int(each) for each in found.groups()))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def find_installation() -> Installation:
    """Return how the program that runs was installed."""
    if is_packaged():
        return _packaged(Path(sys.executable).resolve().parent)
    parent = Path(package_parent() or "")
    if (parent / ".git").exists():
        return Installation(InstallKind.CHECKOUT)
    is_pipx = (Path(sys.prefix) / "pipx_metadata.json").exists()
    return Installation(InstallKind.PIPX if is_pipx else InstallKind.PIP)


def program_path() -> Path:
    """Return the path by which a packaged program is started, which a newer version does not change."""
    program = Path(sys.executable).resolve()
    place = _packaged(program.parent).place
    return program if place is None else place / "current" / program.name


def releases_page(installation: Installation, resources: Path) -> str:
    """Return the address of the page of releases, with a slash at its end, that a portable program was built with;
    empty for every other copy."""
    if installation.kind is not InstallKind.PORTABLE:
        return ""
    try:
        address = json.loads(read_small_file(resources / "updates" / "page.json", _MOST_BYTES))["address"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return address.rstrip("/") + "/" if isinstance(address, str) and address.startswith("https://") else ""


def newer_version(page: str, fetcher: GuardedFetcher | None = None, *, than: str = __version__) -> Version | None:
    """Ask a page of releases for the newest version; None where this one is. Blocks for half a minute at most. Raises
    ``FetchFailed``."""
    fetcher = fetcher or GuardedFetcher(scope_of=any_scope)  # the build named the address
    try:
        newest = Version.read(json.loads(fetcher.fetch(Ask(page + NEWEST), _RULES).body)["version"])
    except (ValueError, KeyError, TypeError, RecursionError):
        newest = None
    if newest is None:
        raise FetchFailed(_UNREADABLE)
    known = Version.read(than)
    return newest if known is None or newest > known else None


def _packaged(folder: Path) -> Installation:
    for root, kind in _PLACES.items():
        if folder.is_relative_to(root):
            return Installation(kind)
    place = folder.parent.parent
    if folder.parent.name == VERSIONS and (place / "current").is_symlink():
        return Installation(InstallKind.PORTABLE, place)
    return Installation(InstallKind.OTHER)
