"""Takes keys of a whole desktop through its portal, which asks the person:
https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.GlobalShortcuts.html

Keys have the names of https://specifications.freedesktop.org/shortcuts-spec/latest/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence

from chatdesk.core.hidden_characters import clean_line
from chatdesk.ui.features.desktop.portal import PERSON_S, NoPortal, Portal, PortalDenied, new_token, open_portal

_NAME: Final = "org.freedesktop.portal.GlobalShortcuts"
_SESSION: Final = "org.freedesktop.portal.Session"
_ID: Final = "quick-question"
_LONGEST_DESCRIPTION: Final = 60
_KEY = Qt.Key
# The keys that are no character.
_OTHERS: Final = {
    _KEY.Key_Escape: "Escape",
    _KEY.Key_Tab: "Tab",
    _KEY.Key_Backspace: "BackSpace",
    _KEY.Key_Return: "Return",
    _KEY.Key_Enter: "KP_Enter",
    _KEY.Key_Insert: "Insert",
    _KEY.Key_Delete: "Delete",
    _KEY.Key_Pause: "Pause",
    _KEY.Key_Print: "Print",
    _KEY.Key_Home: "Home",
    _KEY.Key_Left: "Left",
    _KEY.Key_Up: "Up",
    _KEY.Key_Right: "Right",
    _KEY.Key_Down: "Down",
    _KEY.Key_PageUp: "Prior",
    _KEY.Key_PageDown: "Next",
    _KEY.Key_End: "End",
    _KEY.Key_Menu: "Menu",
}
_SIGNS: Final = {
    " ": "space",
    "'": "apostrophe",
    "+": "plus",
    ",": "comma",
    "-": "minus",
    ".": "period",
    "/": "slash",
    ";": "semicolon",
    "=": "equal",
    "[": "bracketleft",
    "\\": "backslash",
    "]": "bracketright",
    "`": "grave",
}
_MODIFIERS: Final = {
    Qt.KeyboardModifier.ControlModifier: "CTRL",
    Qt.KeyboardModifier.AltModifier: "ALT",
    Qt.KeyboardModifier.ShiftModifier: "SHIFT",
    Qt.KeyboardModifier.MetaModifier: "LOGO",
}

# Called when the bound keys stop working, with True if the person removed them: ChatDesk does not ask again then.
Lost = Callable[[bool], None]


class NoKeys(OSError):
    """The portal is not available, or is gone."""


class KeysDenied(NoKeys):
    """The desktop, or the person whom it asked, denied the keys."""


class PortalKeys:
    """One key of the desktop. ``pressed`` and ``lost`` are called on the loop; ``description`` is the desktop's text
    for it."""

    def __init__(self, pressed: Callable[[], None], lost: Lost, description: str) -> None:
        self._pressed, self._lost = pressed, lost
        self._description = description
        self._portal: Portal | None = None
        self._session = ""

    async def bind(self, trigger: str) -> str:
        """Bind the key of this name: the desktop reports it from now on. Return what the desktop calls the keys that it
        really took, or nothing where they are these. Raises ``NoKeys``. May wait for a person's answer."""
        try:
            portal = self._portal = await open_portal()
            await portal.listen(_NAME, self._on_signal)
            await portal.listen(_SESSION, self._on_session_signal)
            await portal.listen_for_end(lambda: self._lost(False))
            token = {"session_handle_token": ("s", new_token())}
            self._session = str(
                (await portal.request(_NAME, "CreateSession", "a{sv}", options=token)).get("session_handle", "")
            )
            wanted = {"description": ("s", self._description), "preferred_trigger": ("s", trigger)}
            found = await portal.request(
                _NAME, "BindShortcuts", "oa(sa{sv})sa{sv}", self._session, [(_ID, wanted)], "", wait_s=PERSON_S
            )
        except PortalDenied as error:
            raise KeysDenied(str(error)) from error
        except NoPortal as error:
            raise NoKeys(str(error)) from error
        try:
            bound = dict(found.get("shortcuts", ()))
            taken = None if _ID not in bound else bound[_ID].get("trigger_description", ("s", ""))[1]
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise NoKeys("the portal names keys in a form of its own") from error
        if taken is None:
            raise KeysDenied("the desktop left the keys out")
        return clean_line(str(taken))[:_LONGEST_DESCRIPTION]

    async def close(self) -> None:
        """Release the key."""
        if self._portal is not None:
            await self._portal.close()  # a session ends with its connection

    def _on_signal(self, name: str, values: tuple[Any, ...]) -> None:
        if name == "Activated" and values[:2] == (self._session, _ID):
            self._pressed()

    def _on_session_signal(self, name: str, _values: tuple[Any, ...]) -> None:
        if name == "Closed":
            self._lost(True)


def trigger_of(keys: str) -> str | None:
    """Return the name that portals have for ``keys``, one portable key sequence; None where they have none."""
    sequence = QKeySequence(keys, QKeySequence.SequenceFormat.PortableText)
    if sequence.count() != 1:
        return None
    combination: QKeyCombination = sequence[0]  # type: ignore[index]  # the stubs lack it
    name = _name_of(combination.key())
    held = (word for modifier, word in _MODIFIERS.items() if combination.keyboardModifiers() & modifier)
    return "+".join((*held, name)) if name else None


def _name_of(key: Qt.Key) -> str:
    if key in _OTHERS:
        return _OTHERS[key]
    if _KEY.Key_F1 <= key <= _KEY.Key_F24:
        return f"F{key - _KEY.Key_F1 + 1}"
    sign = chr(key).lower() if 0x20 <= key <= 0x7E else ""
    return _SIGNS.get(sign, sign if sign.isalnum() else "")
