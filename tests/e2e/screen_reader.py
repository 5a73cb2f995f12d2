"""A screen reader in small: an outside program that knows ChatDesk only through the accessibility bus and the keyboard.

Runs on the system's Python, which has gi and Atspi; it imports nothing of ChatDesk.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

WAIT_S = 30.0
_STEP_S = 0.02


class Gone(Exception):
    """What was looked for did not appear in time."""


class ScreenReader:
    """``heard`` holds every announcement so far. The focus is where the last event said: states are not to be trusted
    (Qt calls the current row of a list focused wherever the keyboard is)."""

    def __init__(self) -> None:
        Atspi.init()
        Atspi.set_timeout(int(WAIT_S * 1000), int(WAIT_S * 1000))  # a busy machine answers later than within 0.8 s
        self.heard: list[str] = []
        self._focus: Any = None
        self._listener = Atspi.EventListener.new(self._on_event)
        self._listener.register("object:announcement")
        self._listener.register("object:state-changed:focused")
        self.application = self.until(self._find_application, "ChatDesk on the accessibility bus")
        self.until(self.give_keyboard, "a window that takes the keyboard")

    # Waiting

    def until(self, look: Callable[[], Any], what: str) -> Any:
        """What ``look`` gives once it is true; objects that vanish while they are looked at are looked for again."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            self.listen()
            try:
                found = look()
            except GLib.Error:
                found = None
            if found:
                return found
            time.sleep(_STEP_S)
        raise Gone(f"{what}; heard {self.heard[-5:]}; focus on {describe(self.focused())}")

    def listen(self) -> None:
        context = GLib.MainContext.default()
        while context.iteration(False):
            pass

    def hear(self, pattern: str) -> str:
        """The next announcement that matches; what came before it is forgotten."""

        def look() -> str | None:
            for place, sentence in enumerate(self.heard):
                if re.search(pattern, sentence):
                    del self.heard[: place + 1]
                    return sentence
            return None

        return str(self.until(look, f"an announcement like {pattern!r}"))

    # The keyboard

    def press(self, *keys: str) -> None:
        subprocess.run(["xdotool", "key", "--clearmodifiers", *keys], check=True, timeout=WAIT_S)

    def type(self, text: str) -> None:
        subprocess.run(["xdotool", "type", "--clearmodifiers", "--delay", "12", text], check=True, timeout=WAIT_S)

    # What there is

    def all(self, root: Any = None, *, depth: int = 25) -> Iterator[Any]:
        """Everything under ``root``, parents first."""
        root = root or self.application
        yield root
        if depth:
            for place in range(root.get_child_count()):
                child = root.get_child_at_index(place)
                if child is not None:
                    yield from self.all(child, depth=depth - 1)

    def find(self, role: str, name: str = "", root: Any = None) -> Any:
        """The first thing on the screen with this role and a name that matches."""

        def look() -> Any:
            for each in self.all(root):
                if each.get_role_name() == role and re.search(name, each.get_name() or "") and has(each, "showing"):
                    return each
            return None

        return self.until(look, f"a {role} named like {name!r}")

    def focused(self) -> Any:
        self.listen()
        return self._focus

    def await_focus(self, role: str, name: str = "") -> Any:
        def look() -> Any:
            each = self.focused()
            is_it = each is not None and each.get_role_name() == role and re.search(name, each.get_name() or "")
            return each if is_it else None

        return self.until(look, f"the focus on a {role} named like {name!r}")

    def tab_to(self, role: str, name: str) -> Any:
        """Press Tab until the focus is there."""
        for _ in range(30):
            each = self.focused()
            if each is not None and each.get_role_name() == role and re.search(name, each.get_name() or ""):
                return each
            before = describe(each)
            self.press("Tab")
            self.until(lambda before=before: describe(self.focused()) != before, "the focus to move")
        raise Gone(f"Tab never reached a {role} named like {name!r}")

    def _find_application(self) -> Any:
        desktop = Atspi.get_desktop(0)
        desktop.clear_cache()
        for place in range(desktop.get_child_count()):
            each = desktop.get_child_at_index(place)
            if each is not None and each.get_child_count():
                return each
        return None

    def give_keyboard(self) -> bool:
        """What a window manager does for the main window; none runs here."""
        command = ["xdotool", "search", "--onlyvisible", "--name", "ChatDesk", "windowfocus"]
        return subprocess.run(command, capture_output=True, timeout=WAIT_S, check=False).returncode == 0

    def _on_event(self, event: Any) -> None:
        if event.type.startswith("object:announcement"):
            self.heard.append(str(event.any_data))
        elif event.detail1:
            self._focus = event.source


def has(each: Any, state: str) -> bool:
    return bool(each.get_state_set().contains(getattr(Atspi.StateType, state.upper())))


def describe(each: Any) -> str:
    try:
        return f"{each.get_role_name()} {each.get_name()!r}" if each is not None else "nothing"
    except GLib.Error:
        return "something that is gone"


def whole_text(each: Any) -> str:
    return str(Atspi.Text.get_text(each, 0, Atspi.Text.get_character_count(each)))


def read_by(each: Any, step: str) -> list[str]:
    """The whole text, as a reader hears it who moves on by ``char``, ``word``, ``line`` or ``sentence``."""
    granularity = getattr(Atspi.TextGranularity, step.upper())
    count, place, pieces = Atspi.Text.get_character_count(each), 0, []
    while place < count:
        piece = Atspi.Text.get_string_at_offset(each, place, granularity)
        pieces.append(piece.content)
        if piece.end_offset <= place:
            break
        place = piece.end_offset
    return pieces
