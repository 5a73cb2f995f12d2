"""Looks at a folder before anything is written there or taken from there: whether it can be used, and whose it is."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from chatdesk.core.domain.sharing.team_setup import CheckState, SetupCheck
from chatdesk.core.errors import InvalidInput
from chatdesk.core.hidden_characters import strangers_name
from chatdesk.core.storage.sync.private_log import ComputerRow
from chatdesk.core.sync.computers import removal
from chatdesk.core.sync.computers.folder_store import is_library_of
from chatdesk.core.sync.computers.library_key import LibraryKey
from chatdesk.core.sync.computers.place import Place, PlaceUnreachable
from chatdesk.core.sync.computers.reading import read_computers
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text

_LONGEST_NAME: Final = 80


class PlaceTaken(InvalidInput):
    code = "computers_place_taken"
    what = Text("This folder is not empty.")
    safe = Text("Nothing was changed.")
    next_step = Text(
        "Choose an empty folder, or a new one inside. If your other computer uses this one, join it with the phrase."
    )


class NoLibraryThere(InvalidInput):
    code = "computers_no_library"
    what = Text("No computer of yours has written into this folder, as far as it has arrived here.")
    safe = Text("Nothing was changed.")
    next_step = Text("Wait until the folder has been carried here, or look whether it is the right one.")


class OtherPhrase(InvalidInput):
    code = "computers_other_phrase"
    what = Text("The recovery phrase is not the one of this folder.")
    safe = Text("Nothing was changed.")
    next_step = Text(
        "Use the phrase that was shown when the first computer began with this folder, or when one was removed since."
    )


@dataclass(frozen=True, slots=True)
class FoundLibrary:
    """A library that a phrase opens: its folder, its computers, and how many bytes it has."""

    place: Path
    computers: tuple[ComputerRow, ...]
    size: int


def shown_name(name: str) -> str:
    """Return the name of a computer for a person: whoever has the phrase may have written it."""
    return strangers_name(name, _LONGEST_NAME) or "?"


def examine(folder: Path, *, is_start: bool) -> tuple[SetupCheck, ...]:
    """Return the checks of a folder, in order, up to the first that fails. ``is_start``: it has to be empty, else one
    of ChatDesk."""
    found = [_existing(folder)]
    if found[-1].state is not CheckState.FAILED:
        found.append(_writable(folder))
    if found[-1].state is not CheckState.FAILED:
        found.append(_contents(folder, is_start=is_start))
    return tuple(found)


def look(folder: Path, key: LibraryKey) -> FoundLibrary:
    """Return the library of a phrase. Raises ``NoLibraryThere``, ``OtherPhrase``, ``PhraseReplaced`` and
    ``TeamError``."""
    place = find(folder, key)
    removal.check_phrase(place, key)
    rows = (replace(row, name=shown_name(row.name)) for row in read_computers(place, key).values())
    return FoundLibrary(place.path, tuple(rows), place.total_size())


def find(folder: Path, key: LibraryKey) -> Place:
    """Return the folder of a library: the one that was chosen, or one inside that was made when a computer was
    removed."""
    places = [Place(folder), *Place(folder).later_ones()]
    candidates = [(place, path) for place in places for path in place.libraries()]
    if not candidates:
        raise NoLibraryThere
    for place, path in candidates:
        if is_library_of(key, place.read(path)):
            return place
    raise OtherPhrase


def _existing(folder: Path) -> SetupCheck:
    name = Text("Folder")
    if folder.is_dir():
        return SetupCheck(name, CheckState.OK, Text("It is there."))
    if folder.exists():
        return SetupCheck(name, CheckState.FAILED, Text("This is a file. Choose a folder."))
    if folder.parent.is_dir():
        return SetupCheck(name, CheckState.OK, Text("It is made when you go on."))
    return SetupCheck(
        name, CheckState.FAILED, Text("It is not there, nor is the folder around it. Connect the disk, or look again.")
    )


def _writable(folder: Path) -> SetupCheck:
    name = Text("Writing")
    try:
        with tempfile.TemporaryFile(dir=folder if folder.is_dir() else folder.parent, prefix=".chatdesk") as file:
            file.write(b"?" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return SetupCheck(name, CheckState.FAILED, Text("It cannot be written: {reason}.", reason=reason_text(error)))
    return SetupCheck(name, CheckState.OK, Text("It can be written."))


def _contents(folder: Path, *, is_start: bool) -> SetupCheck:
    name, place = Text("Contents"), Place(folder)
    try:
        is_library = folder.is_dir() and bool(place.libraries() or place.later_ones())
        is_empty = not folder.is_dir() or place.is_empty()
    except PlaceUnreachable as error:
        return SetupCheck(name, CheckState.FAILED, Text("{problem}", problem=error.what))
    if is_library:
        words = (
            Text("Another computer of yours uses it already. Cancel, and choose Join.")
            if is_start
            else Text("It is a folder of ChatDesk.")
        )
        return SetupCheck(name, CheckState.FAILED if is_start else CheckState.OK, words)
    if not is_start:
        return SetupCheck(name, CheckState.FAILED, NoLibraryThere.what)
    if is_empty:
        return SetupCheck(name, CheckState.OK, Text("The folder is empty."))
    return SetupCheck(name, CheckState.FAILED, Text("It has other files. Choose an empty folder, or a new one inside."))
