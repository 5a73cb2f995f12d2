"""The fingerprint by which a finished message proves that its text is what was saved."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def digest(parts: Iterable[tuple[int, str, str]]) -> str:
    """Fingerprint of a message's parts, given as (index, type, stored content) in order of index."""
    hasher = hashlib.blake2b(digest_size=16)
    for index, kind, content in parts:
        data = content.encode("utf-8", "replace")
        hasher.update(f"{index} {kind} {len(data)}\n".encode())
        hasher.update(data)
    return hasher.hexdigest()
