"""Turns a server's text about its failure into a short plain one that is safe to show: no markup, no control or
invisible characters, no keys, at most 300 characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from chatdesk.core.domain.echoed_secrets import HIDDEN, EchoedSecrets
from chatdesk.core.texts import shortened

MAX_LENGTH = 300
_MAX_READ = 20_000

# What keys look like at the vendors that name them in error texts; the key in use is removed by value besides.
_KEY_PATTERNS = re.compile(
    r"(?i:bearer|basic)\s+[\w.~+/=-]{6,}"
    r"|\b(?:sk|pk|rk|gsk|xai|hf|AIza|ghp|key|api|tok)[-_A-Za-z0-9*.]{12,}"
    r"|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]+)?"
    r"|\b(?=[A-Za-z0-9_-]*\d)(?=[A-Za-z0-9_-]*[A-Za-z])(?![0-9a-f]{8}-[0-9a-f]{4}-)[A-Za-z0-9_-]{32,}"
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return ``text`` without ``secrets`` and without anything that looks like a key."""
    known = [secret for secret in secrets if len(secret) >= 4]
    for secret in known:
        text = text.replace(secret, HIDDEN)
    return _KEY_PATTERNS.sub(HIDDEN, EchoedSecrets(known).hide(text))


def plain_excerpt(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the gist of ``text`` for a person; empty when there is nothing to say."""
    text = text[:_MAX_READ]
    if re.search(r"<[a-zA-Z!/]", text):
        from chatdesk.core.providers.error_page_text import text_of

        text = text_of(text)
    text = "".join(_visible(character) for character in text)
    return shortened(redact(" ".join(text.split()), secrets), MAX_LENGTH)


def _visible(character: str) -> str:
    """Controls become spaces; invisible, direction-changing, private and half characters vanish."""
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    return "" if category in {"Cf", "Co", "Cs", "Cn"} else character
