"""Finds links whose text names another target than their own. Draws nothing: the window and exports show the result."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

from chatdesk.core.rendering.blocks import Span
from chatdesk.core.rendering.safety import link_host

_MAX_PLACE = 100
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


def destination_remark(spans: Sequence[Span], last: int) -> str:
    """Return the text to show behind the link that ends with the span ``last``; empty if its words do not mislead,
    and in the middle of a link whose words have several styles."""
    href = spans[last].href
    if href is None or (last + 1 < len(spans) and spans[last + 1].href == href):
        return ""
    place = true_destination(link_words(spans, last), href)
    return f" ({place[:_MAX_PLACE]})" if place else ""


def link_words(spans: Sequence[Span], last: int) -> str:
    """Return all words of the link that ends with the span ``last``, however they are styled."""
    first = last
    while first and spans[first - 1].href == spans[last].href:
        first -= 1
    return "".join(span.text for span in spans[first : last + 1])


def true_destination(words: str, href: str) -> str | None:
    """Return the host or address of ``href`` if ``words`` name another one, or if the host has letters that only
    look like others; else None."""
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
        return spelt_host(host)
    return None if _without_www(other) == _without_www(host) else host


def _without_www(host: str) -> str:
    return host.removeprefix("www.").rstrip(".")


def spelt_host(host: str) -> str:
    """Return a host as the network sees it, so that letters that look like others do not pass for them."""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host.encode("ascii", "backslashreplace").decode("ascii")
