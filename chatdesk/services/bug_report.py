"""Collects the files for a bug report, in a window and on the command line."""

from __future__ import annotations

import asyncio

from chatdesk.core.diagnostics.bundle import ReportFile, collect
from chatdesk.core.diagnostics.redaction import process_redactor
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.description import describe_settings
from chatdesk.core.settings.store import SettingsStore
from chatdesk.services.doctor_checks import examine_window
from chatdesk.services.health import health_of
from chatdesk.services.services import Services


async def report_of_window(services: Services | None, paths: AppPaths) -> tuple[ReportFile, ...]:
    """Collect the files from inside a window; ``services`` are None where the database could not be opened."""
    loaded = await asyncio.to_thread(SettingsStore(paths.settings_file).load)
    doctor = await examine_window(services, paths, loaded)
    health = None if services is None else await health_of(services, has_window=True)
    return await asyncio.to_thread(
        collect, paths, process_redactor, doctor=doctor, health=health, settings=describe_settings(loaded.settings)
    )
