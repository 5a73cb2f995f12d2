"""Declares the functions of the composition root that the window calls."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.settings.store import SettingsStore

if TYPE_CHECKING:  # keeps the first paint fast
    from chatdesk.core.diagnostics.crashes import CrashReport, CrashReporter
    from chatdesk.services.parts import GetBackups
    from chatdesk.services.services import Services
    from chatdesk.ui.features.help.help_binding import CollectReport


@dataclass(slots=True, eq=False, repr=False)
class WindowHooks:
    """Functions that open services, listen to other processes and do upkeep. ``target`` is a link or the path of a file
    that the window shows once everything is there; empty for none."""

    settings_store: SettingsStore
    build: Callable[[], Awaitable[Services]]
    listen: Callable[[Services, Callable[[str], None]], Awaitable[Callable[[], Awaitable[None]]]]
    upkeep: Callable[[Services], AsyncGenerator[ChatDeskError, None]]
    watch_crashes: Callable[[Callable[[CrashReport], None]], CrashReporter]
    collect_report: CollectReport
    backups: Callable[[], GetBackups | None]  # None where this process may not restore one
    target: str = ""
