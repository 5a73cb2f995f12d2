"""Makes and checks ids: UUIDv7, made on this machine, as lower-case text of 36 characters. Providers and servers of
tools have readable ones."""

from __future__ import annotations

import re
from collections.abc import Collection

import uuid_utils

from chatdesk.core.errors import InvalidId

_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id() -> str:
    """Return a new UUIDv7; ids made later in one process sort later."""
    return str(uuid_utils.uuid7())


def id_of_moment(place: int) -> str:
    """Return a new id for something made long ago. ``place`` is ``milliseconds << 12 | counter``: ids sort by it."""
    high = (place >> 12) % 2**48 << 16 | 7 << 12 | place % 4096
    low = uuid_utils.uuid4().int % 2**62 | 2 << 62
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def place_of_id(value: str) -> int:
    """Return the ``place`` (see ``id_of_moment``) of any UUIDv7."""
    digits = value.replace("-", "")
    return int(digits[:12], 16) << 12 | int(digits[13:16], 16)


def readable_id(label: str, taken: Collection[str], *, longest: int, usual: str) -> str:
    """Return an id that reads like ``label``, or like ``usual`` if no letter of the label may stand in an id. It is
    not among ``taken``."""
    base = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:longest].strip("-") or usual
    number = 1
    while (found := base if number == 1 else f"{base}-{number}") in taken:
        number += 1
    return found


def checked_id(value: object) -> str:
    """Return ``value`` as a canonical id. Raises ``InvalidId``."""
    if isinstance(value, str):
        lowered = value.strip().lower()
        if _PATTERN.fullmatch(lowered):
            return lowered
    raise InvalidId
