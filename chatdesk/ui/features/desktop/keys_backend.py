"""The protocol of backends that bind keys of the whole desktop, and their errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from chatdesk.ui.features.desktop.keysyms import DesktopKey

# Called when bound keys work no longer; with true where somebody has taken them away, so that nobody asks again.
Lost = Callable[[bool], None]


class NoKeys(OSError):
    """The backend is not available, or is gone."""


class KeysTaken(NoKeys):
    """Another program has the keys."""


class KeysDenied(NoKeys):
    """The desktop, or the person whom it asked, denied the keys."""


class KeysBackend(Protocol):
    """A backend that binds one key, and is then closed."""

    async def bind(self, key: DesktopKey) -> str:
        """Bind the key: the desktop reports it from now on. Return what the desktop calls the keys that it really took,
        or nothing where they are these. Raises ``NoKeys``. May wait for a person's answer."""

    async def close(self) -> None:
        """Release the key."""
