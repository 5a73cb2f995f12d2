"""The description of a command, before a function is bound to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from chatdesk.core.texts import Text, shown

Group = Literal["Thread", "Project", "Message", "Go", "View", "Application"]

GROUPS: Final[tuple[Group, ...]] = ("Thread", "Project", "Message", "Go", "View", "Application")
_GROUP_NAMES: Final[dict[Group, Text]] = {
    "Thread": Text("Thread"),
    "Project": Text("Project"),
    "Message": Text("Message"),
    "Go": Text("Go"),
    "View": Text("View"),
    "Application": Text("Application"),
}


def group_name(group: Group) -> str:
    """Return what the menu of a group is called."""
    return shown(_GROUP_NAMES[group])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Command:
    """A command as the catalogue declares it. ``title`` and ``local_keys`` are shown in the language of the program.
    ``shortcuts`` are portable key sequences, the first being the one that is shown. ``local_keys`` are keys that a
    widget handles itself (Del in the list): shown in the help, not registered with the window. ``icon`` is beside
    it in the palette. ``is_own``: made of something that a person wrote, and gone with it; found in the palette,
    without keys and in no menu."""

    id: str
    title: str
    group: Group
    shortcuts: tuple[str, ...] = ()
    local_keys: str = ""
    is_in_palette: bool = True
    is_own: bool = False
    is_quit: bool = False
    icon: str = ""
