"""Finds out how this copy of ChatDesk was installed, and by what it is updated."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from chatdesk.core.child_process import is_packaged, package_parent
from chatdesk.core.texts import Text
from chatdesk.core.updates.feed_source import FeedSource

VERSIONS: Final = "versions"
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


# Where packages of the system are.
_PLACES: Final = {"/usr": InstallKind.APT, "/app": InstallKind.FLATPAK, "/snap": InstallKind.SNAP}


@dataclass(frozen=True, slots=True)
class Installation:
    """The way in which this copy of ChatDesk was installed. ``place`` is the folder of a portable program with all its
    versions, None for every other kind."""

    kind: InstallKind
    place: Path | None = None


def find_installation() -> Installation:
    """Return how the program that runs was installed."""
    if is_packaged():
        return _packaged(Path(sys.executable).resolve().parent)
    parent = Path(package_parent() or "")
    if (parent / ".git").exists():
        return Installation(InstallKind.CHECKOUT)
    is_pipx = (Path(sys.prefix) / "pipx_metadata.json").exists()
    return Installation(InstallKind.PIPX if is_pipx else InstallKind.PIP)


def how_updated(installation: Installation, source: FeedSource | None, *, is_wanted: bool) -> Text:
    """Return the sentence about what updates a copy; ``is_wanted``: the person wants the feed looked at."""
    if installation.place is None or source is None:
        return _HOW[installation.kind]
    if is_wanted:
        return Text("Looks for a new version once a day; it is installed when you say so.")
    return Text("Looks for a new version only when you ask for it (Settings, General, Updates).")


def program_path() -> Path:
    """Return the path by which a packaged program is started, which an update does not change."""
    program = Path(sys.executable).resolve()
    place = _packaged(program.parent).place
    return program if place is None else place / "current" / program.name


def _packaged(folder: Path) -> Installation:
    for root, kind in _PLACES.items():
        if folder.is_relative_to(root):
            return Installation(kind)
    place = folder.parent.parent
    if folder.parent.name == VERSIONS and (place / "current").is_symlink():
        return Installation(InstallKind.PORTABLE, place)
    return Installation(InstallKind.OTHER)
