"""Checks untrusted links: none may run a program, or hide its target. Independent of Markdown."""

from __future__ import annotations

import re
from urllib.parse import unquote

from chatdesk.core.hidden_characters import has_hidden

SAFE_SCHEMES = ("http", "https", "mailto")
MAX_URL_CHARS = 4096

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://([^/?#]*)")
_MAIL_WITH_FILE = re.compile(r"[?&;]\s*(?:x-)?attach\w*\s*=", re.IGNORECASE)
_HOST = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.\-]*:)?//(?:[^/?#@\s]*@)?(\[[^\]\s]*\]|[^/?#:\s]*)")


def is_safe_link(url: str) -> bool:
    """Return whether a click may open ``url``: http, https or mailto, of sane length, without blanks, controls or
    backslashes, which browsers read as slashes and others do not, without a user's name, which looks like the host, and
    without a file that a mail program would attach unasked."""
    match = _SCHEME.match(url)
    if match is None or match[1].lower() not in SAFE_SCHEMES or len(url) > MAX_URL_CHARS:
        return False
    if any(character <= " " or character in "\x7f\\" for character in url) or has_hidden(url):
        return False
    if match[1].lower() == "mailto":
        return _MAIL_WITH_FILE.search(unquote(url)) is None
    authority = _AUTHORITY.match(url)
    return authority is not None and "@" not in authority[1] and bool(link_host(url))


def has_scheme(url: str) -> bool:
    """Return whether ``url`` names a scheme at all; blanks and controls before the colon do not hide one."""
    return _SCHEME.match(re.sub(r"[\x00-\x20\x7f]", "", url)) is not None


def link_host(url: str) -> str:
    """Return the host that ``url`` names, empty for a path."""
    match = _HOST.match(url)
    return match[1] if match else ""
