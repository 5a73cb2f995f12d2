"""Finds programs as the person's shell would, even if ChatDesk was started from an icon, and selects the environment of
a server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from chatdesk.core.system.processes import child_environment
from chatdesk.core.texts import Sentences, Text

SHELL_S: Final = 3.0
_MARK: Final = "chatdesk-path:"
# Beside the PATH of a login shell, which may set these up for terminals only.
_USUAL: Final = (
    "~/.local/bin",
    "~/.cargo/bin",
    "~/.volta/bin",
    "~/.bun/bin",
    "~/.deno/bin",
    "~/.asdf/shims",
    "~/.local/share/mise/shims",
    "~/.local/share/pnpm",
    "/opt/homebrew/bin",
    "/home/linuxbrew/.linuxbrew/bin",
    "/usr/local/bin",
    "/usr/bin",
    "/bin",
    "/snap/bin",
)
# The line that installs a program that servers are often started with.
INSTALL_LINES: Final[Mapping[str, str]] = {
    "npx": Text("Install Node.js: https://nodejs.org (on Debian and Ubuntu: sudo apt install npm)."),
    "node": Text("Install Node.js: https://nodejs.org (on Debian and Ubuntu: sudo apt install nodejs)."),
    "bunx": Text("Install Bun: https://bun.sh."),
    "deno": Text("Install Deno: https://deno.com."),
    "uvx": Text("Install uv: pipx install uv (or see https://docs.astral.sh/uv)."),
    "uv": Text("Install uv: pipx install uv (or see https://docs.astral.sh/uv)."),
    "pipx": Text("Install pipx (on Debian and Ubuntu: sudo apt install pipx)."),
    "docker": Text("Install Docker: https://docs.docker.com/get-docker."),
}
# The variables that tell a program its user, its folders and its language; none can be a key.
_GIVEN: Final = re.compile(
    r"HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TMP|TEMP|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT"
    r"|APPDATA|LOCALAPPDATA|PROGRAM\w+|USERPROFILE|HOMEDRIVE|HOMEPATH"
)


class ProgramFinder:
    """Finds programs. The login shell is asked once; every method may block for seconds and is called in a thread."""

    def __init__(self, *, home: Path | None = None, environ: Mapping[str, str] | None = None) -> None:
        self._home = home or Path.home()
        self._environ = dict(child_environment() if environ is None else environ)
        self._folders: tuple[str, ...] | None = None

    def find(self, program: str) -> str | None:
        """Return the absolute path of a program; None if there is none that may be run."""
        path = self._home / program[2:] if program.startswith("~/") else Path(program)
        if path.is_absolute():
            return shutil.which(str(path))
        return shutil.which(program, path=os.pathsep.join(self.folders())) if path.name == program else None

    def folders(self) -> tuple[str, ...]:
        """Return the folders in which programs are looked for, in this order, each once."""
        if self._folders is None:
            own = self._environ.get("PATH", "").split(os.pathsep)
            usual = [str(self._home / each[2:]) if each.startswith("~/") else each for each in _USUAL]
            found = [*self._of_login_shell(), *own, *self._of_nvm(), *usual]
            existing = (each for each in found if Path(each).is_absolute() and Path(each).is_dir())
            self._folders = tuple(dict.fromkeys(existing))
        return self._folders

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a server: the variables by which it finds its user, programs and files, and
        ``given``."""
        kept = {name: value for name, value in self._environ.items() if _GIVEN.fullmatch(name.upper())}
        return {**kept, "PATH": os.pathsep.join(self.folders()), **given}

    def _of_login_shell(self) -> Sequence[str]:
        shell = self._environ.get("SHELL") or os.environ.get("SHELL", "")
        if sys.platform == "win32" or not Path(shell).is_absolute() or not os.access(shell, os.X_OK):
            return ()
        try:
            # A session of its own: a shell that asks for something has no terminal to wait at.
            asked = subprocess.run(
                [shell, "-l", "-c", f'printf "\\n{_MARK}%s\\n" "$PATH"'],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=SHELL_S,
                start_new_session=True,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            return ()
        for line in asked.stdout.decode("utf-8", "replace").splitlines():
            if line.startswith(_MARK):
                return line.removeprefix(_MARK).split(os.pathsep)
        return ()

    def _of_nvm(self) -> Sequence[str]:
        """Return the folders of Node.js that nvm installed, the newest version first."""
        versions = (self._home / ".nvm" / "versions" / "node").glob("v*/bin")
        return [str(each) for each in sorted(versions, key=_version_of, reverse=True)]


def _version_of(folder: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", folder.parent.name))


def missing_text(program: str) -> str:
    """Return a sentence for a program that was not found, with the line that installs it where it is known."""
    install = INSTALL_LINES.get(Path(program).name, Text("Install it, or give its whole path."))
    return Sentences.of(Text("The program “{name}” was not found.", name=program), install)
