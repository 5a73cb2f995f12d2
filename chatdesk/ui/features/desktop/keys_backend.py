"""The protocol of what gives ChatDesk keys of the whole desktop, and how it says that it cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from chatdesk.ui.features.desktop.keysyms import DesktopKey

#: Called when bound keys work no longer; with true where somebody has taken them away, so that nobody asks again.
Lost = Callable[[bool], None]


class NoKeys(OSError):
    """This way to keys is not there, or is gone."""


class KeysTaken(NoKeys):
    """Another program has the keys."""


class KeysDenied(NoKeys):
    """The desktop, or the person whom it asked, said no."""


class KeysBackend(Protocol):
    """One way to keys; used for one key, then closed."""

    async def bind(self, key: DesktopKey) -> str:
        """Have the desktop report this key from now on. Returns what the desktop calls the keys that it really took, or
        nothing where they are these. Raises ``NoKeys``. May wait for a person's answer."""

    async def close(self) -> None:
        """Give the key back."""
