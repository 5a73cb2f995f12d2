"""Recognises bare addresses in running text by the rules of GFM: ``https://…``, ``www.…`` and mail.

Full-width punctuation ends an address: Chinese and Japanese have no blank before it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loaded only by the process that does this work
    from markdown_it.rules_inline import StateInline

_URL_CHARACTER = '[^\\s<>\\[\\]"`\\\\\u3000-\u303f\uff00-\uffef|*]'
_URL = re.compile(f"https?://{_URL_CHARACTER}+(?:\\*{_URL_CHARACTER}+)*", re.IGNORECASE)
_WWW_OR_MAIL = re.compile(
    r"(?<![A-Za-z0-9_@./:+-])(?:(www\.[a-zA-Z0-9][^\s<>\[\]\"`|\u3000-\u303f\uff00-\uffef]{1,2000})"
    r"|([A-Za-z0-9_.+-]{1,64}@[a-zA-Z0-9_-]{1,63}(?:\.[a-zA-Z0-9_-]{1,63}){1,8}))"
)
_TRAILING_ENTITY = re.compile(r"&[A-Za-z0-9]+;$")


def bare_url_rule(state: StateInline, silent: bool) -> bool:
    """Parse ``https://…`` in running text. The rule runs at the colon and removes the scheme from the pending text."""
    source, at = state.src, state.pos
    if source[at] != ":" or state.linkLevel > 0 or not source.startswith("://", at):
        return False
    scheme = next((name for name in ("https", "http") if source[max(0, at - len(name)) : at].lower() == name), None)
    if scheme is None:
        return False
    start = at - len(scheme)
    before = source[start - 1] if start else " "
    if (before.isalnum() and before.isascii()) or before in "_/" or source.startswith("](", start - 2):
        return False
    match = _URL.match(source, start, min(state.posMax, start + 4096))
    url = trim_url(match[0]) if match else ""
    if len(url) <= len(scheme) + 3:
        return False
    if not silent:
        if not state.pending.lower().endswith(scheme):
            return False
        state.pending = state.pending[: -len(scheme)]
        state.push("link_open", "a", 1).attrs = {"href": url}
        state.push("text", "", 0).content = url
        state.push("link_close", "a", -1)
    state.pos = start + len(url)
    return True


def split_bare_addresses(text: str) -> list[tuple[str, str | None]]:
    """Return pieces of running text, each with the address it leads to or None: ``www.…`` and mail addresses, which
    have no colon to start a rule at."""
    if "www." not in text and "@" not in text:
        return [(text, None)]
    pieces: list[tuple[str, str | None]] = []
    done = 0
    for match in _WWW_OR_MAIL.finditer(text):
        shown = trim_url(match[0]) if match[1] else match[0].rstrip(".")
        if (match[1] and "." not in shown[4:]) or shown[-1] in "-_":
            continue
        if match.start() > done:
            pieces.append((text[done : match.start()], None))
        pieces.append((shown, ("http://" if match[1] else "mailto:") + shown))
        done = match.start() + len(shown)
    if done < len(text):
        pieces.append((text[done:], None))
    return pieces


def trim_url(url: str) -> str:
    """Return ``url`` without the punctuation that ends the sentence around it, by the rules of GFM."""
    while url:
        last = url[-1]
        if last in "?!.,:*_~'\"":
            url = url[:-1]
        elif last == ";":
            entity = _TRAILING_ENTITY.search(url[-40:])
            url = url[: -len(entity[0])] if entity else url[:-1]
        elif last == ")" and url.count(")") > url.count("("):
            url = url[:-1]
        else:
            break
    return url
