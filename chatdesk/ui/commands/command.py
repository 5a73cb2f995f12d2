"""The description of a command, before a function is bound to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Group = Literal["Thread", "Project", "Message", "Go", "View", "Application"]

GROUPS: Final[tuple[Group, ...]] = ("Thread", "Project", "Message", "Go", "View", "Application")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Command:
    """``shortcuts`` are portable key sequences, the first being the one that is shown. ``local_keys`` are keys that a
    widget handles itself (Del in the list): shown in the help, not registered with the window. ``icon`` stands
    beside it in the palette. ``is_own``: made of something that a person wrote, and gone with it; found in the palette,
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
