"""Starts ChatDesk when the person logs in, by the file that desktops read:
https://specifications.freedesktop.org/autostart-spec/latest/

The file alone says whether it is so; desktops have tools of their own that remove it or switch it off. In a sandbox the
portal of the desktop is asked instead.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from chatdesk.core.errors import InvalidInput
from chatdesk.core.system.child_process import is_packaged
from chatdesk.core.system.file_writing import remove_file, write_text
from chatdesk.core.system.small_files import read_small_file
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text, tr
from chatdesk.core.updates import program_path
from chatdesk.ui.features.desktop.portal import PERSON_S, NoPortal, open_portal

_NAME: Final = "chatdesk.desktop"
_SANDBOX: Final = Path("/.flatpak-info")
_OFF: Final = ("hidden=true", "x-gnome-autostart-enabled=false")
_MOST_BYTES: Final = 64 * 1024
_PORTAL: Final = "org.freedesktop.portal.Background"
_PROGRAM: Final = "chatdesk"  # the program's name in the sandbox


class NoStartAtLogin(InvalidInput):
    code = "no_start_at_login"
    what = Text("ChatDesk cannot be started at login from here.")
    safe = Text("Nothing was changed.")
    next_step = Text("Add it to the programs that your system starts at login.")


def is_in_sandbox() -> bool:
    """Return whether the folder that desktops read is out of reach, so that their portal has to be asked."""
    return sys.platform.startswith("linux") and _SANDBOX.exists()


def autostart_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the path of the file."""
    home = environment.get("XDG_CONFIG_HOME", "")
    return (Path(home) if home.startswith("/") else Path.home() / ".config") / "autostart" / _NAME


def starts_at_login(file: Path) -> bool:
    """Return whether a desktop that reads the file starts ChatDesk."""
    try:
        text = read_small_file(file, _MOST_BYTES).decode("utf-8", "replace")
    except (OSError, ValueError):
        return False
    lines = text.lower().replace(" ", "").splitlines()
    return not any(line in _OFF for line in lines)


def set_start_at_login(file: Path, *, is_on: bool, arguments: Sequence[str] = ()) -> None:
    """Write or remove the file; ``arguments`` are those of the command. Raises ``NoStartAtLogin``."""
    if not sys.platform.startswith("linux"):
        raise NoStartAtLogin
    try:
        if is_on:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_text(file, _text_of([*start_command(), *arguments]))
        else:
            remove_file(file)
    except OSError as error:
        raise NoStartAtLogin(
            Text("The file for starting at login could not be changed: {strerror}.", strerror=reason_text(error))
        ) from error


def start_command() -> list[str]:
    """Return the command that starts this ChatDesk from anywhere."""
    return [str(program_path())] if is_packaged() else [sys.executable, "-P", "-m", "chatdesk"]


def _text_of(command: Sequence[str]) -> str:
    return (
        "[Desktop Entry]\nType=Application\nVersion=1.0\nName=ChatDesk\nComment=Chat with language models\n"
        f"Exec={' '.join(map(_quoted, command))}\nIcon=chatdesk\nTerminal=false\n"
    )


def _quoted(word: str) -> str:
    """Return a word of a command as desktop entries have it: quoted, escaped once for the quotes and once for the
    value, and with its percent signs doubled."""
    escaped = "".join(f"\\{each}" if each in '"`$\\' else each for each in word)
    return '"' + escaped.replace("\\", "\\\\").replace("%", "%%").replace("\n", "\\n") + '"'


async def ask_for_start_at_login(*, is_on: bool, arguments: Sequence[str] = ()) -> None:
    """Ask the desktop to start ChatDesk at login, or to stop that; ``arguments`` are those of the command. The desktop
    may ask the person, and cancelling takes its question away. Raises ``NoStartAtLogin``."""
    options: dict[str, tuple[str, object]] = {
        "reason": ("s", tr("Start when you log in")),
        "autostart": ("b", is_on),
        "commandline": ("as", [_PROGRAM, *arguments]),
    }
    try:
        portal = await open_portal()
        try:
            found = await portal.request(_PORTAL, "RequestBackground", "sa{sv}", "", options=options, wait_s=PERSON_S)
        finally:
            await portal.close()
    except NoPortal as error:
        raise NoStartAtLogin from error
    if found.get("autostart") is not is_on:
        raise NoStartAtLogin
