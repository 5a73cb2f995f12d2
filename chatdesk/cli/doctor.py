"""``chatdesk doctor`` examines an installation and packs the files for a bug report."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from chatdesk.core.diagnostics import bundle
from chatdesk.core.diagnostics.doctor import DoctorReport, run_doctor
from chatdesk.core.diagnostics.redaction import process_redactor
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.description import describe_settings
from chatdesk.core.settings.store import LoadedSettings
from chatdesk.core.system import terminal
from chatdesk.core.texts import tr
from chatdesk.services.doctor_checks import (
    PURPOSE,
    given,
    probes_of_services,
    probes_without_database,
    unusable_database,
)
from chatdesk.services.file_checks import own_file_findings
from chatdesk.services.owner import open_services


async def doctor(options: argparse.Namespace, paths: AppPaths, loaded: LoadedSettings) -> int:
    """Print the report; returns the exit code: 1 where there is a problem."""
    report = await examine(paths, loaded)
    if options.json:
        terminal.say_json(report.as_data())
    else:
        terminal.say(report.as_text())
    if options.bundle:
        await _pack(Path(options.bundle), report, paths, loaded)
        terminal.report("chatdesk: " + tr("written to {file}; look through it before you send it", file=options.bundle))
    return 0 if report.is_healthy else 1


async def examine(paths: AppPaths, loaded: LoadedSettings, *, environ: Mapping[str, str] | None = None) -> DoctorReport:
    """Run all checks. Opens the database as any other command does."""
    environment = os.environ if environ is None else environ
    probes = probes_without_database(paths, loaded)
    # Looked at before the database is opened, which replaces a mark that cannot be read.
    probes["own files"] = partial(given, await asyncio.to_thread(own_file_findings, paths))
    try:
        async with open_services(paths, loaded.settings, purpose=PURPOSE) as services:
            report = await run_doctor(paths, probes | probes_of_services(services), environ=environment)
            services.database.forget_loss()
            return report
    except ChatDeskError as error:
        probes["database"] = unusable_database(error, paths)
    return await run_doctor(paths, probes, environ=environment)


async def _pack(target: Path, report: DoctorReport, paths: AppPaths, loaded: LoadedSettings) -> None:
    owner = next((each for each in report.findings if each.name == "owner"), None)
    health = owner.details if owner is not None and "loop_lag_ms" in owner.details else None
    files = await asyncio.to_thread(
        bundle.collect,
        paths,
        process_redactor,
        doctor=report,
        health=health,
        settings=describe_settings(loaded.settings),
    )
    await asyncio.to_thread(bundle.write, target, files)
