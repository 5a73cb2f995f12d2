"""Decides which files of a project's folder no tool may see: those that usually hold secrets. Pure."""

from __future__ import annotations

import re
from typing import Final

from chatdesk.core.hidden_characters import has_hidden

# Keys and passwords by the names that programs give them, and folders in which a program runs what it finds.
_SECRET: Final = re.compile(
    r"""
    \.git | \.hg | \.svn | \.bzr | \.jj
    | \.ssh | \.gnupg | \.aws | \.azure | \.gcloud | \.kube | \.docker | \.password-store | \.terraform
    | \.env | \.env\.(?!example$|sample$|template$|dist$).* | .*\.env | \.envrc
    | \.netrc | _netrc | \.npmrc | \.yarnrc(\.yml)? | \.pypirc | \.pgpass | \.my\.cnf | \.htpasswd | \.git-credentials
    | \.dockercfg | \.boto | \.s3cfg | \.vault-token
    | id_(rsa|dsa|ecdsa|ed25519)(?!.*\.pub$).* | .*_(rsa|ed25519)
    | .*\.(pem|key|p12|pfx|p8|jks|keystore|kdbx?|ppk|asc|gpg|ovpn|tfstate|tfvars|mobileprovision)
    | \..*_history
    | (?!.*\.(c|cc|cpp|cs|css|dart|go|h|hpp|html|java|js|jsx|kt|less|mjs|php|pyi?|rb|rs|scss|svelte|swift|tsx?|vue)$)
      .*token(?!i[sz]).*
    | (client_)?secrets?(\.[a-z0-9]+)? | credentials?(\.[a-z0-9]+)? | service[-_]account.*\.json
    """,
    re.VERBOSE | re.IGNORECASE,
)
# What people and programs write behind the name of a copy: an ending, a tilde, a number, a date or a time.
_SET_ASIDE: Final = re.compile(
    r"(?<=.)([._-]?(bak|backup|old|orig|original|save|saved|copy|tmp|swp|disabled|new|prev)\d*|~\d*~?"
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


def is_plain(name: str) -> bool:
    """Return whether a name is what it looks like. Names with line breaks, invisible or direction-changing characters,
    or bytes that are not UTF-8 could be mistaken for others in a list."""
    return name.isprintable() and not has_hidden(name) and name == name.strip()
