"""Ids: UUIDv7, made on this machine, as lower-case text of 36 characters."""

from __future__ import annotations

import re

import uuid_utils

from chatdesk.core.errors import InvalidId

_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id() -> str:
    """A fresh UUIDv7; ids made later in one process sort later."""
    return str(uuid_utils.uuid7())


def checked_id(value: object) -> str:
    """``value`` as a canonical id, or ``InvalidId``."""
    if isinstance(value, str):
        lowered = value.strip().lower()
        if _PATTERN.fullmatch(lowered):
            return lowered
    raise InvalidId
