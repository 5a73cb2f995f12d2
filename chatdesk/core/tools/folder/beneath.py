"""Opens files and folders inside one folder, and nothing outside it.

Every folder on the way is opened in the one above it, and no link is followed (``openat`` with ``O_NOFOLLOW``). A path
that is checked before it is opened may change in between; a descriptor always refers to the same file.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from chatdesk.core.errors import InvalidInput
from chatdesk.core.hidden_characters import has_hidden
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text, size_text

# Whether this system can open files in an open folder. Windows cannot.
CAN_OPEN_BENEATH: Final = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")

_FOLDER: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
# A folder on the way may be one that can be passed through but not listed.
_WAY: Final = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_FILE: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_LONGEST_PATH: Final = 1_000
_MOST_NAMES: Final = 40


class FileRefused(InvalidInput):
    """A tool requests something in the project's folder that is impossible or forbidden."""

    code = "project_file_refused"
    what = Text("This file of the project's folder cannot be used.")
    safe = Text("Nothing was changed.")
    next_step = Text("Choose another file.")


def names_of(path: str, *, allows_secrets: bool = False) -> tuple[str, ...]:
    """Return the names in a path inside the folder; none for the folder itself. Raises ``FileRefused`` for a path that
    leads out of it, that hides something, or that usually holds secrets, unless the person allowed this one."""
    if len(path) > _LONGEST_PATH or not is_plain(path):
        raise FileRefused(Text("This path is too long, or has characters that cannot be seen."))
    if path.startswith(("/", "~")):
        raise FileRefused(Text("Paths begin at the project's folder: “src/main.py”, for example."))
    names = tuple(name for name in path.split("/") if name not in ("", "."))
    if ".." in names:
        raise FileRefused(Text("A path cannot lead out of the project's folder."))
    if len(names) > _MOST_NAMES:
        raise FileRefused(Text("This path is too deep."))
    for name in names:
        if hides_secrets(name) and not (allows_secrets and looks_secret(name)):
            raise FileRefused(
                Text("“{name}” usually holds secrets, or is managed by a program, so no tool may use it.", name=name)
            )
    return names


@contextmanager
def opened(folder: Path, names: Sequence[str] = ()) -> Iterator[int]:
    """Yield the descriptor of a folder below ``folder``, which is absolute. Raises ``FileRefused``."""
    with _opened_top(folder) as top, opened_below(top, names) as found:
        yield found


@contextmanager
def _opened_top(folder: Path) -> Iterator[int]:
    """Yield the project's folder. It was resolved when it was chosen, so a link in its path was made since."""
    at = os.open(folder.anchor, _FOLDER)
    try:
        for place, name in enumerate(folder.parts[1:], 2):
            try:
                at = _step(at, name, _FOLDER if place == len(folder.parts) else _WAY)
            except OSError as error:
                raise FileRefused(
                    Text("The project's folder cannot be opened, or there is a link on the way to it."),
                    next_step=Text("Choose it again in the project's dialog."),
                ) from error
        yield at
    finally:
        os.close(at)


@contextmanager
def opened_below(top: int, names: Sequence[str]) -> Iterator[int]:
    """Yield the descriptor of a folder below an open one. Raises ``FileRefused``."""
    at = os.dup(top)
    try:
        for name in names:
            try:
                at = _step(at, name, _FOLDER)
            except OSError as error:
                raise _refused(error, "/".join(names), is_folder=True) from error
        yield at
    finally:
        os.close(at)


def _step(at: int, name: str, flags: int) -> int:
    """Open a folder in the open folder ``at``, which is closed only where that works."""
    below = os.open(name, flags, dir_fd=at)
    os.close(at)
    return below


def opened_file(parent: int, name: str, *, own_link: str = "") -> int:
    """Return the descriptor of a regular file in an open folder, open for reading. ``own_link`` is a second name beside
    it that ChatDesk gave it; one with any other second name could be a file outside. Raises ``FileRefused``; for one
    that is not there ``FileNotFoundError``."""
    try:
        # Looked at first: to open a device may do something.
        if not stat.S_ISREG(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            raise FileRefused(
                Text("“{name}” is not a file but a folder, a link or a device. Links are not followed.", name=name)
            )
        found = os.open(name, _FILE, dir_fd=parent)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _refused(error, name, is_folder=False) from error
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise FileRefused(Text("“{name}” is no longer a file.", name=name))
    if os.fstat(found).st_nlink > 1 and not _is_own_link(parent, own_link, found):
        os.close(found)
        raise FileRefused(
            Text("“{name}” has a second name (a hard link), perhaps outside of the project's folder.", name=name),
            next_step=Text("Copy it if tools are to use it."),
        )
    return found


def _is_own_link(parent: int, own_link: str, found: int) -> bool:
    """Return whether the second name of an open file, of two, is the one that ChatDesk gave it."""
    if not own_link or os.fstat(found).st_nlink != 2:
        return False
    try:
        return os.path.samestat(os.stat(own_link, dir_fd=parent, follow_symlinks=False), os.fstat(found))
    except OSError:
        return False


def read_file(parent: int, name: str, *, most_bytes: int, own_link: str = "") -> tuple[bytes, os.stat_result]:
    """Return the bytes of a regular file in an open folder, and its status from the system. Raises as ``opened_file``,
    and ``FileRefused`` for a larger one."""
    found = opened_file(parent, name, own_link=own_link)
    with os.fdopen(found, "rb") as file:
        facts = os.fstat(found)
        if facts.st_size > most_bytes:
            raise _too_large(name, most_bytes)
        try:
            data = file.read(most_bytes + 1)
        except OSError as error:
            raise _refused(error, name, is_folder=False) from error
        if len(data) > most_bytes:
            raise _too_large(name, most_bytes)
        return data, facts


def _too_large(name: str, most_bytes: int) -> FileRefused:
    return FileRefused(Text("“{name}” is too large; the limit is {most}.", name=name, most=size_text(most_bytes)))


def _refused(error: OSError, name: str, *, is_folder: bool) -> FileRefused:
    if error.errno in (errno.ELOOP, errno.EMLINK) or (is_folder and error.errno == errno.ENOTDIR):
        return FileRefused(
            Text("“{name}” is not a folder, or there is a link on the way. Links are not followed.", name=name)
            if is_folder
            else Text("“{name}” is not a file but a link. Links are not followed.", name=name)
        )
    if error.errno == errno.ENOENT:
        return FileRefused(
            Text("There is no folder “{name}” in the project's folder.", name=name)
            if is_folder
            else Text("There is no file “{name}” in the project's folder.", name=name)
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return FileRefused(Text("You may not read “{name}”.", name=name))
    return FileRefused(Text("“{name}” cannot be opened: {reason}.", name=name, reason=reason_text(error)))


# Decides which files of a project's folder no tool may see: those that usually hold secrets. Pure.

# Keys and passwords by the names that programs give them, and folders in which a program runs what it finds.
_SECRET: Final = re.compile(
    r"""
    \.git | \.hg | \.svn | \.bzr | \.jj
    | \.ssh | \.gnupg | \.aws | \.azure | \.gcloud | \.kube | \.docker | \.password-store | \.terraform
    | \.env | \.env\.(?!example$|sample$|template$|dist$).* | .*\.env | \.envrc
    | \.netrc | _netrc | \.npmrc | \.yarnrc(\.yml)? | \.pypirc | \.pgpass | \.?my\.cnf | \.htpasswd | \.git-credentials
    | \.dockercfg | \.dockerconfigjson | \.boto | \.s3cfg | \.vault[-_](token|pass.*) | \.authinfo | \.Xauthority
    | \.?rclone\.conf | pgpass\.conf | wg\d+\.conf | \.?kubeconfig(\.ya?ml)? | .*\.kubeconfig | wallet\.dat
    | cookies\.(sqlite|txt) | logins\.json | login[ _]data | key[34]\.db | \.lesshst | \.viminfo
    | \.(msmtp|fetchmail|getmail|offlineimap|mbsync|mutt|terraform|conda)rc | auth\.json
    | (gcp|gcloud|google|firebase|account|sa)[ ._-]?key\.json | \.?age[-_]?keys?(\.txt)?
    | id_(rsa|dsa|ecdsa|ed25519)(?!.*\.pub$).* | .*_(rsa|ed25519)
    | .*\.(pem|key|p12|pfx|p8|jks|keystore|kdbx?|ppk|asc|gpg|ovpn|tfstate|tfvars|mobileprovision)
    | \..*_?history
    | (?!.*\.(c|cc|cpp|cs|css|dart|go|h|hpp|html|java|js|jsx|kt|less|mjs|php|pyi?|rb|rs|scss|svelte|swift|tsx?|vue)$)
      .*token(?!i[sz]).*
    | (\.|client_)?secrets?(\.[a-z0-9]+)? | credentials?(\.[a-z0-9]+)? | service[-_]?account.*\.json
    | (.*[ ._-])?(passw(or)?ds?|passphrases?|secrets?|credentials?|(api|private|access)[ ._-]?keys?)([ ._-].*)?
      \.(txt|csv|tsv|json|ya?ml|toml|ini|conf|cfg|xml|properties|db|sqlite\d?|xlsx?|ods|docx?|odt)
    | passwd | shadow | api[-_]?keys? | private[-_]?keys?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PROGRAMS: Final = re.compile(r"\.(git|hg|svn|bzr|jj)", re.IGNORECASE)
# Suffixes that people and programs give to copies: an ending, a tilde, a number, a date or a time.
_SET_ASIDE: Final = re.compile(
    r"(?<=.)([._-]?(bak|backup|old|orig|original|save|saved|copy|tmp|swp|disabled|new|prev)\d*|~\d*~?"
    r"|\.(txt|zip|7z|gz|tgz|bz2|xz|zst|tar|enc)"
    r"|[._ -]\d[\dT:._-]*Z?|\s*\(\d+\)|\s+(\(copy\)|copy)|#)\Z",
    re.IGNORECASE,
)
# Folders with what programs made or fetched; they are searched only where a path leads into them.
MADE_BY_PROGRAMS: Final = frozenset(("node_modules", "__pycache__", ".venv", "venv", ".tox", ".mypy_cache"))


def hides_secrets(name: str) -> bool:
    """Return whether files or folders of this name usually hold secrets, or belong to a program that trusts them. The
    name of a copy is that of its file with something behind it."""
    while _SECRET.fullmatch(name) is None:
        shorter = _SET_ASIDE.sub("", name)
        if shorter == name:
            return False
        name = shorter
    return True


def looks_secret(name: str) -> bool:
    """Return whether files or folders of this name usually hold secrets of the person."""
    return hides_secrets(name) and _PROGRAMS.fullmatch(name) is None


def is_plain(name: str) -> bool:
    """Return whether a name is what it looks like. Names with line breaks, invisible or direction-changing characters,
    or bytes that are not UTF-8 could be mistaken for others in a list."""
    return name.isprintable() and not has_hidden(name) and name == name.strip()
