"""Removes a computer: those that stay go on with a new phrase in a folder of their own, and a notice says so to all.

The removed computer knows the former phrase, so nothing that is sealed with it is trusted from then on. The notice is
sealed with it all the same, for those who stay: it stops the exchange, and says that the new phrase is needed. It
brings nothing else with it: who forges one with the former phrase stops the exchange, and gets no further.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from chatdesk.core.errors import InvalidInput
from chatdesk.core.hidden_characters import strangers_name
from chatdesk.core.paths import make_private_folder
from chatdesk.core.sync.computers.library_key import CannotUnseal, Kind, LibraryKey
from chatdesk.core.sync.computers.place import Place
from chatdesk.core.sync.computers.segments import object_in, whole_number, word
from chatdesk.core.sync.errors import TeamError
from chatdesk.core.system.file_writing import replacing
from chatdesk.core.system.small_files import read_small_file
from chatdesk.core.texts import Text

_SEEN: Final = "removed"
_LONGEST: Final = 65_536
_LONGEST_NAME: Final = 80


class ComputerRemoved(TeamError):
    code = "computers_removed"
    safe = Text("Everything that you wrote here is kept on this computer, also what had not been sent.")
    next_step = Text("Join again with the new recovery phrase, or forget the folder.")


class PhraseReplaced(TeamError):
    code = "computers_phrase_replaced"
    safe = Text("Everything that you wrote here is kept on this computer, and merged when you have joined again.")
    next_step = Text("Join again with the new recovery phrase. If you did not remove any, begin with another folder.")


class OlderPhrase(InvalidInput):
    code = "computers_older_phrase"
    what = Text("This recovery phrase was replaced when a computer was removed.")
    safe = Text("Nothing was changed.")
    next_step = Text("Use the phrase that was shown then.")


@dataclass(frozen=True, slots=True)
class Notice:
    """The notice of a removal. ``device`` and ``name``: of the removed computer; ``by``: the name of the one that
    removed it; ``at``: when, by its clock."""

    device: str
    name: str
    by: str
    at: int

    def error(self, device: str) -> TeamError:
        """Return the error of a computer that finds the notice."""
        if device == self.device:
            return ComputerRemoved(Text("This computer was removed on {computer}.", computer=self.by))
        return PhraseReplaced(
            Text(
                "{name} was removed on {computer}, so there is a new recovery phrase.", name=self.name, computer=self.by
            )
        )


def write(place: Place, key: LibraryKey, notice: Notice, computer: str) -> None:
    """Write a notice into the former folder; ``computer`` is the name there of the one that removes."""
    place.write(place.removal_name(computer), key.seal(Kind.REMOVAL, computer, 0, json.dumps(asdict(notice)).encode()))


def check(place: Place, key: LibraryKey, data: Path, device: str) -> set[str]:
    """Raise ``ComputerRemoved`` or ``PhraseReplaced`` once a notice was seen, also where it is gone since. ``data``:
    the folder of this computer's logs. Returns the files that look like notices and are none."""
    notice, unreadable = seen(data), set[str]()
    if notice is None:
        notice, unreadable = _find(place, key)
    if notice is None:
        return unreadable
    _keep(data, notice)
    raise notice.error(device)


def check_phrase(place: Place, key: LibraryKey) -> None:
    """Raise ``OlderPhrase`` where a computer was removed since the phrase was made."""
    if _find(place, key)[0] is not None:
        raise OlderPhrase


def seen(data: Path) -> Notice | None:
    """Return the notice that this computer has seen, if any."""
    try:
        return _notice(read_small_file(data / _SEEN, _LONGEST))
    except (OSError, ValueError):
        return None


def _find(place: Place, key: LibraryKey) -> tuple[Notice | None, set[str]]:
    unreadable: set[str] = set()
    for computer, path in place.removals():
        try:
            return _notice(key.unseal(Kind.REMOVAL, computer, 0, place.read(path) or b"")), unreadable
        except (CannotUnseal, ValueError):
            unreadable.add(path)
    return None, unreadable


def _keep(data: Path, notice: Notice) -> None:
    if seen(data) is None:
        make_private_folder(data)
        with replacing(data / _SEEN) as file:
            file.write(json.dumps(asdict(notice)).encode())


def _notice(data: bytes) -> Notice:
    """Raises ``ValueError``."""
    said = object_in(data)
    try:
        name, by = (strangers_name(word(said[each]), _LONGEST_NAME) for each in ("name", "by"))
        return Notice(word(said["device"]), name, by, whole_number(said["at"]))
    except KeyError as error:
        raise ValueError(str(error)) from error
