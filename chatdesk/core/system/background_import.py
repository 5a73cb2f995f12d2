"""Imports modules on other threads than the loop's, one at a time.

Where two threads import at once and a package has circles, as SQLAlchemy has, Python ends the deadlock by handing one
of them a module that is half read, and the import fails.
"""

from __future__ import annotations

import asyncio
import threading
from importlib import import_module
from types import ModuleType

_one_at_a_time = threading.Lock()


async def import_beside(name: str, *others: str) -> ModuleType:
    """Import modules on a thread, so that the loop goes on. Returns the first."""
    return (await asyncio.to_thread(_import, name, *others))[0]


def _import(*names: str) -> list[ModuleType]:
    with _one_at_a_time:
        return [import_module(name) for name in names]
