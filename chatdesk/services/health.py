"""Reports the health of a running ChatDesk to another process: numbers, states and codes, no names and no secrets."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from chatdesk import __version__
from chatdesk.core.diagnostics.metrics import loop_lag, resources
from chatdesk.core.errors import ChatDeskError
from chatdesk.services.services import Services

_MS_PER_S = 1000


async def answer_health(services: Services, *, has_window: bool) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the answer to the verb ``health`` of another process."""
    yield await health_of(services, has_window=has_window)


async def health_of(services: Services, *, has_window: bool) -> dict[str, Any]:
    """Return the health as JSON data. No provider and no server is asked."""
    return {
        "event": "health",
        "version": __version__,
        "pid": os.getpid(),
        "has_window": has_window,
        "loop_lag_ms": await loop_lag(),
        **resources(),
        "database": await _database(services),
        "providers": _providers(services),
        "queue": {
            "is_writing": services.chat.is_writing,
            "waiting": len(services.chat.queue.waiting),
            "waiting_for_network": len(services.metrics.reachability.waiting),
        },
        "team": _team(services),
        "since_start": services.metrics.as_data(),
    }


async def _database(services: Services) -> dict[str, Any]:
    path, reason = services.paths.database, services.read_only_reason
    found: dict[str, Any] = {
        "is_writable": reason is None and await services.database.can_write(),
        "reason": None if reason is None else reason.code,
        "size_bytes": _size_of(path),
        "log_bytes": _size_of(path.with_name(path.name + "-wal")),
    }
    began_s = time.monotonic()
    try:
        await services.database.read(lambda conn: conn.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1").all())
    except ChatDeskError as error:
        return {**found, "is_readable": False, "reason": error.code}
    return {**found, "is_readable": True, "read_ms": round((time.monotonic() - began_s) * _MS_PER_S, 1)}


def _providers(services: Services) -> list[dict[str, Any]]:
    default, _model = services.providers.default()
    unreachable = services.metrics.reachability.unreachable
    return [
        {
            "id": each.name,
            "is_default": each.name == default,
            "has_key": not services.providers.lacks_key(each.name),
            "is_unreachable": each.name in unreachable,
        }
        for each in services.providers.all()
    ]


def _team(services: Services) -> list[dict[str, Any]]:
    return [
        {
            "workspace": each.workspace_id,
            "phase": each.phase.value,
            "reason": each.code or None,
            "waiting": each.waiting,
            "refused": each.refused,
            "synced_at": each.synced_at,
        }
        for each in services.metrics.workspaces.values()
    ]


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
