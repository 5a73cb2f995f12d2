"""Describes a command, before a function is bound to it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
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
    """Return the title of the menu of a group."""
    return shown(_GROUP_NAMES[group])


def menu_titles(groups: Sequence[Group]) -> list[str]:
    """Return the titles of the menus of these groups. The & marks the letter that opens a menu with Alt: each menu has
    its own. Titles whose signs are no keys get the letter of the English title in brackets, as is usual there."""
    titles: list[str] = []
    taken: set[str] = set()
    for group in groups:
        name = "ChatDesk" if group == "Application" else group_name(group)
        if unicodedata.east_asian_width(name[0]) == "W":
            name += f"({group[0]})"
        place = next(at for at, sign in enumerate(name) if _is_key(sign) and sign.casefold() not in taken)
        taken.add(name[place].casefold())
        titles.append(f"{name[:place]}&{name[place:]}")
    return titles


def _is_key(sign: str) -> bool:
    return sign.isalpha() and unicodedata.east_asian_width(sign) != "W"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Command:
    """A command as the catalogue declares it. ``title`` and ``local_keys`` are shown in the language of the program.
    ``shortcuts`` are portable key sequences, the first being the one that is shown. ``local_keys`` are keys that a
    widget handles itself (Del in the list): shown in the help, not registered with the window. ``icon`` is beside
    it in the palette and in menus; ``is_danger``: red there. ``is_own``: made of something that a person wrote, and
    gone with it; found in the palette, without keys and in no menu."""

    id: str
    title: str
    group: Group
    shortcuts: tuple[str, ...] = ()
    local_keys: str = ""
    is_in_palette: bool = True
    is_own: bool = False
    is_quit: bool = False
    icon: str = ""
    is_danger: bool = False
