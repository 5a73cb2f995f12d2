"""Tells which feed a packaged program follows: its build wrote the address and the first root keys into it.

Neither a setting nor a variable nor anything in a data directory can name another.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ADDRESS, _ROOT = "feed.json", "root.json"
_LARGEST_ROOT_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class FeedSource:
    """The feed that a packaged program follows. ``address`` ends with a slash and has ``metadata/`` and ``targets/``
    below it; ``root`` is signed metadata."""

    address: str
    root: bytes


def read_feed_source(resources: Path) -> FeedSource | None:
    """Return the feed that was built in, None where there is none."""
    folder = resources / "updates"
    try:
        address = json.loads((folder / _ADDRESS).read_text("utf-8"))["address"]
        root = (folder / _ROOT).read_bytes()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    is_usable = isinstance(address, str) and address.startswith("https://") and len(root) <= _LARGEST_ROOT_BYTES
    return FeedSource(address.rstrip("/") + "/", root) if is_usable else None
