"""Links whose words name another place than they lead to. Pure text; draws nothing."""

from __future__ import annotations

import re
from urllib.parse import unquote

from chatdesk.core.rendering.safety import link_host

_ADDRESS = r"[^\s@]{1,64}@[^\s@]{1,255}\.[^\s@]{2,63}"
_PLACE = (
    r"(?i)(?:(?P<scheme>[a-z][a-z0-9+.\-]{1,20})://)?(?:[^\s@/]*@)?"
    r"(?P<host>[^\s/?#:@.][^\s/?#:@]*\.[^\s/?#:@.\d][^\s/?#:@.]+)\.?(?::\d+)?(?:[/?#]\S*)?"
)
# Without a scheme these are far more often files than hosts.
_FILE_ENDINGS = frozenset(
    [
        "py",
        "md",
        "js",
        "ts",
        "rs",
        "go",
        "sh",
        "rb",
        "pl",
        "cpp",
        "cc",
        "java",
        "json",
        "toml",
        "yaml",
        "yml",
        "txt",
        "html",
        "css",
        "c",
        "h",
        "cs",
        "kt",
        "lua",
        "sql",
        "xml",
        "csv",
        "ini",
        "cfg",
        "env",
        "lock",
        "so",
        "zip",
    ]
)


def true_place(words: str, href: str) -> str | None:
    """Where ``href`` leads, when ``words`` say that it leads elsewhere; also when its host has letters that only look
    like others."""
    shown = words.strip().strip("<>()[]\"'“”«».,;:!?\u2028")
    if href.lower().startswith("mailto:"):
        address = unquote(href[7:].split("?")[0])
        return address if re.fullmatch(_ADDRESS, shown) and shown.lower() != address.lower() else None
    host = link_host(href).lower()
    named = re.fullmatch(_PLACE, shown)
    if named is None:
        return None
    other = named["host"].lower()
    if not named["scheme"] and other.rpartition(".")[2] in _FILE_ENDINGS:
        return None
    if not host.isascii():
        return _spelt(host)
    return None if _without_www(other) == _without_www(host) else host


def _without_www(host: str) -> str:
    return host.removeprefix("www.").rstrip(".")


def _spelt(host: str) -> str:
    """A host as the network sees it."""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host.encode("ascii", "backslashreplace").decode("ascii")
