"""Reads the body of a request that changes one value, so that each change is made completely or not at all."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from chatdesk.service.errors import InvalidRequest


def only_change(body: Any) -> tuple[str, Any]:
    """Return the name and value of the one field that is set. Raises ``InvalidRequest`` for none and for several."""
    found = [(each.name, getattr(body, each.name)) for each in fields(body) if getattr(body, each.name) is not None]
    if len(found) != 1:
        raise InvalidRequest((("body", f"Exactly one of {', '.join(each.name for each in fields(body))}"),))
    return found[0]
