"""Completes the web address that a person types for a server: ``localhost:8080`` is enough."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from chatdesk.core.domain.key_origin import is_loopback

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_USUAL_PATH = "/v1"


def full_address(typed: str, *, path: str = _USUAL_PATH) -> str:
    """Return ``typed`` with what was left out. Without a scheme it is ``http`` on this computer, and ``https``
    elsewhere, with the usual ``path`` where there is none. An address with a scheme stays as it is."""
    address = typed.strip().rstrip("/")
    if not address or _SCHEME.match(address):
        return address
    try:
        parts = urlsplit(f"//{address}")
        host = parts.hostname or ""
    except ValueError:
        return address
    scheme = "http" if is_loopback(host.lower()) else "https"
    return f"{scheme}://{address}{'' if parts.path else path}"
