"""Reads the addresses and figures that people type: ``localhost:8080`` is enough, and so is ``128k``. Pure."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from chatdesk.core.domain.key_origin import is_loopback
from chatdesk.core.domain.provider_profile import LARGEST_PRICE, LARGEST_WINDOW, SMALLEST_WINDOW
from chatdesk.core.texts import Text

_UNITS: Final = {"": 1, "k": 1000, "m": 1_000_000}
_COUNT: Final = re.compile(r"(\d{1,9}(?:[.,]\d{1,3})?)\s*([km]?)(?:\s*tokens?)?\Z", re.IGNORECASE)
_GROUPED: Final = re.compile(r"\d{1,3}(?:[ ,.\u2009\u00a0\u202f]\d{3})+\Z")
_AMOUNT: Final = re.compile(r"\$?\s*(\d{1,7}(?:[.,]\d{1,6})?)\s*\$?\Z")


class NotAFigure(ValueError):
    """The typed text is not a number; the error's text names the expected form."""


def read_window(text: str) -> int:
    """Parse a number of tokens. Raises ``NotAFigure``."""
    typed = text.strip()
    if _GROUPED.match(typed):
        tokens = int(re.sub(r"\D", "", typed))
    else:
        match = _COUNT.match(typed)
        if match is None:
            raise NotAFigure(Text("Type a number of tokens, such as 32000 or 128k."))
        tokens = round(float(match[1].replace(",", ".")) * _UNITS[match[2].lower()])
    if not SMALLEST_WINDOW <= tokens <= LARGEST_WINDOW:
        raise NotAFigure(
            Text(
                "The context is between {smallest_window} and {largest_window} tokens.",
                smallest_window=str(SMALLEST_WINDOW),
                largest_window=LARGEST_WINDOW,
            )
        )
    return tokens


def read_price(text: str) -> float:
    """Parse US dollars for a million tokens. Raises ``NotAFigure``."""
    match = _AMOUNT.match(text.strip())
    amount = float(match[1].replace(",", ".")) if match is not None else -1.0
    if not 0 <= amount <= LARGEST_PRICE:
        raise NotAFigure(Text("Type dollars for a million tokens, such as 0.25."))
    return amount


def window_text(tokens: int) -> str:
    """Return a number of tokens as it is shown; ``read_window`` reads it."""
    return f"{tokens:,}"


def price_text(amount: float) -> str:
    """Return a price as it is shown; ``read_price`` reads it."""
    return f"{amount:.6f}".rstrip("0").rstrip(".")


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_USUAL_PATH = "/v1"
_COPIED = re.compile(r"(?i)\bhttps?://[^\s\"'<>`\u200b\ufeff]+")


def full_address(typed: str, *, path: str = _USUAL_PATH) -> str:
    """Return ``typed`` with what was left out. Without a scheme it is ``http`` on this computer, and ``https``
    elsewhere, with the usual ``path`` where there is none. An address with a scheme stays as it is, and may be copied
    with words or quotes around it."""
    copied = _COPIED.search(typed)
    address = (copied[0].rstrip(",;.") if copied is not None else typed.strip()).rstrip("/")
    if not address or _SCHEME.match(address):
        return address
    try:
        parts = urlsplit(f"//{address}")
        host = parts.hostname or ""
    except ValueError:
        return address
    scheme = "http" if is_loopback(host.lower()) else "https"
    return f"{scheme}://{address}{'' if parts.path else path}"
