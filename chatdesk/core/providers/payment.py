"""Reads which payment a server that answers 402 asks for, to show it to a person; ChatDesk never pays.

Two kinds are read: x402 (``accepts`` in the body, or in the header PAYMENT-REQUIRED since its second version; see
https://github.com/x402-foundation/x402, specs) and prepaid gateways, which each have words of their own and at best a
link. Everything comes from outside: sizes, letters and schemes of links are bounded.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

from chatdesk.core.domain.echoed_secrets import EchoedSecrets

_MOST_BYTES = 256 * 1024
_LONGEST_HEADER = 64 * 1024
_LONGEST_LINK, _LONGEST_WORD = 2_000, 100
_MOST_WAYS = 5
_DEPTH = 3
_MOST_KEYS = 50
# USDC by its contracts on Base and on its test network: the only amounts whose unit is known for certain.
_USDC: Final = frozenset({"0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", "0x036cbd53842c5426634e7929541ec2318f3dcf7e"})
_USDC_PLACES = 6
_LINKS: Final = re.compile(
    r"(?:top[_-]?up|payment|pay|checkout|billing|recharge|deposit|credits|buy[_-]?credits|purchase)[_-]?(?:url|link)"
    r"|url|link",
    re.IGNORECASE,
)
_AMOUNTS: Final = re.compile(
    r"(?:amount|price|minimum|min|required)(?:[_-]?(?:required|amount|due|usd))*|amount[_-]?due", re.IGNORECASE
)
_PAYEES: Final = re.compile(r"payee|pay[_-]?to|merchant|recipient", re.IGNORECASE)
_IN_TEXT = re.compile(r"https://[^\s\"'<>()\[\]{}]{4,500}(?![^\s\"'<>()\[\]{}])")


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment that a server asks for. Unknown fields are empty. ``amount`` has its unit; ``link`` is https and
    leads to ``host``."""

    amount: str = ""
    payee: str = ""
    network: str = ""
    link: str = ""
    host: str = ""

    @property
    def sentence(self) -> str:
        """The amount, payee and network in words."""
        words = [self.amount or "a payment"]
        if self.payee:
            words.append(f"to {self.payee}")
        if self.network:
            words.append(f"on {self.network}")
        return " ".join(words)

    def as_details(self) -> dict[str, str]:
        """Return the fields that are stored with a failed answer."""
        return {
            name: value
            for name in ("amount", "payee", "network", "link", "host")
            if (value := str(getattr(self, name)))
        }


def payment_in(headers: Mapping[str, str], body: bytes, secrets: Iterable[str] = ()) -> Payment | None:
    """Return the payment that a 402 answer asks for; None if it names nothing that can be used."""
    hidden = tuple(secret for secret in secrets if len(secret) >= 4)
    for document in (_of_header(headers.get("payment-required", "")), _loads(body[:_MOST_BYTES])):
        if not isinstance(document, Mapping):
            continue
        found = _x402(document, hidden) or _prepaid(document, hidden)
        if found is not None:
            return found
    return None


def _of_header(value: str) -> object:
    if not value or len(value) > _LONGEST_HEADER:
        return None
    try:
        return _loads(base64.b64decode(value, validate=True))
    except (binascii.Error, ValueError):
        return None


def _loads(data: bytes) -> object:
    try:
        document: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return document


def _x402(document: Mapping[str, object], secrets: tuple[str, ...]) -> Payment | None:
    ways = document.get("accepts")
    if not isinstance(ways, list):
        return None
    for way in ways[:_MOST_WAYS]:
        if not isinstance(way, Mapping):
            continue
        payee = _word(way.get("payTo"), secrets)
        units = way.get("amount", way.get("maxAmountRequired"))
        if payee and isinstance(units, str | int) and re.fullmatch(r"\d{1,40}", str(units)):
            amount = _amount(str(units), _word(way.get("asset"), secrets))
            return Payment(amount, payee, _word(way.get("network"), secrets))
    return None


def _amount(units: str, asset: str) -> str:
    if asset.lower() in _USDC:
        return f"{(Decimal(units) / 10**_USDC_PLACES).normalize():f} USDC"
    return f"{int(units):,} units of {asset or 'an unnamed asset'}"


def _prepaid(document: Mapping[str, object], secrets: tuple[str, ...]) -> Payment | None:
    amount = payee = link = currency = ""
    for key, value in _pairs(document, _DEPTH):
        if isinstance(value, str) and not link and _LINKS.fullmatch(key):
            link = _checked_link(value, secrets)
        if isinstance(value, str) and not payee and _PAYEES.fullmatch(key):
            payee = _word(value, secrets)
        if key.lower() == "currency":
            currency = _word(value, secrets)[:8]
        if not amount and _AMOUNTS.fullmatch(key) and not isinstance(value, bool):
            words = str(value) if isinstance(value, str | int | float) else ""
            amount = words if re.fullmatch(r"[$€£]?\d{1,12}(?:\.\d{1,8})?(?: ?[A-Za-z]{3,5})?", words) else ""
    for key, value in () if link else _pairs(document, _DEPTH):
        is_text = isinstance(value, str) and not _LINKS.fullmatch(key)
        found = _IN_TEXT.search(str(value)[:_LONGEST_LINK]) if is_text else None
        if found is not None and not link:
            link = _checked_link(found[0].rstrip(".,;:!?"), secrets)
    if not (link or amount):
        return None
    host = urlsplit(link).hostname or "" if link else ""
    return Payment(f"{amount} {currency}".strip() if amount else "", payee, link=link, host=host)


def _pairs(document: Mapping[str, object], depth: int) -> Iterator[tuple[str, object]]:
    """Yield names and values of an object and of those in it, the outermost first."""
    items = list(document.items())[:_MOST_KEYS]
    yield from items
    for _key, value in items:
        if isinstance(value, Mapping) and depth > 1:
            yield from _pairs(value, depth - 1)


def _checked_link(value: str, secrets: tuple[str, ...]) -> str:
    """Return ``value`` if it is a plain https address without secrets, else an empty text."""
    if len(value) > _LONGEST_LINK or not value.isascii() or not value.isprintable() or " " in value:
        return ""
    if _holds(value, secrets):
        return ""
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    is_good = parts.scheme == "https" and host and re.fullmatch(r"[a-z0-9.-]{1,253}", host) and "@" not in parts.netloc
    return value if is_good and port in (None, 443) else ""


def _word(value: object, secrets: tuple[str, ...]) -> str:
    """Return ``value`` if it is an address or a name (letters, digits and few signs), else an empty text."""
    if not isinstance(value, str) or not re.fullmatch(r"[\w.:/@+-]{1,100}", value, re.ASCII):
        return ""
    return "" if _holds(value, secrets) else value[:_LONGEST_WORD]


def _holds(value: str, secrets: tuple[str, ...]) -> bool:
    return bool(EchoedSecrets(secrets).find(value)) or any(secret in value for secret in secrets)
